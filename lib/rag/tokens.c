/* tokens.c: byte pair encoding with tiktoken's table. */
#include "lib/rag/tokens.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/base/encode.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/net/http.h"
#include "lib/rag/tokens_word.h"

#define TABLE_URL "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken"
#define TABLE_NAME "9b5ad71b2ce5302211f9c61530b329a4922fc6a4" /* SHA-1 of the address: what tiktoken calls the file */
#define TABLE_SHA256 "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"
#define NOT_TO_BE_HAD                                                                                          \
    "The table of tokens is not there and could not be downloaded: choose another text splitter in the admin " \
    "settings, Documents"

/* A word longer than this is cut first: the time that merging takes grows with the square of the length. */
enum { MAX_BYTES = 8 << 20, MAX_WORD = 4096 };
#define NO_RANK UINT32_MAX

struct token {
    const char *p;
    uint32_t n; /* 0: free */
    uint32_t rank;
};

struct token_table {
    struct token *v; /* open addressing, a power of two of places */
    size_t places;
    size_t longest;
};

/* ---- the table */

static uint64_t hash_of(struct str s)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a: the tokens are not a stranger's choice */

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
    return h ^ h >> 32;
}

static struct token *place_of(const struct token_table *t, struct str s)
{
    size_t i = hash_of(s) & (t->places - 1);

    while (t->v[i].n && !str_eq(str_n(t->v[i].p, t->v[i].n), s))
        i = (i + 1) & (t->places - 1);
    return &t->v[i];
}

static uint32_t rank_of(const struct token_table *t, struct str s)
{
    return s.n <= t->longest ? place_of(t, s)->rank : NO_RANK;
}

static size_t count_lines(struct str text)
{
    size_t n = 1;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    return n;
}

static bool add_line(struct arena *mem, struct token_table *t, struct str line)
{
    size_t space = str_find_c(line, ' ');
    struct str bytes;
    int64_t rank;

    if (space == STR_NPOS || !base64_decode(mem, str_sub(line, 0, space), &bytes) || !bytes.n ||
        !str_to_i64(str_from(line, space + 1), &rank) || rank < 0 || rank >= NO_RANK)
        return false;
    *place_of(t, bytes) = (struct token){ bytes.p, (uint32_t)bytes.n, (uint32_t)rank };
    if (bytes.n > t->longest)
        t->longest = bytes.n;
    return true;
}

enum status token_table_read(struct arena *mem, struct str text, struct token_table **out, struct error *err)
{
    struct token_table *t = arena_new_one(mem, struct token_table);
    size_t lines = count_lines(text);
    struct str line;

    for (t->places = 1024; t->places < lines * 2; t->places *= 2)
        ;
    t->v = arena_new_array(mem, struct token, t->places);
    for (size_t i = 0; i < t->places; i++)
        t->v[i].rank = NO_RANK;
    while (str_split(&text, '\n', &line))
        if (line.n && !add_line(mem, t, str_trim(line)))
            return error_set(err, INVALID, "a line that is no token: %.*s", STR(str_sub(line, 0, 40)));
    *out = t;
    return OK;
}

/* ---- merging */

struct part { /* of a word */
    size_t start;
    uint32_t rank; /* of it and the next together */
};

static uint32_t rank_of_pair(const struct token_table *t, struct str word, const struct part *parts, size_t n, size_t i)
{
    if (i + 2 > n)
        return NO_RANK;
    return rank_of(t, str_sub(word, parts[i].start, (i + 2 < n ? parts[i + 2].start : word.n) - parts[i].start));
}

/* parts: room for word.n. How many are left; each starts where it says. */
static size_t merge(const struct token_table *t, struct str word, struct part *parts)
{
    size_t n = word.n;

    for (size_t i = 0; i < n; i++)
        parts[i].start = i;
    for (size_t i = 0; i < n; i++)
        parts[i].rank = rank_of_pair(t, word, parts, n, i);
    while (n > 1) {
        size_t best = 0;

        for (size_t i = 1; i < n; i++)
            if (parts[i].rank < parts[best].rank)
                best = i;
        if (parts[best].rank == NO_RANK)
            break;
        memmove(&parts[best + 1], &parts[best + 2], (n - best - 2) * sizeof(*parts));
        n--;
        parts[best].rank = rank_of_pair(t, word, parts, n, best);
        if (best > 0)
            parts[best - 1].rank = rank_of_pair(t, word, parts, n, best - 1);
    }
    return n;
}

struct ends {
    size_t *v, n, room;
};

static void push(struct arena *mem, struct ends *e, size_t end)
{
    if (e->n == e->room) {
        size_t more = e->room ? e->room * 2 : 1024;

        e->v = arena_grow(mem, e->v, e->room * sizeof(*e->v), more * sizeof(*e->v));
        e->room = more;
    }
    e->v[e->n++] = end;
}

size_t tokens_of(const struct token_table *t, struct arena *mem, struct str text, size_t **ends)
{
    struct part *parts = arena_new_array(mem, struct part, MAX_WORD);
    struct ends all = { 0 };
    size_t start = 0;

    while (start < text.n) {
        size_t n = tokens_word(str_from(text, start)), left = 0;
        struct str word = str_sub(text, start, n < MAX_WORD ? n : MAX_WORD);

        if (rank_of(t, word) == NO_RANK)
            left = merge(t, word, parts);
        for (size_t i = 1; i < left; i++)
            push(mem, &all, start + parts[i].start);
        start += word.n;
        push(mem, &all, start);
    }
    *ends = all.v;
    return all.n;
}

/* ---- where the table is */

static struct str folder_of(struct config *c, struct arena *mem)
{
    struct str named = config_str(c, CFG_TIKTOKEN_CACHE_DIR);

    return named.n ? named : str_f(mem, "%s/cache/tiktoken", config_data_dir(c));
}

static bool is_table(struct arena *mem, struct str text)
{
    return str_is(sha256_hex(mem, text), TABLE_SHA256);
}

static enum status download(struct arena *mem, const char *folder, const char *path, struct str *out, struct error *err)
{
    struct http_call call = { .url = S(TABLE_URL), .max_bytes = MAX_BYTES, .timeout_ms = 60000 };
    struct error why = { "" };

    http_run(mem, &call, 1);
    if (call.result != OK || call.status != 200 || !is_table(mem, call.response)) {
        log_error("%s: %s (%d)", TABLE_URL, call.result == OK ? "not the table of tokens" : call.err.text, call.status);
        return error_set(err, FAILED, NOT_TO_BE_HAD);
    }
    if (dir_make(folder, 0700, &why) != OK || file_write(path, call.response, 0600, &why) != OK)
        log_warning("the table of tokens is not kept: %s", why.text);
    *out = call.response;
    return OK;
}

enum status token_table_get(struct config *c, const struct token_table **out, struct error *err)
{
    static struct token_table *kept;
    struct arena *mem, *forever;
    const char *folder, *path;
    struct error why = { "" };
    enum status st = OK;
    struct str text;

    *out = kept;
    if (kept)
        return OK;
    mem = arena_new(64 * 1024);
    folder = str_c(mem, folder_of(c, mem));
    path = str_f(mem, "%s/" TABLE_NAME, folder).p;
    if (file_read(mem, path, MAX_BYTES, &text, &why) != OK || !is_table(mem, text))
        st = download(mem, folder, path, &text, err);
    if (st == OK) {
        forever = arena_new(1 << 20);
        st = token_table_read(forever, text, &kept, err);
        if (st != OK)
            arena_free(forever);
    }
    arena_free(mem);
    *out = kept;
    return st;
}
