#include "credd/grants.h"

#include <string.h>

#include "api/grant.h"
#include "base/text.h"
#include "pki/digest.h"
#include "token/oid.h"

static enum xos_status no(struct xos_err *err, const char *code, const struct xos_credd_job *job,
    const char *what, const char *is, const char *should)
{
	return xos_err_set(err, XOS_DENIED, code, "the grant for job %s names %s %s, not %s",
	    job->id, what, is, should);
}

/* --- what the member signed --- */

static enum xos_status put_wire(
    const struct xos_local_request *req, struct xos_buf *wire, struct xos_err *err)
{
	xos_buf_u8(wire, (uint8_t)req->nchain);
	for (size_t i = 0; i < req->nchain; i++)
		xos_buf_lp(wire, req->chain[i]);
	xos_buf_lp(wire, req->text);
	enum xos_status st = xos_buf_status(wire);
	return st ? xos_err_set(err, st, "grant", "the grant is too long") : XOS_OK;
}

struct xos_json *xos_credd_grant_json(struct xos_bytes wire)
{
	struct xos_bytes der[XOS_CHAIN_MAX], jws;
	struct xos_json *doc, *list;
	struct xos_buf text;
	size_t n;
	if (!xos_credd_grant_parts(wire, der, &n, &jws))
		return NULL;
	doc = xos_json_object();
	list = xos_json_array();
	for (size_t i = 0; i < n; i++) {
		xos_buf_init(&text, 2 * XOS_CERT_MAX);
		xos_base64_encode(&text, der[i]);
		xos_json_add_string(list, xos_buf_str(&text));
		xos_buf_free(&text);
	}
	xos_json_set(doc, "chain", list);
	xos_buf_init(&text, XOS_CREDD_GRANT_MAX);
	xos_buf_put(&text, jws.p, jws.n);
	xos_json_set_string(doc, "grant", xos_buf_str(&text));
	xos_buf_free(&text);
	return doc;
}

/* The last step of the credential in use, which was verified when it was taken. */
static enum xos_status own_step(
    const struct xos_credd_job *job, struct xos_delegation **out, struct xos_err *err)
{
	struct xos_bytes value;
	bool critical;
	enum xos_status st =
	    xos_cert_ext(job->chain.cert[0], XOS_OID_DELEGATION, &value, &critical);
	return st ? xos_err_set(err, st, "job-undelegated", "job %s has no delegation", job->id)
	          : xos_delegation_decode(value, out, err);
}

static enum xos_status check_width(
    const struct xos_credd_job *job, const struct xos_grant *g, struct xos_err *err)
{
	struct xos_delegation *step = NULL;
	enum xos_status st = own_step(job, &step, err);
	if (!st && (g->depth > step->depth || g->restriction.n != step->restriction_len ||
	               (g->restriction.n &&
	                   memcmp(g->restriction.p, step->restriction, g->restriction.n) != 0)))
		st = xos_err_set(err, XOS_DENIED, "grant-wider",
		    "the grant for job %s lets it do something else than its delegation does",
		    job->id);
	xos_delegation_free(step);
	return st;
}

static enum xos_status check_grant(const struct xos_credd_job *job,
    const struct xos_grant_signed *s, const char *node, struct xos_err *err)
{
	const struct xos_grant *g = &s->grant;
	if (strcmp(g->id, job->id) != 0)
		return no(err, "grant-job", job, "job", g->id, job->id);
	if (!xos_credd_job_is_of(job, s->who->claims))
		return no(err, "grant-member", job, "member", s->who->claims->name, job->member);
	if (strcmp(g->node, node) != 0)
		return no(err, "grant-node", job, "node", g->node, node);
	if (memcmp(g->key, job->spki, XOS_SHA256_LEN) != 0 ||
	    strcmp(g->actor, XOS_GRANT_ACTOR) != 0)
		return no(err, "grant-key", job, "another key or actor", "than", "this job's");
	return check_width(job, g, err);
}

static enum xos_status fill(const struct xos_credd_job *job, const struct xos_grant_signed *s,
    int64_t now, struct xos_credd_grant *fresh, struct xos_err *err)
{
	const struct xos_credd_grant *old = job->grant;
	fresh->ends = s->grant.ends;
	fresh->token_ends = s->who->not_after;
	fresh->depth = (uint8_t)s->grant.depth;
	fresh->taken = old ? old->taken : now;
	fresh->renewed = old ? old->renewed : 0;
	if (xos_sha256(xos_buf_bytes(&s->grant.restriction), fresh->restriction))
		return xos_err_set(err, XOS_INTERNAL, "digest", "SHA-256 failed");
	return XOS_OK;
}

/* What is not durable was not taken. */
static enum xos_status exchange(struct xos_credd_jobs *jobs, struct xos_credd_job *job,
    struct xos_credd_grant **fresh, struct xos_err *err)
{
	struct xos_credd_grant *old = job->grant;
	job->grant = *fresh;
	enum xos_status st = xos_credd_jobs_store(jobs, job, err);
	if (st) {
		job->grant = old;
		return st;
	}
	*fresh = NULL;
	xos_credd_grant_free(old);
	return XOS_OK;
}

static enum xos_status open_grant(const struct xos_credd_grant *fresh,
    const struct xos_trust *trust, const char *vo, int64_t now, struct xos_grant_signed **out,
    struct xos_err *err)
{
	const struct xos_grant_opts o = {
	    .trust = trust, .vo = vo, .now = now, .skew = XOS_KNOWN_SKEW};
	struct xos_json *doc = xos_credd_grant_json(xos_buf_bytes(&fresh->wire));
	enum xos_status st = doc ? xos_grant_open(doc, &o, out, err)
	                         : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_json_free(doc);
	return st;
}

