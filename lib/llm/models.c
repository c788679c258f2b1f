/* models.c: the list of all models, put together from the providers' answers, the arena's settings and the model table. */
#include "lib/llm/models.h"

#include <stdlib.h>

#include "lib/auth/auth.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/shared.h"
#include "lib/llm/catalog.h"
#include "lib/store/functions.h"
#include "lib/store/models.h"

struct models {
    struct arena *mem;
    struct model *v;
    size_t n;
    size_t *buckets, buckets_n; /* open hash of ids: index + 1; 0: free */
    struct str text;            /* {"data": […]} of all */
    struct view {               /* what one user sees of it: a byte a model */
        struct str user_id;
        uint64_t groups, used; /* COUNTER_GROUPS when it was found; when it was asked for last */
        unsigned char *visible;
        char id[64];
    } * views;
    uint64_t asked;
    uint64_t settings, rows, functions, generation;
    int64_t catalog_at_ms;
};

static struct models current; /* of the process */

enum { VIEWS = 32 };

/* ---- looking up */

static size_t hash(struct str s)
{
    uint64_t h = 1469598103934665603u;

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

const struct model *model_by_id(const struct models *list, struct str id)
{
    for (size_t i = hash(id); list->buckets_n && id.n; i++) {
        size_t at = list->buckets[i % list->buckets_n];

        if (at == 0)
            return NULL;
        if (str_eq(list->v[at - 1].id, id))
            return &list->v[at - 1];
    }
    return NULL;
}

static void index_models(struct models *list)
{
    list->buckets_n = 2 * list->n + 1;
    list->buckets = arena_new_array(list->mem, size_t, list->buckets_n);
    for (size_t k = list->n; k > 0;
         k--) { /* backwards: of two with one id the last is found, as in Python's dictionary */
        struct str id = list->v[k - 1].id;
        size_t i = hash(id);

        while (list->buckets[i % list->buckets_n] && !str_eq(list->v[list->buckets[i % list->buckets_n] - 1].id, id))
            i++;
        if (list->buckets[i % list->buckets_n] == 0)
            list->buckets[i % list->buckets_n] = k;
    }
}

size_t models_count(const struct models *list)
{
    return list->n;
}

const struct model *models_at(const struct models *list, size_t i)
{
    return &list->v[i];
}

/* ---- putting together */

static json_object *arena_model(struct arena *mem, json_object *id, json_object *name, json_object *meta)
{
    json_object *m = json_new_object(mem);

    json_set(m, "id", id);
    json_set(m, "name", name);
    json_set(json_set_object(m, "info"), "meta", meta);
    json_set_c(m, "object", "model");
    json_set_int(m, "created", now_s());
    json_set_c(m, "owned_by", "arena");
    json_set_bool(m, "arena", true);
    return m;
}

static void add_arena(struct arena *mem, struct config *c, json_object *list)
{
    json_object *own = config_json(c, CFG_EVALUATION_ARENA_MODELS), *meta = json_new_object(mem);

    if (!config_bool(c, CFG_ENABLE_EVALUATION_ARENA_MODELS))
        return;
    JSON_EACH (own, i, m)
        json_push(list, arena_model(mem, json_get(m, "id"), json_get(m, "name"), json_get(m, "meta")));
    if (json_length(own))
        return;
    json_set_c(meta, "profile_image_url", "/favicon.png");
    json_set_c(meta, "description", "Submit your questions to anonymous AI chatbots and vote on the best response.");
    json_set_null(meta, "model_ids");
    json_push(list, arena_model(mem, json_new_str(mem, S("arena-model")), json_new_str(mem, S("Arena Model")), meta));
}

/* ---- finding by id: keys in order, the first place of each */

struct key {
    struct str id;
    size_t place;
};
struct keys {
    struct key *v;
    size_t n;
};

static int by_id(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int order = str_cmp(x->id, y->id);

    return order ? order : (x->place > y->place) - (x->place < y->place);
}

/* STR_NPOS: none. */
static size_t find_key(const struct keys *keys, struct str id)
{
    size_t low = 0, high = keys->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (str_cmp(keys->v[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < keys->n && str_eq(keys->v[low].id, id) ? keys->v[low].place : STR_NPOS;
}

static struct keys keys_of_rows(struct arena *mem, const struct model_row *rows, size_t n)
{
    struct keys keys = { arena_new_array(mem, struct key, n + 1), n };

    for (size_t i = 0; i < n; i++)
        keys.v[i] = (struct key){ rows[i].id, i };
    qsort(keys.v, n, sizeof(*keys.v), by_id);
    return keys;
}

/* Ollama's ids carry a tag (llama3:8b), which those who name a model may leave out. */
static struct str without_tag(struct str id)
{
    return str_sub(id, 0, str_find_c(id, ':'));
}

static struct keys keys_of_models(struct arena *mem, json_object *list, bool with_tags)
{
    struct keys keys = { arena_new_array(mem, struct key, json_length(list) + 1), json_length(list) };

    JSON_EACH (list, i, m)
        keys.v[i] = (struct key){ with_tags ? json_str(m, "id") : without_tag(json_str(m, "id")), i };
    qsort(keys.v, keys.n, sizeof(*keys.v), by_id);
    return keys;
}

/* ---- rows on models */

/* {name, info} of a row put on a provider's model. */
static void apply_row(struct arena *mem, const struct model_row *row, json_object *m)
{
    json_set_str(m, "name", row->name);
    json_set(m, "info", model_row_json(mem, row));
    json_set(m, "action_ids", json_path(m, "info.meta.actionIds"));
}

/* The settings of providers' models; a row that is switched off takes its model out. */
static json_object *apply_rows(struct arena *mem, const struct model_row *rows, size_t n, json_object *list)
{
    struct keys keys = keys_of_rows(mem, rows, n);
    json_object *left = json_new_array(mem);

    JSON_EACH (list, i, m) {
        struct str id = json_str(m, "id");
        size_t found[2] = { find_key(&keys, id), STR_NPOS };
        bool off = false;

        if (str_is(json_str(m, "owned_by"), "ollama") && without_tag(id).n < id.n)
            found[1] = find_key(&keys, without_tag(id));
        if (found[1] < found[0]) { /* the later row of the table goes over the earlier one */
            size_t first = found[1];

            found[1] = found[0];
            found[0] = first;
        }
        for (int k = 0; k < 2; k++) {
            if (found[k] == STR_NPOS || rows[found[k]].base_model_id.p)
                continue;
            off |= !rows[found[k]].is_active;
            apply_row(mem, &rows[found[k]], m);
        }
        if (!off)
            json_push(left, m);
    }
    return left;
}

static void add_own_model(struct arena *mem, const struct model_row *row, json_object *base, json_object *list)
{
    struct str owner = json_str(base, "owned_by");
    json_object *m = json_new_object(mem);

    json_set_str(m, "id", row->id);
    json_set_str(m, "name", row->name);
    json_set_c(m, "object", "model");
    json_set_int(m, "created", row->created_at);
    json_set_str(m, "owned_by", !base ? S("openai") : owner.n ? owner : S("unknown owner"));
    json_set(m, "info", model_row_json(mem, row));
    json_set_bool(m, "preset", true);
    json_set(m, "action_ids", json_path(m, "info.meta.actionIds"));
    json_push(list, m);
}

static json_object *find_own(json_object *list, size_t from, struct str id)
{
    for (size_t i = from; i < json_length(list); i++)
        if (str_eq(json_str(json_at(list, i), "id"), id) || str_eq(without_tag(json_str(json_at(list, i), "id")), id))
            return json_at(list, i);
    return NULL;
}

/* The workspace's own models, but for those that have a provider's id. */
static void add_own_models(struct arena *mem, const struct model_row *rows, size_t n, json_object *list)
{
    struct keys ids = keys_of_models(mem, list, true), untagged = keys_of_models(mem, list, false);
    size_t providers_n = json_length(list);

    for (size_t i = 0; i < n; i++) {
        size_t base, other;

        if (!rows[i].base_model_id.p || !rows[i].is_active || find_key(&ids, rows[i].id) != STR_NPOS)
            continue;
        base = find_key(&ids, rows[i].base_model_id);
        other = find_key(&untagged, rows[i].base_model_id);
        base = other < base ? other : base;
        add_own_model(mem, &rows[i],
                      base != STR_NPOS ? json_at(list, base) : find_own(list, providers_n, rows[i].base_model_id),
                      list);
    }
}

static bool wants_action(json_object *m, const struct function *f)
{
    JSON_EACH (json_get(m, "action_ids"), i, id)
        if (str_eq(json_str_value(id), f->id))
            return true;
    return f->is_global;
}

/* Buttons below an answer. Filters are never run here: there are none for a user to switch. */
static void add_actions(struct arena *mem, json_object *m, const struct function *functions, size_t n)
{
    json_object *actions = json_new_array(mem);

    for (size_t i = 0; i < n; i++) {
        json_object *meta, *a;

        if (!functions[i].is_active || !str_is(functions[i].type, "action") || !wants_action(m, &functions[i]))
            continue;
        meta = json_parse_or_null(mem, functions[i].meta);
        a = json_new_object(mem);
        json_set_str(a, "id", functions[i].id);
        json_set_str(a, "name", functions[i].name);
        json_set(a, "description", json_get(meta, "description"));
        json_set(a, "icon", json_path(meta, "manifest.icon_url"));
        json_push(actions, a);
    }
    json_del(m, "action_ids");
    json_set(m, "actions", actions);
    json_set_array(m, "filters");
}

/* The tags of the row and of the provider, each name once. */
static void set_tags(struct arena *mem, json_object *m)
{
    json_object *sources[2] = { json_path(m, "info.meta.tags"), json_get(m, "tags") }, *tags = json_new_array(mem);

    for (size_t k = 0; k < 2; k++) {
        JSON_EACH (sources[k], i, tag) {
            struct str name = json_str(tag, "name");
            bool there = name.p == NULL;

            JSON_EACH (tags, j, t)
                there |= str_eq(json_str(t, "name"), name);
            if (!there) {
                json_object *t = json_new_object(mem);

                json_set_str(t, "name", name);
                json_push(tags, t);
            }
        }
    }
    json_set(m, "tags", tags);
}

static void read_model(struct arena *mem, json_object *m, struct model *out)
{
    *out = (struct model){ .id = json_str(m, "id"),
                           .name = json_str(m, "name"),
                           .owned_by = json_str(m, "owned_by"),
                           .json = m,
                           .info = json_get(m, "info"),
                           .is_arena = json_flag(m, "arena", false),
                           .is_preset = json_flag(m, "preset", false) };
    if (out->is_arena) {
        json_object *meta = json_get(out->info, "meta");

        if (!json_has(meta, "access_control"))
            out->access_control = S("{}");
        else if (json_get(meta, "access_control"))
            out->access_control = json_text(mem, json_get(meta, "access_control"));
        out->info = NULL;
        return;
    }
    out->base_model_id = json_str(out->info, "base_model_id");
    out->user_id = json_str(out->info, "user_id");
    if (json_get(out->info, "access_control"))
        out->access_control = json_text(mem, json_get(out->info, "access_control"));
}

/* A pipeline that filters others' requests is no model to choose. */
static bool is_filter(const struct model *m)
{
    return str_is(json_str(json_get(m->json, "pipeline"), "type"), "filter");
}

static size_t place(json_object *order, struct str id)
{
    JSON_EACH (order, i, wanted)
        if (str_eq(json_str_value(wanted), id))
            return i;
    return STR_NPOS;
}

static int by_order(const void *a, const void *b, void *order)
{
    const struct model *x = a, *y = b;
    size_t px = place(order, x->id), py = place(order, y->id);

    return px != py ? (px > py) - (px < py) : str_cmp(x->name, y->name);
}

static enum status put_together(struct arena *mem, struct db *db, struct config *c, json_object *base,
                                struct models *list, struct error *err)
{
    json_object *all = base, *order = config_json(c, CFG_MODEL_ORDER_LIST);
    struct model_row *rows = NULL;
    struct function *functions = NULL;
    size_t rows_n = 0, functions_n = 0;
    struct buf text = BUF(mem, STR_NPOS);
    bool first = true;

    if (model_rows(db, mem, &rows, &rows_n) == DB_ERROR || function_list(db, mem, &functions, &functions_n) == DB_ERROR)
        return error_set(err, db_unavailable(db) ? UNAVAILABLE : FAILED, "could not read the models: %s", db_error(db));
    if (json_length(all))
        add_arena(mem, c, all);
    if (json_length(all)) {
        all = apply_rows(mem, rows, rows_n, all);
        add_own_models(mem, rows, rows_n, all);
    }
    list->v = arena_new_array(mem, struct model, json_length(all) + 1);
    JSON_EACH (all, i, m) {
        add_actions(mem, m, functions, functions_n);
        set_tags(mem, m);
        read_model(mem, m, &list->v[list->n++]);
    }
    if (json_length(order))
        qsort_r(list->v, list->n, sizeof(*list->v), by_order, order);
    index_models(list);
    buf_add_c(&text, "{\"data\":[");
    for (size_t i = 0; i < list->n; i++) {
        list->v[i].text = json_text(mem, list->v[i].json);
        if (is_filter(&list->v[i]))
            continue;
        if (!first)
            buf_add_char(&text, ',');
        first = false;
        buf_add_str(&text, list->v[i].text);
    }
    buf_add_c(&text, "]}");
    list->text = buf_str(&text);
    return OK;
}

static bool is_current(const struct config *c)
{
    return current.mem && current.settings == counter_read(COUNTER_SETTINGS) &&
           current.rows == counter_read(COUNTER_MODELS) && current.functions == counter_read(COUNTER_FUNCTIONS) &&
           current.generation == config_generation(c);
}

enum status models_all(struct arena *mem, struct db *db, struct config *c, const struct user *caller, bool refresh,
                       const struct models **out, struct error *err)
{
    struct models fresh = { .settings = counter_read(COUNTER_SETTINGS),
                            .rows = counter_read(COUNTER_MODELS),
                            .functions = counter_read(COUNTER_FUNCTIONS),
                            .generation = config_generation(c) };
    json_object *base;
    enum status st;

    if (is_current(c) && ((!refresh && now_ms() < catalog_good_until_ms()) ||
                          catalog_changed_at_ms(mem, c, caller, refresh) == current.catalog_at_ms)) {
        *out = &current;
        return OK;
    }
    fresh.mem = arena_new(64 * 1024);
    base = catalog_get(fresh.mem, c, caller, refresh && !is_current(c), &fresh.catalog_at_ms);
    st = put_together(fresh.mem, db, c, base, &fresh, err);
    if (st != OK) {
        arena_free(fresh.mem);
        return st;
    }
    arena_free(current.mem);
    current = fresh;
    *out = &current;
    return OK;
}

/* ---- access */

static bool sees_all(const struct config *c, const struct user *u)
{
    return config_bool(c, CFG_BYPASS_MODEL_ACCESS_CONTROL) ||
           (u->is_admin && config_bool(c, CFG_BYPASS_ADMIN_ACCESS_CONTROL));
}

bool model_access(struct arena *mem, struct db *db, struct config *c, const struct user *u, const struct model *m)
{
    if (sees_all(c, u))
        return true;
    if (m->is_arena)
        return auth_access(mem, db, u->id, "read", m->access_control);
    if (!m->info ||
        !str_eq(json_str(m->info, "id"), m->id)) /* a row for llama3 names llama3:8b, but opens it to nobody */
        return false;
    return str_eq(m->user_id, u->id) || auth_access(mem, db, u->id, "read", m->access_control);
}

/* Which models the user sees, from memory if nothing has changed: who belongs to which group is in COUNTER_GROUPS, all else is in the list. */
static const unsigned char *visible_to(struct arena *mem, struct db *db, struct config *c, const struct user *u)
{
    uint64_t groups = counter_read(COUNTER_GROUPS);
    struct view *view;

    if (!current.views)
        current.views = arena_new_array(current.mem, struct view, VIEWS);
    view = current.views;
    for (size_t i = 0; i < VIEWS; i++) {
        if (str_eq(current.views[i].user_id, u->id) && current.views[i].groups == groups && u->id.n) {
            current.views[i].used = ++current.asked;
            return current.views[i].visible;
        }
        if (current.views[i].used < view->used)
            view = &current.views[i];
    }
    if (!view->visible)
        view->visible = arena_zalloc(current.mem, current.n + 1);
    for (size_t i = 0; i < current.n; i++)
        view->visible[i] = !is_filter(&current.v[i]) && model_access(mem, db, c, u, &current.v[i]);
    view->user_id = STR_NONE;
    if (u->id.n && u->id.n <= sizeof(view->id)) {
        memcpy(view->id, u->id.p, u->id.n);
        view->user_id = str_n(view->id, u->id.n);
    }
    view->groups = groups;
    view->used = ++current.asked;
    return view->visible;
}

enum status models_text_for(struct arena *mem, struct db *db, struct config *c, const struct user *u, bool refresh,
                            struct str *out, struct error *err)
{
    struct buf b = BUF(mem, STR_NPOS);
    const unsigned char *visible;
    const struct models *list;
    size_t bytes = 16;
    enum status st = models_all(mem, db, c, u, refresh, &list, err);

    if (st != OK)
        return st;
    if (sees_all(c, u)) {
        *out = list->text;
        return OK;
    }
    visible = visible_to(mem, db, c, u);
    for (size_t i = 0; i < list->n; i++)
        bytes += visible[i] ? list->v[i].text.n + 1 : 0;
    (void)buf_reserve(&b, bytes);
    buf_add_c(&b, "{\"data\":[");
    for (size_t i = 0; i < list->n; i++) {
        if (!visible[i])
            continue;
        if (b.p[b.n - 1] != '[')
            buf_add_char(&b, ',');
        buf_add_str(&b, list->v[i].text);
    }
    buf_add_c(&b, "]}");
    *out = buf_str(&b);
    return OK;
}

enum status models_base(struct arena *mem, struct db *db, struct config *c, const struct user *caller,
                        json_object **out, struct error *err)
{
    (void)db;
    (void)err;
    *out = catalog_get(mem, c, caller, false, NULL);
    return OK;
}

/* ---- who answers */

static struct str without_prefix(const struct provider *p, struct str id)
{
    if (p->prefix_id.n && id.n > p->prefix_id.n && !strncmp(id.p, p->prefix_id.p, p->prefix_id.n) &&
        id.p[p->prefix_id.n] == '.')
        return str_from(id, p->prefix_id.n + 1);
    return id;
}

enum status model_provider(struct arena *mem, struct config *c, const struct models *list, const struct model *m,
                           struct provider *out, struct str *upstream_id)
{
    enum provider_kind kind;
    json_object *urls;
    int64_t index;

    for (int depth = 0; m && m->base_model_id.n && depth < 8; depth++) {
        const struct model *base = model_by_id(list, m->base_model_id);

        for (size_t i = 0; !base && i < list->n; i++) /* a base named without its tag */
            if (!list->v[i].base_model_id.n &&
                str_eq(str_sub(list->v[i].id, 0, str_find_c(list->v[i].id, ':')), m->base_model_id))
                base = &list->v[i];
        if (base == m)
            break;
        m = base;
    }
    if (!m || m->base_model_id.n)
        return NOT_FOUND;
    kind = str_is(m->owned_by, "ollama") ? PROVIDER_OLLAMA : PROVIDER_OPENAI;
    index = json_int(m->json, "urlIdx", kind == PROVIDER_OPENAI ? -1 : 0);
    urls = json_path(m->json, "ollama.urls");
    if (kind == PROVIDER_OLLAMA && json_length(urls)) {
        unsigned draw;

        random_bytes(&draw, sizeof(draw));
        index = json_object_get_int64(json_at(urls, draw % json_length(urls)));
    }
    if (provider_by_index(mem, c, kind, (int)index, out) != OK)
        return NOT_FOUND;
    *upstream_id = without_prefix(out, m->id);
    return OK;
}
