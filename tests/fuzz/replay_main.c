/* Runs a fuzzer's entry without a fuzzer: every file of the folders named, then seeded inputs that
 * grow from nothing to a page. For presets whose compiler is not the fuzzer's. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEEDED = 1000, LONGEST = 4096, FILE_MAX = 1 << 20 };

/* Of its own allocation, so that a sanitizer sees the first byte read past it. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size != 0 ? size : 1);
    if (exact != NULL) {
        memcpy(exact, data, size);
        (void)LLVMFuzzerTestOneInput(exact, size);
        free(exact);
    }
}

static int run_folder(const char *path, uint8_t *room)
{
    DIR *folder = opendir(path);
    int files = 0;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        FILE *file = entry->d_name[0] != '.' ? fopen(name, "rb") : NULL;
        if (file != NULL) {
            run(room, fread(room, 1, FILE_MAX, file));
            fclose(file);
            files++;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return files;
}

static void run_seeded(uint8_t *room)
{
    uint64_t state = 88172645463325252ull;
    for (size_t n = 0; n < SEEDED; n++) {
        size_t size = n * LONGEST / SEEDED;
        for (size_t i = 0; i < size; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            /* Small bytes often: they are counts, sizes and names that exist. */
            room[i] = state >> 60 < 8 ? (uint8_t)(state >> 32 & 3) : (uint8_t)(state >> 24);
        }
        run(room, size);
    }
}

int main(int count, char **names)
{
    uint8_t *room = malloc(FILE_MAX);
    int files = 0;
    if (room == NULL) {
        return 1;
    }
    for (int i = 1; i < count; i++) {
        files += run_folder(names[i], room);
    }
    run_seeded(room);
    free(room);
    printf("%d files, %d seeded inputs: no finding\n", files, SEEDED);
    return 0;
}
