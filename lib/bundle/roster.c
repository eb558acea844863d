#include "bundle/roster.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/json.h"
#include "pki/digest.h"
#include "pki/jws.h"

struct xos_roster {
	atomic_uint refs;
	uint8_t digest[XOS_SHA256_LEN]; /* of the payload */
	uint64_t serial;
	int64_t issued, expires;
	struct xos_roster_member *members; /* by name */
	const struct xos_roster_member **by_number;
	size_t n;
};

static const char *const state_names[] = {
    [XOS_MEMBER_ACTIVE] = "active",
    [XOS_MEMBER_SUSPENDED] = "suspended",
    [XOS_MEMBER_REMOVED] = "removed",
};

const char *xos_member_state_name(enum xos_member_state s)
{
	size_t i = (size_t)s;

	return i < sizeof(state_names) / sizeof(*state_names) ? state_names[i] : "unknown";
}

static enum xos_status state_parse(
    const struct xos_json *obj, enum xos_member_state *out, struct xos_err *err)
{
	const char *s = NULL;
	enum xos_status st = xos_json_get_string(obj, "state", 16, &s, err);

	if (st != XOS_OK)
		return st;
	for (size_t i = 0; i < sizeof(state_names) / sizeof(*state_names); i++) {
		if (strcmp(s, state_names[i]) == 0) {
			*out = (enum xos_member_state)i;
			return XOS_OK;
		}
	}
	return xos_json_refuse(obj, err, "unknown state \"%s\"", s);
}

void xos_roster_free(struct xos_roster *r)
{
	if (!r || atomic_fetch_sub(&r->refs, 1) != 1)
		return;
	free(r->by_number);
	free(r->members);
	free(r);
}

uint64_t xos_roster_serial(const struct xos_roster *r)
{
	return r->serial;
}

int64_t xos_roster_issued(const struct xos_roster *r)
{
	return r->issued;
}

int64_t xos_roster_expires(const struct xos_roster *r)
{
	return r->expires;
}

size_t xos_roster_count(const struct xos_roster *r)
{
	return r->n;
}

const struct xos_roster_member *xos_roster_at(const struct xos_roster *r, size_t i)
{
	return i < r->n ? &r->members[i] : NULL;
}

