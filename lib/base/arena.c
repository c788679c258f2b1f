/* arena.c: blocks in a list, a bump pointer in the newest, cleanups in a list. */
#include "lib/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALIGN 16
#define BIG (1024 * 1024) /* blocks stop doubling here */

struct block {
    struct block *older;
    size_t size, used;
    char data[] __attribute__((aligned(ALIGN)));
};

struct cleanup {
    struct cleanup *older;
    void (*fn)(void *);
    void *arg;
};

struct arena {
    struct block *newest;
    struct cleanup *cleanups;
    size_t total;
};

static void *must(void *p)
{
    if (!p) {
        static const char text[] = "out of memory\n";

        fwrite(text, 1, sizeof(text) - 1, stderr);
        _exit(70);
    }
    return p;
}

static struct block *add_block(struct arena *mem, size_t size)
{
    struct block *b;

    if (size > SIZE_MAX / 2)
        must(NULL);
    b = must(malloc(sizeof(*b) + size));
    b->older = mem->newest;
    b->size = size;
    b->used = 0;
    mem->newest = b;
    mem->total += size;
    return b;
}

struct arena *arena_new(size_t first_bytes)
{
    struct arena *mem = must(calloc(1, sizeof(*mem)));

    add_block(mem, first_bytes < 256 ? 256 : first_bytes);
    return mem;
}

static void run_cleanups(struct arena *mem, struct cleanup *until)
{
    while (mem->cleanups && mem->cleanups != until) {
        struct cleanup *c = mem->cleanups;

        mem->cleanups = c->older;
        c->fn(c->arg);
    }
}

static void drop_blocks(struct arena *mem, struct block *until)
{
    while (mem->newest != until && mem->newest->older) {
        struct block *b = mem->newest;

        mem->newest = b->older;
        mem->total -= b->size;
        free(b);
    }
}

void arena_reset(struct arena *mem)
{
    run_cleanups(mem, NULL);
    drop_blocks(mem, NULL);
    mem->newest->used = 0;
}

void arena_free(struct arena *mem)
{
    if (!mem)
        return;
    run_cleanups(mem, NULL);
    drop_blocks(mem, NULL);
    free(mem->newest);
    free(mem);
}

void *arena_alloc(struct arena *mem, size_t bytes)
{
    struct block *b = mem->newest;
    void *p;

    if (bytes > SIZE_MAX / 4)
        must(NULL);
    bytes = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (b->size - b->used < bytes) {
        size_t next = b->size < BIG ? b->size * 2 : BIG;

        b = add_block(mem, bytes > next ? bytes : next);
    }
    p = b->data + b->used;
    b->used += bytes;
    return p;
}

void *arena_zalloc(struct arena *mem, size_t bytes)
{
    return memset(arena_alloc(mem, bytes), 0, bytes);
}

void *arena_array(struct arena *mem, size_t item_bytes, size_t n)
{
    size_t bytes;

    if (__builtin_mul_overflow(item_bytes, n, &bytes))
        must(NULL);
    return arena_zalloc(mem, bytes);
}

void *arena_grow(struct arena *mem, void *old, size_t old_bytes, size_t new_bytes)
{
    struct block *b = mem->newest;
    size_t had = (old_bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    void *p;

    if (new_bytes <= had && old)
        return old;
    if (old && (char *)old + had == b->data + b->used && new_bytes <= SIZE_MAX / 4) {
        size_t want = (new_bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);

        if (want - had <= b->size - b->used) {
            b->used += want - had;
            return old;
        }
    }
    p = arena_alloc(mem, new_bytes);
    if (old_bytes)
        memcpy(p, old, old_bytes);
    return p;
}

void arena_at_end(struct arena *mem, void (*fn)(void *arg), void *arg)
{
    struct cleanup *c = arena_alloc(mem, sizeof(*c));

    c->older = mem->cleanups;
    c->fn = fn;
    c->arg = arg;
    mem->cleanups = c;
}

struct arena_mark arena_mark(struct arena *mem)
{
    return (struct arena_mark){ mem->newest, mem->cleanups, mem->newest->used };
}

void arena_rewind(struct arena *mem, struct arena_mark mark)
{
    run_cleanups(mem, mark.cleanup);
    drop_blocks(mem, mark.block);
    mem->newest->used = mark.used;
}

size_t arena_bytes(const struct arena *mem)
{
    return mem->total;
}
