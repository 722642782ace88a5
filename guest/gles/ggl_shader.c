/* Shader text: joined, and searched for what the guest must know. External samplers are hidden from
 * the host (protocol: 14.4, T33, T34). */
#include "guest/gles/ggl_objects.h"

#include "transport/base/mem.h"

#include <string.h>

#define EXTERNAL_TYPE      "samplerExternalOES"
#define PLAIN_TYPE         "sampler2D"
#define EXTERNAL_EXTENSION "GL_OES_EGL_image_external"

void ggl_external_names_free(struct ggl_external_name *names)
{
    while (names) {
        struct ggl_external_name *next = names->next;
        sl_free(names);
        names = next;
    }
}

struct ggl_external_name *ggl_external_name_add(struct ggl_external_name *list, const char *text,
                                                size_t length)
{
    struct ggl_external_name *name = sl_alloc(sizeof *name + length + 1);
    if (!name) {
        return list;
    }
    memcpy(name->name, text, length);
    name->next = list;
    return name;
}

void ggl_shader_free(void *object)
{
    struct ggl_shader *shader = object;
    ggl_external_names_free(shader->externals);
    sl_free(shader->source);
    sl_free(shader);
}

struct ggl_shader *ggl_shader_get_locked(struct ggl_context *c, uint32_t name)
{
    struct ggl_shader *shader = sl_map_find(&c->share->shaders, name);
    if (shader || name == 0) {
        return shader;
    }
    shader = sl_alloc(sizeof *shader);
    if (shader && sl_map_set(&c->share->shaders, name, shader) != SL_OK) {
        sl_free(shader);
        return NULL;
    }
    return shader;
}

static bool word_char(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
           ch == '_';
}

static size_t word_length(const char *p)
{
    size_t n = 0;
    while (word_char(p[n])) {
        n++;
    }
    return n;
}

/* The next occurrence of `word` as a whole token. */
static char *find_word(char *text, char *from, const char *word, size_t length)
{
    for (char *p = from; *p; p++) {
        if (*p == *word && strncmp(p, word, length) == 0 && !word_char(p[length]) &&
            (p == text || !word_char(p[-1]))) {
            return p;
        }
    }
    return NULL;
}

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* Remember every name declared behind a type: "type a, b[2], c;". */
static struct ggl_external_name *add_names(struct ggl_external_name *list, const char *p)
{
    for (;;) {
        p = skip_space(p);
        size_t length = word_length(p);
        if (length == 0) {
            return list;
        }
        list = ggl_external_name_add(list, p, length);
        p = skip_space(p + length);
        if (*p == '[') {
            p += strcspn(p, "],;");
            p = skip_space(*p == ']' ? p + 1 : p);
        }
        if (*p != ',') {
            return list;
        }
        p++;
    }
}

/* "#define ALIAS samplerExternalOES" in front of a use of the type: the alias's length, or 0. */
static size_t alias_before(const char *text, const char *use, const char **alias)
{
    const char *line = use;
    while (line > text && line[-1] != '\n') {
        line--;
    }
    const char *p = line + strspn(line, " \t");
    if (*p != '#') {
        return 0;
    }
    p++;
    p += strspn(p, " \t");
    if (strncmp(p, "define", 6) != 0) {
        return 0;
    }
    p += 6;
    p += strspn(p, " \t");
    size_t length = word_length(p);
    *alias = p;
    return p < use ? length : 0;
}

static void blank_extension_lines(char *text)
{
    char *p = text;
    while ((p = strstr(p, "#extension")) != NULL) {
        size_t length = strcspn(p, "\n");
        char *name = strstr(p, EXTERNAL_EXTENSION);
        if (name && name < p + length) {
            memset(p, ' ', length);
        }
        p += length;
    }
}

/* Is one of the names declared as a sampler of 2D textures, too? Both cannot be, so the
 * preprocessor leaves one of them away. */
