/* clock.c: Unix time, monotonic time, durations. */
#include "lib/base/clock.h"

#include <math.h>
#include <time.h>

static int64_t read_ns(clockid_t which)
{
    struct timespec ts;

    clock_gettime(which, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t now_s(void)
{
    return read_ns(CLOCK_REALTIME) / 1000000000;
}

int64_t now_ms(void)
{
    return read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t now_ns(void)
{
    return read_ns(CLOCK_REALTIME);
}

int64_t mono_ms(void)
{
    return read_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t mono_us(void)
{
    return read_ns(CLOCK_MONOTONIC) / 1000;
}

struct str time_iso(struct arena *mem, int64_t unix_s)
{
    char text[40];
    time_t t = (time_t)unix_s;
    struct tm tm;

    if (!gmtime_r(&t, &tm))
        return S("");
    return str_copy(mem, str_n(text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm)));
}

static double unit_ms(struct str *s)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {
        { "ms", 1 }, { "s", 1e3 }, { "m", 60e3 }, { "h", 3600e3 }, { "d", 86400e3 }, { "w", 604800e3 },
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (str_starts(*s, units[i].name)) {
            *s = str_from(*s, strlen(units[i].name));
            return units[i].ms;
        }
    }
    return 0;
}

bool duration_parse(struct str text, int64_t *ms, bool *forever)
{
    double total = 0;

    *forever = str_is(text, "-1") || str_is(text, "0");
    *ms = 0;
    if (*forever)
        return true;
    if (text.n == 0)
        return false;
    while (text.n) {
        size_t digits = 0;
        double v, unit;

        while (digits < text.n && ((text.p[digits] >= '0' && text.p[digits] <= '9') || text.p[digits] == '.' ||
                                   (digits == 0 && text.p[0] == '-')))
            digits++;
        if (!str_to_double(str_sub(text, 0, digits), &v))
            return false;
        text = str_from(text, digits);
        unit = unit_ms(&text);
        if (unit == 0)
            return false;
        total += v * unit;
    }
    if (!(fabs(total) < 1e15))
        return false;
    *ms = (int64_t)total;
    return true;
}
