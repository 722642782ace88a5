/* Strings: asked of the host once per context, extensions cut to those the wire carries. */
#include "guest/gles/ggl_objects.h"

#include "guest/gl_extensions.h"
#include "guest/rc_call.h"
#include "transport/base/mem.h"

#include <string.h>

#define STRING_MAX (256 * 1024)

/* The host's string, to be freed; NULL when it has none. */
static char *fetch(struct ggl_context *c, GLenum name)
{
    int size = rc_call_rcGetGLString(c->stream, name, NULL, 0, 0);
    if (size >= 0 || size < -STRING_MAX) {
        return NULL;
    }
    size = -size;
    char *text = sl_alloc((size_t)size + 1);
    if (text && rc_call_rcGetGLString(c->stream, name, text, (uint32_t)size, size) <= 0) {
        sl_free(text);
        return NULL;
    }
    return text;
}

/* Is the word among those from list to end, each with a space behind it? */
static bool listed(const char *list, const char *end, const char *word, size_t length)
{
    while (list < end) {
        size_t size = strcspn(list, " ");
        if (size == length && memcmp(list, word, length) == 0) {
            return true;
        }
        list += size + 1;
    }
    return false;
}

/* Every known extension of a list once, with a space behind it. */
static char *filter(const struct ggl_context *c, const char *all)
{
    bool (*is_known)(const char *, size_t, bool) =
        ggl_fixed(c) ? ggl1_extension_known : ggl_extension_known;
    bool own = ggl_has(c, GGL_FEATURE_GLESX);
    char *out = sl_alloc(strlen(all) + 2);
    char *p = out;
    while (out && *all) {
        size_t length = strcspn(all, " ");
        if (length && is_known(all, length, own) && !listed(out, p, all, length)) {
            memcpy(p, all, length);
            p[length] = ' ';
            p += length + 1;
        }
        all += length + (all[length] == ' ');
    }
    return out;
}

/* The list as single strings: a second copy, cut at the spaces. */
static bool split(struct ggl_context *c, const char *list)
{
    uint32_t count = 0;
    for (const char *p = list; *p; p++) {
        count += *p == ' ';
    }
    c->extensions = sl_strdup(list);
    c->extensions_size = strlen(list);
    c->extension_list = sl_alloc_array(count + 1, sizeof *c->extension_list);
    if (!c->extensions || !c->extension_list) {
        return false;
    }
    char *p = c->extensions;
    for (uint32_t i = 0; i < count; i++) {
        c->extension_list[i] = p;
        p += strcspn(p, " ");
        *p++ = 0;
    }
    c->extension_count = count;
    return true;
}

static const char *string(struct ggl_context *c, GLenum name, size_t index)
{
    if (!c->strings[index]) {
        char *text = fetch(c, name);
        if (text && name == GL_EXTENSIONS) {
            char *known = filter(c, text);
            sl_free(text);
            text = known;
        }
        if (text && name == GL_EXTENSIONS && !split(c, text)) {
            sl_free(text);
            text = NULL;
        }
        c->strings[index] = text;
    }
    return c->strings[index];
}

const GLubyte *ggl_glGetString(GLenum name)
{
    static const GLenum names[] = {GL_VENDOR, GL_RENDERER, GL_VERSION, GL_SHADING_LANGUAGE_VERSION,
                                   GL_EXTENSIONS};
    struct ggl_context *c = ggl_any();
    if (!c) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i] == name && !(name == GL_SHADING_LANGUAGE_VERSION && ggl_fixed(c))) {
            const char *text = string(c, name, i);
            return (const GLubyte *)(text ? text : "");
        }
    }
    ggl_error(c, GL_INVALID_ENUM);
    return NULL;
}

uint32_t ggl_extension_count(struct ggl_context *c)
{
    (void)string(c, GL_EXTENSIONS, 4);
    return c->extension_count;
}

const GLubyte *ggl_glGetStringi(GLenum name, GLuint index)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return NULL;
    }
    if (name != GL_EXTENSIONS || index >= ggl_extension_count(c)) {
        ggl_error(c, name != GL_EXTENSIONS ? GL_INVALID_ENUM : GL_INVALID_VALUE);
        return NULL;
    }
    return (const GLubyte *)c->extension_list[index];
}
