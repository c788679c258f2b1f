/* map.h: pointers by name. Keys are copied; the hash is seeded. */
#ifndef SIDECAR_MAP_H
#define SIDECAR_MAP_H

#include "lib/base/str.h"

struct map_entry {
    struct map_entry *next;
    uint64_t hash;
    void *value;
    size_t key_n;
    char key[];
};

struct map { /* starts zeroed */
    struct map_entry **slots;
    size_t slots_n, n;
};

void *map_get(const struct map *m, struct str key); /* NULL: not there */
void map_set(struct map *m, struct str key, void *value);
void *map_take(struct map *m, struct str key); /* removes it; NULL: was not there */
void map_free(struct map *m);                  /* empties it; the values are the caller's */
/* Each entry once; *at starts at 0. The entry just given may be taken out; nothing may be set meanwhile. NULL: no more. */
struct map_entry *map_next(const struct map *m, size_t *at, struct map_entry *before);

#define MAP_EACH(m, entry)                                                              \
    for (size_t entry##_at = 0, entry##_once = 1; entry##_once; entry##_once = 0)       \
        for (struct map_entry *entry = map_next((m), &entry##_at, NULL), *entry##_next; \
             entry && (entry##_next = map_next((m), &entry##_at, entry), 1); entry = entry##_next)

#endif
