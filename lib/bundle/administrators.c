#include "bundle/administrators.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "bundle/locks.h"
#include "bundle/roster.h"
#include "json/json.h"
#include "pki/jws.h"

static const char what[] = "the list of administrators";

void xos_administrators_free(struct xos_administrators *a)
{
	if (!a)
		return;
	free(a->list);
	free(a->tokens);
	free(a);
}

const struct xos_administrator *xos_administrators_find(
    const struct xos_administrators *a, const char *name, uint64_t number)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->list[i].number == number && strcmp(a->list[i].name, name) == 0)
			return &a->list[i];
	return NULL;
}

bool xos_administrators_token_locked(const struct xos_administrators *a, const char *serial)
{
	for (size_t i = 0; i < a->ntokens; i++)
		if (strcmp(a->tokens[i], serial) == 0)
			return true;
	return false;
}

static enum xos_status check_one(
    const char *vo, const struct xos_administrator *m, struct xos_err *err)
{
	if (!xos_name_is_member(vo, m->name) || m->number == 0 || m->number > XOS_MEMBER_NUMBER_MAX)
		return xos_err_set(err, XOS_MALFORMED, "administrator",
		    "\"%s\" with the number %llu is no member of the VO %s", m->name,
		    (unsigned long long)m->number, vo);
	return XOS_OK;
}

static enum xos_status parse_one(
    const char *vo, const struct xos_json *v, struct xos_administrator *m, struct xos_err *err)
{
	const char *locked = NULL;
	enum xos_status st = XOS_JSON_ONLY(v, err, "name", "number", "locked");

	if (st == XOS_OK)
		st = xos_json_copy_string(v, "name", m->name, sizeof(m->name), err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(v, "number", XOS_MEMBER_NUMBER_MAX, &m->number, err);
	if (st == XOS_OK)
		st = xos_json_opt_string(v, "locked", XOS_ADMINISTRATOR_LOCKED_MAX, &locked, err);
	/* Said at all is locked, with or without a reason. */
	if (st == XOS_OK && locked &&
	    !xos_str_copy(m->locked, sizeof(m->locked), locked[0] ? locked : "locked"))
		st = xos_json_refuse(v, err, "locked: too long");
	return st == XOS_OK ? check_one(vo, m, err) : st;
}

static enum xos_status parse_list(
    const char *vo, const struct xos_json *list, struct xos_administrators *a, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	size_t n = xos_json_count(list);

	a->list = calloc(n ? n : 1, sizeof(*a->list));
	if (!a->list)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (; st == XOS_OK && a->n < n; a->n++) {
		struct xos_administrator *m = &a->list[a->n];

		st = parse_one(vo, xos_json_at(list, a->n), m, err);
		for (size_t i = 0; st == XOS_OK && i < a->n; i++)
			if (a->list[i].number == m->number || strcmp(a->list[i].name, m->name) == 0)
				st = xos_json_refuse(
				    list, err, "\"%s\" or its number twice", m->name);
	}
	return st;
}

static enum xos_status parse_tokens(
    const struct xos_json *list, struct xos_administrators *a, struct xos_err *err)
{
	size_t n = list ? xos_json_count(list) : 0;
	enum xos_status st = XOS_OK;

	if (n && !(a->tokens = calloc(n, sizeof(*a->tokens))))
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (; st == XOS_OK && a->ntokens < n; a->ntokens++) {
		const struct xos_json *v = xos_json_at(list, a->ntokens);
		const char *serial = NULL;

		st = xos_json_as_string(v, XOS_SERIAL_TEXT - 1, &serial, err);
		if (st == XOS_OK &&
		    (!xos_lock_serial_valid(serial) ||
		        !xos_str_copy(a->tokens[a->ntokens], XOS_SERIAL_TEXT, serial)))
			st = xos_json_refuse(v, err, "\"%s\" is no serial of a token", serial);
	}
	return st;
}

static enum xos_status parse(
    struct xos_bytes payload, const char *want, struct xos_administrators *a, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const struct xos_json *list = NULL, *tokens = NULL;
	char vo[XOS_VO_MAX + 1];
	enum xos_status st = xos_json_parse(payload, XOS_ADMINISTRATORS_MAX, &doc, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "vo", "act", "issued", "expires", "administrators",
		    "tokens", "roster", "locks");
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "vo", vo, sizeof(vo), err);
	if (st == XOS_OK && strcmp(vo, want) != 0)
		st = xos_err_set(err, XOS_DENIED, "wrong-vo", "%s is that of the VO %s, not of %s",
		    what, vo, want);
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "act", INT64_MAX, &a->act, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "issued", &a->issued, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "expires", &a->expires, err);
	if (st == XOS_OK)
		st = xos_json_get_array(
		    doc, "administrators", XOS_ADMINISTRATORS_COUNT_MAX, &list, err);
	if (st == XOS_OK)
		st = parse_list(vo, list, a, err);
	if (st == XOS_OK)
		st = xos_json_opt_array(doc, "tokens", XOS_ADMINISTRATORS_TOKENS_MAX, &tokens, err);
	if (st == XOS_OK)
		st = parse_tokens(tokens, a, err);
	if (st == XOS_OK)
		st = xos_json_opt_uint64(doc, "roster", INT64_MAX, 0, &a->roster, err);
	if (st == XOS_OK)
		st = xos_json_opt_uint64(doc, "locks", INT64_MAX, 0, &a->locks, err);
	xos_json_free(doc);
	return st;
}

