/* vectors_search.c: the nearest vectors of a collection, by looking at each. */
#include "lib/rag/vectors_file.h"

enum { LARGE_BYTES = 32 << 20 }; /* of vectors: their pages are given back after the search */

struct near {
    int64_t number;
    float dot;
};

/* The compiler turns this into the vector instructions of the machine that it builds for; sums of floats it may not reorder by itself. */
typedef float lanes __attribute__((vector_size(32)));

static float dot(const float *query, const void *row, size_t dim)
{
    lanes sum[2] = { { 0 }, { 0 } }, a, b;
    const float *v = row; /* aligned to 4 only by luck: read by memcpy */
    float out = 0, one;
    size_t i = 0;

    for (; i + 16 <= dim; i += 16) {
        for (int k = 0; k < 2; k++) {
            memcpy(&a, query + i + 8 * k, sizeof(a));
            memcpy(&b, (const char *)v + (i + 8 * (size_t)k) * sizeof(float), sizeof(b));
            sum[k] += a * b;
        }
    }
    sum[0] += sum[1];
    for (int k = 0; k < 8; k++)
        out += sum[0][k];
    for (; i < dim; i++) {
        memcpy(&one, (const char *)v + i * sizeof(float), sizeof(one));
        out += query[i] * one;
    }
    return out;
}

/* ---- the best k, in a heap whose top is the worst of them; of equals the earlier is the better */

static bool is_worse(struct near a, struct near b)
{
    return a.dot < b.dot || (a.dot == b.dot && a.number > b.number);
}

static void sift_down(struct near *heap, size_t n, size_t i)
{
    for (;;) {
        size_t child = 2 * i + 1;
        struct near t = heap[i];

        if (child >= n)
            return;
        if (child + 1 < n && is_worse(heap[child + 1], heap[child]))
            child++;
        if (!is_worse(heap[child], heap[i]))
            return;
        heap[i] = heap[child];
        heap[child] = t;
        i = child;
    }
}

static void sift_up(struct near *heap, size_t i)
{
    while (i > 0 && is_worse(heap[i], heap[(i - 1) / 2])) {
        struct near t = heap[i];

        heap[i] = heap[(i - 1) / 2];
        heap[(i - 1) / 2] = t;
        i = (i - 1) / 2;
    }
}

static void offer(struct near *heap, size_t *n, size_t k, struct near one)
{
    if (*n < k) {
        heap[(*n)++] = one;
        sift_up(heap, *n - 1);
    } else if (is_worse(heap[0], one)) {
        heap[0] = one;
        sift_down(heap, *n, 0);
    }
}

/* Best first. */
static void sort(struct near *heap, size_t n)
{
    while (n > 1) {
        struct near worst = heap[0];

        heap[0] = heap[--n];
        heap[n] = worst;
        sift_down(heap, n, 0);
    }
}

/* ---- searching */

static enum status look_at_all(sqlite3 *db, const struct collection_row *in, const float *query, struct near *heap,
                               size_t *n, size_t k, struct error *err)
{
    static const char sql[] = "SELECT number, v FROM vector WHERE number BETWEEN ?1 AND ?2 ORDER BY number";
    sqlite3_stmt *s = vectors_statement(db, sql, err);
    int code;

    if (!s)
        return FAILED;
    sqlite3_bind_int64(s, 1, ITEMS_FIRST(in->id));
    sqlite3_bind_int64(s, 2, ITEMS_LAST(in->id));
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        const void *v = sqlite3_column_blob(s, 1);

        if (v && (size_t)sqlite3_column_bytes(s, 1) == in->dim * sizeof(float))
            offer(heap, n, k, (struct near){ sqlite3_column_int64(s, 0), dot(query, v, in->dim) });
    }
    vectors_done(s);
    return code == SQLITE_DONE ? OK : vectors_fault(db, err);
}

/* The texts of what was found: by primary key, k at most. */
static enum status fetch(sqlite3 *db, struct arena *mem, const struct near *found, size_t n, struct vector_hits *out,
                         struct error *err)
{
    static const char sql[] = "SELECT id, text, metadata, number FROM item WHERE number = ?1";
    sqlite3_stmt *s = vectors_statement(db, sql, err);

