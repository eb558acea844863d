/*
 * Objects that reach nodes, by the first byte: a payload that its right signer signed (0 roster, 1 and 2
 * locks, 3 site set, 5 administrators), 4 a bundle around four parts that 0xff separates, else a bundle as it
 * came.
 */
#include <stdlib.h>
#include <string.h>

#include "bundle/administrators.h"
#include "bundle/bundle.h"
#include "pki/jws.h"
#include "testsupport/must.h"
#include "testsupport/vo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1795000000)

static struct xos_test_vo *vo;

static enum xos_status signer(void *arg, enum xos_signer want, const char *name,
    const struct xos_cert *cert, int64_t now, struct xos_err *err)
{
	(void)arg;
	(void)now;
	const struct xos_cert *is[] = {vo->policy, vo->ca, vo->rca};
	return strcmp(name, "demo") == 0 && xos_key_same(xos_cert_key(is[want]), xos_cert_key(cert))
	           ? XOS_OK
	           : xos_err_set(err, XOS_DENIED, "fuzz", "no");
}

static const struct xos_bundle_trust trust = {
    .vo = "demo", .signer = signer, .now = NOW, .skew = XOS_BUNDLE_SKEW};

static void roster(struct xos_bytes compact, const struct xos_bundle_certs *certs)
{
	struct xos_roster *r = NULL;

	if (xos_roster_verify(compact, certs, &trust, &r, NULL) != XOS_OK) {
		if (r)
			abort();
		return;
	}
	for (size_t i = 0; i < xos_roster_count(r); i++) {
		const struct xos_roster_member *m = xos_roster_at(r, i);

		if (xos_roster_find(r, m->name) != m || xos_roster_find_number(r, m->number) != m)
			abort();
	}
	xos_roster_free(r);
}

static void locks(
    struct xos_bytes compact, const struct xos_bundle_certs *certs, enum xos_signer by)
{
	struct xos_locks *l = NULL;

	if (xos_locks_verify(compact, by, certs, &trust, &l, NULL) != XOS_OK) {
		if (l)
			abort();
		return;
	}
	for (size_t i = 0; i < xos_locks_count(l); i++) {
		const struct xos_lock *k = xos_locks_at(l, i);

		if (!xos_lock_kind_of(k->kind, by))
			abort();
		if (NOW < k->until && !xos_locks_find(l, k->kind, k->name, NOW))
			abort();
	}
	xos_locks_free(l);
}

static void bundle(struct xos_bytes compact)
{
	static const struct xos_bundle_seen seen;
	const struct xos_bundle_want want = {.trust = &trust,
	    .site = "lab",
	    .node = "n1",
	    .site_key = vo->site_key,
	    .root = vo->root,
	    .seen = &seen};
	struct xos_bundle *b = NULL;

	if (xos_bundle_verify(compact, &want, &b, NULL) != XOS_OK && b)
		abort();
	xos_bundle_unref(b);
}

static struct xos_bytes part(struct xos_bytes *rest)
{
	const uint8_t *end = rest->n ? memchr(rest->p, 0xff, rest->n) : NULL;
	struct xos_bytes p = {rest->p, end ? (size_t)(end - rest->p) : rest->n};

	rest->p += p.n + (end != NULL);
	rest->n -= p.n + (end != NULL);
	return p;
}

static void built(struct xos_bytes in)
{
	const struct xos_cert *issuers[] = {vo->ca, vo->rca};
	struct xos_bundle_fields f = {.vo = "demo",
	    .serial = 1,
	    .issued = NOW,
	    .expires = NOW + 60,
	    .signer = vo->policy,
	    .root = vo->root,
	    .issuers = issuers,
	    .nissuers = 2,
	    .vo_serial = 1,
	    .site = "lab"};
	struct xos_buf out;

	f.vo_text = part(&in);
	f.roster = part(&in);
	f.site_set = part(&in);
	f.locks_ca = part(&in);
	f.locks_rca = part(&in);
	const struct xos_bundle_named group = {"/demo/physics", 1, part(&in)};
	const struct xos_bundle_named owner = {"demo:alice", 1, part(&in)};
	const struct xos_bundle_named node = {"n1", 1, part(&in)};
	const struct xos_bytes head = part(&in);
	f.groups = &group;
	f.owners = &owner;
	f.nodes = &node;
	f.ngroups = f.nowners = f.nnodes = group.bytes.n != 0;
	f.heads = &head;
	f.nheads = head.n != 0;
	f.trust = in;
	xos_buf_init(&out, XOS_BUNDLE_MAX);
	if (xos_bundle_sign(vo->policy_key, &f, &out, NULL) == XOS_OK)
		bundle(xos_buf_bytes(&out));
	xos_buf_free(&out);
}

static void signed_payload(uint8_t what, struct xos_bytes payload)
{
	static const char *const typ[] = {
	    XOS_ROSTER_TYP, XOS_LOCKS_TYP, XOS_LOCKS_TYP, XOS_SITESET_TYP};
	const struct xos_key *key[] = {vo->ca_key, vo->ca_key, vo->rca_key, vo->site_key};
	const struct xos_cert *cert[] = {vo->ca, vo->rca};
	const struct xos_bundle_certs certs = {cert, 2};
	struct xos_siteset *set = NULL;
	struct xos_buf out;

	xos_buf_init(&out, XOS_BUNDLE_MAX);
	if (xos_jws_sign(key[what], typ[what], payload, &out, NULL) == XOS_OK) {
		if (what == 0)
			roster(xos_buf_bytes(&out), &certs);
		else if (what == 3)
			(void)!xos_siteset_verify(
			    vo->site_key, "lab", xos_buf_bytes(&out), NOW, 300, &set, NULL);
		else
			locks(xos_buf_bytes(&out), &certs,
			    what == 1 ? XOS_SIGNER_CA : XOS_SIGNER_RCA);
	}
	xos_siteset_free(set);
	xos_buf_free(&out);
}

static void administrators(struct xos_bytes payload)
{
	const struct xos_cert *cert[] = {vo->ca, vo->rca};
	const struct xos_bundle_certs certs = {cert, 2};
	struct xos_administrators *a = NULL;
	struct xos_buf out;

	xos_buf_init(&out, XOS_ADMINISTRATORS_MAX);
	if (xos_jws_sign(vo->ca_key, XOS_ADMINISTRATORS_TYP, payload, &out, NULL) == XOS_OK &&
	    xos_administrators_verify(xos_buf_bytes(&out), &certs, &trust, &a, NULL) == XOS_OK)
		for (size_t i = 0; i < a->n; i++)
			if (xos_administrators_find(a, a->list[i].name, a->list[i].number) !=
			    &a->list[i])
				abort();
	xos_administrators_free(a);
	xos_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!vo)
		vo = xos_test_vo_new("demo", "lab", NOW);
	if (size == 0)
		return 0;
	const struct xos_bytes rest = {data + 1, size - 1};
	if (data[0] <= 3)
		signed_payload(data[0], rest);
	else if (data[0] == 4)
		built(rest);
	else if (data[0] == 5)
		administrators(rest);
	else
		bundle(rest);
	return 0;
}
