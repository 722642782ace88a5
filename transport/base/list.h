/* A doubly linked ring of embedded links. The owner of the head locks. Fields say what they hold: /
 * * struct dev_resource.link * /. */
#ifndef SL_LIST_H
#define SL_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct sl_list {
    struct sl_list *prev;
    struct sl_list *next;
};

static inline void sl_list_init(struct sl_list *list)
{
    list->prev = list;
    list->next = list;
}

static inline bool sl_list_empty(const struct sl_list *list)
{
    return list->next == list;
}

/* Adds item before `list`: at the end when list is the head. */
static inline void sl_list_add(struct sl_list *list, struct sl_list *item)
{
    item->prev = list->prev;
    item->next = list;
    list->prev->next = item;
    list->prev = item;
}

/* Takes item out; it is an empty list of its own afterwards, so removing twice is harmless. */
static inline void sl_list_remove(struct sl_list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    sl_list_init(item);
}

/* All items of `from` to the end of `to`; `from` is empty then. */
static inline void sl_list_move(struct sl_list *to, struct sl_list *from)
{
    if (!sl_list_empty(from)) {
        from->next->prev = to->prev;
        to->prev->next = from->next;
        from->prev->next = to;
        to->prev = from->prev;
        sl_list_init(from);
    }
}

#define SL_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define SL_LIST_FOR(item, list)                                                                    \
    for (struct sl_list *item = (list)->next; item != (list); item = item->next)
/* The body may remove `item`. */
#define SL_LIST_FOR_SAFE(item, list)                                                               \
    for (struct sl_list *item = (list)->next, *item##_next = item->next; item != (list);           \
         item = item##_next, item##_next = item->next)

#endif
