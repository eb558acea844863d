#include "bundle/locks.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/json.h"
#include "pki/cert.h"
#include "pki/jws.h"

struct xos_locks {
	enum xos_signer by;
	uint64_t serial;
	int64_t issued, expires;
	struct xos_lock *locks; /* by kind, then name */
	size_t n;
};

static const char *const kind_names[] = {
    [XOS_LOCK_MEMBER] = "member",
    [XOS_LOCK_GROUP] = "group",
    [XOS_LOCK_ROLE] = "role",
    [XOS_LOCK_NODE] = "node",
    [XOS_LOCK_JOB] = "job",
    [XOS_LOCK_GRANT] = "grant",
    [XOS_LOCK_GATEWAY] = "gateway",
    [XOS_LOCK_HOME] = "home",
    [XOS_LOCK_TOKEN] = "token",
};
#define KINDS (sizeof(kind_names) / sizeof(*kind_names))

const char *xos_lock_kind_name(enum xos_lock_kind k)
{
	return (size_t)k < KINDS ? kind_names[k] : "unknown";
}

enum xos_status xos_lock_kind_parse(const char *s, enum xos_lock_kind *out)
{
	for (size_t i = 0; i < KINDS; i++) {
		if (strcmp(s, kind_names[i]) == 0) {
			*out = (enum xos_lock_kind)i;
			return XOS_OK;
		}
	}
	return XOS_MALFORMED;
}

bool xos_lock_kind_of(enum xos_lock_kind k, enum xos_signer by)
{
	if (by == XOS_SIGNER_RCA)
		return k == XOS_LOCK_NODE;
	return by == XOS_SIGNER_CA && k != XOS_LOCK_NODE;
}

void xos_locks_free(struct xos_locks *l)
{
	if (!l)
		return;
	free(l->locks);
	free(l);
}

enum xos_signer xos_locks_by(const struct xos_locks *l)
{
	return l->by;
}

uint64_t xos_locks_serial(const struct xos_locks *l)
{
	return l->serial;
}

int64_t xos_locks_issued(const struct xos_locks *l)
{
	return l->issued;
}

int64_t xos_locks_expires(const struct xos_locks *l)
{
	return l->expires;
}

size_t xos_locks_count(const struct xos_locks *l)
{
	return l->n;
}

const struct xos_lock *xos_locks_at(const struct xos_locks *l, size_t i)
{
	return i < l->n ? &l->locks[i] : NULL;
}

static int cmp_lock(const void *a, const void *b)
{
	const struct xos_lock *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* The first of possibly several locks on the same name. */
static size_t lower_bound(const struct xos_locks *l, const struct xos_lock *key)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (cmp_lock(&l->locks[mid], key) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct xos_lock *xos_locks_find(
    const struct xos_locks *l, enum xos_lock_kind kind, const char *name, int64_t now)
{
	struct xos_lock key = {.kind = kind};

	if (!xos_str_copy(key.name, sizeof(key.name), name))
		return NULL;
	for (size_t i = lower_bound(l, &key); i < l->n && cmp_lock(&l->locks[i], &key) == 0; i++) {
		if (now < l->locks[i].until || l->locks[i].until == XOS_LOCK_NO_END)
			return &l->locks[i];
	}
	return NULL;
}

const struct xos_lock *xos_locks_find_fqan(const struct xos_locks *l, const char *fqan, int64_t now)
{
	char group[XOS_FQAN_MAX + 1];
	const char *role = NULL;
	size_t len = strlen(fqan);
	const struct xos_lock *hit = NULL;

	if (xos_role_split(fqan, &len, &role)) {
		hit = xos_locks_find(l, XOS_LOCK_ROLE, fqan, now);
		if (hit)
			return hit;
	}
	if (len > XOS_FQAN_MAX)
		return NULL;
	memcpy(group, fqan, len);
	group[len] = 0;
	while (group[0]) {
		hit = xos_locks_find(l, XOS_LOCK_GROUP, group, now);
		if (hit)
			return hit;
		char *slash = strrchr(group, '/');
		if (!slash)
			break;
		*slash = 0;
	}
	return NULL;
}

static bool id_valid(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++) {
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		        (*s >= '0' && *s <= '9') || *s == '.' || *s == '_' || *s == '-'))
			return false;
	}
	return true;
}

