#include "job/standing.h"

#include "base/clock.h"
#include "cli/cli.h"

const char *job_standing_state(const struct xos_job_info *i)
{
	if (i->frozen_since)
		return "frozen";
	if (i->stops_at)
		return "stopping";
	return i->draining ? "draining" : xos_job_state_name(i->state);
}

void job_standing_show(const struct xos_job_info *i)
{
	char when[XOS_TIME_TEXT], left[XOS_TIME_TEXT];
	int64_t now = xos_clock_now();

	if (i->frozen_since) {
		xos_time_format(i->frozen_since, when);
		xos_cli_print_pair(
		    "standing", "frozen since %s; it goes on where it stands once that ends", when);
	} else if (i->draining) {
		xos_cli_print_pair(
		    "standing", "refused by now: it may end by itself, and nothing like it begins");
	} else if (i->standing_text[0] && !i->stops_at) {
		xos_cli_print_pair("standing", "refused by now, and let go on");
	}
	if (i->stops_at) {
		xos_time_format(i->stops_at, when);
		xos_duration_format(i->stops_at > now ? i->stops_at - now : 0, left);
		xos_cli_print_pair("stops", "%s (in %s), unless it is permitted again", when, left);
	}
	if (i->standing_text[0])
		xos_cli_print_pair("because", "%s", i->standing_text);
}
