/* vectors.c: collections of texts with their vectors: put, get, delete. */
#include "lib/rag/vectors.h"

#include <math.h>

#include "lib/rag/vectors_file.h"

/* ---- putting */

static enum status make_collection(sqlite3 *db, struct collection which, size_t dim, struct collection_row *out,
                                   struct error *err)
{
    static const char sql[] = "INSERT INTO collection (owner, name, dim, next) VALUES (?1, ?2, ?3, 0)";
    sqlite3_stmt *s = vectors_statement(db, sql, err);
    enum status st;

    if (!s)
        return FAILED;
    vectors_bind_str(s, 1, which.owner.p ? which.owner : S(""));
    vectors_bind_str(s, 2, which.name);
    sqlite3_bind_int64(s, 3, (int64_t)dim);
    st = vectors_step(db, s, err);
    *out = (struct collection_row){ .id = sqlite3_last_insert_rowid(db), .dim = dim };
    return st;
}

/* Runs a statement about the items of one collection: ?1 and ?2 are its first and last number, ?3 a text. */
static enum status run_on_items(sqlite3 *db, const char *sql, int64_t collection_id, struct str value,
                                struct error *err)
{
    sqlite3_stmt *s = vectors_statement(db, sql, err);

    if (!s)
        return FAILED;
    sqlite3_bind_int64(s, 1, ITEMS_FIRST(collection_id));
    sqlite3_bind_int64(s, 2, ITEMS_LAST(collection_id));
    if (value.p)
        vectors_bind_str(s, 3, value);
    return vectors_step(db, s, err);
}

static enum status drop(sqlite3 *db, int64_t collection_id, struct error *err)
{
    static const char vectors[] = "DELETE FROM vector WHERE number BETWEEN ?1 AND ?2",
                      items[] = "DELETE FROM item WHERE number BETWEEN ?1 AND ?2",
                      row[] = "DELETE FROM collection WHERE id = ?1";
    enum status st = run_on_items(db, vectors, collection_id, STR_NONE, err);
    sqlite3_stmt *s;

    if (st == OK)
        st = run_on_items(db, items, collection_id, STR_NONE, err);
    if (st != OK)
        return st;
    s = vectors_statement(db, row, err);
    if (!s)
        return FAILED;
    sqlite3_bind_int64(s, 1, collection_id);
    return vectors_step(db, s, err);
}

/* By the index of the member; ?1 and ?2 keep to the collection. */
static const struct {
    const char *member, *get, *vectors, *items;
} members[] = {
#define MEMBER(column)                                                                   \
    {                                                                                    \
#column,                                                                         \
            "SELECT id, text, metadata, number FROM item WHERE " #column                 \
            " = ?3 AND number BETWEEN ?1 AND ?2 ORDER BY number",                        \
            "DELETE FROM vector WHERE number IN (SELECT number FROM item WHERE " #column \
            " = ?3 AND number BETWEEN ?1 AND ?2)",                                       \
            "DELETE FROM item WHERE " #column " = ?3 AND number BETWEEN ?1 AND ?2"       \
    }
    MEMBER(id), MEMBER(file_id), MEMBER(hash)
#undef MEMBER
};

static enum status delete_by(sqlite3 *db, int64_t collection_id, const char *member, struct str value,
                             struct error *err)
{
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (strcmp(members[i].member, member) == 0) {
            enum status st = run_on_items(db, members[i].vectors, collection_id, value, err);

            return st == OK ? run_on_items(db, members[i].items, collection_id, value, err) : st;
        }
    }
    return error_set(err, FAILED, "items cannot be deleted by %s", member);
}

/* So that a search is a product; zero stays zero. */
static void normalize(const float *from, float *to, size_t dim)
{
    double sum = 0;
    float by;

    for (size_t i = 0; i < dim; i++)
        sum += (double)from[i] * from[i];
    by = sum > 0 && isfinite(sum) ? (float)(1 / sqrt(sum)) : 0;
    for (size_t i = 0; i < dim; i++)
        to[i] = from[i] * by;
}

