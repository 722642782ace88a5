/* The declarations of a shader that stand outside of functions. */
#include "host/gles/hgl_declared.h"

#include <string.h>

static const struct hgl_token *now(const struct hgl_names *n)
{
    return &n->tokens[n->at];
}

static bool is(const struct hgl_names *n, const char *text)
{
    return hgl_token_is(now(n), text);
}

static bool take(struct hgl_names *n, const char *text)
{
    bool is_it = is(n, text);
    n->at += is_it;
    return is_it;
}

static void fail(struct hgl_names *n, const char *why)
{
    n->why = n->why != NULL ? n->why : why;
}

static bool same(const struct hgl_token *a, const struct hgl_token *b)
{
    return a->kind == HGL_TOKEN_WORD && b->kind == HGL_TOKEN_WORD && a->size == b->size &&
           memcmp(a->p, b->p, a->size) == 0;
}

size_t hgl_behind_pair(const struct hgl_token *tokens, size_t at)
{
    uint32_t depth = 0;
    for (; tokens[at].kind != HGL_TOKEN_END; at++) {
        char c = tokens[at].kind == HGL_TOKEN_SIGN && tokens[at].size == 1 ? *tokens[at].p : ' ';
        depth += c == '(' || c == '[' || c == '{';
        depth -= c == ')' || c == ']' || c == '}';
        if (depth == 0) {
            return at + 1;
        }
    }
    return at;
}

static void skip_pair(struct hgl_names *n)
{
    n->at = hgl_behind_pair(n->tokens, n->at);
}

/* Up to a comma or semicolon. */
static void skip_value(struct hgl_names *n)
{
    while (now(n)->kind != HGL_TOKEN_END && !is(n, ",") && !is(n, ";")) {
        skip_pair(n);
    }
}

/* --- types --- */

static bool basic(const struct hgl_token *t, struct hgl_type *type)
{
    static const char *const scalars[] = {"float", "int", "uint", "bool"};
    static const char *const vectors[] = {"vec", "ivec", "uvec", "bvec"};
    for (size_t i = 0; i < 4; i++) {
        size_t size = strlen(vectors[i]);
        if (hgl_token_is(t, scalars[i])) {
            *type = (struct hgl_type){.shape = HGL_SCALAR};
            return true;
        }
        if (t->size == size + 1 && memcmp(t->p, vectors[i], size) == 0 && t->p[size] >= '2' &&
            t->p[size] <= '4') {
            *type = (struct hgl_type){.shape = HGL_VECTOR, .rows = (uint32_t)(t->p[size] - '0')};
            return true;
        }
    }
    /* mat3, mat3x4 */
    bool is_square = t->size == 4, is_one = is_square || (t->size == 6 && t->p[4] == 'x');
    if (!is_one || memcmp(t->p, "mat", 3) != 0 || t->p[3] < '2' || t->p[3] > '4' ||
        t->p[t->size - 1] < '2' || t->p[t->size - 1] > '4') {
        return false;
    }
    *type = (struct hgl_type){.shape = HGL_MATRIX,
                              .columns = (uint32_t)(t->p[3] - '0'),
                              .rows = (uint32_t)(t->p[t->size - 1] - '0')};
    return true;
}

static bool is_qualifier(const struct hgl_token *t)
{
    static const char *const words[] = {
        "const",    "in",        "out",      "uniform",   "buffer", "shared",  "coherent",
        "volatile", "restrict",  "readonly", "writeonly", "highp",  "mediump", "lowp",
        "precise",  "invariant", "centroid", "flat",      "smooth", "patch",   "sample"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (hgl_token_is(t, words[i])) {
            return true;
        }
    }
    return false;
}

/* HGL_QUALIFIED, of those that matter. */
static uint32_t qualified(const struct hgl_token *t)
{
    return hgl_token_is(t, "shared")  ? HGL_QUALIFIED_SHARED
           : hgl_token_is(t, "in")    ? HGL_QUALIFIED_IN
           : hgl_token_is(t, "out")   ? HGL_QUALIFIED_OUT
           : hgl_token_is(t, "patch") ? HGL_PATCH
                                      : 0;
}

static uint32_t qualifiers(struct hgl_names *n)
{
    uint32_t all = 0;
    for (;;) {
        if (is(n, "layout") && hgl_token_is(now(n) + 1, "(")) {
            n->at = hgl_behind_pair(n->tokens, n->at + 1);
        } else if (is_qualifier(now(n))) {
            n->shared_count += is(n, "shared");
            all |= qualified(now(n));
            n->at++;
        } else {
            return all;
        }
    }
}

/* `[4][N]` */
static uint32_t brackets(struct hgl_names *n)
{
    uint32_t count = 0;
    while (is(n, "[")) {
        skip_pair(n);
        count++;
    }
    return count;
}

