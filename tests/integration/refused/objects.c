/* Buffers, textures, samplers, renderbuffers, framebuffers, queries, syncs, vertex attributes: none
 * there, none bound, wrong targets and parameters. */
#include "tests/integration/refused/refused.h"

static void buffer_queries(int version, const char *state)
{
    static const GLenum targets[] = {GL_ARRAY_BUFFER,   GL_ELEMENT_ARRAY_BUFFER, NO_ENUM, 0,
                                     GL_UNIFORM_BUFFER, GL_PIXEL_PACK_BUFFER};
    static const GLenum parameters[] = {
        GL_BUFFER_SIZE,         GL_BUFFER_USAGE,      GL_BUFFER_MAPPED,    NO_ENUM,
        GL_BUFFER_ACCESS_FLAGS, GL_BUFFER_MAP_LENGTH, GL_BUFFER_MAP_OFFSET};
    for (int i = 0; i < (version >= 3 ? COUNT(targets) : 4); i++) {
        for (int k = 0; k < (version >= 3 ? COUNT(parameters) : 4); k++) {
            ASK(glGetBufferParameteriv(targets[i], parameters[k], out.ints),
                "glGetBufferParameteriv %s %x %x", state, targets[i], parameters[k]);
            if (version >= 3) {
                ASK(glGetBufferParameteri64v(targets[i], parameters[k], out.longs),
                    "glGetBufferParameteri64v %s %x %x", state, targets[i], parameters[k]);
            }
        }
        if (version >= 3) {
            ASK(glGetBufferPointerv(targets[i], GL_BUFFER_MAP_POINTER, out.pointers),
                "glGetBufferPointerv %s %x", state, targets[i]);
            ASK(glGetBufferPointerv(targets[i], NO_ENUM, out.pointers),
                "glGetBufferPointerv %s %x %x", state, targets[i], NO_ENUM);
        }
    }
}

static void buffers(int version)
{
    GLuint buffer;
    buffer_queries(version, "unbound");
    glGenBuffers(1, &buffer);
    ASK_VALUE(glIsBuffer(buffer), "glIsBuffer new");
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    buffer_queries(version, "empty");
    glBufferData(GL_ARRAY_BUFFER, 48, NULL, GL_STATIC_DRAW);
    buffer_queries(version, "filled");
    glBindBuffer(GL_ARRAY_BUFFER, 0);
}

static void texture_queries(int version, const char *state)
{
    static const GLenum targets[] = {
        GL_TEXTURE_2D, GL_TEXTURE_CUBE_MAP,      GL_TEXTURE_CUBE_MAP_POSITIVE_X, NO_ENUM, 0,
        GL_TEXTURE_3D, GL_TEXTURE_2D_MULTISAMPLE};
    static const GLenum parameters[] = {GL_TEXTURE_MAG_FILTER,
                                        GL_TEXTURE_MIN_FILTER,
                                        GL_TEXTURE_WRAP_S,
                                        GL_TEXTURE_WRAP_T,
                                        GL_TEXTURE_WIDTH,
                                        NO_ENUM,
                                        GL_TEXTURE_WRAP_R,
                                        GL_TEXTURE_BASE_LEVEL,
                                        GL_TEXTURE_MAX_LOD,
                                        GL_TEXTURE_IMMUTABLE_FORMAT,
                                        GL_TEXTURE_COMPARE_MODE,
                                        GL_TEXTURE_SWIZZLE_A,
                                        GL_DEPTH_STENCIL_TEXTURE_MODE};
    for (int i = 0; i < (version >= 3 ? COUNT(targets) : 5); i++) {
        for (int k = 0; k < (version >= 3 ? COUNT(parameters) : 6); k++) {
            ASK(glGetTexParameteriv(targets[i], parameters[k], out.ints),
                "glGetTexParameteriv %s %x %x", state, targets[i], parameters[k]);
            ASK(glGetTexParameterfv(targets[i], parameters[k], out.floats),
                "glGetTexParameterfv %s %x %x", state, targets[i], parameters[k]);
        }
    }
}

