/* chat_index.c: the trigram index of a user's chats. The newest chats are always searched in the database itself, so the index need only
 * know those that have not changed for a while, and a chat that changes becomes new by that. */
#include "lib/search/chat_index.h"

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

enum {
    MANY = 2000,         /* fewer chats are searched one by one */
    NEWEST = 150,        /* that are always searched one by one */
    BEHIND = NEWEST / 2, /* newer than the index: time to update it */
    BATCH = 200,         /* chats a transaction */
    FAR = 6000,          /* rows to skip: so far down nobody reads, and all before them would be collected */
    CHECKED = 120,       /* candidates looked at at once */
    SETTLED_S = 3,       /* chats that changed later are left for the next time */
    BUSY_MS = 2000,
    DAY_S = 24 * 3600,
};

/* number grows with each version of a chat; what old ones left in words is found in vain. upto: all that had not changed after it is in; target, archived,
 * at, at_id: a pass that goes on. */
static const char schema[] =
    "PRAGMA journal_mode = WAL;"
    "BEGIN IMMEDIATE;"
    "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(text, content = '', columnsize = 0, tokenize = "
    "'trigram');"
    "CREATE TABLE IF NOT EXISTS doc (number INTEGER PRIMARY KEY AUTOINCREMENT, chat_id TEXT NOT NULL UNIQUE, "
    "updated_at "
    "INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY CHECK (one = 1), upto INTEGER NOT NULL, target INTEGER "
    "NOT NULL,"
    " archived INTEGER NOT NULL, at INTEGER NOT NULL, at_id TEXT NOT NULL, began_at INTEGER NOT NULL);"
    "PRAGMA user_version = 1;"
    "COMMIT";

struct index {
    sqlite3 *db;
    char path[4300];
};

struct state {
    int64_t upto, target, at, began_at;
    bool archived;
    struct str at_id;
};

/* ---- the file */

static bool path_of(char *path, size_t size, const char *data_dir, struct str user_id)
{
    int n;

    for (size_t i = 0; i < user_id.n; i++)
        if (!(user_id.p[i] >= '0' && user_id.p[i] <= '9') && !(user_id.p[i] >= 'a' && user_id.p[i] <= 'z') &&
            !(user_id.p[i] >= 'A' && user_id.p[i] <= 'Z') && user_id.p[i] != '-' && user_id.p[i] != '_')
            return false;
    if (user_id.n == 0 || user_id.n > 100)
        return false;
    n = snprintf(path, size, "%s/cache/chat-search/%.*s.db", data_dir, STR(user_id));
    return n > 0 && (size_t)n < size;
}

void chat_index_forget(const char *data_dir, struct str user_id)
{
    static const char *const endings[] = { "", "-wal", "-shm" };
    char path[4300], piece[4310];

    if (!path_of(path, sizeof(path), data_dir, user_id))
        return;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(piece, sizeof(piece), "%s%s", path, endings[i]);
        unlink(piece);
    }
}

static void close_index(struct index *x)
{
    sqlite3_close(x->db);
    x->db = NULL;
}

/* UNAVAILABLE: another process is at it. */
static enum status fault(struct index *x, struct error *err)
{
    int code = sqlite3_errcode(x->db) & 0xFF;

    return error_set(err, code == SQLITE_BUSY || code == SQLITE_LOCKED ? UNAVAILABLE : FAILED,
                     "the search index %s: %s", x->path, sqlite3_errmsg(x->db));
}

static int64_t number_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *s = NULL;
    int64_t n = 0;

    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

/* NOT_FOUND: there is none, and none was to be made. */
static enum status open_index(struct index *x, const char *data_dir, struct str user_id, bool make, struct error *err)
{
    char folder[4200];