static enum status put_item(sqlite3 *db, int64_t number, const struct vector_item *item, struct str metadata,
                            const float *normalized, size_t dim, struct error *err)
{
    static const char items[] =
        "INSERT INTO item (number, id, file_id, hash, metadata, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                      vectors[] = "INSERT INTO vector (number, v) VALUES (?1, ?2)";
    sqlite3_stmt *s = vectors_statement(db, items, err);
    enum status st;

    if (!s)
        return FAILED;
    sqlite3_bind_int64(s, 1, number);
    vectors_bind_str(s, 2, item->id);
    vectors_bind_str(s, 3, json_str(item->metadata, "file_id"));
    vectors_bind_str(s, 4, json_str(item->metadata, "hash"));
    vectors_bind_str(s, 5, metadata);
    vectors_bind_str(s, 6, item->text.p ? item->text : S(""));
    st = vectors_step(db, s, err);
    if (st != OK)
        return st;
    s = vectors_statement(db, vectors, err);
    if (!s)
        return FAILED;
    sqlite3_bind_int64(s, 1, number);
    sqlite3_bind_blob64(s, 2, normalized, dim * sizeof(float), SQLITE_STATIC);
    return vectors_step(db, s, err);
}

static enum status put_items(sqlite3 *db, const struct collection_row *to, enum vector_mode mode,
                             const struct vector_item *items, const float *vectors, size_t n, struct error *err)
{
    static const char count[] = "UPDATE collection SET next = ?2 WHERE id = ?1";
    struct arena *mem = arena_new(16 * 1024);
    float *normalized = arena_alloc(mem, to->dim * sizeof(float) + 1);
    enum status st = OK;
    sqlite3_stmt *s;

    for (size_t i = 0; i < n && st == OK; i++) {
        struct arena_mark mark = arena_mark(mem);
        struct str metadata = items[i].metadata ? json_text(mem, items[i].metadata) : S("{}");

        if (mode == VECTORS_UPSERT)
            st = delete_by(db, to->id, "id", items[i].id, err);
        normalize(vectors + i * to->dim, normalized, to->dim);
        if (st == OK)
            st = put_item(db, ITEMS_FIRST(to->id) + to->next + (int64_t)i, &items[i], metadata, normalized, to->dim,
                          err);
        arena_rewind(mem, mark);
    }
    arena_free(mem);
    if (st != OK)
        return st;
    s = vectors_statement(db, count, err);
    if (!s)
        return FAILED;
    sqlite3_bind_int64(s, 1, to->id);
    sqlite3_bind_int64(s, 2, to->next + (int64_t)n);
    return vectors_step(db, s, err);
}

static enum status put(sqlite3 *db, struct collection to, enum vector_mode mode, const struct vector_item *items,
                       const float *vectors, size_t n, size_t dim, struct error *err)
{
    struct collection_row row = { 0 };
    enum status st = vectors_find(db, to, &row, err);

    if (st == OK && mode == VECTORS_REPLACE) {
        st = drop(db, row.id, err);
        if (st == OK)
            st = NOT_FOUND;
    }
    if (st == NOT_FOUND)
        st = make_collection(db, to, dim, &row, err);
    if (st != OK)
        return st;
    if (row.dim != dim)
        return error_set(err, INVALID, "Collection expecting embedding with dimension of %zu, got %zu", row.dim, dim);
    if (row.next + (int64_t)n >= (int64_t)1 << ITEMS_SHIFT)
        return error_set(err, FAILED, "the collection has had too many items");
    return put_items(db, &row, mode, items, vectors, n, err);
}

enum status vectors_put(struct config *c, struct collection to, enum vector_mode mode, const struct vector_item *items,
                        const float *vectors, size_t n, size_t dim, struct error *err)
{
    enum status st;
    sqlite3 *db = vectors_open(c, true, &st, err);

    if (!db)
        return st;
    st = vectors_begin(db, true, err);
    return st == OK ? vectors_end(db, put(db, to, mode, items, vectors, n, dim, err), err) : st;
}

