/* schema.c: the scripts of schema/ as data. The assembler reads them, from the directory in which make runs; GNUmakefile
 * names them as what this object depends on. */
#include "lib/db/schema.h"

#define SCRIPT(name, path)                           \
    __asm__(".section .rodata\n"                     \
            ".global " #name "\n"                    \
            ".hidden " #name "\n"                    \
            ".type " #name ", %object\n" #name ":\n" \
            ".incbin \"" path "\"\n"                 \
            ".byte 0\n"                              \
            ".size " #name ", . - " #name "\n"       \
            ".previous\n")

SCRIPT(schema_sqlite_tables, "schema/sqlite/0001-open-webui-0.6.32.sql");
SCRIPT(schema_sqlite_indexes, "schema/sqlite/0002-indexes.sql");
SCRIPT(schema_postgres_tables, "schema/postgres/0001-open-webui-0.6.32.sql");
SCRIPT(schema_postgres_indexes, "schema/postgres/0002-indexes.sql");
