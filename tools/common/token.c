/* The current token, and clients that use it. */
#include "cli/vo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/login.h"
#include "cli/trust.h"
#include "service/client.h"

#define SKEW 60 /* seconds by which clocks may disagree */

struct xos_cli_client {
	const struct xos_cli_vo *vo;
	struct xos_service_client *service;
	struct xos_cli_manners *manners; /* of the VO, which outlives this */
	bool authority;                  /* the service is the ca */
};

/* One text everywhere. member may be NULL. */
static enum xos_status no_token(struct xos_err *err, enum xos_status st, const char *code,
    const struct xos_cli_vo *vo, const char *why, const char *member)
{
	return xos_err_set(err, st, code,
	    "You have no valid token for VO %s (%s). Log in with: xos-login %s", vo->name, why,
	    member ? member : "NAME");
}

static enum xos_status usable(const struct xos_cli_vo *vo, const struct xos_token_info *info,
    int64_t now, struct xos_err *err)
{
	char span[XOS_TIME_TEXT], why[128];
	const char *member = info->claims->name;
	if (strcmp(info->claims->vo, vo->name) != 0) {
		snprintf(why, sizeof(why), "the current one is for VO %s", info->claims->vo);
		return no_token(err, XOS_DENIED, "token-vo", vo, why, NULL);
	}
	if (info->not_after < now) {
		xos_duration_format(now - info->not_after, span);
		snprintf(why, sizeof(why), "expired %s ago", span);
		return no_token(err, XOS_EXPIRED, "token-expired", vo, why, member);
	}
	if (info->not_before > now + SKEW) {
		xos_duration_format(info->not_before - now, span);
		snprintf(
		    why, sizeof(why), "valid only in %s; is this machine's clock right?", span);
		return no_token(err, XOS_NOT_YET_VALID, "token-not-yet-valid", vo, why, member);
	}
	return XOS_OK;
}

/* Is it that there is no token, and not one that stays as it is for a reason, such as another VO's? */
static bool lacking(enum xos_status st, const struct xos_err *err)
{
	return st != XOS_OK &&
	       (strcmp(err->code, "no-token") == 0 || strcmp(err->code, "token-expired") == 0);
}

enum xos_status xos_cli_token(const struct xos_cli_vo *vo, struct xos_chain *chain,
    struct xos_token_info **info, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_token_info *found = NULL;
	int64_t now = xos_clock_now();
	enum xos_status st = xos_tokenfile_path(path, err);
	if (st == XOS_OK)
		st = xos_tokenfile_read(path, chain, err);
	if (st == XOS_NOT_FOUND)
		st = no_token(err, st, "no-token", vo, "none found", NULL);
	if (st == XOS_OK)
		st = xos_token_describe(chain, now, &found, err);
	if (st == XOS_OK)
		st = usable(vo, found, now, err);
	if (lacking(st, err)) {
		xos_chain_clear(chain);
		st = xos_cli_login_offer(vo, found, st, chain, err);
		xos_token_info_free(found);
		found = NULL;
		if (st == XOS_OK)
			st = xos_token_describe(chain, now, &found, err);
	}
	if (st == XOS_OK && info) {
		*info = found;
		found = NULL;
	}
	xos_token_info_free(found);
	if (st != XOS_OK)
		xos_chain_clear(chain);
	return st;
}

enum xos_status xos_cli_client_new(const struct xos_cli_vo *vo, const char *service,
    const char *url, bool token, struct xos_cli_client **out, struct xos_err *err)
{
	struct xos_chain own = {.n = 0};
	enum xos_status st = url ? XOS_OK : xos_cli_vo_url(vo, service, &url, err);
	if (st == XOS_OK && token)
		st = xos_cli_token(vo, &own, NULL, err);
	if (st != XOS_OK)
		return st;
	if (strcmp(service, "jobs") != 0)
		xos_cli_trust_ask(vo, url);
	struct xos_service_client_options o = {.url = url,
	    .list_url = vo->ca,
	    .vo = vo->name,
	    .service = service,
	    .trust = vo->trust,
	    .own = token ? &own : NULL,
	    .skew = SKEW,
	    .hint = strcmp(service, "jobs") == 0 ? "is xos-jobd running on that node?"
	                                         : "do the VO's servers run (xos-server status)?"};
	struct xos_cli_client *c = calloc(1, sizeof(*c));
	if (c) {
		c->vo = vo;
		c->manners = vo->manners;
		c->authority = strcmp(service, "ca") == 0;
	}
	if (c)
		st = xos_service_client_new(&o, &c->service, err);
	else
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_chain_clear(&own);
	if (st != XOS_OK) {
		free(c);
		return st;
	}
	*out = c;
	return XOS_OK;
}

struct xos_client *xos_cli_client(struct xos_cli_client *c)
{
	return xos_service_client(c->service);
}

static void tell_clock(const struct xos_cli_client *c)
{
	struct xos_cli_manners *m = c->manners;
	int64_t by = 0;
	if (!m || !m->may_warn || m->clock_told ||
	    !xos_client_clock_offset(xos_service_client(c->service), &by) ||
	    (by <= SKEW && by >= -SKEW))
		return;
	m->clock_told = true;
	fprintf(stderr,
	    "%s: warning: your clock is %lld min %s the %s's: set it, or log-ins and jobs will "
	    "be "
	    "refused\n",
	    m->program, (long long)((by < 0 ? -by : by) + 30) / 60, by < 0 ? "behind" : "ahead of",
	    c->authority ? "authority" : "server");
}

void xos_cli_client_free(struct xos_cli_client *c)
{
	if (!c)
		return;
	tell_clock(c);
	xos_cli_trust_keep(c->vo);
	xos_service_client_free(c->service);
	free(c);
}
