/* The parts of a bundle whose manifest is verified: each is what the manifest names, then judged by itself. */
#include <stdlib.h>
#include <string.h>

#include "base/event.h"
#include "base/text.h"
#include "bundle/open.h"
#include "pki/jws.h"

/* The part whose digest v states. */
static enum xos_status part_in(
    struct xos_bundle_step *s, const struct xos_json *v, struct xos_bytes *out, struct xos_err *err)
{
	const char *text = NULL;
	struct xos_buf digest;
	const struct xos_archive_part *p = NULL;

	xos_buf_init(&digest, XOS_SHA256_LEN);
	enum xos_status st = xos_json_as_string(v, 2 * XOS_SHA256_LEN, &text, err);
	if (st == XOS_OK &&
	    (xos_hex_decode(&digest, text, strlen(text)) != XOS_OK || digest.n != XOS_SHA256_LEN))
		st = xos_json_refuse(v, err, "no digest");
	if (st == XOS_OK)
		p = xos_archive_find(&s->archive, digest.p);
	if (p) {
		s->used[p - s->archive.part] = true;
		*out = p->bytes;
	} else if (st == XOS_OK) {
		st = xos_err_set(err, XOS_NOT_FOUND, "bundle-part",
		    "the bundle names a part that is not here (%.16s...)", text);
	}
	xos_buf_free(&digest);
	return st;
}

static enum xos_status part_of(struct xos_bundle_step *s, const struct xos_json *obj,
    const char *key, struct xos_bytes *out, struct xos_err *err)
{
	const struct xos_json *v = NULL, *at;
	const char *k;
	void *it = NULL;

	while (xos_json_next(obj, &it, &k, &at))
		if (strcmp(k, key) == 0)
			v = at;
	return v ? part_in(s, v, out, err)
	         : xos_json_refuse(obj, err, "%s: a part is missing", key);
}

static enum xos_status step_vo_set(struct xos_bundle_step *s, struct xos_err *err)
{
	const struct xos_json *obj = NULL;
	struct xos_bytes text = XOS_BYTES_NONE;
	uint64_t serial = 0;
	enum xos_status st = xos_json_get_object(s->doc, "vo_set", &obj, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(obj, err, "serial", "part");
	if (st == XOS_OK)
		st = xos_json_get_uint64(obj, "serial", INT64_MAX, &serial, err);
	if (st == XOS_OK)
		st = part_of(s, obj, "part", &text, err);
	if (st == XOS_OK)
		st =
		    xos_policy_set_load((const char *)text.p, text.n, "VO set", &s->b->vo_set, err);
	if (st != XOS_OK)
		return st;
	if (xos_policy_set_level(s->b->vo_set) != XOS_POLICY_VO ||
	    strcmp(xos_policy_set_name(s->b->vo_set), s->trust.vo) != 0)
		return xos_err_set(err, XOS_DENIED, "wrong-vo",
		    "the VO set in the bundle is no set of the VO %s", s->trust.vo);
	if (xos_policy_set_serial(s->b->vo_set) != serial)
		return xos_err_set(err, XOS_MALFORMED, "set-serial",
		    "the VO set states another serial than its text");
	if (serial < s->want->seen->vo_set)
		return xos_bundle_lower(err, "the VO set", serial, s->want->seen->vo_set);
	return XOS_OK;
}

/* One bundle serves one site; without a set of it there is none, and the site grants nothing. */
static enum xos_status step_site_set(struct xos_bundle_step *s, struct xos_err *err)
{
	const struct xos_json *sites = NULL, *value = NULL;
	const char *name = NULL;
	struct xos_bytes compact = XOS_BYTES_NONE;
	void *it = NULL;
	enum xos_status st = xos_json_get_object(s->doc, "sites", &sites, err);

