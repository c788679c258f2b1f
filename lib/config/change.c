/* change.c: the config row: reading it, changing members of its document, replacing it. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/shared.h"
#include "lib/config/internal.h"

struct config_change {
    struct config *c;
    struct arena *mem;
    struct one {
        enum setting_id id;
        json_object *v;
    } * v;
    size_t n, room;
};

static void read_data(struct row *row, void *out)
{
    *(struct str *)out = row_json(row, 0);
}

static enum status db_failed(struct db *db, struct error *err)
{
    return error_set(err, db_unavailable(db) ? UNAVAILABLE : FAILED, "%s", db_error(db));
}

/* The document of the newest row; *found false and *out NULL: there is none. lock: until the transaction ends, nobody else changes it. */
enum status row_read(struct db *db, struct arena *mem, bool lock, json_object **out, bool *found, struct error *err)
{
    struct str text = STR_NONE;
    enum db_status got;

    if (lock && db_kind(db) == DB_POSTGRES &&
        db_exec(db, "LOCK TABLE config IN SHARE ROW EXCLUSIVE MODE", NO_ARGS, NULL) == DB_ERROR)
        return db_failed(db, err);
    got = db_one(db, mem, read_data, &text, "SELECT data FROM config ORDER BY id DESC LIMIT 1", NO_ARGS);
    if (got == DB_ERROR)
        return db_failed(db, err);
    *found = got == DB_ROW;
    *out = NULL;
    if (text.p && (json_parse(mem, text, out, err) != OK || !json_is(*out, json_type_object)))
        return error_set(err, FAILED, "the document in the config table is not a JSON object");
    return OK;
}

/* Local time, as Python's datetime.now(). */
static struct str timestamp(struct arena *mem)
{
    int64_t ns = now_ns();
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm local;
    char text[40];

    localtime_r(&seconds, &local);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    return str_f(mem, "%s.%06d", text, (int)(ns / 1000 % 1000000));
}

static enum status row_write(struct db *db, struct arena *mem, json_object *doc, bool exists, struct error *err)
{
    struct str text = json_text(mem, doc);
    enum db_status st;

    if (exists)
        st = db_exec(db, "UPDATE config SET data = $1, updated_at = $2 WHERE id = (SELECT max(id) FROM config)",
                     ARGS(text, timestamp(mem)), NULL);
    else
        st = db_exec(db, "INSERT INTO config (data, version) VALUES ($1, 0)", ARGS(text), NULL);
    return st == DB_ERROR ? db_failed(db, err) : OK;
}

static json_object *empty_document(struct arena *mem)
{
    json_object *doc = json_new_object(mem);

    json_set_int(doc, "version", 0);
    json_set_object(doc, "ui");
    return doc;
}

/* Objects on the way are made; what is no object on the way gives place. */
static void put(json_object *doc, const char *path, json_object *v)
{
    const char *dot;
    char name[128];

    for (; (dot = strchr(path, '.')) && (size_t)(dot - path) < sizeof name; path = dot + 1) {
        json_object *inner;

        memcpy(name, path, (size_t)(dot - path));
        name[dot - path] = '\0';
        inner = json_get(doc, name);
        doc = json_is(inner, json_type_object) ? inner : json_set_object(doc, name);
    }
    json_set(doc, path, v);
}

struct config_change *config_change_begin(struct config *c, struct arena *mem)
{
    struct config_change *ch = arena_new_one(mem, struct config_change);

    ch->c = c;
    ch->mem = mem;
    return ch;
}

static bool type_fits(enum setting_type type, json_object *v)
{
    switch (type) {
    case SETTING_BOOL: return json_is(v, json_type_boolean);
    case SETTING_INT: return json_is(v, json_type_int);
    case SETTING_FLOAT: return json_is(v, json_type_double) || json_is(v, json_type_int);
    case SETTING_STR: return json_is(v, json_type_string);
    case SETTING_LIST: return json_is(v, json_type_array);
    case SETTING_DICT: return json_is(v, json_type_object);
    case SETTING_ANY: break;
    }
    return true;
}

static void tell_fixed(struct config *c, enum setting_id id)
{
    if (!c->logged[id])
        log_warning("%s is fixed by %s: a change in the interface has no effect", settings[id].env,
                    c->row_ignored                       ? "ENABLE_PERSISTENT_CONFIG=false"
                    : c->base[id].source == FROM_DEFAULT ? "ENABLE_OAUTH_PERSISTENT_CONFIG=false"
                    : c->base[id].source == FROM_DOTENV  ? ".env"
                                                         : "the environment");
    c->logged[id] = true;
}

