#include "vops/standing.h"

#include <stdlib.h>
#include <string.h>

#include "bundle/membership.h"
#include "decide/standing.h"
#include "vops/handover.h"

/* Roster and lists of locks as verified when they were last needed: a roster may be megabytes. */
struct vops_known {
	struct xos_roster *roster;
	struct xos_locks *locks[2];
	struct xos_membership *membership; /* NULL: not needed yet */
};

void vops_standing_forget(struct vops_auth *a)
{
	if (!a->known)
		return;
	xos_roster_free(a->known->roster);
	xos_locks_free(a->known->locks[0]);
	xos_locks_free(a->known->locks[1]);
	xos_membership_free(a->known->membership);
	free(a->known);
	a->known = NULL;
}

static enum xos_status read_object(struct vops_auth *a, enum vops_object o,
    const struct xos_bundle_trust *trust, struct vops_known *k, struct xos_err *err)
{
	const struct xos_cert *cert[VOPS_ISSUERS_MAX];
	const struct xos_bundle_certs certs = {.cert = cert, .n = vops_issuers(a->trust, cert)};
	struct xos_buf compact;

	xos_buf_init(&compact, XOS_ROSTER_MAX);
	enum xos_status st = vops_object_get(a->db, o, &compact, err);
	if (st == XOS_OK && o == VOPS_ROSTER)
		st = xos_roster_verify(xos_buf_bytes(&compact), &certs, trust, &k->roster, err);
	else if (st == XOS_OK)
		st = xos_locks_verify(xos_buf_bytes(&compact),
		    o == VOPS_LOCKS_CA ? XOS_SIGNER_CA : XOS_SIGNER_RCA, &certs, trust,
		    &k->locks[o == VOPS_LOCKS_RCA], err);
	xos_buf_free(&compact);
	return st;
}

static enum xos_status know(struct vops_auth *a, int64_t now, struct xos_err *err)
{
	const struct xos_bundle_trust trust = vops_auth_trust(a, now);
	struct vops_known *k = a->known;
	enum xos_status st = XOS_OK;

	if (k && (now >= xos_roster_expires(k->roster) || now >= xos_locks_expires(k->locks[0]) ||
	             now >= xos_locks_expires(k->locks[1])))
		vops_standing_forget(a);
	if (a->known)
		return XOS_OK;
	a->known = calloc(1, sizeof(*a->known));
	if (!a->known)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (int o = 0; st == XOS_OK && o < VOPS_OBJECTS; o++)
		st = read_object(a, (enum vops_object)o, &trust, a->known, err);
	if (st != XOS_OK)
		vops_standing_forget(a);
	if (st != XOS_OK && st != XOS_INTERNAL)
		return xos_err_set(err, XOS_UNAVAILABLE, "locks-unknown",
		    "this server has no roster or no list of locks that still counts, and takes "
		    "nothing of members without: try again in a few seconds; /health/ready says "
		    "why");
	return st;
}

static const struct xos_lock *find_lock(
    const void *arg, enum xos_lock_kind kind, const char *name, int64_t now)
{
	const struct vops_known *k = arg;
	bool fqan = kind == XOS_LOCK_GROUP || kind == XOS_LOCK_ROLE;
	const struct xos_lock *l = NULL;

	for (size_t i = 0; !l && i < 2; i++)
		l = fqan ? xos_locks_find_fqan(k->locks[i], name, now)
		         : xos_locks_find(k->locks[i], kind, name, now);
	return l;
}

enum xos_status vops_standing_member(
    struct vops_auth *a, const struct xos_identity *id, int64_t now, struct xos_err *err)
{
	enum xos_status st = know(a, now, err);

	if (st != XOS_OK)
		return st;
	const struct xos_standing s = {.where = "The policy service's",
	    .roster = a->known->roster,
	    .lock = find_lock,
	    .arg = a->known};
	return xos_standing_check(&s, id->claims, id->serial, NULL, now, err);
}

