/* Devices made and destroyed over and over, each used once; every tenth time the instance too. No
 * descriptor, no thread and no memory may stay. --cycles N; default 100. */
#include "tests/integration/vulkan/vx.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
enum { GROWTH_MIB = 300 }; /* what was freed stays a while */
#else
enum { GROWTH_MIB = 8 };
#endif

static int entries_of(const char *path)
{
    DIR *folder = opendir(path);
    vx_need(folder != NULL, path);
    int count = 0;
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

static long resident_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long all = 0, resident = 0;
    vx_need(file != NULL && fscanf(file, "%ld %ld", &all, &resident) == 2, "statm");
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void use(struct vx *vx, uint64_t *hash, uint32_t cycle)
{
    vx_open_device(vx, NULL);
    struct vx_buffer bytes = vx_buffer(vx, 8192, VK_BUFFER_USAGE_TRANSFER_DST_BIT);
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdFillBuffer(commands, bytes.buffer, 0, VK_WHOLE_SIZE, cycle);
    vx_memory_barrier(commands);
    vx_submit(vx, commands);
    *hash = vx_hash(*hash, bytes.map, bytes.size);
    vx_buffer_free(vx, &bytes);
    vx_close_device(vx);
}

int main(int argc, char **argv)
{
    struct vx vx;
    uint32_t cycles = 100;
    uint64_t hash = 0;
    int descriptors = 0, threads = 0;
    long memory_kib = 0;
    if (argc == 3 && strcmp(argv[1], "--cycles") == 0) {
        cycles = (uint32_t)strtoul(argv[2], NULL, 10);
    }
    vx_open_instance(&vx);
    for (uint32_t i = 0; i < cycles; i++) {
        use(&vx, &hash, i);
        if (i % 10 == 9) {
            vkDestroyInstance(vx.instance, NULL);
            vx_open_instance(&vx);
        }
        if (i == cycles / 4) { /* what is kept for good is there by now */
            descriptors = entries_of("/proc/self/fd");
            threads = entries_of("/proc/self/task");
            memory_kib = resident_kib();
        }
    }
    int more = entries_of("/proc/self/fd") - descriptors;
    long grown_kib = resident_kib() - memory_kib;
    vx_show(&vx, "filled", &hash, sizeof hash);
    vx_show_text(&vx, "descriptors left", "%d", more > 0 ? more : 0);
    vx_show_text(&vx, "threads left", "%d", entries_of("/proc/self/task") > threads);
    vx_show_text(&vx, "grown too much", "%d", grown_kib > GROWTH_MIB * 1024L);
    vx_close(&vx);
    return 0;
}