	if (st == XOS_OK && xos_json_count(sites) > 1)
		st = xos_json_refuse(sites, err, "a bundle holds the set of one site");
	if (st != XOS_OK || !xos_json_next(sites, &it, &name, &value))
		return st;
	if (strcmp(name, s->want->site) != 0)
		return xos_err_set(err, XOS_DENIED, "wrong-site",
		    "a bundle for the site %s, not for %s", name, s->want->site);
	st = part_in(s, value, &compact, err);
	if (st == XOS_OK)
		st = xos_siteset_verify(s->want->site_key, s->want->site, compact, s->trust.now,
		    s->trust.skew, &s->b->site_set, err);
	if (st == XOS_OK && s->b->site_set->serial < s->want->seen->site_set)
		st = xos_bundle_lower(
		    err, "the site set", s->b->site_set->serial, s->want->seen->site_set);
	return st;
}

/* Whose is it? By the key that its header claims; the verification holds it to that. */
static enum xos_status claimed_by(const struct xos_bundle_step *s, const char *typ,
    struct xos_bytes compact, const struct xos_bundle_issuer **by, struct xos_err *err)
{
	char claimed[XOS_JWS_KID_TEXT], kid[XOS_JWS_KID_TEXT];
	enum xos_status st = xos_jws_peek_kid(typ, compact, claimed, err);

	for (size_t i = 0; st == XOS_OK && i < s->b->nissuers; i++) {
		xos_jws_kid(xos_cert_key(s->b->issuers[i].cert), kid);
		if (strcmp(kid, claimed) == 0) {
			*by = &s->b->issuers[i];
			return XOS_OK;
		}
	}
	return st != XOS_OK
	           ? st
	           : xos_err_set(err, XOS_DENIED, "foreign-signer",
	                 "a list is signed by neither the ca nor the rca of %s", s->trust.vo);
}

static void note_by(
    struct xos_bundle_step *s, enum xos_bundle_by what, const struct xos_bundle_issuer *by)
{
	memcpy(s->b->by[what], xos_cert_fingerprint(by->cert), XOS_SHA256_LEN);
}

static enum xos_status step_roster(
    struct xos_bundle_step *s, const struct xos_bundle_certs *certs, struct xos_err *err)
{
	const struct xos_bundle *before = s->want->before;
	struct xos_bytes compact = XOS_BYTES_NONE;
	const struct xos_bundle_issuer *by = NULL;
	enum xos_status st = part_of(s, s->doc, "roster", &compact, err);

	if (st == XOS_OK)
		st = xos_roster_verify_again(compact, certs, &s->trust,
		    before && strcmp(before->vo, s->b->vo) == 0 ? before->roster : NULL,
		    &s->b->roster, err);
	if (st == XOS_OK)
		st = claimed_by(s, XOS_ROSTER_TYP, compact, &by, err);
	if (st == XOS_OK)
		note_by(s, XOS_BUNDLE_BY_ROSTER, by);
	if (st == XOS_OK && xos_roster_serial(s->b->roster) < s->want->seen->roster)
		st = xos_bundle_lower(
		    err, "the roster", xos_roster_serial(s->b->roster), s->want->seen->roster);
	return st;
}

static enum xos_status one_list(struct xos_bundle_step *s, const struct xos_json *v,
    const struct xos_bundle_certs *certs, struct xos_err *err)
{
	struct xos_bytes text = XOS_BYTES_NONE;
	const struct xos_bundle_issuer *by = NULL;
	enum xos_status st = part_in(s, v, &text, err);

	if (st == XOS_OK)
		st = claimed_by(s, XOS_LOCKS_TYP, text, &by, err);
	if (st != XOS_OK)
		return st;
	bool rca = by->as == XOS_SIGNER_RCA;
	struct xos_locks **slot = &s->b->locks[rca];
	if (*slot)
		return xos_json_refuse(v, err, "two lock lists of the %s", xos_signer_name(by->as));
	note_by(s, rca ? XOS_BUNDLE_BY_RCA : XOS_BUNDLE_BY_CA, by);
	return xos_locks_verify(text, by->as, certs, &s->trust, slot, err);
}

static enum xos_status step_locks(
    struct xos_bundle_step *s, const struct xos_bundle_certs *certs, struct xos_err *err)
{
	const uint64_t seen[2] = {s->want->seen->locks_ca, s->want->seen->locks_rca};
	static const char *const what[2] = {"the lock list of the ca", "the lock list of the rca"};
	const struct xos_json *list = NULL;
	enum xos_status st = xos_json_get_array(s->doc, "locks", 2, &list, err);

