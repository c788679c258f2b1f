/* merge.c: many updates as one, as Y.mergeUpdates has it; and what the garbage collection of a Yjs document makes smaller. */
#include <stdlib.h>

#include "lib/yjs/items.h"

/* Clients in falling order; of pieces that begin together the longest first, and of those one that holds less. */
static int compare(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->client != y->client)
        return x->client < y->client ? 1 : -1;
    if (x->clock != y->clock)
        return x->clock < y->clock ? -1 : 1;
    if (x->n != y->n)
        return x->n < y->n ? 1 : -1;
    return (x->kind > y->kind) - (x->kind < y->kind);
}

/* Each clock once. */
static void settle(struct items *list, struct items *out)
{
    if (list->n > 1)
        qsort(list->v, list->n, sizeof(*list->v), compare);
    for (size_t i = 0; i < list->n; i++) {
        const struct item *item = &list->v[i], *last = out->n ? &out->v[out->n - 1] : NULL;
        uint64_t covered = last && last->client == item->client ? last->clock + last->n : 0;

        if (item->clock >= covered) {
            items_push(out, item);
        } else if (item->clock + item->n > covered) {
            struct item part = item_part(out->mem, item, covered - item->clock, item->n);

            items_push(out, &part);
        }
    }
}

/* What takes the place of contents that are gone. Types and documents stay: others may lie in them. */
static void drop_contents(struct item *item)
{
    if (item->kind == GC || item->kind == TYPE || item->kind == SUBDOCUMENT)
        return;
    item->kind = DELETED;
    item->content = STR_NONE;
}

/* Text is divided where a deletion begins or ends; other contents go when they are deleted as a whole. */
static void drop_deleted(const struct items *list, const struct yjs_ranges *deletes, struct items *out)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct item *item = &list->v[i];
        uint64_t at = 0;

        while (at < item->n) {
            const struct yjs_range *gone = yjs_ranges_from(deletes, item->client, item->clock + at);
            uint64_t from = gone && gone->clock > item->clock + at ? gone->clock - item->clock : at,
                     to = gone ? gone->clock + gone->n - item->clock : item->n;
            bool deleted = gone && from == at;
            struct item part;

            if (!gone || from > item->n)
                from = item->n;
            to = deleted ? (to < item->n ? to : item->n) : from;
            if (item->kind != STRING && (at > 0 || to < item->n)) { /* in part: as it is */
                deleted = false;
                to = item->n;
            }
            part = at == 0 && to == item->n ? *item : item_part(out->mem, item, at, to);
            if (deleted)
                drop_contents(&part);
            items_push(out, &part);
            at = to;
        }
    }
}

/* Whether b was put right behind the end of a, with the same right neighbour: that is how a piece looks after it was divided, so both may be written as
 * one. Pieces of a map look the same, but text never is in one, and of deleted ones nothing is left to be told apart. */
static bool follows(const struct item *a, const struct item *b)
{
    if (a->client != b->client || a->clock + a->n != b->clock || a->kind != b->kind)
        return false;
    if (a->kind == GC)
        return true;
    return (a->kind == STRING || a->kind == DELETED) && (b->flags & HAS_ORIGIN) && b->origin_client == a->client &&
           b->origin_clock == b->clock - 1 && (a->flags & HAS_RIGHT) == (b->flags & HAS_RIGHT) &&
           a->right_client == b->right_client && a->right_clock == b->right_clock;
}

static void join(struct items *list)
{
    for (size_t i = 1; i < list->n; i++)
        list->v[i].joins = follows(&list->v[i - 1], &list->v[i]);
}

enum status yjs_merge(struct arena *mem, const struct str *updates, size_t n, bool compact, struct str *out,
                      size_t *structs, struct error *err)
{
    struct arena *scratch = arena_new(64 * 1024);
    struct items all = { .mem = scratch }, settled = { .mem = scratch }, small = { .mem = scratch }, *last = &settled;
    struct yjs_ranges deletes = { 0 };
    enum status st = OK;

    for (size_t i = 0; i < n && st == OK; i++)
        st = items_read(&all, &deletes, updates[i], err);
    if (st == OK) {
        yjs_ranges_settle(&deletes);
        settle(&all, &settled);
        if (compact) {
            drop_deleted(&settled, &deletes, &small);
            join(&small);
            last = &small;
        }
        *out = str_copy(mem, items_write(scratch, last, &deletes, structs));
    }
    yjs_ranges_free(&deletes);
    arena_free(scratch);
    return st;
}
