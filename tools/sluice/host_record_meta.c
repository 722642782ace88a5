#include "tools/sluice/host_record_meta.h"
#include "tools/sluice/json.h"
#include "transport/base/writes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

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

char *host_record_meta(struct vgd *device, const struct host_record *record, uint32_t part)
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
    fprintf(out, ", \"options\": {\"level\": %d, \"durable\": %s, \"hash\": %s, \"contents\": %s}",
            record->level, record->durable ? "true" : "false", record->hashes ? "true" : "false",
            record->no_contents ? "false" : "true");
    put_pair(out, "memory_method",
             record->no_contents ? "none"
             : !record->compares && sl_writes_exist()
                 ? "write protection where programs allow it, else comparison"
                 : "comparison");
    if (record->ranges.count != 0) {
        static const char *const units[] = {"frames", "submits", "seconds"};
        put_pair(out, "range_of", units[record->unit]);
        double scale = record->unit == CAP_UNIT_NS ? 1e9 : 1;
        fprintf(out, ", \"range\": \"%.15g-\"", (double)record->ranges.parts[part].first / scale);
    }
    fputs("}", out);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
