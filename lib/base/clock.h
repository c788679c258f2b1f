/* clock.h: what time it is, and how long something took. */
#ifndef LIB_BASE_CLOCK_H
#define LIB_BASE_CLOCK_H

#include <stdint.h>

#include "lib/base/str.h"

int64_t now_s(void); /* Unix time */
int64_t now_ms(void);
int64_t now_ns(void);  /* Unix time in nanoseconds, as Python's time.time_ns() */
int64_t mono_ms(void); /* monotonic: for timeouts and durations */
int64_t mono_us(void);
struct str time_iso(struct arena *mem, int64_t unix_s); /* 2026-11-24T05:47:35Z */

/* A duration as Open WebUI writes it: "4w", "30m", "1.5h", "10ms", units ms s m h d w, summed. -1 or 0: *forever is set.
 * false: not a duration. */
bool duration_parse(struct str text, int64_t *ms, bool *forever);

#endif
