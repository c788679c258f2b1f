/* prompt.c: the variables of prompt templates. */
#include "lib/llm/prompt.h"

#include <time.h>

#include "lib/base/clock.h"
#include "lib/llm/messages.h"

static struct str or_none(struct str s)
{
    return s.p ? s : S("None");
}

/* Whole years from "1990-05-17" to today; "None" without a birthday. */
static struct str age(struct arena *mem, const struct user *u, const struct tm *today)
{
    struct tm born = { 0 };

    if (!u->date_of_birth.n || !strptime(str_c(mem, u->date_of_birth), "%Y-%m-%d", &born))
        return S("None");
    return str_f(mem, "%d", today->tm_year - born.tm_year -
                 (today->tm_mon < born.tm_mon || (today->tm_mon == born.tm_mon && today->tm_mday < born.tm_mday)));
}

static struct str formatted(struct arena *mem, const struct tm *tm, const char *format)
{
    char text[64];

    return str_copy(mem, str_n(text, strftime(text, sizeof(text), format, tm)));
}

/* The value of a variable, by its name between the braces; false: not one of ours. */
static bool user_variable(struct arena *mem, struct str name, const struct user *u, struct str *value)
{
    time_t t = (time_t)now_s();
    struct tm now;

    localtime_r(&t, &now);
    if (str_is(name, "CURRENT_DATE"))
        *value = formatted(mem, &now, "%Y-%m-%d");
    else if (str_is(name, "CURRENT_TIME"))
        *value = formatted(mem, &now, "%I:%M:%S %p");
    else if (str_is(name, "CURRENT_DATETIME"))
        *value = formatted(mem, &now, "%Y-%m-%d %I:%M:%S %p");
    else if (str_is(name, "CURRENT_WEEKDAY"))
        *value = formatted(mem, &now, "%A");
    else if (str_is(name, "USER_NAME"))
        *value = u ? or_none(u->name) : S("Unknown");
    else if (str_is(name, "USER_BIO"))
        *value = u ? or_none(u->bio) : S("Unknown");
    else if (str_is(name, "USER_GENDER"))
        *value = u ? or_none(u->gender) : S("Unknown");
    else if (str_is(name, "USER_BIRTH_DATE"))
        *value = u ? or_none(u->date_of_birth) : S("Unknown");
    else if (str_is(name, "USER_AGE"))
        *value = u ? age(mem, u, &now) : S("Unknown");
    else if (str_is(name, "USER_LOCATION"))
        *value = u ? or_none(json_str(json_parse_or_null(mem, u->info), "location")) : S("Unknown");
    else
        return false;
    return true;
}

struct task_input {
    bool is_task;
    struct str prompt;
    json_object *messages;
};

/* "prompt:start:12" → kind "start", n 12. */
static bool with_number(struct str name, const char *prefix, bool any_case, struct str *kind, int64_t *n)
{
    size_t length = strlen(prefix), colon;
    struct str rest;

    if (name.n < length || !(any_case ? str_ieq(str_sub(name, 0, length), prefix) : str_starts(name, prefix)))
        return false;
    rest = str_from(name, length);
    colon = str_find_c(rest, ':');
    if (colon == STR_NPOS || !str_to_i64(str_from(rest, colon + 1), n) || *n < 0 || *n > INT32_MAX)
        return false;
    *kind = str_sub(rest, 0, colon);
    return true;
}

static struct str last_points(struct str s, size_t points)
{
    size_t all = str_utf8_length(s);

    return points == 0 || points >= all ? s : str_from(s, str_utf8_first(s, all - points).n);
}

static bool prompt_variable(struct arena *mem, struct str name, struct str prompt, struct str *value)
{
    struct str kind;
    int64_t n;

    if (str_ieq(name, "prompt")) {
        *value = prompt;
        return true;
    }
    if (!with_number(name, "prompt:", true, &kind, &n))
        return false;
    if (str_ieq(kind, "start"))
        *value = str_utf8_first(prompt, (size_t)n);
    else if (str_ieq(kind, "end"))
        *value = last_points(prompt, (size_t)n);
    else if (str_ieq(kind, "middletruncate"))
        *value = (int64_t)str_utf8_length(prompt) <= n ? prompt
               : str_f(mem, "%.*s...%.*s", STR(str_utf8_first(prompt, (size_t)(n + 1) / 2)), STR(last_points(prompt, (size_t)n / 2)));
    else
        return false;
    return true;
}

static bool messages_variable(struct arena *mem, struct str name, json_object *messages, struct str *value)
{
    size_t all = json_length(messages);
    struct str kind;
    int64_t n;

    if (str_is(name, "MESSAGES")) {
        *value = messages_transcript(mem, messages, 0, all);
        return true;
    }
    if (!with_number(name, "MESSAGES:", false, &kind, &n))
        return false;
    if (str_is(kind, "START")) {
        *value = messages_transcript(mem, messages, 0, (size_t)n);
    } else if (str_is(kind, "END")) {
        *value = messages_transcript(mem, messages, n == 0 || (size_t)n > all ? 0 : all - (size_t)n, all);
    } else if (str_is(kind, "MIDDLETRUNCATE")) {
        size_t half = (size_t)n / 2, tail = half + (n % 2 != 0);

        *value = all <= (size_t)n ? messages_transcript(mem, messages, 0, all)
               : str_f(mem, "%.*s\n%.*s", STR(messages_transcript(mem, messages, 0, half)),
                       STR(messages_transcript(mem, messages, all - tail, all)));
    } else {
        return false;
    }
    return true;
}

static struct str fill(struct arena *mem, struct str template, const struct user *u, const struct task_input *task)
{
    struct buf b = BUF(mem, STR_NPOS);

    while (template.n) {
        size_t open = str_find(template, S("{{")), close;
        struct str name, value;

        if (open == STR_NPOS)
            break;
        buf_add_str(&b, str_sub(template, 0, open));
        template = str_from(template, open);
        close = str_find(template, S("}}"));
        name = close == STR_NPOS ? S("") : str_sub(template, 2, close - 2);
        if (close != STR_NPOS && (user_variable(mem, name, u, &value) ||
                                  (task->is_task && (prompt_variable(mem, name, task->prompt, &value) ||
                                                     messages_variable(mem, name, task->messages, &value))))) {
            buf_add_str(&b, value);
            template = str_from(template, close + 2);
        } else {
            buf_add_c(&b, "{");
            template = str_from(template, 1);
        }
    }
    buf_add_str(&b, template);
    return buf_str(&b);
}

struct str prompt_fill(struct arena *mem, struct str template, const struct user *u, json_object *variables)
{
    const struct task_input none = { false, STR_NONE, NULL };

    if (json_is(variables, json_type_object)) {
        json_object_object_foreach(variables, name, value)
            if (json_is(value, json_type_string))
                template = str_replace(mem, template, str_of(name), json_str_value(value));
    }
    return fill(mem, template, u, &none);
}

struct str prompt_fill_task(struct arena *mem, struct str template, const struct user *u, struct str prompt, json_object *messages)
{
    const struct task_input task = { true, prompt, messages };

    return fill(mem, template, u, &task);
}
