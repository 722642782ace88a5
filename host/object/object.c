#include "host/object/object.h"

#include "transport/base/mem.h"

void ho_table_init(struct ho_table *table, uint32_t max, uint32_t base, ho_destroy_fn destroy,
                   void *user)
{
    *table = (struct ho_table){.destroy = destroy, .user = user};
    sl_handles_init(&table->handles, max, base);
}

void ho_table_finish(struct ho_table *table)
{
    sl_handles_finish(&table->handles);
}

enum sl_result ho_add(struct ho_table *table, uint32_t kind, void *value, struct ho_object *parent,
                      uint32_t *id)
{
    struct ho_object *object = sl_alloc(sizeof *object);
    if (object == NULL) {
        return SL_ERR_NOMEM;
    }
    *object = (struct ho_object){.kind = kind, .value = value, .table = table, .refs = 1};
    sl_list_init(&object->children);
    sl_list_init(&object->sibling);
    pthread_mutex_lock(&table->handles.lock);
    enum sl_result result = sl_handles_add_locked(&table->handles, kind, object, &object->id);
    if (result == SL_OK) {
        *id = object->id;
        if (parent != NULL) {
            parent->refs++;
            object->parent = parent;
            sl_list_add(&parent->children, &object->sibling);
        }
    }
    pthread_mutex_unlock(&table->handles.lock);
    if (result != SL_OK) {
        sl_free(object);
    }
    return result;
}

struct ho_object *ho_get(struct ho_table *table, uint32_t kind, uint32_t id)
{
    pthread_mutex_lock(&table->handles.lock);
    struct ho_object *object = sl_table_find(&table->handles.ids, kind, id);
    if (object != NULL) {
        object->refs++;
    }
    pthread_mutex_unlock(&table->handles.lock);
    return object;
}

struct ho_object *ho_ref(struct ho_object *object)
{
    pthread_mutex_lock(&object->table->handles.lock);
    object->refs++;
    pthread_mutex_unlock(&object->table->handles.lock);
    return object;
}

void ho_put(struct ho_object *object)
{
    while (object != NULL) {
        struct ho_table *table = object->table;
        pthread_mutex_lock(&table->handles.lock);
        bool last = --object->refs == 0;
        if (last) {
            sl_list_remove(&object->sibling);
        }
        pthread_mutex_unlock(&table->handles.lock);
        if (!last) {
            return;
        }
        struct ho_object *parent = object->parent;
        table->destroy(table->user, object->kind, object->value);
        sl_free(object);
        object = parent; /* its reference on the parent goes with it */
    }
}

/* The deepest descendant of object that still has its handle; object itself when there is none. */
static struct ho_object *leaf_of_locked(struct ho_object *object)
{
    struct ho_object *leaf = object;
    SL_LIST_FOR(link, &object->children)
    {
        struct ho_object *child = SL_CONTAINER(link, struct ho_object, sibling);
        if (child->id != 0) {
            leaf = leaf_of_locked(child); /* kinds nest three deep at most */
            break;
        }
    }
    return leaf;
}

static void take_locked(struct ho_table *table, struct ho_object *object)
{
    sl_table_remove(&table->handles.ids, object->kind, object->id);
    object->id = 0;
}

bool ho_remove(struct ho_table *table, uint32_t kind, uint32_t id)
{
    for (;;) { /* leaves first, one a turn; ends because each turn takes a handle away */
        pthread_mutex_lock(&table->handles.lock);
        struct ho_object *object = sl_table_find(&table->handles.ids, kind, id);
        struct ho_object *leaf = object != NULL ? leaf_of_locked(object) : NULL;
        bool done = leaf == object;
        if (leaf != NULL) {
            take_locked(table, leaf);
        }
        pthread_mutex_unlock(&table->handles.lock);
        ho_put(leaf);
        if (done) {
            return object != NULL;
        }
    }
}

void ho_table_clear(struct ho_table *table)
{
    uint32_t cursor = 0;
    for (;;) {
        uint32_t kind, id;
        pthread_mutex_lock(&table->handles.lock);
        struct ho_object *object = sl_table_next(&table->handles.ids, &cursor, &kind, &id);
        pthread_mutex_unlock(&table->handles.lock);
        if (object == NULL) {
            return;
        }
        (void)ho_remove(table, kind, id);
    }
}

struct ho_object *ho_next(struct ho_table *table, uint32_t *cursor)
{
    uint32_t kind, id;
    pthread_mutex_lock(&table->handles.lock);
    struct ho_object *object = sl_table_next(&table->handles.ids, cursor, &kind, &id);
    if (object != NULL) {
        object->refs++;
    }
    pthread_mutex_unlock(&table->handles.lock);
    return object;
}
