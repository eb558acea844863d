#include "service/gate.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/event.h"
#include "service/gate_internal.h"

enum xos_status xos_gate_new(
    const struct xos_gate_options *o, struct xos_gate **out, struct xos_err *err)
{
	struct xos_gate *g = calloc(1, sizeof(*g));

	if (!g)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	g->o = *o;
	*out = g;
	return XOS_OK;
}

void xos_gate_free(struct xos_gate *g)
{
	if (!g)
		return;
	xos_administrators_free(g->list);
	xos_roster_free(g->roster);
	xos_locks_free(g->locks);
	free(g);
}

static bool older(const struct xos_administrators *a, const struct xos_administrators *than)
{
	return a->issued < than->issued || (a->issued == than->issued && a->act < than->act);
}

enum xos_status xos_gate_list(
    struct xos_gate *g, struct xos_bytes compact, int64_t now, struct xos_err *err)
{
	const struct xos_cert *cert[XOS_GATE_ISSUERS_MAX];
	const struct xos_bundle_certs certs = xos_gate_issuers(g, cert);
	const struct xos_bundle_trust trust = xos_gate_trust(g, now);
	struct xos_administrators *fresh = NULL;
	enum xos_status st = xos_administrators_verify(compact, &certs, &trust, &fresh, err);

	/* One that has ended says nothing any more, so an authority that was restored is believed again. */
	if (st == XOS_OK && g->list && now < g->list->expires && older(fresh, g->list)) {
		xos_administrators_free(fresh);
		return xos_err_set(err, XOS_CONFLICT, "older-list",
		    "a list of administrators that is older than the one in force");
	}
	if (st == XOS_OK) {
		xos_administrators_free(g->list);
		g->list = fresh;
	}
	return st;
}

enum xos_status xos_gate_list_counts(const struct xos_gate *g, int64_t now, struct xos_err *err)
{
	char age[XOS_TIME_TEXT];

	if (!g->list)
		return xos_err_set(err, XOS_UNAVAILABLE, "administrators-unknown",
		    "this server has not heard yet from xos-cad who administers VO %s: try again "
		    "in "
		    "a few seconds; if that does not help, /health/ready says why",
		    g->o.vo);
	if (now >= g->list->expires) {
		xos_duration_format(now - g->list->issued, age);
		return xos_err_set(err, XOS_UNAVAILABLE, "administrators-unknown",
		    "this server has not heard for %s from xos-cad who administers VO %s, and "
		    "takes "
		    "no commands until it does; /health/ready says why",
		    age, g->o.vo);
	}
	return XOS_OK;
}

enum xos_status xos_gate_administrator(
    const struct xos_gate *g, const char *name, uint64_t number, int64_t now, struct xos_err *err)
{
	const struct xos_administrator *a = NULL;
	enum xos_status st = xos_gate_list_counts(g, now, err);

	if (st != XOS_OK)
		return st;
	a = xos_administrators_find(g->list, name, number);
	if (!a)
		return xos_err_set(err, XOS_DENIED, "not-administrator",
		    "%s does not administer VO %s now, whatever the token says; if the role was "
		    "granted just now, try again in a few seconds",
		    name, g->o.vo);
	if (a->locked[0])
		return xos_err_set(err, XOS_DENIED, "locked", "%s", a->locked);
	return XOS_OK;
}

enum xos_status xos_gate_standing(
    const struct xos_gate *g, const struct xos_identity *id, int64_t now, struct xos_err *err)
{
	const struct xos_claims *who = id->claims;
	enum xos_status st = xos_gate_administrator(g, who->name, who->number, now, err);

	if (st != XOS_OK)
		return st;
	if (xos_administrators_token_locked(g->list, id->serial))
		return xos_err_set(err, XOS_DENIED, "locked",
		    "the token %s of %s is locked: log in again", id->serial, who->name);
	return XOS_OK;
}

enum xos_status xos_gate_open_any(struct xos_gate *g, struct xos_bytes body, int64_t now,
    struct xos_command **out, struct xos_err *why, struct xos_err *err)
{
	const struct xos_command_opts opts = {
	    .trust = g->o.trust, .vo = g->o.vo, .aud = g->o.aud, .now = now, .skew = XOS_GATE_SKEW};
	struct xos_command *c = NULL;
	enum xos_status st = xos_command_open(body, &opts, &c, err);

	*why = (struct xos_err)XOS_ERR_INIT;
	if (st != XOS_OK) {
		xos_event_err(XOS_WARN, "command.refused", err, (const char *)NULL);
		return st;
	}
	if (xos_command_demand_admin(c, why) == XOS_OK &&
	    xos_gate_standing(g, c->signer, now, why) == XOS_OK)
		why->status = XOS_OK;
	*out = c;
	return XOS_OK;
}

enum xos_status xos_gate_open(struct xos_gate *g, struct xos_bytes body, int64_t now,
    struct xos_command **out, struct xos_err *err)
{
	struct xos_command *c = NULL;
	struct xos_err why;
	enum xos_status st = xos_gate_open_any(g, body, now, &c, &why, err);

	if (st != XOS_OK)
		return st;
	st = why.status;
	if (st != XOS_OK && err)
		*err = why;
	if (st != XOS_OK) {
		xos_event_err(XOS_WARN, "command.refused", &why, "verb", c->verb, "by",
		    c->signer->claims->name, (const char *)NULL);
		xos_command_free(c);
		return st;
	}
	*out = c;
	return XOS_OK;
}

enum xos_status xos_gate_answer(enum xos_status st, struct xos_command *c, struct xos_json *result,
    struct xos_buf *reply, struct xos_err *err)
{
	struct xos_json *answer = NULL;

	if (st == XOS_OK) {
		XOS_EVENT(XOS_INFO, "command.done", "verb", c->verb, "by", c->signer->claims->name);
		answer = xos_command_answer(result);
		result = NULL;
		st = xos_json_dump(answer, reply, err);
	} else if (c) {
		xos_event_err(XOS_WARN, "command.refused", err, "verb", c->verb, "by",
		    c->signer->claims->name, (const char *)NULL);
	}
	xos_json_free(result);
	xos_json_free(answer);
	xos_command_free(c);
	return st;
}