    x->db = NULL;
    if (!path_of(x->path, sizeof(x->path), data_dir, user_id))
        return NOT_FOUND;
    if (make) {
        enum status st;

        snprintf(folder, sizeof(folder), "%s/cache/chat-search", data_dir);
        st = dir_make(folder, 0700, err);
        if (st != OK)
            return st;
    } else if (access(x->path, R_OK) != 0) {
        return NOT_FOUND;
    }
    if (sqlite3_open_v2(x->path, &x->db, SQLITE_OPEN_READWRITE | (make ? SQLITE_OPEN_CREATE : 0) | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK) {
        enum status st = fault(x, err);

        close_index(x);
        return st;
    }
    sqlite3_busy_timeout(x->db, make ? 0 : BUSY_MS); /* one process at a time makes it; the others need not wait */
    sqlite3_exec(x->db, "PRAGMA synchronous = NORMAL; PRAGMA mmap_size = 268435456", NULL, NULL, NULL);
    if (number_of(x->db, "PRAGMA user_version") == 1)
        return OK;
    if (!make || sqlite3_exec(x->db, schema, NULL, NULL, NULL) != SQLITE_OK) {
        enum status st = make ? fault(x, err) : NOT_FOUND;

        close_index(x);
        return st;
    }
    return OK;
}

/* ---- finding */

/* The length of the character at p. */
static size_t char_bytes(struct str s, size_t at)
{
    size_t n = 1;

    while (at + n < s.n && ((unsigned char)s.p[at + n] & 0xC0) == 0x80)
        n++;
    return n;
}

/* The text as a phrase of trigrams; absent: it is shorter than one. */
static struct str match_of(struct arena *mem, struct str text)
{
    struct buf b = BUF(mem, STR_NPOS);
    size_t characters = 0;

    for (size_t i = 0; i < text.n; i += char_bytes(text, i))
        characters++;
    if (characters < 3)
        return STR_NONE;
    buf_add_char(&b, '"');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"')
            buf_add_char(&b, '"');
        buf_add_char(&b, text.p[i]);
    }
    buf_add_char(&b, '"');
    return buf_str(&b);
}

static struct str column(struct arena *mem, sqlite3_stmt *s, int i)
{
    return str_copy(mem, str_n((const char *)sqlite3_column_text(s, i), (size_t)sqlite3_column_bytes(s, i)));
}

/* Appends titles to out, not more than wanted in all. */
static void take(struct chat_titles *out, const struct chat_titles *more, size_t wanted)
{
    for (size_t i = 0; i < more->n && out->n < wanted; i++)
        out->v[out->n++] = more->v[i];
}

/* Candidates newest first, some at a time, until enough of them are right. *broken: the index cannot be read. */
static enum db_status find_older(struct index *x, struct db *db, struct arena *mem, struct str user_id,
                                 const struct chat_search *s, int64_t not_newer_than, size_t wanted,
                                 struct chat_titles *out, bool *broken)
{
    sqlite3_stmt *found = NULL;
    struct str match = match_of(mem, s->text);
    enum db_status st = DB_DONE;
    int step = SQLITE_DONE;

    if (sqlite3_prepare_v2(x->db,
                           "SELECT doc.chat_id FROM words JOIN doc ON doc.number = words.rowid"
                           " WHERE words MATCH ?1 AND doc.updated_at <= ?2 ORDER BY doc.updated_at DESC",
                           -1, &found, NULL) != SQLITE_OK) {
        *broken = true;
        return DB_DONE;
    }
    sqlite3_bind_text(found, 1, match.p, (int)match.n, SQLITE_STATIC);
    sqlite3_bind_int64(found, 2, not_newer_than);
    do {
        struct buf ids = BUF(mem, STR_NPOS);
        struct chat_search part = *s;
        struct chat_titles right;
        size_t n = 0;

        while (n < CHECKED && (step = sqlite3_step(found)) == SQLITE_ROW) {
            buf_add_char(&ids, n++ ? ',' : '[');
            buf_add_json_string(&ids, column(mem, found, 0));
        }
        if (n == 0)
            break;
        buf_add_char(&ids, ']');
        part.skip = 0;
        part.limit = (int64_t)wanted;
        st = chat_titles_search_among(db, mem, user_id, &part, buf_str(&ids), not_newer_than, &right);
        if (st != DB_ERROR)
            take(out, &right, wanted);
    } while (st != DB_ERROR && out->n < wanted && step == SQLITE_ROW);
    *broken = step != SQLITE_ROW && step != SQLITE_DONE;
    sqlite3_finalize(found);
    return st;
}

/* What the newest say, and the index about the others. */
static enum db_status search_both(struct index *x, struct db *db, struct arena *mem, struct str user_id,
                                  const struct chat_search *s, int64_t cut, struct chat_titles *out, bool *broken)
{
    size_t skip = s->skip > 0 ? (size_t)s->skip : 0, wanted = skip + (size_t)s->limit;
    struct chat_search part = *s;
    struct chat_titles newest, all;
    enum db_status st;

    part.skip = 0;
    part.limit = (int64_t)wanted;
    st = chat_titles_search_newer(db, mem, user_id, &part, cut, &newest);
    if (st == DB_ERROR)
        return st;
    all.n = 0;
    all.v = arena_alloc(mem, (wanted ? wanted : 1) * sizeof(all.v[0]));
    take(&all, &newest, wanted);
    if (all.n < wanted)
        st = find_older(x, db, mem, user_id, s, cut, wanted, &all, broken);
    if (st == DB_ERROR)
        return st;
    out->n = all.n > skip ? all.n - skip : 0;
    out->v = all.v + (out->n ? skip : 0);
    return out->n ? DB_ROW : DB_DONE;
}

