/* One case from set-up to leak check: the jump out of it, its scopes, its log, its clock, its
 * temporary directory. */
#include "tests/support/slt_bridge.h"
#include "tests/support/slt_state.h"
#include "tests/support/slt_leak.h"
#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SECONDS 60u
#define LOGS_MAX        32
#define LOG_SIZE        512
#define LOG_TRIES       300u /* of 10 ms */

struct log_line {
    char module[32];
    char text[LOG_SIZE];
    bool error;
    bool expected;
};

struct log_wish {
    const char *file;
    int line;
    char module[32];
    char text[LOG_SIZE];
    bool met;
};

/* The running case. One at a time: googletest runs cases one after the other. */
static struct {
    jmp_buf out;
    pthread_t thread;
    bool inside;
    const char *name;
    char tmpdir[256];
    char data_path[4][512];
    unsigned data_next;
    bool leaks_allowed;
    pthread_mutex_t lock; /* guards the log lines: any thread logs */
    struct log_line lines[LOGS_MAX];
    size_t line_count;
    struct log_wish wishes[LOGS_MAX];
    size_t wish_count;
} now = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct slt_case *first_case, **last_case = &first_case;
static struct slt_suite *first_suite;

void slt_add_case(struct slt_case *c)
{
    *last_case = c;
    last_case = &c->next;
}

void slt_add_suite(struct slt_suite *s)
{
    s->next = first_suite;
    first_suite = s;
}

struct slt_case *slt_cases(void)
{
    return first_case;
}

struct slt_suite *slt_find_suite(const char *name)
{
    struct slt_suite *s = first_suite;
    while (s != NULL && strcmp(s->name, name) != 0) {
        s = s->next;
    }
    return s;
}

/* Scopes */

static _Thread_local char scopes[SLT_SCOPES_MAX][160];
static _Thread_local int scope_count;

struct slt_scope slt_scope_push(const char *format, ...)
{
    if (scope_count == SLT_SCOPES_MAX) {
        return (struct slt_scope){false};
    }
    va_list args;
    va_start(args, format);
    vsnprintf(scopes[scope_count++], sizeof scopes[0], format, args);
    va_end(args);
    return (struct slt_scope){true};
}

void slt_scope_pop(struct slt_scope *scope)
{
    scope_count -= scope->pushed;
}

/* Ends */

static _Noreturn void leave(const struct slt_site *site, const char *text)
{
    if (!now.inside || !pthread_equal(now.thread, pthread_self())) {
        fprintf(stderr,
                "%s:%d: SLT_ASSERT or SLT_SKIP off the test's thread: use SLT_EXPECT there\n%s\n",
                site->file, site->line, text);
        abort();
    }
    longjmp(now.out, 1);
}

void slt_end_check(const struct slt_site *site, const char *text)
{
    char full[4096];
    int size = snprintf(full, sizeof full, "%s", text);
    for (int i = scope_count - 1; i >= 0 && size >= 0 && (size_t)size < sizeof full; i--) {
        size += snprintf(full + size, sizeof full - (size_t)size, "\n  in %s", scopes[i]);
    }
    slt_report_failure(site->file, site->line, full);
    if (site->fatal) {
        leave(site, full);
    }
}

/* Is the skip on the list? A line is: suite.name pattern, blank, why. */
static bool skip_is_expected(const char *name)
{
    FILE *file = fopen(SLT_SOURCE_DIR "/tests/expected-skips.txt", "re");
    bool found = false;
    char line[512];
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, " \t\n")] = '\0';
        found = line[0] != '#' && line[0] != '\0' && fnmatch(line, name, 0) == 0;
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

void slt_skip(const struct slt_site *site, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (getenv("SLUICE_STRICT_SKIPS") != NULL && !skip_is_expected(now.name)) {
        char failure[1024];
        snprintf(failure, sizeof failure,
                 "unexpected skip of %s: %s\n  not in tests/expected-skips.txt", now.name, text);
        slt_report_failure(site->file, site->line, failure);
    } else {
        slt_report_skip(site->file, site->line, text);
    }
    leave(site, text);
}

