/* The key process's log after a write that failed: opened anew once the disk has room again. */
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "ca/key/key.h"
#include "service/report.h"

#define FIRST_WAIT_MS 500
#define LONGEST_WAIT_MS 30000 /* opening reads the whole log */
#define STEP 60               /* seconds that a clock may be corrected by without a word */

void ca_key_log_failed(struct ca_key *k, const struct xos_err *why)
{
	struct ca_key_watch *w = &k->watch;

	/* Every request says it again until the log is open. */
	if (w->log_failed)
		return;
	w->log_failed = true;
	w->failed = *why;
	w->wait_ms = FIRST_WAIT_MS;
	w->retry_ms = xos_clock_mono_ms() + w->wait_ms;
}

enum xos_status ca_key_log_ready(const struct ca_key *k, struct xos_err *err)
{
	if (k->log)
		return XOS_OK;
	return xos_err_set(err, XOS_UNAVAILABLE, k->watch.failed.code,
	    "nothing is issued while the log cannot be written: %s", k->watch.failed.text);
}

/* What was staged when the write failed is not in it, and was answered with the failure. Such a token stays among
 * the unexpired ones until it would have ended: nobody has it. */
static enum xos_status reopen(struct ca_key *k, struct xos_err *err)
{
	enum xos_status st;

	xos_log_close(k->log);
	k->log = NULL;
	st = ca_key_open_log(k, k->watch.log_path, err);
	if (st == XOS_OK)
		st = ca_key_catch_up(k, err);
	if (st != XOS_OK) {
		xos_log_close(k->log);
		k->log = NULL;
	}
	return st;
}

static void heal(struct ca_key *k)
{
	struct ca_key_watch *w = &k->watch;
	struct xos_err why = XOS_ERR_INIT;

	if (xos_clock_mono_ms() < w->retry_ms || xos_disk_room(w->log_path, NULL) != XOS_OK)
		return;
	if (reopen(k, &why) == XOS_OK) {
		w->log_failed = false;
		XOS_EVENT(XOS_INFO, "log.reopened", "path", w->log_path);
		return;
	}
	xos_event_err(XOS_ERROR, "log.still-broken", &why, (const char *)NULL);
	w->failed = why;
	w->wait_ms = w->wait_ms < LONGEST_WAIT_MS ? 2 * w->wait_ms : LONGEST_WAIT_MS;
	w->retry_ms = xos_clock_mono_ms() + w->wait_ms;
}

void ca_key_log_written(struct ca_key *k)
{
	struct xos_log_head head;

	if (xos_log_head_get(k->log, &head, NULL, NULL) != XOS_OK ||
	    head.sequence == k->watch.sequence)
		return;
	k->watch.sequence = head.sequence;
	k->watch.commits++;
}

/* Wall time against a clock that nobody sets. */
static void watch_clock(struct ca_key_watch *w)
{
	int64_t now = xos_clock_now(), offset = now - xos_clock_mono_ms() / 1000;
	int64_t by = offset - w->offset;
	char text[XOS_TIME_TEXT];

	if (w->offset && (by > STEP || by < -STEP)) {
		xos_duration_format(by, text);
		XOS_EVENT(XOS_WARN, "clock.stepped", "by", text);
	}
	w->offset = offset;
	if (now > w->newest)
		w->newest = now;
}

void ca_key_tick(void *key)
{
	struct ca_key *k = key;

	watch_clock(&k->watch);
	if (k->watch.log_failed)
		heal(k);
}

void ca_key_report_clock(const struct ca_key *k, struct xos_report *r)
{
	int64_t behind = k->watch.newest - xos_clock_now();
	struct xos_err why = XOS_ERR_INIT;
	char text[XOS_TIME_TEXT];

	if (behind <= STEP)
		return;
	xos_duration_format(behind, text);
	xos_err_set(&why, XOS_NOT_YET_VALID, "clock-back",
	    "the clock is %s behind what it was: set it right, or what is issued and recorded now "
	    "seems older than it is",
	    text);
	xos_report_warning(r, "clock", &why);
}
