/* What a token says about itself. */

#include <stdlib.h>
#include <string.h>

#include "token/check.h"
#include "token/tokenfile.h"

void xos_token_info_free(struct xos_token_info *info)
{
	if (!info)
		return;
	for (size_t i = 0; i < info->nsteps; i++)
		xos_delegation_free(info->steps[i]);
	free(info->steps);
	xos_claims_free(info->claims);
	free(info);
}

/* The tightest times: every certificate of the file, and the ends in delegations. */
static void take_times(struct xos_token_info *info, const struct xos_chain *chain, int64_t now)
{
	info->not_before = INT64_MIN;
	info->not_after = INT64_MAX;
	for (size_t i = 0; i < chain->n; i++) {
		if (xos_cert_not_before(chain->cert[i]) > info->not_before)
			info->not_before = xos_cert_not_before(chain->cert[i]);
		if (xos_cert_not_after(chain->cert[i]) < info->not_after)
			info->not_after = xos_cert_not_after(chain->cert[i]);
	}
	for (size_t i = 0; i < info->nsteps; i++)
		if (info->steps[i] && info->steps[i]->not_after < info->not_after)
			info->not_after = info->steps[i]->not_after;
	info->seconds_left = info->not_after > now ? info->not_after - now : 0;
}

static enum xos_status fill(
    struct xos_token_info *info, const struct xos_chain *chain, int64_t now, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	size_t entity = 0;

	while (entity < chain->n && xos_cert_is_proxy(chain->cert[entity]))
		entity++;
	if (entity == chain->n)
		return xos_err_set(
		    err, XOS_MALFORMED, "token-file", "the file lacks the end-entity certificate");
	st = token_read_claims(chain->cert[entity], &info->claims, err);
	memcpy(info->serial, xos_cert_serial_text(chain->cert[entity]), sizeof(info->serial));
	info->steps = calloc(entity + 2, sizeof(*info->steps));
	if (!info->steps)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st =
		    token_read_restriction(chain->cert[entity], info->claims, &info->steps[0], err);
	info->nsteps = st == XOS_OK && info->steps[0] ? 1 : 0;
	if (st == XOS_OK)
		st = token_read_uri(info->claims, info->steps[0], info->uri, err);
	for (size_t i = entity; st == XOS_OK && i-- > 0;) {
		st = token_read_step(chain->cert[i], &info->steps[info->nsteps], err);
		info->nsteps += st == XOS_OK;
	}
	take_times(info, chain, now);
	return st;
}

enum xos_status xos_token_describe(
    const struct xos_chain *chain, int64_t now, struct xos_token_info **out, struct xos_err *err)
{
	struct xos_token_info *info = calloc(1, sizeof(*info));
	enum xos_status st;

	*out = NULL;
	if (!info)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = fill(info, chain, now, err);
	if (st == XOS_OK)
		*out = info;
	else
		xos_token_info_free(info);
	return st;
}

bool xos_token_needs_renewal(const struct xos_token_info *info, int64_t now)
{
	return now >= info->not_before + (info->not_after - info->not_before) / 2;
}
