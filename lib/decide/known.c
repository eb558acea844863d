#include "decide/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "policy/restriction.h"

struct xos_known *xos_known_ref(struct xos_known *k)
{
	atomic_fetch_add(&k->refs, 1);
	return k;
}

void xos_known_free(struct xos_known *k)
{
	if (!k || atomic_fetch_sub(&k->refs, 1) > 1)
		return;
	for (size_t i = 0; i < k->nrestrictions; i++)
		xos_policy_set_unref(k->restriction[i]);
	xos_identity_free(k->id);
	free(k);
}

/* A restriction that cannot be read may be the one that forbids: never passed over. */
static enum xos_status take_step(
    struct xos_known *k, const struct xos_delegation *step, struct xos_err *err)
{
	if (!step->restriction_len)
		return XOS_OK;
	if (k->nrestrictions == sizeof(k->restriction) / sizeof(k->restriction[0]))
		return xos_err_set(
		    err, XOS_DENIED, "restriction", "more delegations than may follow");
	struct xos_bytes in = {step->restriction, step->restriction_len};
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = xos_restriction_decode(in, &k->restriction[k->nrestrictions], &why);
	if (st == XOS_INTERNAL)
		return xos_err_set(err, st, "memory", "%s", why.text);
	if (st)
		return xos_err_set(err, XOS_DENIED, "restriction",
		    "a restriction in the delegation cannot be understood, so nothing is allowed "
		    "by it: "
		    "%s",
		    why.text);
	k->nrestrictions++;
	return XOS_OK;
}

static enum xos_status check_node(
    const struct xos_identity *id, const char *node, struct xos_err *err)
{
	const struct xos_delegation *last = id->nsteps ? id->steps[id->nsteps - 1] : NULL;
	if (!node || !last || xos_delegation_reaches(last, node))
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "wrong-node",
	    "the delegation of %s to %s%s%s is for the node %s only, and this is %s", last->member,
	    last->actor, last->id[0] ? " " : "", last->id, last->node, node);
}

/* A host may be called like a member: its kind stands in front. */
static bool name_subject(struct xos_known *k)
{
	const struct xos_claims *c = k->id->claims;
	const char *kind = c->kind == XOS_KIND_NODE      ? "node:"
	                   : c->kind == XOS_KIND_SERVICE ? "service:"
	                                                 : "";
	return xos_str_printf(k->subject, sizeof(k->subject), "%s%s:%s%s%s", kind, c->vo,
	    c->service, c->service[0] ? "/" : "", c->name);
}

enum xos_status xos_known_make(const struct xos_trust *trust, const char *vo, const char *node,
    const struct xos_bytes *chain, size_t n, int64_t now, struct xos_known **out,
    struct xos_err *err)
{
	struct xos_known *k = calloc(1, sizeof(*k));
	if (!k)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	atomic_init(&k->refs, 1);
	struct xos_verify_opts opts = {
	    .now = now,
	    .skew = XOS_KNOWN_SKEW,
	    .kinds = XOS_KIND_BIT(XOS_KIND_USER) | XOS_KIND_BIT(XOS_KIND_NODE) |
	             XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .allow_delegation = true,
	    .vo = vo,
	};
	enum xos_status st = xos_token_verify(trust, chain, n, &opts, &k->id, err);
	if (!st)
		st = check_node(k->id, node, err);
	for (size_t i = 0; !st && i < k->id->nsteps; i++)
		st = take_step(k, k->id->steps[i], err);
	if (!st && !name_subject(k))
		st = xos_err_set(err, XOS_MALFORMED, "token-name", "a name that is too long");
	if (st)
		xos_known_free(k);
	else
		*out = k;
	return st;
}

enum xos_status xos_known_current(const struct xos_known *k, int64_t now, struct xos_err *err)
{
	char age[XOS_TIME_TEXT];
	if (now > k->id->not_after + XOS_KNOWN_SKEW) {
		xos_duration_format(now - k->id->not_after, age);
		return xos_err_set(err, XOS_EXPIRED, "token-expired",
		    "the credential of %s expired %s ago: log in again", k->subject, age);
	}
	if (now < k->id->not_before - XOS_KNOWN_SKEW) {
		xos_duration_format(k->id->not_before - now, age);
		return xos_err_set(err, XOS_NOT_YET_VALID, "token-not-yet-valid",
		    "the credential of %s begins in %s by this node's clock: compare the clocks",
		    k->subject, age);
	}
	return XOS_OK;
}

enum xos_status xos_known_digest(
    const struct xos_bytes *chain, size_t n, uint8_t out[XOS_SHA256_LEN])
{
	struct xos_bytes parts[2 * XOS_CHAIN_MAX];
	uint8_t lengths[XOS_CHAIN_MAX][4];
	if (n > XOS_CHAIN_MAX)
		return XOS_LIMIT;
	for (size_t i = 0; i < n; i++) {
		for (int j = 0; j < 4; j++)
			lengths[i][j] = (uint8_t)(chain[i].n >> (24 - 8 * j));
		parts[2 * i] = (struct xos_bytes){lengths[i], 4};
		parts[2 * i + 1] = chain[i];
	}
	return xos_sha256_parts(parts, 2 * n, out);
}