bool vops_standing_node(struct vops_auth *a, const char *node, int64_t now)
{
	return know(a, now, NULL) != XOS_OK || !find_lock(a->known, XOS_LOCK_NODE, node, now);
}

enum xos_status vops_standing_admin(
    struct vops_auth *a, const struct xos_command *c, int64_t now, struct xos_err *err)
{
	enum xos_status st = xos_command_demand_admin(c, err);

	return st == XOS_OK ? xos_gate_standing(a->gate, c->signer, now, err) : st;
}

/* Is one of the roles Role=admin of the group, or of one above it? */
static bool administers(const char *const *roles, size_t n, const char *group)
{
	for (size_t i = 0; i < n; i++) {
		char above[XOS_FQAN_MAX + 1];
		const char *role = NULL;
		size_t len = 0;

		if (!xos_role_split(roles[i], &len, &role) || strcmp(role, "admin") != 0 ||
		    len >= sizeof(above))
			continue;
		memcpy(above, roles[i], len);
		above[len] = 0;
		if (xos_group_within(group, above))
			return true;
	}
	return false;
}

static enum xos_status not_administrator(
    const struct xos_claims *who, const char *group, bool lost, struct xos_err *err)
{
	if (lost)
		return xos_err_set(err, XOS_DENIED, "not-group-administrator",
		    "%s does not administer %s now, whatever the token says; if the role was "
		    "granted "
		    "just now, try again in a few seconds",
		    who->name, group);
	return xos_err_set(err, XOS_DENIED, "not-group-administrator",
	    "%s does not act as administrator of %s: log in with --role %s/Role=admin, or that "
	    "role "
	    "of a group above it",
	    who->name, group, group);
}

/* A token says what was held at log-in; the ca says what is held now. */
static enum xos_status know_membership(struct vops_auth *a, int64_t now, struct xos_err *err)
{
	const struct xos_bundle_trust trust = vops_auth_trust(a, now);
	const struct xos_cert *cert[VOPS_ISSUERS_MAX];
	const struct xos_bundle_certs certs = {.cert = cert, .n = vops_issuers(a->trust, cert)};
	struct xos_buf compact;
	enum xos_status st = XOS_OK;

	if (a->known->membership && now < xos_membership_expires(a->known->membership))
		return XOS_OK;
	xos_membership_free(a->known->membership);
	a->known->membership = NULL;
	xos_buf_init(&compact, XOS_MEMBERSHIP_MAX);
	st = vops_object_get(a->db, VOPS_MEMBERSHIP_OBJECT, &compact, err);
	if (st == XOS_OK)
		st = xos_membership_verify(
		    xos_buf_bytes(&compact), &certs, &trust, &a->known->membership, err);
	xos_buf_free(&compact);
	if (st != XOS_OK && st != XOS_INTERNAL)
		return xos_err_set(err, XOS_UNAVAILABLE, "locks-unknown",
		    "this server has not heard from xos-cad who holds which role now: try again in "
		    "a "
		    "few "
		    "seconds; /health/ready says why");
	return st;
}

enum xos_status vops_standing_group(struct vops_auth *a, const struct xos_command *c,
    const char *group, int64_t now, struct xos_err *err)
{
	const struct xos_claims *who = c->signer->claims;
	const struct xos_membership_member *m = NULL;

	if (xos_command_is_admin(c))
		return vops_standing_admin(a, c, now, err);
	if (!administers((const char *const *)who->roles, who->nroles, group))
		return not_administrator(who, group, false, err);
	enum xos_status st = vops_standing_member(a, c->signer, now, err);
	if (st == XOS_OK)
		st = know_membership(a, now, err);
	if (st != XOS_OK)
		return st;
	m = xos_membership_find(a->known->membership, who->name);
	return m && m->number == who->number && administers(m->roles, m->nroles, group)
	           ? XOS_OK
	           : not_administrator(who, group, true, err);
}
