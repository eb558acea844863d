#include "token/claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "token/check.h"

static enum xos_status bad(struct xos_err *err, const char *what, const char *value)
{
	return xos_err_set(
	    err, XOS_MALFORMED, "claims", "no token with %s \"%.100s\"", what, value ? value : "");
}

/* A word such as a service kind or an authentication method. */
bool token_word_ok(const char *s, size_t max)
{
	size_t n = strlen(s);

	return n > 0 && n <= max && s[0] >= 'a' && s[0] <= 'z' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

bool token_name_ok(enum xos_kind kind, const char *vo, const char *name)
{
	if (kind == XOS_KIND_USER || kind == XOS_KIND_DELEGATION)
		return xos_name_is_member(vo, name);
	return xos_name_is_node(name);
}

static bool is_person(enum xos_kind kind)
{
	return kind == XOS_KIND_USER || kind == XOS_KIND_DELEGATION;
}

enum xos_status xos_claims_new(enum xos_kind kind, const char *vo, const char *name,
    struct xos_claims **out, struct xos_err *err)
{
	struct xos_claims *c;

	*out = NULL;
	if (!xos_kind_valid(kind))
		return bad(err, "the kind", "");
	if (!vo || !xos_name_is_vo(vo))
		return bad(err, "the VO", vo);
	if (!name || !token_name_ok(kind, vo, name))
		return bad(err, "the name", name);
	c = calloc(1, sizeof(*c));
	if (!c)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	c->kind = kind;
	if (!xos_str_copy(c->vo, sizeof(c->vo), vo) ||
	    !xos_str_copy(c->name, sizeof(c->name), name)) {
		xos_claims_free(c);
		return bad(err, "the name", name);
	}
	*out = c;
	return XOS_OK;
}

static void free_list(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

void xos_claims_free(struct xos_claims *c)
{
	if (!c)
		return;
	free_list(c->groups, c->ngroups);
	free_list(c->roles, c->nroles);
	free(c);
}

static enum xos_status add(
    char ***list, size_t *n, size_t max, const char *value, struct xos_err *err)
{
	char **grown;

	for (size_t i = 0; i < *n; i++)
		if (strcmp((*list)[i], value) == 0)
			return xos_err_set(
			    err, XOS_CONFLICT, "claims", "\"%s\" stands in the token twice", value);
	if (*n >= max)
		return xos_err_set(err, XOS_LIMIT, "claims",
		    "a token holds at most %zu of these, \"%s\" is one more", max, value);
	grown = realloc(*list, (*n + 1) * sizeof(**list));
	if (!grown)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	*list = grown;
	grown[*n] = strdup(value);
	if (!grown[*n])
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	(*n)++;
	return XOS_OK;
}

enum xos_status xos_claims_add_group(struct xos_claims *c, const char *group, struct xos_err *err)
{
	if (!group || !xos_name_is_group(group))
		return bad(err, "the group", group);
	if (!xos_fqan_in_vo(group, c->vo))
		return bad(err, "a group of another VO,", group);
	return add(&c->groups, &c->ngroups, XOS_CLAIMS_GROUPS_MAX, group, err);
}

enum xos_status xos_claims_add_role(struct xos_claims *c, const char *role, struct xos_err *err)
{
	if (!role || !xos_name_is_role(role))
		return bad(err, "the role", role);
	if (!xos_fqan_in_vo(role, c->vo))
		return bad(err, "a role of another VO,", role);
	return add(&c->roles, &c->nroles, XOS_CLAIMS_ROLES_MAX, role, err);
}

enum xos_status xos_claims_dup(
    const struct xos_claims *c, struct xos_claims **out, struct xos_err *err)
{
	struct xos_claims *d = NULL;
	enum xos_status st = xos_claims_new(c->kind, c->vo, c->name, &d, err);

	*out = NULL;
	if (st != XOS_OK)
		return st;
	d->number = c->number;
	d->auth_time = c->auth_time;
	d->auth_mfa = c->auth_mfa;
	memcpy(d->service, c->service, sizeof(d->service));
	memcpy(d->auth_method, c->auth_method, sizeof(d->auth_method));
	memcpy(d->home_org, c->home_org, sizeof(d->home_org));
	for (size_t i = 0; st == XOS_OK && i < c->ngroups; i++)
		st = xos_claims_add_group(d, c->groups[i], err);
	for (size_t i = 0; st == XOS_OK && i < c->nroles; i++)
		st = xos_claims_add_role(d, c->roles[i], err);
	if (st != XOS_OK) {
		xos_claims_free(d);
		return st;
	}
	*out = d;
	return XOS_OK;
}

static bool home_ok(const char *s)
{
	for (; *s; s++)
		if (*s <= 0x20 || *s >= 0x7f)
			return false;
	return true;
}

static enum xos_status check_person(const struct xos_claims *c, struct xos_err *err)
{
	if (c->number == 0)
		return bad(err, "no member number for", c->name);
	if (!token_word_ok(c->auth_method, XOS_AUTH_METHOD_MAX))
		return bad(err, "the authentication method", c->auth_method);
	if (c->auth_time <= 0)
		return bad(err, "no time of authentication for", c->name);
	if (!home_ok(c->home_org))
		return bad(err, "the home organisation", c->home_org);
	return XOS_OK;
}

static enum xos_status check_machine(const struct xos_claims *c, struct xos_err *err)
{
	if (c->number || c->ngroups || c->nroles)
		return bad(err, "a member's number, groups or roles for the machine", c->name);
	if (c->auth_method[0] || c->auth_time || c->auth_mfa || c->home_org[0])
		return bad(err, "a person's authentication for the machine", c->name);
	return XOS_OK;
}

enum xos_status xos_claims_check(const struct xos_claims *c, struct xos_err *err)
{
	if (!xos_kind_valid(c->kind))
		return bad(err, "the kind", "");
	if (!xos_name_is_vo(c->vo) || !token_name_ok(c->kind, c->vo, c->name))
		return bad(err, "the name", c->name);
	if (c->kind == XOS_KIND_SERVICE ? !token_word_ok(c->service, XOS_SERVICE_MAX)
	                                : c->service[0] != 0)
		return bad(err, "the service", c->service);
	if (c->ngroups > XOS_CLAIMS_GROUPS_MAX || c->nroles > XOS_CLAIMS_ROLES_MAX)
		return xos_err_set(
		    err, XOS_LIMIT, "claims", "too many groups or roles for a token");
	for (size_t i = 0; i < c->ngroups; i++)
		if (!xos_name_is_group(c->groups[i]) || !xos_fqan_in_vo(c->groups[i], c->vo))
			return bad(err, "the group", c->groups[i]);
	for (size_t i = 0; i < c->nroles; i++)
		if (!xos_name_is_role(c->roles[i]) || !xos_fqan_in_vo(c->roles[i], c->vo))
			return bad(err, "the role", c->roles[i]);
	return is_person(c->kind) ? check_person(c, err) : check_machine(c, err);
}

enum xos_status xos_claims_uri(
    const struct xos_claims *c, char out[XOS_URI_MAX], struct xos_err *err)
{
	bool ok;

	if (c->kind == XOS_KIND_DELEGATION)
		return bad(err, "a URI of its own but a grant's, for the delegation of", c->name);
	if (c->kind == XOS_KIND_SERVICE)
		ok = xos_str_printf(
		    out, XOS_URI_MAX, "spiffe://%s/service/%s/%s", c->vo, c->service, c->name);
	else
		ok = xos_str_printf(
		    out, XOS_URI_MAX, "spiffe://%s/%s/%s", c->vo, xos_kind_name(c->kind), c->name);
	return ok ? XOS_OK : bad(err, "the name", c->name);
}
