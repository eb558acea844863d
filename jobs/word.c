#include "jobs/word.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "json/json.h"

#define AGAIN_MAX 86400 /* seconds; asked every day whatever is said */

enum xos_status xos_word_ask(const struct xos_word_question *q, size_t n, int64_t since,
    struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *jobs = xos_json_array();

	for (size_t i = 0; i < n; i++) {
		struct xos_json *o = xos_json_object();

		xos_json_set_string(o, "job", q[i].id);
		if (q[i].asked.source[0])
			xos_json_set_string(o, "src", q[i].asked.source);
		if (q[i].asked.wall)
			xos_json_set_int(o, "wall", q[i].asked.wall);
		xos_json_add(jobs, o);
	}
	xos_json_set_int(doc, "since", since);
	xos_json_set(doc, "jobs", jobs);
	enum xos_status st = xos_json_dump(doc, out, err);
	xos_json_free(doc);
	return st;
}

static enum xos_status take_change(
    const struct xos_json *o, struct xos_job_word *w, struct xos_err *err)
{
	static const char *const names[] = {
	    [XOS_WORD_CONTINUE] = "continue", [XOS_WORD_DRAIN] = "drain", [XOS_WORD_STOP] = "stop"};
	const char *change = NULL;
	enum xos_status st = xos_json_get_string(o, "change", 16, &change, err);

	if (st != XOS_OK)
		return st;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(change, names[i]) == 0) {
			w->change = (enum xos_word_change)i;
			return w->change == XOS_WORD_STOP
			           ? xos_json_get_int64(o, "after", 0, INT64_MAX, &w->after, err)
			           : XOS_OK;
		}
	return xos_json_refuse(o, err, "change: \"%s\" is not known", change);
}

static enum xos_status take_word(
    const struct xos_json *o, struct xos_job_word *w, struct xos_err *err)
{
	const char *verdict = NULL, *why = NULL;
	bool locked = false;
	enum xos_status st = xos_json_get_string(o, "verdict", 16, &verdict, err);

	if (st == XOS_OK)
		st = xos_json_get_bool(o, "locked", &locked, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(o, "why", sizeof(w->text) - 1, &why, err);
	if (st != XOS_OK)
		return st;
	snprintf(w->text, sizeof(w->text), "%s", why ? why : "");
	if (strcmp(verdict, "permit") == 0 && !locked)
		w->kind = XOS_WORD_PERMIT;
	else if (strcmp(verdict, "deny") == 0)
		w->kind = locked ? XOS_WORD_LOCKED : XOS_WORD_REFUSED;
	else if (locked || (strcmp(verdict, "undecided") != 0 && strcmp(verdict, "unknown") != 0))
		return xos_json_refuse(o, err, "verdict: \"%s\" is not known", verdict);
	return w->kind == XOS_WORD_REFUSED ? take_change(o, w, err) : XOS_OK;
}

static enum xos_status take_job(const struct xos_json *o, const struct xos_word_question *q,
    struct xos_words *out, struct xos_err *err)
{
	struct xos_job_word w = {.kind = XOS_WORD_NOTHING};
	const char *id = NULL;
	enum xos_status st = xos_json_get_string(o, "job", XOS_LOCAL_JOB_MAX, &id, err);

	if (st == XOS_OK)
		st = take_word(o, &w, err);
	for (size_t i = 0; st == XOS_OK && i < out->n; i++)
		if (strcmp(q[i].id, id) == 0)
			out->of[i] = w;
	return st;
}

enum xos_status xos_word_read(struct xos_bytes json, const struct xos_word_question *q, size_t n,
    struct xos_words *out, struct xos_err *err)
{
	struct xos_words w = {.n = n};
	struct xos_json *doc = NULL;
	const struct xos_json *jobs = NULL;
	int64_t now = 0, again = 0;
	enum xos_status st = xos_json_parse(json, XOS_LOCAL_PEM_MAX, &doc, err);

	if (st == XOS_OK)
		st = xos_json_get_int64(doc, "version", 1, INT64_MAX, &w.version, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "now", &now, err);
	if (st == XOS_OK)
		st = xos_json_opt_time(doc, "again", 0, &again, err);
	if (st == XOS_OK)
		st = xos_json_opt_array(doc, "jobs", XOS_LOCAL_STANDING_JOBS, &jobs, err);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(jobs); i++)
		st = take_job(xos_json_at(jobs, i), q, &w, err);
	if (again)
		w.again = again <= now ? 1 : again - now > AGAIN_MAX ? AGAIN_MAX : again - now;
	if (st == XOS_OK)
		*out = w;
	xos_json_free(doc);
	return st;
}