static enum xos_status take(struct xos_credd_jobs *jobs, struct xos_credd_job *job,
    const struct xos_grant_signed *s, int64_t now, struct xos_credd_grant **fresh,
    struct xos_err *err)
{
	const struct xos_credd_grant *old = job->grant;
	if (old && xos_bytes_eq(xos_buf_bytes(&old->wire), xos_buf_bytes(&(*fresh)->wire)))
		return XOS_OK;
	/* One that was refused is in nobody's way. */
	if (old && !old->refusal[0] && s->grant.ends <= old->ends)
		return xos_err_set(err, XOS_CONFLICT, "grant-shorter",
		    "job %s has a grant that ends no earlier than this one", job->id);
	enum xos_status st = fill(job, s, now, *fresh, err);
	return st ? st : exchange(jobs, job, fresh, err);
}

enum xos_status xos_credd_grant_take(struct xos_credd_jobs *jobs,
    const struct xos_local_request *req, const struct xos_trust *trust,
    const struct xos_credd_conf *conf, int64_t now, struct xos_credd_job **out, struct xos_err *err)
{
	struct xos_credd_job *job = xos_credd_jobs_find(jobs, req->job);
	struct xos_grant_signed *s = NULL;
	if (!job || !job->chain.n)
		return xos_err_set(err, XOS_NOT_FOUND, "job-unknown",
		    "there is no credential for job %s that a grant could renew", req->job);
	struct xos_credd_grant *fresh = xos_credd_grant_new();
	enum xos_status st = fresh ? put_wire(req, &fresh->wire, err)
	                           : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (!st)
		st = open_grant(fresh, trust, conf->vo, now, &s, err);
	if (!st)
		st = check_grant(job, s, conf->node, err);
	if (!st)
		st = take(jobs, job, s, now, &fresh, err);
	xos_grant_signed_free(s);
	xos_credd_grant_free(fresh);
	if (!st)
		*out = job;
	return st;
}

/* --- what the authority made of it --- */

static enum xos_status check_renewed(const struct xos_credd_job *job, const struct xos_known *k,
    const char *node, int64_t ends, struct xos_err *err)
{
	const struct xos_identity *id = k->id;
	const struct xos_delegation *step = id->nsteps ? id->steps[id->nsteps - 1] : NULL;
	uint8_t digest[XOS_SHA256_LEN];
	if (!id->renewed || id->nsteps != 1 || !xos_credd_job_is_of(job, id->claims) ||
	    memcmp(id->spki_sha256, job->spki, XOS_SHA256_LEN) != 0 ||
	    strcmp(step->node, node) != 0 || strcmp(step->id, job->id) != 0 ||
	    strcmp(step->actor, XOS_GRANT_ACTOR) != 0)
		return xos_err_set(err, XOS_DENIED, "renewal-other",
		    "what came from the authority is no credential of job %s for its key on this "
		    "node",
		    job->id);
	if (xos_sha256((struct xos_bytes){step->restriction, step->restriction_len}, digest))
		return xos_err_set(err, XOS_INTERNAL, "digest", "SHA-256 failed");
	if (step->depth > job->grant->depth || id->not_after > ends ||
	    memcmp(digest, job->grant->restriction, XOS_SHA256_LEN) != 0)
		return xos_err_set(err, XOS_DENIED, "renewal-wider",
		    "what came from the authority lets job %s do more than its grant does",
		    job->id);
	return XOS_OK;
}

/* On disk first, in one file; then in memory. */
static enum xos_status exchange_chain(struct xos_credd_jobs *jobs, struct xos_credd_job *job,
    struct xos_chain *fresh, int64_t not_after, int64_t now, struct xos_err *err)
{
	struct xos_credd_grant *g = job->grant;
	struct xos_chain old = job->chain;
	int64_t end = job->not_after, taken = g->taken;
	job->chain = *fresh;
	job->not_after = not_after;
	g->taken = now;
	g->renewed++;
	enum xos_status st = xos_credd_jobs_store(jobs, job, err);
	if (st) {
		job->chain = old;
		job->not_after = end;
		g->taken = taken;
		g->renewed--;
		return st;
	}
	*fresh = old;
	return XOS_OK;
}

enum xos_status xos_credd_grant_renewed(struct xos_credd_jobs *jobs,
    struct xos_credd_decider *decider, const char *node, struct xos_credd_job *job,
    const struct xos_chain *chain, int64_t ends, int64_t now, struct xos_err *err)
{
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_chain fresh = {.n = 0};
	const struct xos_known *k = NULL;
	int64_t had = job->grant->ends;
	for (size_t i = 0; i < chain->n; i++)
		der[i] = xos_cert_der(chain->cert[i]);
	enum xos_status st = xos_credd_decider_verify(decider, der, chain->n, now, &k, err);
	if (!st)
		st = check_renewed(job, k, node, ends, err);
	if (st)
		return st;
	job->grant->ends = ends;
	if (k->id->not_after > job->not_after) {
		st = xos_chain_from_der(der, chain->n, &fresh, err);
		if (!st)
			st = exchange_chain(jobs, job, &fresh, k->id->not_after, now, err);
		xos_chain_clear(&fresh);
	} else if (ends != had) {
		st = xos_credd_jobs_store(jobs, job, err);
	}
	if (st)
		job->grant->ends = had;
	return st;
}