enum db_status chat_search(struct db *db, struct arena *mem, const char *data_dir, struct str user_id,
                           const struct chat_search *s, struct chat_titles *out, bool *is_stale)
{
    bool archived = s->archived > 0, helps, broken = false;
    int64_t cut = 0, behind = 0, upto;
    struct error err = { "" };
    struct index x;
    enum db_status st;

    *is_stale = false;
    if (s->limit <= 0 || s->text.n < 3 || s->skip > FAR)
        return chat_titles_search(db, mem, user_id, s, out);
    st = chat_updated_at_rank(db, mem, user_id, archived, MANY, &cut);
    if (st == DB_ROW)
        st = chat_updated_at_rank(db, mem, user_id, archived, NEWEST, &cut);
    if (st == DB_ROW)
        st = chat_updated_at_rank(db, mem, user_id, archived, BEHIND, &behind);
    if (st != DB_ROW)
        return st == DB_ERROR ? st : chat_titles_search(db, mem, user_id, s, out);
    if (open_index(&x, data_dir, user_id, false, &err) != OK) {
        *is_stale = true;
        return chat_titles_search(db, mem, user_id, s, out);
    }
    upto = number_of(x.db, "SELECT upto FROM state");
    *is_stale = upto < behind;
    helps = upto >= cut && match_of(mem, s->text).p;
    if (helps)
        st = search_both(&x, db, mem, user_id, s, cut, out, &broken);
    close_index(&x);
    if (broken) { /* it is made anew */
        chat_index_forget(data_dir, user_id);
        *is_stale = true;
    }
    return helps && !broken ? st : chat_titles_search(db, mem, user_id, s, out);
}

/* ---- taking in */

struct taking {
    struct index *x;
    sqlite3_stmt *doc, *words;
    struct arena *mem; /* for one chat */
    int64_t n;
    int64_t at;
    char at_id[128];
    bool failed;
};

/* The title and what the search looks at: the contents of the list of messages. */
static struct str text_of(struct arena *mem, const struct chat *c)
{
    struct buf b = BUF(mem, STR_NPOS);
    json_object *document = json_parse_or_null(mem, c->document);

    buf_add_str(&b, c->title);
    JSON_EACH (json_get(document, "messages"), i, message) {
        json_object *content = json_get(message, "content");

        buf_add_char(&b, '\n');
        if (content)
            buf_add_str(&b, json_is(content, json_type_string) ? json_str_value(content) : json_text(mem, content));
    }
    return buf_str(&b);
}

static void take_in(const struct chat *c, void *arg)
{
    struct taking *t = arg;
    struct str text;

    t->n++;
    t->at = c->updated_at;
    snprintf(t->at_id, sizeof(t->at_id), "%.*s", STR(c->id));
    if (t->failed)
        return;
    text = text_of(t->mem, c);
    sqlite3_bind_text(t->doc, 1, c->id.p, (int)c->id.n, SQLITE_STATIC);
    sqlite3_bind_int64(t->doc, 2, c->updated_at);
    t->failed = sqlite3_step(t->doc) != SQLITE_DONE;
    sqlite3_reset(t->doc);
    sqlite3_bind_int64(t->words, 1, sqlite3_last_insert_rowid(t->x->db));
    sqlite3_bind_text64(t->words, 2, text.p ? text.p : "", text.n, SQLITE_STATIC, SQLITE_UTF8);
    t->failed |= sqlite3_step(t->words) != SQLITE_DONE;
    sqlite3_reset(t->words);
    arena_reset(t->mem);
}

static void read_state(struct index *x, struct arena *mem, struct state *s)
{
    sqlite3_stmt *q = NULL;

    *s = (struct state){ .at_id = S("") };
    if (sqlite3_prepare_v2(x->db, "SELECT upto, target, archived, at, at_id, began_at FROM state", -1, &q, NULL) ==
            SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW) {
        s->upto = sqlite3_column_int64(q, 0);
        s->target = sqlite3_column_int64(q, 1);
        s->archived = sqlite3_column_int(q, 2);
        s->at = sqlite3_column_int64(q, 3);
        s->at_id = column(mem, q, 4);
        s->began_at = sqlite3_column_int64(q, 5);
    }
    sqlite3_finalize(q);
}

