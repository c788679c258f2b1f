/* chat_lists.c: lists of chats: pages, folders, tags, search. */
#include "lib/store/chat_columns.h"

#define TITLE_COLUMNS "id, title, updated_at, created_at"
#define NOT_PINNED "(pinned IS NULL OR pinned = false)"
#define ALL_ROWS 1000000000000 /* both databases want a LIMIT with an OFFSET */

static void read_title(struct row *row, void *out)
{
    struct chat_title *t = out;

    t->id = row_str(row, 0);
    t->title = row_str(row, 1);
    t->updated_at = row_int(row, 2);
    t->created_at = row_int(row, 3);
}

static enum db_status titles(struct db *db, struct arena *mem, struct chat_titles *out, const char *sql,
                             struct args args)
{
    out->v = NULL;
    out->n = 0;
    return db_all(db, mem, read_title, sizeof(*out->v), &out->v, &out->n, sql, args);
}

static int64_t offset(int64_t skip)
{
    return skip > 0 ? skip : 0;
}

static int64_t rows(int64_t limit)
{
    return limit > 0 ? limit : ALL_ROWS;
}

/* PostgreSQL finds the page in the index alone and reads its rows then; SQLite's index has all that a list shows. */
#define PAGE_SQL(db, which)                                 \
    DB_SQL(db, "SELECT " TITLE_COLUMNS " FROM chat " which, \
           "SELECT " TITLE_COLUMNS " FROM chat WHERE id IN (SELECT id FROM chat " which ") ORDER BY updated_at DESC")

enum db_status chat_titles_of_user(struct db *db, struct arena *mem, struct str user_id, bool with_folders,
                                   int64_t skip, int64_t limit, struct chat_titles *out)
{
    if (with_folders)
        return titles(db, mem, out,
                      PAGE_SQL(db, "WHERE user_id = $1 AND " NOT_PINNED " AND archived = false"
                                   " ORDER BY updated_at DESC LIMIT $2 OFFSET $3"),
                      ARGS(user_id, rows(limit), offset(skip)));
    return titles(db, mem, out,
                  PAGE_SQL(db, "WHERE user_id = $1 AND folder_id IS NULL AND " NOT_PINNED " AND archived = false"
                               " ORDER BY updated_at DESC LIMIT $2 OFFSET $3"),
                  ARGS(user_id, rows(limit), offset(skip)));
}

enum db_status chat_titles_pinned(struct db *db, struct arena *mem, struct str user_id, struct chat_titles *out)
{
    return titles(db, mem, out,
                  "SELECT " TITLE_COLUMNS
                  " FROM chat WHERE user_id = $1 AND pinned = true AND archived = false ORDER BY updated_at DESC",
                  ARGS(user_id));
}

enum db_status chat_titles_in_folder(struct db *db, struct arena *mem, struct str user_id, struct str folder_id,
                                     int64_t skip, int64_t limit, struct chat_titles *out)
{
    return titles(db, mem, out,
                  "SELECT " TITLE_COLUMNS " FROM chat WHERE folder_id = $2 AND user_id = $1 AND " NOT_PINNED
                  " AND archived = false"
                  " ORDER BY updated_at DESC LIMIT $3 OFFSET $4",
                  ARGS(user_id, folder_id, rows(limit), offset(skip)));
}

/* Tags are a list in the row's meta. Rows that other programs wrote may hold something else there: that counts as no tags. */
#define SQLITE_HAS_TAG(id) "EXISTS (SELECT 1 FROM json_each(chat.meta, '$.tags') AS tag WHERE tag.value = " id ")"
#define POSTGRES_TAGS                                                                                        \
    "json_array_elements_text(CASE json_typeof(chat.meta->'tags') WHEN 'array' THEN chat.meta->'tags' ELSE " \
    "'[]'::json END)"
#define POSTGRES_HAS_TAG(id) "EXISTS (SELECT 1 FROM " POSTGRES_TAGS " AS tag WHERE tag = " id ")"

enum db_status chat_titles_by_tag(struct db *db, struct arena *mem, struct str user_id, struct str tag_id,
                                  struct chat_titles *out)
{
    return titles(db, mem, out,
                  DB_SQL(db, "SELECT " TITLE_COLUMNS " FROM chat WHERE user_id = $1 AND " SQLITE_HAS_TAG("$2"),
                         "SELECT " TITLE_COLUMNS " FROM chat WHERE user_id = $1 AND " POSTGRES_HAS_TAG("$2")),
                  ARGS(user_id, tag_id));
}

static void read_count(struct row *row, void *out)
{
    *(int64_t *)out = row_int(row, 0);
}

enum db_status chat_count_with_tag(struct db *db, struct arena *mem, struct str user_id, struct str tag_id, int64_t *n)
{
    return db_one(
        db, mem, read_count, n,
        DB_SQL(db, "SELECT count(*) FROM chat WHERE user_id = $1 AND archived = false AND " SQLITE_HAS_TAG("$2"),
               "SELECT count(*) FROM chat WHERE user_id = $1 AND archived = false AND " POSTGRES_HAS_TAG("$2")),
        ARGS(user_id, tag_id));
}

