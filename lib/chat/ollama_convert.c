/* ollama_convert.c: Ollama's chat answers as OpenAI's. */
#include "lib/chat/ollama_convert.h"

#include <math.h>

#include "lib/base/random.h"
#include "lib/chat/blocks.h"

static json_object *number_or_0(json_object *data, const char *key)
{
    json_object *v = json_get(data, key);

    return json_is(v, json_type_int) || json_is(v, json_type_double) ? v : NULL;
}

static void copy_number(json_object *to, const char *as, json_object *data, const char *key)
{
    json_object *v = number_or_0(data, key);

    if (v)
        json_set(to, as, v);
    else
        json_set_int(to, as, 0);
}

/* Tokens a second, as the Python backend rounds it. */
static void set_rate(json_object *usage, const char *key, json_object *data, const char *count, const char *duration)
{
    double n = json_double(data, count, 0), ns = json_double(data, duration, 0);

    if (ns > 0)
        json_set_double(usage, key, nearbyint(n / (ns / 10000000.0) * 100.0 * 100.0) / 100.0);
    else
        json_set_c(usage, key, "N/A");
}

json_object *ollama_convert_usage(struct arena *mem, json_object *data)
{
    json_object *u = json_new_object(mem), *details;
    int64_t s = (int64_t)(json_double(data, "total_duration", 0) / 1e9);
    int64_t in = (int64_t)json_double(data, "prompt_eval_count", 0), out = (int64_t)json_double(data, "eval_count", 0);

    set_rate(u, "response_token/s", data, "eval_count", "eval_duration");
    set_rate(u, "prompt_token/s", data, "prompt_eval_count", "prompt_eval_duration");
    copy_number(u, "total_duration", data, "total_duration");
    copy_number(u, "load_duration", data, "load_duration");
    copy_number(u, "prompt_eval_count", data, "prompt_eval_count");
    json_set_int(u, "prompt_tokens", in);
    copy_number(u, "prompt_eval_duration", data, "prompt_eval_duration");
    copy_number(u, "eval_count", data, "eval_count");
    json_set_int(u, "completion_tokens", out);
    copy_number(u, "eval_duration", data, "eval_duration");
    json_set_str(u, "approximate_total",
                 str_f(mem, "%lldh%lldm%llds", (long long)(s / 3600), (long long)(s % 3600 / 60), (long long)(s % 60)));
    json_set_int(u, "total_tokens", in + out);
    details = json_set_object(u, "completion_tokens_details");
    json_set_int(details, "reasoning_tokens", 0);
    json_set_int(details, "accepted_prediction_tokens", 0);
    json_set_int(details, "rejected_prediction_tokens", 0);
    return u;
}

static json_object *convert_calls(struct arena *mem, json_object *calls)
{
    json_object *out = json_new_array(mem);

    JSON_EACH (calls, i, call) {
        json_object *function = json_get(call, "function"), *o = json_new_object(mem), *f,
                    *arguments = json_get(function, "arguments");
        struct str id = json_str(call, "id");
        struct buf text = BUF(mem, 16 * 1024 * 1024);

        json_set_int(o, "index", json_int(call, "index", json_int(function, "index", 0)));
        json_set_str(o, "id", id.n ? id : str_cat(mem, S("call_"), random_uuid(mem)));
        json_set_c(o, "type", "function");
        f = json_set_object(o, "function");
        json_set_str(f, "name", json_str(function, "name").p ? json_str(function, "name") : S(""));
        if (arguments)
            buf_add_python_json(&text, arguments, true);
        else
            buf_add_c(&text, "{}");
        json_set_str(f, "arguments", buf_str(&text));
        json_push(out, o);
    }
    return out;
}

static json_object *head(struct arena *mem, json_object *data, int64_t now_s, const char *object, json_object **choice)
{
    json_object *o = json_new_object(mem), *choices;
    struct str model = json_str(data, "model").p ? json_str(data, "model") : S("ollama");

    json_set_str(o, "id", str_f(mem, "%.*s-%.*s", STR(model), STR(random_uuid(mem))));
    json_set_int(o, "created", now_s);
    json_set_str(o, "model", model);
    choices = json_set_array(o, "choices");
    *choice = json_new_object(mem);
    json_push(choices, *choice);
    json_set_int(*choice, "index", 0);
    json_set_null(*choice, "logprobs");
    json_set_null(*choice, "finish_reason");
    json_set_c(o, "object", object);
    return o;
}

/* The arrived text is set only if there is any, as the Python backend does. */
static json_object *convert_chunk(struct arena *mem, json_object *data, int64_t now_s, bool done)
{
    json_object *choice, *o = head(mem, data, now_s, "chat.completion.chunk", &choice),
                         *delta = json_set_object(choice, "delta");
    json_object *message = json_get(data, "message"), *calls = json_get(message, "tool_calls");
    struct str content = json_str(message, "content"), thinking = json_str(message, "thinking");

    if (content.n)
        json_set_str(delta, "content", content);
    if (thinking.n)
        json_set_str(delta, "reasoning_content", thinking);
    if (json_length(calls))
        json_set(delta, "tool_calls", convert_calls(mem, calls));
    if (!content.n && !thinking.n && !json_length(calls))
        json_set_c(choice, "finish_reason", "stop");
    if (done)
        json_set(o, "usage", ollama_convert_usage(mem, data));
    return o;
}

enum status ollama_convert_line(struct str line, int64_t now_s, struct buf *out, bool *done)
{
    struct arena *mem = arena_new(2048);
    json_object *data = NULL, *error;
    enum status st = json_parse(mem, line, &data, NULL);

    if (st != OK || !json_is(data, json_type_object)) {
        st = INVALID;
        goto end;
    }
    error = json_get(data, "error");
    if (error) {
        json_object *o = json_new_object(mem);

        json_set(o, "error", error);
        json_add_to_buf(out, o);
        *done = false;
        goto end;
    }
    *done = json_flag(data, "done", false);
    json_add_to_buf(out, convert_chunk(mem, data, now_s, *done));
end:
    arena_free(mem);
    return st;
}

json_object *ollama_convert_answer(struct arena *mem, json_object *answer, int64_t now_s)
{
    json_object *choice, *o = head(mem, answer, now_s, "chat.completion", &choice),
                         *message = json_get(answer, "message"), *m;
    struct str content = json_str(message, "content");

    m = json_set_object(choice, "message");
    json_set_c(m, "role", "assistant");
    json_set_str(m, "content", content.p ? content : S(""));
    if (json_str(message, "thinking").n)
        json_set_str(m, "reasoning_content", json_str(message, "thinking"));
    if (json_length(json_get(message, "tool_calls")))
        json_set(m, "tool_calls", convert_calls(mem, json_get(message, "tool_calls")));
    json_set_c(choice, "finish_reason", "stop");
    json_set(o, "usage", ollama_convert_usage(mem, answer));
    return o;
}
