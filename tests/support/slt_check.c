/* The checks: compare, and say expression, want and got in full when they fail. */
#include "tests/support/slt_bridge.h"
#include "tests/support/slt_state.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_SIZE 2048

struct text {
    char data[TEXT_SIZE];
    size_t size;
};

static void add(struct text *t, const char *format, ...) SL_PRINTF(2, 3);
static void add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int more = vsnprintf(t->data + t->size, sizeof t->data - t->size, format, args);
    va_end(args);
    if (more > 0) {
        t->size += (size_t)more;
        t->size = t->size < sizeof t->data ? t->size : sizeof t->data - 1;
    }
}

static void add_value(struct text *t, struct slt_value v)
{
    switch (v.kind) {
    case SLT_SIGNED:
        add(t, "%lld (0x%llx)", v.i, v.u);
        break;
    case SLT_UNSIGNED:
        add(t, "%llu (0x%llx)", v.u, v.u);
        break;
    case SLT_FLOAT:
        add(t, "%.9g", v.f);
        break;
    case SLT_POINTER:
        add(t, "%p", (const void *)v.p);
        break;
    }
}

static double as_double(struct slt_value v)
{
    return v.kind == SLT_FLOAT ? v.f : v.kind == SLT_SIGNED ? (double)v.i : (double)v.u;
}

/* -1, 0, 1, or 2 for "not comparable" (NaN). Integers by value whatever their signedness. */
static int order(struct slt_value a, struct slt_value b)
{
    if (a.kind == SLT_FLOAT || b.kind == SLT_FLOAT) {
        double x = as_double(a), y = as_double(b);
        return x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;
    }
    bool a_negative = a.kind == SLT_SIGNED && a.i < 0;
    bool b_negative = b.kind == SLT_SIGNED && b.i < 0;
    if (a_negative != b_negative) {
        return a_negative ? -1 : 1;
    }
    /* Same sign: two's complement keeps the order of the bits. A pointer's bits are its value. */
    unsigned long long x = a.kind == SLT_POINTER ? (uintptr_t)a.p : a.u;
    unsigned long long y = b.kind == SLT_POINTER ? (uintptr_t)b.p : b.u;
    return x < y ? -1 : x > y;
}

static bool holds(enum slt_op op, int ordered)
{
    switch (op) {
    case SLT_OP_EQ:
        return ordered == 0;
    case SLT_OP_NE:
        return ordered != 0;
    case SLT_OP_LT:
        return ordered == -1;
    case SLT_OP_LE:
        return ordered == -1 || ordered == 0;
    case SLT_OP_GT:
        return ordered == 1;
    case SLT_OP_GE:
        return ordered == 1 || ordered == 0;
    }
    return false;
}

void slt_compare(const struct slt_site *site, enum slt_op op, const char *a_text,
                 const char *b_text, struct slt_value a, struct slt_value b)
{
    if (holds(op, order(a, b))) {
        return;
    }
    struct text t = {.size = 0};
    if (op == SLT_OP_EQ) {
        add(&t, "%s\n  want ", b_text);
        add_value(&t, a);
        add(&t, "   (%s)\n  got  ", a_text);
        add_value(&t, b);
    } else {
        static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
        add(&t, "%s %s %s does not hold\n  left  ", a_text, signs[op], b_text);
        add_value(&t, a);
        add(&t, "\n  right ");
        add_value(&t, b);
    }
    slt_end_check(site, t.data);
}

void slt_true(const struct slt_site *site, const char *text, bool value)
{
    if (!value) {
        slt_fail(site, "%s is false", text);
    }
}

void slt_null(const struct slt_site *site, const char *text, const volatile void *value)
{
    if (value != NULL) {
        slt_fail(site, "%s\n  want NULL\n  got  %p", text, (const void *)value);
    }
}

