/* reactions.c: the message_reaction table. */
#include "lib/store/reactions.h"

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/json/json.h"

static void read_reaction(struct row *row, void *out)
{
    struct reaction *r = out;

    r->message_id = row_str(row, 0);
    r->name = row_str(row, 1);
    r->user_id = row_str(row, 2);
}

enum db_status reactions_of(struct db *db, struct arena *mem, struct str message_ids, struct reaction **out, size_t *n)
{
    return db_all(
        db, mem, read_reaction, sizeof(**out), out, n,
        DB_SQL(db,
               "SELECT message_id, name, user_id FROM message_reaction WHERE message_id IN "
               "(SELECT value FROM json_each($1)) ORDER BY message_id, created_at, id",
               "SELECT message_id, name, user_id FROM message_reaction WHERE message_id IN "
               "(SELECT json_array_elements_text(CAST($1 AS json))) ORDER BY message_id COLLATE \"C\", created_at, id"),
        ARGS(message_ids));
}

enum db_status reaction_add(struct db *db, struct arena *mem, struct str message_id, struct str user_id,
                            struct str name)
{
    return db_exec(db,
                   "INSERT INTO message_reaction (id, user_id, message_id, name, created_at) "
                   "SELECT CAST($1 AS text), CAST($2 AS text), CAST($3 AS text), CAST($4 AS text), $5::bigint "
                   "WHERE NOT EXISTS (SELECT 1 FROM message_reaction WHERE message_id = $3 AND user_id = $2 AND "
                   "name = $4)",
                   ARGS(random_uuid(mem), user_id, message_id, name, now_ns()), NULL);
}

enum db_status reaction_remove(struct db *db, struct str message_id, struct str user_id, struct str name)
{
    return db_exec(db, "DELETE FROM message_reaction WHERE message_id = $1 AND user_id = $2 AND name = $3",
                   ARGS(message_id, user_id, name), NULL);
}

enum db_status reactions_delete(struct db *db, struct str message_id)
{
    return db_exec(db, "DELETE FROM message_reaction WHERE message_id = $1", ARGS(message_id), NULL);
}

/* Where the reactions of a message begin: they are sorted by message, bytewise. */
static size_t begin_of(const struct reaction *all, size_t n, struct str message_id)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (str_cmp(all[middle].message_id, message_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The place of a name that is in the list already; n: it is new. */
static size_t first_of(const struct reaction *const *mine, size_t n, struct str name)
{
    size_t i = 0;

    while (i < n && !str_eq(mine[i]->name, name))
        i++;
    return i;
}

struct str reactions_text(struct arena *mem, const struct reaction *all, size_t n, struct str message_id)
{
    size_t begin = begin_of(all, n, message_id), end = begin, names_n = 0, at;
    const struct reaction **names;
    json_object *list = json_new_array(mem), *one;

    while (end < n && str_eq(all[end].message_id, message_id))
        end++;
    names = arena_new_array(mem, const struct reaction *, end - begin);
    for (size_t i = begin; i < end; i++) {
        at = first_of(names, names_n, all[i].name);
        if (at == names_n) {
            names[names_n++] = &all[i];
            one = json_new_object(mem);
            json_set_str(one, "name", all[i].name);
            json_set_array(one, "user_ids");
            json_push(list, one);
        }
        one = json_at(list, at);
        json_push_str(json_get(one, "user_ids"), all[i].user_id);
        json_set_int(one, "count", (int64_t)json_length(json_get(one, "user_ids")));
    }
    return json_text(mem, list);
}
