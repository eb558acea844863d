/* The VO's rules in the auth process: given to anybody, accepted by whoever proves to be a member. */
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "ca/auth/auth.h"
#include "ca/membership/rules.h"
#include "ca/membership/standing.h"

enum xos_status ca_handle_rules(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_auth *a = auth;
	struct xos_rules rules = {.text = NULL};
	struct xos_json *doc = NULL;
	uint64_t version = 0;
	enum xos_status st = ca_u64_get(payload, &version, err);

	(void)from;
	if (st == XOS_OK)
		st = ca_rules_get(a->membership, version, &rules, err);
	if (st == XOS_OK) {
		doc = xos_rules_encode(&rules);
		st = xos_json_dump(doc, reply, err);
	}
	xos_json_free(doc);
	xos_rules_clear(&rules);
	return st;
}

/* Rules are accepted by members in good standing: the word of others is nothing to keep. */
static enum xos_status check_member(
    struct ca_auth *a, const char *name, int64_t now, struct xos_err *err)
{
	struct ca_member *member = NULL;
	enum xos_status st = ca_member_get(a->membership, name, &member, err);

	if (st == XOS_OK)
		st = ca_standing_check(a->membership, member, now, err);
	ca_member_free(member);
	return st;
}

/* The proof is bound to version and digest, so network can neither make nor change one. */
enum xos_status ca_handle_accept(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_auth *a = auth;
	struct ca_accept m;
	uint8_t binding[XOS_SHA256_LEN];
	char name[XOS_MEMBER_MAX + 1] = "";
	int64_t now = xos_clock_now();
	enum xos_status st = ca_accept_get(payload, &m, err);

	(void)from;
	if (st == XOS_OK)
		st = xos_rules_binding(a->vo, m.version, m.digest, binding, err);
	if (st == XOS_OK)
		st = ca_login_proof(a, &m.proof, binding, name, reply, err);
	if (st == XOS_OK)
		st = check_member(a, name, now, err);
	if (st == XOS_OK)
		st = ca_rules_accept(a->membership, name, m.version, m.digest, now, err);
	if (st == XOS_OK)
		XOS_EVENT(XOS_INFO, "rules.accepted", "member", name, "peer", m.proof.address);
	else
		xos_event_err(XOS_WARN, "rules.refused", err, "member", name[0] ? name : NULL,
		    (const char *)NULL);
	return st;
}
