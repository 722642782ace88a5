/* Shaders and programs: unknown, deleted, of the other kind, not compiled or linked yet, and good
 * ones. */
#include "tests/integration/refused/refused.h"

#include <stdio.h>

struct subject {
    const char *name;
    GLuint shader, program;
};

enum { SUBJECTS = 6 };

static void subjects_make(struct subject s[SUBJECTS], const struct refused_program *p)
{
    GLuint dead_shader = glCreateShader(GL_VERTEX_SHADER), dead_program = glCreateProgram();
    glDeleteShader(dead_shader);
    glDeleteProgram(dead_program);
    s[0] = (struct subject){"zero", 0, 0};
    s[1] = (struct subject){"unknown", UNKNOWN, UNKNOWN};
    s[2] = (struct subject){"deleted", dead_shader, dead_program};
    s[3] = (struct subject){"of the other kind", p->program, p->vertex};
    s[4] = (struct subject){"empty", glCreateShader(GL_VERTEX_SHADER), glCreateProgram()};
    s[5] = (struct subject){"good", p->vertex, p->program};
}

static const GLenum shader_parameters[] = {
    GL_SHADER_TYPE,          GL_DELETE_STATUS,   GL_COMPILE_STATUS, GL_INFO_LOG_LENGTH,
    GL_SHADER_SOURCE_LENGTH, GL_ACTIVE_UNIFORMS, NO_ENUM,           0};
static const GLenum program_parameters[] = {GL_DELETE_STATUS,
                                            GL_LINK_STATUS,
                                            GL_VALIDATE_STATUS,
                                            GL_INFO_LOG_LENGTH,
                                            GL_ATTACHED_SHADERS,
                                            GL_ACTIVE_ATTRIBUTES,
                                            GL_ACTIVE_UNIFORMS,
                                            GL_ACTIVE_ATTRIBUTE_MAX_LENGTH,
                                            GL_SHADER_TYPE,
                                            GL_ACTIVE_UNIFORM_MAX_LENGTH,
                                            NO_ENUM,
                                            0};
/* Not 0: the native driver here writes the end of some names even then. */
static const GLsizei rooms[] = {-1, 1, 4, TEXT};

static void shader_queries(const struct subject *s)
{
    for (int i = 0; i < COUNT(shader_parameters); i++) {
        ASK(glGetShaderiv(s->shader, shader_parameters[i], out.ints), "glGetShaderiv %s %x",
            s->name, shader_parameters[i]);
    }
    for (int i = 0; i < COUNT(rooms); i++) {
        ASK(glGetShaderInfoLog(s->shader, rooms[i], &out.text.length, out.text.text),
            "glGetShaderInfoLog %s %d", s->name, rooms[i]);
        ASK(glGetShaderSource(s->shader, rooms[i], &out.text.length, out.text.text),
            "glGetShaderSource %s %d", s->name, rooms[i]);
        ASK(glGetShaderSource(s->shader, rooms[i], NULL, out.text.text),
            "glGetShaderSource %s %d without length", s->name, rooms[i]);
    }
    ASK_VALUE(glIsShader(s->shader), "glIsShader %s", s->name);
}

static void program_queries(const struct subject *s)
{
    for (int i = 0; i < COUNT(program_parameters); i++) {
        ASK(glGetProgramiv(s->program, program_parameters[i], out.ints), "glGetProgramiv %s %x",
            s->name, program_parameters[i]);
    }
    for (int i = 0; i < COUNT(rooms); i++) {
        ASK(glGetProgramInfoLog(s->program, rooms[i], &out.text.length, out.text.text),
            "glGetProgramInfoLog %s %d", s->name, rooms[i]);
        ASK(glGetAttachedShaders(s->program, rooms[i], &out.text.length, out.names + 3),
            "glGetAttachedShaders %s %d", s->name, rooms[i]);
        for (GLuint index = 0; index < 4; index++) {
            ASK(glGetActiveAttrib(s->program, index, rooms[i], &out.text.length, &out.text.size,
                                  &out.text.type, out.text.text),
                "glGetActiveAttrib %s %u %d", s->name, index, rooms[i]);
            ASK(glGetActiveUniform(s->program, index, rooms[i], &out.text.length, &out.text.size,
                                   &out.text.type, out.text.text),
                "glGetActiveUniform %s %u %d", s->name, index, rooms[i]);
        }
    }
    ASK_VALUE(glGetAttribLocation(s->program, "tint"), "glGetAttribLocation %s", s->name);
    ASK_VALUE(glGetAttribLocation(s->program, "gl_none"), "glGetAttribLocation %s gl_", s->name);
    ASK_VALUE(glGetUniformLocation(s->program, "shade"), "glGetUniformLocation %s", s->name);
    ASK_VALUE(glGetUniformLocation(s->program, "none"), "glGetUniformLocation %s none", s->name);
    ASK_VALUE(glIsProgram(s->program), "glIsProgram %s", s->name);
}

static void uniform_queries(const struct subject *s, GLuint good, int version)
{
    static const char *const uniforms[] = {"turn", "shade", "map", "none"};
    for (int i = 0; i <= COUNT(uniforms); i++) {
        const char *name = i < COUNT(uniforms) ? uniforms[i] : "77";
        GLint location = i < COUNT(uniforms) ? glGetUniformLocation(good, name) : 77;
        ASK(glGetUniformfv(s->program, location, out.floats), "glGetUniformfv %s %s", s->name,
            name);
        ASK(glGetUniformiv(s->program, location, out.ints), "glGetUniformiv %s %s", s->name, name);
        if (version >= 3) {
            ASK(glGetUniformuiv(s->program, location, out.names), "glGetUniformuiv %s %s", s->name,
                name);
        }
    }
}

void refused_programs(int version)
{
    static const GLenum kinds[] = {GL_VERTEX_SHADER, GL_FRAGMENT_SHADER, NO_ENUM, 0};
    static const GLenum formats[] = {GL_LOW_FLOAT, GL_HIGH_FLOAT, GL_HIGH_INT, NO_ENUM};
    struct subject s[SUBJECTS];
    struct refused_program p = refused_program(version);
    subjects_make(s, &p);
    for (int i = 0; i < SUBJECTS; i++) {
        shader_queries(&s[i]);
        program_queries(&s[i]);
        uniform_queries(&s[i], p.program, version);
    }
    for (int i = 0; i < COUNT(kinds); i++) {
        for (int k = 0; k < COUNT(formats); k++) {
            ASK(glGetShaderPrecisionFormat(kinds[i], formats[k], out.ints, out.ints + 2),
                "glGetShaderPrecisionFormat %x %x", kinds[i], formats[k]);
        }
        ASK_VALUE(glCreateShader(kinds[i]) != 0, "glCreateShader %x", kinds[i]);
    }
}
