/* chroma.c: collections of Chroma into ours. */
#include "lib/rag/chroma.h"

#include <sqlite3.h>
#include <unistd.h>

#include "lib/base/random.h"
#include "lib/rag/chroma_index.h"
#include "lib/store/knowledge.h"

enum { AT_ONCE = 500 };

struct source {
    struct config *config;
    struct db *db;
    sqlite3 *chroma;
    struct chroma_counts *counts;
};

struct chroma_collection {
    struct str id, name, metadata_segment, vector_segment;
    size_t dim;
};

static enum status broken(struct source *s, struct error *err)
{
    return error_set(err, INVALID, "Chroma's file cannot be read: %s", sqlite3_errmsg(s->chroma));
}

static struct str text(struct arena *mem, sqlite3_stmt *q, int column)
{
    const char *p = (const char *)sqlite3_column_text(q, column);

    return p ? str_copy(mem, str_n(p, (size_t)sqlite3_column_bytes(q, column))) : STR_NONE;
}

/* ---- whose it is */

/* OK: *to. NOT_FOUND: nobody knows. */
static enum status find_owner(struct source *s, struct arena *mem, const struct chroma_collection *from,
                              struct str created_by, struct collection *to, struct error *err)
{
    struct knowledge k;
    enum db_status st = DB_ROW;

    if (!str_starts(from->name, "file-") && !str_starts(from->name, "user-memory-"))
        st = knowledge_by_id(s->db, mem, from->name, &k);
    if (st == DB_ERROR)
        return error_set(err, UNAVAILABLE, "%s", db_error(s->db));
    if (st == DB_DONE && !created_by.n)
        return NOT_FOUND;
    *to = (struct collection){ st == DB_ROW ? S("") : created_by, from->name };
    return OK;
}

static struct str creator(struct source *s, struct arena *mem, const struct chroma_collection *from)
{
    static const char sql[] = "SELECT m.string_value FROM embeddings e JOIN embedding_metadata m ON m.id = e.id"
                              " WHERE e.segment_id = ?1 AND m.key = 'created_by' LIMIT 1";
    sqlite3_stmt *q = NULL;
    struct str by = STR_NONE;

    if (sqlite3_prepare_v2(s->chroma, sql, -1, &q, NULL) == SQLITE_OK) {
        sqlite3_bind_text64(q, 1, from->metadata_segment.p, from->metadata_segment.n, SQLITE_STATIC, SQLITE_UTF8);
        if (sqlite3_step(q) == SQLITE_ROW)
            by = text(mem, q, 0);
    }
    sqlite3_finalize(q);
    return by;
}

/* ---- items */

struct batch {
    struct source *source;
    struct arena *mem; /* of the items; emptied with them */
    struct collection to;
    struct chroma_index *index;
    size_t dim, n;
    struct vector_item items[AT_ONCE];
    float *vectors; /* AT_ONCE rows */
    int64_t number; /* of the item that is being read; 0: none yet */
};

static enum status put(struct batch *b, struct error *err)
{
    enum status st = b->n ? vectors_put(b->source->config, b->to, VECTORS_ADD, b->items, b->vectors, b->n, b->dim, err)
                          : OK;

    if (st == OK)
        b->source->counts->items += b->n;
    b->n = 0;
    arena_reset(b->mem);
    return st;
}

/* The item that was being read is whole: it stays if it has a vector. */
static enum status end_item(struct batch *b, struct error *err)
{
    if (b->number == 0)
        return OK;
    b->number = 0;
    if (!chroma_index_find(b->index, b->items[b->n].id, b->vectors + b->n * b->dim)) {
        b->source->counts->without_vector++;
        return OK;
    }
    b->n++;
    return b->n == AT_ONCE ? put(b, err) : OK;
}

static void add_member(struct batch *b, sqlite3_stmt *q)
{
    struct vector_item *item = &b->items[b->n];
    struct str key = text(b->mem, q, 2);

    if (!key.p)
        return;
    if (str_is(key, "chroma:document"))
        item->text = text(b->mem, q, 3);
    else if (sqlite3_column_type(q, 3) != SQLITE_NULL)
        json_set_str(item->metadata, key.p, text(b->mem, q, 3));
    else if (sqlite3_column_type(q, 4) != SQLITE_NULL)
        json_set_int(item->metadata, key.p, sqlite3_column_int64(q, 4));
    else if (sqlite3_column_type(q, 5) != SQLITE_NULL)
        json_set_double(item->metadata, key.p, sqlite3_column_double(q, 5));
    else if (sqlite3_column_type(q, 6) != SQLITE_NULL)
        json_set_bool(item->metadata, key.p, sqlite3_column_int(q, 6) != 0);
}

static enum status copy_items(struct batch *b, const struct chroma_collection *from, struct error *err)
{
    static const char sql[] =
        "SELECT e.id, e.embedding_id, m.key, m.string_value, m.int_value, m.float_value, m.bool_value"
        " FROM embeddings e LEFT JOIN embedding_metadata m ON m.id = e.id WHERE e.segment_id = ?1"
        " ORDER BY e.id";
    sqlite3_stmt *q = NULL;
    enum status st = OK;
    int code = SQLITE_DONE;

