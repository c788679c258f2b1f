/* sessions.c: who a socket belongs to, for the sidecar. */
#include "handlers/routes.h"
#include "handlers/texts.h"
#include "lib/auth/auth.h"
#include "lib/base/log.h"
#include "lib/store/channels.h"

/* The channels that the user may read: his sockets hear of them. */
static void add_rooms(struct request *r, json_object *rooms, const struct user *u)
{
    struct channel *channels;
    size_t n;

    if (channel_list(r->db, r->mem, &channels, &n) == DB_ERROR) {
        log_error("could not read the channels: %s", db_error(r->db));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (str_eq(channels[i].user_id, u->id) || auth_access(r->mem, r->db, u->id, "read", channels[i].access_control))
            json_push_str(rooms, str_cat(r->mem, S("channel:"), channels[i].id));
    }
}

/* {"user": {…}, "rooms": […], "expires_at": Unix time or null}. API keys open no sockets, and who waits for approval has none. */
static int get_session(struct request *r, struct response *out)
{
    struct str token = form_str(r, "token");
    json_object *o = json_new_object(r->mem), *user;
    struct error err = { "" };
    const struct user *u;
    bool by_api_key;
    int64_t expires_s;
    enum status st;

    if (str_starts(token, "sk-"))
        return fail(out, 401, UNAUTHORIZED_TEXT);
    st = auth_identify(r->mem, r->db, r->config, token, &u, &by_api_key, &err);
    if (st == UNAVAILABLE)
        return fail_status(out, st, &err);
    if (st != OK)
        return fail(out, 401, "%s", err.text);
    if (!u->is_admin && !str_is(u->role, "user"))
        return fail(out, 401, PROHIBITED_TEXT);
    user = json_set_object(o, "user");
    json_set_str(user, "id", u->id);
    json_set_str(user, "name", u->name);
    json_set_str(user, "email", u->email);
    json_set_str(user, "role", u->role);
    json_set_str(user, "profile_image_url", u->profile_image_url);
    add_rooms(r, json_set_array(o, "rooms"), u);
    expires_s = auth_token_expires(r->mem, r->config, token);
    if (expires_s)
        json_set_int(o, "expires_at", expires_s);
    else
        json_set_null(o, "expires_at");
    return reply_json(out, o);
}

static const struct field session_form[] = { FIELD(STRING, "token", REQUIRED), END };

const struct route sessions_routes[] = { { POST, "/internal/session", INTERNAL, get_session, .form = session_form,
                                           .hidden = true, .about = "Who a socket's token belongs to" },
                                         END };
