/* config.h: every setting, once (settings.def): environment name, path in the stored document, type, default.
 *
 * Order: environment, then the .env file, then the config row of the database, then the default. CONFIG_PRECEDENCE=database puts the row
 * first for settings that have a path (as the Python backend does); ENABLE_PERSISTENT_CONFIG=false ignores the row. An empty variable counts as not set
 * where Python treats it so (see settings.def).
 *
 * A process keeps the settings in memory and reads the row again when COUNTER_SETTINGS has moved: call config_refresh() once a request. */
#ifndef LIB_CONFIG_CONFIG_H
#define LIB_CONFIG_CONFIG_H

#include "lib/base/error.h"
#include "lib/db/db.h"
#include "lib/json/json.h"

enum setting_type { SETTING_BOOL, SETTING_INT, SETTING_FLOAT, SETTING_STR, SETTING_LIST, SETTING_DICT, SETTING_ANY };

enum setting_id {
#define SETTING(env, ...) CFG_##env,
#include "lib/config/settings.def"
#undef SETTING
    CFG_COUNT
};

struct setting {
    const char *env;  /* variable, and the name the admin panel uses */
    const char *path; /* in the stored document; NULL: from the environment only */
    enum setting_type type;
    const char *def; /* default, as JSON text */
    unsigned flags;
    const char *note; /* for docs/settings.md: what it does, or why it is not honoured */
};
enum {
    SETTING_SECRET = 1,
    SETTING_IGNORED = 2, /* has no meaning here; note says why */
    /* How its variable is read; booleans are true for "true" in any case, everything else is false, as in Python. */
    SETTING_EMPTY_UNSET =
        4, /* empty counts as not set. (For every setting: an empty variable that gives the default does.) */
    SETTING_EMPTY_NULL = 8,   /* empty: null */
    SETTING_LENIENT = 16,     /* what cannot be read gives the default; otherwise it is an error at the start */
    SETTING_LOWER = 32,       /* in small letters */
    SETTING_SEMICOLON = 64,   /* a list split at semicolons; otherwise at commas */
    SETTING_SKIP_EMPTY = 128, /* a list without its empty pieces */
    SETTING_NO_STRIP = 256,   /* a list whose pieces keep their white space */
    SETTING_JSON = 512,       /* JSON text; broken: the default */
    SETTING_NO_ENV = 1024,    /* has no variable of its name */
    SETTING_OURS = 2048       /* unknown to the Python backend */
};

extern const struct setting settings[CFG_COUNT];

struct config;

/* Reads the environment and the .env file (in the working directory and in DATA_DIR; the environment wins). No database is needed.
 * err: which value is wrong. */
enum status config_open(struct config **out, struct error *err);
void config_close(struct config *c);
/* Reads the row if the counter has moved (or never read). UNAVAILABLE/FAILED: the database does not answer; what was known stays in force. */
enum status config_refresh(struct config *c, struct db *db, struct error *err);
uint64_t config_generation(const struct config *c); /* moves when any value may have changed: key for cached texts */

/* The value in force. Strings and objects are borrowed, valid until the next config_refresh(), config_change_commit() or config_document_replace().
 * Where the value in force is null (or was stored as something else), numbers and truths are the default's, 0 and false if that is null too. */
bool config_bool(const struct config *c, enum setting_id id);
int64_t config_int(const struct config *c, enum setting_id id);
double config_double(const struct config *c, enum setting_id id);
struct str config_str(const struct config *c, enum setting_id id);    /* null: absent */
json_object *config_json(const struct config *c, enum setting_id id); /* of any type; NULL: null */

/* Where a value in force came from. */
enum setting_source { FROM_DEFAULT, FROM_DATABASE, FROM_DOTENV, FROM_ENVIRONMENT };
enum setting_source config_source(const struct config *c, enum setting_id id);
bool config_fixed(const struct config *c, enum setting_id id); /* the environment fixes it: a change has no effect */

/* Changes settings: begin, set any number, commit: one write of the config row, one bump of the counter. Not inside a transaction. A setting that the environment fixes
 * keeps its value (logged once); the others take v at once in this process. v of a wrong type: converted as the setting's type allows. */
struct config_change;
struct config_change *config_change_begin(struct config *c, struct arena *mem);
void config_change_set(struct config_change *ch, enum setting_id id, json_object *v);
enum status config_change_commit(struct config_change *ch, struct db *db, struct error *err);

/* Once when an installation starts, after the schema is there: takes DATA_DIR/config.json over, as the Python backend does (it becomes
 * old_config.json), and deletes the stored settings if RESET_CONFIG_ON_START says so. */
enum status config_start(struct config *c, struct db *db, struct error *err);

/* The whole stored document (for export), and its replacement (for import). */
enum status config_document(struct config *c, struct db *db, struct arena *mem, json_object **out, struct error *err);
enum status config_document_replace(struct config *c, struct db *db, json_object *doc, struct error *err);

/* Places on disk, from the settings: */
const char *config_data_dir(const struct config *c); /* DATA_DIR, absolute; default ./data */
const char *config_run_dir(const struct config *c);  /* WEBUI_RUN_DIR, default DATA_DIR/run */
const char *config_database_url(
    const struct config *c); /* DATABASE_URL (or from DATABASE_TYPE, _HOST …), default sqlite:///DATA_DIR/webui.db */
/* WEBUI_SECRET_KEY, or DATA_DIR/.webui_secret_key, which is made (0600) when make is true and it is missing. */
enum status config_secret_key(struct config *c, bool make, struct str *key, struct error *err);

#endif
