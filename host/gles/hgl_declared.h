/* The variables of a shader whose indices no driver bounds, and of which types they are: what
 * hgl_clamp.c needs to know. */
#ifndef HOST_HGL_DECLARED_H
#define HOST_HGL_DECLARED_H

#include "host/gles/hgl_tokens.h"

enum hgl_shape { HGL_SCALAR, HGL_VECTOR, HGL_MATRIX, HGL_STRUCT };

struct hgl_type {
    enum hgl_shape shape;
    uint32_t columns, rows; /* of a matrix; rows: components of a vector, too */
    uint32_t structure;     /* which; UINT32_MAX: of no known type */
    uint32_t ranks;         /* brackets of its arrays */
    struct hgl_token word;  /* its name, where it is the language's own */
};

/* A variable, or a structure's member. */
struct hgl_variable {
    struct hgl_token name;
    size_t at; /* of the tokens, where it is declared; SIZE_MAX: nowhere */
    struct hgl_type type;
    bool is_vertex;  /* its first brackets are of a patch's vertices, as they came */
    bool is_indexed; /* it can be, past its end */
    bool is_out;     /* they are of the invocation that writes them */
};

#define HGL_VARIABLES_MAX  256u
#define HGL_STRUCTURES_MAX 256u
#define HGL_MEMBERS_MAX    1024u

enum { HGL_QUALIFIED_SHARED = 1, HGL_QUALIFIED_IN = 2, HGL_QUALIFIED_OUT = 4, HGL_PATCH = 8 };

struct hgl_names {
    const struct hgl_token *tokens;
    uint32_t wanted;  /* HGL_QUALIFIED: which variables */
    bool has_patches; /* it is a stage of tessellation */
    size_t at;
    struct hgl_variable variables[HGL_VARIABLES_MAX];
    uint32_t variable_count;
    struct {
        struct hgl_token name; /* END: it has none */
        uint32_t first, count; /* members */
    } structures[HGL_STRUCTURES_MAX];
    uint32_t structure_count;
    struct hgl_variable members[HGL_MEMBERS_MAX];
    uint32_t member_count;
    uint32_t shared_count; /* how often the word was a qualifier */
    const char *why;       /* not NULL: it is not understood */
};

/* names: zeroed but for the tokens, which are borrowed, and what is wanted. False: why says of
 * what. */
bool hgl_names_find(struct hgl_names *names);

/* NULL: there is none that is indexed. */
const struct hgl_variable *hgl_names_variable(const struct hgl_names *names,
                                              const struct hgl_token *name);
const struct hgl_variable *hgl_names_member(const struct hgl_names *names, uint32_t structure,
                                            const struct hgl_token *name);

/* Behind the parenthesis, bracket or brace that matches the one at `at`; where there is none, the
 * END. */
size_t hgl_behind_pair(const struct hgl_token *tokens, size_t at);

#endif
