#include "transport/base/log.h"
#include "transport/base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_SIZE 1024
#define MODULES_MAX   32
#define NAME_SIZE     16
#define INHERIT       (-1)

/* One module's own level. name is written once, before module_count publishes the slot; level by
 * set_levels. */
struct module_level {
    char name[NAME_SIZE];
    int level; /* enum sl_log_level or INHERIT */
};

/* The log is the one piece of global state. Readers take no lock, so that a fork() in another
 * thread's middle of a line cannot leave one held. */
static struct module_level modules[MODULES_MAX];
static uint32_t module_count; /* release after the slot is written, acquire before it is read */
static int default_level = SL_LOG_WARN;
static pthread_mutex_t writer_lock = PTHREAD_MUTEX_INITIALIZER; /* guards changes of the levels */
static pthread_once_t first_use = PTHREAD_ONCE_INIT;
static sl_log_fn callback;
static void *callback_user;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static int find_level(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (strlen(level_names[i]) == size && memcmp(level_names[i], name, size) == 0) {
            return (int)i;
        }
    }
    return INHERIT;
}

/* One part of a spec, up to its comma: "warn" or "asg=debug". name_size is 0 for the default level.
 */
struct part {
    const char *name;
    size_t name_size;
    int level;
};

/* Reads one part and moves on; false at a part that is wrong. */
static bool next_part(const char **spec, struct part *part)
{
    size_t size = strcspn(*spec, ",");
    const char *equals = memchr(*spec, '=', size);
    *part = (struct part){.name = *spec};
    const char *level = *spec;
    if (equals != NULL) {
        part->name_size = (size_t)(equals - *spec);
        level = equals + 1;
    }
    part->level = find_level(level, size - (size_t)(level - *spec));
    *spec += size;
    *spec += **spec == ',' ? 1 : 0;
    return part->level != INHERIT &&
           (equals == NULL || (part->name_size > 0 && part->name_size < NAME_SIZE));
}

static void set_module(const struct part *part)
{
    uint32_t count = __atomic_load_n(&module_count, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < count; i++) {
        if (strlen(modules[i].name) == part->name_size &&
            memcmp(modules[i].name, part->name, part->name_size) == 0) {
            __atomic_store_n(&modules[i].level, part->level, __ATOMIC_RELAXED);
            return;
        }
    }
    if (count < MODULES_MAX) {
        memcpy(modules[count].name, part->name, part->name_size);
        modules[count].level = part->level;
        /* Pairs with the acquire in level_of: whoever sees the count sees the slot. */
        __atomic_store_n(&module_count, count + 1, __ATOMIC_RELEASE);
    }
}

static enum sl_result set_levels(const char *spec)
{
    struct part part;
    for (const char *p = spec; *p != '\0';) {
        if (!next_part(&p, &part)) {
            return SL_ERR_INVALID;
        }
    }
    pthread_mutex_lock(&writer_lock);
    __atomic_store_n(&default_level, SL_LOG_WARN, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < module_count; i++) {
        __atomic_store_n(&modules[i].level, INHERIT, __ATOMIC_RELAXED);
    }
    for (const char *p = spec; *p != '\0' && next_part(&p, &part);) {
        if (part.name_size == 0) {
            __atomic_store_n(&default_level, part.level, __ATOMIC_RELAXED);
        } else {
            set_module(&part);
        }
    }
    pthread_mutex_unlock(&writer_lock);
    return SL_OK;
}

static void put_line(enum sl_log_level level, const char *module, const char *text)
{
    if (callback != NULL) {
        callback(callback_user, level, module, text);
        return;
    }
    char line[LINE_MAX_SIZE + 64];
    int size =
        snprintf(line, sizeof line, "sluice: %s: %s: %s\n", level_names[level], module, text);
    if (size <= 0) {
        return;
    }
    size_t length = (size_t)size < sizeof line ? (size_t)size : sizeof line - 1;
    line[length - 1] = '\n';
    /* One write, so that lines of several processes do not mix. A closed stderr is nobody's
     * problem. */
    ssize_t written = write(STDERR_FILENO, line, length);
    (void)written;
}

static void read_environment(void)
{
    const char *spec = getenv("SLUICE_LOG");
    if (spec != NULL && set_levels(spec) != SL_OK) {
        put_line(SL_LOG_WARN, "log",
                 "SLUICE_LOG is not understood; it should be like \"warn,asg=debug\" "
                 "with the levels error, warn, info and debug");
    }
}

static int level_of(const char *module)
{
    uint32_t count = __atomic_load_n(&module_count, __ATOMIC_ACQUIRE); /* pairs with set_module */
    for (uint32_t i = 0; i < count; i++) {
        int level = __atomic_load_n(&modules[i].level, __ATOMIC_RELAXED);
        if (level != INHERIT && strcmp(modules[i].name, module) == 0) {
            return level;
        }
    }
    return __atomic_load_n(&default_level, __ATOMIC_RELAXED);
}

void sl_log_set_callback(sl_log_fn fn, void *user)
{
    callback = fn;
    callback_user = user;
}

enum sl_result sl_log_set_levels(const char *spec)
{
    pthread_once(&first_use, read_environment);
    return set_levels(spec);
}

bool sl_log_on(enum sl_log_level level, const char *module)
{
    pthread_once(&first_use, read_environment);
    return (int)level <= level_of(module);
}

void sl_log(enum sl_log_level level, const char *module, const char *format, ...)
{
    if (!sl_log_on(level, module)) {
        return;
    }
    int saved = errno;
    char text[LINE_MAX_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c != '\0';
         c++) { /* a peer's text must not break the line or drive a terminal */
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = '?';
        }
    }
    put_line(level, module, text);
    errno = saved;
}

bool sl_log_limit_pass(struct sl_log_limit *limit, uint32_t burst)
{
    /* Approximate under contention, which is good enough: relaxed counters, nothing is ordered by
     * them. */
    uint64_t now = sl_clock_ns();
    uint64_t start = __atomic_load_n(&limit->window_ns, __ATOMIC_RELAXED);
    if (start == 0 || now - start >= SL_NS_PER_S) {
        if (__atomic_compare_exchange_n(&limit->window_ns, &start, now, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED)) {
            __atomic_store_n(&limit->count, 0, __ATOMIC_RELAXED);
            uint32_t dropped = __atomic_exchange_n(&limit->dropped, 0, __ATOMIC_RELAXED);
            if (dropped != 0) {
                sl_warn("log", "%u lines like the next were left out", dropped);
            }
        }
    }
    if (__atomic_fetch_add(&limit->count, 1, __ATOMIC_RELAXED) < burst) {
        return true;
    }
    __atomic_fetch_add(&limit->dropped, 1, __ATOMIC_RELAXED);
    return false;
}
