/* Transform feedback, queries, syncs, state and errors of GLES 3. */
#include "tests/integration/features/gles3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- transform feedback, queries, sync --- */

static GLuint feedback_program(GLenum mode)
{
    static const char *const varyings[] = {"v", "gl_Position"};
    GLuint program = glCreateProgram();
    const char *texts[] = {
        "#version 300 es\nin vec2 p; out vec3 v; void main() { v = vec3(p * 2.0, "
        "float(gl_VertexID)); gl_Position = vec4(p, 0.5, 1.0); }",
        ES3_FS "in vec3 v; out vec4 o; void main() { o = vec4(abs(v), 1.0); }"};
    for (int i = 0; i < 2; i++) {
        GLuint shader = glCreateShader(i ? GL_FRAGMENT_SHADER : GL_VERTEX_SHADER);
        glShaderSource(shader, 1, &texts[i], NULL);
        glCompileShader(shader);
        glAttachShader(program, shader);
    }
    glBindAttribLocation(program, 0, "p");
    glTransformFeedbackVaryings(program, 2, varyings, mode);
    glLinkProgram(program);
    glUseProgram(program);
    return program;
}

static void feedback_interleaved(struct fx *fx, int frame)
{
    GLuint buffer, query, written = 0, p = feedback_program(GL_INTERLEAVED_ATTRIBS);
    float points[12];
    static const uint8_t zeros[512];
    for (int i = 0; i < 12; i++) {
        points[i] = (float)((i * 5 + frame) % 11) / 5.5f - 1;
    }
    glGenBuffers(1, &buffer);
    glBindBufferBase(GL_TRANSFORM_FEEDBACK_BUFFER, 0, buffer);
    glBufferData(GL_TRANSFORM_FEEDBACK_BUFFER, sizeof zeros, zeros, GL_DYNAMIC_READ);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, points);
    glGenQueries(1, &query);
    glBeginQuery(GL_TRANSFORM_FEEDBACK_PRIMITIVES_WRITTEN, query);
    glBeginTransformFeedback(GL_TRIANGLES);
    glDrawArrays(GL_TRIANGLES, 0, 6);
    glEndTransformFeedback();
    glEndQuery(GL_TRANSFORM_FEEDBACK_PRIMITIVES_WRITTEN);
    glGetQueryObjectuiv(query, GL_QUERY_RESULT, &written);
    fx_note_int(fx, written);
    glBindBufferBase(GL_TRANSFORM_FEEDBACK_BUFFER, 0, 0);
    es3_note_buffer(fx, buffer, 6 * 28);
    char name[32];
    GLsizei length = 0, size = 0;
    GLenum type = 0;
    glGetTransformFeedbackVarying(p, 0, sizeof name, &length, &size, &type, name);
    fx_note_text(fx, name);
    fx_note_int(fx, type + length + size);
}

static void feedback_separate(struct fx *fx, int frame)
{
    GLuint buffers[2], object;
    float points[12];
    feedback_program(GL_SEPARATE_ATTRIBS);
    for (int i = 0; i < 12; i++) {
        points[i] = (float)((i * 3 + frame) % 11) / 5.5f - 1;
    }
    glGenTransformFeedbacks(1, &object);
    glBindTransformFeedback(GL_TRANSFORM_FEEDBACK, object);
    glGenBuffers(2, buffers);
    for (GLuint i = 0; i < 2; i++) {
        static const uint8_t zeros[256];
        glBindBufferBase(GL_TRANSFORM_FEEDBACK_BUFFER, i, buffers[i]);
        glBufferData(GL_TRANSFORM_FEEDBACK_BUFFER, 256, zeros, GL_DYNAMIC_READ);
    }
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, points);
    glEnable(GL_RASTERIZER_DISCARD);
    glBeginTransformFeedback(GL_POINTS);
    glDrawArrays(GL_POINTS, 0, 2);
    glPauseTransformFeedback();
    glDrawArrays(GL_POINTS, 0, 6);
    glResumeTransformFeedback();
    glDrawArrays(GL_POINTS, 3, 2);
    glEndTransformFeedback();
    glDisable(GL_RASTERIZER_DISCARD);
    fx_note_int(fx, glIsTransformFeedback(object));
    glBindTransformFeedback(GL_TRANSFORM_FEEDBACK, 0);
    es3_note_buffer(fx, buffers[0], 48);
    es3_note_buffer(fx, buffers[1], 64);
}