static bool type(struct hgl_names *n, struct hgl_type *out);

/* `type name[2], other;` up to `}`. */
static void members(struct hgl_names *n)
{
    if (is(n, "}")) { /* the language has no empty ones, which could double without an end */
        fail(n, "a structure's members");
    }
    while (n->why == NULL && !take(n, "}")) {
        struct hgl_variable m = {0};
        (void)qualifiers(n);
        if (is(n, "struct") || !type(n, &m.type)) {
            fail(n, "a structure's members");
            return;
        }
        uint32_t ranks = m.type.ranks;
        do {
            m.name = *now(n);
            m.at = n->at;
            n->at += m.name.kind == HGL_TOKEN_WORD;
            m.type.ranks = ranks + brackets(n);
            if (m.name.kind != HGL_TOKEN_WORD || n->member_count == HGL_MEMBERS_MAX) {
                fail(n, "a structure's members");
                return;
            }
            n->members[n->member_count++] = m;
        } while (take(n, ","));
        if (!take(n, ";")) {
            fail(n, "a structure's members");
        }
    }
}

/* Behind `struct`, or at a block's name. */
static uint32_t structure(struct hgl_names *n)
{
    struct hgl_token name = {0};
    if (now(n)->kind == HGL_TOKEN_WORD) {
        name = *now(n);
        n->at++;
    }
    if (n->structure_count == HGL_STRUCTURES_MAX || !take(n, "{")) {
        fail(n, "a structure");
        return 0;
    }
    uint32_t first = n->member_count;
    members(n);
    uint32_t which = n->structure_count++;
    n->structures[which].name = name;
    n->structures[which].first = first;
    n->structures[which].count = n->member_count - first;
    return which;
}

/* With its brackets. What is no shared type may be any word: a structure of number UINT32_MAX. */
static bool type(struct hgl_names *n, struct hgl_type *out)
{
    const struct hgl_token *t = now(n);
    if (take(n, "struct")) {
        *out = (struct hgl_type){.shape = HGL_STRUCT, .structure = structure(n)};
    } else if (t->kind != HGL_TOKEN_WORD) {
        return false;
    } else if (n->at++, basic(t, out)) {
        out->word = *t;
    } else {
        *out = (struct hgl_type){.shape = HGL_STRUCT, .structure = UINT32_MAX};
        for (uint32_t i = 0; i < n->structure_count; i++) {
            out->structure = same(&n->structures[i].name, t) ? i : out->structure;
        }
    }
    out->ranks = brackets(n);
    return n->why == NULL;
}

/* --- declarations --- */

/* Can it be indexed past its end? Drivers bound components of what is in no shared memory. */
static bool is_indexed(const struct hgl_names *n, const struct hgl_type *type)
{
    bool is_shared = (n->wanted & HGL_QUALIFIED_SHARED) != 0;
    return type->ranks != 0 || type->shape == HGL_MATRIX || type->shape == HGL_STRUCT ||
           (type->shape == HGL_VECTOR && is_shared);
}

static void variable(struct hgl_names *n, const struct hgl_variable *v)
{
    if (v->name.kind != HGL_TOKEN_WORD || n->variable_count == HGL_VARIABLES_MAX ||
        hgl_names_variable(n, &v->name) != NULL) {
        fail(n, "a variable");
    } else if (v->type.shape == HGL_STRUCT && v->type.structure == UINT32_MAX) {
        fail(n, "a variable's type");
    } else {
        n->variables[n->variable_count] = *v;
        n->variables[n->variable_count++].is_indexed = is_indexed(n, &v->type);
    }
}

/* `name[4], other[2];` of that type. */
static void variables(struct hgl_names *n, struct hgl_variable v)
{
    uint32_t ranks = v.type.ranks;
    do {
        v.name = *now(n);
        v.at = n->at++;
        v.type.ranks = ranks + brackets(n);
        variable(n, &v);
    } while (n->why == NULL && take(n, ","));
    if (!take(n, ";")) {
        fail(n, "a variable");
    }
}

/* `Name { members } instance[];`, or without an instance. */
static void block(struct hgl_names *n, struct hgl_variable v)
{
    v.type = (struct hgl_type){.shape = HGL_STRUCT, .structure = structure(n)};
    if (n->why != NULL) {
        return;
    }
    n->structures[v.type.structure].name = (struct hgl_token){0}; /* it names no type */
    if (!take(n, ";")) {
        variables(n, v);
        return;
    }
    uint32_t first = n->structures[v.type.structure].first;
    for (uint32_t i = first; i < n->member_count; i++) {
        struct hgl_variable member = n->members[i];
        member.is_out = v.is_out;
        variable(n, &member);
    }
}

