/* KHR_debug and EXT_debug_label: labels, groups, messages in the log and to a function. */
#include "tests/integration/features/gles32.h"

#include <string.h>

static void note_label(struct fx *fx, GLenum kind, GLuint name, GLsizei room)
{
    char text[32];
    GLsizei length = -7;
    memset(text, 'x', sizeof text);
    glGetObjectLabel(kind, name, room, &length, text);
    fx_note_int(fx, length);
    fx_note(fx, text, sizeof text);
}

static void labels(struct fx *fx, int frame)
{
    GLuint buffer, texture;
    GLsizei length = -1;
    char text[32] = "";
    (void)frame;
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glObjectLabel(GL_BUFFER, buffer, -1, "corners");
    glObjectLabel(GL_TEXTURE, texture, 4, "woodwork");
    note_label(fx, GL_BUFFER, buffer, 32);
    note_label(fx, GL_BUFFER, buffer, 4);
    note_label(fx, GL_TEXTURE, texture, 32);
    glGetObjectLabel(GL_TEXTURE, texture, 0, &length, NULL);
    fx_note_int(fx, length);
    glObjectLabel(GL_BUFFER, buffer, 0, NULL);
    note_label(fx, GL_BUFFER, buffer, 32);
    glObjectLabel(GL_BUFFER, 9999, -1, "nobody");
    fx_error(fx, GL_INVALID_VALUE);
    glObjectLabel(GL_TEXTURE_2D, texture, -1, "nothing");
    fx_error(fx, GL_INVALID_ENUM);
    note_label(fx, GL_BUFFER, buffer, -1);
    fx_error(fx, GL_INVALID_VALUE);
    GLsync sync = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    glObjectPtrLabel(sync, -1, "fence");
    glGetObjectPtrLabel(sync, sizeof text, &length, text);
    fx_note_int(fx, length);
    fx_note_text(fx, text);
    glObjectPtrLabel(text, -1, "none");
    fx_error(fx, GL_INVALID_VALUE);
    glDeleteSync(sync);
    glDeleteTextures(1, &texture);
    glDeleteBuffers(1, &buffer);
}

static void older_labels(struct fx *fx, int frame)
{
    PFNGLLABELOBJECTEXTPROC label = es32_address("glLabelObjectEXT");
    PFNGLGETOBJECTLABELEXTPROC get = es32_address("glGetObjectLabelEXT");
    GLuint buffer;
    GLsizei length = -1;
    char text[32] = "";
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    label(GL_BUFFER_OBJECT_EXT, buffer, frame == 1 ? 3 : 0, "places");
    get(GL_BUFFER_OBJECT_EXT, buffer, sizeof text, &length, text);
    fx_note_int(fx, length);
    fx_note_text(fx, text);
    label(GL_BUFFER_OBJECT_EXT, buffer, -1, "places");
    fx_error(fx, GL_INVALID_VALUE);
    glDeleteBuffers(1, &buffer);
}

