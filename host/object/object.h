/* Guest-visible objects of one context: handle -> {kind, value, parent}, in one namespace.
 *
 * Who uses it: renderControl and the context types, from any ring thread of the context; the table
 * has its own lock. Objects are counted: a handler that found one holds it, so that another
 * thread's destroy ends it only when the last user lets go. Destroying an object takes its
 * children's handles away first; finishing the table destroys children before parents. */
#ifndef HOST_OBJECT_H
#define HOST_OBJECT_H

#include "transport/base/handles.h"
#include "transport/base/list.h"
#include "transport/base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ho_table;

struct ho_object {
    uint32_t id; /* the handle; 0 once it was taken away */
    uint32_t kind;
    void *value; /* what the kind's destroy gets */
    /* private to host/object from here */
    struct ho_table *table;
    struct ho_object *parent; /* holds a reference on it; nullable */
    struct sl_list children;  /* struct ho_object.sibling */
    struct sl_list sibling;
    uint32_t refs; /* under the table's lock */
};

/* The last reference is gone. Called without the table's lock, on whatever thread let go. */
typedef void (*ho_destroy_fn)(void *user, uint32_t kind, void *value);

struct ho_table {
    struct sl_handles handles; /* its lock guards every object's private part, too */
    ho_destroy_fn destroy;
    void *user;
};

/* max, base: of the handles, see sl_table_init. */
void ho_table_init(struct ho_table *table, uint32_t max, uint32_t base, ho_destroy_fn destroy,
                   void *user);
/* All threads that used it are gone or hold references that they drop later. Every object whose
 * last reference this was is destroyed, children first. */
void ho_table_clear(struct ho_table *table);
void ho_table_finish(struct ho_table *table); /* after ho_table_clear, with no reference left */

/* Takes value on success only. parent: held by the caller during the call; nullable. */
enum sl_result ho_add(struct ho_table *table, uint32_t kind, void *value, struct ho_object *parent,
                      uint32_t *id) SL_MUST_USE;
/* A reference on the object, or NULL: unknown, stale, of another kind. */
struct ho_object *ho_get(struct ho_table *table, uint32_t kind, uint32_t id);
struct ho_object *ho_ref(struct ho_object *object);
void ho_put(struct ho_object *object); /* NULL allowed */
/* The handle is no longer valid, nor those of its children; the objects go when nobody holds them.
 * False: no such handle. */
bool ho_remove(struct ho_table *table, uint32_t kind, uint32_t id);
/* Walk for snapshots and tests: a reference on the next object, or NULL at the end. Start with
 * *cursor = 0. */
struct ho_object *ho_next(struct ho_table *table, uint32_t *cursor);

#endif
