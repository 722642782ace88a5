/* glGet* and its kin, reads of pixels, and a context without a surface. */
#include "tests/integration/refused/refused.h"

static void gets(int version, const char *state, const GLenum *parameters, int count)
{
    for (int i = 0; i < count; i++) {
        ASK(glGetIntegerv(parameters[i], out.ints), "glGetIntegerv %s%x", state, parameters[i]);
        ASK(glGetFloatv(parameters[i], out.floats), "glGetFloatv %s%x", state, parameters[i]);
        ASK(glGetBooleanv(parameters[i], out.booleans), "glGetBooleanv %s%x", state, parameters[i]);
        if (version >= 3) {
            ASK(glGetInteger64v(parameters[i], out.longs), "glGetInteger64v %s%x", state,
                parameters[i]);
        }
    }
}

static void indexed_gets(void)
{
    static const GLenum parameters[] = {
        GL_UNIFORM_BUFFER_BINDING,      GL_TRANSFORM_FEEDBACK_BUFFER_SIZE,
        GL_SHADER_STORAGE_BUFFER_START, GL_MAX_COMPUTE_WORK_GROUP_COUNT,
        GL_VERTEX_BINDING_OFFSET,       GL_IMAGE_BINDING_NAME,
        GL_SAMPLE_MASK_VALUE,           NO_ENUM};
    static const GLuint indices[] = {0, 2, UNKNOWN};
    for (int i = 0; i < COUNT(parameters); i++) {
        for (int k = 0; k < COUNT(indices); k++) {
            ASK(glGetIntegeri_v(parameters[i], indices[k], out.ints), "glGetIntegeri_v %x %u",
                parameters[i], indices[k]);
            ASK(glGetInteger64i_v(parameters[i], indices[k], out.longs), "glGetInteger64i_v %x %u",
                parameters[i], indices[k]);
            ASK(glGetBooleani_v(parameters[i], indices[k], out.booleans), "glGetBooleani_v %x %u",
                parameters[i], indices[k]);
        }
    }
}

static void formats(void)
{
    static const GLenum targets[] = {GL_RENDERBUFFER, GL_TEXTURE_2D_MULTISAMPLE, GL_TEXTURE_2D,
                                     NO_ENUM};
    static const GLenum names[] = {GL_RGBA8, GL_DEPTH24_STENCIL8, GL_R32UI, GL_RGBA, NO_ENUM};
    static const GLenum parameters[] = {GL_SAMPLES, GL_NUM_SAMPLE_COUNTS, NO_ENUM};
    for (int i = 0; i < COUNT(targets); i++) {
        for (int k = 0; k < COUNT(names); k++) {
            for (int l = 0; l < COUNT(parameters); l++) {
                for (GLsizei room = -1; room < 4; room += 1 + (room > 0)) {
                    ASK(glGetInternalformativ(targets[i], names[k], parameters[l], room, out.ints),
                        "glGetInternalformativ %x %x %x %d", targets[i], names[k], parameters[l],
                        room);
                }
            }
        }
    }
    for (GLuint index = 0; index < 100; index += 33) {
        ASK(glGetMultisamplefv(GL_SAMPLE_POSITION, index, out.floats), "glGetMultisamplefv %u",
            index);
        ASK(glGetMultisamplefv(NO_ENUM, index, out.floats), "glGetMultisamplefv %x %u", NO_ENUM,
            index);
    }
}

void refused_state(int version)
{
    static const GLenum parameters[] = {NO_ENUM,
                                        0,
                                        GL_TEXTURE_2D + 1,
                                        GL_UNIFORM_BLOCK_BINDING,
                                        GL_VIEWPORT,
                                        GL_SCISSOR_BOX,
                                        GL_DEPTH_RANGE,
                                        GL_COLOR_WRITEMASK,
                                        GL_ALIASED_POINT_SIZE_RANGE,
                                        GL_MAX_TEXTURE_SIZE,
                                        GL_IMPLEMENTATION_COLOR_READ_FORMAT,
                                        GL_RED_BITS,
                                        GL_DEPTH_BITS,
                                        GL_MAX_VIEWPORT_DIMS};
    static const GLenum abilities[] = {GL_BLEND, GL_SCISSOR_TEST, GL_TEXTURE_2D, NO_ENUM, 0};
    static const GLenum strings[] = {NO_ENUM, 0, GL_VIEWPORT};
    gets(version, "", parameters, COUNT(parameters));
    for (int i = 0; i < COUNT(abilities); i++) {
        ASK_VALUE(glIsEnabled(abilities[i]), "glIsEnabled %x", abilities[i]);
    }
    for (int i = 0; i < COUNT(strings); i++) {
        ASK_VALUE(glGetString(strings[i]) != NULL, "glGetString %x", strings[i]);
        if (version >= 3) {
            ASK_VALUE(glGetStringi(strings[i], 0) != NULL, "glGetStringi %x", strings[i]);
        }
    }
    if (version >= 3) {
        ASK_VALUE(glGetStringi(GL_EXTENSIONS, UNKNOWN) != NULL, "glGetStringi too far");
        indexed_gets();
        formats();
    }
}

