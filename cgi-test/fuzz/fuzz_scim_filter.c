/* fuzz_scim_filter.c: SCIM filters and paths: parsed, made into SQL, and tried on a value. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/scim/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct condition_column group_columns[] = { { "value", COLUMN_EXACT, "g.id" },
                                                         { "display", COLUMN_TEXT, "g.name" },
                                                         { NULL } };
static const struct condition_column columns[] = {
    { "id", COLUMN_EXACT, "id" },
    { "username", COLUMN_TEXT, "email" },
    { "emails", COLUMN_TEXT, "email" },
    { "emails.value", COLUMN_TEXT, "email" },
    { "emails.type", COLUMN_FIXED, "work" },
    { "active", COLUMN_TRUTH, "role <> 'pending'" },
    { "meta.created", COLUMN_TIME, "created_at" },
    { "groups", COLUMN_MANY, "EXISTS (SELECT 1 FROM x WHERE (", NULL, group_columns },
    { NULL },
};

/* The SQL is made of our constants: letters, digits, and few signs; brackets are closed; no placeholder is beyond the arguments. */
static void check_sql(const struct condition_sql *where)
{
    struct str sql = buf_str(&where->sql);
    int open = 0;

    for (size_t i = 0; i < sql.n; i++) {
        unsigned char c = (unsigned char)sql.p[i];

        if (c < ' ' || c > '~' || c == ';' || (c == '-' && i + 1 < sql.n && sql.p[i + 1] == '-'))
            abort();
        open += c == '(' ? 1 : c == ')' ? -1 : 0;
        if (open < 0)
            abort();
        if (c == '$') {
            int64_t k = 0;
            size_t n = 0;

            while (i + 1 + n < sql.n && sql.p[i + 1 + n] >= '0' && sql.p[i + 1 + n] <= '9')
                n++;
            if (!str_to_i64(str_sub(sql, i + 1, n), &k) || k < 1 || k > where->n)
                abort();
        }
    }
    if (open)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct db *db;
    struct arena *mem = arena_new(4096);
    struct str text = str_n((const char *)data, size);
    const struct condition *c = NULL;
    struct scim_path path;
    struct error err = { "" };
    json_object *value = json_new_object(mem);

    if (!db && db_open("sqlite:///:memory:", &db, &err) != OK)
        abort();
    json_set_c(value, "value", "ann@test.test");
    json_set_c(value, "type", "work");
    json_set_bool(value, "primary", true);
    json_set_int(value, "number", 7);
    if (scim_filter_parse(mem, text, &c, &err) == OK) {
        struct condition_sql where = { .sql = BUF(mem, 1024 * 1024) };

        scim_matches(c, value);
        if (condition_sql(mem, db, c, columns, &where, &err) == OK)
            check_sql(&where);
    } else if (!err.text[0]) {
        abort();
    }
    if (scim_path_parse(mem, text, &path, &err) == OK && path.which)
        scim_matches(path.which, value);
    arena_free(mem);
    return 0;
}