static void level_queries(const char *state)
{
    static const GLenum targets[] = {GL_TEXTURE_2D, GL_TEXTURE_CUBE_MAP,
                                     GL_TEXTURE_CUBE_MAP_POSITIVE_X, NO_ENUM};
    static const GLenum parameters[] = {GL_TEXTURE_WIDTH,
                                        GL_TEXTURE_DEPTH,
                                        GL_TEXTURE_INTERNAL_FORMAT,
                                        GL_TEXTURE_COMPRESSED,
                                        GL_TEXTURE_RED_TYPE,
                                        GL_TEXTURE_MIN_FILTER,
                                        NO_ENUM};
    static const GLint levels[] = {0, 1, 99, -1};
    for (int i = 0; i < COUNT(targets); i++) {
        for (int k = 0; k < COUNT(parameters); k++) {
            for (int l = 0; l < COUNT(levels); l++) {
                ASK(glGetTexLevelParameteriv(targets[i], levels[l], parameters[k], out.ints),
                    "glGetTexLevelParameteriv %s %x %d %x", state, targets[i], levels[l],
                    parameters[k]);
                ASK(glGetTexLevelParameterfv(targets[i], levels[l], parameters[k], out.floats),
                    "glGetTexLevelParameterfv %s %x %d %x", state, targets[i], levels[l],
                    parameters[k]);
            }
        }
    }
}

static void textures(int version)
{
    GLuint texture;
    texture_queries(version, "unbound");
    glGenTextures(1, &texture);
    ASK_VALUE(glIsTexture(texture), "glIsTexture new");
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 8, 4, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    texture_queries(version, "bound");
    if (version >= 3) {
        level_queries("bound");
    }
    glDeleteTextures(1, &texture);
    texture_queries(version, "deleted");
}

static void samplers(void)
{
    static const GLenum parameters[] = {GL_TEXTURE_MAG_FILTER, GL_TEXTURE_WRAP_R,
                                        GL_TEXTURE_MAX_LOD, GL_TEXTURE_BASE_LEVEL, NO_ENUM};
    GLuint names[4] = {0, UNKNOWN};
    glGenSamplers(2, names + 2);
    glDeleteSamplers(1, &names[3]);
    for (int i = 0; i < COUNT(names); i++) {
        for (int k = 0; k < COUNT(parameters); k++) {
            ASK(glGetSamplerParameteriv(names[i], parameters[k], out.ints),
                "glGetSamplerParameteriv %d %x", i, parameters[k]);
            ASK(glGetSamplerParameterfv(names[i], parameters[k], out.floats),
                "glGetSamplerParameterfv %d %x", i, parameters[k]);
        }
    }
}

static void attachment_queries(int version, const char *state)
{
    static const GLenum targets[] = {GL_FRAMEBUFFER, NO_ENUM, 0, GL_READ_FRAMEBUFFER};
    static const GLenum points[] = {GL_COLOR_ATTACHMENT0,
                                    GL_DEPTH_ATTACHMENT,
                                    NO_ENUM,
                                    0,
                                    GL_COLOR_ATTACHMENT0 + 20,
                                    GL_BACK,
                                    GL_DEPTH,
                                    GL_DEPTH_STENCIL_ATTACHMENT};
    static const GLenum parameters[] = {
        GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE,   GL_FRAMEBUFFER_ATTACHMENT_OBJECT_NAME,
        GL_FRAMEBUFFER_ATTACHMENT_TEXTURE_LEVEL, NO_ENUM,
        GL_FRAMEBUFFER_ATTACHMENT_RED_SIZE,      GL_FRAMEBUFFER_ATTACHMENT_COLOR_ENCODING,
        GL_FRAMEBUFFER_ATTACHMENT_COMPONENT_TYPE};
    for (int i = 0; i < (version >= 3 ? COUNT(targets) : 3); i++) {
        for (int k = 0; k < (version >= 3 ? COUNT(points) : 5); k++) {
            for (int l = 0; l < (version >= 3 ? COUNT(parameters) : 4); l++) {
                ASK(glGetFramebufferAttachmentParameteriv(targets[i], points[k], parameters[l],
                                                          out.ints),
                    "glGetFramebufferAttachmentParameteriv %s %x %x %x", state, targets[i],
                    points[k], parameters[l]);
            }
        }
        ASK_VALUE(glCheckFramebufferStatus(targets[i]), "glCheckFramebufferStatus %s %x", state,
                  targets[i]);
    }
}

