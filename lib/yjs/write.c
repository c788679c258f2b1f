/* write.c: writes updates. */
#include "lib/yjs/items.h"

static void number(struct buf *b, uint64_t v)
{
    while (v >= 0x80) {
        buf_add_char(b, (char)(v | 0x80));
        v >>= 7;
    }
    buf_add_char(b, (char)v);
}

/* How many items from here on are written as one. */
static size_t joined(const struct items *list, size_t at)
{
    size_t n = 1;

    while (at + n < list->n && list->v[at + n].joins)
        n++;
    return n;
}

static void write_piece(struct buf *b, const struct item *first, size_t n)
{
    uint64_t clocks = 0;
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        clocks += first[i].n;
        bytes += first[i].content.n;
    }
    buf_add_char(b, (char)(first->kind | first->flags));
    if (first->flags & HAS_ORIGIN) {
        number(b, first->origin_client);
        number(b, first->origin_clock);
    }
    if (first->flags & HAS_RIGHT) {
        number(b, first->right_client);
        number(b, first->right_clock);
    }
    buf_add_str(b, first->parent);
    if (first->kind == STRING)
        number(b, bytes);
    else if (first->kind == GC || first->kind == DELETED || first->kind == JSON_TEXTS || first->kind == ANY_VALUES)
        number(b, clocks);
    for (size_t i = 0; i < n; i++)
        buf_add_str(b, first[i].content);
}

static uint64_t gap_before(const struct items *list, size_t at)
{
    const struct item *before = &list->v[at - 1];

    return list->v[at].clock - (before->clock + before->n);
}

/* All of one client; returns the place behind them. */
static size_t write_client(struct buf *b, const struct items *list, size_t at, size_t *structs)
{
    uint64_t client = list->v[at].client;
    size_t end = at, pieces = 0, gaps = 0;

    for (; end < list->n && list->v[end].client == client; end++) {
        pieces += !list->v[end].joins;
        gaps += end > at && gap_before(list, end) > 0;
    }
    number(b, pieces + gaps);
    number(b, client);
    number(b, list->v[at].clock);
    for (size_t i = at; i < end; i += joined(list, i)) {
        if (i > at && gap_before(list, i) > 0) {
            buf_add_char(b, SKIP);
            number(b, gap_before(list, i));
        }
        write_piece(b, &list->v[i], joined(list, i));
    }
    *structs += pieces;
    return end;
}

/* Clients in falling order, as Yjs has them. */
static void write_deletes(struct buf *b, const struct yjs_ranges *set)
{
    size_t clients = 0;

    for (size_t i = 0; i < set->n; i++)
        clients += i == 0 || set->v[i].client != set->v[i - 1].client;
    number(b, clients);
    for (size_t end = set->n, start; end > 0; end = start) {
        for (start = end - 1; start > 0 && set->v[start - 1].client == set->v[end - 1].client; start--)
            ;
        number(b, set->v[start].client);
        number(b, end - start);
        for (size_t i = start; i < end; i++) {
            number(b, set->v[i].clock);
            number(b, set->v[i].n);
        }
    }
}

struct str items_write(struct arena *mem, const struct items *list, const struct yjs_ranges *deletes, size_t *structs)
{
    struct buf b = BUF(mem, STR_NPOS);
    size_t clients = 0;

    *structs = 0;
    for (size_t i = 0; i < list->n; i++)
        clients += i == 0 || list->v[i].client != list->v[i - 1].client;
    number(&b, clients);
    for (size_t i = 0; i < list->n;)
        i = write_client(&b, list, i, structs);
    write_deletes(&b, deletes);
    return buf_str(&b);
}

struct str yjs_deletion(struct arena *mem, const struct yjs_ranges *set)
{
    struct items none = { .mem = mem };
    size_t structs;

    return items_write(mem, &none, set, &structs);
}