static bool names_twice(const struct ggl_external_name *names, char *text)
{
    const size_t length = sizeof PLAIN_TYPE - 1;
    for (char *p = text; (p = find_word(text, p, PLAIN_TYPE, length)) != NULL; p += length) {
        const char *other = skip_space(p + length);
        size_t other_length = word_length(other);
        for (const struct ggl_external_name *n = names; n; n = n->next) {
            if (strlen(n->name) == other_length && memcmp(n->name, other, other_length) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Does the preprocessor leave the external samplers in? The host's compiler says: a shader of the
 * same text, with nonsense in their place, does not compile then. */
static bool externals_compile(struct ggl_context *c, GLuint shader, const char *text, size_t size)
{
    const size_t length = sizeof EXTERNAL_TYPE - 1;
    GLint type = 0, compiles = 0;
    char *nonsense = sl_alloc(size + 1);
    if (!nonsense || !gles2_ask_glGetShaderiv(c, shader, GL_SHADER_TYPE, &type, 4)) {
        sl_free(nonsense);
        return true;
    }
    memcpy(nonsense, text, size);
    nonsense[size] = 0;
    for (char *p = nonsense; (p = find_word(nonsense, p, EXTERNAL_TYPE, length)) != NULL;
         p += length) {
        memset(p, '+', length);
    }
    blank_extension_lines(nonsense);
    GLuint probe = gles2_call_glCreateShader(c->stream, (GLenum)type);
    gles2_pack_glShaderString(ggl_pack(c), probe, nonsense, (uint32_t)size + 1, (GLsizei)size + 1);
    gles2_pack_glCompileShader(ggl_pack(c), probe);
    bool asked = gles2_ask_glGetShaderiv(c, probe, GL_COMPILE_STATUS, &compiles, 4);
    gles2_pack_glDeleteShader(ggl_pack(c), probe);
    sl_free(nonsense);
    return !asked || !compiles;
}

struct ggl_external_name *ggl_shader_scan(struct ggl_context *c, char *text)
{
    struct ggl_external_name *names = NULL;
    const size_t length = sizeof EXTERNAL_TYPE - 1;
    if (strstr(text, "gl_VertexID")) {
        sl_atomic_store_relaxed(&c->share->vertex_id, 1); /* as client_arrays: read at draws */
    }
    if (!strstr(text, EXTERNAL_TYPE) && !strstr(text, EXTERNAL_EXTENSION)) {
        return NULL;
    }
    for (char *p = text; (p = find_word(text, p, EXTERNAL_TYPE, length)) != NULL; p += length) {
        const char *alias;
        size_t alias_length = alias_before(text, p, &alias);
        for (char *q = p + length;
             alias_length && (q = find_word(text, q, alias, alias_length)) != NULL;
             q += alias_length) {
            names = add_names(names, q + alias_length);
        }
        if (!alias_length) {
            names = add_names(names, p + length);
        }
        memcpy(p, "sampler2D         ",
               length); /* the length stays: what follows keeps its line and column */
    }
    blank_extension_lines(text);
    if (names) {
        sl_atomic_store_relaxed(&c->share->externals, 1); /* read after link, by use of it */
    }
    return names;
}

char *ggl_shader_join(GLsizei count, const GLchar *const *strings, const GLint *lengths,
                      size_t *out_size)
{
    size_t size = 0;
    for (GLsizei i = 0; i < count; i++) {
        size += lengths && lengths[i] >= 0 ? (size_t)lengths[i] : strlen(strings[i]);
    }
    if (size >= INT32_MAX) {
        return NULL;
    }
    char *text = sl_alloc(size + 1);
    char *p = text;
    for (GLsizei i = 0; text && i < count; i++) {
        size_t part = lengths && lengths[i] >= 0 ? (size_t)lengths[i] : strlen(strings[i]);
        memcpy(p, strings[i], part);
        p += part;
    }
    *out_size = size;
    return text;
}

/* The text as the application wrote it is kept where the host's differs, and for stock hosts
 * always: they may not keep it. */
static void remember(struct ggl_context *c, GLuint name, char *original, size_t size,
                     struct ggl_external_name *externals)
{
    pthread_mutex_lock(&c->share->lock);
    struct ggl_shader *shader = ggl_shader_get_locked(c, name);
    if (shader) {
        sl_free(shader->source);
        ggl_external_names_free(shader->externals);
        shader->source = original;
        shader->source_size = size;
        shader->externals = externals;
        original = NULL;
        externals = NULL;
    }
    pthread_mutex_unlock(&c->share->lock);
    sl_free(original);
    ggl_external_names_free(externals);
}

/* What a driver says of a name that should be a shader's. */
static GLenum shader_error(struct ggl_context *c, GLuint name)
{
    bool shader = gles2_call_glIsShader(c->stream, name);
    bool program = gles2_call_glIsProgram(c->stream, name);
    return shader ? GL_NO_ERROR : program ? GL_INVALID_OPERATION : GL_INVALID_VALUE;
}

void ggl_glShaderSource(GLuint shader, GLsizei count, const GLchar *const *strings,
                        const GLint *lengths)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    GLenum error = count < 0 || !strings ? shader_error(c, shader) : GL_NO_ERROR;
    error = !error && (count < 0 || !strings) ? GL_INVALID_VALUE : error;
    for (GLsizei i = 0; !error && i < count; i++) {
        error = strings[i] ? GL_NO_ERROR : GL_INVALID_OPERATION;
    }
    size_t size;
    char *text = error ? NULL : ggl_shader_join(count, strings, lengths, &size);
    char *original = text ? sl_alloc(size + 1) : NULL; /* the lengths may count NULs in */
    if (!original) {
        ggl_error(c, error ? error : GL_OUT_OF_MEMORY);
        sl_free(text);
        return;
    }
    memcpy(original, text, size);
    original[size] = 0;
    struct ggl_external_name *externals = ggl_shader_scan(c, text);
    if (SL_UNLIKELY(externals) && names_twice(externals, original) &&
        !externals_compile(c, shader, original, size)) {
        ggl_external_names_free(externals);
        externals = NULL;
    }
    gles2_pack_glShaderString(ggl_pack(c), shader, text, (uint32_t)size + 1, (GLsizei)size + 1);
    bool changed = memcmp(text, original, size) != 0;
    sl_free(text);
    if (changed || ggl_stock(c)) {
        remember(c, shader, original, size, externals);
    } else {
        sl_free(original);
        remember(c, shader, NULL, 0, externals);
    }
}

GLuint ggl_glCreateShader(GLenum type)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return 0;
    }
    GLuint name = gles2_call_glCreateShader(c->stream, type);
    pthread_mutex_lock(&c->share->lock);
    struct ggl_shader *stale = sl_map_remove(&c->share->shaders, name);
    pthread_mutex_unlock(&c->share->lock);
    if (stale) {
        ggl_shader_free(stale);
    }
    return name;
}

/* An attached shader lives on until its programs let go; what is known of it is still needed when
 * they link. */
void ggl_glDeleteShader(GLuint name)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    gles2_pack_glDeleteShader(ggl_pack(c), name);
    pthread_mutex_lock(&c->share->lock);
    struct ggl_shader *shader = sl_map_find(&c->share->shaders, name);
    if (shader && shader->attached == 0) {
        (void)sl_map_remove(&c->share->shaders, name);
        ggl_shader_free(shader);
    } else if (shader) {
        shader->deleted = true;
    }
    pthread_mutex_unlock(&c->share->lock);
}

