#include "guest/stream/gs_way.h"

#include "transport/base/clock.h"
#include "transport/base/copy.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* A copy is timed after so many bytes: two looks at the clock are 60 ns, these 2 us and more. */
#define TIMED_EACH 65536u
/* A turn goes the other way after so long: twice as long each time that this one stays the best. */
#define TRY_NS      SL_NS_PER_MS
#define TRY_MOST_NS (128 * SL_NS_PER_MS)
/* Of copies around the caches the writer sees half: the reader fetches from memory what through
 * them it would have found nearer. And what was written so is in no cache, so that the first copies
 * through them cost three times as much as others. */
#define AROUND_COSTS 6u
#define LINE         64u
/* What copies said is believed for so long. */
#define LATE_NS (16 * SL_NS_PER_MS)
/* A turn shall not take long where it goes the wrong way: of larger copies each part is one. */
#define PART TIMED_EACH

#if defined(__SSE2__)
#define CAN_GO_AROUND true

/* Whole lines go by the buffers that combine writes; what is on the first and the last line goes
 * through the caches. */
static void copy_around(uint8_t *to, const uint8_t *from, size_t size)
{
    size_t head = -(uintptr_t)to & (LINE - 1);
    head = head < size ? head : size;
    memcpy(to, from, head);
    size_t at = head;
    for (; size - at >= LINE; at += LINE) {
        const __m128i *s = (const __m128i *)(const void *)(from + at);
        __m128i *d = (__m128i *)(void *)(to + at);
        __m128i a = _mm_loadu_si128(s), b = _mm_loadu_si128(s + 1);
        __m128i c = _mm_loadu_si128(s + 2), e = _mm_loadu_si128(s + 3);
        _mm_stream_si128(d, a);
        _mm_stream_si128(d + 1, b);
        _mm_stream_si128(d + 2, c);
        _mm_stream_si128(d + 3, e);
    }
    memcpy(to + at, from + at, size - at);
    _mm_sfence(); /* a release does not order them */
}
#else
#define CAN_GO_AROUND false

static void copy_around(uint8_t *to, const uint8_t *from, size_t size)
{
    memcpy(to, from, size);
}
#endif

/* The median. */
static uint32_t cost_of_turn(struct gs_way *way)
{
    uint32_t *v = way->timed;
    for (uint32_t i = 1; i < GS_WAY_TURN; i++) {
        for (uint32_t k = i; k != 0 && v[k] < v[k - 1]; k--) {
            uint32_t more = v[k - 1];
            v[k - 1] = v[k];
            v[k] = more;
        }
    }
    return v[GS_WAY_TURN / 2] + 1;
}

void gs_way_learn(struct gs_way *way, size_t size, uint64_t ns, uint64_t now_ns)
{
    uint64_t cost = ns * 1000 / size;
    way->timed[way->count++] = cost < UINT32_MAX / 4 ? (uint32_t)cost : UINT32_MAX / 4;
    if (way->count < GS_WAY_TURN) {
        return;
    }
    way->count = 0;
    way->learned_ns = now_ns;
    way->cost[way->around] = cost_of_turn(way);
    bool tried = way->around != way->best;
    bool best = way->cost[true] * AROUND_COSTS < way->cost[false]; /* the unknown one is tried */
    if (best != way->best) {
        way->best = best;
        way->wait_ns = TRY_NS;
        way->tried_ns = now_ns;
    } else if (tried) {
        way->wait_ns = way->wait_ns < TRY_MOST_NS ? 2 * way->wait_ns : TRY_MOST_NS;
        way->tried_ns = now_ns;
    }
    way->around = way->best != (now_ns - way->tried_ns > way->wait_ns);
}

bool gs_way_is_near(const struct gs_way *way, uint64_t now_ns)
{
    bool knows = way->cost[false] != 0 && way->cost[true] != 0;
    return !CAN_GO_AROUND || (knows && !way->best && now_ns - way->learned_ns < LATE_NS);
}

static void copy_part(struct gs_way *way, void *to, const void *from, size_t size)
{
    way->untimed += size;
    bool timed = CAN_GO_AROUND && way->untimed >= TIMED_EACH;
    uint64_t begin = timed ? sl_clock_ns() : 0;
    if (way->around) {
        copy_around(to, from, size);
    } else {
        sl_copy_shared(to, from, size);
    }
    if (timed) {
        uint64_t end = sl_clock_ns();
        way->untimed = 0;
        gs_way_learn(way, size, end - begin, end);
    }
}

void gs_way_copy(struct gs_way *way, void *to, const void *from, size_t size)
{
    uint8_t *d = to;
    const uint8_t *s = from;
    for (; size > PART; size -= PART, d += PART, s += PART) {
        copy_part(way, d, s, PART);
    }
    copy_part(way, d, s, size);
}
