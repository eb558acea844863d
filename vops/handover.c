/* What the network process decides by, part by part. */
#include "vops/handover.h"

#include <string.h>

#include "api/signer.h"
#include "base/clock.h"
#include "base/text.h"
#include "bundle/membership.h"
#include "pki/digest.h"
#include "vops/scoped.h"

/* In the table of fetched objects, beside those that go into bundles. */
#define MEMBERSHIP ((enum vops_object)16)

static enum xos_status site_part(struct vops_auth *a, const char *site, struct xos_buf *out,
    int64_t *not_after, struct xos_err *err)
{
	struct xos_key *key = NULL;
	struct xos_siteset *set = NULL;
	struct xos_buf compact;

	xos_buf_init(&compact, XOS_SITESET_MAX);
	enum xos_status st = vops_site_key(a->db, site, &key, err);
	if (st == XOS_OK)
		st = vops_site_set_get(a->db, site, &compact, err);
	if (st == XOS_OK && compact.n == 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "no-set", "the site %s has no set", site);
	if (st == XOS_OK)
		st = xos_siteset_verify(key, site, xos_buf_bytes(&compact), xos_clock_now(),
		    XOS_BUNDLE_SKEW, &set, err);
	if (st == XOS_OK) {
		xos_buf_put(out, set->text, set->text_len);
		*not_after = set->expires;
		st = xos_buf_status(out);
	}
	xos_siteset_free(set);
	xos_buf_free(&compact);
	xos_key_free(key);
	return st;
}

/* One set of a node, of all that its site has. */
struct wanted {
	const char *node;
	const struct xos_key *key;
	const char *site;
	struct xos_buf *out;
	int64_t not_after;
	bool found;
};

static enum xos_status take_node(void *ctx, const struct vops_node_set *s, struct xos_err *err)
{
	struct wanted *w = ctx;
	struct xos_siteset *set = NULL;

	if (strcmp(s->node, w->node) != 0)
		return XOS_OK;
	/* One that ended is handed over as well, with its end: the policy then decides nothing there. Left out, its
	 * forbids would be gone. */
	int64_t now = xos_clock_now(), at = now < s->expires ? now : s->expires - 1;
	enum xos_status st = xos_nodeset_verify(
	    w->key, w->site, w->node, s->compact, at, XOS_BUNDLE_SKEW, &set, err);
	if (st == XOS_OK) {
		xos_buf_put(w->out, set->text, set->text_len);
		w->not_after = set->expires;
		w->found = true;
	}
	xos_siteset_free(set);
	return st;
}

static enum xos_status node_part(struct vops_auth *a, const char *place, struct xos_buf *out,
    int64_t *not_after, struct xos_err *err)
{
	const char *slash = strchr(place, '/');
	struct xos_key *key = NULL;
	char site[XOS_SITE_MAX + 1];
	struct wanted w = {.node = slash ? slash + 1 : "", .site = site, .out = out};

	if (!slash || !xos_str_printf(site, sizeof(site), "%.*s", (int)(slash - place), place))
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "no name of a node");
	enum xos_status st = vops_site_key(a->db, site, &key, err);
	w.key = key;
	if (st == XOS_OK)
		st = vops_node_sets_each(a->db, site, take_node, &w, err);
	if (st == XOS_OK && !w.found)
		st = xos_err_set(err, XOS_NOT_FOUND, "no-set", "the node %s has no set", place);
	*not_after = w.not_after;
	xos_key_free(key);
	return st;
}

