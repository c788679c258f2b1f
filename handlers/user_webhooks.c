/* user_webhooks.c: webhooks of users. */
#include "handlers/user_webhooks.h"

#include "lib/base/shared.h"
#include "lib/store/users.h"

enum { CONNECT_MS = 3000, TOTAL_MS = 10000, MAX_ANSWER = 64 * 1024 };

static struct {
    struct arena *mem; /* NULL: not read yet */
    uint64_t counter;
    struct user_webhook *v;
    size_t n;
} kept;

static enum db_status read_again(struct db *db)
{
    uint64_t counter = counter_read(COUNTER_USERS);
    struct arena *mem;
    struct user_settings *rows;
    struct user_webhook *v;
    size_t rows_n, n = 0;

    if (kept.mem && kept.counter == counter)
        return DB_DONE;
    mem = arena_new(4096);
    if (user_settings_with(db, mem, "webhook_url", &rows, &rows_n) == DB_ERROR) {
        arena_free(mem);
        return DB_ERROR;
    }
    v = arena_new_array(mem, struct user_webhook, rows_n);
    for (size_t i = 0; i < rows_n; i++) {
        json_object *all = json_parse_or_null(mem, rows[i].settings);
        struct str url = json_str(json_path(all, "ui.notifications"), "webhook_url");

        if (url.n)
            v[n++] = (struct user_webhook){ rows[i].user_id, url };
    }
    arena_free(kept.mem);
    kept.mem = mem;
    kept.counter = counter;
    kept.v = v;
    kept.n = n;
    return DB_ROW;
}

enum db_status user_webhooks(struct db *db, struct config *c, const struct user_webhook **out, size_t *n)
{
    enum db_status st = DB_DONE;

    *n = 0;
    if (!config_bool(c, CFG_ENABLE_USER_WEBHOOKS))
        return DB_DONE;
    st = read_again(db);
    if (st == DB_ERROR)
        return st;
    *out = kept.v;
    *n = kept.n;
    return kept.n ? DB_ROW : DB_DONE;
}

json_object *user_webhook_call(struct arena *mem, struct config *c, struct str url, const struct webhook_event *e)
{
    json_object *plan = json_new_object(mem), *upstream = json_set_object(plan, "upstream");

    json_set_str(upstream, "url", url);
    json_set_c(upstream, "method", "POST");
    json_set_str(upstream, "body", json_text(mem, webhook_body(mem, url, e)));
    json_set_c(upstream, "format", "raw");
    json_set_int(upstream, "connect_timeout_ms", CONNECT_MS);
    json_set_int(upstream, "timeout_ms", TOTAL_MS);
    json_set_int(upstream, "max_bytes", MAX_ANSWER);
    json_set_bool(upstream, "public_only", !config_bool(c, CFG_ENABLE_RAG_LOCAL_WEB_FETCH));
    json_set_c(plan, "deliver", "json");
    return plan;
}
