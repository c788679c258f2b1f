/* outcome.c: the outcome of a call that was read whole. */
#include "lib/chat/outcome.h"

#include "lib/base/clock.h"
#include "lib/chat/ollama_convert.h"
#include "lib/llm/messages.h"

json_object *outcome_answer(struct arena *mem, json_object *outcome, bool is_ollama)
{
    json_object *body = json_has(outcome, "answer") ? json_get(outcome, "answer") /* of a direct connection */
                                                    : json_parse_or_null(mem, json_str(outcome, "body"));

    if (json_is(body, json_type_array) && json_length(body) == 1)
        body = json_at(body, 0);
    if (is_ollama && json_has(body, "message"))
        body = ollama_convert_answer(mem, body, now_s());
    return body;
}

struct str outcome_text(json_object *answer)
{
    return message_text(json_get(json_at(json_get(answer, "choices"), 0), "message"));
}

bool outcome_failed(json_object *outcome)
{
    return str_is(json_str(outcome, "status"), "failed");
}

json_object *outcome_error(struct arena *mem, json_object *outcome, json_object *answer, bool is_ollama)
{
    json_object *error = json_get(answer, "error"),
                *detail = json_is(error, json_type_object) ? json_get(error, "detail") : NULL;
    struct str text = json_str(outcome, "body");
    int64_t status = json_int(outcome, "upstream_status", 0);

    if (detail)
        return detail;
    if (error && is_ollama)
        return json_new_str(mem, str_f(mem, "%lld: %.*s", (long long)status,
                                       STR(json_is(error, json_type_string) ? json_str_value(error)
                                                                            : json_text(mem, error))));
    if (error)
        return json_is(error, json_type_object) || json_is(error, json_type_string)
                   ? error
                   : json_new_str(mem, json_text(mem, error));
    if (json_get(answer, "detail"))
        return json_get(answer, "detail");
    if (json_get(outcome, "error"))
        return json_get(outcome, "error");
    if (text.n)
        return json_new_str(mem, str_f(mem, "%lld: %.*s", (long long)status, STR(str_utf8_first(text, 500))));
    if (status)
        return json_new_str(mem, str_f(mem, "%lld: the model provider gave no answer", (long long)status));
    return json_new_str(mem, S("The provider gave no answer"));
}
