/* Shader text and external textures. */
#include "tests/support/ggl_script.h"
#include "tests/support/slt.h"

#include "wire/gles2_opcodes.h"

#include <string.h>

static void init(struct ggl_script *s)
{
    ggl_script_init(s, 20, GGL_FEATURE_SLUICE | GGL_FEATURE_HOST_ERROR);
}
SLT_FIXTURE(ggl_program, struct ggl_script, init, ggl_script_finish);

struct scan_case {
    const char *label;
    const char *text;
    const char *want;  /* what the host sees */
    const char *names; /* externals, last declared first, joined by ',' */
};
static const struct scan_case scan_cases[] = {
    {"plain", "uniform sampler2D t;", "uniform sampler2D t;", ""},
    {"list", "uniform samplerExternalOES a, b[2] ,c;", "uniform sampler2D          a, b[2] ,c;",
     "c,b,a,"},
    {"alias", "#define S samplerExternalOES\nuniform S x;",
     "#define S sampler2D         \nuniform S x;", "x,"},
    {"longer_word", "uniform samplerExternalOES2 t;", "uniform samplerExternalOES2 t;", ""},
    {"extension", "  #extension GL_OES_EGL_image_external_essl3 : enable\nvoid main(){}",
     "                                                     \nvoid main(){}", ""},
    {"other_extension",
     "#extension GL_OES_standard_derivatives : enable\nuniform samplerExternalOES t;",
     "#extension GL_OES_standard_derivatives : enable\nuniform sampler2D          t;", "t,"},
    {"precision", "precision lowp samplerExternalOES;", "precision lowp sampler2D         ;", ""},
    {"end_of_text", "samplerExternalOES", "sampler2D         ", ""},
};

SLT_TEST_FP(ggl_program, hides_external_samplers, s, struct scan_case, scan_cases, c)
{
    char text[256], names[64] = "";
    SLT_ASSERT_TRUE(strlen(c->text) < sizeof text);
    strcpy(text, c->text);
    struct ggl_external_name *list = ggl_shader_scan(s->context, text);
    size_t length = strlen(c->text);
    SLT_EXPECT_EQ(length, strlen(text));
    size_t compared = strlen(c->want) < length ? strlen(c->want) : length;
    SLT_EXPECT_MEMEQ(c->want, text, compared);
    for (const struct ggl_external_name *name = list; name; name = name->next) {
        strcat(names, name->name);
        strcat(names, ",");
    }
    SLT_EXPECT_STREQ(c->names, names);
    ggl_external_names_free(list);
}

SLT_TEST_F(ggl_program, the_application_reads_back_its_own_text, s)
{
    (void)s;
    const char *text = "uniform samplerExternalOES t;";
    char out[64];
    GLsizei length = 0;
    ggl_glShaderSource(6, 1, &text, NULL);
    memset(out, 'x', sizeof out);
    ggl_glGetShaderSource(6, 12, &length, out);
    SLT_EXPECT_EQ(11, length);
    SLT_EXPECT_STREQ("uniform sam", out);
    SLT_EXPECT_EQ('x', out[12]);
    ggl_glGetShaderSource(6, 64, &length, out);
    SLT_EXPECT_STREQ(text, out);
}

SLT_TEST_F(ggl_program, lengths_and_missing_strings_are_respected, s)
{
    const char *text[] = {"abcdef", "gh"};
    const GLint lengths[] = {3, -1};
    size_t size;
    ggl_glShaderSource(6, 2, text, lengths);
    const uint8_t *p = ggl_script_take(s, &size);
    SLT_ASSERT_EQ(8u + 4 + 4 + 6 + 4, size);
    SLT_EXPECT_STREQ("abcgh", (const char *)p + 16);
    text[1] = NULL;
    ggl_glShaderSource(6, 2, text, lengths);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, s->context->error);
    s->context->error = 0;
    ggl_glShaderSource(6, -1, text, lengths);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_VALUE, s->context->error);
    s->context->error = 0;
    ggl_glShaderSource(6, 1, NULL, NULL);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_VALUE, s->context->error);
}

