#include "tools/sluice/host_record.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/host.h"
#include "tools/sluice/json.h"
#include "tools/sluice/say.h"
#include "tools/sluice/schema.h"
#include "transport/base/writes.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

/* ---- META ---- */

static void put_pair(FILE *out, const char *name, const char *value)
{
    fputs(", ", out);
    json_text(out, name);
    fputs(": ", out);
    json_text(out, value);
}

static void put_program(FILE *out, char *const *argv)
{
    char directory[4096];
    put_pair(out, "program", argv != NULL ? argv[0] : NULL);
    fputs(", \"arguments\": [", out);
    for (size_t i = 1; argv != NULL && argv[0] != NULL && argv[i] != NULL; i++) {
        fputs(i > 1 ? ", " : "", out);
        json_text(out, argv[i]);
    }
    fputs("]", out);
    put_pair(out, "directory", getcwd(directory, sizeof directory));
}

/* "model name : ..." of the first processor. */
static void find_cpu(char *text, size_t size)
{
    char line[512];
    FILE *in = fopen("/proc/cpuinfo", "re");
    snprintf(text, size, "unknown");
    while (in != NULL && fgets(line, sizeof line, in) != NULL) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && value != NULL) {
            value[strcspn(value, "\n")] = '\0';
            snprintf(text, size, "%s", value + (value[1] == ' ' ? 2 : 1));
            break;
        }
    }
    if (in != NULL) {
        fclose(in);
    }
}

static void put_machine(FILE *out)
{
    struct utsname os = {0};
    struct sysinfo memory = {0};
    char cpu[256], system[256];
    (void)uname(&os);
    (void)sysinfo(&memory);
    find_cpu(cpu, sizeof cpu);
    snprintf(system, sizeof system, "%.60s %.80s %.60s", os.sysname, os.release, os.machine);
    fputs(", \"machine\": {\"os\": ", out);
    json_text(out, system);
    put_pair(out, "cpu", cpu);
    fprintf(out, ", \"cores\": %ld, \"memory_bytes\": %llu", sysconf(_SC_NPROCESSORS_ONLN),
            (unsigned long long)memory.totalram * memory.mem_unit);
    put_pair(out, "host", os.nodename);
    fputs("}", out);
}

/* What changes how things are drawn, and names nobody. */
static void put_environment(FILE *out)
{
    static const char *const names[] = {"GALLIUM_DRIVER",
                                        "LIBGL_ALWAYS_SOFTWARE",
                                        "LP_NUM_THREADS",
                                        "MESA_GLES_VERSION_OVERRIDE",
                                        "MESA_GL_VERSION_OVERRIDE",
                                        "MESA_LOADER_DRIVER_OVERRIDE",
                                        "MESA_VK_DEVICE_SELECT",
                                        "XDG_SESSION_TYPE",
                                        "vblank_mode"};
    const char *gap = "";
    fputs(", \"environment\": {", out);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL) {
            fputs(gap, out);
            json_text(out, names[i]);
            fputs(": ", out);
            json_text(out, value);
            gap = ", ";
        }
    }
    fputs("}", out);
}

