#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "credd/ops.h"
#include "json/json.h"

static void set_time_or_null(struct xos_json *o, const char *key, int64_t t)
{
	if (t)
		xos_json_set_time(o, key, t);
	else
		xos_json_set_null(o, key);
}

static void set_text_or_null(struct xos_json *o, const char *key, const char *s)
{
	if (s && s[0])
		xos_json_set_text(o, key, s);
	else
		xos_json_set_null(o, key);
}

static void set_serial(struct xos_json *o, const char *key, uint64_t serial)
{
	xos_json_set_int(o, key, serial > INT64_MAX ? INT64_MAX : (int64_t)serial);
}

static void add_bundle(const struct xos_credd_view *v, struct xos_json *root)
{
	if (!v->bundle) {
		xos_json_set_null(root, "bundle");
		return;
	}
	const struct xos_policy_set *site = xos_bundle_site_set(v->bundle);
	struct xos_json *o = xos_json_object();
	set_serial(o, "serial", xos_bundle_serial(v->bundle));
	xos_json_set_time(o, "issued", xos_bundle_issued(v->bundle));
	xos_json_set_time(o, "expires", xos_bundle_expires(v->bundle));
	xos_json_set_string(o, "expires_first", xos_bundle_expires_first(v->bundle));
	set_serial(o, "vo_set", xos_policy_set_serial(xos_bundle_vo_set(v->bundle)));
	if (site)
		set_serial(o, "site_set", xos_policy_set_serial(site));
	else
		xos_json_set_null(o, "site_set");
	xos_json_set_int(o, "members", (int64_t)xos_roster_count(xos_bundle_roster(v->bundle)));
	xos_json_set(root, "bundle", o);
}

static void add_trust_list(const struct xos_credd_view *v, const char *vo, struct xos_json *root)
{
	const struct xos_trust_list *l = xos_trust_list(v->trust, vo);
	if (!l) {
		xos_json_set_null(root, "trust_list");
		return;
	}
	struct xos_json *o = xos_json_object();
	set_serial(o, "serial", l->serial);
	xos_json_set_time(o, "issued", l->issued);
	set_time_or_null(o, "expires", l->expires);
	xos_json_set(root, "trust_list", o);
}

static void add_accounts(const struct xos_credd_slice *s, struct xos_json *root)
{
	struct xos_json *o = xos_json_object();
	if (s->single) {
		xos_json_set_int(o, "first", s->uid);
		xos_json_set_int(o, "last", s->uid);
		set_text_or_null(o, "member", s->member);
	} else if (s->last) {
		xos_json_set_int(o, "first", s->first);
		xos_json_set_int(o, "last", s->last);
	}
	set_text_or_null(o, "refused", s->present ? NULL : s->why);
	xos_json_set(root, "accounts", o);
}

static void add_contacts(const struct xos_credd_ops *ops, struct xos_json *root)
{
	struct xos_json *vops = xos_json_object();
	set_text_or_null(vops, "url", ops->self->conf->vops);
	set_time_or_null(vops, "last_ok", ops->vops.last_ok);
	set_time_or_null(vops, "next", ops->vops.next);
	set_text_or_null(vops, "last_error", ops->vops.last_error);
	xos_json_set(root, "vops", vops);
	if (!ops->certificate.not_after && !ops->certificate.last_error[0]) {
		xos_json_set_null(root, "certificate");
		return;
	}
	struct xos_json *cert = xos_json_object();
	set_time_or_null(cert, "not_after", ops->certificate.not_after);
	set_time_or_null(cert, "renew_after", ops->certificate.renew_after);
	set_text_or_null(cert, "last_error", ops->certificate.last_error);
	xos_json_set_bool(cert, "refused", ops->certificate.refused);
	xos_json_set_bool(cert, "confirmed", ops->certificate.confirmed);
	if (ops->certificate.not_after) {
		char key[XOS_FINGERPRINT_TEXT];
		xos_fingerprint_text(ops->certificate.spki, key);
		xos_json_set_string(cert, "key", key);
	}
	xos_json_set(root, "certificate", cert);
}

static void add_record(const struct xos_credd_ops *ops, struct xos_json *root)
{
	struct xos_decision_log_counts n;
	struct xos_json *o = xos_json_object();
	xos_credd_decider_recorded(ops->decider, &n);
	xos_json_set_int(o, "sample", ops->self->conf->decision_sample);
	set_serial(o, "written", n.written);
	set_serial(o, "left_out", n.left_out);
	set_serial(o, "lost", n.lost);
	set_text_or_null(o, "last_error", n.last_error);
	xos_json_set(root, "decision_log", o);
}

