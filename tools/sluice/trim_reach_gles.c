/* Packets of OpenGL ES: a snapshot binds an object to fill it, and binds again what its state has.
 */
#include "tools/sluice/trim_reach_priv.h"
#include "tools/sluice/schema.h"
#include "transport/base/bytes.h"

#include "wire/gles2_opcodes.h"

#include <string.h>

/* It fills the texture, or the buffer, that is bound. 0: neither. */
static enum sort fills(uint32_t opcode)
{
    switch (opcode) {
    case GLES2_OP_glTexImage2D:
    case GLES2_OP_glTexImage3D:
    case GLES2_OP_glTexSubImage2D:
    case GLES2_OP_glTexSubImage3D:
    case GLES2_OP_glCompressedTexImage2D:
    case GLES2_OP_glCompressedTexImage3D:
    case GLES2_OP_glCompressedTexSubImage2D:
    case GLES2_OP_glCompressedTexSubImage3D:
        return SORT_TEXTURE;
    case GLES2_OP_glBufferData:
    case GLES2_OP_glBufferSubData:
        return SORT_BUFFER;
    default:
        return 0;
    }
}

/* A bound texture is also defined by these, which a state's bindings are never followed by. */
static bool defines(const char *name)
{
    return strncmp(name, "glTexParameter", 14) == 0 || strncmp(name, "glTexStorage", 12) == 0 ||
           strncmp(name, "glPixelStore", 12) == 0;
}

/* What is named in a parameter. 0: nothing of these. */
static enum sort sort_of(const char *command, const char *field)
{
    static const char *const textures[] = {"texture", "textures", "origtexture", "srcName",
                                           "dstName"};
    if (strcmp(field, "buffer") == 0) {
        return strcmp(command, "rcCreateClientImage") == 0 ? SORT_TEXTURE
               : strncmp(command, "gl", 2) == 0            ? SORT_BUFFER
                                                           : 0;
    }
    for (size_t i = 0; i < sizeof textures / sizeof textures[0]; i++) {
        if (strcmp(field, textures[i]) == 0) {
            return SORT_TEXTURE;
        }
    }
    return 0;
}

static void use_named(struct reach *r, const struct plan_command *c, const struct plan_value *v)
{
    for (uint8_t i = 0; i < c->field_count; i++) {
        enum sort sort = sort_of(c->name, c->fields[i].name);
        if (sort != 0 && c->fields[i].step == PLAN_SCALAR) {
            reach_use(r, sort, 0, v[i].bits);
        }
        for (uint32_t at = 0; sort != 0 && v[i].bytes != NULL && at + 4 <= v[i].size; at += 4) {
            reach_use(r, sort, 0, sl_load_u32(v[i].bytes + at));
        }
    }
}

/* A binding that something else than contents followed was one of the state. */
static void end_binding(struct reach *r, struct bound *b, enum sort sort)
{
    bool *has = sort == SORT_TEXTURE ? &b->has_texture : &b->has_buffer;
    if (*has) {
        reach_use(r, sort, 0, sort == SORT_TEXTURE ? b->texture : b->buffer);
    }
    *has = false;
}

static enum sort binds(const char *name)
{
    return strcmp(name, "glBindTexture") == 0  ? SORT_TEXTURE
           : strcmp(name, "glBindBuffer") == 0 ? SORT_BUFFER
                                               : 0;
}

static void bind(struct bound *b, enum sort sort, uint32_t name)
{
    if (sort == SORT_TEXTURE) {
        b->texture = name;
        b->has_texture = true;
    } else {
        b->buffer = name;
        b->has_buffer = true;
    }
}

static const struct plan_command *decode(const struct cap_event_call *call,
                                         struct plan_value *values)
{
    struct schema_command c = schema_find(NULL, sl_load_u32(call->packet));
    size_t used;
    bool ok = c.plan != NULL && call->size >= PLAN_HEADER_SIZE &&
              plan_decode(c.plan, call->packet + PLAN_HEADER_SIZE, call->size - PLAN_HEADER_SIZE,
                          values, &used) == SL_OK;
    return ok ? c.plan : NULL;
}

void reach_look_gles(struct reach *r, uint32_t stream, const struct cap_event_call *call,
                     bool in_snapshot)
{
    struct plan_value values[PLAN_FIELDS_MAX];
    const struct plan_command *c = decode(call, values);
    struct bound *b = &r->streams[stream % STREAMS];
    enum sort sort = c != NULL ? binds(c->name) : 0;
    if (c == NULL) {
        return;
    }
    if (!in_snapshot || sort == 0) {
        use_named(r, c, values);
    }
    if (!in_snapshot) {
        end_binding(r, b, SORT_TEXTURE);
        end_binding(r, b, SORT_BUFFER);
        return;
    }
    enum sort filled = fills(sl_load_u32(call->packet));
    if (filled != 0 || defines(c->name)) { /* the binding was for this */
        b->has_texture = b->has_texture && filled == SORT_BUFFER;
        b->has_buffer = b->has_buffer && filled != SORT_BUFFER;
        return;
    }
    end_binding(r, b, SORT_TEXTURE);
    end_binding(r, b, SORT_BUFFER);
    if (sort != 0) {
        bind(b, sort, (uint32_t)values[c->field_count - 1].bits);
    }
}

bool reach_drops_gles(struct reach *r, uint32_t stream, const struct cap_event_call *call)
{
    struct plan_value values[PLAN_FIELDS_MAX];
    const struct plan_command *c = decode(call, values);
    struct bound *b = &r->streams[stream % STREAMS];
    enum sort sort = c != NULL ? binds(c->name) : 0;
    if (sort != 0) {
        bind(b, sort, (uint32_t)values[c->field_count - 1].bits);
    } else if (c != NULL && strncmp(c->name, "rcMakeCurrent", 13) == 0) {
        *b = (struct bound){0}; /* what is bound there is not known; often nothing */
    }
    enum sort filled = c != NULL ? fills(sl_load_u32(call->packet)) : 0;
    uint32_t name = filled == SORT_TEXTURE ? b->texture : b->buffer;
    bool drops = filled != 0 && name != 0 && !reach_is_used(r, filled, 0, name);
    r->saved += drops ? call->size : 0;
    return drops;
}
