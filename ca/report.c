/* What auth and key say about themselves (service/report.h). */
#include <stdlib.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/auth/auth.h"
#include "ca/key/key.h"
#include "ca/membership/schema.h"
#include "service/report.h"
#include "store/store.h"

#define ISSUER_WARN (30 * 86400)
#define PROBES 2 /* a lock that two reports see is no moment's work */

static void database_figures(struct xos_report *r, const char *prefix, const struct xos_store *db)
{
	struct xos_store_stats s = xos_store_stats(db);
	char name[XOS_REPORT_NAME_MAX + 1];

	if (xos_str_printf(name, sizeof(name), "%s_seconds_total", prefix))
		xos_report_figure(r, XOS_FIGURE_MICROS, name,
		    "Time spent in the database of members.", (int64_t)s.micros);
	if (xos_str_printf(name, sizeof(name), "%s_calls_total", prefix))
		xos_report_figure(r, XOS_FIGURE_COUNTER, name, "Calls of the database of members.",
		    (int64_t)s.calls);
}

/* ---- auth ---- */

/*
 * Could a command be carried out now? Asked through a connection of its own, which does not wait. The
 * write lock is taken and given back: nothing is written.
 */
static enum xos_status probe(struct ca_auth *a, struct xos_err *err)
{
	struct xos_store_options o = {.path = a->watch.membership, .mode = 0600, .busy_ms = 1};
	enum xos_status st = XOS_OK;

	ca_schema_membership(&o);
	if (!a->watch.probe)
		st = xos_store_open(&o, &a->watch.probe, err);
	if (st == XOS_OK)
		st = xos_store_begin(a->watch.probe, err);
	xos_store_rollback(a->watch.probe);
	return st;
}

static void report_database(struct ca_auth *a, struct xos_report *r)
{
	struct xos_err why = XOS_ERR_INIT;

	if (probe(a, &why) == XOS_OK)
		a->watch.failures = 0;
	else if (++a->watch.failures >= PROBES)
		xos_report_problem(r, "database", &why);
}

static int64_t open_sessions(const struct ca_auth *a)
{
	int64_t n = 0;

	for (size_t i = 0; i < CA_SESSIONS; i++)
		n += a->sessions[i].scram != NULL;
	return n;
}

enum xos_status ca_auth_report(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_auth *a = auth;
	struct xos_report *r = calloc(1, sizeof(*r));

	(void)from;
	(void)payload;
	if (!r)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	report_database(a, r);
	xos_report_disk(r, a->watch.membership);
	xos_report_figure(r, XOS_FIGURE_GAUGE, "xos_cad_logins_open",
	    "Log-ins between their two messages.", open_sessions(a));
	database_figures(r, "xos_cad_auth_database", a->membership->store);
	xos_report_encode(reply, r);
	free(r);
	return XOS_OK;
}

/* ---- key ---- */

static void report_issuer(const struct ca_key *k, struct xos_report *r)
{
	const struct xos_cert *c = k->chain.cert[0];
	int64_t now = xos_clock_now(), left = xos_cert_not_after(c) - now;
	struct xos_err why = XOS_ERR_INIT;
	char text[XOS_TIME_TEXT];

	xos_report_figure(r, XOS_FIGURE_GAUGE, "xos_cad_issuer_seconds_left",
	    "Seconds until the issuing certificate ends.", left);
	xos_duration_format(left < 0 ? -left : left, text);
	if (left < CA_LIFETIME_MIN) {
		xos_err_set(&why, XOS_EXPIRED, "issuer-expired",
		    "the certificate of the authority ended %s ago: let the root sign ca.csr again",
		    text);
		xos_report_problem(r, "issuer", &why);
	} else if (now < xos_cert_not_before(c)) {
		xos_duration_format(xos_cert_not_before(c) - now, text);
		xos_err_set(&why, XOS_NOT_YET_VALID, "issuer-not-yet-valid",
		    "the certificate of the authority is valid in %s only: is the clock right?",
		    text);
		xos_report_problem(r, "issuer", &why);
	} else if (left < ISSUER_WARN) {
		xos_err_set(&why, XOS_EXPIRED, "issuer-ends",
		    "the certificate of the authority ends in %s: let the root sign ca.csr again",
		    text);
		xos_report_warning(r, "issuer", &why);
	}
}

static int64_t open_grants(const struct ca_key *k)
{
	int64_t n = 0;

	for (size_t i = 0; i < CA_GRANTS; i++)
		n += k->grants[i].id[0] != '\0';
	return n;
}

static void key_figures(const struct ca_key *k, struct xos_report *r)
{
	struct xos_log_head head = {.sequence = 0};

	if (k->log && xos_log_head_get(k->log, &head, NULL, NULL) == XOS_OK)
		xos_report_figure(r, XOS_FIGURE_COUNTER, "xos_cad_log_records_total",
		    "Records in the log of this authority.", (int64_t)head.sequence);
	xos_report_figure(r, XOS_FIGURE_COUNTER, "xos_cad_log_syncs_total",
	    "Times that the log was made durable, each with one fdatasync.",
	    (int64_t)k->watch.commits);
	xos_report_figure(r, XOS_FIGURE_COUNTER, "xos_cad_tokens_issued_total",
	    "Tokens issued since the start.", (int64_t)k->watch.issued);
	xos_report_figure(r, XOS_FIGURE_GAUGE, "xos_cad_tokens_unexpired",
	    "Tokens kept in mind because they have not ended.",
	    (int64_t)ca_tokens_count(k->tokens));
	xos_report_figure(r, XOS_FIGURE_GAUGE, "xos_cad_grants_open",
	    "Log-ins that were proven and have no token yet.", open_grants(k));
	database_figures(r, "xos_cad_key_database", k->membership->store);
}

enum xos_status ca_key_report(
    void *key, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct ca_key *k = key;
	struct xos_report *r = calloc(1, sizeof(*r));

	(void)from;
	(void)payload;
	if (!r)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (k->watch.log_failed)
		xos_report_problem(r, "log", &k->watch.failed);
	xos_report_disk(r, k->watch.log_path);
	report_issuer(k, r);
	ca_key_report_clock(k, r);
	key_figures(k, r);
	xos_report_encode(reply, r);
	free(r);
	return XOS_OK;
}