/* `name = value, other[2];`, a function, a block. */
static void others(struct hgl_names *n)
{
    while (n->why == NULL && !take(n, ";")) {
        bool is_end = is(n, "}") || is(n, ")") || is(n, "]");
        if (now(n)->kind == HGL_TOKEN_END || is_end || (qualified(now(n)) & n->wanted) != 0) {
            fail(n, "a declaration");
        } else if (is(n, "(")) {
            skip_pair(n);
            if (is(n, "{")) {
                skip_pair(n);
                return;
            }
        } else if (take(n, "=")) {
            skip_value(n);
        } else {
            skip_pair(n);
        }
    }
}

static void declaration(struct hgl_names *n)
{
    size_t begin = n->at;
    uint32_t how = qualifiers(n);
    struct hgl_variable v = {.is_out =
                                 (how & (HGL_QUALIFIED_OUT | HGL_PATCH)) == HGL_QUALIFIED_OUT};
    v.is_vertex = n->has_patches && (how & (HGL_QUALIFIED_IN | HGL_PATCH)) == HGL_QUALIFIED_IN;
    bool is_wanted = (how & n->wanted) != 0 && !is(n, ";");
    if (!is_wanted && (n->at != begin || !is(n, "struct"))) {
        others(n);
    } else if (now(n)->kind == HGL_TOKEN_WORD && hgl_token_is(now(n) + 1, "{") &&
               !is(n, "struct")) {
        block(n, v);
    } else if (!type(n, &v.type)) {
        fail(n, "a declaration");
    } else if (is_wanted) {
        variables(n, v);
    } else {
        others(n);
    }
}

/* --- what is there without a declaration --- */

static void built_in(struct hgl_names *n, const char *name, const struct hgl_variable *like)
{
    struct hgl_variable v = *like;
    v.name = (struct hgl_token){.p = name, .size = (uint32_t)strlen(name), .kind = HGL_TOKEN_WORD};
    v.at = SIZE_MAX;
    if (hgl_names_variable(n, &v.name) == NULL) {
        variable(n, &v);
    }
}

/* gl_in and gl_out, where no block of the text says what is in them. */
static void per_vertex(struct hgl_names *n)
{
    static const struct {
        const char *name;
        struct hgl_type type;
    } list[] = {{"gl_Position", {.shape = HGL_VECTOR, .rows = 4}},
                {"gl_PointSize", {.shape = HGL_SCALAR}},
                {"gl_ClipDistance", {.shape = HGL_SCALAR, .ranks = 1}},
                {"gl_CullDistance", {.shape = HGL_SCALAR, .ranks = 1}}};
    enum { COUNT = sizeof list / sizeof list[0] };
    if (n->structure_count == HGL_STRUCTURES_MAX || n->member_count > HGL_MEMBERS_MAX - COUNT) {
        fail(n, "a structure");
        return;
    }
    uint32_t which = n->structure_count++;
    n->structures[which].first = n->member_count;
    n->structures[which].count = COUNT;
    for (uint32_t i = 0; i < COUNT; i++) {
        n->members[n->member_count++] =
            (struct hgl_variable){.name = {.p = list[i].name,
                                           .size = (uint32_t)strlen(list[i].name),
                                           .kind = HGL_TOKEN_WORD},
                                  .type = list[i].type};
    }
    struct hgl_variable v = {.type = {.shape = HGL_STRUCT, .structure = which, .ranks = 1},
                             .is_vertex = true};
    built_in(n, "gl_in", &v);
    v.is_vertex = false;
    v.is_out = true;
    built_in(n, "gl_out", &v);
    const struct hgl_variable box = {.type = {.shape = HGL_VECTOR, .rows = 4, .ranks = 1}};
    built_in(n, "gl_BoundingBox", &box);
    built_in(n, "gl_BoundingBoxEXT", &box);
    built_in(n, "gl_BoundingBoxOES", &box);
}

bool hgl_names_find(struct hgl_names *n)
{
    while (n->why == NULL && now(n)->kind != HGL_TOKEN_END) {
        declaration(n);
    }
    if (n->why == NULL && n->has_patches) {
        per_vertex(n);
    }
    return n->why == NULL;
}

const struct hgl_variable *hgl_names_variable(const struct hgl_names *n,
                                              const struct hgl_token *name)
{
    for (uint32_t i = 0; i < n->variable_count; i++) {
        if (n->variables[i].is_indexed && same(&n->variables[i].name, name)) {
            return &n->variables[i];
        }
    }
    return NULL;
}

const struct hgl_variable *hgl_names_member(const struct hgl_names *n, uint32_t structure,
                                            const struct hgl_token *name)
{
    uint32_t first = structure < n->structure_count ? n->structures[structure].first : 0;
    uint32_t count = structure < n->structure_count ? n->structures[structure].count : 0;
    for (uint32_t i = first; i < first + count; i++) {
        if (same(&n->members[i].name, name)) {
            return &n->members[i];
        }
    }
    return NULL;
}
