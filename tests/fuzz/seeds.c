/* Writes the decoders' seed corpus: FOLDER/<api>/<command>, three packets of each command whose
 * values agree, and FOLDER/<api>/walk-<n>, rows of commands in no order; FOLDER/vk/walk-<n>, rows
 * of vk_fuzz.c's steps. The same bytes each time. */
#include "tests/fuzz/decoder_input.h"
#include "tests/wire/apis.h"
#include "transport/base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { OF_EACH = 3, WALKS = 64, STEPS = 24, LONGEST = 200, PACKET_ROOM = 1 << 17 };

struct seeds {
    const struct wire_api *api;
    uint32_t command; /* of the API, from 0 */
    char folder[4096];
    struct plan_vector vector;
    uint8_t *packet;
    uint64_t state;
};

static FILE *open_seed(const struct seeds *s, const char *name)
{
    char path[8192];
    snprintf(path, sizeof path, "%s/%s", s->folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        fprintf(stderr, "fuzz_seeds: %s: %s\n", path, strerror(errno));
    }
    return file;
}

/* One packet of the command; none when it is longer than the fuzzer takes. */
static void put_packet(struct seeds *s, uint32_t index, FILE *file)
{
    const struct plan_framing plain = {0};
    const struct plan_api *plan = s->api->plan;
    plan_vector_fit(&plan->commands[index], LONGEST, &s->state, &s->vector);
    size_t size = plan_encode(plan, plan->first_opcode + index, s->vector.values, &plain, s->packet,
                              PACKET_ROOM);
    size_t body = size - PLAN_HEADER_SIZE;
    if (body < DECODER_BODY_MAX) {
        uint8_t head[DECODER_HEADER_SIZE];
        sl_store_u16(head, (uint16_t)index);
        sl_store_u16(head + 2, (uint16_t)body);
        fwrite(head, 1, sizeof head, file);
        fwrite(s->packet + PLAN_HEADER_SIZE, 1, body, file);
    }
}

static bool finish_seed(FILE *file)
{
    bool written = !ferror(file);
    if (fclose(file) != 0 || !written) {
        fprintf(stderr, "fuzz_seeds: %s\n", strerror(errno));
        return false;
    }
    return true;
}

typedef void put_step(struct seeds *s, FILE *file);

static bool write_seed(struct seeds *s, const char *name, put_step *put, int steps)
{
    FILE *file = open_seed(s, name);
    if (file == NULL) {
        return false;
    }
    for (int step = 0; step < steps; step++) {
        put(s, file);
    }
    return finish_seed(file);
}

static bool write_walks(struct seeds *s, put_step *put)
{
    bool ok = true;
    for (int n = 0; ok && n < WALKS; n++) {
        char name[32];
        snprintf(name, sizeof name, "walk-%02d", n);
        ok = write_seed(s, name, put, STEPS);
    }
    return ok;
}

static void put_own(struct seeds *s, FILE *file)
{
    put_packet(s, s->command, file);
}

static void put_any(struct seeds *s, FILE *file)
{
    put_packet(s, (uint32_t)(plan_random(&s->state) % s->api->plan->count), file);
}

static bool write_api(struct seeds *s)
{
    const struct plan_api *plan = s->api->plan;
    for (s->command = 0; s->command < plan->count; s->command++) {
        if (!write_seed(s, plan->commands[s->command].name, put_own, OF_EACH)) {
            return false;
        }
    }
    return write_walks(s, put_any);
}

/* Without seeds a fuzzer goes on from inputs of one byte, and a step has eight. One in four is
 * damaged. */
static void put_vk_step(struct seeds *s, FILE *file)
{
    uint8_t bytes[8];
    sl_store_u64(bytes, plan_random(&s->state));
    bytes[3] = (bytes[2] & 0xc0) == 0 ? bytes[3] : 0;
    (void)fwrite(bytes, 1, sizeof bytes, file);
}

static bool made(const char *folder)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "fuzz_seeds: %s: %s\n", folder, strerror(errno));
        return false;
    }
    return true;
}

int main(int count, char **words)
{
    struct seeds s = {.state = 20261121};
    if (count != 2) {
        fputs("usage: fuzz_seeds FOLDER\n", stderr);
        return 2;
    }
    s.vector.pool = malloc(PLAN_POOL_SIZE);
    s.packet = malloc(PACKET_ROOM);
    bool ok = s.vector.pool != NULL && s.packet != NULL && made(words[1]);
    for (size_t i = 0; ok && i < PLAN_POOL_SIZE; i++) {
        s.vector.pool[i] = (uint8_t)plan_random(&s.state);
    }
    for (int i = 0; ok && i < WIRE_APIS; i++) {
        s.api = &wire_apis[i];
        snprintf(s.folder, sizeof s.folder, "%s/%s", words[1], s.api->plan->name);
        ok = made(s.folder) && write_api(&s);
    }
    snprintf(s.folder, sizeof s.folder, "%s/vk", words[1]);
    ok = ok && made(s.folder) && write_walks(&s, put_vk_step);
    free(s.vector.pool);
    free(s.packet);
    return ok ? 0 : 1;
}
