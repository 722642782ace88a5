#include "tests/unit/ggl_wrappers_steps.h"

#include <string.h>

static const float floats[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
static const float zeros[64];
static const uint16_t indices[3] = {2, 4, 3};
static uint8_t counting[256];
static uint8_t *map;
static GLsync sync;

/* Calls whose packets are not compared: they set up what the next step needs. */
static void quietly(struct ggl_run *r)
{
    size_t size;
    (void)ggl_script_take(&r->script, &size);
}

static void pixel_store(struct ggl_run *r, GLint row_length, GLint image_height, GLint skip_rows,
                        GLint skip_pixels)
{
    ggl_glPixelStorei(GL_UNPACK_ROW_LENGTH, row_length);
    ggl_glPixelStorei(GL_UNPACK_IMAGE_HEIGHT, image_height);
    ggl_glPixelStorei(GL_UNPACK_SKIP_ROWS, skip_rows);
    ggl_glPixelStorei(GL_UNPACK_SKIP_PIXELS, skip_pixels);
    quietly(r);
}

static void do_create_program(struct ggl_run *r)
{
    r->result = (GLint)ggl_glCreateProgram();
}
static void do_create_vertex(struct ggl_run *r)
{
    r->result = (GLint)ggl_glCreateShader(GL_VERTEX_SHADER);
}
static void do_create_fragment(struct ggl_run *r)
{
    r->result = (GLint)ggl_glCreateShader(GL_FRAGMENT_SHADER);
}
static void do_source_vertex(struct ggl_run *r)
{
    (void)r;
    const char *text[] = {"attribute vec4 p;\n", "void main(){gl_Position=p;}\n"};
    ggl_glShaderSource(6, 2, text, NULL);
}
static void do_source_fragment(struct ggl_run *r)
{
    (void)r;
    const char *text =
        "#extension GL_OES_EGL_image_external : require\nprecision mediump float;\n"
        "uniform samplerExternalOES t;\nuniform vec4 c;\nvoid main(){gl_FragColor=c;}\n";
    ggl_glShaderSource(7, 1, &text, NULL);
}
/* Generated entry points, by the table that applications get them from. */
static void do_compile(struct ggl_run *r)
{
    (void)r;
    ((PFNGLCOMPILESHADERPROC)ggl_proc_find("glCompileShader")->fn)(7);
}
static void do_uniform(struct ggl_run *r)
{
    (void)r;
    ((PFNGLUNIFORM4FPROC)ggl_proc_find("glUniform4f")->fn)(0, 1, 2, 3, 4);
}
static void do_source_length(struct ggl_run *r)
{
    ggl_glGetShaderiv(7, GL_SHADER_SOURCE_LENGTH, &r->result);
}
static void do_attach_vertex(struct ggl_run *r)
{
    (void)r;
    ggl_glAttachShader(5, 6);
}
static void do_attach_fragment(struct ggl_run *r)
{
    (void)r;
    ggl_glAttachShader(5, 7);
}
static void do_link(struct ggl_run *r)
{
    (void)r;
    ggl_glLinkProgram(5);
}
static void do_use(struct ggl_run *r)
{
    (void)r;
    ggl_glUseProgram(5);
}
static void do_get_uniform(struct ggl_run *r)
{
    float value[4] = {9, 9, 9, 9};
    ggl_glGetUniformfv(5, 0, value);
    r->result = (GLint)(value[0] + value[1] + value[2] + value[3]);
}
static void do_active_texture(struct ggl_run *r)
{
    (void)r;
    ggl_glActiveTexture(GL_TEXTURE0);
}
static void do_bind_external(struct ggl_run *r)
{
    (void)r;
    ggl_glBindTexture(GL_TEXTURE_EXTERNAL_OES, 40);
}
static void do_bind_2d(struct ggl_run *r)
{
    (void)r;
    ggl_glBindTexture(GL_TEXTURE_2D, 41);
}
static void do_min_filter(struct ggl_run *r)
{
    (void)r;
    ggl_glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
}
static void do_sampler(struct ggl_run *r)
{
    (void)r;
    ggl_glUniform1i(1, 3);
}
static void do_bind_21(struct ggl_run *r)
{
    (void)r;
    ggl_glBindBuffer(GL_ARRAY_BUFFER, 21);
}
static void do_data(struct ggl_run *r)
{
    r->script.context->features = 0;
    ggl_glBufferData(GL_ARRAY_BUFFER, 48, floats, GL_STATIC_DRAW);
}
static void do_data_sync(struct ggl_run *r)
{
    r->script.context->features = GGL_FEATURE_SYNC_BUFFER_DATA;
    ggl_glBufferData(GL_ARRAY_BUFFER, 48, floats, GL_STATIC_DRAW);
}
static void do_pointer_3(struct ggl_run *r)
{
    (void)r;
    ggl_glVertexAttribPointer(0, 3, GL_FLOAT, GL_FALSE, 0, NULL);
}
static void do_enable_0(struct ggl_run *r)
{
    (void)r;
    ggl_glEnableVertexAttribArray(0);
}
static void do_draw_1_3(struct ggl_run *r)
{
    (void)r;
    ggl_glDrawArrays(GL_TRIANGLES, 1, 3);
}
static void do_bind_0(struct ggl_run *r)
{
    (void)r;
    ggl_glBindBuffer(GL_ARRAY_BUFFER, 0);
}
static void do_client_pointer(struct ggl_run *r)
{
    (void)r;
    ggl_glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 16, floats);
}
static void do_elements_client(struct ggl_run *r)
{
    (void)r;
    ggl_glDrawElements(GL_TRIANGLES, 3, GL_UNSIGNED_SHORT, indices);
}
static void do_bind_22(struct ggl_run *r)
{
    (void)r;
    ggl_glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, 22);
}
static void do_data_22(struct ggl_run *r)
{
    (void)r;
    ggl_glBufferData(GL_ELEMENT_ARRAY_BUFFER, 6, indices, GL_STATIC_DRAW);
}
static void do_elements(struct ggl_run *r)
{
    (void)r;
    ggl_glDrawElements(GL_TRIANGLES, 3, GL_UNSIGNED_SHORT, NULL);
}
static void do_pointer_8(struct ggl_run *r)
{
    (void)r;
    ggl_glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, (const void *)8);
}
static void do_elements_instanced(struct ggl_run *r)
{
    (void)r;
    ggl_glDrawElementsInstanced(GL_TRIANGLES, 3, GL_UNSIGNED_SHORT, NULL, 4);
}
static void do_arrays_instanced(struct ggl_run *r)
{
    (void)r;
    ggl_glDrawArraysInstanced(GL_TRIANGLES, 0, 3, 2);
}
static void do_teximage_rgb(struct ggl_run *r)
{
    (void)r;
    ggl_glTexImage2D(GL_TEXTURE_2D, 0, GL_RGB, 1, 2, 0, GL_RGB, GL_UNSIGNED_BYTE, counting);
}
static void do_align_1(struct ggl_run *r)
{
    (void)r;
    ggl_glPixelStorei(GL_UNPACK_ALIGNMENT, 1);
}
static void do_row_length_4(struct ggl_run *r)
{
    (void)r;
    ggl_glPixelStorei(GL_UNPACK_ROW_LENGTH, 4);
}
static void do_teximage_rgba(struct ggl_run *r)
{
    (void)r;
    ggl_glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 2, 2, 0, GL_RGBA, GL_UNSIGNED_BYTE, counting);
}
static void do_skip_rows(struct ggl_run *r)
{
    (void)r;
    ggl_glPixelStorei(GL_UNPACK_SKIP_ROWS, 1);
}
static void do_skip_pixels(struct ggl_run *r)
{
    (void)r;
    ggl_glPixelStorei(GL_UNPACK_SKIP_PIXELS, 1);
}
static void do_row_length_0(struct ggl_run *r)
{
    (void)r;
    ggl_glPixelStorei(GL_UNPACK_ROW_LENGTH, 0);
}
static void do_texsubimage(struct ggl_run *r)
{
    (void)r;
    ggl_glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, 2, 1, GL_RGBA, GL_UNSIGNED_BYTE, counting);
}
static void do_teximage_3d(struct ggl_run *r)
{
    pixel_store(r, 3, 3, 0, 0);
    ggl_glTexImage3D(GL_TEXTURE_3D, 0, GL_RGBA8, 2, 2, 2, 0, GL_RGBA, GL_UNSIGNED_BYTE, counting);
}
static void do_teximage_3d_flat(struct ggl_run *r)
{
    (void)r;
    ggl_glTexImage3D(GL_TEXTURE_3D, 0, GL_RGBA8, 2, 2, 1, 0, GL_RGBA, GL_UNSIGNED_BYTE, counting);
}
static void do_read(struct ggl_run *r)
{
    memset(r->pixels, 0xaa, sizeof r->pixels);
    ggl_glReadPixels(0, 0, 1, 2, GL_RGBA, GL_UNSIGNED_BYTE, r->pixels);
    r->result = r->pixels[7] == 7 && r->pixels[8] == 0xaa;
}
static void do_read_packed(struct ggl_run *r)
{
    ggl_glPixelStorei(GL_PACK_ROW_LENGTH, 2);
    ggl_glPixelStorei(GL_PACK_SKIP_ROWS, 1);
    quietly(r);
    memset(r->pixels, 0xaa, sizeof r->pixels);
    ggl_glReadPixels(0, 0, 1, 2, GL_RGBA, GL_UNSIGNED_BYTE, r->pixels);
    const uint8_t want[24] = {0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
                              8,    9,    10,   11,   0xaa, 0xaa, 0xaa, 0xaa,
                              16,   17,   18,   19,   0xaa, 0xaa, 0xaa, 0xaa};
    r->result = memcmp(want, r->pixels, sizeof want) == 0;
}
static void do_read_buffer(struct ggl_run *r)
{
    ggl_glBindBuffer(GL_PIXEL_PACK_BUFFER, 23);
    ggl_glBufferData(GL_PIXEL_PACK_BUFFER, 64, NULL, GL_STREAM_READ);
    quietly(r);
    ggl_glReadPixels(0, 0, 1, 2, GL_RGBA, GL_UNSIGNED_BYTE, (void *)16);
}
static void do_map_read(struct ggl_run *r)
{
    map = ggl_glMapBufferRange(GL_PIXEL_PACK_BUFFER, 0, 8, GL_MAP_READ_BIT);
    r->result = map ? map[7] : -1;
}
static void do_unmap_sync(struct ggl_run *r)
{
    r->script.context->features = GGL_FEATURE_SYNC_BUFFER_DATA;
    r->result = ggl_glUnmapBuffer(GL_PIXEL_PACK_BUFFER);
}
static void do_unmap_async(struct ggl_run *r)
{
    r->script.context->features = GGL_FEATURE_SYNC_BUFFER_DATA | GGL_FEATURE_ASYNC_UNMAP;
    r->result = ggl_glUnmapBuffer(GL_PIXEL_PACK_BUFFER);
}
static void do_map_explicit(struct ggl_run *r)
{
    map = ggl_glMapBufferRange(GL_ARRAY_BUFFER, 4, 4,
                               GL_MAP_WRITE_BIT | GL_MAP_INVALIDATE_RANGE_BIT |
                                   GL_MAP_FLUSH_EXPLICIT_BIT);
    r->result = map != NULL;
    memcpy(map, "QRST", 4);
}
static void do_flush_range(struct ggl_run *r)
{
    (void)r;
    ggl_glFlushMappedBufferRange(GL_ARRAY_BUFFER, 1, 2);
}
static void do_unmap_array(struct ggl_run *r)
{
    r->result = ggl_glUnmapBuffer(GL_ARRAY_BUFFER);
}
static void do_unmap_array_sync(struct ggl_run *r)
{
    r->script.context->features = GGL_FEATURE_SYNC_BUFFER_DATA;
    map =
        ggl_glMapBufferRange(GL_ARRAY_BUFFER, 4, 4, GL_MAP_WRITE_BIT | GL_MAP_INVALIDATE_RANGE_BIT);
    memcpy(map, "QRST", 4);
    r->result = ggl_glUnmapBuffer(GL_ARRAY_BUFFER);
}
static void do_get_layers(struct ggl_run *r)
{
    ggl_glGetIntegerv(GL_MAX_ARRAY_TEXTURE_LAYERS, &r->result);
}
static void do_get_viewport(struct ggl_run *r)
{
    GLint viewport[4];
    ggl_glGetIntegerv(GL_VIEWPORT, viewport);
    r->result = viewport[0] * 1000 + viewport[1] * 100 + viewport[2] * 10 + viewport[3];
}
static void do_get_binding(struct ggl_run *r)
{
    ggl_glGetIntegerv(GL_ARRAY_BUFFER_BINDING, &r->result);
}
static void do_get_error(struct ggl_run *r)
{
    r->result = (GLint)ggl_glGetError();
}
static void do_varyings(struct ggl_run *r)
{
    (void)r;
    const char *names[] = {"v_a", "v_b"};
    ggl_glTransformFeedbackVaryings(5, 2, names, GL_SEPARATE_ATTRIBS);
}
static void do_indices(struct ggl_run *r)
{
    const char *names[] = {"c", "t"};
    GLuint out[2] = {9, 9};
    ggl_glGetUniformIndices(5, 2, names, out);
    r->result = (GLint)(out[0] * 10 + out[1]);
}
static void do_fence(struct ggl_run *r)
{
    sync = ggl_glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    r->result = sync == (GLsync)(uintptr_t)0x7f0011223344;
}
static void do_wait(struct ggl_run *r)
{
    r->result = (GLint)ggl_glClientWaitSync(sync, GL_SYNC_FLUSH_COMMANDS_BIT, 5);
}
static void do_delete_sync(struct ggl_run *r)
{
    (void)r;
    ggl_glDeleteSync(sync);
}
static void do_delete_buffers(struct ggl_run *r)
{
    (void)r;
    const GLuint names[] = {21, 22};
    ggl_glDeleteBuffers(2, names);
}
static void do_finish(struct ggl_run *r)
{
    (void)r;
    ggl_glFinish();
}
static void do_flush(struct ggl_run *r)
{
    uint32_t before = r->script.flushes;
    ggl_glFlush();
    r->result = (GLint)(r->script.flushes - before);
}

