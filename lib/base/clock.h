#ifndef XOS_BASE_CLOCK_H
#define XOS_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Wall time is int64_t seconds since 1970 UTC; durations are int64_t seconds. */

int64_t xos_clock_now(void);
int64_t xos_clock_mono_ms(void); /* monotonic milliseconds, for time-outs */

#define XOS_TIME_TEXT 32 /* enough for every text below */

/* RFC 3339 in UTC: "2026-11-22T18:10:09Z". Parsing takes exactly that form, years 1970-9999;
 * formatting clamps to them. */
void xos_time_format(int64_t t, char out[XOS_TIME_TEXT]);
bool xos_time_parse(const char *s, int64_t *t);
/* For people: "11h31m", "4m05s", "3d2h", "90d". Negative durations get a minus sign. */
void xos_duration_format(int64_t seconds, char out[XOS_TIME_TEXT]);
/* "90s", "15m", "12h", "7d", "2w"; a bare number is refused: its unit would be a guess. */
bool xos_duration_parse(const char *s, int64_t *seconds);

#endif