static bool opens(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static bool loads(const char *library)
{
    void *handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    if (handle != NULL) {
        dlclose(handle);
    }
    return handle != NULL;
}

void slt_need(const struct slt_site *site, unsigned needs)
{
    if ((needs & SLT_GPU) && !opens("/dev/dri/renderD128")) {
        slt_skip(site, "no render node");
    }
    if ((needs & SLT_VULKAN) && !loads("libvulkan.so.1")) {
        slt_skip(site, "no Vulkan loader");
    }
    if ((needs & SLT_KVM) && !opens("/dev/kvm")) {
        slt_skip(site, "no KVM");
    }
    if ((needs & SLT_EGL) && !loads("libEGL.so.1")) {
        slt_skip(site, "no native EGL library");
    }
    if ((needs & SLT_X11) && getenv("DISPLAY") == NULL) {
        slt_skip(site, "no X display");
    }
}

/* The log */

static void hear(void *user, enum sl_log_level level, const char *module, const char *text)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    (void)user;
    fprintf(stderr, "log: %s: %s: %s\n", names[level], module, text);
    if (level > SL_LOG_WARN) {
        return;
    }
    pthread_mutex_lock(&now.lock);
    if (now.line_count < LOGS_MAX) {
        struct log_line *line = &now.lines[now.line_count++];
        snprintf(line->module, sizeof line->module, "%s", module);
        snprintf(line->text, sizeof line->text, "%s", text);
        line->error = level == SL_LOG_ERROR;
        line->expected = false;
    }
    pthread_mutex_unlock(&now.lock);
}

void slt_expect_log(const struct slt_site *site, const char *module, const char *text)
{
    if (now.wish_count == LOGS_MAX) {
        slt_fail(site, "more than %d expected log lines", LOGS_MAX);
        return;
    }
    struct log_wish *wish = &now.wishes[now.wish_count++];
    *wish = (struct log_wish){.file = site->file, .line = site->line};
    snprintf(wish->module, sizeof wish->module, "%s", module);
    snprintf(wish->text, sizeof wish->text, "%s", text);
}

/* How many lines there are; *all_met: the announced ones are among them. */
static size_t meet_wishes(bool *all_met)
{
    pthread_mutex_lock(&now.lock);
    size_t count = now.line_count;
    pthread_mutex_unlock(&now.lock);
    *all_met = true;
    for (size_t j = 0; j < now.wish_count; j++) {
        struct log_wish *wish = &now.wishes[j];
        for (size_t i = 0; i < count; i++) {
            struct log_line *line = &now.lines[i];
            if (strcmp(line->module, wish->module) == 0 && strstr(line->text, wish->text) != NULL) {
                wish->met = line->expected = true;
            }
        }
        *all_met = *all_met && wish->met;
    }
    return count;
}

static void check_log(const struct slt_case *c)
{
    bool all_met;
    size_t count = meet_wishes(&all_met);
    for (unsigned tries = 0; tries < LOG_TRIES && !all_met; tries++) { /* another thread says it */
        sl_clock_sleep_ns(10 * SL_NS_PER_MS);
        count = meet_wishes(&all_met);
    }
    for (size_t i = 0; i < count; i++) {
        const struct log_line *line = &now.lines[i];
        if (line->error && !line->expected) {
            char text[LOG_SIZE + 128];
            snprintf(text, sizeof text, "unexpected error in the log: %s: %s", line->module,
                     line->text);
            slt_report_failure(c->file, c->line, text);
        }
    }
    for (size_t j = 0; j < now.wish_count; j++) {
        if (!now.wishes[j].met) {
            char text[LOG_SIZE + 128];
            snprintf(text, sizeof text, "no log line of %s contained: %s", now.wishes[j].module,
                     now.wishes[j].text);
            slt_report_failure(now.wishes[j].file, now.wishes[j].line, text);
        }
    }
}

/* The clock */

static void put_raw(const char *text)
{
    ssize_t done = write(STDERR_FILENO, text, strlen(text));
    (void)done;
}

static void on_alarm(int signal_number)
{
    (void)signal_number;
    put_raw("\nslt: the case ran out of its time (SLT_TIMEOUT): ");
    put_raw(now.name);
    put_raw("\n");
    abort();
}

static bool traced(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    int tracer = 0;
    while (status != NULL && fgets(line, sizeof line, status) != NULL &&
           sscanf(line, "TracerPid: %d", &tracer) != 1) {
    }
    if (status != NULL) {
        fclose(status);
    }
    return tracer != 0;
}

void slt_timeout(unsigned seconds)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    seconds *= 4;
#endif
    if (seconds != 0 && traced()) {
        return;
    }
    signal(SIGALRM, on_alarm);
    alarm(seconds);
}

static unsigned seconds_asked; /* 0: nobody did */

void slt_set_seconds(unsigned seconds)
{
    seconds_asked = seconds;
}

unsigned slt_seconds(unsigned usual)
{
    return seconds_asked != 0 ? seconds_asked : usual;
}

/* Files */

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

