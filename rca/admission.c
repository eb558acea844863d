/* The auth process, about who admits: owners' terms, joining by code, leaving; and who is a member at all. */
#include <stdlib.h>
#include <string.h>

#include "api/rca_admission.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "bundle/admission.h"
#include "pki/digest.h"
#include "rca/admit.h"
#include "rca/sites.h"

#define SKEW 300
#define UNKNOWN_LIFE                                                                               \
	(90 * 86400) /* the longest that rcad.conf allows: of certificates that were not noted */

RCA_HANDLE(roster)
{
	struct rca_auth *a = auth;

	(void)from;
	(void)reply;
	return xos_gate_roster(a->gate, payload, xos_clock_now(), err);
}

RCA_HANDLE(ca_locks)
{
	struct rca_auth *a = auth;

	(void)from;
	(void)reply;
	return xos_gate_locks(a->gate, payload, xos_clock_now(), err);
}

/* --- an owner's terms --- */

/* They stand in the log before they count. */
static enum xos_status note_terms(struct rca_auth *a, const struct xos_admission *t,
    struct xos_bytes compact, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *args = xos_json_object();
	const char *names[XOS_ADMISSION_APPROVERS_MAX];
	uint8_t digest[XOS_SHA256_LEN];
	char hex[2 * XOS_SHA256_LEN + 1];

	if (xos_sha256(compact, digest) != XOS_OK)
		memset(digest, 0, sizeof(digest));
	xos_hex_encode(hex, digest, sizeof(digest));
	for (size_t i = 0; i < t->napprovers; i++)
		names[i] = t->approvers[i];
	xos_json_set_string(args, "site", t->site);
	xos_json_set_int(args, "serial", (int64_t)t->serial);
	xos_json_set_time(args, "expires", t->expires);
	xos_json_set_int(args, "rescue", t->rescue);
	xos_json_set_strings(args, "approvers", names, t->napprovers);
	xos_json_set_string(doc, "verb", "site.terms");
	xos_json_set_string(doc, "by", "the site's key");
	xos_json_set_string(doc, "digest", hex);
	xos_json_set(doc, "args", args);
	return rca_auth_ask_key(a, RCA_NOTE, doc, NULL, err);
}

static enum xos_status take_terms(
    struct rca_auth *a, const char *site, struct xos_bytes compact, struct xos_err *err)
{
	struct xos_admission terms;
	struct xos_key *key = NULL;
	int64_t now = xos_clock_now();
	enum xos_status st = rca_site_key(a->db, site, &key, err);

	if (st == XOS_OK)
		st = xos_admission_verify(
		    key, a->conf->common.vo, site, compact, now, SKEW, &terms, err);
	if (st == XOS_OK)
		st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = rca_site_terms_put(a->db, &terms, compact, now, err);
	if (st == XOS_OK)
		st = note_terms(a, &terms, compact, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	xos_key_free(key);
	return st;
}

RCA_HANDLE(terms)
{
	struct xos_bytes compact = XOS_BYTES_NONE;
	struct xos_reader r;
	char site[XOS_SITE_MAX + 1] = "";

	(void)from;
	(void)reply;
	xos_reader_init(&r, payload);
	xos_reader_lp_str(&r, site, sizeof(site));
	xos_reader_lp(&r, XOS_ADMISSION_MAX, &compact);
	if (xos_reader_end(&r) != XOS_OK || !xos_name_is_site(site))
		return xos_err_set(err, XOS_MALFORMED, "site-name", "no site name");
	enum xos_status st = take_terms(auth, site, compact, err);
	if (st == XOS_OK)
		XOS_EVENT(XOS_INFO, "site.terms", "site", site);
	else
		xos_event_err(
		    XOS_WARN, "site.terms.refused", err, "site", site, (const char *)NULL);
	return st;
}

/* --- joining by a code --- */

static enum xos_status join(struct rca_auth *a, const char *peer, struct xos_bytes body,
    struct xos_buf *reply, struct xos_err *err)
{
	struct xos_rca_application *app = NULL;
	struct xos_json *answer = NULL;
	char code[XOS_RCA_CODE_MAX + 1] = "", id[XOS_RCA_ID_LEN + 1] = "";
	int64_t now = xos_clock_now();
	enum xos_status st = rca_guess_check(a->guess, peer, now, err);

