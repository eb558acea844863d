#include "decide/subject.h"

#include <string.h>

bool xos_subject_is(const struct xos_policy_subject *s, const struct xos_claims *c)
{
	size_t n = strlen(c->service);
	if (!s->vo || strcmp(s->vo, c->vo) != 0)
		return false;
	switch (c->kind) {
	case XOS_KIND_USER:
		return s->kind == XOS_SUBJECT_MEMBER && strcmp(s->member, c->name) == 0;
	case XOS_KIND_NODE:
		return s->kind == XOS_SUBJECT_NODE && strcmp(s->member, c->name) == 0;
	case XOS_KIND_SERVICE:
		return s->kind == XOS_SUBJECT_SERVICE && strncmp(s->member, c->service, n) == 0 &&
		       s->member[n] == '/' && strcmp(s->member + n + 1, c->name) == 0;
	default:
		return false;
	}
}

/* Our own authority says when there was a second factor; what another method proved elsewhere is not known. */
static int mfa(const struct xos_claims *c)
{
	if (c->auth_mfa)
		return 1;
	return strcmp(c->auth_method, "password") == 0 || strcmp(c->auth_method, "code") == 0 ? 0
	                                                                                      : -1;
}

void xos_subject_fill(const struct xos_claims *c, struct xos_policy_subject *s)
{
	*s = (struct xos_policy_subject){
	    .kind = s->kind,
	    .vo = c->vo,
	    .member = c->kind == XOS_KIND_SERVICE ? s->member : c->name,
	    .groups = (const char *const *)c->groups,
	    .ngroups = c->ngroups,
	    .roles = (const char *const *)c->roles,
	    .nroles = c->nroles,
	    .home = c->home_org[0] ? c->home_org : NULL,
	    .auth_method = c->auth_method[0] ? c->auth_method : NULL,
	    .auth_time = c->auth_time,
	    .auth_mfa = mfa(c),
	};
}
