/* The gate, for members who administer nothing: roster and locks of the ca. */
#include "service/gate_internal.h"

#include <string.h>

#include "api/signer.h"

struct xos_bundle_certs xos_gate_issuers(const struct xos_gate *g, const struct xos_cert **cert)
{
	struct xos_bundle_certs certs = {.cert = cert};

	certs.n = xos_trust_issuers(g->o.trust, g->o.vo, cert, XOS_GATE_ISSUERS_MAX);
	return certs;
}

struct xos_bundle_trust xos_gate_trust(const struct xos_gate *g, int64_t now)
{
	return (struct xos_bundle_trust){.vo = g->o.vo,
	    .signer = xos_api_signer,
	    .signed_at = xos_api_signed_at,
	    .arg = (void *)(uintptr_t)g->o.trust,
	    .now = now,
	    .skew = XOS_GATE_SKEW};
}

static enum xos_status older(const char *what, struct xos_err *err)
{
	return xos_err_set(
	    err, XOS_CONFLICT, "older-list", "a %s that is older than the one in force", what);
}

enum xos_status xos_gate_roster(
    struct xos_gate *g, struct xos_bytes compact, int64_t now, struct xos_err *err)
{
	const struct xos_cert *cert[XOS_GATE_ISSUERS_MAX];
	const struct xos_bundle_certs certs = xos_gate_issuers(g, cert);
	const struct xos_bundle_trust trust = xos_gate_trust(g, now);
	struct xos_roster *fresh = NULL;
	enum xos_status st = xos_roster_verify(compact, &certs, &trust, &fresh, err);

	if (st == XOS_OK && g->roster && now < xos_roster_expires(g->roster) &&
	    xos_roster_serial(fresh) < xos_roster_serial(g->roster)) {
		xos_roster_free(fresh);
		return older("roster", err);
	}
	if (st == XOS_OK) {
		xos_roster_free(g->roster);
		g->roster = fresh;
	}
	return st;
}

enum xos_status xos_gate_locks(
    struct xos_gate *g, struct xos_bytes compact, int64_t now, struct xos_err *err)
{
	const struct xos_cert *cert[XOS_GATE_ISSUERS_MAX];
	const struct xos_bundle_certs certs = xos_gate_issuers(g, cert);
	const struct xos_bundle_trust trust = xos_gate_trust(g, now);
	struct xos_locks *fresh = NULL;
	enum xos_status st = xos_locks_verify(compact, XOS_SIGNER_CA, &certs, &trust, &fresh, err);

	if (st == XOS_OK && g->locks && now < xos_locks_expires(g->locks) &&
	    xos_locks_serial(fresh) < xos_locks_serial(g->locks)) {
		xos_locks_free(fresh);
		return older("lock list", err);
	}
	if (st == XOS_OK) {
		xos_locks_free(g->locks);
		g->locks = fresh;
	}
	return st;
}

/* Do roster and locks say what the ca knew when it signed the list of administrators, minutes ago at most? A ca that
 * says no serials is from before there were any: what is not known to be new does not count. */
static enum xos_status up_to_date(const struct xos_gate *g, int64_t now, struct xos_err *err)
{
	enum xos_status st = xos_gate_list_counts(g, now, err);

	if (st != XOS_OK)
		return st;
	if (g->list->roster && g->list->locks && g->roster && g->locks &&
	    xos_roster_serial(g->roster) >= g->list->roster &&
	    xos_locks_serial(g->locks) >= g->list->locks && now < xos_roster_expires(g->roster) &&
	    now < xos_locks_expires(g->locks))
		return XOS_OK;
	return xos_err_set(err, XOS_UNAVAILABLE, "administrators-unknown",
	    "this server has not heard yet from xos-cad who is a member of VO %s at this moment: "
	    "try "
	    "again in a few seconds; if that does not help, /health/ready says why",
	    g->o.vo);
}

static enum xos_status on_roster(
    const struct xos_gate *g, const char *name, uint64_t number, struct xos_err *err)
{
	const struct xos_roster_member *m = xos_roster_find(g->roster, name);

	if (!m || m->number != number)
		return xos_err_set(err, XOS_DENIED, "member-unknown",
		    "VO %s has no member %s with the number %llu", g->o.vo, name,
		    (unsigned long long)number);
	if (m->state != XOS_MEMBER_ACTIVE)
		return xos_err_set(err, XOS_DENIED, "member-suspended",
		    "the membership of %s is %s", name, xos_member_state_name(m->state));
	return XOS_OK;
}

static enum xos_status refuse(const struct xos_lock *lock, struct xos_err *err)
{
	return xos_err_set(err, XOS_DENIED, "locked", "the %s %s is locked%s%s",
	    xos_lock_kind_name(lock->kind), lock->name, lock->message[0] ? ": " : "",
	    lock->message);
}

static const struct xos_lock *find_lock(
    const struct xos_gate *g, const struct xos_identity *id, int64_t now)
{
	const struct xos_claims *who = id->claims;
	const struct xos_lock *lock = xos_locks_find(g->locks, XOS_LOCK_MEMBER, who->name, now);

	if (!lock)
		lock = xos_locks_find(g->locks, XOS_LOCK_TOKEN, id->serial, now);
	if (!lock && who->home_org[0])
		lock = xos_locks_find(g->locks, XOS_LOCK_HOME, who->home_org, now);
	for (size_t i = 0; !lock && i < who->ngroups; i++)
		lock = xos_locks_find_fqan(g->locks, who->groups[i], now);
	for (size_t i = 0; !lock && i < who->nroles; i++)
		lock = xos_locks_find_fqan(g->locks, who->roles[i], now);
	return lock;
}

enum xos_status xos_gate_member(
    const struct xos_gate *g, const struct xos_identity *id, int64_t now, struct xos_err *err)
{
	enum xos_status st = up_to_date(g, now, err);
	const struct xos_lock *lock = NULL;

	if (st == XOS_OK)
		st = on_roster(g, id->claims->name, id->claims->number, err);
	if (st == XOS_OK && (lock = find_lock(g, id, now)))
		st = refuse(lock, err);
	return st;
}

enum xos_status xos_gate_named(
    const struct xos_gate *g, const char *name, uint64_t number, int64_t now, struct xos_err *err)
{
	enum xos_status st = up_to_date(g, now, err);
	const struct xos_lock *lock = NULL;

	if (st == XOS_OK)
		st = on_roster(g, name, number, err);
	if (st == XOS_OK && (lock = xos_locks_find(g->locks, XOS_LOCK_MEMBER, name, now)))
		st = refuse(lock, err);
	return st;
}
