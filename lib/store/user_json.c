/* user_json.c: JSON text of users, written straight from their rows. */
#include "lib/store/user_json.h"

#include "lib/json/json.h"
#include "lib/store/row_json.h"

void user_json_name(struct buf *b, const struct user *u)
{
    member_text(b, "{\"id\":", u->id);
    member_text(b, ",\"name\":", u->name);
    buf_add_char(b, '}');
}

void user_json_info(struct buf *b, const struct user *u)
{
    member_text(b, "{\"id\":", u->id);
    member_text(b, ",\"name\":", u->name);
    member_text(b, ",\"email\":", u->email);
    member_text(b, ",\"role\":", u->role);
    buf_add_char(b, '}');
}

void user_json_public(struct buf *b, const struct user *u)
{
    member_text(b, "{\"id\":", u->id);
    member_text(b, ",\"email\":", u->email);
    member_text(b, ",\"name\":", u->name);
    member_text(b, ",\"role\":", u->role);
    member_text(b, ",\"profile_image_url\":", u->profile_image_url);
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
    member_text(b, "{\"id\":", u->id);
    member_text(b, ",\"name\":", u->name);
    member_text(b, ",\"email\":", u->email);
    member_text(b, ",\"username\":", u->username);
    member_text(b, ",\"role\":", u->role);
    member_text(b, ",\"profile_image_url\":", u->profile_image_url);
    member_text(b, ",\"bio\":", u->bio);
    member_text(b, ",\"gender\":", u->gender);
    member_text(b, ",\"date_of_birth\":", u->date_of_birth);
    member_json(b, ",\"info\":", u->info);
    member_json(b, ",\"settings\":", user_json_settings(b->mem, u));
    member_text(b, ",\"api_key\":", u->api_key);
    member_text(b, ",\"oauth_sub\":", u->oauth_sub);
    buf_addf(b, ",\"last_active_at\":%lld,\"updated_at\":%lld,\"created_at\":%lld}", (long long)u->last_active_at,
             (long long)u->updated_at, (long long)u->created_at);
}
