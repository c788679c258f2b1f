/* result.c: what a tool has answered, as a chat takes it. */
#include "lib/tools/result.h"

#include "lib/chat/blocks.h"

enum { TEXT_BYTES = 64 * 1024 * 1024, ERROR_BYTES = 4096 };

/* As Python's json.dumps(v, indent=2, ensure_ascii=False). */
static void add_indented(struct buf *b, json_object *v, unsigned depth)
{
    bool is_object = json_is(v, json_type_object), first = true;

    if (!(is_object && json_object_object_length(v)) && json_length(v) == 0) {
        buf_add_python_json(b, v, false);
        return;
    }
    buf_add_char(b, is_object ? '{' : '[');
    if (is_object) {
        json_object_object_foreach(v, key, item)
        {
            buf_addf(b, "%s\n%*s", first ? "" : ",", (int)(2 * (depth + 1)), "");
            buf_add_json_string(b, str_of(key));
            buf_add_c(b, ": ");
            add_indented(b, item, depth + 1);
            first = false;
        }
    }
    JSON_EACH (v, i, item) {
        buf_addf(b, "%s\n%*s", i ? "," : "", (int)(2 * (depth + 1)), "");
        add_indented(b, item, depth + 1);
    }
    buf_addf(b, "\n%*s%c", (int)(2 * depth), "", is_object ? '}' : ']');
}

static struct str header(json_object *headers, const char *name)
{
    if (json_is(headers, json_type_object)) {
        json_object_object_foreach(headers, key, value) if (str_ieq(str_of(key), name)) return json_str_value(value);
    }
    return STR_NONE;
}

static json_object *shown(struct arena *mem, struct str tool_name)
{
    json_object *o = json_new_object(mem);

    json_set_c(o, "status", "success");
    json_set_c(o, "code", "ui_component");
    json_set_str(o, "message",
                 str_f(mem, "%.*s: Embedded UI result is active and visible to the user.", STR(tool_name)));
    return o;
}

/* A page that is to be shown goes to the user; the model hears that it is. */
static json_object *take_page(struct arena *mem, struct str tool_name, json_object *value, json_object *headers,
                              struct tool_result *out)
{
    struct str location = header(headers, "location");
    bool is_html = str_has(header(headers, "content-type"), "text/html") && json_is(value, json_type_string);

    if (!str_has(header(headers, "content-disposition"), "inline") || !(is_html || location.n))
        return value;
    out->embeds = json_new_array(mem);
    json_push(out->embeds, is_html ? value : json_new_str(mem, location));
    return shown(mem, tool_name);
}

/* Strings of a list that are data: URLs become files. */
static json_object *take_files(struct arena *mem, json_object *list, struct tool_result *out)
{
    json_object *rest = json_new_array(mem), *o = json_new_object(mem);

    JSON_EACH (list, i, item) {
        if (str_starts(json_str_value(item), "data:")) {
            json_object *file = json_new_object(mem);

            json_set_c(file, "type", "data");
            json_set(file, "content", item);
            if (!out->files)
                out->files = json_new_array(mem);
            json_push(out->files, file);
        } else {
            json_push(rest, item);
        }
    }
    json_set(o, "results", rest);
    return o;
}

struct tool_result tool_result_of(struct arena *mem, struct str tool_name, json_object *value, json_object *headers)
{
    struct tool_result out = { S(""), NULL, NULL };
    struct buf b = BUF(mem, TEXT_BYTES);

    value = take_page(mem, tool_name, value, headers, &out);
    if (json_is(value, json_type_array))
        value = take_files(mem, value, &out);
    if (json_is(value, json_type_string)) {
        out.text = json_str_value(value);
    } else if (json_is(value, json_type_object)) {
        add_indented(&b, value, 0);
        out.text = buf_str(&b);
    } else if (json_truthy(value)) {
        out.text = json_text(mem, value);
    }
    return out;
}

json_object *tool_result_error(struct arena *mem, struct str text)
{
    json_object *o = json_new_object(mem);

    json_set_str(o, "error", text);
    return o;
}

json_object *tool_result_body(struct arena *mem, int status, struct str content_type, struct str body)
{
    json_object *v = NULL;

    if (status >= 400)
        return tool_result_error(mem,
                                 str_f(mem, "HTTP error %d: %.*s", status, STR(str_utf8_first(body, ERROR_BYTES))));
    if (str_has(content_type, "json") && json_parse(mem, body, &v, NULL) == OK)
        return v;
    return json_new_str(mem, body);
}

/* A picture or sound as a data: URL: types that a browser shows, nothing else. */
static void take_media(struct arena *mem, json_object *item, json_object *files)
{
    static const char *const types[] = { "image/png",  "image/jpeg", "image/gif",  "image/webp", "audio/wav",
                                         "audio/mpeg", "audio/ogg",  "audio/webm", "audio/mp4" };
    struct str type = json_str(item, "mimeType"),
               data = json_str(item, "data").n ? json_str(item, "data") : json_str(item, "blob");

    for (size_t i = 0; data.n && i < sizeof(types) / sizeof(types[0]); i++) {
        json_object *file;

        if (!str_ieq(type, types[i]))
            continue;
        file = json_new_object(mem);
        json_set_str(file, "type", json_str(item, "type"));
        json_set_str(file, "content", str_f(mem, "data:%s;base64,%.*s", types[i], STR(data)));
        json_push(files, file);
        return;
    }
}

json_object *tool_result_mcp(struct arena *mem, json_object *content, json_object *files)
{
    json_object *texts = json_new_array(mem);

    JSON_EACH (content, i, item) {
        struct str type = json_str(item, "type"), text = json_str(item, "text");
        json_object *v = NULL;

        if (str_is(type, "text"))
            json_push(texts, json_parse(mem, text, &v, NULL) == OK && v ? v : json_new_str(mem, text));
        else if (str_is(type, "image") || str_is(type, "audio"))
            take_media(mem, item, files);
        else if (str_is(type, "resource") && json_str(json_get(item, "resource"), "text").n)
            json_push(texts, json_get(json_get(item, "resource"), "text"));
        else if (str_is(type, "resource_link"))
            json_push(texts, json_get(item, "uri"));
    }
    return json_length(texts) == 1 ? json_at(texts, 0) : texts;
}
