/* log.c: one write(2) a line, so that lines of several processes do not mix. */
#include "lib/base/log.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *program = "webui";
static enum log_level least = LOG_INFO;
static char request_id[41];

void log_init(const char *program_name, struct str level_name)
{
    program = program_name;
    least = str_ieq(level_name, "DEBUG")                                    ? LOG_DEBUG
            : str_ieq(level_name, "WARNING") || str_ieq(level_name, "WARN") ? LOG_WARNING
            : str_ieq(level_name, "ERROR") || str_ieq(level_name, "CRITICAL") || str_ieq(level_name, "FATAL")
                ? LOG_ERROR
                : LOG_INFO;
}

void log_request_id(struct str id)
{
    size_t n = id.n < sizeof(request_id) - 1 ? id.n : sizeof(request_id) - 1;

    if (n)
        memcpy(request_id, id.p, n);
    request_id[n] = '\0';
}

bool log_wants(enum log_level level)
{
    return level >= least;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = { "debug", "info", "warning", "error" };
    char text[2048], line[4096];
    struct timespec ts;
    struct tm tm;
    va_list args;
    size_t n;

    if (level < least)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    clock_gettime(CLOCK_REALTIME, &ts);
    gmtime_r(&ts.tv_sec, &tm);
    n = strftime(line, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    n += (size_t)snprintf(line + n, 300, ".%03ldZ %s %s[%d]%s%s: ", ts.tv_nsec / 1000000, names[level], program,
                          (int)getpid(), request_id[0] ? " " : "", request_id);
    for (const char *p = text; *p && n < sizeof(line) - 6; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            n += (size_t)snprintf(line + n, 5, "\\x%02x", (unsigned char)*p);
        else
            line[n++] = *p;
    }
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, n) < 0)
        return;
}