    if (!s)
        return FAILED;
    out->v = arena_new_array(mem, struct vector_hit, n + 1);
    out->n = 0;
    for (size_t i = 0; i < n; i++) {
        int code;

        sqlite3_bind_int64(s, 1, found[i].number);
        code = sqlite3_step(s);
        if (code == SQLITE_ROW) {
            out->v[out->n] = vectors_read_hit(mem, s);
            out->v[out->n++].cosine = found[i].dot;
        }
        vectors_done(s);
        if (code != SQLITE_ROW && code != SQLITE_DONE)
            return vectors_fault(db, err);
    }
    return OK;
}

static float *unit(struct arena *mem, const float *v, size_t dim)
{
    float *out = arena_new_array(mem, float, dim + 1), length = dot(v, v, dim);

    for (size_t i = 0; i < dim; i++)
        out[i] = length > 0 ? v[i] / __builtin_sqrtf(length) : 0;
    return out;
}

static enum status find(sqlite3 *db, struct collection in, size_t dim, struct collection_row *row, struct error *err)
{
    enum status st = vectors_find(db, in, row, err);

    if (st == OK && row->dim != dim)
        return error_set(err, INVALID, "Collection expecting embedding with dimension of %zu, got %zu", row->dim, dim);
    return st;
}

static enum status search(sqlite3 *db, struct arena *mem, struct collection in, const float *vector, size_t dim,
                          size_t k, size_t *looked_at, struct vector_hits *out, struct error *err)
{
    struct collection_row row;
    struct near *heap;
    size_t n = 0;
    enum status st = find(db, in, dim, &row, err);

    if (st != OK)
        return st;
    if ((int64_t)k > row.next)
        k = (size_t)row.next;
    heap = arena_new_array(mem, struct near, k + 1);
    if (k == 0) {
        *out = (struct vector_hits){ NULL, 0 };
        return OK;
    }
    *looked_at = (size_t)row.next * dim * sizeof(float);
    st = look_at_all(db, &row, unit(mem, vector, dim), heap, &n, k, err);
    if (st != OK)
        return st;
    sort(heap, n);
    return fetch(db, mem, heap, n, out, err);
}

enum status vectors_search(struct config *c, struct arena *mem, struct collection in, const float *vector, size_t dim,
                           size_t k, struct vector_hits *out, struct error *err)
{
    enum status st;
    sqlite3 *db = vectors_open(c, false, &st, err);
    size_t looked_at = 0;

    if (!db)
        return st;
    st = vectors_begin(db, false, err);
    if (st != OK)
        return st;
    st = vectors_end(db, search(db, mem, in, vector, dim, k, &looked_at, out, err), err);
    if (looked_at > LARGE_BYTES)
        vectors_unmap(db);
    return st;
}

/* ---- items that are known */

static enum status score(sqlite3 *db, const struct collection_row *in, const float *query, struct near *v, size_t n,
                         struct error *err)
{
    static const char sql[] = "SELECT v FROM vector WHERE number = ?1";
    sqlite3_stmt *s = vectors_statement(db, sql, err);

    if (!s)
        return FAILED;
    for (size_t i = 0; i < n; i++) {
        sqlite3_bind_int64(s, 1, v[i].number);
        if (sqlite3_step(s) == SQLITE_ROW && (size_t)sqlite3_column_bytes(s, 0) == in->dim * sizeof(float))
            v[i].dot = dot(query, sqlite3_column_blob(s, 0), in->dim);
        vectors_done(s);
    }
    return OK;
}

static enum status fetch_known(sqlite3 *db, struct arena *mem, struct collection in, const int64_t *numbers, size_t n,
                               const float *vector, size_t dim, struct vector_hits *out, struct error *err)
{
    struct near *v = arena_new_array(mem, struct near, n + 1);
    struct collection_row row;
    enum status st = find(db, in, dim, &row, err);
    size_t inside = 0;

    if (st != OK)
        return st;
    for (size_t i = 0; i < n; i++)
        if (numbers[i] >= ITEMS_FIRST(row.id) && numbers[i] <= ITEMS_LAST(row.id))
            v[inside++].number = numbers[i];
    st = score(db, &row, unit(mem, vector, dim), v, inside, err);
    return st == OK ? fetch(db, mem, v, inside, out, err) : st;
}

enum status vectors_fetch(struct config *c, struct arena *mem, struct collection in, const int64_t *numbers, size_t n,
                          const float *vector, size_t dim, struct vector_hits *out, struct error *err)
{
    enum status st;
    sqlite3 *db = vectors_open(c, false, &st, err);

    if (!db)
        return st;
    st = vectors_begin(db, false, err);
    return st == OK ? vectors_end(db, fetch_known(db, mem, in, numbers, n, vector, dim, out, err), err) : st;
}
