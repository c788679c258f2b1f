/* nodes.c: what the sidecar needs to talk to other machines: where Redis is, and a place for what was revoked there. */
#include "handlers/routes.h"
#include "lib/store/revoked.h"

static void add_sentinels(json_object *out, struct arena *mem, struct str hosts, struct str port)
{
    json_object *list = json_set_array(out, "sentinels");
    struct str host;

    while (hosts.n && str_split(&hosts, ',', &host)) {
        host = str_trim(host);
        if (host.n)
            json_push_str(list, str_f(mem, "%.*s:%.*s", STR(host), STR(port)));
    }
}

/* {"url", "sentinels", "channel", "data_dir"}; {}: this machine is alone. WEBSOCKET_MANAGER=redis may name another Redis than the rest uses. */
static int get_settings(struct request *r, struct response *out)
{
    json_object *o = json_new_object(r->mem);
    struct str url = config_str(r->config, CFG_REDIS_URL), of_sockets = config_str(r->config, CFG_WEBSOCKET_REDIS_URL),
               prefix = config_str(r->config, CFG_REDIS_KEY_PREFIX);
    bool apart = str_is(config_str(r->config, CFG_WEBSOCKET_MANAGER), "redis") && of_sockets.n;

    if (apart)
        url = of_sockets;
    if (!url.n)
        return reply_json(out, o);
    json_set_str(o, "url", url);
    if (apart)
        add_sentinels(o, r->mem, config_str(r->config, CFG_WEBSOCKET_SENTINEL_HOSTS),
                      config_str(r->config, CFG_WEBSOCKET_SENTINEL_PORT));
    else
        add_sentinels(o, r->mem, config_str(r->config, CFG_REDIS_SENTINEL_HOSTS),
                      config_str(r->config, CFG_REDIS_SENTINEL_PORT));
    json_set_str(o, "channel", str_f(r->mem, "%.*s:webui-fcgi", STR(prefix)));
    json_set_c(o, "data_dir", config_data_dir(r->config));
    return reply_json(out, o);
}

static int add_revoked(struct request *r, struct response *out)
{
    struct error err = { "" };
    enum status st = revoked_merge(r->mem, config_data_dir(r->config), form_str(r, "lines"), &err);

    return st == OK ? reply_bool(out, true) : fail_status(out, st, &err);
}

static const struct field lines_form[] = { FIELD(STRING, "lines", REQUIRED), END };

const struct route nodes_routes[] = { { POST, "/internal/nodes", INTERNAL, get_settings, .body = BODY_JSON_ANY,
                                        .hidden = true, .about = "Where the sidecars of several machines meet" },
                                      { POST, "/internal/revoked", INTERNAL, add_revoked, .form = lines_form,
                                        .hidden = true, .about = "Tokens that another machine has revoked" },
                                      END };