static void read_all(const char *state)
{
    static const struct {
        GLenum format, type;
    } kinds[] = {{GL_RGBA, GL_UNSIGNED_BYTE},
                 {GL_RGB, GL_SHORT},
                 {GL_RGBA, GL_FLOAT},
                 {GL_RGBA_INTEGER, GL_INT},
                 {GL_DEPTH_COMPONENT, GL_UNSIGNED_INT},
                 {GL_RGBA, GL_UNSIGNED_SHORT_5_6_5},
                 {NO_ENUM, GL_UNSIGNED_BYTE},
                 {GL_RGBA, NO_ENUM},
                 {0, 0}};
    static const GLsizei sides[] = {2, 0, -1};
    for (int i = 0; i < COUNT(kinds); i++) {
        for (int k = 0; k < COUNT(sides); k++) {
            ASK(glReadPixels(1, 1, sides[k], 2, kinds[i].format, kinds[i].type, out.bytes),
                "glReadPixels %s %x %x %d", state, kinds[i].format, kinds[i].type, sides[k]);
        }
    }
}

void refused_pixels(int version)
{
    GLuint framebuffer, texture;
    glClearColor(1, 0.5, 0, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    read_all("surface");
    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    read_all("incomplete");
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 8, 8, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, texture, 0);
    glClear(GL_COLOR_BUFFER_BIT);
    read_all("texture");
    if (version >= 3) {
        glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA32I, 8, 8, 0, GL_RGBA_INTEGER, GL_INT, NULL);
        glClearBufferiv(GL_COLOR, 0, (const GLint[]){1, 2, 3, 4});
        read_all("integers");
    }
    /* An error of before is not the read's. */
    glEnable(NO_ENUM);
    glReadPixels(0, 0, 1, 1, GL_RGBA, version >= 3 ? GL_INT : GL_UNSIGNED_BYTE, out.bytes);
    ASK_VALUE(glGetError(), "glReadPixels behind an error");
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glDeleteFramebuffers(1, &framebuffer);
    glDeleteTextures(1, &texture);
}

void refused_without_surface(int version)
{
    static const GLenum parameters[] = {GL_RED_BITS,
                                        GL_ALPHA_BITS,
                                        GL_DEPTH_BITS,
                                        GL_STENCIL_BITS,
                                        GL_SAMPLES,
                                        GL_SAMPLE_BUFFERS,
                                        GL_VIEWPORT,
                                        GL_SCISSOR_BOX,
                                        GL_FRAMEBUFFER_BINDING,
                                        GL_SUBPIXEL_BITS,
                                        GL_IMPLEMENTATION_COLOR_READ_TYPE};
    struct refused_program p = refused_program(version);
    GLuint texture;
    glUseProgram(p.program);
    gets(version, "no surface ", parameters, COUNT(parameters));
    read_all("no surface");
    ASK_VALUE(glCheckFramebufferStatus(GL_FRAMEBUFFER), "glCheckFramebufferStatus no surface");
    ASK(glClear(GL_COLOR_BUFFER_BIT), "glClear no surface");
    ASK(glDrawArrays(GL_TRIANGLES, 0, 3), "glDrawArrays no surface");
    ASK(glDrawElements(GL_TRIANGLES, 3, GL_UNSIGNED_SHORT, (const GLushort[]){0, 1, 2}),
        "glDrawElements no surface");
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    ASK(glCopyTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 0, 0, 4, 4, 0), "glCopyTexImage2D no surface");
    ASK(glGetFramebufferAttachmentParameteriv(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
                                              GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE, out.ints),
        "glGetFramebufferAttachmentParameteriv no surface");
    if (version >= 3) {
        ASK(glClearBufferfv(GL_COLOR, 0, (const GLfloat[4]){0}), "glClearBufferfv no surface");
        ASK(glDrawArraysInstanced(GL_TRIANGLES, 0, 3, 2), "glDrawArraysInstanced no surface");
        ASK(glBlitFramebuffer(0, 0, 4, 4, 0, 0, 4, 4, GL_COLOR_BUFFER_BIT, GL_NEAREST),
            "glBlitFramebuffer no surface");
        ASK(glReadBuffer(GL_BACK), "glReadBuffer no surface");
        ASK(glDrawBuffers(1, (const GLenum[]){GL_BACK}), "glDrawBuffers no surface");
        ASK(glGetFramebufferAttachmentParameteriv(GL_FRAMEBUFFER, GL_BACK,
                                                  GL_FRAMEBUFFER_ATTACHMENT_RED_SIZE, out.ints),
            "glGetFramebufferAttachmentParameteriv no surface back");
    }
}