/* ---- getting */

enum status vectors_exists(struct config *c, struct collection in, struct error *err)
{
    struct collection_row row;
    enum status st;
    sqlite3 *db = vectors_open(c, false, &st, err);

    return db ? vectors_find(db, in, &row, err) : st;
}

static enum status read_hits(sqlite3 *db, struct arena *mem, sqlite3_stmt *s, struct vector_hits *out,
                             struct error *err)
{
    struct vector_hits hits = { NULL, 0 };
    size_t room = 0;
    int code;

    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        if (hits.n == room) {
            size_t more = room ? room * 2 : 16;

            hits.v = arena_grow(mem, hits.v, room * sizeof(*hits.v), more * sizeof(*hits.v));
            room = more;
        }
        hits.v[hits.n++] = vectors_read_hit(mem, s);
    }
    vectors_done(s);
    if (code != SQLITE_DONE)
        return vectors_fault(db, err);
    *out = hits;
    return OK;
}

static enum status get(sqlite3 *db, struct arena *mem, struct collection in, const char *sql, struct str value,
                       struct vector_hits *out, struct error *err)
{
    struct collection_row row;
    enum status st = vectors_find(db, in, &row, err);
    sqlite3_stmt *s;

    if (st != OK)
        return st;
    s = vectors_statement(db, sql, err);
    if (!s)
        return FAILED;
    sqlite3_bind_int64(s, 1, ITEMS_FIRST(row.id));
    sqlite3_bind_int64(s, 2, ITEMS_LAST(row.id));
    if (value.p)
        vectors_bind_str(s, 3, value);
    return read_hits(db, mem, s, out, err);
}

enum status vectors_get(struct config *c, struct arena *mem, struct collection in, const char *member, struct str value,
                        struct vector_hits *out, struct error *err)
{
    static const char all[] =
        "SELECT id, text, metadata, number FROM item WHERE number BETWEEN ?1 AND ?2 ORDER BY number";
    const char *sql = member ? NULL : all;
    enum status st;
    sqlite3 *db = vectors_open(c, false, &st, err);

    if (!db)
        return st;
    for (size_t i = 0; member && i < sizeof(members) / sizeof(members[0]); i++)
        if (strcmp(members[i].member, member) == 0)
            sql = members[i].get;
    if (!sql)
        return error_set(err, FAILED, "items cannot be found by %s", member);
    st = vectors_begin(db, false, err);
    return st == OK ? vectors_end(db, get(db, mem, in, sql, member ? value : STR_NONE, out, err), err) : st;
}

static enum status each_text(sqlite3 *db, struct collection in, vectors_reader *each, void *arg, struct error *err)
{
    static const char sql[] = "SELECT number, text FROM item WHERE number BETWEEN ?1 AND ?2 ORDER BY number";
    struct collection_row row;
    enum status st = vectors_find(db, in, &row, err);
    sqlite3_stmt *s;
    int code;

    if (st != OK)
        return st;
    s = vectors_statement(db, sql, err);
    if (!s)
        return FAILED;
    sqlite3_bind_int64(s, 1, ITEMS_FIRST(row.id));
    sqlite3_bind_int64(s, 2, ITEMS_LAST(row.id));
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        const char *p = (const char *)sqlite3_column_text(s, 1);

        each(sqlite3_column_int64(s, 0), str_n(p ? p : "", (size_t)sqlite3_column_bytes(s, 1)), arg);
    }
    vectors_done(s);
    return code == SQLITE_DONE ? OK : vectors_fault(db, err);
}

enum status vectors_each(struct config *c, struct collection in, vectors_reader *each, void *arg, struct error *err)
{
    enum status st;
    sqlite3 *db = vectors_open(c, false, &st, err);

    if (!db)
        return st;
    st = vectors_begin(db, false, err);
    return st == OK ? vectors_end(db, each_text(db, in, each, arg, err), err) : st;
}

/* ---- deleting */

