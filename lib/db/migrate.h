/* migrate.h: is this database one that we can work on, and making one of an empty one.
 *
 * The schema is that of the Python backend; alembic_version says which. We know one revision, make it, add indexes to it,
 * and leave every other alone. */
#ifndef LIB_DB_MIGRATE_H
#define LIB_DB_MIGRATE_H

#include "lib/db/db.h"

#define SCHEMA_REVISION "a5c220713937"
#define SCHEMA_MADE_BY "Open WebUI 0.6.32"

enum schema_state {
    SCHEMA_EMPTY,   /* no tables */
    SCHEMA_CURRENT, /* ours */
    SCHEMA_OLDER,   /* Open WebUI 0.6.32 would bring it up */
    SCHEMA_NEWER,   /* a later Open WebUI was here */
    SCHEMA_UNKNOWN  /* half made, a fork's, or another program's */
};

struct schema { /* strings live in the arena that was given */
    enum schema_state state;
    struct str revision;       /* as found; absent: none */
    struct str made_by;        /* "Open WebUI 0.6.27 to 0.6.31"; absent: not known */
    struct str missing;        /* UNKNOWN with our revision: a table that should be there … */
    struct str missing_column; /* … or this column of it */
    size_t indexes_missing;    /* CURRENT: how many of our indexes */
    bool created;              /* by migrate_up(): tables */
    struct str note;           /* by migrate_up(): why indexes could not be added, no reason to stop; else absent */
};

/* Reads only. OK whatever the state. UNAVAILABLE, FAILED: the database could not be read. */
enum status migrate_check(struct db *db, struct arena *mem, struct schema *out, struct error *err);

/* EMPTY: makes all in one transaction; several processes may try at once. CURRENT: adds the indexes that are missing. Both:
 * the journal mode (db_apply_wal).
 * INVALID: any other state, with migrate_refusal() as the reason; the database is untouched. *out tells what was found, and
 * what was done. */
enum status migrate_up(struct db *db, struct arena *mem, struct schema *out, struct error *err);

/* One line: why we do not work on it, and the way out. Absent when CURRENT. */
struct str migrate_refusal(struct arena *mem, const struct schema *schema);

/* The Open WebUI versions that leave a database at this revision. False: not known. *last is NULL for the newest that we know
 * of. *order: of revisions, in the order in which they came. */
bool schema_versions(struct str revision, const char **first, const char **last, size_t *order);

#endif
