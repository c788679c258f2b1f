/* messages.c: messages of a request to a model. */
#include "lib/llm/messages.h"

struct str message_text(json_object *message)
{
    json_object *content = json_get(message, "content");

    if (json_is(content, json_type_string))
        return json_str_value(content);
    JSON_EACH (content, i, part)
        if (str_is(json_str(part, "type"), "text"))
            return json_str(part, "text");
    return STR_NONE;
}

json_object *messages_last_user(json_object *messages)
{
    for (size_t i = json_length(messages); i > 0; i--)
        if (str_is(json_str(json_at(messages, i - 1), "role"), "user"))
            return json_at(messages, i - 1);
    return NULL;
}

json_object *messages_system(json_object *messages)
{
    JSON_EACH (messages, i, m)
        if (str_is(json_str(m, "role"), "system"))
            return m;
    return NULL;
}

void messages_set_text(struct arena *mem, json_object *message, struct str text)
{
    json_object *content = json_get(message, "content");

    (void)mem;
    if (!json_is(content, json_type_array)) {
        json_set_str(message, "content", text);
        return;
    }
    JSON_EACH (content, i, part) {
        if (str_is(json_str(part, "type"), "text")) {
            json_set_str(part, "text", text);
            return;
        }
    }
}

static json_object *new_message(struct arena *mem, const char *role, struct str text)
{
    json_object *m = json_new_object(mem);

    json_set_c(m, "role", role);
    json_set_str(m, "content", text);
    return m;
}

static struct str lines(struct arena *mem, struct str first, struct str second)
{
    return str_cat(mem, str_cat(mem, first, S("\n")), second);
}

void messages_add_system(struct arena *mem, json_object *messages, struct str text)
{
    json_object *first = json_at(messages, 0);

    if (str_is(json_str(first, "role"), "system"))
        messages_set_text(mem, first, lines(mem, text, message_text(first)));
    else
        json_push_front(messages, new_message(mem, "system", text));
}

void messages_add_user(struct arena *mem, json_object *messages, struct str text, bool append)
{
    json_object *last = json_at(messages, json_length(messages) ? json_length(messages) - 1 : 0);
    struct str was = message_text(last);

    if (str_is(json_str(last, "role"), "user"))
        messages_set_text(mem, last, append ? lines(mem, was, text) : lines(mem, text, was));
    else
        json_push(messages, new_message(mem, "user", text));
}

void messages_append_system(struct arena *mem, json_object *messages, struct str text)
{
    json_object *first = json_at(messages, 0);

    if (str_is(json_str(first, "role"), "system"))
        messages_set_text(mem, first, lines(mem, message_text(first), text));
    else
        json_push_front(messages, new_message(mem, "system", text));
}

struct str messages_transcript(struct arena *mem, json_object *messages, size_t first, size_t end)
{
    struct buf b = BUF(mem, STR_NPOS);

    for (size_t i = first; i < end && i < json_length(messages); i++) {
        json_object *m = json_at(messages, i);
        struct str role = json_str(m, "role"), text = message_text(m);

        if (b.n)
            buf_add_char(&b, '\n');
        for (size_t k = 0; k < role.n; k++)
            buf_add_char(&b, (char)(role.p[k] >= 'a' && role.p[k] <= 'z' ? role.p[k] - 'a' + 'A' : role.p[k]));
        buf_add_c(&b, ": ");
        buf_add_str(&b, text.p ? text : S("None"));
    }
    return buf_str(&b);
}