static void framebuffer_queries(const char *state)
{
    static const GLenum parameters[] = {GL_FRAMEBUFFER_DEFAULT_WIDTH,
                                        GL_FRAMEBUFFER_DEFAULT_SAMPLES, GL_SAMPLES, NO_ENUM};
    static const GLenum targets[] = {GL_FRAMEBUFFER, GL_READ_FRAMEBUFFER, NO_ENUM};
    for (int i = 0; i < COUNT(targets); i++) {
        for (int k = 0; k < COUNT(parameters); k++) {
            ASK(glGetFramebufferParameteriv(targets[i], parameters[k], out.ints),
                "glGetFramebufferParameteriv %s %x %x", state, targets[i], parameters[k]);
        }
    }
}

static void renderbuffer_queries(int version, const char *state)
{
    static const GLenum targets[] = {GL_RENDERBUFFER, NO_ENUM, 0};
    static const GLenum parameters[] = {GL_RENDERBUFFER_WIDTH, GL_RENDERBUFFER_INTERNAL_FORMAT,
                                        GL_RENDERBUFFER_STENCIL_SIZE, NO_ENUM,
                                        GL_RENDERBUFFER_SAMPLES};
    for (int i = 0; i < COUNT(targets); i++) {
        for (int k = 0; k < (version >= 3 ? COUNT(parameters) : 4); k++) {
            ASK(glGetRenderbufferParameteriv(targets[i], parameters[k], out.ints),
                "glGetRenderbufferParameteriv %s %x %x", state, targets[i], parameters[k]);
        }
    }
}

static void framebuffers(int version)
{
    GLuint framebuffer, renderbuffer;
    attachment_queries(version, "default");
    renderbuffer_queries(version, "unbound");
    glGenFramebuffers(1, &framebuffer);
    glGenRenderbuffers(1, &renderbuffer);
    ASK_VALUE(glIsFramebuffer(framebuffer), "glIsFramebuffer new");
    ASK_VALUE(glIsRenderbuffer(renderbuffer), "glIsRenderbuffer new");
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    glBindRenderbuffer(GL_RENDERBUFFER, renderbuffer);
    renderbuffer_queries(version, "empty");
    attachment_queries(version, "empty");
    glRenderbufferStorage(GL_RENDERBUFFER, GL_RGB565, 8, 8);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, renderbuffer);
    renderbuffer_queries(version, "stored");
    attachment_queries(version, "attached");
    if (version >= 3) {
        framebuffer_queries("attached");
    }
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    if (version >= 3) {
        framebuffer_queries("default");
    }
    glDeleteFramebuffers(1, &framebuffer);
    glDeleteRenderbuffers(1, &renderbuffer);
}

static void queries(void)
{
    static const GLenum targets[] = {GL_ANY_SAMPLES_PASSED,
                                     GL_TRANSFORM_FEEDBACK_PRIMITIVES_WRITTEN, NO_ENUM};
    static const GLenum parameters[] = {GL_QUERY_RESULT, GL_QUERY_RESULT_AVAILABLE,
                                        GL_CURRENT_QUERY, NO_ENUM};
    GLuint names[6] = {0, UNKNOWN};
    glGenQueries(4, names + 2);
    glDeleteQueries(1, &names[3]);
    glBeginQuery(GL_ANY_SAMPLES_PASSED, names[4]);
    glEndQuery(GL_ANY_SAMPLES_PASSED);
    glBeginQuery(GL_ANY_SAMPLES_PASSED, names[5]);
    glFinish();
    for (int i = 0; i < COUNT(targets); i++) {
        for (int k = 0; k < COUNT(parameters); k++) {
            ASK(glGetQueryiv(targets[i], parameters[k], out.ints), "glGetQueryiv %x %x", targets[i],
                parameters[k]);
        }
    }
    for (int i = 0; i < COUNT(names); i++) {
        for (int k = 0; k < COUNT(parameters); k++) {
            ASK(glGetQueryObjectuiv(names[i], parameters[k], out.names),
                "glGetQueryObjectuiv %d %x", i, parameters[k]);
        }
        ASK_VALUE(glIsQuery(names[i]), "glIsQuery %d", i);
    }
    glEndQuery(GL_ANY_SAMPLES_PASSED);
}

