/* root.c: what lies beside the areas of the API: settings for everybody, version, health, manifest, webhook, usage, files. */
#include "handlers/root.h"

#include "handlers/routes.h"
#include "handlers/settings_form.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/net/control.h"
#include "lib/net/http.h"
#include "lib/store/users.h"

enum { UPDATE_CHECK_MS = 1000, UPDATE_KEPT_MS = 60 * 1000, MANIFEST_MS = 5000, SMALL_ANSWER = 1024 * 1024 };

#define LATEST_RELEASE "https://api.github.com/repos/open-webui/open-webui/releases/latest"

/* ---- health */

static int health(struct request *r, struct response *out)
{
    (void)r;
    return reply_json_text(out, S("{\"status\":true}"));
}

static int health_of_database(struct request *r, struct response *out)
{
    bool any;

    return user_any(r->db, r->mem, &any) == DB_ERROR ? fail_db(out, r->db) : health(r, out);
}

/* ---- version */

static int version(struct request *r, struct response *out)
{
    (void)r;
    return reply_json_text(out, S("{\"version\":\"" ROOT_VERSION "\"}"));
}

/* The newest release's name without its "v"; absent: nobody knows. Kept for a minute, so that page loads cannot hold the process up. */
static struct str latest_release(struct request *r)
{
    static char kept[64];
    static int64_t asked_ms = -UPDATE_KEPT_MS;
    static const struct http_header headers[] = { { { "Accept", 6 }, { "application/json", 16 } },
                                                  { { "User-Agent", 10 }, { "webui-fcgi", 10 } } };
    struct http_call call = { .url = S(LATEST_RELEASE),
                              .headers = headers,
                              .headers_n = 2,
                              .connect_timeout_ms = UPDATE_CHECK_MS,
                              .timeout_ms = UPDATE_CHECK_MS,
                              .max_bytes = SMALL_ANSWER,
                              .insecure = !config_bool(r->config, CFG_AIOHTTP_CLIENT_SESSION_SSL) };
    struct str tag;

    if (mono_ms() - asked_ms < UPDATE_KEPT_MS)
        return str_of(kept[0] ? kept : NULL);
    http_run(r->mem, &call, 1);
    asked_ms = mono_ms();
    tag = call.result == OK && call.status == 200 ? json_str(json_parse_or_null(r->mem, call.response), "tag_name")
                                                  : STR_NONE;
    if (tag.n < 2 || tag.n > sizeof kept) {
        log_debug("no answer about the newest release: %s", call.err.text);
        kept[0] = '\0';
        return STR_NONE;
    }
    memcpy(kept, tag.p + 1, tag.n); /* its NUL too */
    return str_of(kept);
}

static int version_updates(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem);
    struct str latest = config_bool(r->config, CFG_ENABLE_VERSION_UPDATE_CHECK) ? latest_release(r) : STR_NONE;

    json_set_c(o, "current", ROOT_VERSION);
    json_set_str(o, "latest", latest.n ? latest : S(ROOT_VERSION));
    return reply_json(out, o);
}

/* ---- manifest and search description */

static int manifest_from_elsewhere(struct request *r, struct response *out, struct str url)
{
    struct http_call call = {
        .url = url, .connect_timeout_ms = MANIFEST_MS, .timeout_ms = MANIFEST_MS, .max_bytes = SMALL_ANSWER
    };
    json_object *manifest;

    http_run(r->mem, &call, 1);
    if (call.result != OK || json_parse(r->mem, call.response, &manifest, &call.err) != OK) {
        log_warning("EXTERNAL_PWA_MANIFEST_URL gives no manifest: %s", call.err.text);
        return fail(out, 502, "Bad Gateway");
    }
    return reply_json(out, manifest);
}

static void add_icon(json_object *icons, struct arena *mem, const char *purpose)
{
    json_object *icon = json_new_object(mem);

    json_set_c(icon, "src", "/static/logo.png");
    json_set_c(icon, "type", "image/png");
    json_set_c(icon, "sizes", "500x500");
    json_set_c(icon, "purpose", purpose);
    json_push(icons, icon);
}

static int manifest(struct request *r, struct response *out)
{
    struct str elsewhere = config_str(r->config, CFG_EXTERNAL_PWA_MANIFEST_URL),
               name = config_str(r->config, CFG_WEBUI_NAME);
    json_object *o = json_new_object(r->mem), *icons;

    if (elsewhere.n)
        return manifest_from_elsewhere(r, out, elsewhere);
    json_set_str(o, "name", name);
    json_set_str(o, "short_name", name);
    json_set_str(o, "description",
                 str_f(r->mem,
                       "%.*s is an open, extensible, user-friendly interface for AI that adapts to your workflow.",
                       STR(name)));
    json_set_c(o, "start_url", "/");
    json_set_c(o, "display", "standalone");
    json_set_c(o, "background_color", "#343541");
    icons = json_set_array(o, "icons");
    add_icon(icons, r->mem, "any");
    add_icon(icons, r->mem, "maskable");
    return reply_json(out, o);
}

