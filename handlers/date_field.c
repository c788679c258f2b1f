/* date_field.c: dates of forms: "1990-02-28", or a date and time at midnight; with pydantic's complaints. */
#include "handlers/date_field.h"

#include <ctype.h>

static bool digits(struct str s, size_t at, size_t n, int *out)
{
    *out = 0;
    for (size_t i = at; i < at + n; i++) {
        if (i >= s.n || !isdigit((unsigned char)s.p[i]))
            return false;
        *out = *out * 10 + (s.p[i] - '0');
    }
    return true;
}

static int days_in(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : days[month - 1];
}

/* NULL: the first ten bytes are a date. */
static const char *date_part(struct str s)
{
    int year, month, day;

    if (s.n < 10)
        return "input is too short";
    if (!digits(s, 0, 4, &year))
        return "invalid character in year";
    if (s.p[4] != '-' || s.p[7] != '-')
        return "invalid date separator, expected `-`";
    if (!digits(s, 5, 2, &month))
        return "invalid character in month";
    if (!digits(s, 8, 2, &day))
        return "invalid character in day";
    if (month < 1 || month > 12)
        return "month value is outside expected range of 1-12";
    return day < 1 || day > days_in(year, month) ? "day value is outside expected range" : NULL;
}

/* What follows a date: "T10:00", "T10:00:00.5Z" … NULL: well formed; *zero tells whether it is midnight. */
static const char *time_part(struct str s, bool *zero)
{
    int hour, minute, second = 0;
    size_t at = 5;

    if (!strchr("Tt _", s.p[0]))
        return "invalid datetime separator, expected `T`, `t`, `_` or space";
    s = str_from(s, 1);
    if (s.n < 5)
        return "input is too short";
    if (!digits(s, 0, 2, &hour))
        return "invalid character in hour";
    if (s.p[2] != ':')
        return "invalid time separator, expected `:`";
    if (!digits(s, 3, 2, &minute))
        return "invalid character in minute";
    if (hour > 23)
        return "hour value is outside expected range of 0-23";
    if (minute > 59)
        return "minute value is outside expected range of 0-59";
    if (s.n > at && s.p[at] == ':') {
        if (!digits(s, at + 1, 2, &second))
            return "invalid character in second";
        if (second > 59)
            return "second value is outside expected range of 0-59";
        at += 3;
    }
    *zero = hour == 0 && minute == 0 && second == 0;
    if (s.n > at && (s.p[at] == '.' || s.p[at] == ',')) {
        size_t start = ++at;

        for (; at < s.n && isdigit((unsigned char)s.p[at]); at++)
            *zero = *zero && s.p[at] == '0';
        if (at == start)
            return "second fraction is missing";
    }
    if (at < s.n && (s.p[at] == 'Z' || s.p[at] == 'z'))
        at++;
    return at < s.n ? "unexpected extra characters at the end of the input" : NULL;
}

static int complain(struct request *r, struct response *out, const char *name, json_object *input, const char *type,
                    const char *msg, const char *error)
{
    json_object *list = json_new_array(r->mem), *o = json_new_object(r->mem), *loc;

    json_set_c(o, "type", type);
    loc = json_set_array(o, "loc");
    json_push_str(loc, S("body"));
    json_push_str(loc, str_of(name));
    json_set_c(o, "msg", msg);
    json_set(o, "input", input);
    if (error)
        json_set_c(json_set_object(o, "ctx"), "error", error);
    json_push(list, o);
    return fail_json(out, 422, list);
}

int date_field(struct request *r, struct response *out, const char *name, struct str *date)
{
    json_object *v = form_json(r, name);
    struct str s = json_str_value(v);
    bool zero = true;
    const char *error;

    *date = STR_NONE;
    if (!v)
        return 0;
    if (!json_is(v, json_type_string))
        return complain(r, out, name, v, "date_type", "Input should be a valid date", NULL);
    error = date_part(s);
    if (!error && s.n > 10)
        error = time_part(str_from(s, 10), &zero);
    if (error)
        return complain(r, out, name, v, "date_from_datetime_parsing",
                        str_f(r->mem, "Input should be a valid date or datetime, %s", error).p, error);
    if (!zero)
        return complain(r, out, name, v, "date_from_datetime_inexact",
                        "Datetimes provided to dates should have zero time - e.g. be exact dates", NULL);
    *date = str_copy(r->mem, str_sub(s, 0, 10));
    return 0;
}
