#include <string.h>

#include "testsupport/must.h"
#include "testsupport/vo.h"

#define LIFE (12 * 3600)

static struct xos_bytes signed_site(
    const struct xos_test_vo *v, const struct xos_test_bundle *b, struct xos_buf *out)
{
	struct xos_err err = XOS_ERR_INIT;
	if (!b->site_text)
		return XOS_BYTES_NONE;
	MUST(xos_siteset_sign(b->site_key ? b->site_key : v->site_key, b->site_text,
	         strlen(b->site_text), "site", v->now - 60, v->now + 30 * 86400, out, &err),
	    &err);
	return xos_buf_bytes(out);
}

static struct xos_bytes signed_locks(const struct xos_test_vo *v, const struct xos_test_bundle *b,
    enum xos_signer by, int64_t issued, int64_t expires, struct xos_buf *out)
{
	struct xos_err err = XOS_ERR_INIT;
	bool ca = by == XOS_SIGNER_CA;
	struct xos_locks_fields f = {
	    .vo = v->vo,
	    .by = by,
	    .serial = b->locks_serial ? b->locks_serial : 1,
	    .issued = issued,
	    .expires = expires,
	    .locks = ca ? b->locks_ca : b->locks_rca,
	    .n = ca ? b->nlocks_ca : b->nlocks_rca,
	};
	MUST(xos_locks_sign(ca ? v->ca_key : v->rca_key, &f, out, &err), &err);
	return xos_buf_bytes(out);
}

static struct xos_bytes signed_roster(const struct xos_test_vo *v, const struct xos_test_bundle *b,
    int64_t issued, int64_t expires, struct xos_buf *out)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_roster_fields f = {
	    .vo = v->vo,
	    .serial = b->roster_serial ? b->roster_serial : 1,
	    .issued = issued,
	    .expires = expires,
	    .members = b->members,
	    .n = b->nmembers,
	};
	MUST(xos_roster_sign(v->ca_key, &f, out, &err), &err);
	return xos_buf_bytes(out);
}

static struct xos_bytes signed_node(
    const struct xos_test_vo *v, const struct xos_test_bundle *b, struct xos_buf *out)
{
	struct xos_err err = XOS_ERR_INIT;
	if (!b->node_text)
		return XOS_BYTES_NONE;
	MUST(xos_siteset_sign(b->site_key ? b->site_key : v->site_key, b->node_text,
	         strlen(b->node_text), "node", v->now - 60, v->now + 30 * 86400, out, &err),
	    &err);
	return xos_buf_bytes(out);
}

void xos_test_bundle(
    const struct xos_test_vo *v, const struct xos_test_bundle *b, struct xos_buf *out)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf site, roster, ca, rca, text, node;
	const struct xos_cert *issuers[] = {v->ca, v->rca};
	int64_t issued = b->issued ? b->issued : v->now;
	int64_t expires = b->expires ? b->expires : issued + LIFE;

	xos_buf_init(&site, XOS_SITESET_MAX);
	xos_buf_init(&roster, XOS_ROSTER_MAX);
	xos_buf_init(&ca, XOS_LOCKS_MAX);
	xos_buf_init(&rca, XOS_LOCKS_MAX);
	xos_buf_init(&node, XOS_SITESET_MAX);
	xos_buf_init(&text, 1024);
	xos_buf_printf(&text, "vo \"%s\" serial 1 { }\n", v->vo);
	struct xos_bundle_fields f = {
	    .vo = v->vo,
	    .serial = b->serial ? b->serial : 1,
	    .issued = issued,
	    .expires = expires,
	    .signer = b->signer ? b->signer->cert[0] : v->policy,
	    .root = v->root,
	    .issuers = issuers,
	    .nissuers = 2,
	    .vo_serial = 1,
	    .vo_text = b->vo_text ? xos_bytes_str(b->vo_text) : xos_buf_bytes(&text),
	    .site = v->site,
	    .site_set = signed_site(v, b, &site),
	    .roster = signed_roster(v, b, issued, expires, &roster),
	    .locks_ca = signed_locks(v, b, XOS_SIGNER_CA, issued, expires, &ca),
	    .locks_rca = signed_locks(v, b, XOS_SIGNER_RCA, issued, expires, &rca),
	};
	const struct xos_bundle_named group = {
	    "/demo/physics", b->group_serial ? b->group_serial : 1, xos_bytes_str(b->group_text)};
	const struct xos_bundle_named owner = {
	    "demo:alice", b->owner_serial ? b->owner_serial : 1, xos_bytes_str(b->owner_text)};
	const struct xos_bundle_named of_node = {
	    b->node ? b->node : "n1", 0, signed_node(v, b, &node)};
	f.groups = &group;
	f.ngroups = b->group_text ? 1 : 0;
	f.owners = &owner;
	f.nowners = b->owner_text ? 1 : 0;
	f.nodes = &of_node;
	f.nnodes = b->node_text ? 1 : 0;
	f.heads = &b->head;
	f.nheads = b->head.n ? 1 : 0;
	f.trust = b->trust;
	MUST(xos_bundle_sign(b->signer ? b->signer->key : v->policy_key, &f, out, &err), &err);
	xos_buf_free(&site);
	xos_buf_free(&roster);
	xos_buf_free(&ca);
	xos_buf_free(&rca);
	xos_buf_free(&text);
	xos_buf_free(&node);
}
