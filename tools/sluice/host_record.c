#include "tools/sluice/host_record.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/host.h"
#include "tools/sluice/json.h"
#include "tools/sluice/say.h"

#include <errno.h>
#include <inttypes.h>
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
    put_pair(out, "memory_method", "compare");
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

static int refused(const char *path, enum sl_result result)
{
    switch (result) {
    case SL_ERR_INVALID:
        say_error("%s or %s.part is there already; choose another name, or replace it with --force",
                  path, path);
        return SLUICE_EXIT_USAGE;
    case SL_ERR_AGAIN:
        say_error("%s.part is being written by another recorder; choose another name", path);
        return SLUICE_EXIT_USAGE;
    case SL_ERR_NOMEM:
        say_error("no memory for the recording");
        return SLUICE_EXIT_INTERNAL;
    default:
        say_error("%s: cannot be written: %s", path, strerror(errno));
        return SLUICE_EXIT_FILE;
    }
}

static void on_over(void *user)
{
    host_tell((int)(intptr_t)user, "over");
}

int host_record_begin(struct cap_device *recorder, struct vgd *device,
                      const struct host_record *record, int status_fd)
{
    if (record->path == NULL) {
        return SLUICE_EXIT_OK;
    }
    char *meta = make_meta(device, record);
    const struct cap_start start = {.path = record->path,
                                    .level = record->level,
                                    .force = record->force,
                                    .durable = record->durable,
                                    .hashes = record->hashes,
                                    .max_size = record->max_size,
                                    .frames = record->frames,
                                    .snapshot_every = record->snapshot_every,
                                    .meta = meta,
                                    .over = on_over,
                                    .user = (void *)(intptr_t)status_fd};
    enum sl_result result = meta != NULL ? cap_device_start(recorder, &start) : SL_ERR_NOMEM;
    int code = result == SL_OK ? SLUICE_EXIT_OK : refused(record->path, result);
    free(meta);
    if (code == SLUICE_EXIT_OK) {
        host_tell(status_fd, "recording");
    }
    return code;
}

void host_record_end(struct cap_device *recorder, enum cap_end_reason reason, int status_fd)
{
    struct cap_writer_report report;
    if (cap_device_stop(recorder, reason, 0, &report) != SL_OK) {
        return;
    }
    const struct cap_totals *t = &report.totals;
    host_tell(status_fd,
              "recorded %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
              " %" PRIu64 " %" PRIu64 " %" PRIu64 " %d %d %d",
              t->frames, t->calls, t->streams, t->write_bytes, t->shared_bytes, report.file_size,
              t->tap_ns, t->decode_ns, t->stall_ns, (int)report.reason, report.error,
              report.has_name);
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
