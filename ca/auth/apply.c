/* What the auth process answers to people without a token: about the VO, and applications. */
#include <string.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/secret.h"
#include "base/text.h"
#include "ca/auth/applications.h"
#include "ca/auth/auth.h"
#include "ca/membership/vo.h"

static enum xos_status answer(struct xos_json *doc, struct xos_buf *reply, struct xos_err *err)
{
	enum xos_status st = xos_json_dump(doc, reply, err);

	xos_json_free(doc);
	return st;
}

enum xos_status ca_handle_about(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_auth *a = auth;
	struct xos_json *doc;
	struct ca_vo vo;
	enum xos_status st = ca_vo_get(a->membership, &vo, err);

	(void)from;
	(void)payload;
	if (st != XOS_OK)
		return st;
	doc = xos_json_object();
	xos_json_set_string(doc, "vo", a->vo);
	xos_json_set_text(doc, "title", vo.title);
	xos_json_set_text(doc, "contact", vo.contact);
	xos_json_set_string(doc, "model", ca_vo_model_name(vo.model));
	if (vo.ends < CA_NO_END)
		xos_json_set_time(doc, "ends", vo.ends);
	if (vo.closed)
		xos_json_set_time(doc, "closed", vo.closed);
	xos_json_set_int(doc, "rules", (int64_t)vo.rules);
	xos_json_set_int(doc, "iterations", a->iterations);
	if (a->delegations)
		xos_json_set_int(doc, "grant_max", a->grant_max);
	return answer(doc, reply, err);
}

static enum xos_status check_application(
    struct ca_auth *a, const struct xos_application *p, int64_t now, struct xos_err *err)
{
	struct ca_vo vo;
	enum xos_status st = ca_vo_get(a->membership, &vo, err);

	if (st == XOS_OK)
		st = ca_vo_check(a->membership, &vo, now, err);
	if (st == XOS_OK && !xos_name_is_member(a->vo, p->name))
		st = xos_err_set(err, XOS_MALFORMED, "member-name",
		    "\"%s\" is no member name: it must begin with a letter a-z, continue with a-z, "
		    "0-9, '.', '_' or '-', and %s.NAME must not exceed %d characters",
		    p->name, a->vo, XOS_ACCOUNT_MAX);
	if (st == XOS_OK && p->verifier.iterations != (uint32_t)a->iterations)
		st = xos_err_set(err, XOS_MALFORMED, "scram-iterations",
		    "passwords of VO %s take %lld iterations, not %u", a->vo,
		    (long long)a->iterations, p->verifier.iterations);
	return st;
}

enum xos_status ca_handle_apply(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_auth *a = auth;
	struct xos_application p;
	char peer[CA_PEER_MAX + 1] = "", id[XOS_APPLY_ID_LEN + 1] = "";
	struct xos_bytes body = XOS_BYTES_NONE;
	struct xos_json *doc;
	int64_t now = xos_clock_now();
	enum xos_status st = ca_command_get(payload, peer, &body, err);

	(void)from;
	if (st == XOS_OK)
		st = xos_application_decode(body, &p, err);
	if (st != XOS_OK)
		return st;
	st = check_application(a, &p, now, err);
	if (st == XOS_OK)
		st = ca_application_add(a->membership, a->verifiers, &p, peer, now, id, err);
	xos_wipe(&p.verifier, sizeof(p.verifier));
	if (st != XOS_OK) {
		xos_event_err(
		    XOS_WARN, "application.refused", err, "peer", peer, (const char *)NULL);
		return st;
	}
	XOS_EVENT(XOS_INFO, "application.received", "id", id, "name", p.name, "peer", peer);
	doc = xos_json_object();
	xos_json_set_string(doc, "id", id);
	return answer(doc, reply, err);
}

/* lp(id) lp(body). A wrong secret and an unknown id are answered alike. */
enum xos_status ca_handle_application(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_auth *a = auth;
	struct ca_application p;
	uint8_t digest[XOS_SHA256_LEN];
	char id[CA_PEER_MAX + 1] = "";
	struct xos_bytes body = XOS_BYTES_NONE;
	struct xos_json *doc;
	enum xos_status st = ca_command_get(payload, id, &body, err);

	(void)from;
	if (st == XOS_OK)
		st = xos_application_secret(body, digest, err);
	if (st == XOS_OK)
		st = ca_application_get(a->membership, id, &p, err);
	if (st == XOS_OK && !xos_ct_equal(digest, p.secret, sizeof(digest)))
		st = xos_err_set(err, XOS_NOT_FOUND, "no-application",
		    "there is no such application for VO %s", a->vo);
	if (st != XOS_OK)
		return st;
	doc = xos_json_object();
	xos_json_set_string(doc, "state", ca_application_state_name(p.state));
	xos_json_set_string(doc, "name", p.name);
	if (p.message[0])
		xos_json_set_text(doc, "message", p.message);
	return answer(doc, reply, err);
}
