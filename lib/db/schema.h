/* schema.h: the scripts of schema/, as they were when this was built. Private to lib/db. */
#ifndef LIB_DB_SCHEMA_H
#define LIB_DB_SCHEMA_H

extern const char schema_sqlite_tables[], schema_sqlite_indexes[]; /* NUL-terminated */
extern const char schema_postgres_tables[], schema_postgres_indexes[];

#endif
