#include "token/delegation.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pki/der.h"
#include "token/check.h"

#define VERSION 1
#define TAG_NODE (XOS_DER_CONTEXT | 0)
#define TAG_ID (XOS_DER_CONTEXT | 1)

static bool id_ok(const char *s)
{
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
	       strlen(s);
}

static bool fields_ok(const struct xos_delegation *d)
{
	return xos_name_is_vo(d->vo) && xos_name_is_member(d->vo, d->member) &&
	       token_word_ok(d->actor, XOS_ACTOR_MAX) &&
	       (!d->node[0] || xos_name_is_node(d->node)) && id_ok(d->id) && d->not_after > 0 &&
	       d->depth <= XOS_DELEGATION_DEPTH_MAX && d->restriction_len <= XOS_RESTRICTION_MAX;
}

enum xos_status xos_delegation_encode(
    const struct xos_delegation *d, struct xos_buf *out, struct xos_err *err)
{
	size_t before = out->n;
	struct xos_der w;
	enum xos_status st;

	if (!fields_ok(d))
		return xos_err_set(err, XOS_MALFORMED, "delegation",
		    "no delegation with these fields: a name, the node, the id, the depth (at most "
		    "%d) or "
		    "the restriction (at most %d bytes) is not valid",
		    XOS_DELEGATION_DEPTH_MAX, XOS_RESTRICTION_MAX);
	xos_der_init(&w, out);
	xos_der_begin(&w, XOS_DER_SEQUENCE);
	xos_der_put_u64(&w, XOS_DER_INTEGER, VERSION);
	xos_der_put_str(&w, XOS_DER_UTF8, d->vo);
	xos_der_put_str(&w, XOS_DER_UTF8, d->member);
	xos_der_put_str(&w, XOS_DER_UTF8, d->actor);
	if (d->node[0])
		xos_der_put_str(&w, TAG_NODE, d->node);
	if (d->id[0])
		xos_der_put_str(&w, TAG_ID, d->id);
	xos_der_put_time(&w, d->not_after);
	xos_der_put_u64(&w, XOS_DER_INTEGER, d->depth);
	xos_der_put(
	    &w, XOS_DER_OCTET_STRING, (struct xos_bytes){d->restriction, d->restriction_len});
	xos_der_end(&w);
	st = xos_der_finish(&w);
	if (st != XOS_OK) {
		out->n = before;
		return xos_err_set(err, st, "delegation", "no room for the delegation");
	}
	return XOS_OK;
}

static bool read_fields(
    struct xos_bytes der, struct xos_delegation *d, struct xos_bytes *restriction)
{
	struct xos_reader outer, r;
	uint64_t version, depth;

	xos_reader_init(&outer, der);
	if (!xos_der_enter(&outer, XOS_DER_SEQUENCE, &r) || xos_reader_end(&outer) != XOS_OK ||
	    !xos_der_u64(&r, XOS_DER_INTEGER, VERSION, &version) || version != VERSION ||
	    !xos_der_str(&r, XOS_DER_UTF8, d->vo, sizeof(d->vo)) ||
	    !xos_der_str(&r, XOS_DER_UTF8, d->member, sizeof(d->member)) ||
	    !xos_der_str(&r, XOS_DER_UTF8, d->actor, sizeof(d->actor)))
		return false;
	if (xos_der_next_is(&r, TAG_NODE) && !xos_der_str(&r, TAG_NODE, d->node, sizeof(d->node)))
		return false;
	if (xos_der_next_is(&r, TAG_ID) && !xos_der_str(&r, TAG_ID, d->id, sizeof(d->id)))
		return false;
	if (!xos_der_next_is(&r, XOS_DER_TIME) || !xos_der_time(&r, &d->not_after) ||
	    !xos_der_u64(&r, XOS_DER_INTEGER, XOS_DELEGATION_DEPTH_MAX, &depth) ||
	    !xos_der_take(&r, XOS_DER_OCTET_STRING, restriction))
		return false;
	d->depth = (unsigned)depth;
	d->restriction_len = restriction->n;
	return xos_reader_end(&r) == XOS_OK && fields_ok(d);
}

enum xos_status xos_delegation_decode(
    struct xos_bytes der, struct xos_delegation **out, struct xos_err *err)
{
	struct xos_delegation *d = calloc(1, sizeof(*d));
	struct xos_bytes restriction = XOS_BYTES_NONE;
	uint8_t *copy;

	*out = NULL;
	if (!d)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (der.n > XOS_DELEGATION_DER_MAX || !read_fields(der, d, &restriction)) {
		free(d);
		return xos_err_set(err, XOS_MALFORMED, "delegation-malformed",
		    "the delegation extension is malformed or of an unknown version");
	}
	copy = malloc(restriction.n + 1);
	if (!copy) {
		free(d);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	if (restriction.n)
		memcpy(copy, restriction.p, restriction.n);
	copy[restriction.n] = 0;
	d->restriction = copy;
	*out = d;
	return XOS_OK;
}

void xos_delegation_free(struct xos_delegation *d)
{
	if (!d)
		return;
	free((uint8_t *)(uintptr_t)d->restriction);
	free(d);
}

enum xos_status xos_delegation_uri(
    const struct xos_delegation *d, char *out, size_t cap, struct xos_err *err)
{
	if (d->id[0] && id_ok(d->id) &&
	    xos_str_printf(out, cap, "spiffe://%s/delegation/%s", d->vo, d->id))
		return XOS_OK;
	return xos_err_set(err, XOS_MALFORMED, "delegation",
	    "the delegation of %s names no grant that a URI could name", d->member);
}

static enum xos_status widened(struct xos_err *err, const struct xos_delegation *d, const char *why)
{
	return xos_err_set(err, XOS_DENIED, "delegation-widened",
	    "the delegation of %s to %s%s%s is refused: %s", d->member, d->actor,
	    d->id[0] ? " " : "", d->id, why);
}

enum xos_status xos_delegation_follows(
    const struct xos_delegation *prev, const struct xos_delegation *next, struct xos_err *err)
{
	if (!prev)
		return XOS_OK;
	if (strcmp(prev->vo, next->vo) != 0 || strcmp(prev->member, next->member) != 0)
		return widened(err, next, "it names somebody else than the step before");
	if (prev->depth == 0 || next->depth >= prev->depth)
		return widened(err, next, "it was passed on further than the step before allows");
	if (next->not_after > prev->not_after)
		return widened(err, next, "it ends later than the step before");
	if (prev->node[0] && strcmp(prev->node, next->node) != 0)
		return widened(err, next, "the step before is bound to another node");
	return XOS_OK;
}
