/* statements.c: the prepared statements of a connection, found by the address of their text. */
#include "lib/db/driver.h"

#include <strings.h>

#define FIRST_SIZE 128

static size_t slot_of(const struct db *db, const char *sql)
{
    uint64_t h = (uint64_t)(uintptr_t)sql * 0x9E3779B97F4A7C15u;
    size_t i = (size_t)(h >> 32) & (db->table_size - 1);

    while (db->table[i] && db->table[i]->sql != sql)
        i = (i + 1) & (db->table_size - 1);
    return i;
}

static void grow(struct db *db)
{
    struct statement **old = db->table;
    size_t old_size = db->table_size;

    db->table_size = old_size ? old_size * 2 : FIRST_SIZE;
    db->table = arena_new_array(db->memory, struct statement *, db->table_size);
    for (size_t i = 0; i < old_size; i++)
        if (old[i])
            db->table[slot_of(db, old[i]->sql)] = old[i];
}

static bool is_read(const char *sql)
{
    sql += strspn(sql, " \t\r\n(");
    return strncasecmp(sql, "SELECT", 6) == 0;
}

void statement_once(struct statement *statement, const char *sql)
{
    *statement = (struct statement){ .sql = sql, .reads = is_read(sql) };
}

struct statement *statement_of(struct db *db, const char *sql)
{
    struct statement *s;
    size_t i;

    if (db->statements * 2 >= db->table_size)
        grow(db);
    i = slot_of(db, sql);
    s = db->table[i];
    if (s && strcmp(s->copy, sql) == 0)
        return s;
    if (s) { /* not a constant after all: the wrong statement must not run */
        db->driver->drop(s);
    } else {
        s = db->table[i] = arena_new_one(db->memory, struct statement);
        db->statements++;
    }
    statement_once(s, sql);
    s->copy = str_c(db->memory, str_of(sql));
    s->number = ++db->last_number;
    return s;
}

void statements_drop(struct db *db)
{
    for (size_t i = 0; i < db->table_size; i++)
        if (db->table[i])
            db->driver->drop(db->table[i]);
}
