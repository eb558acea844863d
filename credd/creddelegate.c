/* Operation delegate: a credential that is kept here signs for another key. */
#include "credd/credentials.h"

#include <string.h>

#include "base/event.h"
#include "base/text.h"
#include "pki/csr.h"
#include "token/delegation.h"

static bool fill(const struct xos_local_step *s, int64_t end, struct xos_delegation *d)
{
	*d = (struct xos_delegation){
	    .not_after = s->until ? s->until : end,
	    .depth = s->depth,
	    .restriction = s->restriction.p,
	    .restriction_len = s->restriction.n,
	};
	return xos_str_copy(d->actor, sizeof(d->actor), s->actor) &&
	       xos_str_copy(d->node, sizeof(d->node), s->node) &&
	       xos_str_copy(d->id, sizeof(d->id), s->id);
}

static enum xos_status sign(const struct xos_credd_asked *a, const struct xos_credd_usable *u,
    struct xos_cert **out, struct xos_err *err)
{
	struct xos_csr csr;
	struct xos_delegation d;
	struct xos_chain signer = {.n = 0};
	enum xos_status st = xos_csr_parse(a->req->step.csr, &csr, err);
	if (!st && !fill(&a->req->step, u->known->id->not_after, &d))
		st = xos_err_set(err, XOS_MALFORMED, "delegation", "a name that is too long");
	if (!st)
		st = xos_chain_from_der(u->chain, u->n, &signer, err);
	if (!st)
		st = xos_key_from_pem(u->key, &signer.key, err);
	if (!st)
		st = xos_delegation_sign(&signer, csr.spki, &d, a->now, out, err);
	xos_chain_clear(&signer);
	return st;
}

/* As its receiver will be judged: a restriction that cannot be read is found here, not there. */
static enum xos_status check(const struct xos_credd_asked *a, struct xos_err *err)
{
	struct xos_known *known = NULL;
	const struct xos_credd_view *view = xos_credd_decider_view(a->ops->decider);
	enum xos_status st = xos_known_make(view->trust, a->ops->self->conf->vo, NULL,
	    a->answer->chain, a->answer->nchain, a->now, &known, err);
	if (!st)
		a->answer->not_after = known->id->not_after;
	xos_known_free(known);
	return st;
}

enum xos_status xos_credd_credentials_delegate(const struct xos_credd_asked *a, struct xos_err *err)
{
	struct xos_credd_usable u;
	struct xos_cert *leaf = NULL;
	enum xos_status st = xos_credd_usable(a, a->req->job, &u, err);
	if (!st && u.n >= XOS_LOCAL_CHAIN_MAX)
		st = xos_err_set(err, XOS_LIMIT, "chain",
		    "the chain has %zu certificates; one more does not fit", u.n);
	if (!st)
		st = sign(a, &u, &leaf, err);
	if (st)
		return st;
	struct xos_bytes der = xos_cert_der(leaf);
	xos_buf_put(a->plain, der.p, der.n);
	xos_cert_free(leaf);
	st = xos_buf_status(a->plain);
	if (st)
		return xos_err_set(err, st, "memory", "out of memory");
	a->answer->chain[0] = xos_buf_bytes(a->plain);
	memcpy(a->answer->chain + 1, u.chain, u.n * sizeof(u.chain[0]));
	a->answer->nchain = u.n + 1;
	(void)!xos_str_copy(a->answer->id, sizeof(a->answer->id), u.picked.id);
	char uid[16];
	(void)!xos_str_printf(uid, sizeof(uid), "%u", (unsigned)a->peer->uid);
	st = check(a, err);
	if (!st)
		XOS_EVENT(XOS_INFO, "credential.delegated", "credential", u.picked.id, "subject",
		    u.known->subject, "actor", a->req->step.actor, "node",
		    a->req->step.node[0] ? a->req->step.node : NULL, "peer", uid);
	return st;
}
