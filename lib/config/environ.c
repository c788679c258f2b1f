/* environ.c: settings out of the environment and the .env files, read as the Python backend reads them. */
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/config/internal.h"

static const struct { /* further names of a variable, in the order in which they are looked for */
    enum setting_id id;
    const char *name;
    bool is_default; /* gives a default, which the database may change, and not a value */
} other_names[] = {
    { CFG_OLLAMA_CLOUD_WEB_SEARCH_API_KEY, "OLLAMA_CLOUD_API_KEY", false },
    { CFG_LDAP_SEARCH_FILTER, "LDAP_SEARCH_FILTERS", false },
    { CFG_OAUTH_GROUPS_CLAIM, "OAUTH_GROUP_CLAIM", false },
    { CFG_RAG_EMBEDDING_BATCH_SIZE, "RAG_EMBEDDING_OPENAI_BATCH_SIZE", false },
    { CFG_CODE_INTERPRETER_JUPYTER_URL, "CODE_EXECUTION_JUPYTER_URL", true },
    { CFG_CODE_INTERPRETER_JUPYTER_AUTH, "CODE_EXECUTION_JUPYTER_AUTH", true },
    { CFG_CODE_INTERPRETER_JUPYTER_AUTH_TOKEN, "CODE_EXECUTION_JUPYTER_AUTH_TOKEN", true },
    { CFG_CODE_INTERPRETER_JUPYTER_AUTH_PASSWORD, "CODE_EXECUTION_JUPYTER_AUTH_PASSWORD", true },
    { CFG_CODE_INTERPRETER_JUPYTER_TIMEOUT, "CODE_EXECUTION_JUPYTER_TIMEOUT", true },
    { CFG_IMAGES_GEMINI_API_BASE_URL, "GEMINI_API_BASE_URL", true },
    { CFG_IMAGES_GEMINI_API_KEY, "GEMINI_API_KEY", true },
    { CFG_WEBUI_SECRET_KEY, "WEBUI_JWT_SECRET_KEY", false },
    { CFG_AIOHTTP_CLIENT_TIMEOUT_MODEL_LIST, "AIOHTTP_CLIENT_TIMEOUT_OPENAI_MODEL_LIST", false },
    { CFG_BYPASS_ADMIN_ACCESS_CONTROL, "ENABLE_ADMIN_WORKSPACE_CONTENT_ACCESS", false },
    { CFG_WEBUI_AUTH_COOKIE_SAME_SITE, "WEBUI_SESSION_COOKIE_SAME_SITE", false },
    { CFG_WEBUI_AUTH_COOKIE_SECURE, "WEBUI_SESSION_COOKIE_SECURE", false },
    { CFG_WEBSOCKET_REDIS_URL, "REDIS_URL", false },
    { CFG_WEBSOCKET_REDIS_CLUSTER, "REDIS_CLUSTER", false },
    { CFG_ONEDRIVE_CLIENT_ID_PERSONAL, "ONEDRIVE_CLIENT_ID", false },
    { CFG_ONEDRIVE_CLIENT_ID_BUSINESS, "ONEDRIVE_CLIENT_ID", false },
    { CFG_WEBUI_FRONTEND_DIR, "FRONTEND_BUILD_DIR", false },
};

static const struct { /* what an unreadable value means, where that is not the default */
    enum setting_id id;
    const char *json;
} unreadable[] = {
    { CFG_AIOHTTP_CLIENT_TIMEOUT, "300" },
    { CFG_DATABASE_USER_ACTIVE_STATUS_UPDATE_INTERVAL, "0.0" },
};

static const char *from_environment(const char *name)
{
    return getenv(name);
}

struct str environ_get(const struct config *c, const char *name, enum setting_source *source)
{
    struct str text = str_of(getenv(name));

    *source = text.p ? FROM_ENVIRONMENT : FROM_DEFAULT;
    for (int i = 0; i < c->files_n && !text.p; i++) {
        text = dotenv_get(&c->files[i], str_of(name));
        *source = text.p ? FROM_DOTENV : FROM_DEFAULT;
    }
    return text;
}

static enum status read_dotenv(struct config *c, const char *path, struct error *err)
{
    struct str text;
    enum status st = file_read(c->mem, path, 1024 * 1024, &text, err);

    if (st == NOT_FOUND)
        return OK;
    if (st != OK)
        return error_add(err, st, "could not read %s", path);
    dotenv_parse(c->mem, text, from_environment, &c->files[c->files_n]);
    if (c->files[c->files_n].broken > 0)
        log_warning("%s: %zu lines could not be read and are left out", path, c->files[c->files_n].broken);
    c->files_n++;
    return OK;
}

static json_object *parse_default(struct config *c, enum setting_id id)
{
    return json_parse_or_null(c->mem, str_of(settings[id].def));
}

