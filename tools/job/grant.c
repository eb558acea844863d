#include "job/grant.h"

#include <stdio.h>
#include <string.h>

#include "api/grant.h"
#include "base/clock.h"

static enum xos_status from_delegation(const struct xos_delegation *d,
    const uint8_t key[XOS_SHA256_LEN], int64_t ends, struct xos_grant *g, struct xos_err *err)
{
	xos_grant_init(g);
	if (strlen(d->id) >= sizeof(g->id))
		return xos_err_set(err, XOS_INTERNAL, "grant", "the job's id is too long");
	memcpy(g->id, d->id, strlen(d->id) + 1);
	memcpy(g->node, d->node, sizeof(g->node));
	memcpy(g->actor, d->actor, sizeof(g->actor));
	memcpy(g->key, key, XOS_SHA256_LEN);
	g->depth = d->depth;
	g->ends = ends;
	xos_buf_put(&g->restriction, d->restriction, d->restriction_len);
	return xos_buf_status(&g->restriction) == XOS_OK
	           ? XOS_OK
	           : xos_err_set(err, XOS_LIMIT, "grant", "the restriction is too long");
}

enum xos_status job_grant_may(
    const struct xos_token_info *who, const struct job_grant_wish *wish, struct xos_err *err)
{
	if (wish->renew && who->nsteps)
		return xos_err_set(err, XOS_DENIED, "grant-signer",
		    "--renew: a delegated credential or a robot's token never gives a grant; "
		    "submit "
		    "with your own token");
	return XOS_OK;
}

static void note_none(int64_t ends)
{
	char until[XOS_TIME_TEXT];

	xos_time_format(ends, until);
	fprintf(stderr,
	    "note: a delegated credential or a robot's token never gives a grant: the job's own "
	    "credential is not renewed and ends %s\n",
	    until);
}

enum xos_status job_grant_for(const struct xos_chain *token, const struct xos_token_info *who,
    const struct xos_delegation *d, const uint8_t key[XOS_SHA256_LEN], int64_t job_end,
    const struct job_grant_wish *wish, struct xos_json **out, struct xos_err *err)
{
	int64_t now = xos_clock_now(), most = now + XOS_GRANT_LIFE;
	int64_t ends = wish->renew ? now + wish->renew : job_end < most ? job_end : most;
	struct xos_grant g;
	enum xos_status st;

	*out = NULL;
	if (wish->none || ends <= d->not_after || (wish->lifetime && !wish->renew))
		return XOS_OK;
	if (who->nsteps) {
		note_none(d->not_after);
		return XOS_OK;
	}
	st = from_delegation(d, key, ends, &g, err);
	if (st == XOS_OK)
		st = xos_grant_sign(token, &g, now, out, err);
	xos_grant_clear(&g);
	return st;
}