static struct str escaped(struct arena *mem, struct str s)
{
    struct buf b = BUF(mem, 64 * 1024);

    buf_add_html(&b, s);
    return buf_failed(&b) ? S("") : buf_str(&b);
}

static int opensearch(struct request *r, struct response *out)
{
    struct str name = escaped(r->mem, config_str(r->config, CFG_WEBUI_NAME)),
               url = escaped(r->mem, config_str(r->config, CFG_WEBUI_URL));

    return reply_text(
        out, 200, "application/xml",
        str_f(r->mem,
              "\n"
              "    <OpenSearchDescription xmlns=\"http://a9.com/-/spec/opensearch/1.1/\" "
              "xmlns:moz=\"http://www.mozilla.org/2006/browser/search/\">\n"
              "    <ShortName>%.*s</ShortName>\n"
              "    <Description>Search %.*s</Description>\n"
              "    <InputEncoding>UTF-8</InputEncoding>\n"
              "    <Image width=\"16\" height=\"16\" type=\"image/x-icon\">%.*s/static/favicon.png</Image>\n"
              "    <Url type=\"text/html\" method=\"get\" template=\"%.*s/?q={searchTerms}\"/>\n"
              "    <moz:SearchForm>%.*s</moz:SearchForm>\n"
              "    </OpenSearchDescription>\n"
              "    ",
              STR(name), STR(name), STR(url), STR(url), STR(url)));
}

/* ---- webhook */

static const struct form_setting webhook[] = { { "url", CFG_WEBHOOK_URL }, { NULL, 0 } };
static const struct field webhook_form[] = { FIELD(STRING, "url", REQUIRED), END };

static int show_webhook(struct request *r, struct response *out)
{
    return form_settings_show(r, out, webhook);
}

static int save_webhook(struct request *r, struct response *out)
{
    return form_settings_save(r, out, webhook);
}

/* ---- usage */

static void set_list(json_object *o, const char *name, struct arena *mem, json_object *list)
{
    json_set(o, name, json_is(list, json_type_array) ? list : json_new_array(mem));
}

/* Without a sidecar nobody has a tab open. */
static int usage(struct request *r, struct response *out)
{
    json_object *sessions = NULL, *o = json_new_object(r->mem);
    enum status st = control_sessions(r->mem, config_run_dir(r->config), STR_NONE, &sessions);

    if (st != OK && st != UNAVAILABLE) {
        log_error("the sidecar's answer about its sessions cannot be read");
        return fail(out, 500, "Internal Server Error");
    }
    set_list(o, "model_ids", r->mem, json_get(sessions, "models"));
    set_list(o, "user_ids", r->mem, json_get(sessions, "users"));
    return reply_json(out, o);
}

const struct route root_routes[] = {
    { GET, "/health", PUBLIC, health, .about = "Whether the server answers" },
    { GET, "/health/db", PUBLIC, health_of_database, .about = "Whether the database answers" },
    { GET, "/api/config", PUBLIC, app_config, .about = "What a browser has to know first" },
    { GET, "/api/version", PUBLIC, version, .about = "The version" },
    { GET, "/api/version/updates", VERIFIED, version_updates, .about = "The version and the newest one" },
    { GET, "/api/changelog", PUBLIC, app_changelog, .about = "What changed in the last versions of the frontend" },
    { GET, "/api/webhook", ADMIN, show_webhook, .about = "Where new accounts are told of" },
    { POST, "/api/webhook", ADMIN, save_webhook, .form = webhook_form,
      .about = "Changes where new accounts are told of" },
    { GET, "/api/usage", VERIFIED, usage, .about = "Users and models that are in use" },
    { GET, "/manifest.json", PUBLIC, manifest, .about = "The web app's manifest" },
    { GET, "/opensearch.xml", PUBLIC, opensearch, .type = "application/xml", .about = "The search description" },
    { GET, "/static/{path:path}", PUBLIC, serve_static, .hidden = true, .about = "A file of the frontend" },
    { HEAD, "/static/{path:path}", PUBLIC, serve_static, .hidden = true, .about = "A file of the frontend" },
    { GET, "/cache/{path:path}", VERIFIED, serve_cache, .type = "*/*", .about = "A file that was made here" },
    END
};