    if (sqlite3_prepare_v2(b->source->chroma, sql, -1, &q, NULL) != SQLITE_OK)
        return broken(b->source, err);
    sqlite3_bind_text64(q, 1, from->metadata_segment.p, from->metadata_segment.n, SQLITE_STATIC, SQLITE_UTF8);
    while (st == OK && (code = sqlite3_step(q)) == SQLITE_ROW) {
        if (sqlite3_column_int64(q, 0) != b->number) {
            st = end_item(b, err);
            b->number = sqlite3_column_int64(q, 0);
            b->items[b->n] = (struct vector_item){ .id = text(b->mem, q, 1), .metadata = json_new_object(b->mem) };
        }
        add_member(b, q);
    }
    if (st == OK && code != SQLITE_DONE)
        st = broken(b->source, err);
    sqlite3_finalize(q);
    if (st == OK)
        st = end_item(b, err);
    return st == OK ? put(b, err) : st;
}

static enum status copy_collection(struct source *s, struct arena *mem, const struct chroma_collection *from,
                                   struct error *err)
{
    struct batch *b = arena_new_one(mem, struct batch);
    struct error ignored;
    enum status st;

    *b = (struct batch){ .source = s, .dim = from->dim };
    st = find_owner(s, mem, from, creator(s, mem, from), &b->to, err);
    if (st == NOT_FOUND) {
        s->counts->without_owner++;
        return OK;
    }
    if (st != OK)
        return st;
    if (vectors_exists(s->config, b->to, &ignored) == OK) {
        s->counts->there_already++;
        return OK;
    }
    st = chroma_index_open(
        mem, s->chroma,
        from->vector_segment.n
            ? str_f(mem, "%s/vector_db/%.*s", config_data_dir(s->config), STR(from->vector_segment)).p
            : NULL,
        from->id, from->dim, &b->index, err);
    if (st != OK)
        return st;
    b->mem = arena_new(256 * 1024);
    b->vectors = arena_new_array(mem, float, (size_t)AT_ONCE * from->dim);
    st = copy_items(b, from, err);
    arena_free(b->mem);
    if (st != OK) /* a half is worse than nothing: it would count as done the next time */
        vectors_drop(s->config, b->to, &ignored);
    else
        s->counts->collections++;
    return st;
}

/* ---- all */

static enum status list_collections(struct source *s, struct arena *mem, struct chroma_collection **out, size_t *n,
                                    struct error *err)
{
    static const char sql[] =
        "SELECT c.id, c.name, c.dimension, (SELECT id FROM segments WHERE collection = c.id AND scope = 'METADATA'),"
        " (SELECT id FROM segments WHERE collection = c.id AND scope = 'VECTOR') FROM collections c"
        " WHERE c.dimension > 0 ORDER BY c.name";
    sqlite3_stmt *q = NULL;
    size_t room = 0;
    int code;

    *n = 0;
    *out = NULL;
    if (sqlite3_prepare_v2(s->chroma, sql, -1, &q, NULL) != SQLITE_OK)
        return broken(s, err);
    while ((code = sqlite3_step(q)) == SQLITE_ROW) {
        if (*n == room) {
            *out = arena_grow(mem, *out, room * sizeof(**out), (room + 64) * sizeof(**out));
            room += 64;
        }
        (*out)[(*n)++] = (struct chroma_collection){ .id = text(mem, q, 0),
                                                     .name = text(mem, q, 1),
                                                     .dim = (size_t)sqlite3_column_int64(q, 2),
                                                     .metadata_segment = text(mem, q, 3),
                                                     .vector_segment = text(mem, q, 4) };
    }
    sqlite3_finalize(q);
    return code == SQLITE_DONE ? OK : broken(s, err);
}

static enum status copy_all(struct source *s, struct arena *mem, struct error *err)
{
    struct chroma_collection *v;
    size_t n;
    enum status st = list_collections(s, mem, &v, &n, err);

    for (size_t i = 0; i < n && st == OK; i++) {
        struct arena *one = arena_new(64 * 1024);

        if (uuid_valid(v[i].id) && (!v[i].vector_segment.n || uuid_valid(v[i].vector_segment)) &&
            v[i].metadata_segment.n)
            st = error_add(err, copy_collection(s, one, &v[i], err), "%.*s", STR(v[i].name));
        arena_free(one);
    }
    return st;
}

enum status chroma_import(struct config *c, struct db *db, struct chroma_counts *counts, struct error *err)
{
    struct arena *mem = arena_new(64 * 1024);
    struct str path = str_f(mem, "%s/vector_db/chroma.sqlite3", config_data_dir(c));
    struct source s = { .config = c, .db = db, .counts = counts };
    enum status st;

    *counts = (struct chroma_counts){ 0 };
    if (access(path.p, R_OK) != 0)
        st = error_set(err, NOT_FOUND, "there is no %s", path.p);
    else if (sqlite3_open_v2(path.p, &s.chroma, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        st = broken(&s, err);
    else
        st = copy_all(&s, mem, err);
    sqlite3_close(s.chroma);
    arena_free(mem);
    return st;
}
