/* What may be asked of the policy service, one handler a verb. The caller's transaction. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "vops/abilities.h"
#include "vops/cases.h"
#include "vops/changes.h"
#include "vops/members.h"
#include "vops/standing.h"
#include "vops/versions.h"

static enum xos_status do_list(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	enum xos_status st = XOS_JSON_ONLY(c->args, err, NULL);

	return st == XOS_OK ? vops_vo_set_list(a->db, result, err) : st;
}

static enum xos_status do_show(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	struct xos_buf text;
	uint64_t serial = 0, found = 0;

	xos_buf_init(&text, XOS_POLICY_TEXT_MAX + 1);
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "serial");
	if (st == XOS_OK)
		st = xos_json_opt_uint64(c->args, "serial", INT64_MAX, 0, &serial, err);
	if (st == XOS_OK)
		st = vops_vo_set_get(a->db, serial, &text, &found, err);
	if (st == XOS_OK) {
		*result = xos_json_object();
		xos_json_set_int(*result, "serial", (int64_t)found);
		xos_json_set_string(*result, "text", xos_buf_str(&text));
	}
	xos_buf_free(&text);
	return st;
}

static enum xos_status get_site(const struct xos_json *args, const char **site, struct xos_err *err)
{
	enum xos_status st = xos_json_get_string(args, "site", XOS_SITE_MAX, site, err);

	if (st == XOS_OK && !xos_name_is_site(*site))
		st = xos_json_refuse(args, err, "\"%s\" is no site name", *site);
	return st;
}

static enum xos_status do_register(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	struct xos_key *key = NULL;
	const char *site = NULL, *pem = NULL;
	char text[XOS_FINGERPRINT_TEXT];
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "site", "key");

	if (st == XOS_OK)
		st = get_site(c->args, &site, err);
	if (st == XOS_OK)
		st = xos_json_get_string(c->args, "key", 4096, &pem, err);
	if (st == XOS_OK)
		st = xos_key_public_from_pem(xos_bytes_str(pem), &key, err);
	if (st == XOS_OK && xos_key_type(key) != XOS_KEY_P256)
		st = xos_err_set(err, XOS_DENIED, "key-algorithm",
		    "a site's key is an EC key on the curve P-256");
	if (st == XOS_OK)
		st = vops_site_add(a->db, site, key, c->signer->claims->name, xos_clock_now(), err);
	if (st == XOS_OK) {
		*result = xos_json_object();
		xos_fingerprint_text(xos_key_spki_sha256(key), text);
		xos_json_set_string(*result, "site", site);
		xos_json_set_string(*result, "fingerprint", text);
	}
	xos_key_free(key);
	return st;
}

static enum xos_status do_remove(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	const char *site = NULL;
	enum xos_status st = XOS_JSON_ONLY(c->args, err, "site");

	(void)result;
	if (st == XOS_OK)
		st = get_site(c->args, &site, err);
	return st == XOS_OK ? vops_site_remove(a->db, site, err) : st;
}

static enum xos_status do_sites(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	enum xos_status st = XOS_JSON_ONLY(c->args, err, NULL);

	return st == XOS_OK ? vops_site_list(a->db, result, err) : st;
}

static const struct {
	const char *verb;
	enum xos_status (*run)(struct vops_auth *a, struct xos_command *c, struct xos_json **result,
	    struct xos_err *err);
	bool changes; /* what nodes get */
	bool member;  /* may be sent by any member; the handler judges */
} verbs[] = {
    {"policy.push", vops_review_change, true, false},
    {"policy.rollback", vops_review_change, true, false},
    {"policy.cancel", vops_review_change, false, false},
    {"policy.review", vops_review_change, false, false},
    {"policy.list", do_list, false, false},
    {"policy.show", do_show, false, false},
    {"proposal.list", vops_review_list, false, false},
    {"proposal.show", vops_review_show, false, false},
    {"proposal.approve", vops_review_approve, true, false},
    {"proposal.reject", vops_review_reject, false, false},
    {"cases.set", vops_cases_set, false, false},
    {"cases.remove", vops_cases_remove, false, false},
    {"cases.list", vops_cases_list, false, false},
    {"cases.show", vops_cases_show, false, false},
    {"node.abilities", vops_abilities_list, false, false},
    {"set.push", vops_member_push, true, true},
    {"set.withdraw", vops_member_withdraw, true, true},
    {"set.show", vops_member_show, false, true},
    {"set.list", vops_member_list, false, true},
    {"site.register", do_register, true, false},
    {"site.remove", do_remove, true, false},
    {"site.list", do_sites, false, false},
};

enum xos_status vops_auth_command(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].verb, c->verb) != 0)
			continue;
		if (!verbs[i].member)
			st = vops_standing_admin(a, c, xos_clock_now(), err);
		if (st == XOS_OK)
			st = verbs[i].run(a, c, result, err);
		a->generation += st == XOS_OK && verbs[i].changes;
		return st;
	}
	st = vops_standing_admin(a, c, xos_clock_now(), err);
	return st != XOS_OK ? st
	                    : xos_err_set(err, XOS_MALFORMED, "unknown-verb",
	                          "the policy service knows no command %s", c->verb);
}