static void message_log(struct fx *fx, int frame)
{
    GLenum sources[4], types[4], severities[4];
    GLuint ids[4] = {0};
    GLsizei lengths[4] = {0};
    char text[128] = "";
    static const GLuint quiet[] = {7, 8};
    GLint value = 0;
    glEnable(GL_DEBUG_OUTPUT);
    glDebugMessageInsert(GL_DEBUG_SOURCE_APPLICATION, GL_DEBUG_TYPE_MARKER, 5,
                         GL_DEBUG_SEVERITY_HIGH, -1, "first");
    glDebugMessageControl(GL_DEBUG_SOURCE_APPLICATION, GL_DEBUG_TYPE_MARKER, GL_DONT_CARE, 2, quiet,
                          GL_FALSE);
    glDebugMessageInsert(GL_DEBUG_SOURCE_APPLICATION, GL_DEBUG_TYPE_MARKER, 7,
                         GL_DEBUG_SEVERITY_HIGH, -1, "left out");
    glDebugMessageInsert(GL_DEBUG_SOURCE_THIRD_PARTY, GL_DEBUG_TYPE_OTHER, 9 + (GLuint)frame,
                         GL_DEBUG_SEVERITY_MEDIUM, 6, "second and more");
    glPushDebugGroup(GL_DEBUG_SOURCE_APPLICATION, 11, -1, "group");
    glGetIntegerv(GL_DEBUG_GROUP_STACK_DEPTH, &value);
    fx_note_int(fx, value);
    glPopDebugGroup();
    glGetIntegerv(GL_DEBUG_LOGGED_MESSAGES, &value);
    fx_note_int(fx, value);
    GLuint got =
        glGetDebugMessageLog(4, sizeof text, sources, types, ids, severities, lengths, text);
    fx_note_int(fx, got);
    fx_note(fx, sources, got * sizeof *sources);
    fx_note(fx, types, got * sizeof *types);
    fx_note(fx, ids, got * sizeof *ids);
    fx_note(fx, severities, got * sizeof *severities);
    fx_note(fx, lengths, got * sizeof *lengths);
    fx_note(fx, text, sizeof text);
    fx_note_int(fx, glGetDebugMessageLog(4, 0, NULL, NULL, NULL, NULL, NULL, NULL));
    glPopDebugGroup();
    fx_error(fx, GL_STACK_UNDERFLOW);
    glDebugMessageInsert(GL_DEBUG_SOURCE_API, GL_DEBUG_TYPE_MARKER, 1, GL_DEBUG_SEVERITY_LOW, -1,
                         "not the application's");
    fx_error(fx, GL_INVALID_ENUM);
}

static void GL_APIENTRY on_message(GLenum source, GLenum type, GLuint id, GLenum severity,
                                   GLsizei length, const GLchar *message, const void *user)
{
    struct fx *fx = (struct fx *)(uintptr_t)user;
    const GLuint words[] = {source, type, id, severity, (GLuint)length};
    fx_note(fx, words, sizeof words);
    fx_note(fx, message, (size_t)length); /* drivers leave a longer text's end behind it */
}

static void messages(struct fx *fx, int frame)
{
    void *pointer = NULL;
    glEnable(GL_DEBUG_OUTPUT);
    glEnable(GL_DEBUG_OUTPUT_SYNCHRONOUS);
    glDebugMessageCallback(on_message, fx);
    glGetPointerv(GL_DEBUG_CALLBACK_FUNCTION, &pointer);
    fx_note_int(fx, pointer == (void *)(uintptr_t)on_message);
    glGetPointerv(GL_DEBUG_CALLBACK_USER_PARAM, &pointer);
    fx_note_int(fx, pointer == fx);
    glDebugMessageInsert(GL_DEBUG_SOURCE_APPLICATION, GL_DEBUG_TYPE_MARKER, 3,
                         GL_DEBUG_SEVERITY_HIGH, -1, "hello");
    glPushDebugGroup(GL_DEBUG_SOURCE_THIRD_PARTY, (GLuint)frame, 5, "groups and more");
    glPopDebugGroup();
    glDebugMessageCallback(NULL, NULL);
    glDebugMessageInsert(GL_DEBUG_SOURCE_APPLICATION, GL_DEBUG_TYPE_MARKER, 4,
                         GL_DEBUG_SEVERITY_HIGH, -1, "to the log");
    fx_note_int(fx, glGetDebugMessageLog(1, 0, NULL, NULL, NULL, NULL, NULL, NULL));
}

#define FEATURE(name, needs)                                                                       \
    {                                                                                              \
#name, name, needs                                                                         \
    }
const struct fx_feature gles32_debug_features[] = {
    FEATURE(labels, "3.2"),
    FEATURE(older_labels, "GL_EXT_debug_label"),
    FEATURE(message_log, "3.2"),
    FEATURE(messages, "3.2"),
};
const size_t gles32_debug_feature_count =
    sizeof gles32_debug_features / sizeof gles32_debug_features[0];
