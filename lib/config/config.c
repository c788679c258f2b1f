/* config.c: the settings in force in this process. */
#include "lib/base/log.h"
#include "lib/base/shared.h"
#include "lib/config/internal.h"

/* Every change in any process gives a number that no other state of this process had. */
static void generation_moves(struct config *c)
{
    c->generation++;
}

static json_object *stored(const struct config *c, json_object *doc, enum setting_id id, bool *found)
{
    const char *path = settings[id].path, *dot;
    char name[128];

    *found = false;
    if (!path || c->row_ignored || (c->oauth_row_ignored && strncmp(path, "oauth.", 6) == 0))
        return NULL;
    for (; (dot = strchr(path, '.')); path = dot + 1) {
        size_t n = (size_t)(dot - path);

        if (n >= sizeof name)
            return NULL;
        memcpy(name, path, n);
        name[n] = '\0';
        doc = json_get(doc, name);
    }
    *found = json_has(doc, path);
    return json_get(doc, path);
}

/* The environment, .env, the row, the default, in this order, or the row first. A null in the row is a value: somebody emptied the field. */
static void settle(struct config *c, json_object *doc, enum setting_id id)
{
    const struct base *b = &c->base[id];
    bool in_row = false;
    json_object *v = b->source != FROM_DEFAULT && !c->database_first ? NULL : stored(c, doc, id, &in_row);
    enum setting_source source = in_row ? FROM_DATABASE : b->source;

    if (!in_row)
        v = b->value;
    else if (id == CFG_USER_PERMISSIONS && !c->database_first)
        v = computed_permissions(c, c->row_mem, v);
    value_fill(c->row_mem, &c->values[id], v, b->value, source);
}

static void settle_all(struct config *c, json_object *doc)
{
    for (int id = 0; id < CFG_COUNT; id++)
        settle(c, doc, id);
    computed_values(c);
    generation_moves(c);
}

enum status config_open(struct config **out, struct error *err)
{
    struct arena *mem = arena_new(256 * 1024);
    struct config *c = arena_new_one(mem, struct config);
    struct str first;
    enum status st;

    c->mem = mem;
    c->row_mem = arena_new(64 * 1024);
    st = environ_read(c, err);
    if (st != OK) {
        config_close(c);
        return st;
    }
    first = json_str_value(c->base[CFG_CONFIG_PRECEDENCE].value);
    c->database_first = str_ieq(first, "database");
    if (!c->database_first && !str_ieq(first, "environment")) {
        st = error_set(err, INVALID, "CONFIG_PRECEDENCE is neither environment nor database");
        config_close(c);
        return st;
    }
    c->row_ignored = !json_truthy(c->base[CFG_ENABLE_PERSISTENT_CONFIG].value);
    c->oauth_row_ignored = !json_truthy(c->base[CFG_ENABLE_OAUTH_PERSISTENT_CONFIG].value);
    places_find(c);
    settle_all(c, NULL);
    *out = c;
    return OK;
}

void config_close(struct config *c)
{
    if (!c)
        return;
    arena_free(c->row_mem);
    arena_free(c->mem);
}

enum status config_refresh(struct config *c, struct db *db, struct error *err)
{
    uint64_t now = counter_read(COUNTER_SETTINGS); /* before the row: what changes meanwhile is read again next time */
    struct arena *mem, *old = c->row_mem;
    json_object *doc;
    bool found;
    enum status st;

    if (c->row_read && now == c->seen)
        return OK;
    mem = arena_new(64 * 1024);
    st = row_read(db, mem, false, &doc, &found, err);
    if (st != OK) {
        arena_free(mem);
        return error_add(err, st, "could not read the settings");
    }
    c->row_mem = mem;
    settle_all(c, doc);
    arena_free(old);
    c->row_read = true;
    c->seen = now;
    return OK;
}

uint64_t config_generation(const struct config *c)
{
    return c->generation;
}

bool config_bool(const struct config *c, enum setting_id id)
{
    return c->values[id].b;
}

int64_t config_int(const struct config *c, enum setting_id id)
{
    return c->values[id].i;
}

double config_double(const struct config *c, enum setting_id id)
{
    return c->values[id].d;
}

struct str config_str(const struct config *c, enum setting_id id)
{
    return c->values[id].text;
}

json_object *config_json(const struct config *c, enum setting_id id)
{
    return c->values[id].json;
}

enum setting_source config_source(const struct config *c, enum setting_id id)
{
    return c->values[id].source;
}

bool config_fixed(const struct config *c, enum setting_id id)
{
    const char *path = settings[id].path;

    if (!path || c->row_ignored || (c->oauth_row_ignored && strncmp(path, "oauth.", 6) == 0))
        return true;
    return !c->database_first && c->base[id].source != FROM_DEFAULT;
}
