#include "tests/support/gles_save_pair.h"

#include "tests/support/slt.h"

#include <string.h>

void save_pair_init(struct save_pair *p)
{
    twin_init(&p->one);
    twin_init(&p->other);
    p->context = twin_start(&p->one, 5);
}

void save_pair_finish(struct save_pair *p)
{
    /* The EGL display is the process's, and ends with the first provider: after all contexts. */
    struct hct_provider *last = p->other.provider;
    p->other.provider = NULL;
    twin_finish(&p->other);
    twin_finish(&p->one);
    if (last != NULL) {
        last->ops->destroy(last);
    }
    twin_list_finish(&p->first);
    twin_list_finish(&p->again);
    twin_list_finish(&p->played);
}

void save_expect_twins(struct save_pair *p)
{
    SLT_ASSERT_OK(twin_save(&p->one, &p->first));
    {
        SLT_SCOPE("saved twice");
        SLT_ASSERT_OK(twin_save(&p->one, &p->again));
        twin_expect_equal(&p->first, &p->again);
    }
    twin_play(&p->other, &p->first);
    SLT_SCOPE("played");
    SLT_ASSERT_OK(twin_save(&p->other, &p->played));
    twin_expect_equal(&p->first, &p->played);
}

GLint save_get(struct twin *t, GLenum name)
{
    gles2_pack_glGetIntegerv(twin_out(t), name, 4);
    return (GLint)twin_ask(t);
}

uint32_t save_error(struct twin *t)
{
    gles2_pack_glGetError(twin_out(t));
    return twin_ask(t);
}

uint32_t save_gen(struct twin *t, void (*pack)(struct sl_pack *, GLsizei, uint32_t))
{
    pack(twin_out(t), 1, 4);
    return twin_ask(t);
}

void save_noise(uint8_t *data, size_t size)
{
    uint32_t state = 12345;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        data[i] = (uint8_t)(state >> 24);
    }
}

uint32_t save_buffer(struct twin *t, GLenum target, size_t size, GLenum usage)
{
    uint8_t data[4096];
    save_noise(data, size);
    uint32_t name = save_gen(t, gles2_pack_glGenBuffers);
    gles2_pack_glBindBuffer(twin_out(t), target, name);
    gles2_pack_glBufferData(twin_out(t), target, (GLsizeiptr)size, data, (uint32_t)size, usage);
    twin_send(t);
    return name;
}
