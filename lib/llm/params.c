/* params.c: parameters of models and chats in requests to providers. */
#include "lib/llm/params.h"

#include "lib/llm/messages.h"

static const char *const own[] = { "stream_response", "stream_delta_chunk_size", "function_calling", "reasoning_tags",
                                   "system" };

static json_object *as_json(struct arena *mem, json_object *v)
{
    json_object *parsed = NULL;

    if (!json_is(v, json_type_string) || json_parse(mem, json_str_value(v), &parsed, NULL) != OK)
        return v;
    return parsed;
}

/* Objects are merged, everything else is replaced. */
static void deep_merge(json_object *into, json_object *from)
{
    json_object_object_foreach(from, key, value)
    {
        json_object *was = json_get(into, key);

        if (json_is(value, json_type_object) && json_is(was, json_type_object))
            deep_merge(was, value);
        else
            json_set(into, key, value);
    }
}

json_object *params_plain(struct arena *mem, json_object *params)
{
    json_object *plain = json_is(params, json_type_object) ? json_clone(mem, params) : json_new_object(mem), *custom;

    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        json_del(plain, own[i]);
    custom = json_clone(mem, json_get(plain, "custom_params"));
    json_del(plain, "custom_params");
    if (json_is(custom, json_type_object)) {
        json_object *read = json_new_object(mem);

        json_object_object_foreach(custom, key, value) json_set(read, key, as_json(mem, value));
        deep_merge(plain, read);
    }
    return plain;
}

/* "5:100, 7:-20" → {"5": 100, "7": -20}, kept within ±100. NULL: not of that form. */
static json_object *logit_bias(struct arena *mem, struct str text)
{
    json_object *o = json_new_object(mem);
    struct str pair;

    while (str_split(&text, ',', &pair)) {
        size_t colon = str_find_c(pair, ':');
        int64_t bias;

        if (colon == STR_NPOS || !str_to_i64(str_trim(str_from(pair, colon + 1)), &bias))
            return NULL;
        json_set_int(o, str_c(mem, str_trim(str_sub(pair, 0, colon))), bias > 100 ? 100 : bias < -100 ? -100 : bias);
    }
    return o;
}

static void read_logit_bias(struct arena *mem, json_object *body)
{
    json_object *v = json_get(body, "logit_bias"),
                *read = json_is(v, json_type_string) ? logit_bias(mem, json_str_value(v)) : NULL;

    if (read)
        json_set(body, "logit_bias", read);
}

void params_of_chat(struct arena *mem, json_object *form, json_object *plain, bool for_ollama)
{
    if (for_ollama) {
        json_set(form, "options", plain);
        return;
    }
    json_object_object_foreach(plain, key, value) if (value) json_set(form, key, value);
    read_logit_bias(mem, form);
}

/* ---- casts */

enum cast { AS_IS, TO_FLOAT, TO_INT, TO_TEXT, TO_BOOL, STOP_LIST };

struct mapping {
    const char *name;
    enum cast cast;
};

static void add_code_point(struct buf *b, unsigned c)
{
    if (c >= 0x800) {
        buf_add_char(b, (char)(0xe0 | c >> 12));
        buf_add_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_add_char(b, (char)(0x80 | (c & 0x3f)));
    } else if (c >= 0x80) {
        buf_add_char(b, (char)(0xc0 | c >> 6));
        buf_add_char(b, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_add_char(b, (char)c);
    }
}

/* The digits of \xNN and \uNNNN; false: they are none. */
static bool code_point(struct str digits, size_t n, unsigned *out)
{
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        char c = i < digits.n ? digits.p[i] : 'x', *at;
        static const char hex[] = "0123456789abcdef";

        at = memchr(hex, c >= 'A' && c <= 'F' ? c + 32 : c, 16);
        if (!at)
            return false;
        *out = *out * 16 + (unsigned)(at - hex);
    }
    return *out < 0xd800 || *out > 0xdfff;
}

