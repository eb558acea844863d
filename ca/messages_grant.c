/* Messages about the grants of jobs. */
#include "ca/messages.h"

static enum xos_status finish(struct xos_reader *r, const char *what, struct xos_err *err)
{
	if (xos_reader_end(r) == XOS_OK)
		return XOS_OK;
	return xos_err_set(
	    err, XOS_MALFORMED, "message", "a message between processes is malformed: %s", what);
}

enum xos_status ca_no_delegations(const char *vo, struct xos_err *err)
{
	return xos_err_set(err, XOS_UNAVAILABLE, "no-delegation-authority",
	    "VO %s has no key for delegations that are renewed: its administrator makes one with "
	    "xos-server rollover delegation prepare, then activate",
	    vo);
}

void ca_delegate_put(struct xos_buf *b, const struct ca_delegate *m)
{
	xos_buf_lp_str(b, m->id);
	xos_buf_lp_str(b, m->node);
	xos_buf_lp(b, m->spki);
}

enum xos_status ca_delegate_get(struct xos_bytes in, struct ca_delegate *m, struct xos_err *err)
{
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, m->id, sizeof(m->id));
	xos_reader_lp_str(&r, m->node, sizeof(m->node));
	xos_reader_lp(&r, XOS_SPKI_MAX, &m->spki);
	if (!r.failed && !xos_job_id_valid(m->id))
		r.failed = true;
	return finish(&r, "delegate", err);
}

void ca_delegated_put(struct xos_buf *b, const struct ca_delegated *m)
{
	xos_buf_u64(b, (uint64_t)m->not_after);
	xos_buf_u64(b, (uint64_t)m->ends);
	for (size_t i = 0; i < m->n; i++)
		xos_buf_lp(b, m->der[i]);
}

enum xos_status ca_delegated_get(struct xos_bytes in, struct ca_delegated *m, struct xos_err *err)
{
	uint64_t not_after = 0, ends = 0;
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_u64(&r, &not_after);
	xos_reader_u64(&r, &ends);
	if (not_after > INT64_MAX || ends > INT64_MAX)
		r.failed = true;
	m->not_after = (int64_t)not_after;
	m->ends = (int64_t)ends;
	m->n = 0;
	while (r.left && m->n < CA_CHAIN_MAX && xos_reader_lp(&r, XOS_CERT_MAX, &m->der[m->n]))
		m->n++;
	if (!m->n)
		r.failed = true;
	return finish(&r, "delegated", err);
}

void ca_job_renew_put(struct xos_buf *b, const struct ca_job_renew *m)
{
	xos_buf_lp_str(b, m->address);
	xos_buf_lp_str(b, m->id);
	xos_buf_lp(b, m->body);
}

enum xos_status ca_job_renew_get(struct xos_bytes in, struct ca_job_renew *m, struct xos_err *err)
{
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, m->address, sizeof(m->address));
	xos_reader_lp_str(&r, m->id, sizeof(m->id));
	xos_reader_lp(&r, XOS_GRANT_BODY_MAX, &m->body);
	if (!r.failed && !xos_job_id_valid(m->id))
		r.failed = true;
	return finish(&r, "renewal of a job's delegation", err);
}