	for (size_t i = 0; st == XOS_OK && i < xos_json_count(list); i++)
		st = one_list(s, xos_json_at(list, i), certs, err);
	for (size_t i = 0; st == XOS_OK && i < 2; i++) {
		const struct xos_locks *l = s->b->locks[i];

		/* Leaving a list out must not open what it had closed. */
		if (!l && seen[i])
			st = xos_err_set(err, XOS_DENIED, "lower-serial",
			    "%s is missing, but one was seen before", what[i]);
		else if (l && xos_locks_serial(l) < seen[i])
			st = xos_bundle_lower(err, what[i], xos_locks_serial(l), seen[i]);
	}
	return st;
}

/* ---- sets of groups, owners and this node ---- */

/* What stands for a set that this program cannot read: it opens nothing. */
static enum xos_status closed(const char *what, const char *name, uint64_t serial,
    struct xos_policy_set **out, struct xos_err *err)
{
	struct xos_buf text;

	xos_buf_init(&text, 4096);
	if (strcmp(what, "group") == 0)
		xos_buf_printf(&text,
		    "group \"%s\" serial %llu { forbid group %s action any on any because \"this "
		    "node cannot read the "
		    "group's set\"; }",
		    name, (unsigned long long)serial, name);
	else
		xos_buf_printf(
		    &text, "owner \"%s\" serial %llu { }", name, (unsigned long long)serial);
	const char *t = xos_buf_str(&text);
	enum xos_status st = t ? xos_policy_set_load(t, strlen(t), name, out, err)
	                       : xos_err_set(err, XOS_LIMIT, "set-name", "a name is too long");
	xos_buf_free(&text);
	return st;
}

static enum xos_status load_scoped(const char *what, enum xos_policy_level level, const char *name,
    uint64_t serial, struct xos_bytes text, struct xos_policy_set **out, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	struct xos_err why = XOS_ERR_INIT;
	enum xos_status st = xos_policy_set_load((const char *)text.p, text.n, name, &set, &why);

	if (st == XOS_OK &&
	    (xos_policy_set_level(set) != level || strcmp(xos_policy_set_name(set), name) != 0 ||
	        xos_policy_set_serial(set) != serial))
		st = xos_err_set(&why, XOS_MALFORMED, "set-name",
		    "it is the set of another name, level or serial");
	if (st == XOS_OK) {
		*out = set;
		return st;
	}
	xos_policy_set_unref(set);
	xos_event_err(
	    XOS_ERROR, "set.closed", &why, "level", what, "name", name, (const char *)NULL);
	return closed(what, name, serial, out, err);
}

static enum xos_status one_scoped(struct xos_bundle_step *s, const struct xos_json *v,
    const char *what, enum xos_policy_level level, struct xos_err *err)
{
	struct xos_bytes text = XOS_BYTES_NONE;
	const char *name = NULL;
	uint64_t serial = 0;
	size_t vo = strlen(s->trust.vo);
	enum xos_status st = XOS_JSON_ONLY(v, err, "name", "serial", "part");

	if (st == XOS_OK)
		st = xos_json_get_string(v, "name", 1024, &name, err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(v, "serial", INT64_MAX, &serial, err);
	if (st == XOS_OK)
		st = part_of(s, v, "part", &text, err);
	if (st != XOS_OK)
		return st;
	/* "/demo/physics" or "demo:alice": of this VO, and a name that can stand in a set. */
	bool own = level == XOS_POLICY_GROUP
	               ? xos_name_is_group(name) && strncmp(name + 1, s->trust.vo, vo) == 0 &&
	                     name[1 + vo] == '/'
	               : strncmp(name, s->trust.vo, vo) == 0 && name[vo] == ':' &&
	                     xos_name_is_member(s->trust.vo, name + vo + 1);
	if (!own)
		return xos_err_set(err, XOS_DENIED, "wrong-vo",
		    "a set of the %s \"%s\" in a bundle of the VO %s", what, name, s->trust.vo);
	for (size_t i = 0; i < s->b->nscoped; i++)
		if (strcmp(xos_policy_set_name(s->b->scoped[i]), name) == 0)
			return xos_json_refuse(v, err, "two sets of %s", name);
	st = load_scoped(what, level, name, serial, text, &s->b->scoped[s->b->nscoped], err);
	if (st == XOS_OK)
		s->b->nscoped++;
	return st;
}

static enum xos_status step_scoped(struct xos_bundle_step *s, struct xos_err *err)
{
	static const struct {
		const char *key, *what;
		enum xos_policy_level level;
	} kinds[] = {{"groups", "group", XOS_POLICY_GROUP}, {"owners", "owner", XOS_POLICY_OWNER}};
	const struct xos_json *list[2] = {NULL, NULL};
	enum xos_status st = XOS_OK;

	for (size_t k = 0; st == XOS_OK && k < 2; k++)
		st = xos_json_opt_array(s->doc, kinds[k].key, XOS_BUNDLE_SCOPED_MAX, &list[k], err);
	if (st != XOS_OK)
		return st;
	s->b->scoped =
	    calloc(xos_json_count(list[0]) + xos_json_count(list[1]) + 1, sizeof(*s->b->scoped));
	if (!s->b->scoped)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; st == XOS_OK && i < xos_json_count(list[k]); i++)
			st = one_scoped(
			    s, xos_json_at(list[k], i), kinds[k].what, kinds[k].level, err);
	return st;
}

/* Others' parts are kept, not read: which of them a bundle names is covered by its signature. */
static enum xos_status step_node_set(struct xos_bundle_step *s, struct xos_err *err)
{
	const struct xos_json *nodes = NULL, *v;
	struct xos_bytes compact = XOS_BYTES_NONE;
	const char *name;
	void *it = NULL;
	enum xos_status st = xos_json_opt_object(s->doc, "nodes", &nodes, err);