static enum xos_status part(struct vops_auth *a, uint8_t kind, const char *name,
    struct xos_buf *out, int64_t *not_after, struct xos_err *err)
{
	*not_after = 0;
	switch (kind) {
	case VOPS_PART_VO:
		return vops_vo_set_get(a->db, 0, out, NULL, err);
	case VOPS_PART_SITE:
		return site_part(a, name, out, not_after, err);
	case VOPS_PART_ROSTER:
		return vops_object_get(a->db, VOPS_ROSTER, out, err);
	case VOPS_PART_LOCKS_CA:
		return vops_object_get(a->db, VOPS_LOCKS_CA, out, err);
	case VOPS_PART_LOCKS_RCA:
		return vops_object_get(a->db, VOPS_LOCKS_RCA, out, err);
	case VOPS_PART_MEMBERSHIP:
		return vops_object_get(a->db, MEMBERSHIP, out, err);
	case VOPS_PART_GROUP:
		return vops_scoped_get(a->db, VOPS_SCOPE_GROUP, name, 0, out, NULL, err);
	case VOPS_PART_OWNER:
		return vops_scoped_get(a->db, VOPS_SCOPE_OWNER, name, 0, out, NULL, err);
	case VOPS_PART_NODE:
		return node_part(a, name, out, not_after, err);
	default:
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "no such part");
	}
}

static enum xos_status tag_of(struct xos_bytes content, uint64_t *tag)
{
	uint8_t digest[XOS_SHA256_LEN];
	enum xos_status st = xos_sha256(content, digest);

	*tag = 0;
	for (size_t i = 0; st == XOS_OK && i < 8; i++)
		*tag = *tag << 8 | digest[i];
	return st;
}

/* What is not there, or has ended, is not named: without a set of the VO or site, or a list, everything is refused.
 * A node's set narrows: without it too much would be permitted, so it is there or the view is not made. */
static enum xos_status put_entry(struct vops_auth *a, uint8_t kind, const char *name,
    struct xos_buf *reply, uint32_t *n, struct xos_err *err)
{
	struct xos_buf content;
	struct xos_err why = XOS_ERR_INIT;
	uint64_t tag = 0;
	int64_t not_after;

	xos_buf_init(&content, XOS_BULK_MAX);
	enum xos_status st = part(a, kind, name, &content, &not_after, &why);
	if (st == XOS_OK)
		st = tag_of(xos_buf_bytes(&content), &tag);
	if (st == XOS_OK) {
		xos_buf_u8(reply, kind);
		xos_buf_lp_str(reply, name);
		xos_buf_u64(reply, tag);
		(*n)++;
	}
	xos_buf_free(&content);
	if (st == XOS_OK || (st != XOS_INTERNAL && kind != VOPS_PART_NODE))
		return XOS_OK;
	if (err)
		*err = why;
	return st;
}

struct listing {
	struct vops_auth *a;
	const char *site;
	struct xos_buf *reply;
	uint32_t *n;
};

static enum xos_status put_scoped(void *ctx, const struct vops_scoped *s, struct xos_err *err)
{
	struct listing *l = ctx;
	uint64_t tag = 0;
	enum xos_status st = tag_of(s->text, &tag);

	if (st != XOS_OK)
		return xos_err_set(err, st, "digest", "SHA-256 failed");
	xos_buf_u8(l->reply, s->kind == VOPS_SCOPE_GROUP ? VOPS_PART_GROUP : VOPS_PART_OWNER);
	xos_buf_lp_str(l->reply, s->name);
	xos_buf_u64(l->reply, tag);
	(*l->n)++;
	return XOS_OK;
}

static enum xos_status put_node(void *ctx, const struct vops_node_set *s, struct xos_err *err)
{
	struct listing *l = ctx;
	char name[VOPS_PART_NAME_MAX + 1];

	if (!xos_str_printf(name, sizeof(name), "%s/%s", l->site, s->node))
		return xos_err_set(err, XOS_INTERNAL, "node-name", "a node's name is too long");
	return put_entry(l->a, VOPS_PART_NODE, name, l->reply, l->n, err);
}