static void syncs(void)
{
    static const GLenum parameters[] = {GL_OBJECT_TYPE, GL_SYNC_STATUS, GL_SYNC_CONDITION,
                                        GL_SYNC_FLAGS, NO_ENUM};
    GLsync sync[] = {NULL, (GLsync)UNKNOWN, glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0)};
    glFinish();
    for (int i = 0; i < COUNT(sync); i++) {
        for (int k = 0; k < COUNT(parameters); k++) {
            for (GLsizei room = -1; room < 3; room++) {
                ASK(glGetSynciv(sync[i], parameters[k], room, &out.text.length, out.ints + 1),
                    "glGetSynciv %d %x %d", i, parameters[k], room);
            }
        }
        ASK_VALUE(glIsSync(sync[i]), "glIsSync %d", i);
        ASK_VALUE(glClientWaitSync(sync[i], 0x80, 0), "glClientWaitSync %d bad flags", i);
        ASK(glWaitSync(sync[i], 1, GL_TIMEOUT_IGNORED), "glWaitSync %d bad flags", i);
        ASK(glWaitSync(sync[i], 0, 1), "glWaitSync %d bad timeout", i);
        ASK(glDeleteSync(sync[i]), "glDeleteSync %d", i);
    }
    ASK_VALUE(glFenceSync(NO_ENUM, 0) != NULL, "glFenceSync bad condition");
    ASK_VALUE(glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 1) != NULL, "glFenceSync bad flags");
}

static void attribute_queries(int version)
{
    static const GLenum parameters[] = {
        GL_VERTEX_ATTRIB_ARRAY_ENABLED, GL_VERTEX_ATTRIB_ARRAY_SIZE,
        GL_VERTEX_ATTRIB_ARRAY_TYPE,    GL_VERTEX_ATTRIB_ARRAY_BUFFER_BINDING,
        GL_CURRENT_VERTEX_ATTRIB,       NO_ENUM,
        GL_VERTEX_ATTRIB_ARRAY_INTEGER, GL_VERTEX_ATTRIB_ARRAY_DIVISOR};
    static const GLuint indices[] = {0, 3, 15, 16, 99};
    for (int i = 0; i < COUNT(indices); i++) {
        for (int k = 0; k < (version >= 3 ? COUNT(parameters) : 6); k++) {
            ASK(glGetVertexAttribfv(indices[i], parameters[k], out.floats),
                "glGetVertexAttribfv %u %x", indices[i], parameters[k]);
            ASK(glGetVertexAttribiv(indices[i], parameters[k], out.ints),
                "glGetVertexAttribiv %u %x", indices[i], parameters[k]);
            if (version >= 3) {
                ASK(glGetVertexAttribIiv(indices[i], parameters[k], out.ints),
                    "glGetVertexAttribIiv %u %x", indices[i], parameters[k]);
                ASK(glGetVertexAttribIuiv(indices[i], parameters[k], out.names),
                    "glGetVertexAttribIuiv %u %x", indices[i], parameters[k]);
            }
        }
        ASK(glGetVertexAttribPointerv(indices[i], GL_VERTEX_ATTRIB_ARRAY_POINTER, out.pointers),
            "glGetVertexAttribPointerv %u", indices[i]);
        ASK(glGetVertexAttribPointerv(indices[i], NO_ENUM, out.pointers),
            "glGetVertexAttribPointerv %u %x", indices[i], NO_ENUM);
    }
}

static void names_made(int version)
{
    ASK(glGenBuffers(-1, out.names), "glGenBuffers -1");
    ASK(glGenTextures(-1, out.names), "glGenTextures -1");
    ASK(glGenFramebuffers(-1, out.names), "glGenFramebuffers -1");
    ASK(glGenRenderbuffers(-1, out.names), "glGenRenderbuffers -1");
    ASK(glGenBuffers(0, out.names), "glGenBuffers 0");
    if (version >= 3) {
        ASK(glGenQueries(-1, out.names), "glGenQueries -1");
        ASK(glGenSamplers(-1, out.names), "glGenSamplers -1");
        ASK(glGenVertexArrays(-1, out.names), "glGenVertexArrays -1");
        ASK(glGenTransformFeedbacks(-1, out.names), "glGenTransformFeedbacks -1");
        ASK(glGenProgramPipelines(-1, out.names), "glGenProgramPipelines -1");
    }
}