static bool write_state(struct index *x, const struct state *s)
{
    sqlite3_stmt *q = NULL;
    bool done = false;

    if (sqlite3_prepare_v2(x->db, "INSERT OR REPLACE INTO state VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)", -1, &q, NULL) ==
        SQLITE_OK) {
        sqlite3_bind_int64(q, 1, s->upto);
        sqlite3_bind_int64(q, 2, s->target);
        sqlite3_bind_int(q, 3, s->archived);
        sqlite3_bind_int64(q, 4, s->at);
        sqlite3_bind_text(q, 5, s->at_id.p, (int)s->at_id.n, SQLITE_TRANSIENT);
        sqlite3_bind_int64(q, 6, s->began_at);
        done = sqlite3_step(q) == SQLITE_DONE;
    }
    sqlite3_finalize(q);
    return done;
}

static void start_pass(struct state *s)
{
    s->target = now_s() - SETTLED_S;
    s->archived = false;
    s->at = s->upto;
    s->at_id = S("");
    if (!s->began_at)
        s->began_at = now_s();
}

/* One transaction. *over: the pass has come to its end. */
static enum status take_batch(struct index *x, struct db *db, struct arena *mem, struct str user_id, bool *over,
                              struct error *err)
{
    struct taking t = { .x = x, .mem = arena_new(256 * 1024) };
    struct state s;
    enum db_status st = DB_ERROR;
    enum status result;
    bool written = false;

    *over = false;
    if (sqlite3_exec(x->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK) {
        arena_free(t.mem);
        return fault(x, err);
    }
    read_state(x, mem, &s);
    if (!s.target)
        start_pass(&s);
    if (sqlite3_prepare_v2(x->db, "INSERT OR REPLACE INTO doc (chat_id, updated_at) VALUES (?1, ?2)", -1, &t.doc,
                           NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(x->db, "INSERT INTO words (rowid, text) VALUES (?1, ?2)", -1, &t.words, NULL) == SQLITE_OK)
        st = chats_each_changed(db, mem, user_id, s.archived, (struct chat_place){ s.at, s.at_id }, s.target, BATCH,
                                take_in, &t);
    if (st != DB_ERROR && !t.failed) {
        if (t.n) {
            s.at = t.at;
            s.at_id = str_of(t.at_id);
        }
        if (t.n < BATCH && !s.archived) {
            s.archived = true;
            s.at = s.upto;
            s.at_id = S("");
        } else if (t.n < BATCH) {
            s.upto = s.target;
            s.target = 0;
            *over = true;
        }
        written = write_state(x, &s);
    }
    sqlite3_finalize(t.doc);
    sqlite3_finalize(t.words);
    arena_free(t.mem);
    if (written && sqlite3_exec(x->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        return OK;
    result = st == DB_ERROR ? error_set(err, UNAVAILABLE, "%s", db_error(db)) : fault(x, err);
    sqlite3_exec(x->db, "ROLLBACK", NULL, NULL, NULL);
    return result;
}

/* Chats are missing that another program wrote with times of long ago, or most of the index is about what is no longer there. Once a day at most. */
static bool is_worn(struct index *x, struct db *db, struct arena *mem, struct str user_id)
{
    int64_t there = 0, docs = number_of(x->db, "SELECT count(*) FROM doc"),
            versions = number_of(x->db, "SELECT max(number) FROM doc");
    struct state s;

    read_state(x, mem, &s);
    if (now_s() - s.began_at < DAY_S || chat_count_until(db, mem, user_id, s.upto, &there) == DB_ERROR)
        return false;
    return there > docs || docs > there + there / 4 + MANY || versions > 2 * docs + MANY;
}

enum status chat_index_update(struct db *db, const char *data_dir, struct str user_id, int64_t budget_ms,
                              bool *finished, struct error *err)
{
    int64_t until = mono_ms() + budget_ms;
    struct index x;
    bool worn = false;
    enum status st = open_index(&x, data_dir, user_id, true, err);

    *finished = false;
    while (st == OK && !*finished && mono_ms() < until) {
        struct arena *mem = arena_new(256 * 1024);

        st = take_batch(&x, db, mem, user_id, finished, err);
        if (st == OK && *finished)
            worn = is_worn(&x, db, mem, user_id);
        arena_free(mem);
    }
    if (x.db)
        close_index(&x);
    if (worn || st == FAILED)
        chat_index_forget(data_dir, user_id); /* the next search has it made anew */
    *finished |= st != OK;
    return st;
}