enum xos_status xos_administrators_verify(struct xos_bytes compact,
    const struct xos_bundle_certs *certs, const struct xos_bundle_trust *trust,
    struct xos_administrators **out, struct xos_err *err)
{
	struct xos_administrators *a = NULL;
	struct xos_buf payload;
	enum xos_status st = XOS_OK;

	if (compact.n > XOS_ADMINISTRATORS_MAX)
		return xos_err_set(err, XOS_LIMIT, "object-too-long", "%s is longer than %u bytes",
		    what, XOS_ADMINISTRATORS_MAX);
	xos_buf_init(&payload, XOS_ADMINISTRATORS_MAX);
	st = xos_signed_open(
	    XOS_ADMINISTRATORS_TYP, compact, XOS_SIGNER_CA, certs, trust, &payload, NULL, err);
	if (st == XOS_OK && !(a = calloc(1, sizeof(*a))))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (st == XOS_OK)
		st = parse(xos_buf_bytes(&payload), trust->vo, a, err);
	if (st == XOS_OK)
		st = xos_signed_check_times(
		    what, a->issued, a->expires, trust->now, trust->skew, err);
	if (st == XOS_OK) {
		*out = a;
		a = NULL;
	}
	xos_administrators_free(a);
	xos_buf_free(&payload);
	return st;
}

/* What the verifier will ask, asked before signing. */
static enum xos_status check_fields(
    const char *vo, const struct xos_administrators *a, struct xos_err *err)
{
	enum xos_status st = xos_signed_check_times(what, a->issued, a->expires, a->issued, 0, err);

	if (st == XOS_OK && (!xos_name_is_vo(vo) || a->act > INT64_MAX || a->roster > INT64_MAX ||
	                        a->locks > INT64_MAX))
		st = xos_err_set(err, XOS_MALFORMED, "administrators", "bad VO name or act");
	if (st == XOS_OK && a->n > XOS_ADMINISTRATORS_COUNT_MAX)
		st = xos_err_set(err, XOS_LIMIT, "administrators",
		    "a VO has at most %u administrators", XOS_ADMINISTRATORS_COUNT_MAX);
	for (size_t i = 0; st == XOS_OK && i < a->n; i++)
		st = check_one(vo, &a->list[i], err);
	if (st == XOS_OK && a->ntokens > XOS_ADMINISTRATORS_TOKENS_MAX)
		st = xos_err_set(err, XOS_LIMIT, "administrators", "more than %u locked tokens",
		    XOS_ADMINISTRATORS_TOKENS_MAX);
	for (size_t i = 0; st == XOS_OK && i < a->ntokens; i++)
		if (!xos_lock_serial_valid(a->tokens[i]))
			st = xos_err_set(err, XOS_MALFORMED, "administrators",
			    "\"%s\" is no serial of a token", a->tokens[i]);
	return st;
}

enum xos_status xos_administrators_sign(const struct xos_key *ca_key, const char *vo,
    const struct xos_administrators *a, struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *doc = NULL, *list = NULL;
	struct xos_buf payload;
	enum xos_status st = check_fields(vo, a, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&payload, XOS_ADMINISTRATORS_MAX);
	doc = xos_json_object();
	list = xos_json_array();
	xos_json_set_string(doc, "vo", vo);
	xos_json_set_int(doc, "act", (int64_t)a->act);
	xos_json_set_time(doc, "issued", a->issued);
	xos_json_set_time(doc, "expires", a->expires);
	for (size_t i = 0; i < a->n; i++) {
		struct xos_json *m = xos_json_object();

		xos_json_set_string(m, "name", a->list[i].name);
		xos_json_set_int(m, "number", (int64_t)a->list[i].number);
		if (a->list[i].locked[0])
			xos_json_set_text(m, "locked", a->list[i].locked);
		xos_json_add(list, m);
	}
	xos_json_set(doc, "administrators", list);
	if (a->ntokens) {
		list = xos_json_array();
		for (size_t i = 0; i < a->ntokens; i++)
			xos_json_add_string(list, a->tokens[i]);
		xos_json_set(doc, "tokens", list);
	}
	if (a->roster)
		xos_json_set_int(doc, "roster", (int64_t)a->roster);
	if (a->locks)
		xos_json_set_int(doc, "locks", (int64_t)a->locks);
	st = xos_json_dump(doc, &payload, err);
	if (st == XOS_OK)
		st =
		    xos_jws_sign(ca_key, XOS_ADMINISTRATORS_TYP, xos_buf_bytes(&payload), out, err);
	xos_json_free(doc);
	xos_buf_free(&payload);
	return st;
}