bool xos_lock_serial_valid(const char *s)
{
	size_t n = strspn(s, "0123456789abcdef");

	return n && n % 2 == 0 && n < XOS_SERIAL_TEXT && !s[n];
}

static bool name_valid(const char *vo, const struct xos_lock *k)
{
	switch (k->kind) {
	case XOS_LOCK_MEMBER:
		return xos_name_is_member(vo, k->name);
	case XOS_LOCK_GROUP:
		return xos_name_is_group(k->name) && xos_fqan_in_vo(k->name, vo);
	case XOS_LOCK_ROLE:
		return xos_name_is_role(k->name) && xos_fqan_in_vo(k->name, vo);
	case XOS_LOCK_NODE:
		return xos_name_is_node(k->name);
	case XOS_LOCK_TOKEN:
		return xos_lock_serial_valid(k->name);
	default:
		return k->name[0] != 0;
	}
}

static enum xos_status check_lock(
    const char *vo, enum xos_signer by, const struct xos_lock *k, struct xos_err *err)
{
	if (!id_valid(k->id))
		return xos_err_set(err, XOS_MALFORMED, "lock-id", "bad lock id \"%s\"", k->id);
	if (!xos_lock_kind_of(k->kind, by))
		return xos_err_set(err, XOS_DENIED, "lock-kind",
		    "lock %s: the %s does not lock a %s", k->id, xos_signer_name(by),
		    xos_lock_kind_name(k->kind));
	if (!name_valid(vo, k))
		return xos_err_set(err, XOS_MALFORMED, "lock-name",
		    "lock %s: \"%s\" is no %s of the VO %s", k->id, k->name,
		    xos_lock_kind_name(k->kind), vo);
	if (k->since < 0 || k->until <= k->since || k->until > XOS_LOCK_NO_END)
		return xos_err_set(
		    err, XOS_MALFORMED, "lock-times", "lock %s ends before it begins", k->id);
	return XOS_OK;
}

static enum xos_status parse_lock(const char *vo, enum xos_signer by, const struct xos_json *v,
    struct xos_lock *k, struct xos_err *err)
{
	const char *kind = NULL;
	enum xos_status st =
	    XOS_JSON_ONLY(v, err, "id", "kind", "name", "since", "until", "message");

	if (st == XOS_OK)
		st = xos_json_copy_string(v, "id", k->id, sizeof(k->id), err);
	if (st == XOS_OK)
		st = xos_json_get_string(v, "kind", 16, &kind, err);
	if (st == XOS_OK && xos_lock_kind_parse(kind, &k->kind) != XOS_OK)
		st = xos_json_refuse(v, err, "unknown kind \"%s\"", kind);
	if (st == XOS_OK)
		st = xos_json_copy_string(v, "name", k->name, sizeof(k->name), err);
	if (st == XOS_OK)
		st = xos_json_get_time(v, "since", &k->since, err);
	if (st == XOS_OK)
		st = xos_json_copy_string(v, "message", k->message, sizeof(k->message), err);
	if (st != XOS_OK)
		return st;
	st = xos_json_get_time(v, "until", &k->until, err);
	return st == XOS_OK ? check_lock(vo, by, k, err) : st;
}

static enum xos_status parse_locks(
    const char *vo, const struct xos_json *list, struct xos_locks *l, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	size_t n = xos_json_count(list);

	l->locks = calloc(n ? n : 1, sizeof(*l->locks));
	if (!l->locks)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (; l->n < n && st == XOS_OK; l->n++)
		st = parse_lock(vo, l->by, xos_json_at(list, l->n), &l->locks[l->n], err);
	if (st == XOS_OK && l->n)
		qsort(l->locks, l->n, sizeof(*l->locks), cmp_lock);
	return st;
}

static enum xos_status parse_payload(
    struct xos_bytes payload, const char *want_vo, struct xos_locks *l, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const struct xos_json *list = NULL;
	const char *by = NULL;
	char vo[XOS_VO_MAX + 1];
	enum xos_status st = xos_json_parse(payload, XOS_LOCKS_MAX, &doc, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "vo", "by", "serial", "issued", "expires", "locks");
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "vo", vo, sizeof(vo), err);
	if (st == XOS_OK && strcmp(vo, want_vo) != 0)
		st = xos_err_set(
		    err, XOS_DENIED, "wrong-vo", "locks of the VO %s, not of %s", vo, want_vo);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "by", 16, &by, err);
	if (st == XOS_OK && strcmp(by, xos_signer_name(l->by)) != 0)
		st = xos_json_refuse(doc, err, "locks by \"%s\" where those by %s must be", by,
		    xos_signer_name(l->by));
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "serial", INT64_MAX, &l->serial, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "issued", &l->issued, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "expires", &l->expires, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "locks", XOS_LOCKS_COUNT_MAX, &list, err);
	if (st == XOS_OK)
		st = parse_locks(vo, list, l, err);
	xos_json_free(doc);
	return st;
}

