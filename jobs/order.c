#include "jobs/order.h"

#include <string.h>

static enum xos_status malformed(struct xos_err *err)
{
	return xos_err_set(err, XOS_MALFORMED, "order", "an order to the starter is malformed");
}

enum xos_status xos_order_encode(
    const struct xos_order *o, struct xos_buf *out, struct xos_err *err)
{
	size_t sum = 0;

	for (size_t i = 0; i < o->n; i++)
		sum += o->chain[i].n;
	if (o->n == 0 || o->n > XOS_CHAIN_MAX || sum > XOS_ORDER_CHAIN_MAX)
		return xos_err_set(err, XOS_LIMIT, "chain-too-long",
		    "the certificate chain is longer than a job service takes (%d bytes)",
		    XOS_ORDER_CHAIN_MAX);
	xos_buf_lp(out, o->spec);
	xos_buf_u64(out, (uint64_t)o->submitted);
	xos_buf_lp_str(out, o->source);
	xos_buf_u8(out, (uint8_t)o->n);
	for (size_t i = 0; i < o->n; i++)
		xos_buf_lp(out, o->chain[i]);
	if (o->grant.n)
		xos_buf_lp(out, o->grant);
	if (xos_buf_status(out) != XOS_OK)
		return xos_err_set(err, xos_buf_status(out), "order", "an order is too long");
	return XOS_OK;
}

enum xos_status xos_order_decode(struct xos_bytes in, struct xos_order *o, struct xos_err *err)
{
	struct xos_order f = {0};
	struct xos_reader r;
	uint64_t submitted = 0;
	uint8_t n = 0;

	xos_reader_init(&r, in);
	xos_reader_lp(&r, XOS_JOB_SPEC_MAX, &f.spec);
	xos_reader_u64(&r, &submitted);
	xos_reader_lp_str(&r, f.source, sizeof(f.source));
	xos_reader_u8(&r, &n);
	if (n == 0 || n > XOS_CHAIN_MAX || submitted > INT64_MAX)
		return malformed(err);
	for (size_t i = 0; i < n; i++)
		xos_reader_lp(&r, XOS_ORDER_CHAIN_MAX, &f.chain[i]);
	/* Orders from before there were grants wait on disks without. */
	if (r.left && (!xos_reader_lp(&r, XOS_ORDER_GRANT_MAX, &f.grant) || !f.grant.n))
		return malformed(err);
	if (xos_reader_end(&r) != XOS_OK)
		return malformed(err);
	f.n = n;
	f.submitted = (int64_t)submitted;
	*o = f;
	return XOS_OK;
}

void xos_order_offer_encode(const struct xos_order_offer *o, struct xos_buf *out)
{
	xos_buf_lp(out, (struct xos_bytes){o->csr, o->ncsr});
	xos_buf_u64(out, (uint64_t)o->not_after);
	xos_buf_u64(out, (uint64_t)o->wall);
}

enum xos_status xos_order_offer_decode(
    struct xos_bytes in, struct xos_order_offer *o, struct xos_err *err)
{
	struct xos_bytes csr = XOS_BYTES_NONE;
	uint64_t until = 0, wall = 0;
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_lp(&r, sizeof(o->csr), &csr);
	xos_reader_u64(&r, &until);
	xos_reader_u64(&r, &wall);
	if (xos_reader_end(&r) != XOS_OK || until > INT64_MAX || wall > XOS_JOB_WALL_MAX)
		return malformed(err);
	memcpy(o->csr, csr.p, csr.n);
	o->ncsr = csr.n;
	o->not_after = (int64_t)until;
	o->wall = (int64_t)wall;
	return XOS_OK;
}

enum xos_status xos_order_id_decode(
    struct xos_bytes in, char id[XOS_JOB_ID_TEXT], struct xos_err *err)
{
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, id, XOS_JOB_ID_TEXT);
	if (xos_reader_end(&r) != XOS_OK || !xos_job_id_valid(id))
		return malformed(err);
	return XOS_OK;
}

enum xos_status xos_order_grant_encode(
    const struct xos_order_grant *g, struct xos_buf *out, struct xos_err *err)
{
	xos_buf_lp_str(out, g->id);
	xos_buf_u8(out, (uint8_t)g->n);
	for (size_t i = 0; i < g->n; i++)
		xos_buf_lp(out, g->chain[i]);
	xos_buf_lp(out, g->grant);
	if (xos_buf_status(out) != XOS_OK || !g->n || g->n > XOS_CHAIN_MAX)
		return xos_err_set(err, XOS_LIMIT, "order", "a grant is too long");
	return XOS_OK;
}

enum xos_status xos_order_grant_decode(
    struct xos_bytes in, struct xos_order_grant *g, struct xos_err *err)
{
	struct xos_order_grant f = {.n = 0};
	struct xos_reader r;
	uint8_t n = 0;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, f.id, sizeof(f.id));
	xos_reader_u8(&r, &n);
	if (n == 0 || n > XOS_CHAIN_MAX || !xos_job_id_valid(f.id))
		return malformed(err);
	for (; f.n < n; f.n++)
		xos_reader_lp(&r, XOS_ORDER_CHAIN_MAX, &f.chain[f.n]);
	xos_reader_lp(&r, XOS_ORDER_GRANT_MAX, &f.grant);
	if (xos_reader_end(&r) != XOS_OK || !f.grant.n)
		return malformed(err);
	*g = f;
	return XOS_OK;
}