void ggl_glGetShaderiv(GLuint name, GLenum pname, GLint *params)
{
    struct ggl_context *c = ggl_current();
    if (!c || !params) {
        return;
    }
    GLint value = 0;
    if (!gles2_ask_glGetShaderiv(c, name, pname, &value, 4)) {
        return;
    }
    *params = value;
    if (pname == GL_SHADER_SOURCE_LENGTH) {
        pthread_mutex_lock(&c->share->lock);
        const struct ggl_shader *shader = sl_map_find(&c->share->shaders, name);
        if (shader && shader->source) {
            *params = (GLint)shader->source_size + 1;
        }
        pthread_mutex_unlock(&c->share->lock);
    }
}

void ggl_glGetShaderSource(GLuint name, GLsizei room, GLsizei *length, GLchar *source)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    pthread_mutex_lock(&c->share->lock);
    const struct ggl_shader *shader = sl_map_find(&c->share->shaders, name);
    bool known = shader && shader->source && room >= 0;
    if (known && room > 0 && source) {
        size_t size = shader->source_size < (size_t)room ? shader->source_size : (size_t)room - 1;
        memcpy(source, shader->source, size);
        source[size] = 0;
        room = (GLsizei)size;
    }
    pthread_mutex_unlock(&c->share->lock);
    if (!known) {
        ggl_text_shader_source(c, name, room, length, source);
    } else if (length) {
        *length = room;
    }
}

/* No binary formats are offered. */
void ggl_glShaderBinary(GLsizei count, const GLuint *shaders, GLenum format, const void *binary,
                        GLsizei length)
{
    struct ggl_context *c = ggl_current();
    (void)format;
    (void)binary;
    if (!c) {
        return;
    }
    GLenum error = count < 0 || length < 0 ? GL_INVALID_VALUE : GL_NO_ERROR;
    for (GLsizei i = 0; shaders && i < count && !error; i++) {
        error = shader_error(c, shaders[i]);
    }
    ggl_error(c, error ? error : GL_INVALID_ENUM);
}