const char *slt_tmpdir(void)
{
    if (now.tmpdir[0] == '\0') {
        const char *base = getenv("TMPDIR");
        snprintf(now.tmpdir, sizeof now.tmpdir, "%s/slt-XXXXXX", base != NULL ? base : "/tmp");
        if (mkdtemp(now.tmpdir) == NULL) {
            now.tmpdir[0] = '\0';
            slt_fail(SLT_SITE_(true), "no temporary directory");
        }
    }
    return now.tmpdir;
}

const char *slt_data(const char *name)
{
    char *path = now.data_path[now.data_next++ % 4];
    snprintf(path, sizeof now.data_path[0], "%s/tests/data/%s", SLT_SOURCE_DIR, name);
    return path;
}

void slt_fail_alloc(uint64_t n)
{
    sl_alloc_fail_after(n);
}

void slt_allow_leaks(const char *reason)
{
    (void)reason;
    now.leaks_allowed = true;
}

/* Running */

static void begin(const char *name)
{
    now.name = name;
    now.thread = pthread_self();
    now.line_count = now.wish_count = 0;
    now.leaks_allowed = false;
    scope_count = 0;
    sl_log_set_callback(hear, NULL);
    slt_timeout(DEFAULT_SECONDS);
}

static void end(const struct slt_case *c)
{
    slt_fail_alloc(UINT64_MAX);
    slt_timeout(0);
    check_log(c);
    if (now.tmpdir[0] != '\0') {
        nftw(now.tmpdir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        now.tmpdir[0] = '\0';
    }
}

/* setjmp stands alone in a function whose locals the jump cannot spoil. */
static void guard_body(const struct slt_case *c, void *fixture, const void *param)
{
    now.inside = true;
    if (setjmp(now.out) == 0) {
        if (c->fixture != NULL) {
            c->fixture->init(fixture);
        }
        c->run(fixture, param);
    }
    now.inside = false;
}

/* What a repeat does before it is the same body again. */
static void guard_again(const struct slt_case *c, void *fixture, const void *param)
{
    slt_timeout(DEFAULT_SECONDS);
    pthread_mutex_lock(&now.lock);
    now.line_count = 0;
    pthread_mutex_unlock(&now.lock);
    now.wish_count = 0;
    now.inside = true;
    if (setjmp(now.out) == 0) {
        c->fixture->again(fixture);
        c->run(fixture, param);
    }
    now.inside = false;
}

static void repeat(const struct slt_case *c, void *fixture, const void *param, unsigned long times)
{
    struct slt_growth growth;
    uint64_t end = sl_clock_ns() + slt_seconds(DEFAULT_SECONDS) * SL_NS_PER_S;
    unsigned long warm = times / 10 + 1;
    unsigned long done = 1;
    for (; done < times && !slt_is_over() && (done < 2 * warm || sl_clock_ns() < end); done++) {
        if (done == warm) {
            slt_growth_begin(&growth);
        }
        guard_again(c, fixture, param);
    }
    char text[1024];
    if (!slt_is_over() && done > warm && slt_growth_end(&growth, done - warm, text, sizeof text)) {
        slt_report_failure(c->file, c->line, text);
    }
    fprintf(stderr, "repeats: %lu of %lu\n", done, times);
}

static void guard_finish(const struct slt_case *c, void *fixture)
{
    now.inside = true;
    if (setjmp(now.out) == 0) {
        c->fixture->finish(fixture);
    }
    now.inside = false;
}

void slt_run_case(const struct slt_case *c, const void *param, const char *full_name)
{
    void *fixture = c->fixture != NULL ? calloc(1, c->fixture->size) : NULL;
    begin(full_name);
    struct slt_census before;
    slt_census_take(&before);
    guard_body(c, fixture, param);
    const char *times = getenv("SLUICE_REPEAT");
    if (times != NULL && c->fixture != NULL && c->fixture->again != NULL) {
        repeat(c, fixture, param, strtoul(times, NULL, 10));
    }
    scope_count = 0;
    if (c->fixture != NULL) {
        slt_fail_alloc(UINT64_MAX);
        guard_finish(c, fixture);
    }
    if (!now.leaks_allowed) {
        char text[1024];
        if (slt_census_differs(&before, text, sizeof text)) {
            slt_report_failure(c->file, c->line, text);
        }
    }
    end(c);
    free(fixture);
}

void slt_run_guarded(void (*fn)(void))
{
    begin("suite set-up");
    now.inside = true;
    if (fn != NULL && setjmp(now.out) == 0) {
        fn();
    }
    now.inside = false;
    slt_timeout(0);
}
