/* What version 3 asks of programs: blocks, varyings, resources, binaries, pipelines. */
#include "tests/integration/refused/refused.h"

/* Not 0: the native driver here writes the end of some names even then. */
static const GLsizei rooms[] = {-1, 1, 4, TEXT};

struct subject {
    const char *name;
    GLuint program;
};

static void block_queries(const struct subject *s)
{
    static const GLenum parameters[] = {GL_UNIFORM_BLOCK_BINDING,
                                        GL_UNIFORM_BLOCK_DATA_SIZE,
                                        GL_UNIFORM_BLOCK_NAME_LENGTH,
                                        GL_UNIFORM_BLOCK_ACTIVE_UNIFORMS,
                                        GL_UNIFORM_BLOCK_ACTIVE_UNIFORM_INDICES,
                                        GL_UNIFORM_BLOCK_REFERENCED_BY_VERTEX_SHADER,
                                        NO_ENUM,
                                        0};
    for (GLuint index = 0; index < 2; index++) {
        for (int i = 0; i < COUNT(parameters); i++) {
            ASK(glGetActiveUniformBlockiv(s->program, index, parameters[i], out.ints),
                "glGetActiveUniformBlockiv %s %u %x", s->name, index, parameters[i]);
        }
        for (int i = 0; i < COUNT(rooms); i++) {
            ASK(glGetActiveUniformBlockName(s->program, index, rooms[i], &out.text.length,
                                            out.text.text),
                "glGetActiveUniformBlockName %s %u %d", s->name, index, rooms[i]);
            ASK(glGetTransformFeedbackVarying(s->program, index, rooms[i], &out.text.length,
                                              &out.text.size, &out.text.type, out.text.text),
                "glGetTransformFeedbackVarying %s %u %d", s->name, index, rooms[i]);
        }
    }
    ASK_VALUE(glGetUniformBlockIndex(s->program, "Lights"), "glGetUniformBlockIndex %s", s->name);
    ASK_VALUE(glGetUniformBlockIndex(s->program, "none"), "glGetUniformBlockIndex %s none",
              s->name);
    ASK_VALUE(glGetFragDataLocation(s->program, "pixel"), "glGetFragDataLocation %s", s->name);
}

static void uniform_list_queries(const struct subject *s)
{
    static const GLenum parameters[] = {
        GL_UNIFORM_TYPE,         GL_UNIFORM_SIZE,          GL_UNIFORM_NAME_LENGTH,
        GL_UNIFORM_BLOCK_INDEX,  GL_UNIFORM_OFFSET,        GL_UNIFORM_ARRAY_STRIDE,
        GL_UNIFORM_IS_ROW_MAJOR, GL_UNIFORM_MATRIX_STRIDE, NO_ENUM};
    static const GLuint good[] = {0, 1, 2}, bad[] = {0, 99, 1};
    static const char *const names[] = {"shade", "none", "sun"};
    for (int i = 0; i < COUNT(parameters); i++) {
        ASK(glGetActiveUniformsiv(s->program, 3, good, parameters[i], out.ints),
            "glGetActiveUniformsiv %s %x", s->name, parameters[i]);
        ASK(glGetActiveUniformsiv(s->program, 3, bad, parameters[i], out.ints),
            "glGetActiveUniformsiv %s %x bad index", s->name, parameters[i]);
    }
    ASK(glGetActiveUniformsiv(s->program, -1, good, GL_UNIFORM_TYPE, out.ints),
        "glGetActiveUniformsiv %s -1", s->name);
    ASK(glGetActiveUniformsiv(s->program, 0, good, GL_UNIFORM_TYPE, out.ints),
        "glGetActiveUniformsiv %s 0", s->name);
    ASK(glGetUniformIndices(s->program, 3, names, out.names), "glGetUniformIndices %s", s->name);
    ASK(glGetUniformIndices(s->program, -1, names, out.names), "glGetUniformIndices %s -1",
        s->name);
    ASK(glGetUniformIndices(s->program, 0, names, out.names), "glGetUniformIndices %s 0", s->name);
}