/* The collection: dropped (member NULL), or items deleted from it. */
static enum status for_one(struct config *c, struct collection which, const char *member, struct str value,
                           struct error *err)
{
    struct collection_row row;
    enum status st;
    sqlite3 *db = vectors_open(c, false, &st, err);

    if (!db)
        return st;
    st = vectors_begin(db, true, err);
    if (st != OK)
        return st;
    st = vectors_find(db, which, &row, err);
    if (st == OK)
        st = member ? delete_by(db, row.id, member, value, err) : drop(db, row.id, err);
    return vectors_end(db, st, err);
}

enum status vectors_delete(struct config *c, struct collection from, const char *member, struct str value,
                           struct error *err)
{
    return for_one(c, from, member, value, err);
}

/* The ids of collections, by one text. */
static enum status find_all(sqlite3 *db, struct arena *mem, const char *sql, struct str value, int64_t **out, size_t *n,
                            struct error *err)
{
    sqlite3_stmt *s = vectors_statement(db, sql, err);
    size_t room = 0;
    int code;

    *out = NULL;
    *n = 0;
    if (!s)
        return FAILED;
    if (value.p)
        vectors_bind_str(s, 1, value);
    while ((code = sqlite3_step(s)) == SQLITE_ROW) {
        if (*n == room) {
            *out = arena_grow(mem, *out, room * sizeof(int64_t), (room + 16) * sizeof(int64_t));
            room += 16;
        }
        (*out)[(*n)++] = sqlite3_column_int64(s, 0);
    }
    vectors_done(s);
    return code == SQLITE_DONE ? OK : vectors_fault(db, err);
}

/* Every collection that sql finds: dropped (member NULL), or items deleted from it. */
static enum status for_all(struct config *c, const char *sql, struct str which, const char *member, struct str value,
                           size_t *found, struct error *err)
{
    struct arena *mem;
    enum status st;
    sqlite3 *db = vectors_open(c, false, &st, err);
    int64_t *ids;

    *found = 0;
    if (!db)
        return st == NOT_FOUND ? OK : st;
    st = vectors_begin(db, true, err);
    if (st != OK)
        return st;
    mem = arena_new(4096);
    st = find_all(db, mem, sql, which, &ids, found, err);
    for (size_t i = 0; i < *found && st == OK; i++)
        st = member ? delete_by(db, ids[i], member, value, err) : drop(db, ids[i], err);
    st = vectors_end(db, st, err);
    arena_free(mem);
    return st;
}

enum status vectors_delete_anywhere(struct config *c, struct str name, const char *member, struct str value,
                                    bool *found, struct error *err)
{
    static const char sql[] = "SELECT id FROM collection WHERE name = ?1";
    size_t n;
    enum status st = for_all(c, sql, name, member, value, &n, err);

    *found = n > 0;
    return st;
}

enum status vectors_drop(struct config *c, struct collection which, struct error *err)
{
    return for_one(c, which, NULL, STR_NONE, err);
}

enum status vectors_drop_owner(struct config *c, struct str owner, struct error *err)
{
    static const char sql[] = "SELECT id FROM collection WHERE owner = ?1";
    size_t n;

    return owner.n ? for_all(c, sql, owner, NULL, STR_NONE, &n, err) : OK;
}

enum status vectors_reset(struct config *c, struct error *err)
{
    static const char vectors[] = "DELETE FROM vector", items[] = "DELETE FROM item",
                      collections[] = "DELETE FROM collection", *const all[] = { vectors, items, collections };
    enum status st;
    sqlite3 *db = vectors_open(c, false, &st, err);

    if (!db)
        return st == NOT_FOUND ? OK : st;
    st = vectors_begin(db, true, err);
    if (st != OK)
        return st;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && st == OK; i++) {
        sqlite3_stmt *s = vectors_statement(db, all[i], err);

        st = s ? vectors_step(db, s, err) : FAILED;
    }
    st = vectors_end(db, st, err);
    if (st == OK) /* gives the space back; what hinders it is no failure of the reset */
        sqlite3_exec(db, "PRAGMA incremental_vacuum", NULL, NULL, NULL);
    return st;
}
