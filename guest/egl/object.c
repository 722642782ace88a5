/* The display's table of objects: handles, counts, ends. */
#include "guest/egl/gegl.h"

#include "transport/base/mem.h"

_Static_assert(sizeof(uintptr_t) == 8, "handles carry the display in their upper half");

enum sl_result gegl_object_add(struct gegl_display *display, struct gegl_object *object,
                               enum gegl_kind kind)
{
    const struct gegl_thread *thread = gegl_thread_peek();
    *object = (struct gegl_object){
        .display = display,
        .kind = kind,
        .refs = 1,
        .device = thread != NULL && thread->device != NULL ? thread->device->serial : 0};
    pthread_mutex_lock(&display->lock);
    enum sl_result r = sl_table_add(&display->objects, kind, object, &object->id);
    pthread_mutex_unlock(&display->lock);
    return r;
}

void *gegl_object_handle(const struct gegl_object *object)
{
    return (void *)((uintptr_t)object->display->index << 32 | object->id);
}

/* The table's id in a handle; 0 when it is of another display. */
static uint32_t id_of(const struct gegl_display *display, const void *handle)
{
    uintptr_t value = (uintptr_t)handle;
    return value >> 32 == display->index ? (uint32_t)value : 0;
}

void *gegl_object_find(struct gegl_display *display, enum gegl_kind kind, const void *handle)
{
    pthread_mutex_lock(&display->lock);
    struct gegl_object *object = sl_table_find(&display->objects, kind, id_of(display, handle));
    if (object != NULL) {
        object->refs++;
    }
    pthread_mutex_unlock(&display->lock);
    return object;
}

static void end(struct gegl_object *object)
{
    switch (object->kind) {
    case GEGL_CONTEXT:
        gegl_context_end((struct gegl_context *)object);
        break;
    case GEGL_SURFACE:
        gegl_surface_end((struct gegl_surface *)object);
        break;
    case GEGL_SYNC:
        gegl_sync_end((struct gegl_sync *)object);
        break;
    case GEGL_IMAGE:
        gegl_image_end((struct gegl_image *)object);
        break;
    }
    sl_free(object);
}

bool gegl_object_alive(const struct gegl_object *object)
{
    struct gegl_display *display = object->display;
    pthread_mutex_lock(&display->lock);
    bool alive = object->id != 0;
    pthread_mutex_unlock(&display->lock);
    return alive;
}

bool gegl_object_here(const struct gegl_object *object, const struct gegl_thread *thread)
{
    return thread->device != NULL && thread->device->serial == object->device;
}

void gegl_object_unref(struct gegl_object *object)
{
    struct gegl_display *display = object->display;
    pthread_mutex_lock(&display->lock);
    bool last = --object->refs == 0;
    pthread_mutex_unlock(&display->lock);
    if (last) {
        end(object);
    }
}

bool gegl_object_remove(struct gegl_display *display, enum gegl_kind kind, const void *handle)
{
    pthread_mutex_lock(&display->lock);
    struct gegl_object *object = sl_table_remove(&display->objects, kind, id_of(display, handle));
    if (object != NULL) {
        object->id = 0;
    }
    pthread_mutex_unlock(&display->lock);
    if (object != NULL) {
        gegl_object_unref(object);
    }
    return object != NULL;
}

void gegl_object_remove_all(struct gegl_display *display)
{
    for (;;) {
        uint32_t cursor = 0, kind, id;
        pthread_mutex_lock(&display->lock);
        struct gegl_object *object = sl_table_next(&display->objects, &cursor, &kind, &id);
        if (object != NULL) {
            object = sl_table_remove(&display->objects, kind, id);
            object->id = 0;
        }
        pthread_mutex_unlock(&display->lock);
        if (object == NULL) {
            return;
        }
        gegl_object_unref(object);
    }
}