/* Our own host is asked for a link's tables only when something needs them. */
SLT_TEST_F(ggl_program, linking_and_uniforms_cost_one_packet_each, s)
{
    uint32_t opcodes[8];
    ggl_glAttachShader(5, 6);
    ggl_glLinkProgram(5);
    ggl_glUseProgram(5);
    ggl_glUniform1i(3, 4);
    const uint32_t want[] = {GLES2_OP_glAttachShader, GLES2_OP_glLinkProgram, GLES2_OP_glUseProgram,
                             GLES2_OP_glUniform1i};
    SLT_ASSERT_EQ(4u, ggl_script_opcodes(s, opcodes, 8));
    SLT_EXPECT_MEMEQ(want, opcodes, sizeof want);
}

/* The host knows nothing of external samplers: their names travel in the binary. */
SLT_TEST_F(ggl_program, a_loaded_binary_knows_its_external_samplers, s)
{
    const char *text = "uniform samplerExternalOES cam, t;";
    /* Answers with the error queries around them: the length; the length and size, format, bytes.
     */
    static const uint8_t lengths[] = {0, 0, 0, 0, 8, 0, 0, 0};
    static const uint8_t answer[] = {8, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0x5f, 0x87,
                                     0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0,    0};
    uint8_t binary[64];
    GLint size = 0;
    GLsizei length = 0;
    GLenum format = 0;
    ggl_glShaderSource(6, 1, &text, NULL);
    ggl_glAttachShader(5, 6);
    ggl_glLinkProgram(5);
    ggl_script_reply(s, lengths, sizeof lengths);
    ggl_glGetProgramiv(5, GL_PROGRAM_BINARY_LENGTH, &size);
    SLT_ASSERT_EQ(8 + (4 + 2) + 16, size);
    ggl_script_reply(s, answer, sizeof answer);
    ggl_glGetProgramBinary(5, (GLsizei)sizeof binary, &length, &format, binary);
    SLT_EXPECT_EQ(size, length);
    SLT_EXPECT_EQ(0x875fu, format);
    SLT_EXPECT_MEMEQ("\1\2\3\4\5\6\7\10", binary, 8);

    const struct ggl_program *loaded;
    ggl_glProgramBinary(7, format, binary, length);
    loaded = sl_map_find(&s->context->share->programs, 7);
    SLT_ASSERT_TRUE(loaded != NULL && loaded->externals != NULL && loaded->externals->next != NULL);
    bool first = strcmp(loaded->externals->name, "t") == 0;
    SLT_EXPECT_STREQ("t", first ? loaded->externals->name : loaded->externals->next->name);
    SLT_EXPECT_STREQ("cam", first ? loaded->externals->next->name : loaded->externals->name);

    /* The host gets what is the driver's; a binary cut short anywhere is no reason to crash. */
    size_t sent;
    (void)ggl_script_take(s, &sent);
    ggl_glProgramBinary(8, format, binary, length);
    (void)ggl_script_take(s, &sent);
    SLT_EXPECT_EQ(8u + 4 + 4 + 4 + 8 + 4, sent);
    for (GLsizei cut = 0; cut < length; cut++) {
        ggl_glProgramBinary(9, format, binary + cut, length - cut);
        ggl_glProgramBinary(9, format, binary, cut);
    }
    uint8_t lie[64] = {0};
    memcpy(lie, binary, (size_t)length);
    memset(lie + length - 4, 0xff, 4); /* more names than bytes */
    ggl_glProgramBinary(9, format, lie, length);
    loaded = sl_map_find(&s->context->share->programs, 9);
    SLT_EXPECT_TRUE(loaded == NULL || loaded->externals == NULL);
}

