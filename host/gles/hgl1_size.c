/* GLES 1: how large textures are, which that API cannot be asked. */
#include "host/gles/hgl_group.h"

static bool make_asker_locked(struct hgl_api *api, struct hgl_group *g)
{
    static const EGLint es31[] = {EGL_CONTEXT_MAJOR_VERSION, 3, EGL_CONTEXT_MINOR_VERSION, 1,
                                  EGL_NONE};
    const struct hs_native *n = api->ring->rc.gl.native;
    const struct hrc_context *current = hrc_current(&api->ring->rc);
    if (g->asker != EGL_NO_CONTEXT || g->asker_failed) {
        return g->asker != EGL_NO_CONTEXT;
    }
    if (n->gles_version >= 31 && n->surfaceless_context && current != NULL) {
        EGLConfig config = n->no_config_context || current->config >= n->config_count
                               ? EGL_NO_CONFIG_KHR
                               : n->configs[current->config].config;
        g->asker = n->egl.CreateContext(n->display, config, current->egl, es31);
        g->asker_native = n;
    }
    g->asker_failed = g->asker == EGL_NO_CONTEXT;
    return !g->asker_failed;
}

/* Height << 32 | width; 0: it cannot be told. */
static uint64_t ask_locked(struct hgl_api *api, struct hgl_group *g, uint32_t texture)
{
    const struct gl_driver *gl = api->ring->rc.gl.native->gl;
    GLint base = 0, width = 0, height = 0;
    if (!make_asker_locked(api, g) || !hs_visit_begin(&api->ring->rc.gl, g->asker)) {
        return 0;
    }
    if (gl->IsTexture(texture)) { /* binding another name would bring it to life */
        gl->BindTexture(GL_TEXTURE_2D, texture);
        gl->GetTexParameteriv(GL_TEXTURE_2D, GL_TEXTURE_BASE_LEVEL, &base);
        gl->GetTexLevelParameteriv(GL_TEXTURE_2D, base, GL_TEXTURE_WIDTH, &width);
        gl->GetTexLevelParameteriv(GL_TEXTURE_2D, base, GL_TEXTURE_HEIGHT, &height);
        gl->BindTexture(GL_TEXTURE_2D, 0);
    }
    hs_visit_end(&api->ring->rc.gl);
    return width > 0 && height > 0 ? (uint64_t)(uint32_t)height << 32 | (uint32_t)width : 0;
}

bool hgl1_size_of(struct hgl_api *api, uint32_t texture, int32_t *width, int32_t *height)
{
    struct hgl_group *g = api->state->group;
    pthread_mutex_lock(&g->lock);
    bool keeps = !g->has_gles2;
    uint64_t size = keeps ? (uintptr_t)sl_map_find(&g->sizes, texture) : 0;
    if (size == 0) {
        size = ask_locked(api, g, texture);
        if (size != 0 && keeps) {
            (void)!sl_map_add(&g->sizes, texture, (void *)(uintptr_t)size);
        }
    }
    pthread_mutex_unlock(&g->lock);
    *width = (int32_t)(uint32_t)size;
    *height = (int32_t)(size >> 32);
    return size != 0;
}

void hgl1_size_forget(struct hgl_api *api, uint32_t target)
{
    struct hgl_group *g = api->state->group;
    GLint name = 0;
    pthread_mutex_lock(&g->lock);
    if (target == GL_TEXTURE_2D && g->sizes.live != 0) {
        api->gl->GetIntegerv(GL_TEXTURE_BINDING_2D, &name);
        (void)sl_map_remove(&g->sizes, (uint32_t)name);
    }
    pthread_mutex_unlock(&g->lock);
}