/* Python's "unicode_escape" for the escapes that people type into a stop sequence; what is none stays. */
static struct str unescaped(struct arena *mem, struct str s)
{
    static const char names[] = "abfnrtv\\'\"", values[] = "\a\b\f\n\r\t\v\\'\"";
    struct buf b = BUF(mem, STR_NPOS);

    for (size_t i = 0; i < s.n; i++) {
        char next = s.p[i] == '\\' && i + 1 < s.n ? s.p[i + 1] : '\0';
        const char *name = next ? memchr(names, next, sizeof(names) - 1) : NULL;
        size_t digits = next == 'x' ? 2 : next == 'u' ? 4 : 0;
        unsigned c;

        if (name) {
            buf_add_char(&b, values[name - names]);
            i++;
        } else if (digits && code_point(str_from(s, i + 2), digits, &c)) {
            add_code_point(&b, c);
            i += 1 + digits;
        } else {
            buf_add_char(&b, s.p[i]);
        }
    }
    return buf_str(&b);
}

static json_object *cast_value(struct arena *mem, enum cast cast, json_object *v)
{
    json_object *list;
    double d;

    switch (cast) {
    case TO_FLOAT:
    case TO_INT:
        if (json_is(v, json_type_string) ? !str_to_double(str_trim(json_str_value(v)), &d)
                                         : (d = json_object_get_double(v), false))
            return v;
        return cast == TO_FLOAT ? json_new_double(mem, d) : json_new_int(mem, (int64_t)d);
    case TO_TEXT: return json_is(v, json_type_string) ? v : json_new_str(mem, json_text(mem, v));
    case TO_BOOL: return json_new_bool(mem, json_truthy(v));
    case STOP_LIST:
        list = json_new_array(mem);
        JSON_EACH (v, i, item)
            json_push_str(list, unescaped(mem, json_str_value(item)));
        return json_is(v, json_type_array) ? list : v;
    default: return v;
    }
}

static void apply(struct arena *mem, json_object *body, json_object *params, const struct mapping *mappings)
{
    json_object_object_foreach(params, key, value)
    {
        const struct mapping *m = mappings;

        if (!value)
            continue;
        while (m->name && strcmp(m->name, key))
            m++;
        json_set(body, key, m->name ? cast_value(mem, m->cast, value) : value);
    }
}

void params_of_model_openai(struct arena *mem, json_object *body, json_object *plain)
{
    static const struct mapping mappings[] = { { "temperature", TO_FLOAT },
                                               { "top_p", TO_FLOAT },
                                               { "min_p", TO_FLOAT },
                                               { "max_tokens", TO_INT },
                                               { "frequency_penalty", TO_FLOAT },
                                               { "presence_penalty", TO_FLOAT },
                                               { "reasoning_effort", TO_TEXT },
                                               { "stop", STOP_LIST },
                                               { NULL, AS_IS } };

    apply(mem, body, plain, mappings);
}

static void move(json_object *from, json_object *to, const char *name, json_object *v)
{
    json_set(to, name, v);
    json_del(from, name);
}

/* format, keep_alive and think stand beside "options", not in it. */
static void lift_root_options(struct arena *mem, json_object *options, json_object *body)
{
    if (json_get(options, "format"))
        move(options, body, "format", as_json(mem, json_get(options, "format")));
    if (json_get(options, "keep_alive"))
        move(options, body, "keep_alive", as_json(mem, json_get(options, "keep_alive")));
    if (json_get(options, "think"))
        move(options, body, "think", cast_value(mem, TO_BOOL, json_get(options, "think")));
}