enum xos_status xos_locks_verify(struct xos_bytes compact, enum xos_signer by,
    const struct xos_bundle_certs *certs, const struct xos_bundle_trust *trust,
    struct xos_locks **out, struct xos_err *err)
{
	struct xos_locks *l = NULL;
	struct xos_buf payload;
	char what[32];
	enum xos_status st = XOS_INTERNAL;

	xos_buf_init(&payload, XOS_LOCKS_MAX);
	xos_str_printf(what, sizeof(what), "the lock list of the %s", xos_signer_name(by));
	if (compact.n > XOS_LOCKS_MAX) {
		st = xos_err_set(err, XOS_LIMIT, "object-too-long", "%s is longer than %u bytes",
		    what, XOS_LOCKS_MAX);
		goto out;
	}
	st = xos_signed_open(XOS_LOCKS_TYP, compact, by, certs, trust, &payload, NULL, err);
	if (st != XOS_OK)
		goto out;
	l = calloc(1, sizeof(*l));
	if (!l) {
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		goto out;
	}
	l->by = by;
	st = parse_payload(xos_buf_bytes(&payload), trust->vo, l, err);
	if (st == XOS_OK)
		st = xos_signed_check_times(
		    what, l->issued, l->expires, trust->now, trust->skew, err);
	if (st != XOS_OK)
		goto out;
	*out = l;
	l = NULL;
out:
	xos_locks_free(l);
	xos_buf_free(&payload);
	return st;
}

static struct xos_json *lock_json(const struct xos_lock *k)
{
	struct xos_json *v = xos_json_object();

	xos_json_set_string(v, "id", k->id);
	xos_json_set_string(v, "kind", xos_lock_kind_name(k->kind));
	xos_json_set_string(v, "name", k->name);
	xos_json_set_time(v, "since", k->since);
	xos_json_set_time(v, "until", k->until);
	xos_json_set_string(v, "message", k->message);
	return v;
}

enum xos_status xos_locks_sign(const struct xos_key *key, const struct xos_locks_fields *f,
    struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *doc = NULL, *list = NULL;
	struct xos_buf payload;

	xos_buf_init(&payload, XOS_LOCKS_MAX);
	enum xos_status st =
	    xos_signed_check_times("the lock list", f->issued, f->expires, f->issued, 0, err);
	if (st == XOS_OK && (!xos_name_is_vo(f->vo) || f->serial > INT64_MAX))
		st = xos_err_set(err, XOS_MALFORMED, "locks-fields", "bad VO name or serial");
	if (st == XOS_OK && f->n > XOS_LOCKS_COUNT_MAX)
		st = xos_err_set(err, XOS_LIMIT, "locks-count", "a list holds %u locks at most",
		    XOS_LOCKS_COUNT_MAX);
	for (size_t i = 0; st == XOS_OK && i < f->n; i++)
		st = check_lock(f->vo, f->by, &f->locks[i], err);
	if (st != XOS_OK)
		goto out;
	doc = xos_json_object();
	list = xos_json_array();
	xos_json_set_string(doc, "vo", f->vo);
	xos_json_set_string(doc, "by", xos_signer_name(f->by));
	xos_json_set_int(doc, "serial", (int64_t)f->serial);
	xos_json_set_time(doc, "issued", f->issued);
	xos_json_set_time(doc, "expires", f->expires);
	for (size_t i = 0; i < f->n; i++)
		xos_json_add(list, lock_json(&f->locks[i]));
	xos_json_set(doc, "locks", list);
	st = xos_json_dump(doc, &payload, err);
	if (st == XOS_OK)
		st = xos_jws_sign(key, XOS_LOCKS_TYP, xos_buf_bytes(&payload), out, err);
out:
	xos_json_free(doc);
	xos_buf_free(&payload);
	return st;
}