/* NULL: no memory. Free it. */
static char *make_meta(struct vgd *device, const struct host_record *record)
{
    char *text = NULL, driver[256], made_by[64];
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    device->ops->describe(device, driver, sizeof driver);
    snprintf(made_by, sizeof made_by, "sluice %s", SLUICE_VERSION);
    fputs("{\"schema\": 1", out);
    put_pair(out, "made_by", made_by);
    put_program(out, record->argv);
    put_machine(out);
    put_pair(out, "drivers", driver);
    put_environment(out);
    fprintf(out, ", \"options\": {\"level\": %d, \"durable\": %s, \"hash\": %s}", record->level,
            record->durable ? "true" : "false", record->hashes ? "true" : "false");
    put_pair(out, "memory_method",
             sl_writes_exist() ? "write protection where programs allow it, else comparison"
                               : "comparison");
    if (record->frames != 0) {
        fprintf(out, ", \"range\": \"0-%llu\"", (unsigned long long)(record->frames - 1));
    }
    fputs("}", out);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

/* ---- begin and end ---- */

/* The exit code, and why. */
static int refused(const char *path, enum sl_result result, char *text, size_t size)
{
    switch (result) {
    case SL_ERR_INVALID:
        snprintf(text, size,
                 "%s or %s.part is there already; choose another name, or replace it with --force",
                 path, path);
        return SLUICE_EXIT_USAGE;
    case SL_ERR_AGAIN:
        snprintf(text, size, "%s.part is being written by another recorder; choose another name",
                 path);
        return SLUICE_EXIT_USAGE;
    case SL_ERR_NOMEM:
        snprintf(text, size, "no memory for the recording");
        return SLUICE_EXIT_INTERNAL;
    default:
        snprintf(text, size, "%s: cannot be written: %s", path, strerror(errno));
        return SLUICE_EXIT_FILE;
    }
}

static void on_over(void *user)
{
    host_tell((int)(intptr_t)user, "over");
}

static enum sl_result start(struct cap_device *recorder, struct vgd *device,
                            const struct host_record *record, int status_fd)
{
    char *meta = make_meta(device, record);
    size_t protocol_size = 0;
    char *protocol = schema_text(&protocol_size);
    const struct cap_start options = {.path = record->path,
                                      .level = record->level,
                                      .force = record->force,
                                      .durable = record->durable,
                                      .hashes = record->hashes,
                                      .max_size = record->max_size,
                                      .skip = record->skip,
                                      .frames = record->frames,
                                      .snapshot_every = record->snapshot_every,
                                      .meta = meta,
                                      .protocol = protocol,
                                      .protocol_size = protocol_size,
                                      .over = on_over,
                                      .user = (void *)(intptr_t)status_fd};
    enum sl_result result =
        meta != NULL && protocol != NULL ? cap_device_start(recorder, &options) : SL_ERR_NOMEM;
    free(meta);
    free(protocol);
    return result;
}

int host_record_begin(struct cap_device *recorder, struct vgd *device,
                      const struct host_record *record, int status_fd)
{
    char why[2 * PATH_MAX + 128];
    if (record->path == NULL) {
        return SLUICE_EXIT_OK;
    }
    enum sl_result result = start(recorder, device, record, status_fd);
    if (result == SL_OK) {
        host_tell(status_fd, "recording");
        return SLUICE_EXIT_OK;
    }
    int code = refused(record->path, result, why, sizeof why);
    say_error("%s", why);
    return code;
}

/* Ends it; false: there is none. */
static bool end(struct cap_device *recorder, enum cap_end_reason reason, char *line, size_t size)
{
    struct cap_writer_report report;
    if (cap_device_stop(recorder, reason, 0, &report) != SL_OK) {
        return false;
    }
    const struct cap_totals *t = &report.totals;
    snprintf(line, size,
             "recorded %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
             " %" PRIu64 " %" PRIu64 " %" PRIu64 " %d %d %d",
             t->frames, t->calls, t->streams, t->write_bytes, t->shared_bytes, report.file_size,
             t->tap_ns, t->decode_ns, t->stall_ns, (int)report.reason, report.error,
             report.has_name);
    return true;
}

void host_record_end(struct cap_device *recorder, enum cap_end_reason reason, int status_fd)
{
    char line[HOST_RECORD_LINE];
    if (end(recorder, reason, line, sizeof line)) {
        host_tell(status_fd, "%s", line);
    }
}

bool host_record_take_line(struct host_recorded *r, const char *line)
{
    int has_name = 0;
    if (strcmp(line, "recording") == 0) {
        r->was_begun = true;
        return true;
    }
    if (strcmp(line, "over") == 0) {
        r->is_over = true;
        return true;
    }
    if (sscanf(line,
               "recorded %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
               " %" SCNu64 " %" SCNu64 " %" SCNu64 " %d %d %d",
               &r->frames, &r->calls, &r->streams, &r->memory_bytes, &r->shared_bytes,
               &r->file_size, &r->tap_ns, &r->decode_ns, &r->stall_ns, &r->reason, &r->error,
               &has_name) != 12) {
        return false;
    }
    r->has_name = has_name != 0;
    r->is_told = true;
    return true;
}

/* ---- tools' wishes ---- */

bool host_record_wish(const struct host_record *r, char *text, size_t size)
{
    int n = snprintf(text, size,
                     "record start\nlevel=%d\nforce=%d\ndurable=%d\nhash=%d\nmax-size=%" PRIu64
                     "\nskip=%" PRIu64 "\nframes=%" PRIu64 "\nsnapshot-every=%" PRIu64 "\npath=%s",
                     r->level, r->force, r->durable, r->hashes, r->max_size, r->skip, r->frames,
                     r->snapshot_every, r->path);
    return n > 0 && (size_t)n < size;
}

static bool read_wish(const char *text, struct host_record *r)
{
    int force = 0, durable = 0, hashes = 0, at = 0;
    bool ok = sscanf(text,
                     "record start\nlevel=%d\nforce=%d\ndurable=%d\nhash=%d\nmax-size=%" SCNu64
                     "\nskip=%" SCNu64 "\nframes=%" SCNu64 "\nsnapshot-every=%" SCNu64 "\npath=%n",
                     &r->level, &force, &durable, &hashes, &r->max_size, &r->skip, &r->frames,
                     &r->snapshot_every, &at) == 8 &&
              at != 0;
    r->path = text + at;
    r->force = force != 0;
    r->durable = durable != 0;
    r->hashes = hashes != 0;
    return ok && r->path[0] == '/' && r->level >= -7 && r->level <= 19;
}

static void start_for_tool(struct host_recorder *h, const char *text, char *reply, size_t size)
{
    struct host_record record = {0};
    char why[2 * PATH_MAX + 128] = "the wish makes no sense; use host and tools of one build";
    int code = SLUICE_EXIT_VERSION;
    if (cap_device_is_recording(h->recorder)) {
        snprintf(reply, size, "error %d it records already; end that with --stop",
                 SLUICE_EXIT_USAGE);
        return;
    }
    if (read_wish(text, &record)) {
        enum sl_result result = start(h->recorder, h->device, &record, -1);
        code = result == SL_OK ? SLUICE_EXIT_OK : refused(record.path, result, why, sizeof why);
    }
    if (code == SLUICE_EXIT_OK) {
        h->last[0] = '\0';
        snprintf(reply, size, "ok");
    } else {
        snprintf(reply, size, "error %d %s", code, why);
    }
}

static void tell_status(struct host_recorder *h, char *reply, size_t size)
{
    bool is_over;
    uint64_t tries, frames = cap_device_frames(h->recorder, &is_over);
    if (!cap_device_is_recording(h->recorder)) {
        snprintf(reply, size, "%s", h->last[0] != '\0' ? h->last : "none");
    } else if (cap_device_is_waiting(h->recorder, &tries)) {
        snprintf(reply, size, "waiting %" PRIu64, tries);
    } else {
        snprintf(reply, size, "%s %" PRIu64, is_over ? "over" : "recording", frames);
    }
}

void host_record_tool(void *user, const char *text, char *reply, size_t size)
{
    struct host_recorder *h = user;
    if (strncmp(text, "record start\n", 13) == 0) {
        start_for_tool(h, text, reply, size);
    } else if (strcmp(text, "record stop") == 0) {
        bool was = end(h->recorder, CAP_END_ASKED, h->last, sizeof h->last);
        snprintf(reply, size, "%s", was ? h->last : "none");
    } else if (strcmp(text, "record status") == 0) {
        tell_status(h, reply, size);
    } else {
        snprintf(reply, size, "error %d this host does not know that wish", SLUICE_EXIT_VERSION);
    }
}