void params_of_model_ollama(struct arena *mem, json_object *body, json_object *plain)
{
    static const struct mapping mappings[] = { { "temperature", TO_FLOAT },
                                               { "top_p", TO_FLOAT },
                                               { "mirostat", TO_INT },
                                               { "mirostat_eta", TO_FLOAT },
                                               { "mirostat_tau", TO_FLOAT },
                                               { "num_ctx", TO_INT },
                                               { "num_batch", TO_INT },
                                               { "num_keep", TO_INT },
                                               { "num_predict", TO_INT },
                                               { "repeat_last_n", TO_INT },
                                               { "top_k", TO_INT },
                                               { "min_p", TO_FLOAT },
                                               { "repeat_penalty", TO_FLOAT },
                                               { "presence_penalty", TO_FLOAT },
                                               { "frequency_penalty", TO_FLOAT },
                                               { "stop", STOP_LIST },
                                               { "num_gpu", TO_INT },
                                               { "use_mmap", TO_BOOL },
                                               { "use_mlock", TO_BOOL },
                                               { "num_thread", TO_INT },
                                               { NULL, AS_IS } };
    json_object *options = json_get(body, "options");

    if (json_get(plain, "max_tokens")) {
        json_set(plain, "num_predict", json_get(plain, "max_tokens"));
        json_del(plain, "max_tokens");
    }
    lift_root_options(mem, plain, body);
    if (!json_is(options, json_type_object))
        options = json_set_object(body, "options");
    apply(mem, options, plain, mappings);
}

/* ---- OpenAI itself */

static bool is_reasoning_model(struct str model)
{
    static const char *const families[] = { "o1", "o3", "o4", "gpt-5" };

    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (str_ieq(str_sub(model, 0, strlen(families[i])), families[i]))
            return true;
    return false;
}

static void for_reasoning_model(json_object *body, struct str model)
{
    json_object *first = json_at(json_get(body, "messages"), 0);
    bool legacy = str_ieq(str_sub(model, 0, 7), "o1-mini") || str_ieq(str_sub(model, 0, 10), "o1-preview");

    if (json_has(body, "max_tokens")) {
        json_set(body, "max_completion_tokens", json_get(body, "max_tokens"));
        json_del(body, "max_tokens");
    }
    if (str_is(json_str(first, "role"), "system"))
        json_set_c(first, "role", legacy ? "user" : "developer");
}

void params_finish_openai(struct arena *mem, json_object *body, bool is_openai_itself)
{
    struct str model = json_str(body, "model");

    if (is_reasoning_model(model)) {
        for_reasoning_model(body, model);
    } else if (!is_openai_itself && json_has(body, "max_completion_tokens")) {
        json_set(body, "max_tokens", json_get(body, "max_completion_tokens"));
        json_del(body, "max_completion_tokens");
    }
    if (json_has(body, "max_tokens") && json_has(body, "max_completion_tokens"))
        json_del(body, "max_tokens");
    read_logit_bias(mem, body);
}

/* ---- Azure */

json_object *params_for_azure(struct arena *mem, json_object *body, struct str api_version)
{
    static const char *const known[] = { "messages",
                                         "temperature",
                                         "role",
                                         "content",
                                         "contentPart",
                                         "contentPartImage",
                                         "enhancements",
                                         "dataSources",
                                         "n",
                                         "stream",
                                         "stop",
                                         "max_tokens",
                                         "presence_penalty",
                                         "frequency_penalty",
                                         "logit_bias",
                                         "user",
                                         "function_call",
                                         "functions",
                                         "tools",
                                         "tool_choice",
                                         "top_p",
                                         "log_probs",
                                         "top_logprobs",
                                         "response_format",
                                         "seed",
                                         "max_completion_tokens" };
    json_object *out = json_new_object(mem);
    bool reasoning = is_reasoning_model(json_str(body, "model"));

    if (reasoning && json_has(body, "max_tokens")) {
        json_set(body, "max_completion_tokens", json_get(body, "max_tokens"));
        json_del(body, "max_tokens");
    }
    json_object_object_foreach(body, key, value)
    {
        bool keep = strcmp(key, "stream_options") == 0 && str_cmp(api_version, S("2024-09-01-preview")) >= 0;

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && !keep; i++)
            keep = strcmp(key, known[i]) == 0;
        if (reasoning && strcmp(key, "temperature") == 0 && json_object_get_double(value) != 1)
            keep = false; /* these models take no other */
        if (keep)
            json_set(out, key, value);
    }
    return out;
}