/* A second program that reads attributes 0 and 1, as the mixed draws of the golden run have it. */
static void do_mixed(struct ggl_run *r)
{
    static const uint8_t linked[] = {
        1, 0, 0, 0, 0,    0,    0, 0, 2,   0, 0, 0, 0, 0,
        0, 0, 2, 0, 0,    0,                               /* no uniform, two attributes */
        1, 0, 0, 0, 0x52, 0x8b, 0, 0, 'p', 0, 0, 0, 0, 0,  /* p: vec4 at 0 */
        1, 0, 0, 0, 0x06, 0x14, 0, 0, 'q', 0, 1, 0, 0, 0}; /* q: float at 1 */
    ggl_script_reply(&r->script, linked, sizeof linked);
    ggl_glLinkProgram(8);
    ggl_glUseProgram(8);
    ggl_glBindBuffer(GL_ARRAY_BUFFER, 21);
    ggl_glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
    ggl_glBindBuffer(GL_ARRAY_BUFFER, 0);
    ggl_glVertexAttribPointer(1, 1, GL_FLOAT, GL_FALSE, 0, zeros);
    ggl_glEnableVertexAttribArray(0);
    ggl_glEnableVertexAttribArray(1);
    quietly(r);
    ggl_glDrawArrays(GL_TRIANGLES, 2, 3);
}
static void do_mixed_next(struct ggl_run *r)
{
    (void)r;
    ggl_glDrawArrays(GL_TRIANGLES, 0, 3);
}
static void do_no_arrays(struct ggl_run *r)
{
    (void)r;
    ggl_glDisableVertexAttribArray(0);
    ggl_glDisableVertexAttribArray(1);
    ggl_glDrawArrays(GL_TRIANGLES, 2, 3);
}
static void do_restart(struct ggl_run *r)
{
    static const uint16_t strip[5] = {3, 4, 5, 0xffff, 6};
    ggl_glEnableVertexAttribArray(1);
    ggl_glEnable(GL_PRIMITIVE_RESTART_FIXED_INDEX);
    quietly(r);
    ggl_glDrawElements(GL_TRIANGLE_STRIP, 5, GL_UNSIGNED_SHORT, strip);
}

