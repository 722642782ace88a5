/* GLSL of a stranger's whose indices are to stay in their arrays (host/gles/hgl_clamp.h). What is
 * written stays as it is when it is written again, and has no index behind the name of a variable
 * of ours that is neither a number nor cut. Input: {u8 stage}, then a byte for each word of the
 * list here; from stage 128 on, a text as it is. */
#include "host/gles/hgl_clamp.h"
#include "transport/base/mem.h"

#include <GLES3/gl32.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 1 << 16, RAW = 128 };

static const char extensions[] = "GL_EXT_one GL_OES_two";

static const uint32_t stages[] = {GL_COMPUTE_SHADER, GL_TESS_CONTROL_SHADER,
                                  GL_TESS_EVALUATION_SHADER, GL_FRAGMENT_SHADER};

/* aa and so on: no word of the list holds them. */
static const char *const heads[] = {
    "#version 310 es\nstruct P { float f[3]; vec4 q; mat3 n[2]; };\nshared float aa[4];\nshared P "
    "bb[2];\nshared vec4 cc;\nshared mat4 dd;\nvoid f() {\n",
    "#version 320 es\nlayout(vertices = 3) out;\nin vec4 aa[];\nin B { vec4 f[3]; mat3 n; } "
    "bb[];\nout mat4 cc[];\npatch out vec4 dd[4];\nvoid f() {\n",
    "#version 320 es\nlayout(quads) in;\nin vec4 aa[];\npatch in B { vec4 f[3]; mat3 n; } "
    "bb;\npatch in mat4 cc;\npatch in vec4 dd[4];\nvoid f() {\n",
    "#version 320 es\nin float gl_ClipDistance[4];\nin vec4 aa[4];\nin B { mat3 n; vec4 f[2]; } "
    "bb;\nin mat4 cc;\nin vec4 dd[2];\nvoid f() {\n"};

static const char *const words[] = {"aa",
                                    "bb",
                                    "cc",
                                    "dd",
                                    "[",
                                    "]",
                                    "(",
                                    ")",
                                    ".",
                                    "f",
                                    "q",
                                    "n",
                                    "xy",
                                    "length",
                                    "i",
                                    "0",
                                    "3",
                                    ",",
                                    ";",
                                    "=",
                                    "==",
                                    "+",
                                    "++",
                                    "*",
                                    "{",
                                    "}",
                                    "int",
                                    "float",
                                    "vec4",
                                    "return",
                                    "else",
                                    "if",
                                    "for",
                                    "struct",
                                    "shared",
                                    "in",
                                    "out",
                                    "patch",
                                    "layout",
                                    "min",
                                    "uint",
                                    ">>",
                                    "-",
                                    "1",
                                    "\n",
                                    " ",
                                    "\\\n",
                                    "/*",
                                    "*/",
                                    "//",
                                    "\n#define ",
                                    "\n#undef ",
                                    "M",
                                    "N",
                                    "\n#if ",
                                    "\n#else\n",
                                    "\n#endif\n",
                                    "\n#ifdef ",
                                    "defined",
                                    "GL_ES",
                                    "&&",
                                    "aa[i]",
                                    "M(aa[i])",
                                    "gl_in",
                                    "[gl_InvocationID]",
                                    "\n#define M(x) x\n",
                                    "\n#define N aa\n",
                                    "GL_EXT_one",
                                    "const",
                                    "(i)",
                                    "\n#pragma x\n",
                                    "\n#line 7\n",
                                    "\n#definex aa\n",
                                    "#",
                                    "\\ \n",
                                    "\\",
                                    "?",
                                    ":",
                                    "gl_InvocationID",
                                    "gl_PatchVerticesIn",
                                    "Foo",
                                    "\n}\nvoid main() {\n",
                                    "\n}\nstruct Q { Foo f; };\nshared Q ee[2];\nvoid g() {\n",
                                    "ee[i].f.q",
                                    "[0]",
                                    "[i]"};
#define WORDS (sizeof words / sizeof words[0])

