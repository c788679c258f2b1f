/* webhook.c: one short POST. */
#include "lib/net/webhook.h"

#include "lib/net/http.h"

enum { CONNECT_MS = 1500, TOTAL_MS = 3000, DISCORD_MAX = 2000, MAX_ANSWER = 64 * 1024 };

#define FAVICON "https://openwebui.com/favicon.png"

static json_object *teams_card(struct arena *mem, const struct webhook_event *e)
{
    json_object *card = json_new_object(mem), *section = json_new_object(mem), *facts;

    json_set_c(card, "@type", "MessageCard");
    json_set_c(card, "@context", "http://schema.org/extensions");
    json_set_c(card, "themeColor", "0076D7");
    json_set_str(card, "summary", e->message);
    json_push(json_set_array(card, "sections"), section);
    json_set_str(section, "activityTitle", e->message);
    json_set_str(section, "activitySubtitle", str_f(mem, "%.*s (%s) - %s", STR(e->name), e->version, e->action));
    json_set_c(section, "activityImage", FAVICON);
    facts = json_set_array(section, "facts");
    if (json_is(e->facts, json_type_object)) {
        json_object_object_foreach(e->facts, key, value)
        {
            json_object *fact = json_new_object(mem);

            json_set_c(fact, "name", key);
            json_set(fact, "value", value);
            json_push(facts, fact);
        }
    }
    return card;
}

json_object *webhook_body(struct arena *mem, struct str url, const struct webhook_event *e)
{
    json_object *body;

    if (str_has(url, "webhook.office.com"))
        return teams_card(mem, e);
    if (!str_has(url, "https://hooks.slack.com") && !str_has(url, "https://chat.googleapis.com") &&
        !str_has(url, "https://discord.com/api/webhooks"))
        return e->data;
    body = json_new_object(mem);
    if (!str_has(url, "https://discord.com/api/webhooks"))
        json_set_str(body, "text", e->message);
    else if (str_utf8_length(e->message) < DISCORD_MAX)
        json_set_str(body, "content", e->message);
    else
        json_set_str(body, "content", str_cat(mem, str_utf8_first(e->message, DISCORD_MAX - 20), S("... (truncated)")));
    return body;
}

enum status webhook_post(struct arena *mem, struct str url, const struct webhook_event *e, struct error *err)
{
    const struct http_header json = { S("Content-Type"), S("application/json") };
    struct http_call call = { .method = "POST",
                              .url = url,
                              .headers = &json,
                              .headers_n = 1,
                              .body = json_text(mem, webhook_body(mem, url, e)),
                              .connect_timeout_ms = CONNECT_MS,
                              .timeout_ms = TOTAL_MS,
                              .max_bytes = MAX_ANSWER };

    http_run(mem, &call, 1);
    if (call.result != OK && call.result != TOO_BIG)
        return error_set(err, call.result, "the webhook could not be called: %s", call.err.text);
    return call.status < 400 ? OK : error_set(err, FAILED, "the webhook answered %d", call.status);
}