	if (st == XOS_OK && xos_json_count(nodes) > XOS_BUNDLE_SCOPED_MAX)
		st = xos_json_refuse(
		    nodes, err, "more than %u sets of nodes", XOS_BUNDLE_SCOPED_MAX);
	while (st == XOS_OK && nodes && xos_json_next(nodes, &it, &name, &v)) {
		st = part_in(s, v, &compact, err);
		if (st == XOS_OK && s->want->node && strcmp(name, s->want->node) == 0)
			st = xos_nodeset_verify(s->want->site_key, s->want->site, s->want->node,
			    compact, s->trust.now, s->trust.skew, &s->b->node_set, err);
	}
	uint64_t seen = s->want->seen->node_set;
	if (st == XOS_OK && s->b->node_set && s->b->node_set->serial < seen)
		st = xos_bundle_lower(err, "the node set", s->b->node_set->serial, seen);
	/* What the owner forbids there must not go away by leaving it out. */
	if (st == XOS_OK && s->want->node && !s->b->node_set && seen)
		st = xos_err_set(err, XOS_DENIED, "lower-serial",
		    "the set of the node %s is missing, but one was seen before: an owner takes it "
		    "back "
		    "by an empty one",
		    s->want->node);
	return st;
}

/* ---- what is carried on ---- */

static enum xos_status step_heads(struct xos_bundle_step *s, struct xos_err *err)
{
	const struct xos_json *list = NULL;
	const char *text = NULL;
	enum xos_status st = xos_json_opt_array(s->doc, "heads", XOS_BUNDLE_HEADS_MAX, &list, err);

	for (size_t i = 0; st == XOS_OK && i < xos_json_count(list); i++) {
		struct xos_buf *head = &s->b->head[s->b->nheads++];

		xos_buf_init(head, XOS_BUNDLE_HEAD_MAX);
		st = xos_json_as_string(xos_json_at(list, i), XOS_BUNDLE_HEAD_MAX, &text, err);
		if (st == XOS_OK)
			xos_buf_put_str(head, text);
	}
	if (st == XOS_OK)
		st = xos_json_opt_string(s->doc, "trust", XOS_BUNDLE_TRUST_MAX, &text, err);
	if (st == XOS_OK && xos_json_has(s->doc, "trust"))
		xos_buf_put_str(&s->b->trust, text);
	return st;
}

enum xos_status xos_bundle_step_parts(struct xos_bundle_step *s, struct xos_err *err)
{
	const struct xos_cert *cert[XOS_BUNDLE_ISSUERS_MAX];
	struct xos_bundle_certs certs = {.cert = cert};

	for (; certs.n < s->b->nissuers; certs.n++)
		cert[certs.n] = s->b->issuers[certs.n].cert;
	enum xos_status st = step_vo_set(s, err);
	if (st == XOS_OK)
		st = step_site_set(s, err);
	if (st == XOS_OK)
		st = step_roster(s, &certs, err);
	if (st == XOS_OK)
		st = step_locks(s, &certs, err);
	if (st == XOS_OK)
		st = step_scoped(s, err);
	if (st == XOS_OK)
		st = step_node_set(s, err);
	return st == XOS_OK ? step_heads(s, err) : st;
}
