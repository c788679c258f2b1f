/* user_json.c: JSON text of users, written straight from their rows. */
#include "lib/store/user_json.h"

#include "lib/json/json.h"

/* "name": text or null; the comma comes first unless it opens the object. */
static void member(struct buf *b, const char *opening, struct str value)
{
    buf_add_c(b, opening);
    if (value.p)
        buf_add_json_string(b, value);
    else
        buf_add_c(b, "null");
}

static void add_raw(struct buf *b, const char *opening, struct str json)
{
    buf_add_c(b, opening);
    buf_add_str(b, json.n ? json : S("null"));
}

void user_json_name(struct buf *b, const struct user *u)
{
    member(b, "{\"id\":", u->id);
    member(b, ",\"name\":", u->name);
    buf_add_char(b, '}');
}

void user_json_info(struct buf *b, const struct user *u)
{
    member(b, "{\"id\":", u->id);
    member(b, ",\"name\":", u->name);
    member(b, ",\"email\":", u->email);
    member(b, ",\"role\":", u->role);
    buf_add_char(b, '}');
}

void user_json_public(struct buf *b, const struct user *u)
{
    member(b, "{\"id\":", u->id);
    member(b, ",\"email\":", u->email);
    member(b, ",\"name\":", u->name);
    member(b, ",\"role\":", u->role);
    member(b, ",\"profile_image_url\":", u->profile_image_url);
    buf_add_char(b, '}');
}

struct str user_json_settings(struct arena *mem, const struct user *u)
{
    struct str value, text = u->settings;

    if (!text.n || json_scan_member(text, "ui", &value) != NOT_FOUND)
        return text;
    text = str_trim(text);
    /* {} or {"memory": true}: the member goes in front. */
    text = str_trim(str_from(text, 1));
    return str_f(mem, "{\"ui\":{}%s%.*s", text.n && text.p[0] == '}' ? "" : ",", STR(text));
}

void user_json_full(struct buf *b, const struct user *u)
{
    member(b, "{\"id\":", u->id);
    member(b, ",\"name\":", u->name);
    member(b, ",\"email\":", u->email);
    member(b, ",\"username\":", u->username);
    member(b, ",\"role\":", u->role);
    member(b, ",\"profile_image_url\":", u->profile_image_url);
    member(b, ",\"bio\":", u->bio);
    member(b, ",\"gender\":", u->gender);
    member(b, ",\"date_of_birth\":", u->date_of_birth);
    add_raw(b, ",\"info\":", u->info);
    add_raw(b, ",\"settings\":", user_json_settings(b->mem, u));
    member(b, ",\"api_key\":", u->api_key);
    member(b, ",\"oauth_sub\":", u->oauth_sub);
    buf_addf(b, ",\"last_active_at\":%lld,\"updated_at\":%lld,\"created_at\":%lld}", (long long)u->last_active_at,
             (long long)u->updated_at, (long long)u->created_at);
}