/* The unit that a sampler had before external textures appeared is asked of the host. */
SLT_TEST_F(ggl_program, units_follow_their_samplers, s)
{
    static const uint8_t table[] = {1, 0,    0,    0, 1, 0,   0, 0, 2, 0, 0, 0, 1, 0, 0,
                                    0, 0x5e, 0x8b, 0, 0, 't', 0, 0, 0, 0, 0, 2, 0, 0, 0};
    uint32_t opcodes[16];
    const char *text = "uniform samplerExternalOES t;";
    ggl_glShaderSource(6, 1, &text, NULL);
    ggl_glAttachShader(5, 6);
    ggl_glLinkProgram(5);
    (void)ggl_script_opcodes(s, opcodes, 16);
    ggl_script_reply(s, table, sizeof table);
    ggl_glUseProgram(5);
    SLT_EXPECT_EQ(
        1u + 6 + 3,
        ggl_script_opcodes(s, opcodes, 16)); /* six queries; unit 2 bound, unit 0 active again */
    SLT_EXPECT_TRUE(s->context->units[2].external);
    ggl_glActiveTexture(GL_TEXTURE2);
    ggl_glBindTexture(GL_TEXTURE_2D, 9);
    SLT_EXPECT_EQ(1u, ggl_script_opcodes(s, opcodes, 16)); /* the external one has the unit */
    GLint bound = 0;
    ggl_glGetIntegerv(GL_TEXTURE_BINDING_2D, &bound);
    SLT_EXPECT_EQ(9, bound);
    ggl_glTexParameteri(GL_TEXTURE_EXTERNAL_OES, GL_TEXTURE_MIN_FILTER, GL_NEAREST_MIPMAP_NEAREST);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_ENUM, s->context->error);
}

/* The table of a link's places is asked for with little room, then with what it needs; the next one
 * with as much at once. */
SLT_TEST_F(ggl_program, tables_of_places_find_their_room, s)
{
    enum { NEEDED = 1400, FIRST = 512 };
    uint8_t replies[4 + FIRST + 4 + NEEDED] = {0}, *table = replies + 4 + FIRST + 4;
    s->context->features |= GGL_FEATURE_LOCATIONS;
    sl_store_u32(replies, NEEDED);
    sl_store_u32(table - 4, NEEDED);
    sl_store_u32(table, 1); /* a uniform */
    sl_store_u32(table + 4, 7);
    sl_store_u32(table + 8, NEEDED - 12);
    memset(table + 12, 'n', NEEDED - 13);
    char name[NEEDED - 12] = {0};
    memset(name, 'n', sizeof name - 1);
    ggl_glLinkProgram(5);
    ggl_script_reply(s, replies, sizeof replies);
    SLT_EXPECT_EQ(7, ggl_glGetUniformLocation(5, name));
    SLT_EXPECT_EQ(sizeof replies, s->read);
    size_t size;
    (void)ggl_script_take(s, &size);
    ggl_glLinkProgram(5);
    ggl_script_reply(s, table - 4, 4 + NEEDED);
    SLT_EXPECT_EQ(7, ggl_glGetUniformLocation(5, name));
    SLT_EXPECT_EQ((size_t)4 + NEEDED, s->read);
}

SLT_TEST_F(ggl_program, joined_names_refuse_what_the_wire_cannot_say, s)
{
    const char *names[] = {"a", "b;c"};
    GLuint indices[2] = {7, 7};
    ggl_glGetUniformIndices(5, 2, names, indices);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, s->context->error);
    SLT_EXPECT_EQ(7u, indices[0]);
    s->context->error = 0;
    s->context->features &= ~(uint32_t)GGL_FEATURE_SLUICE; /* our own host finds it itself */
    ggl_glTransformFeedbackVaryings(5, -1, names, GL_SEPARATE_ATTRIBS);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_VALUE, s->context->error);
}

SLT_TEST_F(ggl_program, logs_end_where_the_host_says, s)
{
    static const uint8_t reply[] = {0, 0, 0, 0, 3, 0, 0, 0, 'l', 'o', 'g', 0, 9, 9, 9, 9};
    char out[8];
    GLsizei length;
    memset(out, 'x', sizeof out);
    ggl_script_reply(s, reply, sizeof reply);
    ggl_glGetShaderInfoLog(6, 8, &length, out);
    SLT_EXPECT_EQ(3, length);
    SLT_EXPECT_MEMEQ("log\0xxxx", out, 8);
    static const uint8_t lie[] = {0xff, 0xff, 0xff, 0x7f, 'l', 'o'};
    ggl_script_reply(s, lie, sizeof lie);
    ggl_glGetShaderInfoLog(6, 4, &length, out);
    SLT_EXPECT_EQ(3, length);
    SLT_EXPECT_EQ('x', out[4]);
}