static void add_counts(const struct xos_credd_ops *ops, struct xos_json *root)
{
	const struct xos_credd_counts *n = xos_credd_decider_counts(ops->decider);
	struct xos_json *decisions = xos_json_object(), *cache = xos_json_object();
	set_serial(decisions, "permit", n->permit);
	set_serial(decisions, "deny", n->deny);
	set_serial(decisions, "undecided", n->undecided);
	xos_json_set(root, "decisions", decisions);
	add_record(ops, root);
	set_serial(cache, "hits", n->hits);
	set_serial(cache, "misses", n->misses);
	xos_json_set(root, "cache", cache);
	xos_json_set_int(root, "jobs", (int64_t)xos_credd_jobs_count(ops->jobs));
	struct xos_json *sessions = xos_json_object();
	xos_json_set_int(sessions, "credentials", (int64_t)xos_credd_sessions_count(ops->sessions));
	xos_json_set_bool(sessions, "locked", xos_credd_sessions_locked(ops->sessions));
	xos_json_set_bool(sessions, "on_tmpfs", xos_credd_sessions_on_tmpfs(ops->sessions));
	xos_json_set(root, "sessions", sessions);
}

static void add_renewals(const struct xos_credd_ops *ops, int64_t now, struct xos_json *root)
{
	struct xos_credd_renewal_counts n;
	if (!ops->renewals) {
		xos_json_set_null(root, "renewals");
		return;
	}
	xos_credd_renewals_count(ops->renewals, now, &n);
	struct xos_json *o = xos_json_object();
	set_text_or_null(o, "url", ops->self->conf->ca);
	set_serial(o, "renewing", n.renewing);
	set_serial(o, "failing", n.failing);
	set_serial(o, "refused", n.refused);
	set_serial(o, "ended", n.ended);
	set_time_or_null(o, "failing_since", n.failing_since);
	set_text_or_null(o, "last_error", n.last_error);
	xos_json_set(root, "renewals", o);
}

/* One sentence for people; the state for programs. */
static void add_state(const struct xos_credd_ops *ops, int64_t now, struct xos_json *root)
{
	const struct xos_credd_view *v = xos_credd_decider_view(ops->decider);
	struct xos_err why = XOS_ERR_INIT;
	char until[XOS_TIME_TEXT], left[XOS_TIME_TEXT];
	struct xos_buf text;
	enum xos_status st = xos_credd_decider_usable(ops->decider, now, &why);
	xos_buf_init(&text, 1024);
	if (st) {
		xos_buf_put_str(&text, why.text);
	} else {
		xos_time_format(v->until, until);
		xos_duration_format(v->until - now, left);
		xos_buf_printf(&text,
		    "Decides, also with no server reachable, until %s (%s left; %s ends first).",
		    until, left, v->until_what);
	}
	const struct xos_lock *lock =
	    v->bundle ? xos_bundle_lock(v->bundle, XOS_LOCK_NODE, ops->self->conf->node, now)
	              : NULL;
	if (lock) {
		xos_time_format(lock->since, until);
		xos_buf_printf(&text,
		    " Renewal refused: this node is locked since %s%s%s; ask the administrators of "
		    "the "
		    "VO %s.",
		    until, lock->message[0] ? ": " : "", lock->message, ops->self->conf->vo);
	}
	xos_json_set_bool(root, "locked", lock != NULL);
	if (!ops->self->root)
		xos_buf_printf(&text, " Runs without root: serves the jobs of uid %u only.",
		    (unsigned)ops->self->uid);
	xos_json_set_string(root, "state",
	    !v->bundle         ? "empty"
	    : st == XOS_DENIED ? "banned"
	    : st               ? "stale"
	                       : "ready");
	xos_json_set_text(root, "message", xos_buf_str(&text));
	set_time_or_null(root, "decides_until", v->until);
	xos_buf_free(&text);
}

enum xos_status xos_credd_status_json(
    const struct xos_credd_ops *ops, struct xos_buf *out, struct xos_err *err)
{
	const struct xos_credd_conf *conf = ops->self->conf;
	const struct xos_credd_view *v = xos_credd_decider_view(ops->decider);
	int64_t now = xos_credd_view_now(v);
	struct xos_json *root = xos_json_object();
	xos_json_set_string(root, "version", XOS_VERSION);
	xos_json_set_string(root, "vo", conf->vo);
	xos_json_set_string(root, "site", conf->site);
	xos_json_set_string(root, "node", conf->node);
	xos_json_set_string(root, "mode", ops->self->root ? "root" : "user");
	xos_json_set_int(root, "user", ops->self->uid);
	xos_json_set_time(root, "now", now);
	xos_json_set_bool(root, "clock_held", now > xos_clock_now());
	xos_json_set_bool(root, "memory_locked", xos_secret_would_lock(XOS_CREDD_LOCK_MIN));
	add_state(ops, now, root);
	add_bundle(v, root);
	add_trust_list(v, ops->self->conf->vo, root);
	add_accounts(&v->slice, root);
	add_contacts(ops, root);
	xos_credd_witness_json(&ops->witness, root);
	add_renewals(ops, now, root);
	add_counts(ops, root);
	enum xos_status st = xos_json_dump(root, out, err);
	xos_json_free(root);
	return st;
}
