/* One part of what is decided by, taken apart. */
#include <stdlib.h>
#include <string.h>

#include "api/signer.h"
#include "base/clock.h"
#include "base/text.h"
#include "vops/view.h"

struct vops_part *vops_part_ref(struct vops_part *p)
{
	atomic_fetch_add(&p->refs, 1);
	return p;
}

void vops_part_unref(struct vops_part *p)
{
	if (!p || atomic_fetch_sub(&p->refs, 1) > 1)
		return;
	xos_policy_set_unref(p->set);
	xos_roster_free(p->roster);
	xos_locks_free(p->locks);
	xos_membership_free(p->membership);
	free(p);
}

/* XOS_POLICY_LEVELS: it is no set. */
static enum xos_policy_level level_of(uint8_t kind)
{
	switch (kind) {
	case VOPS_PART_VO:
		return XOS_POLICY_VO;
	case VOPS_PART_SITE:
		return XOS_POLICY_SITE;
	case VOPS_PART_GROUP:
		return XOS_POLICY_GROUP;
	case VOPS_PART_OWNER:
		return XOS_POLICY_OWNER;
	case VOPS_PART_NODE:
		return XOS_POLICY_NODE;
	default:
		return XOS_POLICY_LEVELS;
	}
}

/* A set of another level or name would count for somebody else. */
static enum xos_status read_set(
    struct vops_part *p, struct xos_bytes content, const char *vo, struct xos_err *err)
{
	enum xos_policy_level level = level_of(p->kind);
	const char *name = p->kind == VOPS_PART_VO ? vo : p->name;
	enum xos_status st =
	    xos_policy_set_load((const char *)content.p, content.n, name, &p->set, err);

	if (st == XOS_OK && (xos_policy_set_level(p->set) != level ||
	                        strcmp(xos_policy_set_name(p->set), name) != 0))
		st = xos_err_set(err, XOS_DENIED, "wrong-set", "the set of %s is another's", name);
	return st;
}

static enum xos_status read_list(struct vops_part *p, struct xos_bytes content,
    const struct xos_trust *trust, const char *vo, struct xos_err *err)
{
	const struct xos_cert *cert[VOPS_ISSUERS_MAX];
	const struct xos_bundle_certs certs = {.cert = cert, .n = vops_issuers(trust, cert)};
	const struct xos_bundle_trust by = {.vo = vo,
	    .signer = xos_api_signer,
	    .signed_at = xos_api_signed_at,
	    .arg = (void *)(uintptr_t)trust,
	    .now = xos_clock_now(),
	    .skew = XOS_BUNDLE_SKEW};

	switch (p->kind) {
	case VOPS_PART_ROSTER:
		return xos_roster_verify(content, &certs, &by, &p->roster, err);
	case VOPS_PART_LOCKS_CA:
		return xos_locks_verify(content, XOS_SIGNER_CA, &certs, &by, &p->locks, err);
	case VOPS_PART_LOCKS_RCA:
		return xos_locks_verify(content, XOS_SIGNER_RCA, &certs, &by, &p->locks, err);
	case VOPS_PART_MEMBERSHIP:
		return xos_membership_verify(content, &certs, &by, &p->membership, err);
	default:
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "a part of unknown kind");
	}
}

enum xos_status vops_part_new(uint8_t kind, const char *name, uint64_t tag, int64_t not_after,
    struct xos_bytes content, const struct xos_trust *trust, const char *vo, struct vops_part **out,
    struct xos_err *err)
{
	struct vops_part *p = calloc(1, sizeof(*p));

	if (!p)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	atomic_init(&p->refs, 1);
	p->kind = kind;
	p->tag = tag;
	p->not_after = not_after;
	enum xos_status st = XOS_OK;
	if (!xos_str_copy(p->name, sizeof(p->name), name))
		st = xos_err_set(err, XOS_MALFORMED, "channel-frame", "a name that is too long");
	if (st == XOS_OK && level_of(kind) != XOS_POLICY_LEVELS)
		st = read_set(p, content, vo, err);
	else if (st == XOS_OK)
		st = read_list(p, content, trust, vo, err);
	if (st == XOS_OK)
		*out = p;
	else
		vops_part_unref(p);
	return st;
}
