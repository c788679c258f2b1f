/* arena.h: memory that lives and dies together. A request has one; nobody frees single things in it. */
#ifndef LIB_BASE_ARENA_H
#define LIB_BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena_mark { /* a place to rewind to; see arena_mark() */
    void *block, *cleanup;
    size_t used;
};

/* first_bytes: size of the first block; more come as needed. Out of memory ends the process. */
struct arena *arena_new(size_t first_bytes);
void arena_free(struct arena *mem);  /* runs what arena_at_end() registered, newest first; NULL is fine */
void arena_reset(struct arena *mem); /* the same, but keeps the arena and its first block */

/* Never NULL; aligned for any type; contents undefined. */
void *arena_alloc(struct arena *mem, size_t bytes) __attribute__((malloc, returns_nonnull));
void *arena_zalloc(struct arena *mem, size_t bytes) __attribute__((malloc, returns_nonnull)); /* zeroed */
void *arena_grow(struct arena *mem, void *old, size_t old_bytes, size_t new_bytes); /* in place if old was last */

#define arena_new_array(mem, type, n) ((type *)arena_array((mem), sizeof(type), (n)))
#define arena_new_one(mem, type) ((type *)arena_zalloc((mem), sizeof(type)))
void *arena_array(struct arena *mem, size_t item_bytes, size_t n); /* zeroed, overflow-checked */

/* fn(arg) is called when the arena is reset, freed or rewound past this point. */
void arena_at_end(struct arena *mem, void (*fn)(void *arg), void *arg);

/* A loop over many rows rewinds to a mark: everything allocated since is gone. */
struct arena_mark arena_mark(struct arena *mem);
void arena_rewind(struct arena *mem, struct arena_mark mark);

size_t arena_bytes(const struct arena *mem); /* held from the system */

#endif
