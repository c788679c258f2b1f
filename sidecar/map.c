/* map.c: pointers by name: chains in a table that doubles. */
#include "sidecar/map.h"

#include <stdlib.h>

#include "lib/base/random.h"

static uint64_t hash_of(struct str key)
{
    static uint64_t seed;
    uint64_t h;

    while (!seed)
        random_bytes(&seed, sizeof(seed));
    h = seed;
    for (size_t i = 0; i < key.n; i++) {
        h ^= (unsigned char)key.p[i];
        h *= 0x100000001b3ull;
        h ^= h >> 29;
    }
    h *= 0x9e3779b97f4a7c15ull;
    return h ^ h >> 32;
}

static struct map_entry **find(const struct map *m, struct str key, uint64_t hash)
{
    struct map_entry **e;

    if (m->slots_n == 0)
        return NULL;
    for (e = &m->slots[hash & (m->slots_n - 1)]; *e; e = &(*e)->next) {
        if ((*e)->hash == hash && str_eq(str_n((*e)->key, (*e)->key_n), key))
            break;
    }
    return e;
}

void *map_get(const struct map *m, struct str key)
{
    struct map_entry **e = find(m, key, hash_of(key));

    return e && *e ? (*e)->value : NULL;
}

static void grow(struct map *m)
{
    size_t n = m->slots_n ? m->slots_n * 2 : 16;
    struct map_entry **slots = calloc(n, sizeof(*slots));

    if (!slots)
        abort();
    for (size_t i = 0; i < m->slots_n; i++) {
        struct map_entry *e, *next;

        for (e = m->slots[i]; e; e = next) {
            next = e->next;
            e->next = slots[e->hash & (n - 1)];
            slots[e->hash & (n - 1)] = e;
        }
    }
    free(m->slots);
    m->slots = slots;
    m->slots_n = n;
}

void map_set(struct map *m, struct str key, void *value)
{
    uint64_t hash = hash_of(key);
    struct map_entry **at = find(m, key, hash), *e;

    if (at && *at) {
        (*at)->value = value;
        return;
    }
    if (m->n >= m->slots_n)
        grow(m);
    e = malloc(sizeof(*e) + key.n + 1);
    if (!e)
        abort();
    e->hash = hash;
    e->value = value;
    e->key_n = key.n;
    if (key.n)
        memcpy(e->key, key.p, key.n);
    e->key[key.n] = '\0';
    e->next = m->slots[hash & (m->slots_n - 1)];
    m->slots[hash & (m->slots_n - 1)] = e;
    m->n++;
}

void *map_take(struct map *m, struct str key)
{
    struct map_entry **at = find(m, key, hash_of(key)), *e;
    void *value;

    if (!at || !*at)
        return NULL;
    e = *at;
    value = e->value;
    *at = e->next;
    free(e);
    m->n--;
    return value;
}

struct map_entry *map_next(const struct map *m, size_t *at, struct map_entry *before)
{
    struct map_entry *e = before ? before->next : NULL;

    while (!e && *at < m->slots_n)
        e = m->slots[(*at)++];
    return e;
}

void map_free(struct map *m)
{
    MAP_EACH(m, entry)
    free(entry);
    free(m->slots);
    *m = (struct map){ 0 };
}