static void interface_queries(const struct subject *s)
{
    static const GLenum interfaces[] = {GL_UNIFORM,
                                        GL_UNIFORM_BLOCK,
                                        GL_PROGRAM_INPUT,
                                        GL_PROGRAM_OUTPUT,
                                        GL_SHADER_STORAGE_BLOCK,
                                        GL_TRANSFORM_FEEDBACK_VARYING,
                                        NO_ENUM};
    static const GLenum parameters[] = {GL_ACTIVE_RESOURCES, GL_MAX_NAME_LENGTH,
                                        GL_MAX_NUM_ACTIVE_VARIABLES, NO_ENUM};
    static const GLenum props[][2] = {{GL_TYPE, GL_NAME_LENGTH},
                                      {GL_BUFFER_BINDING, GL_NUM_ACTIVE_VARIABLES},
                                      {GL_LOCATION, NO_ENUM}};
    for (int i = 0; i < COUNT(interfaces); i++) {
        GLenum interface = interfaces[i];
        for (int k = 0; k < COUNT(parameters); k++) {
            ASK(glGetProgramInterfaceiv(s->program, interface, parameters[k], out.ints),
                "glGetProgramInterfaceiv %s %x %x", s->name, interface, parameters[k]);
        }
        ASK_VALUE(glGetProgramResourceIndex(s->program, interface, "pixel"),
                  "glGetProgramResourceIndex %s %x", s->name, interface);
        ASK_VALUE(glGetProgramResourceLocation(s->program, interface, "pixel"),
                  "glGetProgramResourceLocation %s %x", s->name, interface);
        for (GLuint index = 0; index < 100; index += 99) {
            for (int k = 0; k < COUNT(rooms); k++) {
                ASK(glGetProgramResourceName(s->program, interface, index, rooms[k],
                                             &out.text.length, out.text.text),
                    "glGetProgramResourceName %s %x %u %d", s->name, interface, index, rooms[k]);
            }
            for (int k = 0; k < COUNT(props); k++) {
                ASK(glGetProgramResourceiv(s->program, interface, index, 2, props[k], 4,
                                           &out.text.length, out.ints + 1),
                    "glGetProgramResourceiv %s %x %u %x", s->name, interface, index, props[k][0]);
            }
            ASK(glGetProgramResourceiv(s->program, interface, index, 2, props[0], -1,
                                       &out.text.length, out.ints + 1),
                "glGetProgramResourceiv %s %x %u no room", s->name, interface, index);
            ASK(glGetProgramResourceiv(s->program, interface, index, -1, props[0], 4,
                                       &out.text.length, out.ints + 1),
                "glGetProgramResourceiv %s %x %u no props", s->name, interface, index);
        }
    }
}

static void more_program_queries(const struct subject *s)
{
    static const GLenum parameters[] = {GL_ACTIVE_UNIFORM_BLOCKS,
                                        GL_ACTIVE_UNIFORM_BLOCK_MAX_NAME_LENGTH,
                                        GL_TRANSFORM_FEEDBACK_BUFFER_MODE,
                                        GL_TRANSFORM_FEEDBACK_VARYINGS,
                                        GL_TRANSFORM_FEEDBACK_VARYING_MAX_LENGTH,
                                        GL_PROGRAM_BINARY_RETRIEVABLE_HINT,
                                        GL_PROGRAM_SEPARABLE,
                                        GL_ACTIVE_ATOMIC_COUNTER_BUFFERS,
                                        GL_COMPUTE_WORK_GROUP_SIZE};
    for (int i = 0; i < COUNT(parameters); i++) {
        ASK(glGetProgramiv(s->program, parameters[i], out.ints), "glGetProgramiv %s %x", s->name,
            parameters[i]);
    }
    ASK(glGetProgramBinary(s->program, -1, &out.text.length, &out.text.type, out.bytes + 16),
        "glGetProgramBinary %s -1", s->name);
    ASK(glGetProgramBinary(s->program, 1, &out.text.length, &out.text.type, out.bytes + 16),
        "glGetProgramBinary %s 1", s->name);
    ASK(glProgramBinary(s->program, NO_ENUM, s, 4), "glProgramBinary %s", s->name);
}

static void pipeline_queries(void)
{
    static const GLenum parameters[] = {GL_ACTIVE_PROGRAM,
                                        GL_VERTEX_SHADER,
                                        GL_FRAGMENT_SHADER,
                                        GL_COMPUTE_SHADER,
                                        GL_VALIDATE_STATUS,
                                        GL_INFO_LOG_LENGTH,
                                        NO_ENUM};
    GLuint names[4] = {UNKNOWN};
    glGenProgramPipelines(3, names + 1);
    glBindProgramPipeline(names[2]);
    glBindProgramPipeline(0);
    glDeleteProgramPipelines(1, &names[3]);
    for (int i = 0; i < COUNT(names); i++) {
        for (int k = 0; k < COUNT(parameters); k++) {
            ASK(glGetProgramPipelineiv(names[i], parameters[k], out.ints),
                "glGetProgramPipelineiv %d %x", i, parameters[k]);
        }
        for (int k = 0; k < COUNT(rooms); k++) {
            ASK(glGetProgramPipelineInfoLog(names[i], rooms[k], &out.text.length, out.text.text),
                "glGetProgramPipelineInfoLog %d %d", i, rooms[k]);
        }
        ASK_VALUE(glIsProgramPipeline(names[i]), "glIsProgramPipeline %d", i);
    }
}

void refused_blocks(void)
{
    struct refused_program p = refused_program(3);
    GLuint dead = glCreateProgram();
    glDeleteProgram(dead);
    const struct subject subjects[] = {{"zero", 0},
                                       {"unknown", UNKNOWN},
                                       {"deleted", dead},
                                       {"of the other kind", p.vertex},
                                       {"empty", glCreateProgram()},
                                       {"good", p.program}};
    for (int i = 0; i < COUNT(subjects); i++) {
        block_queries(&subjects[i]);
        uniform_list_queries(&subjects[i]);
        interface_queries(&subjects[i]);
        more_program_queries(&subjects[i]);
    }
    pipeline_queries();
}