void slt_streq(const struct slt_site *site, const char *text, const char *want, const char *got)
{
    if (want == got || (want != NULL && got != NULL && strcmp(want, got) == 0)) {
        return;
    }
    struct text t = {.size = 0};
    add(&t, "%s\n  want %s%.900s%s\n", text, want ? "\"" : "", want ? want : "NULL",
        want ? "\"" : "");
    add(&t, "  got  %s%.900s%s", got ? "\"" : "", got ? got : "NULL", got ? "\"" : "");
    slt_end_check(site, t.data);
}

static void add_bytes(struct text *t, const char *name, const uint8_t *p, size_t from, size_t to,
                      size_t at)
{
    add(t, "\n  %s", name);
    for (size_t i = from; i < to; i++) {
        add(t, i == at ? " [%02x]" : " %02x", p[i]);
    }
}

void slt_memeq(const struct slt_site *site, const char *text, const void *want, const void *got,
               size_t size)
{
    const uint8_t *a = want, *b = got;
    if (size == 0 || (a != NULL && b != NULL && memcmp(a, b, size) == 0)) {
        return;
    }
    struct text t = {.size = 0};
    if (a == NULL || b == NULL) {
        add(&t, "%s\n  want %p\n  got  %p", text, want, got);
    } else {
        size_t at = 0;
        while (a[at] == b[at]) {
            at++;
        }
        size_t from = at > 8 ? at - 8 : 0;
        size_t to = size - from > 16 ? from + 16 : size;
        add(&t, "%s: first difference at offset %zu of %zu; bytes from %zu:", text, at, size, from);
        add_bytes(&t, "want", a, from, to, at);
        add_bytes(&t, "got ", b, from, to, at);
    }
    slt_end_check(site, t.data);
}

void slt_near(const struct slt_site *site, const char *text, double want, double got,
              double distance)
{
    if (!(fabs(want - got) <= distance)) {
        slt_fail(site, "%s\n  want %.9g within %.9g\n  got  %.9g", text, want, distance, got);
    }
}

void slt_result(const struct slt_site *site, const char *text, enum sl_result want,
                enum sl_result got)
{
    if (want != got) {
        slt_fail(site, "%s\n  want %s (%d)\n  got  %s (%d)", text, sl_result_name(want), want,
                 sl_result_name(got), got);
    }
}

void slt_fail(const struct slt_site *site, const char *format, ...)
{
    char text[TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    slt_end_check(site, text);
}

void slt_death(const struct slt_site *site, const char *text, void (*fn)(void *arg), void *arg)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit none = {0};
        setrlimit(RLIMIT_CORE, &none);
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(0);
        }
        fn(arg);
        _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
        slt_fail(site, "%s: no child process", text);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        slt_fail(site, "%s: the process should have died and did not", text);
    }
}

static char *read_all(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    char *data = NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        long size = ftell(file);
        rewind(file);
        data = size >= 0 ? calloc(1, (size_t)size + 1) : NULL;
        if (data != NULL && fread(data, 1, (size_t)size, file) != (size_t)size) {
            free(data);
            data = NULL;
        }
    }
    fclose(file);
    return data;
}

void slt_golden(const struct slt_site *site, const char *name, const char *text)
{
    char relative[256];
    snprintf(relative, sizeof relative, "golden/%s", name);
    const char *path = slt_data(relative);
    if (getenv("SLUICE_UPDATE_GOLDEN") != NULL) {
        FILE *file = fopen(path, "wb");
        bool written = file != NULL && fputs(text, file) >= 0;
        if (file == NULL || fclose(file) != 0 || !written) {
            slt_fail(site, "golden %s: cannot write", path);
        }
        return;
    }
    char *want = read_all(path);
    if (want == NULL) {
        slt_fail(site, "golden %s: cannot read; SLUICE_UPDATE_GOLDEN=1 writes it", path);
        return;
    }
    size_t at = 0, line = 1;
    for (; want[at] == text[at] && want[at] != '\0'; at++) {
        line += want[at] == '\n';
    }
    char difference[512];
    bool same = want[at] == text[at];
    snprintf(difference, sizeof difference,
             "golden %s differs in line %zu:\n  want ...%.60s\n  got  ...%.60s", name, line,
             want + at, text + at);
    free(want);
    if (!same) {
        slt_end_check(site, difference);
    }
}
