#include "decide/record.h"

#include <string.h>

#include "base/text.h"
#include "json/write.h"

const char *xos_decision_outcome_name(enum xos_decision_outcome o)
{
	return o == XOS_DECISION_PERMIT ? "permit" : o == XOS_DECISION_DENY ? "deny" : "undecided";
}

/* What a service never says and a token proves, named as in the requests that the tools read. */
static void put_subject(struct xos_json_writer *w, const struct xos_policy_subject *s)
{
	xos_json_write_open(w, "subject", '{');
	if (s->ngroups)
		xos_json_write_texts(w, "groups", s->groups, s->ngroups);
	if (s->nroles)
		xos_json_write_texts(w, "roles", s->roles, s->nroles);
	if (s->nheld)
		xos_json_write_texts(w, "held", s->held, s->nheld);
	xos_json_write_text(w, "home", s->home);
	xos_json_write_text(w, "auth_method", s->auth_method);
	if (s->auth_time)
		xos_json_write_time(w, "auth_time", s->auth_time);
	if (s->auth_mfa >= 0)
		xos_json_write_bool(w, "auth_mfa", s->auth_mfa == 1);
	xos_json_write_close(w, '}');
}

static void put_place(struct xos_json_writer *w, const struct xos_policy_resource *r)
{
	xos_json_write_open(w, "place", '{');
	xos_json_write_text(w, "site", r->site);
	xos_json_write_text(w, "node", r->node);
	xos_json_write_close(w, '}');
}

static void put_restrictions(struct xos_json_writer *w, const struct xos_identity *id)
{
	struct xos_buf base64;

	xos_json_write_open(w, "delegations", '[');
	for (size_t i = 0; i < id->nsteps; i++) {
		const struct xos_delegation *d = id->steps[i];

		xos_buf_init(&base64, d->restriction_len / 3 * 4 + 8);
		xos_base64_encode(&base64, (struct xos_bytes){d->restriction, d->restriction_len});
		xos_json_write_open(w, NULL, '{');
		xos_json_write_text(w, "actor", d->actor);
		xos_json_write_text(w, "id", d->id[0] ? d->id : NULL);
		xos_json_write_text(w, "node", d->node[0] ? d->node : NULL);
		xos_json_write_time(w, "until", d->not_after);
		xos_json_write_int(w, "depth", d->depth);
		xos_json_write_bytes(w, "restriction", xos_buf_bytes(&base64));
		xos_json_write_close(w, '}');
		xos_buf_free(&base64);
	}
	xos_json_write_close(w, ']');
}

/* A line end within a JSON text is white space between its tokens: strings have none. */
static void put_in_one_line(struct xos_buf *out, struct xos_bytes text)
{
	size_t at = out->n;

	xos_buf_put(out, text.p, text.n);
	if (xos_buf_status(out) != XOS_OK)
		return;
	for (; at < out->n; at++)
		if (out->p[at] == '\n' || out->p[at] == '\r')
			out->p[at] = ' ';
}

enum xos_status xos_decision_record_encode(
    const struct xos_decision_record *r, uint64_t sample, struct xos_buf *out, struct xos_err *err)
{
	struct xos_json_writer w;
	enum xos_status st;

	xos_json_writer_init(&w, out);
	xos_json_write_open(&w, NULL, '{');
	xos_json_write_time(&w, "time", r->now);
	xos_json_write_text(&w, "id", r->id);
	xos_json_write_text(&w, "decision", xos_decision_outcome_name(r->outcome));
	xos_json_write_int(&w, "sample", (int64_t)sample);
	xos_json_write_text(&w, "by", r->by);
	xos_json_write_text(&w, "reason", r->reason);
	xos_json_write_int(
	    &w, "bundle", r->bundle_serial > INT64_MAX ? INT64_MAX : (int64_t)r->bundle_serial);
	put_subject(&w, &r->asked->subject);
	put_place(&w, &r->asked->resource);
	if (r->identity && r->identity->nsteps)
		put_restrictions(&w, r->identity);
	if (r->identity)
		xos_json_write_text(&w, "serial", r->identity->serial);
	/* The request goes in as it came, not read a second time. */
	xos_buf_put_str(out, ",\"request\":");
	put_in_one_line(out, r->request);
	xos_buf_put_str(out, "}\n");
	st = xos_buf_status(out);
	return st == XOS_OK ? st
	                    : xos_err_set(err, st, "decision-record",
	                          "the record of a decision is too long");
}
