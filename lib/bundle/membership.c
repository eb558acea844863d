#include "bundle/membership.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/json.h"
#include "pki/jws.h"

struct xos_membership {
	uint64_t serial;
	int64_t issued, expires;
	struct xos_json *doc; /* names are borrowed from it */
	const char **names;
	size_t nnames;
	struct xos_membership_member *members; /* by name */
	size_t n;
	const char **pool; /* what their lists point into */
	size_t npool;
};

void xos_membership_free(struct xos_membership *m)
{
	if (!m)
		return;
	free(m->members);
	free(m->pool);
	free(m->names);
	xos_json_free(m->doc);
	free(m);
}

uint64_t xos_membership_serial(const struct xos_membership *m)
{
	return m->serial;
}

int64_t xos_membership_expires(const struct xos_membership *m)
{
	return m->expires;
}

size_t xos_membership_count(const struct xos_membership *m)
{
	return m->n;
}

const struct xos_membership_member *xos_membership_at(const struct xos_membership *m, size_t i)
{
	return i < m->n ? &m->members[i] : NULL;
}

size_t xos_membership_from(const struct xos_membership *m, const char *name)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(m->members[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct xos_membership_member *xos_membership_find(
    const struct xos_membership *m, const char *name)
{
	size_t i = xos_membership_from(m, name);

	return i < m->n && strcmp(m->members[i].name, name) == 0 ? &m->members[i] : NULL;
}

static bool name_ok(const char *vo, const char *name)
{
	return (xos_name_is_group(name) || xos_name_is_role(name)) && xos_fqan_in_vo(name, vo);
}

static enum xos_status parse_names(const char *vo, struct xos_membership *m, struct xos_err *err)
{
	enum xos_status st = xos_json_get_strings(
	    m->doc, "names", XOS_MEMBERSHIP_NAMES_MAX, XOS_FQAN_MAX, &m->names, &m->nnames, err);

	for (size_t i = 0; st == XOS_OK && i < m->nnames; i++)
		if (!name_ok(vo, m->names[i]))
			st = xos_err_set(err, XOS_MALFORMED, "membership-name",
			    "\"%s\" is no group and no role of the VO %s", m->names[i], vo);
	return st;
}

/* Counts first, so that the pool never moves. */
static size_t count_pool(const struct xos_json *list)
{
	size_t n = 0;

	for (size_t i = 0; i < xos_json_count(list); i++) {
		const struct xos_json *v = xos_json_at(list, i);

		n += xos_json_count(xos_json_at(v, 2)) + xos_json_count(xos_json_at(v, 3));
	}
	return n;
}

static enum xos_status parse_list(const struct xos_json *v, bool roles, struct xos_membership *m,
    const char *const **out, size_t *n, struct xos_err *err)
{
	int64_t at = 0;
	enum xos_status st = xos_json_as_array(v, XOS_MEMBERSHIP_OF_ONE_MAX, err);

	*out = &m->pool[m->npool];
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(v); i++) {
		st = xos_json_as_int64(xos_json_at(v, i), 0, (int64_t)m->nnames - 1, &at, err);
		if (st == XOS_OK && xos_name_is_role(m->names[at]) != roles)
			st = xos_json_refuse(v, err, "a group among roles, or a role among groups");
		if (st == XOS_OK)
			m->pool[m->npool++] = m->names[at];
	}
	*n = (size_t)(&m->pool[m->npool] - (const char **)(uintptr_t)*out);
	return st;
}

static enum xos_status parse_member(const char *vo, const struct xos_json *v,
    struct xos_membership *m, struct xos_membership_member *to, struct xos_err *err)
{
	const char *name = NULL;
	int64_t number = 0;
	enum xos_status st = xos_json_as_array(v, 4, err);

	if (st == XOS_OK && xos_json_count(v) != 4)
		st = xos_json_refuse(v, err, "expected [name, number, groups, roles]");
	if (st == XOS_OK)
		st = xos_json_as_string(xos_json_at(v, 0), XOS_MEMBER_MAX, &name, err);
	if (st == XOS_OK &&
	    (!xos_name_is_member(vo, name) || !xos_str_copy(to->name, sizeof(to->name), name)))
		st = xos_json_refuse(v, err, "\"%s\" is no member name", name);
	if (st == XOS_OK)
		st = xos_json_as_int64(xos_json_at(v, 1), 1, XOS_MEMBER_NUMBER_MAX, &number, err);
	to->number = (uint64_t)number;
	if (st == XOS_OK)
		st = parse_list(xos_json_at(v, 2), false, m, &to->groups, &to->ngroups, err);
	if (st == XOS_OK)
		st = parse_list(xos_json_at(v, 3), true, m, &to->roles, &to->nroles, err);
	return st;
}

static int by_name(const void *a, const void *b)
{
	const struct xos_membership_member *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static enum xos_status parse_members(const char *vo, struct xos_membership *m, struct xos_err *err)
{
	const struct xos_json *list = NULL;
	enum xos_status st =
	    xos_json_get_array(m->doc, "members", XOS_ROSTER_MEMBERS_MAX, &list, err);

	if (st != XOS_OK)
		return st;
	size_t n = xos_json_count(list);
	m->members = calloc(n + 1, sizeof(*m->members));
	m->pool = calloc(count_pool(list) + 1, sizeof(*m->pool));
	if (!m->members || !m->pool)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (; st == XOS_OK && m->n < n; m->n++)
		st = parse_member(vo, xos_json_at(list, m->n), m, &m->members[m->n], err);
	if (st != XOS_OK)
		return st;
	qsort(m->members, m->n, sizeof(*m->members), by_name);
	for (size_t i = 1; i < m->n; i++)
		if (strcmp(m->members[i - 1].name, m->members[i].name) == 0)
			return xos_err_set(err, XOS_MALFORMED, "membership-double",
			    "the member %s is named twice", m->members[i].name);
	return XOS_OK;
}

static enum xos_status parse_payload(
    struct xos_bytes payload, const char *want_vo, struct xos_membership *m, struct xos_err *err)
{
	char vo[XOS_VO_MAX + 1] = "";
	enum xos_status st = xos_json_parse(payload, XOS_MEMBERSHIP_MAX, &m->doc, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(
		    m->doc, err, "vo", "serial", "issued", "expires", "names", "members");
	if (st == XOS_OK)
		st = xos_json_copy_string(m->doc, "vo", vo, sizeof(vo), err);
	if (st == XOS_OK && strcmp(vo, want_vo) != 0)
		st = xos_err_set(err, XOS_DENIED, "wrong-vo",
		    "a membership of the VO %s, not of %s", vo, want_vo);
	if (st == XOS_OK)
		st = xos_json_get_uint64(m->doc, "serial", INT64_MAX, &m->serial, err);
	if (st == XOS_OK)
		st = xos_json_get_time(m->doc, "issued", &m->issued, err);
	if (st == XOS_OK)
		st = xos_json_get_time(m->doc, "expires", &m->expires, err);
	if (st == XOS_OK)
		st = parse_names(vo, m, err);
	return st == XOS_OK ? parse_members(vo, m, err) : st;
}

enum xos_status xos_membership_verify(struct xos_bytes compact,
    const struct xos_bundle_certs *certs, const struct xos_bundle_trust *trust,
    struct xos_membership **out, struct xos_err *err)
{
	struct xos_membership *m = NULL;
	struct xos_buf payload;
	enum xos_status st = XOS_INTERNAL;

	xos_buf_init(&payload, XOS_MEMBERSHIP_MAX);
	if (compact.n > XOS_MEMBERSHIP_MAX) {
		st = xos_err_set(err, XOS_LIMIT, "object-too-long",
		    "the membership is longer than %u bytes", XOS_MEMBERSHIP_MAX);
		goto out;
	}
	st = xos_signed_open(
	    XOS_MEMBERSHIP_TYP, compact, XOS_SIGNER_CA, certs, trust, &payload, NULL, err);
	if (st != XOS_OK)
		goto out;
	m = calloc(1, sizeof(*m));
	if (!m) {
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		goto out;
	}
	st = parse_payload(xos_buf_bytes(&payload), trust->vo, m, err);
	if (st == XOS_OK)
		st = xos_signed_check_times(
		    "the membership", m->issued, m->expires, trust->now, trust->skew, err);
	if (st != XOS_OK)
		goto out;
	*out = m;
	m = NULL;
out:
	xos_membership_free(m);
	xos_buf_free(&payload);
	return st;
}

/* --- signing --- */

static int by_pointed(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct xos_json *indices(
    const struct xos_membership_fields *f, const char *const *list, size_t n, bool *ok)
{
	struct xos_json *out = xos_json_array();

	for (size_t i = 0; i < n && *ok; i++) {
		const char *const *hit =
		    bsearch(&list[i], f->names, f->nnames, sizeof(*f->names), by_pointed);

		*ok = hit != NULL;
		if (hit)
			xos_json_add_int(out, hit - f->names);
	}
	return out;
}

static enum xos_status check_fields(const struct xos_membership_fields *f, struct xos_err *err)
{
	enum xos_status st =
	    xos_signed_check_times("the membership", f->issued, f->expires, f->issued, 0, err);

	if (st == XOS_OK && (!xos_name_is_vo(f->vo) || f->serial > INT64_MAX))
		st = xos_err_set(err, XOS_MALFORMED, "membership-fields", "bad VO name or serial");
	if (st == XOS_OK && (f->n > XOS_ROSTER_MEMBERS_MAX || f->nnames > XOS_MEMBERSHIP_NAMES_MAX))
		st = xos_err_set(err, XOS_LIMIT, "membership-members",
		    "a membership holds %u members at most", XOS_ROSTER_MEMBERS_MAX);
	for (size_t i = 0; st == XOS_OK && i < f->nnames; i++)
		if (!name_ok(f->vo, f->names[i]) ||
		    (i && strcmp(f->names[i - 1], f->names[i]) >= 0))
			st = xos_err_set(err, XOS_MALFORMED, "membership-name",
			    "%s is no group or role of the VO, or out of order", f->names[i]);
	return st;
}

static enum xos_status put_members(
    const struct xos_membership_fields *f, struct xos_json *list, struct xos_err *err)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct xos_membership_member *m = &f->members[i];
		struct xos_json *one = xos_json_array();
		bool ok = xos_name_is_member(f->vo, m->name) &&
		          m->ngroups <= XOS_MEMBERSHIP_OF_ONE_MAX &&
		          m->nroles <= XOS_MEMBERSHIP_OF_ONE_MAX;

		xos_json_add_string(one, m->name);
		xos_json_add_int(one, (int64_t)m->number);
		xos_json_add(one, indices(f, m->groups, m->ngroups, &ok));
		xos_json_add(one, indices(f, m->roles, m->nroles, &ok));
		xos_json_add(list, one);
		if (!ok)
			return xos_err_set(err, XOS_MALFORMED, "membership-member",
			    "what the membership says of %s cannot be stated", m->name);
	}
	return XOS_OK;
}

enum xos_status xos_membership_sign(const struct xos_key *ca_key,
    const struct xos_membership_fields *f, struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *doc = NULL, *list = NULL;
	struct xos_buf payload;

	xos_buf_init(&payload, XOS_MEMBERSHIP_MAX);
	enum xos_status st = check_fields(f, err);
	if (st != XOS_OK)
		goto out;
	doc = xos_json_object();
	list = xos_json_array();
	xos_json_set_string(doc, "vo", f->vo);
	xos_json_set_int(doc, "serial", (int64_t)f->serial);
	xos_json_set_time(doc, "issued", f->issued);
	xos_json_set_time(doc, "expires", f->expires);
	xos_json_set_strings(doc, "names", f->names, f->nnames);
	st = put_members(f, list, err);
	xos_json_set(doc, "members", list);
	if (st == XOS_OK)
		st = xos_json_dump(doc, &payload, err);
	if (st == XOS_OK)
		st = xos_jws_sign(ca_key, XOS_MEMBERSHIP_TYP, xos_buf_bytes(&payload), out, err);
out:
	xos_json_free(doc);
	xos_buf_free(&payload);
	return st;
}