enum db_status chat_count_in_folder(struct db *db, struct arena *mem, struct str user_id, struct str folder_id,
                                    int64_t *n)
{
    return db_one(db, mem, read_count, n, "SELECT count(*) FROM chat WHERE user_id = $1 AND folder_id = $2",
                  ARGS(user_id, folder_id));
}

/* ---- filters */

static const struct {
    const char *name, *ascending, *descending;
} orders[] = {
    { "updated_at", "updated_at ASC", "updated_at DESC" },
    { "created_at", "created_at ASC", "created_at DESC" },
    { "title", "title ASC", "title DESC" },
    { "id", "id ASC", "id DESC" },
};

static size_t order_index(struct str name)
{
    size_t i = 0;

    while (i < sizeof(orders) / sizeof(orders[0]) && !str_is(name, orders[i].name))
        i++;
    return i;
}

bool chat_order_known(struct str order_by)
{
    return order_index(order_by) < sizeof(orders) / sizeof(orders[0]);
}

enum db_status chat_titles_filtered(struct db *db, struct arena *mem, struct str user_id, const struct chat_filter *f,
                                    struct chat_titles *out)
{
    size_t order = f->order_by.n ? order_index(f->order_by) : 0;
    struct str sql;

    out->v = NULL;
    out->n = 0;
    if (order >= sizeof(orders) / sizeof(orders[0]))
        order = 0;
    sql = str_f(mem,
                "SELECT " TITLE_COLUMNS " FROM chat WHERE user_id = $1%s AND lower(title) LIKE lower($2) ESCAPE '\\'"
                " ORDER BY %s LIMIT $3 OFFSET $4",
                f->archived_only ? " AND archived = true" : "",
                f->ascending ? orders[order].ascending : orders[order].descending);
    return db_all_dynamic(db, mem, read_title, sizeof(*out->v), &out->v, &out->n, sql,
                          ARGS(user_id, db_like_pattern(mem, f->title_has), rows(f->limit), offset(f->skip)));
}

/* ---- search */

static struct arg tristate(int v)
{
    return v < 0 ? arg_str(STR_NONE) : arg_bool(v > 0);
}

/* from: the table, and what it is joined with; narrow: a further condition, "" or " AND …". */
#define SEARCH_SQLITE(from, narrow)                                                                               \
    "SELECT " TITLE_COLUMNS " FROM " from " WHERE user_id = $1 AND archived = $2 AND ($3 IS NULL OR pinned = $3)" \
    " AND ($4 IS NULL OR (share_id IS NOT NULL) = $4) AND ($5 = '[]' OR folder_id IN (SELECT value FROM "         \
    "json_each($5)))"                                                                                             \
    " AND (NOT $6 OR NOT EXISTS (SELECT 1 FROM json_each(chat.meta, '$.tags')))"                                  \
    " AND NOT EXISTS (SELECT 1 FROM json_each($7) AS wanted WHERE NOT " SQLITE_HAS_TAG(                           \
        "wanted.value") ")" narrow " AND (lower(title) LIKE $8 ESCAPE '\\' OR EXISTS (SELECT 1 FROM "             \
                        "json_each(chat.chat, '$.messages') AS message"                                           \
                        "      WHERE lower(message.value->>'content') LIKE $8 ESCAPE '\\'))"                      \
                        " ORDER BY updated_at DESC LIMIT $9 OFFSET $10"

#define SEARCH_POSTGRES(narrow)                                                                                        \
    "SELECT " TITLE_COLUMNS                                                                                            \
    " FROM chat WHERE user_id = $1 AND archived = $2 AND ($3::boolean IS NULL OR pinned = $3::boolean)"                \
    " AND ($4::boolean IS NULL OR (share_id IS NOT NULL) = $4::boolean)"                                               \
    " AND ($5::text = '[]' OR folder_id IN (SELECT json_array_elements_text($5::json)))"                               \
    " AND (NOT $6::boolean OR NOT EXISTS (SELECT 1 FROM " POSTGRES_TAGS " AS tag))"                                    \
    " AND NOT EXISTS (SELECT 1 FROM json_array_elements_text($7::json) AS wanted WHERE NOT " POSTGRES_HAS_TAG(         \
        "wanted") ")" narrow " AND (lower(title) LIKE $8 OR EXISTS (SELECT 1 FROM json_array_elements(CASE "           \
                  "json_typeof(chat.chat->'messages') WHEN 'array'"                                                    \
                  "      THEN chat.chat->'messages' ELSE '[]'::json END) AS message WHERE lower(message->>'content') " \
                  "LIKE $8))"                                                                                          \
                  " ORDER BY updated_at DESC LIMIT $9 OFFSET $10"

/* $1 to $10 of the search, and room for more. */
#define SEARCH_ARGS                                                                                                    \
    user_id, (bool)(s->archived > 0), tristate(s->pinned), tristate(s->shared), s->folder_ids, s->no_tags, s->tag_ids, \
        db_like_pattern(mem, s->text), rows(s->limit), offset(s->skip)