static size_t write_text(const uint8_t *data, size_t size, size_t stage, char *text)
{
    size_t used = strlen(heads[stage]);
    memcpy(text, heads[stage], used);
    for (size_t i = 0; i < size; i++) {
        const char *word = words[data[i] % WORDS];
        size_t length = strlen(word);
        bool is_apart = used != 0 && isalnum((unsigned char)text[used - 1]) != 0 &&
                        isalnum((unsigned char)*word) != 0;
        if (used + length + 8 > TEXT_MAX) {
            break;
        }
        if (is_apart) {
            text[used++] = ' ';
        }
        memcpy(text + used, word, length);
        used += length;
    }
    memcpy(text + used, "\n}\n", 3);
    return used + 3;
}

static void need(bool is_so)
{
    if (!is_so) {
        abort();
    }
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) != 0 || c == '_';
}

/* A declaration's brackets, or a member's: a type or a dot is in front. */
static bool is_declared(const char *text, const char *name)
{
    const char *p = name;
    while (p > text && (p[-1] == ' ' || p[-1] == '\n')) {
        p--;
    }
    return p > text && (is_word(p[-1]) || p[-1] == ']' || p[-1] == '}' || p[-1] == '.');
}

/* Behind spaces, and lines that are the compiler's. */
static const char *behind_lines(const char *p)
{
    while (*p == ' ' || *p == '\n' || *p == '#') {
        p += *p == '#' ? strcspn(p, "\n") : 1;
    }
    return p;
}

static bool is_bounded(const char *index)
{
    static const char *const fine[] = {" min(uint((", " gl_InvocationID ]"};
    for (size_t i = 0; i < 2; i++) {
        if (strncmp(index, fine[i], strlen(fine[i])) == 0) {
            return true;
        }
    }
    const char *p = behind_lines(index);
    bool has_digits = isdigit((unsigned char)*p) != 0;
    while (is_word(*p)) {
        p++;
    }
    return has_digits && *behind_lines(p) == ']';
}

/* Does the next preprocessor find nothing to do? */
static bool is_preprocessed(const char *text)
{
    static const char *const fine[] = {"#version ", "#pragma x\n", "#line 7\n"};
    for (const char *p = strchr(text, '#'); p != NULL; p = strchr(p + 1, '#')) {
        bool is_fine = false;
        for (size_t i = 0; i < 3; i++) {
            is_fine = is_fine || strncmp(p, fine[i], strlen(fine[i])) == 0;
        }
        if (!is_fine) {
            return false;
        }
    }
    return strchr(text, '\\') == NULL;
}

/* Of what is in the function's body: heads declare. What clears it all stands behind it. */
static void look(const char *text)
{
    const char *body = strstr(text, "void f ( ) {"), *end = strstr(text, "\nvoid main(){");
    need(is_preprocessed(text));
    for (const char *p = body; p != NULL && *p != '\0' && p != end; p++) {
        bool is_ours = (p[0] == 'a' || p[0] == 'b' || p[0] == 'c' || p[0] == 'd') && p[1] == p[0] &&
                       !is_word(p[2]) && !is_word(p[-1]);
        if (!is_ours || is_declared(text, p)) {
            continue;
        }
        const char *behind = behind_lines(p + 2);
        need(*behind != '[' || is_bounded(behind + 1));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > TEXT_MAX / 2) {
        return 0;
    }
    size_t stage = data[0] % 4;
    char *text = malloc(TEXT_MAX);
    struct hgl_clamped once = {0}, twice = {0};
    const char *why = NULL;
    size_t length = size - 1;
    if (text == NULL) {
        return 0;
    }
    if (data[0] >= RAW) {
        memcpy(text, data + 1, length);
    } else {
        length = write_text(data + 1, size - 1, stage, text);
    }
    enum sl_result result = hgl_clamp(stages[stage], text, length, extensions, &once, &why);
    need(result == SL_OK || why != NULL);
    if (result == SL_OK && once.text != NULL) {
        need(strlen(once.text) == once.size || data[0] >= RAW);
        if (data[0] < RAW) {
            look(once.text);
        }
        if (hgl_clamp(stages[stage], once.text, once.size, extensions, &twice, &why) == SL_OK &&
            twice.text != NULL) {
            need(twice.size == once.size && memcmp(twice.text, once.text, once.size) == 0);
        }
        sl_free(twice.text);
    }
    sl_free(once.text);
    free(text);
    return 0;
}