static enum xos_status put_all(
    struct vops_auth *a, struct xos_buf *reply, uint32_t *n, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const struct xos_json *sites = NULL;
	struct listing l = {.a = a, .reply = reply, .n = n};
	enum xos_status st = put_entry(a, VOPS_PART_VO, "", reply, n, err);

	for (uint8_t k = VOPS_PART_ROSTER; st == XOS_OK && k <= VOPS_PART_MEMBERSHIP; k++)
		st = put_entry(a, k, "", reply, n, err);
	if (st == XOS_OK)
		st = vops_site_list(a->db, &doc, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "sites", VOPS_SITES_MAX, &sites, err);
	for (size_t i = 0; st == XOS_OK && i < xos_json_count(sites); i++) {
		const char *site = NULL;

		st = xos_json_get_string(xos_json_at(sites, i), "site", XOS_SITE_MAX, &site, err);
		if (st == XOS_OK)
			st = put_entry(a, VOPS_PART_SITE, site, reply, n, err);
		l.site = site;
		if (st == XOS_OK)
			st = vops_node_sets_each(a->db, site, put_node, &l, err);
	}
	if (st == XOS_OK)
		st = vops_scoped_each(a->db, xos_clock_now(), put_scoped, &l, err);
	xos_json_free(doc);
	return st;
}

enum xos_status vops_handover_view(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct vops_auth *a = auth;
	struct xos_reader r;
	struct xos_buf entries;
	uint64_t theirs = 0, ours = a->generation + a->memberships;
	uint32_t n = 0;

	(void)from;
	xos_reader_init(&r, payload);
	xos_reader_u64(&r, &theirs);
	if (xos_reader_end(&r) != XOS_OK)
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad generation");
	xos_buf_u64(reply, ours);
	xos_buf_u8(reply, theirs != ours);
	if (theirs == ours)
		return XOS_OK;
	xos_buf_init(&entries, XOS_BULK_MAX);
	enum xos_status st = put_all(a, &entries, &n, err);
	xos_buf_u32(reply, n);
	xos_buf_put(reply, entries.p, entries.n);
	xos_buf_free(&entries);
	return st;
}

enum xos_status vops_handover_part(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_reader r;
	struct xos_buf content;
	char name[VOPS_PART_NAME_MAX + 1] = "";
	uint8_t kind = 0;
	uint64_t tag = 0;
	int64_t not_after = 0;

	(void)from;
	xos_reader_init(&r, payload);
	xos_reader_u8(&r, &kind);
	xos_reader_lp_str(&r, name, sizeof(name));
	if (xos_reader_end(&r) != XOS_OK)
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad name of a part");
	xos_buf_init(&content, XOS_BULK_MAX - 64);
	enum xos_status st = part(auth, kind, name, &content, &not_after, err);
	if (st == XOS_OK)
		st = tag_of(xos_buf_bytes(&content), &tag);
	if (st == XOS_OK) {
		xos_buf_u64(reply, tag);
		xos_buf_u64(reply, (uint64_t)not_after);
		xos_buf_lp(reply, xos_buf_bytes(&content));
	}
	xos_buf_free(&content);
	return st;
}

/* Stands in no bundle, so no bundle is signed anew for it. */
enum xos_status vops_handover_membership(
    void *auth, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct vops_auth *a = auth;
	const struct xos_cert *cert[VOPS_ISSUERS_MAX];
	const struct xos_bundle_certs certs = {.cert = cert, .n = vops_issuers(a->trust, cert)};
	const struct xos_bundle_trust trust = vops_auth_trust(a, xos_clock_now());
	struct xos_membership *m = NULL;
	struct xos_bytes compact = XOS_BYTES_NONE;
	struct xos_reader r;
	bool changed = false;

	(void)from;
	(void)reply;
	xos_reader_init(&r, payload);
	xos_reader_lp(&r, XOS_MEMBERSHIP_MAX, &compact);
	if (xos_reader_end(&r) != XOS_OK)
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad membership");
	enum xos_status st = xos_membership_verify(compact, &certs, &trust, &m, err);
	if (st == XOS_OK)
		st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = vops_object_put(a->db, MEMBERSHIP, xos_membership_serial(m), compact,
		    xos_clock_now(), &changed, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	if (st == XOS_OK && changed)
		a->memberships++;
	xos_membership_free(m);
	return st;
}
