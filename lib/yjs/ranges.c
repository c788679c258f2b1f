/* ranges.c: sets of clocks by client. */
#include "lib/yjs/ranges.h"

#include <stdlib.h>

void yjs_ranges_push(struct yjs_ranges *set, struct yjs_range r)
{
    if (set->n == set->room) {
        set->room = set->room ? set->room * 2 : 4;
        set->v = realloc(set->v, set->room * sizeof(*set->v));
        if (!set->v)
            abort();
    }
    set->v[set->n++] = r;
}

void yjs_ranges_free(struct yjs_ranges *set)
{
    free(set->v);
    *set = (struct yjs_ranges){ 0 };
}

static int compare(const void *a, const void *b)
{
    const struct yjs_range *x = a, *y = b;

    if (x->client != y->client)
        return x->client < y->client ? -1 : 1;
    return (x->clock > y->clock) - (x->clock < y->clock);
}

static uint64_t end_of(const struct yjs_range *r)
{
    return r->clock + r->n;
}

void yjs_ranges_settle(struct yjs_ranges *set)
{
    size_t n = 0;

    if (set->n > 1)
        qsort(set->v, set->n, sizeof(*set->v), compare);
    for (size_t i = 0; i < set->n; i++) {
        struct yjs_range r = set->v[i], *last = n ? &set->v[n - 1] : NULL;

        if (!last || last->client != r.client || end_of(last) < r.clock)
            set->v[n++] = r;
        else if (end_of(&r) > end_of(last))
            last->n = end_of(&r) - last->clock;
    }
    set->n = n;
}

const struct yjs_range *yjs_ranges_from(const struct yjs_ranges *set, uint64_t client, uint64_t clock)
{
    size_t low = 0, high = set->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct yjs_range *r = &set->v[mid];

        if (r->client < client || (r->client == client && end_of(r) <= clock))
            low = mid + 1;
        else
            high = mid;
    }
    return low < set->n && set->v[low].client == client ? &set->v[low] : NULL;
}

bool yjs_ranges_within(const struct yjs_ranges *a, const struct yjs_ranges *b)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct yjs_range *r = &a->v[i], *in = yjs_ranges_from(b, r->client, r->clock);

        if (!in || in->clock > r->clock || end_of(in) < end_of(r))
            return false;
    }
    return true;
}

void yjs_ranges_unite(struct yjs_ranges *a, const struct yjs_ranges *b)
{
    for (size_t i = 0; i < b->n; i++)
        yjs_ranges_push(a, b->v[i]);
    yjs_ranges_settle(a);
}

void yjs_ranges_subtract(struct yjs_ranges *a, const struct yjs_ranges *b)
{
    struct yjs_ranges left = { 0 };

    for (size_t i = 0; i < a->n; i++) {
        struct yjs_range r = a->v[i];
        const struct yjs_range *hole;

        while (r.n && (hole = yjs_ranges_from(b, r.client, r.clock)) && hole->clock < end_of(&r)) {
            uint64_t end = end_of(&r), next = end_of(hole) < end ? end_of(hole) : end;

            if (hole->clock > r.clock)
                yjs_ranges_push(&left, (struct yjs_range){ r.client, r.clock, hole->clock - r.clock });
            r.clock = next;
            r.n = end - next;
        }
        if (r.n)
            yjs_ranges_push(&left, r);
    }
    yjs_ranges_free(a);
    *a = left;
}