static int cmp_name(const void *a, const void *b)
{
	const struct xos_roster_member *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int cmp_number(const void *a, const void *b)
{
	const struct xos_roster_member *const *x = a, *const *y = b;

	return ((*x)->number > (*y)->number) - ((*x)->number < (*y)->number);
}

const struct xos_roster_member *xos_roster_find(const struct xos_roster *r, const char *name)
{
	struct xos_roster_member key;

	if (r->n == 0 || !xos_str_copy(key.name, sizeof(key.name), name))
		return NULL;
	return bsearch(&key, r->members, r->n, sizeof(*r->members), cmp_name);
}

const struct xos_roster_member *xos_roster_find_number(const struct xos_roster *r, uint64_t number)
{
	const struct xos_roster_member key = {.number = number}, *pkey = &key;

	if (r->n == 0)
		return NULL;
	const struct xos_roster_member **hit =
	    bsearch(&pkey, r->by_number, r->n, sizeof(*r->by_number), cmp_number);
	return hit ? *hit : NULL;
}

/* Sorts both ways; a doubled name or number is refused: two people would share an account. */
static enum xos_status index_members(struct xos_roster *r, struct xos_err *err)
{
	r->by_number = calloc(r->n ? r->n : 1, sizeof(*r->by_number));
	if (!r->by_number)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (r->n == 0)
		return XOS_OK;
	qsort(r->members, r->n, sizeof(*r->members), cmp_name);
	for (size_t i = 0; i < r->n; i++)
		r->by_number[i] = &r->members[i];
	qsort(r->by_number, r->n, sizeof(*r->by_number), cmp_number);
	for (size_t i = 1; i < r->n; i++) {
		if (strcmp(r->members[i - 1].name, r->members[i].name) == 0)
			return xos_err_set(err, XOS_MALFORMED, "roster-double",
			    "the roster names the member %s twice", r->members[i].name);
		if (r->by_number[i - 1]->number == r->by_number[i]->number)
			return xos_err_set(err, XOS_MALFORMED, "roster-double",
			    "the roster gives %s and %s the same number", r->by_number[i - 1]->name,
			    r->by_number[i]->name);
	}
	return XOS_OK;
}

static enum xos_status check_member(
    const char *vo, const struct xos_roster_member *m, struct xos_err *err)
{
	if (!xos_name_is_member(vo, m->name))
		return xos_err_set(err, XOS_MALFORMED, "roster-member",
		    "\"%s\" is no member name in the VO %s", m->name, vo);
	if (m->number == 0 || m->number > XOS_MEMBER_NUMBER_MAX)
		return xos_err_set(err, XOS_MALFORMED, "roster-member",
		    "the number of the member %s is not within 1 to %u", m->name,
		    XOS_MEMBER_NUMBER_MAX);
	return XOS_OK;
}

static enum xos_status parse_member(
    const char *vo, const struct xos_json *v, struct xos_roster_member *m, struct xos_err *err)
{
	enum xos_status st = XOS_JSON_ONLY(v, err, "name", "number", "state");

	if (st == XOS_OK)
		st = xos_json_copy_string(v, "name", m->name, sizeof(m->name), err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(v, "number", XOS_MEMBER_NUMBER_MAX, &m->number, err);
	if (st == XOS_OK)
		st = state_parse(v, &m->state, err);
	return st == XOS_OK ? check_member(vo, m, err) : st;
}

static enum xos_status parse_members(
    const char *vo, const struct xos_json *list, struct xos_roster *r, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	size_t n = xos_json_count(list);

	r->members = calloc(n ? n : 1, sizeof(*r->members));
	if (!r->members)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (; r->n < n && st == XOS_OK; r->n++)
		st = parse_member(vo, xos_json_at(list, r->n), &r->members[r->n], err);
	return st == XOS_OK ? index_members(r, err) : st;
}

static enum xos_status parse_payload(
    struct xos_bytes payload, const char *want_vo, struct xos_roster *r, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const struct xos_json *list = NULL;
	char vo[XOS_VO_MAX + 1];
	enum xos_status st = xos_json_parse(payload, XOS_ROSTER_MAX, &doc, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "vo", "serial", "issued", "expires", "members");
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "vo", vo, sizeof(vo), err);
	if (st == XOS_OK && strcmp(vo, want_vo) != 0)
		st = xos_err_set(
		    err, XOS_DENIED, "wrong-vo", "a roster of the VO %s, not of %s", vo, want_vo);
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "serial", INT64_MAX, &r->serial, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "issued", &r->issued, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "expires", &r->expires, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "members", XOS_ROSTER_MEMBERS_MAX, &list, err);
	if (st == XOS_OK)
		st = parse_members(vo, list, r, err);
	xos_json_free(doc);
	return st;
}

/* Parsed, or `before` once more if that was made of the same payload. */
static enum xos_status roster_of(struct xos_bytes payload, const char *vo,
    struct xos_roster *before, struct xos_roster **out, struct xos_err *err)
{
	uint8_t digest[XOS_SHA256_LEN];

	if (xos_sha256(payload, digest) != XOS_OK)
		return xos_err_set(err, XOS_INTERNAL, "digest", "SHA-256 cannot be computed");
	if (before && memcmp(before->digest, digest, sizeof(digest)) == 0) {
		atomic_fetch_add(&before->refs, 1);
		*out = before;
		return XOS_OK;
	}
	struct xos_roster *r = calloc(1, sizeof(*r));
	if (!r)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	atomic_init(&r->refs, 1);
	memcpy(r->digest, digest, sizeof(digest));
	*out = r;
	return parse_payload(payload, vo, r, err);
}

enum xos_status xos_roster_verify(struct xos_bytes compact, const struct xos_bundle_certs *certs,
    const struct xos_bundle_trust *trust, struct xos_roster **out, struct xos_err *err)
{
	return xos_roster_verify_again(compact, certs, trust, NULL, out, err);
}

