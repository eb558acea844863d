#include "ca/auth/auth.h"

#include <stdlib.h>
#include <string.h>

#include "api/cad_renew.h"
#include "base/clock.h"
#include "base/text.h"
#include "ca/auth/applications.h"

const struct xos_bulk_handler ca_auth_table[] = {
    {CA_LOGIN_BEGIN, "login.begin", 1u << 0, 4096, ca_login_begin},
    {CA_LOGIN_FINISH, "login.finish", 1u << 0, 4096, ca_login_finish},
    {CA_RENEW, "renew", 1u << 0, XOS_CAD_RENEWAL_MAX + 128, ca_renew},
    {CA_COMMAND, "command", 1u << 0, XOS_COMMAND_BODY_MAX + 128, ca_command},
    {CA_REPORT, "report", 1u << 0, 0, ca_auth_report},
    {CA_APPLY, "apply", 1u << 0, XOS_APPLY_MAX + 128, ca_handle_apply},
    {CA_APPLICATION, "application", 1u << 0, XOS_APPLY_MAX + 128, ca_handle_application},
    {CA_ACCEPT, "accept", 1u << 0, 4096, ca_handle_accept},
    {CA_RULES, "rules", 1u << 0, 8, ca_handle_rules},
    {CA_ABOUT, "about", 1u << 0, 0, ca_handle_about},
    {CA_JOB_GRANT, "job-grant", 1u << 0, XOS_GRANT_BODY_MAX + 128, ca_handle_job_grant},
    {CA_JOB_RENEW, "job-renew", 1u << 0, XOS_GRANT_BODY_MAX + 256, ca_handle_job_renew},
};
const size_t ca_auth_ntable = sizeof(ca_auth_table) / sizeof(ca_auth_table[0]);

int64_t ca_key_deadline(void)
{
	return xos_clock_mono_ms() + CA_KEY_DEADLINE_MS;
}

/* What SCRAM checks against. A member that left has none, so leaving looks like never having been. */
static enum xos_status lookup(
    void *arg, const char *member, enum xos_scram_kind kind, struct xos_scram_verifier *out)
{
	struct ca_auth *a = arg;
	enum xos_status st =
	    ca_verifiers_get(a->verifiers, member, kind, xos_clock_now(), out, NULL);

	xos_wipe(&a->found, sizeof(a->found));
	if (st == XOS_OK)
		a->found = *out;
	return st;
}

static enum xos_status open_state(
    struct ca_auth *a, const struct ca_auth_opts *o, struct xos_err *err)
{
	enum xos_status st =
	    ca_membership_open(o->membership, o->vo, false, false, &a->membership, err);

	if (st == XOS_OK)
		st = ca_verifiers_open(o->verifiers, false, &a->verifiers, err);
	if (st == XOS_OK)
		st = ca_verifiers_recover(a->verifiers, a->membership, xos_clock_now(), err);
	if (st == XOS_OK)
		st = ca_applications_tidy(a->membership, a->verifiers, xos_clock_now(), err);
	return st;
}

enum xos_status ca_auth_new(const struct ca_auth_opts *o, struct ca_auth **out, struct xos_err *err)
{
	struct ca_auth *a = calloc(1, sizeof(*a));
	enum xos_status st = XOS_OK;

	*out = NULL;
	if (a)
		a->throttle = ca_throttle_new();
	if (!a || !a->throttle || !xos_str_copy(a->vo, sizeof(a->vo), o->vo) ||
	    !xos_str_copy(a->watch.membership, sizeof(a->watch.membership), o->membership))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK) {
		a->trust = xos_trust_ref(o->trust);
		a->iterations = o->iterations;
		a->renew_max = o->renew_max;
		a->grant_max = o->grant_max;
		a->delegations = o->delegations;
		st = xos_bulk_new(o->key, &a->key, err);
	}
	if (st == XOS_OK)
		st = open_state(a, o, err);
	if (st == XOS_OK) {
		struct xos_scram_server_opts s = {.lookup = lookup,
		    .arg = a,
		    .fake_secret = {a->verifiers->secret, sizeof(a->verifiers->secret)},
		    .fake_iterations = (uint32_t)o->iterations};

		st = xos_scram_server_new(&s, &a->scram, err);
	}
	if (st != XOS_OK) {
		ca_auth_free(a);
		return st;
	}
	*out = a;
	return XOS_OK;
}

static void drop_session(struct ca_session *s)
{
	xos_scram_session_free(s->scram);
	xos_wipe(s, sizeof(*s));
}

void ca_auth_free(struct ca_auth *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < CA_SESSIONS; i++)
		drop_session(&a->sessions[i]);
	xos_scram_server_free(a->scram);
	xos_store_close(a->watch.probe);
	ca_verifiers_close(a->verifiers);
	ca_membership_close(a->membership);
	xos_bulk_free(a->key);
	xos_trust_free(a->trust);
	ca_throttle_free(a->throttle);
	xos_wipe(a, sizeof(*a));
	free(a);
}

void ca_auth_tick(void *auth)
{
	struct ca_auth *a = auth;
	int64_t now = xos_clock_now();

	for (size_t i = 0; i < CA_SESSIONS; i++)
		if (a->sessions[i].scram &&
		    (a->sessions[i].until < now || a->sessions[i].until > now + CA_SESSION_LIFE))
			drop_session(&a->sessions[i]);
	/* A password whose database could not be written when its command was carried out. */
	(void)!ca_verifiers_recover(a->verifiers, a->membership, now, NULL);
}