/* ---- OpenAI → Ollama */

static json_object *ollama_tool_calls(struct arena *mem, json_object *calls)
{
    json_object *list = json_new_array(mem);

    JSON_EACH (calls, i, call) {
        json_object *c = json_new_object(mem), *f, *arguments = json_path(call, "function.arguments");

        json_set_int(c, "index", json_int(call, "index", 0));
        json_set(c, "id", json_get(call, "id"));
        f = json_set_object(c, "function");
        json_set_str(f, "name",
                     json_str(json_get(call, "function"), "name").p ? json_str(json_get(call, "function"), "name")
                                                                    : S(""));
        json_set(f, "arguments", as_json(mem, arguments));
        json_push(list, c);
    }
    return list;
}

static json_object *ollama_message(struct arena *mem, json_object *m)
{
    json_object *out = json_new_object(mem), *content = json_get(m, "content"), *calls = json_get(m, "tool_calls"),
                *images;
    struct buf text = BUF(mem, STR_NPOS);

    json_set(out, "role", json_get(m, "role"));
    if (json_length(calls)) {
        json_set(out, "tool_calls", ollama_tool_calls(mem, calls));
        json_set_c(out, "content", "");
        return out;
    }
    if (json_is(content, json_type_string)) {
        json_set(out, "content", content);
        if (json_get(m, "tool_call_id"))
            json_set(out, "tool_call_id", json_get(m, "tool_call_id"));
        return out;
    }
    images = json_new_array(mem);
    JSON_EACH (content, i, part) {
        struct str url = json_str(json_get(part, "image_url"), "url");

        if (str_is(json_str(part, "type"), "text"))
            buf_add_str(&text, json_str(part, "text"));
        else if (str_is(json_str(part, "type"), "image_url") && url.n)
            json_push_str(images, str_starts(url, "data:") && str_rfind_c(url, ',') != STR_NPOS
                                      ? str_from(url, str_rfind_c(url, ',') + 1)
                                      : url);
    }
    if (text.n)
        json_set_str(out, "content", str_trim(buf_str(&text)));
    if (json_length(images))
        json_set(out, "images", images);
    return out;
}

json_object *params_openai_to_ollama(struct arena *mem, json_object *form)
{
    json_object *out = json_new_object(mem), *messages = json_set_array(out, "messages"),
                *options = json_get(form, "options"), *format;

    json_set(out, "model", json_get(form, "model"));
    JSON_EACH (json_get(form, "messages"), i, m)
        json_push(messages, ollama_message(mem, m));
    json_set_bool(out, "stream", json_flag(form, "stream", false));
    if (json_has(form, "tools"))
        json_set(out, "tools", json_get(form, "tools"));
    if (json_truthy(options)) {
        lift_root_options(mem, options, out);
        if (json_has(options, "max_tokens")) {
            json_set(options, "num_predict", json_get(options, "max_tokens"));
            json_del(options, "max_tokens");
        }
        if (json_has(options, "system"))
            move(options, out, "system", json_get(options, "system"));
        json_set(out, "options", options);
    }
    if (json_has(form, "stop")) {
        if (!json_is(json_get(out, "options"), json_type_object))
            json_set_object(out, "options");
        json_set(json_get(out, "options"), "stop", json_get(form, "stop"));
    }
    format = json_get(form, "response_format");
    if (json_get(format, "type")) {
        json_object *schema = json_get(format, str_c(mem, json_str(format, "type")));

        if (json_truthy(schema))
            json_set(out, "format", json_get(schema, "schema"));
    }
    return out;
}