/* Inputs that are not there, and of more than a few values: what the driver refuses before it would
 * read them. */
static void large_nulls(int version)
{
    static const int counts[] = {2000, 200000, 2000000};
    struct refused_program p = refused_program(version);
    glUseProgram(p.program);
    ASK(glUniform4fv(-1, 2000, NULL), "glUniform4fv none, no place");
    glUseProgram(0);
    for (int i = 0; i < COUNT(counts); i++) {
        int n = counts[i];
        ASK(glUniform4fv(0, n, NULL), "glUniform4fv none %d", n);
        ASK(glUniform4iv(1, n, NULL), "glUniform4iv none %d", n);
        ASK(glUniformMatrix4fv(0, n, GL_FALSE, NULL), "glUniformMatrix4fv none %d", n);
        ASK(glCompressedTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, 256, 256, NO_ENUM, n, NULL),
            "glCompressedTexSubImage2D none %d", n);
        ASK(glBufferSubData(GL_ARRAY_BUFFER, 0, n, NULL), "glBufferSubData none %d", n);
        if (version >= 3) {
            ASK(glUniform4uiv(0, n, NULL), "glUniform4uiv none %d", n);
            ASK(glProgramUniform4fv(UNKNOWN, 0, n, NULL), "glProgramUniform4fv none %d", n);
            ASK(glProgramBinary(p.program, NO_ENUM, NULL, n), "glProgramBinary none %d", n);
            ASK(glDrawBuffers(n, NULL), "glDrawBuffers none %d", n);
        }
    }
}

/* Parts of textures of which there are no pixels, inside and beyond. */
static void null_parts(int version)
{
    static const int places[] = {-1, 0, 4, 1 << 20};
    GLuint textures[2];
    glGenTextures(2, textures);
    glBindTexture(GL_TEXTURE_2D, textures[0]);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 16, 16, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    if (version >= 3) {
        glBindTexture(GL_TEXTURE_3D, textures[1]);
        glTexImage3D(GL_TEXTURE_3D, 0, GL_RGBA8, 16, 16, 16, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    }
    for (int i = 0; i < COUNT(places); i++) {
        for (int level = 0; level < 2; level++) {
            ASK(glTexSubImage2D(GL_TEXTURE_2D, level, places[i], 0, 13, 4, GL_RGBA,
                                GL_UNSIGNED_BYTE, NULL),
                "glTexSubImage2D none %d at %d", level, places[i]);
        }
        if (version >= 3) {
            ASK(glTexSubImage3D(GL_TEXTURE_3D, 0, 0, 0, places[i], 4, 4, 13, GL_RGBA,
                                GL_UNSIGNED_BYTE, NULL),
                "glTexSubImage3D none at %d", places[i]);
        }
    }
    ASK(glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, 4096, 4096, GL_RGBA, GL_UNSIGNED_BYTE, NULL),
        "glTexSubImage2D none, large");
    glDeleteTextures(2, textures);
}

static void long_messages(void)
{
    PFNGLDEBUGMESSAGEINSERTKHRPROC insert =
        (PFNGLDEBUGMESSAGEINSERTKHRPROC)eglGetProcAddress("glDebugMessageInsertKHR");
    PFNGLPUSHDEBUGGROUPKHRPROC push =
        (PFNGLPUSHDEBUGGROUPKHRPROC)eglGetProcAddress("glPushDebugGroupKHR");
    const GLenum source = GL_DEBUG_SOURCE_APPLICATION_KHR;
    for (int size = 5000; size < 1000000; size *= 10) {
        ASK(insert(source, GL_DEBUG_TYPE_OTHER_KHR, 1, GL_DEBUG_SEVERITY_LOW_KHR, size, NULL),
            "glDebugMessageInsertKHR none %d", size);
        ASK(push(source, 1, size, NULL), "glPushDebugGroupKHR none %d", size);
    }
}

void refused_objects(int version)
{
    buffers(version);
    textures(version);
    framebuffers(version);
    attribute_queries(version);
    names_made(version);
    large_nulls(version);
    null_parts(version);
    long_messages();
    if (version >= 3) {
        samplers();
        queries();
        syncs();
    }
}
