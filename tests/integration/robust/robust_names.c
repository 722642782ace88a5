/* Whether eglGetProcAddress finds each function of every OpenGL, and what those answer that the
 * current context has not: functions of other versions, of desktop GL, of extensions that are not
 * offered, and names that nobody has.
 *
 * main: robust_names --scene names1|names2. Plain EGL; knows nothing of Sluice.
 * robust_sweep_test.py compares a native run with one through Sluice. */
#include "tests/integration/robust/robust_names.h"

#include "tests/integration/plain_egl.h"

#include <GLES2/gl2.h>
#include <stdio.h>
#include <string.h>

enum { MEMORY = 65536 };

static bool has_word(const char *list, const char *word, size_t length)
{
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += length) {
        if ((at == list || at[-1] == ' ') && (at[length] == 0 || at[length] == ' ')) {
            return true;
        }
    }
    return false;
}

/* Does the context have it? */
static bool is_there(const struct robust_name *n, int api, const char *offered)
{
    bool there = n->has[api].core;
    for (const char *at = n->has[api].extensions; *at != 0 && !there;) {
        char word[128];
        size_t length = strcspn(at, " ");
        snprintf(word, sizeof word, "%.*s", (int)length, at);
        there = has_word(offered, word, length);
        at += length + (at[length] != 0);
    }
    return there;
}

/* Mesa has these whatever it offers, and its software driver dies of them. */
static bool is_deadly(const char *name)
{
    return strstr(name, "PerfQuer") != NULL || strstr(name, "PerfMonitor") != NULL ||
           strstr(name, "PerfCounter") != NULL;
}

static void name_say(const struct robust_name *n, int api, const char *offered)
{
    static char memory[MEMORY];
    void (*found)(void) = eglGetProcAddress(n->name);
    printf("%s = %s", n->name, found != NULL ? "found" : "not found");
    bool deadly = is_deadly(n->name);
    if (deadly || is_there(n, api, offered)) {
        puts(deadly ? " deadly" : " offered"); /* the latter are robust.c's */
        return;
    }
    fflush(stdout); /* a driver that dies leaves the call that it dies of */
    memset(memory, 0, sizeof memory);
    if (found != NULL) {
        n->call(found, memory);
    }
    printf(" : %x\n", glGetError());
}

int main(int argc, char **argv)
{
    bool second = argc == 3 && strcmp(argv[2], "names2") == 0;
    if (!second && (argc != 3 || strcmp(argv[2], "names1") != 0)) {
        fputs("usage: robust_names --scene names1|names2\n", stderr);
        return 2;
    }
    static char offered[16384];
    struct plain_egl egl;
    plain_egl_open(&egl);
    EGLContext context = plain_egl_context(&egl, second ? 2 : 1, EGL_NO_CONTEXT);
    plain_egl_current(&egl, plain_egl_pbuffer(&egl, 16), context);
    snprintf(offered, sizeof offered, "%s", (const char *)glGetString(GL_EXTENSIONS));
    for (int i = 0; i < robust_name_count; i++) {
        name_say(&robust_names[i], second ? ROBUST_GLES2 : ROBUST_GLES1, offered);
    }
    plain_egl_close(&egl);
    return 0;
}