static void occlusion_queries(struct fx *fx, int frame)
{
    GLuint queries[3], p = es3_fill(COLORED);
    glEnable(GL_DEPTH_TEST);
    glGenQueries(3, queries);
    color(p, 1, 1, 1, 1);
    for (int i = 0; i < 3; i++) {
        GLenum target = i == 1 ? GL_ANY_SAMPLES_PASSED_CONSERVATIVE : GL_ANY_SAMPLES_PASSED;
        GLint current = 0;
        glBeginQuery(target, queries[i]);
        glDepthFunc(i == 2 ? GL_NEVER : GL_LEQUAL);
        fx_rect(-0.5f, -0.5f, 0.1f * (float)frame, 0.5f);
        glGetQueryiv(target, GL_CURRENT_QUERY, &current);
        fx_note_int(fx, current == (GLint)queries[i]);
        glEndQuery(target);
    }
    for (int i = 0; i < 3; i++) {
        GLuint result = 7;
        glGetQueryObjectuiv(queries[i], GL_QUERY_RESULT, &result);
        fx_note_int(fx, result);
        fx_note_int(fx, glIsQuery(queries[i]));
    }
    glDeleteQueries(3, queries);
}

static void sync_objects(struct fx *fx, int frame)
{
    GLuint p = es3_fill(COLORED);
    color(p, 0.5f, 0.3f * (float)frame, 0, 1);
    fx_quad();
    GLsync sync = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    fx_note_int(fx, glIsSync(sync));
    GLenum result = glClientWaitSync(sync, GL_SYNC_FLUSH_COMMANDS_BIT, 5000000000ull);
    fx_note_int(fx, result == GL_CONDITION_SATISFIED || result == GL_ALREADY_SIGNALED);
    fx_note_int(fx, glClientWaitSync(sync, 0, 0));
    glWaitSync(sync, 0, GL_TIMEOUT_IGNORED);
    static const GLenum names[] = {GL_OBJECT_TYPE, GL_SYNC_STATUS, GL_SYNC_CONDITION,
                                   GL_SYNC_FLAGS};
    for (int i = 0; i < 4; i++) {
        GLint value = -1;
        GLsizei length = 0;
        glGetSynciv(sync, names[i], 1, &length, &value);
        fx_note_int(fx, value * 10 + length);
    }
    glDeleteSync(sync);
    fx_note_int(fx, glIsSync(sync));
    glClientWaitSync(sync, 0, 0);
    fx_error(fx, GL_INVALID_VALUE);
    glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 1);
    fx_error(fx, GL_INVALID_VALUE);
}

struct fence_job {
    GLuint texture;
    GLsync fence;
    int frame;
};

static void upload_and_fence(void *user)
{
    struct fence_job *job = user;
    static uint8_t pixels[64 * 64 * 4];
    fx_bytes(pixels, sizeof pixels, 5u + (uint32_t)job->frame);
    glGenTextures(1, &job->texture);
    glBindTexture(GL_TEXTURE_2D, job->texture);
    glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, 64, 64);
    glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, 64, 64, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    job->fence = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    glFlush();
}

static void shared_with_fences(struct fx *fx, int frame)
{
    struct fence_job job = {.frame = frame};
    fx_on_thread(fx, upload_and_fence, &job);
    glWaitSync(job.fence, 0, GL_TIMEOUT_IGNORED);
    glDeleteSync(job.fence);
    glBindTexture(GL_TEXTURE_2D, job.texture);
    es3_fill(ES3_TEXTURED);
    fx_quad();
}

/* --- state --- */

