/* internal.h: struct config, for the files of lib/config alone. */
#ifndef LIB_CONFIG_INTERNAL_H
#define LIB_CONFIG_INTERNAL_H

#include "lib/config/config.h"
#include "lib/config/dotenv.h"

struct base { /* what holds without the database: from a variable, else the default */
    json_object *value;
    enum setting_source source;
};

struct value { /* in force, in every type that somebody may ask for */
    json_object *json;
    struct str text;
    int64_t i;
    double d;
    bool b;
    enum setting_source source;
};

struct config {
    struct arena *mem;      /* lives as long as the config */
    struct arena *row_mem;  /* of the document that was read last */
    struct dotenv files[2]; /* .env of the working directory, and of DATA_DIR */
    int files_n;
    struct base base[CFG_COUNT];
    struct value values[CFG_COUNT];
    uint64_t generation, seen; /* seen: COUNTER_SETTINGS before the row was read */
    bool row_read, row_ignored, oauth_row_ignored, database_first;
    bool logged[CFG_COUNT]; /* that a change had no effect */
    const char *data_dir, *run_dir, *database_url;
    struct str secret_key;
};

/* environ.c: fills c->base, c->files and c->data_dir. INVALID: err names the variable, never its value. */
enum status environ_read(struct config *c, struct error *err);
/* A variable of the environment or, if it is not there, of the .env files. */
struct str environ_get(const struct config *c, const char *name, enum setting_source *source);

/* computed.c: the settings that are worked out of others. */
void computed_base(struct config *c);   /* after the variables were read */
void computed_values(struct config *c); /* after each reading of the row */
/* The permissions that single variables fix, laid over a document. Gives v itself when there are none. */
json_object *computed_permissions(struct config *c, struct arena *mem, json_object *v);
bool computed_fixes_part(const struct config *c, enum setting_id id); /* a variable fixes a member of this object */

/* places.c */
enum status places_data_dir(struct config *c, struct error *err); /* absolute; needs the DATA_DIR variable alone */
void places_find(struct config *c);                               /* run_dir, database_url */

/* values.c: a JSON value as the type of a setting allows it. */
json_object *value_convert(struct arena *mem, enum setting_type type, json_object *v); /* v itself if it cannot be */
void value_fill(struct arena *mem, struct value *out, json_object *v, json_object *otherwise,
                enum setting_source source);
json_object *value_split(struct arena *mem, struct str text, char separator,
                         unsigned flags); /* a list of texts; SETTING_SKIP_EMPTY, SETTING_NO_STRIP */

/* change.c */
enum status row_read(struct db *db, struct arena *mem, bool lock, json_object **out, bool *found, struct error *err);

#endif