enum db_status chat_titles_search(struct db *db, struct arena *mem, struct str user_id, const struct chat_search *s,
                                  struct chat_titles *out)
{
    return titles(db, mem, out, DB_SQL(db, SEARCH_SQLITE("chat", ""), SEARCH_POSTGRES("")), ARGS(SEARCH_ARGS));
}

enum db_status chat_titles_search_newer(struct db *db, struct arena *mem, struct str user_id,
                                        const struct chat_search *s, int64_t than, struct chat_titles *out)
{
    return titles(db, mem, out,
                  DB_SQL(db, SEARCH_SQLITE("chat", " AND updated_at > $11"), SEARCH_POSTGRES(" AND updated_at > $11")),
                  ARGS(SEARCH_ARGS, than));
}

enum db_status chat_titles_search_among(struct db *db, struct arena *mem, struct str user_id,
                                        const struct chat_search *s, struct str ids, int64_t not_newer_than,
                                        struct chat_titles *out)
{
    return titles(
        db, mem, out,
        DB_SQL(db,
               SEARCH_SQLITE("(SELECT value AS candidate FROM json_each($12)) CROSS JOIN chat ON chat.id = "
                             "candidate", /* in this order */
                             " AND updated_at <= $11"),
               SEARCH_POSTGRES(" AND updated_at <= $11 AND id IN (SELECT json_array_elements_text($12::json))")),
        ARGS(SEARCH_ARGS, not_newer_than, ids));
}

enum db_status chat_updated_at_rank(struct db *db, struct arena *mem, struct str user_id, bool archived, int64_t rank,
                                    int64_t *updated_at)
{
    return db_one(db, mem, read_count, updated_at,
                  "SELECT updated_at FROM chat WHERE user_id = $1 AND archived = $2 ORDER BY updated_at DESC LIMIT 1 "
                  "OFFSET $3",
                  ARGS(user_id, archived, rank));
}

enum db_status chat_count_until(struct db *db, struct arena *mem, struct str user_id, int64_t updated_at, int64_t *n)
{
    return db_one(db, mem, read_count, n, "SELECT count(*) FROM chat WHERE user_id = $1 AND updated_at <= $2",
                  ARGS(user_id, updated_at));
}

/* ---- whole chats */

struct each {
    chat_reader *fn;
    void *arg;
};

static void read_each(struct row *row, void *out)
{
    struct each *each = out;
    struct chat c;

    chat_read(row, &c);
    each->fn(&c, each->arg);
}

enum db_status chats_each_of_user(struct db *db, struct arena *mem, struct str user_id, bool archived_only,
                                  chat_reader *fn, void *arg)
{
    struct each each = { fn, arg };

    if (archived_only)
        return db_each(db, mem, read_each, &each,
                       "SELECT " CHAT_COLUMNS
                       ", chat FROM chat WHERE user_id = $1 AND archived = true ORDER BY updated_at DESC",
                       ARGS(user_id));
    return db_each(db, mem, read_each, &each,
                   "SELECT " CHAT_COLUMNS ", chat FROM chat WHERE user_id = $1 ORDER BY updated_at DESC",
                   ARGS(user_id));
}

enum db_status chats_each_changed(struct db *db, struct arena *mem, struct str user_id, bool archived,
                                  struct chat_place after, int64_t upto, int64_t limit, chat_reader *fn, void *arg)
{
    struct each each = { fn, arg };

    return db_each(db, mem, read_each, &each,
                   "SELECT " CHAT_COLUMNS ", chat FROM chat WHERE user_id = $1 AND archived = $2 AND updated_at >= $3"
                   " AND (updated_at > $3 OR id > $4) AND updated_at <= $5 ORDER BY updated_at, id LIMIT $6",
                   ARGS(user_id, archived, after.updated_at, after.id.p ? after.id : S(""), upto, limit));
}

enum db_status chats_each_in_folders(struct db *db, struct arena *mem, struct str user_id, struct str folder_ids,
                                     chat_reader *fn, void *arg)
{
    struct each each = { fn, arg };

    return db_each(
        db, mem, read_each, &each,
        DB_SQL(db,
               "SELECT " CHAT_COLUMNS
               ", chat FROM chat WHERE folder_id IN (SELECT value FROM json_each($2)) AND user_id = $1"
               " AND " NOT_PINNED " AND archived = false ORDER BY updated_at DESC",
               "SELECT " CHAT_COLUMNS
               ", chat FROM chat WHERE folder_id IN (SELECT json_array_elements_text($2::json)) AND user_id = $1"
               " AND " NOT_PINNED " AND archived = false ORDER BY updated_at DESC"),
        ARGS(user_id, folder_ids));
}

enum db_status chats_each(struct db *db, struct arena *mem, chat_reader *fn, void *arg)
{
    struct each each = { fn, arg };

    return db_each(db, mem, read_each, &each, "SELECT " CHAT_COLUMNS ", chat FROM chat ORDER BY updated_at DESC",
                   NO_ARGS);
}