static void strings_and_limits(struct fx *fx, int frame)
{
    static const GLenum names[] = {GL_MAX_3D_TEXTURE_SIZE,
                                   GL_MAX_ARRAY_TEXTURE_LAYERS,
                                   GL_MAX_COLOR_ATTACHMENTS,
                                   GL_MAX_DRAW_BUFFERS,
                                   GL_MAX_ELEMENTS_INDICES,
                                   GL_MAX_UNIFORM_BUFFER_BINDINGS,
                                   GL_MAX_VARYING_COMPONENTS,
                                   GL_MAX_SAMPLES,
                                   GL_MAX_FRAGMENT_UNIFORM_BLOCKS,
                                   GL_MAX_VERTEX_OUTPUT_COMPONENTS,
                                   GL_MAX_TRANSFORM_FEEDBACK_SEPARATE_ATTRIBS,
                                   GL_MIN_PROGRAM_TEXEL_OFFSET,
                                   GL_MAX_PROGRAM_TEXEL_OFFSET};
    (void)frame;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        GLint value = 0;
        GLint64 wide = 0;
        GLfloat real = 0;
        glGetIntegerv(names[i], &value);
        glGetInteger64v(names[i], &wide);
        glGetFloatv(names[i], &real);
        fx_note_int(fx, value);
        fx_note_int(fx, wide);
        fx_note(fx, &real, sizeof real);
    }
    GLint64 server = 0, block = 0;
    glGetInteger64v(GL_MAX_SERVER_WAIT_TIMEOUT, &server);
    glGetInteger64v(GL_MAX_UNIFORM_BLOCK_SIZE, &block);
    fx_note_int(fx, block);
    GLint count = 0;
    glGetIntegerv(GL_NUM_EXTENSIONS, &count);
    for (GLint i = 0; i < count; i++) {
        fx_note_int(fx, fx_has((const char *)glGetStringi(GL_EXTENSIONS, (GLuint)i)));
        if (i == 3) {
            break; /* the lists differ by right: the guest filters what cannot travel */
        }
    }
    glGetStringi(GL_EXTENSIONS, 100000);
    fx_error(fx, GL_INVALID_VALUE);
}

static void es3_errors(struct fx *fx, int frame)
{
    GLuint name = 0;
    (void)frame;
    glBindVertexArray(4711);
    fx_error(fx, GL_INVALID_OPERATION);
    glBeginTransformFeedback(GL_TRIANGLES);
    fx_error(fx, GL_INVALID_OPERATION);
    glGenQueries(1, &name);
    glEndQuery(GL_ANY_SAMPLES_PASSED);
    fx_error(fx, GL_INVALID_OPERATION);
    glBindSampler(999, 0);
    fx_error(fx, GL_INVALID_VALUE);
    glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA, 4, 4);
    fx_error(fx, GL_INVALID_ENUM);
    glBindBufferBase(GL_UNIFORM_BUFFER, 9999, 0);
    fx_error(fx, GL_INVALID_VALUE);
    glDrawBuffers(1, (const GLenum[]){GL_COLOR_ATTACHMENT0});
    fx_error(fx, GL_INVALID_OPERATION);
    glReadBuffer(GL_COLOR_ATTACHMENT0);
    fx_error(fx, GL_INVALID_OPERATION);
    glRenderbufferStorageMultisample(GL_RENDERBUFFER, 99, GL_RGBA8, 4, 4);
    fx_error(fx, GL_INVALID_OPERATION);
    glVertexAttribIPointer(0, 2, GL_FLOAT, 0, NULL);
    fx_error(fx, GL_INVALID_ENUM);
    glUniformBlockBinding(4711, 0, 0);
    fx_error(fx, GL_INVALID_VALUE);
    glDrawArraysInstanced(GL_TRIANGLES, 0, 3, -1);
    fx_error(fx, GL_INVALID_VALUE);
}

#define FEATURE(name)                                                                              \
    {                                                                                              \
#name, name, NULL                                                                          \
    }
const struct fx_feature gles3_query_features[] = {
    FEATURE(feedback_interleaved), FEATURE(feedback_separate),  FEATURE(occlusion_queries),
    FEATURE(sync_objects),         FEATURE(shared_with_fences), FEATURE(strings_and_limits),
    FEATURE(es3_errors),
};
const size_t gles3_query_feature_count =
    sizeof gles3_query_features / sizeof gles3_query_features[0];
