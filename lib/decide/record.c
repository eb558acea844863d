#include "decide/record.h"

#include <string.h>

#include "json/json.h"

const char *xos_decision_outcome_name(enum xos_decision_outcome o)
{
	return o == XOS_DECISION_PERMIT ? "permit" : o == XOS_DECISION_DENY ? "deny" : "undecided";
}

/* What a service never says and a token proves, named as in the requests that the tools read. */
static struct xos_json *subject(const struct xos_policy_subject *s)
{
	struct xos_json *o = xos_json_object();

	if (s->ngroups)
		xos_json_set_strings(o, "groups", s->groups, s->ngroups);
	if (s->nroles)
		xos_json_set_strings(o, "roles", s->roles, s->nroles);
	if (s->nheld)
		xos_json_set_strings(o, "held", s->held, s->nheld);
	xos_json_set_string(o, "home", s->home);
	xos_json_set_string(o, "auth_method", s->auth_method);
	if (s->auth_time)
		xos_json_set_time(o, "auth_time", s->auth_time);
	if (s->auth_mfa >= 0)
		xos_json_set_bool(o, "auth_mfa", s->auth_mfa == 1);
	return o;
}

static struct xos_json *place(const struct xos_policy_resource *r)
{
	struct xos_json *o = xos_json_object();

	xos_json_set_string(o, "site", r->site);
	xos_json_set_string(o, "node", r->node);
	return o;
}

static struct xos_json *restrictions(const struct xos_identity *id)
{
	struct xos_json *list = xos_json_array(), *o;

	for (size_t i = 0; i < id->nsteps; i++) {
		o = xos_json_object();
		const struct xos_delegation *d = id->steps[i];

		xos_json_set_string(o, "actor", d->actor);
		xos_json_set_string(o, "id", d->id[0] ? d->id : NULL);
		xos_json_set_string(o, "node", d->node[0] ? d->node : NULL);
		xos_json_set_time(o, "until", d->not_after);
		xos_json_set_int(o, "depth", d->depth);
		xos_json_set_bytes(
		    o, "restriction", (struct xos_bytes){d->restriction, d->restriction_len});
		xos_json_add(list, o);
	}
	return list;
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
	struct xos_json *head = xos_json_object();

	xos_json_set_time(head, "time", r->now);
	xos_json_set_string(head, "id", r->id);
	xos_json_set_string(head, "decision", xos_decision_outcome_name(r->outcome));
	xos_json_set_int(head, "sample", (int64_t)sample);
	xos_json_set_text(head, "by", r->by);
	xos_json_set_string(head, "reason", r->reason);
	xos_json_set_int(
	    head, "bundle", r->bundle_serial > INT64_MAX ? INT64_MAX : (int64_t)r->bundle_serial);
	xos_json_set(head, "subject", subject(&r->asked->subject));
	xos_json_set(head, "place", place(&r->asked->resource));
	if (r->identity && r->identity->nsteps)
		xos_json_set(head, "delegations", restrictions(r->identity));
	if (r->identity)
		xos_json_set_string(head, "serial", r->identity->serial);
	enum xos_status st = xos_json_dump(head, out, err);
	xos_json_free(head);
	if (st != XOS_OK)
		return st;
	out->n--; /* the closing brace: the request goes in as it came, not read a second time */
	xos_buf_put_str(out, ",\"request\":");
	put_in_one_line(out, r->request);
	xos_buf_put_str(out, "}\n");
	st = xos_buf_status(out);
	return st == XOS_OK ? st
	                    : xos_err_set(err, st, "decision-record",
	                          "the record of a decision is too long");
}
