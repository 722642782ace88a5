/* Between the files of trim_reach.h. */
#ifndef SLUICE_TRIM_REACH_PRIV_H
#define SLUICE_TRIM_REACH_PRIV_H

#include "tools/sluice/trim_reach.h"
#include "transport/base/map.h"

#define NODES     (1u << 19) /* names and ids at most; more: all are used */
#define EDGES     (1u << 24)
#define STREAMS   1024u
#define PACKET    512u /* of an emptied packet, at most */
#define HANDLES   65536u
#define RESOURCES 65536u
#define PLACES    262144u

enum sort { SORT_TEXTURE = 1, SORT_BUFFER, SORT_VULKAN };

/* An object. */
struct node {
    uint64_t size; /* a buffer's; 0: not known */
    bool is_used;
};

struct edge {
    struct node *from, *to; /* who uses `from` uses `to` */
};

/* What OpenGL ES packets of a stream are about. */
struct bound {
    uint32_t texture, buffer; /* bound last, and not yet defined or used */
    bool has_texture, has_buffer;
};

/* What lies in a memory. */
struct place {
    uint64_t memory, object, offset;
    uint64_t size; /* UINT64_MAX: to the end, as far as is known */
    uint32_t ctx;
};

struct reach {
    struct node *nodes;  /* room for NODES; as many as by_id has are there */
    struct sl_map by_id; /* struct node by sort and context, and id or name */
    struct edge *edges;
    uint32_t edge_count, edge_capacity;
    struct bound streams[STREAMS];
    struct sl_map resources; /* by id: their memory's place in `memories`, plus 1 */
    struct memory {
        uint64_t blob_id, id;
        uint32_t ctx;
    } * memories;
    uint32_t memory_count;
    struct place *places; /* PLACES */
    uint32_t place_count;
    bool is_settled, has_failed; /* failed: no memory; all is kept */
    uint64_t saved;
    uint8_t packet[PACKET];
    /* The packet that is walked. */
    uint32_t ctx;
    uint64_t made[HANDLES], named[HANDLES];
    uint32_t made_count, named_count;
    uint64_t ids[HANDLES]; /* that the host gives next in a snapshot */
    uint32_t id_count, next_id;
    bool in_request;
    uint64_t blob_id;
    uint64_t size;    /* that a creation asks for */
    bool has_address; /* a buffer that shaders may reach without its name */
    const uint8_t *size_place;
};

/* ctx: of Vulkan; else 0: names of OpenGL ES are taken together, whose groups have them. */
void reach_use(struct reach *reach, enum sort sort, uint32_t ctx, uint64_t id);
bool reach_is_used(struct reach *reach, enum sort sort, uint32_t ctx, uint64_t id);
/* trim_reach_gles.c: reach_look and reach_drops of packets of OpenGL ES. */
void reach_look_gles(struct reach *reach, uint32_t stream, const struct cap_event_call *call,
                     bool in_snapshot);
bool reach_drops_gles(struct reach *reach, uint32_t stream, const struct cap_event_call *call);

#endif
