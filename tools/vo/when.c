/* Moments as people write them. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "vo/verbs.h"

enum xos_status vo_when(const char *text, int64_t *at, bool *never, struct xos_err *err)
{
	char whole[XOS_TIME_TEXT];
	int64_t seconds = 0;
	*never = strcmp(text, "never") == 0;
	if (*never || xos_time_parse(text, at))
		return XOS_OK;
	snprintf(whole, sizeof(whole), "%.10sT00:00:00Z", text);
	if (strlen(text) == 10 && xos_time_parse(whole, at))
		return XOS_OK;
	if (xos_duration_parse(text, &seconds) && seconds > 0) {
		*at = xos_clock_now() + seconds;
		return XOS_OK;
	}
	return xos_cli_usage(err,
	    "'%s' is no date: write 2027-01-31, 2027-01-31T18:00:00Z, a duration such as 90d, or "
	    "never",
	    text);
}

enum xos_status vo_set_when(
    struct xos_json *args, const char *key, const char *text, struct xos_err *err)
{
	bool never = false;
	int64_t at = 0;
	enum xos_status st = vo_when(text, &at, &never, err);
	if (!st && !never)
		xos_json_set_time(args, key, at);
	return st;
}
