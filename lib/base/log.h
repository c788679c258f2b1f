/* log.h: one line an event on stderr: time, level, program, request id, text. Secrets are never passed in. */
#ifndef LIB_BASE_LOG_H
#define LIB_BASE_LOG_H

#include "lib/base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

void log_init(
    const char *program,
    struct str level_name);         /* level as GLOBAL_LOG_LEVEL: DEBUG, INFO, WARNING, ERROR, CRITICAL; default INFO */
void log_request_id(struct str id); /* copied (≤ 40 bytes); absent: none. Stands in every line until changed */
bool log_wants(enum log_level level);
void log_line(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3))); /* control characters become \xNN */

#define log_debug(...) (log_wants(LOG_DEBUG) ? log_line(LOG_DEBUG, __VA_ARGS__) : (void)0)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

#endif