	if (st == XOS_OK)
		st = xos_rca_join_decode(body, &app, code, err);
	if (st == XOS_OK)
		st = rca_join(a, app, code, now, id, err);
	if (st == XOS_DENIED && strcmp(err->code, "join-code") == 0)
		rca_guess_failed(a->guess, peer, now);
	if (st == XOS_OK) {
		answer = xos_json_object();
		xos_json_set_string(answer, "id", id);
		st = xos_json_dump(answer, reply, err);
	}
	xos_wipe(code, sizeof(code));
	xos_json_free(answer);
	xos_rca_application_free(app);
	return st;
}

RCA_HANDLE(join)
{
	struct xos_err own = XOS_ERR_INIT;
	struct xos_bytes body = XOS_BYTES_NONE;
	struct xos_reader r;
	char peer[128] = "";

	(void)from;
	xos_reader_init(&r, payload);
	xos_reader_lp_str(&r, peer, sizeof(peer));
	xos_reader_lp(&r, XOS_RCA_BODY_MAX, &body);
	if (xos_reader_end(&r) != XOS_OK)
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad request to join");
	enum xos_status st = join(auth, peer, body, reply, &own);
	if (st != XOS_OK)
		xos_event_err(
		    XOS_WARN, "node.join.refused", &own, "peer", peer, (const char *)NULL);
	if (st != XOS_OK && err)
		*err = own;
	return st;
}

/* --- leaving --- */

enum xos_status rca_auth_leave(
    struct rca_auth *a, const char *node, const char *by, int64_t now, struct xos_err *err)
{
	int64_t until = 0;
	enum xos_status st = xos_store_begin(a->db, err);

	if (st == XOS_OK)
		st = rca_certificate_end(a->db, node, now + UNKNOWN_LIFE, &until, err);
	if (st == XOS_OK)
		st = rca_node_leave(a->db, node, now, until, by, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	rca_auth_forget_locks(a);
	if (st == XOS_OK)
		XOS_EVENT(XOS_INFO, "node.left", "node", node, "by", by);
	return st;
}

static enum xos_status note_leave(
    struct rca_auth *a, const struct xos_rca_leave *l, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object(), *args = xos_json_object();

	xos_json_set_string(args, "node", l->node);
	xos_json_set_string(args, "certificate", l->serial);
	xos_json_set_string(doc, "verb", "node.leave");
	xos_json_set_string(doc, "by", "the node");
	xos_json_set_string(doc, "digest", l->jti);
	xos_json_set(doc, "args", args);
	return rca_auth_ask_key(a, RCA_NOTE, doc, NULL, err);
}

RCA_HANDLE(leave)
{
	struct rca_auth *a = auth;
	struct xos_rca_leave l;
	char site[XOS_SITE_MAX + 1];
	int64_t now = xos_clock_now();
	enum xos_status st =
	    xos_rca_leave_open(payload, a->trust, a->conf->common.vo, now, &l, err);

	(void)from;
	(void)reply;
	if (st == XOS_OK)
		st = rca_node_site(a->db, l.node, site, err);
	if (st == XOS_OK)
		st = rca_auth_use_once(a, l.jti, l.exp, err);
	if (st == XOS_OK)
		st = note_leave(a, &l, err);
	if (st == XOS_OK)
		st = rca_auth_leave(a, l.node, "the node", now, err);
	/* Said twice, by a node whose answer was lost: it is gone, as it wants. */
	if (st == XOS_CONFLICT)
		st = XOS_OK;
	if (st != XOS_OK)
		xos_event_err(XOS_WARN, "node.leave.refused", err, (const char *)NULL);
	return st;
}