const struct ggl_step ggl_steps[] = {
    {"glCreateProgram()", do_create_program, SAME, NULL, true, 5, NULL},
    {"glCreateShader(GL_VERTEX_SHADER)", do_create_vertex, SAME, NULL, true, 6, NULL},
    {"glCreateShader(GL_FRAGMENT_SHADER)", do_create_fragment, SAME, NULL, true, 7, NULL},
    {"glShaderSource(6, 2", do_source_vertex, SAME, NULL, false, 0, NULL},
    {"glShaderSource(7, 1", do_source_fragment, SAME, NULL, false, 0, NULL},
    {"glCompileShader(7)", do_compile, SAME, NULL, false, 0, NULL},
    {"glGetShaderiv(7, GL_SHADER_SOURCE_LENGTH)", do_source_length, SAME, NULL, true, 148, NULL},
    {"glAttachShader(5, 6)", do_attach_vertex, SAME, NULL, false, 0, NULL},
    {"glAttachShader(5, 7)", do_attach_fragment, SAME, NULL, false, 0, NULL},
    {"glLinkProgram(5)", do_link, SAME, NULL, false, 0, NULL},
    {"glUseProgram(5)", do_use, SAME, NULL, false, 0, NULL},
    {"glUniform4f", do_uniform, SAME, NULL, false, 0, NULL},
    {"glGetUniformfv(5, 0", do_get_uniform, SAME, NULL, true, 0, NULL},
    {"glActiveTexture(GL_TEXTURE0)", do_active_texture, SAME, NULL, false, 0, NULL},
    {"glBindTexture(GL_TEXTURE_EXTERNAL_OES, 40)", do_bind_external, SAME, NULL, false, 0, NULL},
    {"glBindTexture(GL_TEXTURE_2D, 41)", do_bind_2d, SAME, NULL, false, 0, NULL},
    {"glTexParameteri(GL_TEXTURE_2D", do_min_filter, SAME, NULL, false, 0, NULL},
    {"glUniform1i(1, 3)", do_sampler, SAME, NULL, false, 0, NULL},
    {"glBindBuffer(GL_ARRAY_BUFFER, 21)", do_bind_21, SAME, NULL, false, 0, NULL},
    {"glBindBuffer(GL_ARRAY_BUFFER, 21) [again", do_bind_21, SAME, NULL, false, 0, NULL},
    {"glBufferData(GL_ARRAY_BUFFER, 48, floats 0..11, GL_STATIC_DRAW) [sync_buffer_data off]",
     do_data, SAME, NULL, false, 0, NULL},
    {"glBufferData(GL_ARRAY_BUFFER, 48, floats 0..11, GL_STATIC_DRAW) [sync_buffer_data on]",
     do_data_sync, SAME, NULL, false, 0, NULL},
    {"glVertexAttribPointer(0, 3", do_pointer_3, SAME, NULL, false, 0, NULL},
    {"glEnableVertexAttribArray(0)", do_enable_0, SAME, NULL, false, 0, NULL},
    {"glDrawArrays(GL_TRIANGLES, 1, 3) [VBO]", do_draw_1_3, SAME, NULL, false, 0, NULL},
    {"glBindBuffer(GL_ARRAY_BUFFER, 0)", do_bind_0, SAME, NULL, false, 0, NULL},
    {"glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, stride 16", do_client_pointer, SAME, NULL,
     false, 0, NULL},
    {"glDrawArrays(GL_TRIANGLES, 1, 3) [client array", do_draw_1_3, SAME, NULL, false, 0, NULL},
    {"glDrawElements(GL_TRIANGLES, 3, GL_UNSIGNED_SHORT, client", do_elements_client, SAME, NULL,
     false, 0, NULL},
    {"glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, 22)", do_bind_22, SAME, NULL, false, 0, NULL},
    {"glBufferData(GL_ELEMENT_ARRAY_BUFFER, 6", do_data_22, SAME, NULL, false, 0, NULL},
    {"glDrawElements(GL_TRIANGLES, 3, GL_UNSIGNED_SHORT, offset 0) [index VBO", do_elements, SAME,
     NULL, false, 0, NULL},
    {"glBindBuffer(GL_ARRAY_BUFFER, 21)", do_bind_21, SAME, NULL, false, 0, NULL},
    {"glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, offset 8)", do_pointer_8, SAME, NULL,
     false, 0, NULL},
    {"glDrawElements(GL_TRIANGLES, 3, GL_UNSIGNED_SHORT, offset 0) [all VBO", do_elements, SAME,
     NULL, false, 0, NULL},
    {"glDrawElementsInstanced", do_elements_instanced, SAME, NULL, false, 0, NULL},
    {"glDrawArraysInstanced", do_arrays_instanced, SAME, NULL, false, 0, NULL},
    {"glTexImage2D(GL_TEXTURE_2D, 0, GL_RGB, 1, 2, 0", do_teximage_rgb, OWN,
     "3c08000008000000"
     "3f08000010000000330d000004000000"
     "3c08000008000000"
     "3c08000008000000"
     "3f080000100000001c85000004000000"
     "3c08000008000000"
     "0608000010000000e10d000029000000"
     "6908000034000000e10d0000000000000719000001000000020000000000000007190000011400000800000000010"
     "20004050600"
     "0608000010000000e10d000028000000",
     false, 0, "T10: padding is not read"},
    {"glPixelStorei(GL_UNPACK_ALIGNMENT, 1)", do_align_1, SAME, NULL, false, 0, NULL},
    {"glTexImage2D(GL_TEXTURE_2D, 0, GL_RGB, 1, 2, ...) [alignment 1", do_teximage_rgb, SAME, NULL,
     false, 0, NULL},
    {"glPixelStorei(GL_UNPACK_ROW_LENGTH, 4)", do_row_length_4, SAME, NULL, false, 0, NULL},
    {"glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 2, 2, 0", do_teximage_rgba, SAME, NULL, false, 0,
     NULL},
    {"glPixelStorei(GL_UNPACK_SKIP_ROWS, 1)", do_skip_rows, SAME, NULL, false, 0, NULL},
    {"glPixelStorei(GL_UNPACK_SKIP_PIXELS, 1)", do_skip_pixels, SAME, NULL, false, 0, NULL},
    {"glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 2, 2, ...)", do_teximage_rgba, SAME, NULL, false, 0,
     NULL},
    {"glPixelStorei(GL_UNPACK_ROW_LENGTH, 0)", do_row_length_0, SAME, NULL, false, 0, NULL},
    {"glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, 2, 1", do_texsubimage, SAME, NULL, false, 0, NULL},
    {"glTexImage3D(GL_TEXTURE_3D, 0, GL_RGBA8, 2, 2, 2", do_teximage_3d, SAME, NULL, false, 0,
     NULL},
    {"glTexImage3D(GL_TEXTURE_3D, 0, GL_RGBA8, 2, 2, depth 1", do_teximage_3d_flat, OWN,
     "47090000540000006f800000000000005880000002000000020000000100000000000000081900000114000024000"
     "0000001020304050607000000000c0d0e0f"
     "1011121300000000000000000000000000000000",
     false, 0, "T11: as many bytes as declared"},
    {"glReadPixels(0, 0, 1, 2, GL_RGBA, GL_UNSIGNED_BYTE, out)", do_read, SAME, NULL, true, 1,
     NULL},
    {"glReadPixels(0, 0, 1, 2, GL_RGBA, GL_UNSIGNED_BYTE, out) [pack row", do_read_packed, SAME,
     NULL, true, 1, NULL},
    {"glReadPixels(0, 0, 1, 2, GL_RGBA, GL_UNSIGNED_BYTE, offset 16)", do_read_buffer, SAME, NULL,
     false, 0, NULL},
    {"glMapBufferRange(GL_PIXEL_PACK_BUFFER, 0, 8, GL_MAP_READ_BIT) [dirty", do_map_read, SAME,
     NULL, true, 7, NULL},
    {"glUnmapBuffer(GL_PIXEL_PACK_BUFFER) [read-only map, async_unmap_buffer off", do_unmap_sync,
     SAME, NULL, true, 1, NULL},
    {"glMapBufferRange(GL_PIXEL_PACK_BUFFER, 0, 8, GL_MAP_READ_BIT) [clean", do_map_read, SAME,
     NULL, true, 7, NULL},
    {"glUnmapBuffer(GL_PIXEL_PACK_BUFFER) [read-only map, async_unmap_buffer on", do_unmap_async,
     SAME, NULL, true, 1, NULL},
    {"glMapBufferRange(GL_ARRAY_BUFFER, 4, 4", do_map_explicit, SAME, NULL, true, 1, NULL},
    {"glFlushMappedBufferRange(GL_ARRAY_BUFFER, 1, 2)", do_flush_range, SAME, NULL, false, 0, NULL},
    {"glUnmapBuffer(GL_ARRAY_BUFFER) [async form]", do_unmap_array, SAME, NULL, true, 1, NULL},
    {"glUnmapBuffer(GL_ARRAY_BUFFER) [write map, async_unmap_buffer off]", do_unmap_array_sync,
     SAME, NULL, true, 1, NULL},
    {"glGetIntegerv(GL_MAX_ARRAY_TEXTURE_LAYERS) [first time]", do_get_layers, SAME, NULL, true,
     2048, NULL},
    {"glGetIntegerv(GL_MAX_ARRAY_TEXTURE_LAYERS) [cached", do_get_layers, SAME, NULL, true, 2048,
     NULL},
    {"glGetIntegerv(GL_VIEWPORT)", do_get_viewport, SAME, NULL, true, 123, NULL},
    {"glGetIntegerv(GL_ARRAY_BUFFER_BINDING)", do_get_binding, SAME, NULL, true, 21, NULL},
    {"glGetError()", do_get_error, SAME, NULL, true, 0, NULL},
    {"glTransformFeedbackVaryings(5, 2", do_varyings, SAME, NULL, false, 0, NULL},
    {"glGetUniformIndices(5, 2", do_indices, SAME, NULL, true, 1, NULL},
    {"glFenceSync", do_fence, SAME, NULL, true, 1, NULL},
    {"glClientWaitSync", do_wait, SAME, NULL, true, GL_CONDITION_SATISFIED, NULL},
    {"glDeleteSync", do_delete_sync, SAME, NULL, false, 0, NULL},
    {"glDeleteBuffers(2", do_delete_buffers, SAME, NULL, false, 0, NULL},
    {"glFinish()", do_finish, SAME, NULL, false, 0, NULL},
    {"glFlush()", do_flush, SAME, NULL, true, 1, NULL},
    {"glDrawArrays(GL_TRIANGLES, 2, 3) [attribute 0: VBO", do_mixed, OWN,
     "03080000100000009288000015000000"
     "2b0800000c00000000000000"
     "ca0800001d000000000000000200000006140000000000000010000000"
     "03080000100000009288000000000000"
     "2b0800000c00000001000000"
     "c90800002d00000001000000010000000614000000000000000c0000000000000000000000000000000c000000"
     "2808000014000000040000000000000003000000"
     "03080000100000009288000015000000"
     "ca0800001d000000000000000200000006140000000000000000000000"
     "03080000100000009288000000000000",
     false, 0, "T27: the pointer is moved back"},
    {"glDrawArrays(GL_TRIANGLES, 0, 3) [same state", do_mixed_next, OWN,
     "2b0800000c00000001000000"
     "c90800002d00000001000000010000000614000000000000000c0000000000000000000000000000000c000000"
     "2808000014000000040000000000000003000000",
     false, 0, "T27: the pointer needs no word"},
    {"glDrawArrays(GL_TRIANGLES, 2, 3) [both arrays disabled", do_no_arrays, OWN,
     "270800000c00000000000000"
     "270800000c00000001000000"
     "2808000014000000040000000200000003000000",
     false, 0, "T26: the first vertex stays"},
    {"glDrawElements(GL_TRIANGLE_STRIP, 5", do_restart, OWN,
     "2b0800000c00000001000000"
     "c90800003100000001000000010000000614000000000000001000000000000000000000000000000000000000"
     "10000000"
     "cc080000260000000500000005000000031400000a000000000001000200ffff03000a000000",
     false, 0, "T23: the restart index stays"},
};
const size_t ggl_step_count = sizeof ggl_steps / sizeof ggl_steps[0];

void ggl_run_init(struct ggl_run *r)
{
    for (size_t i = 0; i < sizeof counting; i++) {
        counting[i] = (uint8_t)i;
    }
    ggl_script_init(&r->script, 30, 0);
}

void ggl_run_finish(struct ggl_run *r)
{
    ggl_script_finish(&r->script);
}