enum xos_status xos_roster_verify_again(struct xos_bytes compact,
    const struct xos_bundle_certs *certs, const struct xos_bundle_trust *trust,
    struct xos_roster *before, struct xos_roster **out, struct xos_err *err)
{
	struct xos_roster *r = NULL;
	struct xos_buf payload;
	enum xos_status st = XOS_INTERNAL;

	xos_buf_init(&payload, XOS_ROSTER_MAX);
	if (compact.n > XOS_ROSTER_MAX) {
		st = xos_err_set(err, XOS_LIMIT, "object-too-long",
		    "the roster is longer than %u bytes", XOS_ROSTER_MAX);
		goto out;
	}
	st = xos_signed_open(
	    XOS_ROSTER_TYP, compact, XOS_SIGNER_CA, certs, trust, &payload, NULL, err);
	if (st != XOS_OK)
		goto out;
	st = roster_of(xos_buf_bytes(&payload), trust->vo, before, &r, err);
	if (st == XOS_OK)
		st = xos_signed_check_times(
		    "the roster", r->issued, r->expires, trust->now, trust->skew, err);
	if (st != XOS_OK)
		goto out;
	*out = r;
	r = NULL;
out:
	xos_roster_free(r);
	xos_buf_free(&payload);
	return st;
}

/* What the verifier will ask, asked before signing: nothing unusable leaves the authority. */
static enum xos_status check_fields(const struct xos_roster_fields *f, struct xos_err *err)
{
	struct xos_roster *probe = NULL;
	enum xos_status st =
	    xos_signed_check_times("the roster", f->issued, f->expires, f->issued, 0, err);

	if (st == XOS_OK && (!xos_name_is_vo(f->vo) || f->serial > INT64_MAX))
		st = xos_err_set(err, XOS_MALFORMED, "roster-fields", "bad VO name or serial");
	if (st == XOS_OK && f->n > XOS_ROSTER_MEMBERS_MAX)
		st = xos_err_set(err, XOS_LIMIT, "roster-members",
		    "a roster holds %u members at most", XOS_ROSTER_MEMBERS_MAX);
	for (size_t i = 0; st == XOS_OK && i < f->n; i++)
		st = check_member(f->vo, &f->members[i], err);
	if (st != XOS_OK)
		return st;
	probe = calloc(1, sizeof(*probe));
	if (probe)
		atomic_init(&probe->refs, 1);
	if (probe)
		probe->members = calloc(f->n ? f->n : 1, sizeof(*probe->members));
	if (!probe || !probe->members) {
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	} else {
		if (f->n)
			memcpy(probe->members, f->members, f->n * sizeof(*f->members));
		probe->n = f->n;
		st = index_members(probe, err);
	}
	xos_roster_free(probe);
	return st;
}

enum xos_status xos_roster_sign(const struct xos_key *ca_key, const struct xos_roster_fields *f,
    struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *doc = NULL, *list = NULL;
	struct xos_buf payload;

	xos_buf_init(&payload, XOS_ROSTER_MAX);
	enum xos_status st = check_fields(f, err);
	if (st != XOS_OK)
		goto out;
	doc = xos_json_object();
	list = xos_json_array();
	xos_json_set_string(doc, "vo", f->vo);
	xos_json_set_int(doc, "serial", (int64_t)f->serial);
	xos_json_set_time(doc, "issued", f->issued);
	xos_json_set_time(doc, "expires", f->expires);
	for (size_t i = 0; i < f->n; i++) {
		struct xos_json *m = xos_json_object();

		xos_json_set_string(m, "name", f->members[i].name);
		xos_json_set_int(m, "number", (int64_t)f->members[i].number);
		xos_json_set_string(m, "state", xos_member_state_name(f->members[i].state));
		xos_json_add(list, m);
	}
	xos_json_set(doc, "members", list);
	st = xos_json_dump(doc, &payload, err);
	if (st == XOS_OK)
		st = xos_jws_sign(ca_key, XOS_ROSTER_TYP, xos_buf_bytes(&payload), out, err);
out:
	xos_json_free(doc);
	xos_buf_free(&payload);
	return st;
}
