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
    return str_f(mem, "%d",
                 today->tm_year - born.tm_year -
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

enum { NAME_BYTES = 256, GROWTH_BYTES = 16 << 20 }; /* of a variable's name; of what all variables together bring in */

struct input {
    const struct user *user;
    json_object *variables; /* {"{{NAME}}": value}; NULL: none */
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
        *value = (int64_t)str_utf8_length(prompt) <= n
                     ? prompt
                     : str_cat(mem, str_cat(mem, str_utf8_first(prompt, (size_t)(n + 1) / 2), S("...")),
                               last_points(prompt, (size_t)n / 2));
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
                                  : str_cat(mem, str_cat(mem, messages_transcript(mem, messages, 0, half), S("\n")),
                                            messages_transcript(mem, messages, tail ? all - tail : 0, all));
    } else {
        return false;
    }
    return true;
}

static bool given_variable(struct arena *mem, struct str whole, json_object *variables, struct str *value)
{
    json_object *v = variables ? json_get(variables, str_c(mem, whole)) : NULL;

    *value = json_str_value(v);
    return json_is(v, json_type_string);
}

/* whole: "{{NAME}}". */
static bool variable(struct arena *mem, struct str whole, const struct input *in, struct str *value)
{
    struct str name = str_sub(whole, 2, whole.n - 4);

    return given_variable(mem, whole, in->variables, value) || user_variable(mem, name, in->user, value) ||
           (in->is_task &&
            (prompt_variable(mem, name, in->prompt, value) || messages_variable(mem, name, in->messages, value)));
}

/* Of the "{{NAME}}" at the beginning; 0: it is none. */
static size_t variable_bytes(struct str s)
{
    if (!str_starts(s, "{{"))
        return 0;
    for (size_t i = 2; i + 1 < s.n && i < NAME_BYTES && s.p[i] != '{'; i++)
        if (s.p[i] == '}')
            return s.p[i + 1] == '}' ? i + 2 : 0;
    return 0;
}

/* The template as it is when it would grow beyond all use. */
static struct str fill(struct arena *mem, struct str template, const struct input *in)
{
    struct buf b = BUF(mem, template.n + GROWTH_BYTES);
    struct str rest = template, value;

    while (rest.n) {
        size_t open = str_find_c(rest, '{'), n;

        if (open == STR_NPOS)
            break;
        buf_add_str(&b, str_sub(rest, 0, open));
        rest = str_from(rest, open);
        n = variable_bytes(rest);
        if (n && variable(mem, str_sub(rest, 0, n), in, &value)) {
            buf_add_str(&b, value);
            rest = str_from(rest, n);
        } else {
            buf_add_c(&b, "{");
            rest = str_from(rest, 1);
        }
    }
    buf_add_str(&b, rest);
    return buf_failed(&b) ? template : buf_str(&b);
}

struct str prompt_fill(struct arena *mem, struct str template, const struct user *u, json_object *variables)
{
    const struct input in = { .user = u, .variables = json_is(variables, json_type_object) ? variables : NULL };

    return fill(mem, template, &in);
}

struct str prompt_fill_task(struct arena *mem, struct str template, const struct user *u, struct str prompt,
                            json_object *messages)
{
    const struct input in = { .user = u, .is_task = true, .prompt = prompt, .messages = messages };

    return fill(mem, template, &in);
}