static json_object *parse_json(struct config *c, enum setting_id id, struct str text)
{
    json_type want = settings[id].type == SETTING_DICT ? json_type_object : json_type_array;
    json_object *v = json_parse_or_null(c->mem, text);

    if (json_is(v, want))
        return v;
    if (text.n > 0)
        log_warning("%s is not a JSON %s: the default is used", settings[id].env,
                    want == json_type_object ? "object" : "list");
    return parse_default(c, id);
}

static enum status parse_number(struct config *c, enum setting_id id, struct str text, json_object **out,
                                struct error *err)
{
    int64_t i;
    double d;
    bool is_int = settings[id].type == SETTING_INT;

    if (is_int && str_to_i64(str_trim(text), &i)) {
        *out = json_new_int(c->mem, i);
        return OK;
    }
    if (!is_int && str_to_double(str_trim(text), &d)) {
        *out = json_new_double(c->mem, d);
        return OK;
    }
    if (!(settings[id].flags & SETTING_LENIENT))
        return error_set(err, INVALID, "%s is not a number", settings[id].env);
    *out = parse_default(c, id);
    for (size_t k = 0; text.n > 0 && k < sizeof unreadable / sizeof unreadable[0]; k++)
        if (unreadable[k].id == id)
            *out = json_parse_or_null(c->mem, str_of(unreadable[k].json));
    return OK;
}

static enum status parse_text(struct config *c, enum setting_id id, struct str text, json_object **out,
                              struct error *err)
{
    const struct setting *s = &settings[id];

    *out = NULL;
    if (text.n == 0 && s->flags & SETTING_EMPTY_NULL)
        return OK;
    if (!str_utf8_valid(text))
        return error_set(err, INVALID, "%s is not valid UTF-8", s->env);
    if (s->flags & SETTING_JSON) {
        *out = parse_json(c, id, text);
        return OK;
    }
    switch (s->type) {
    case SETTING_BOOL: *out = json_new_bool(c->mem, str_ieq(text, "true")); return OK;
    case SETTING_INT:
    case SETTING_FLOAT: return parse_number(c, id, text, out, err);
    case SETTING_LIST: *out = value_split(c->mem, text, s->flags & SETTING_SEMICOLON ? ';' : ',', s->flags); return OK;
    case SETTING_STR:
    case SETTING_DICT:
    case SETTING_ANY: *out = json_new_str(c->mem, s->flags & SETTING_LOWER ? str_lower(c->mem, text) : text); return OK;
    }
    return OK;
}

/* The text of the variable that gives this setting, under its own name or another. */
static struct str find_variable(const struct config *c, enum setting_id id, enum setting_source *source)
{
    struct str text = STR_NONE;
    bool empty_is_unset = settings[id].flags & SETTING_EMPTY_UNSET;

    *source = FROM_DEFAULT;
    if (settings[id].flags & SETTING_IGNORED)
        return STR_NONE;
    if (!(settings[id].flags & SETTING_NO_ENV))
        text = environ_get(c, settings[id].env, source);
    for (size_t i = 0; i < sizeof other_names / sizeof other_names[0]; i++) {
        if (other_names[i].id != id || (text.p && !(empty_is_unset && text.n == 0)))
            continue;
        text = environ_get(c, other_names[i].name, source);
        if (other_names[i].is_default)
            *source = FROM_DEFAULT;
    }
    if (!text.p || (empty_is_unset && text.n == 0)) {
        *source = FROM_DEFAULT;
        return STR_NONE;
    }
    return text;
}

static enum status read_setting(struct config *c, enum setting_id id, struct error *err)
{
    struct base *b = &c->base[id];
    struct str text = find_variable(c, id, &b->source);
    json_object *def = parse_default(c, id);
    enum status st;

    b->value = def;
    if (!text.p)
        return OK;
    st = parse_text(c, id, str_copy(c->mem, text), &b->value, err);
    /* Container images set variables to nothing: those that change nothing must not fix a setting. */
    if (text.n == 0 && json_same(b->value, def))
        b->source = FROM_DEFAULT;
    return st;
}

enum status environ_read(struct config *c, struct error *err)
{
    enum status st;

    /* The working directory is the web server's choice: a file there that is none of ours to read stops nothing. */
    if (read_dotenv(c, ".env", err) != OK)
        log_warning("%s", err ? err->text : "could not read .env");
    st = places_data_dir(c, err);
    if (st == OK)
        st = read_dotenv(c, str_c(c->mem, str_f(c->mem, "%s/.env", c->data_dir)), err);
    for (int id = 0; id < CFG_COUNT && st == OK; id++)
        st = read_setting(c, id, err);
    if (st == OK)
        computed_base(c);
    return st;
}