void config_change_set(struct config_change *ch, enum setting_id id, json_object *v)
{
    struct config *c = ch->c;

    if (config_fixed(c, id)) {
        if (!json_same(v, config_json(c, id)))
            tell_fixed(c, id);
        return;
    }
    v = value_convert(ch->mem, settings[id].type, v);
    if (v && !type_fits(settings[id].type, v)) {
        log_warning("%s: a value of the wrong type is not taken", settings[id].env);
        return;
    }
    if (!c->database_first && computed_fixes_part(c, id) && !json_same(v, computed_permissions(c, ch->mem, v)) &&
        !c->logged[id]) {
        log_warning("parts of %s are fixed by variables: a change of them in the interface has no effect",
                    settings[id].env);
        c->logged[id] = true;
    }
    if (ch->n == ch->room) {
        ch->v = arena_grow(ch->mem, ch->v, ch->room * sizeof *ch->v, (ch->room ? 2 * ch->room : 16) * sizeof *ch->v);
        ch->room = ch->room ? 2 * ch->room : 16;
    }
    ch->v[ch->n++] = (struct one){ id, v };
}

static enum status write_change(struct config_change *ch, struct db *db, struct error *err)
{
    json_object *doc;
    bool found;
    enum status st = row_read(db, ch->mem, true, &doc, &found, err);

    if (st != OK)
        return st;
    if (!doc)
        doc = empty_document(ch->mem);
    for (size_t i = 0; i < ch->n; i++)
        put(doc, settings[ch->v[i].id].path, ch->v[i].v);
    return row_write(db, ch->mem, doc, found, err);
}

/* One transaction around write(): everybody reads the new row after the counter has moved. */
static enum status in_transaction(struct config *c, struct db *db,
                                  enum status (*write)(struct config_change *, struct db *, struct error *),
                                  struct config_change *ch, struct error *err)
{
    enum status st;

    if (db_in_transaction(db))
        return error_set(err, FAILED, "settings cannot be changed inside a transaction");
    if (db_begin(db) == DB_ERROR)
        return db_failed(db, err);
    st = write(ch, db, err);
    if (st != OK) {
        db_rollback(db);
        return st;
    }
    if (db_commit(db) == DB_ERROR)
        return db_failed(db, err);
    counter_bump(COUNTER_SETTINGS);
    if (config_refresh(c, db, err) != OK)
        log_warning("settings were saved, but not read again: %s", err ? err->text : "see above");
    return OK;
}

enum status config_change_commit(struct config_change *ch, struct db *db, struct error *err)
{
    if (ch->n == 0)
        return OK;
    return error_add(err, in_transaction(ch->c, db, write_change, ch, err), "could not save settings");
}

enum status config_document(struct config *c, struct db *db, struct arena *mem, json_object **out, struct error *err)
{
    json_object *doc;
    bool found;
    enum status st = row_read(db, mem, false, &doc, &found, err);

    (void)c;
    if (st == OK)
        *out = doc ? doc : empty_document(mem);
    return st;
}

static enum status write_document(struct config_change *ch, struct db *db, struct error *err)
{
    json_object *old;
    bool found;
    enum status st = row_read(db, ch->mem, true, &old, &found, err);

    return st == OK ? row_write(db, ch->mem, ch->v[0].v, found, err) : st;
}

enum status config_document_replace(struct config *c, struct db *db, json_object *doc, struct error *err)
{
    struct arena *mem = arena_new(16 * 1024);
    struct one whole = { 0, doc };
    struct config_change ch = { .c = c, .mem = mem, .v = &whole, .n = 1 };
    enum status st = in_transaction(c, db, write_document, &ch, err);

    arena_free(mem);
    return error_add(err, st, "could not replace the settings");
}

/* ---- once at the start of an installation */

static enum status take_over(struct config *c, struct db *db, struct arena *mem, struct error *err)
{
    const char *path = str_c(mem, str_f(mem, "%s/config.json", c->data_dir));
    const char *kept = str_c(mem, str_f(mem, "%s/old_config.json", c->data_dir));
    struct str text;
    json_object *doc;
    enum status st = file_read(mem, path, 16 * 1024 * 1024, &text, err);

    if (st != OK)
        return st == NOT_FOUND ? OK : st;
    st = json_parse(mem, text, &doc, err);
    if (st == OK && !json_is(doc, json_type_object))
        st = error_set(err, INVALID, "no JSON object");
    if (st == OK)
        st = config_document_replace(c, db, doc, err);
    if (st == OK && rename(path, kept) != 0)
        st = error_set(err, FAILED, "could not rename it to %s: %s", kept, strerror(errno));
    if (st == OK)
        log_info("took the settings over from %s", path);
    return error_add(err, st, "could not take over %s", path);
}

enum status config_start(struct config *c, struct db *db, struct error *err)
{
    struct arena *mem = arena_new(16 * 1024);
    enum status st = take_over(c, db, mem, err);

    if (st == OK && config_bool(c, CFG_RESET_CONFIG_ON_START)) {
        if (db_exec(db, "DELETE FROM config", NO_ARGS, NULL) == DB_ERROR) {
            st = error_add(err, db_failed(db, err), "could not reset the settings");
        } else {
            log_info("the stored settings are deleted: RESET_CONFIG_ON_START");
            counter_bump(COUNTER_SETTINGS);
            st = config_refresh(c, db, err);
        }
    }
    arena_free(mem);
    return st;
}
