#include "local/step.h"

#include <string.h>

static bool in_bounds(const struct xos_local_step *s)
{
	return s->csr.n && s->csr.n <= XOS_LOCAL_CSR_MAX && s->actor[0] && s->until >= 0 &&
	       s->depth <= XOS_LOCAL_DEPTH_MAX && s->restriction.n <= XOS_LOCAL_RESTRICTION_MAX;
}

enum xos_status xos_local_step_write(
    const struct xos_local_step *step, struct xos_buf *out, struct xos_err *err)
{
	if (!in_bounds(step))
		return xos_err_set(err, XOS_MALFORMED, "message",
		    "a delegation without request or actor, or with a field that is out of bounds");
	xos_buf_lp(out, step->csr);
	xos_buf_lp_str(out, step->actor);
	xos_buf_lp_str(out, step->node);
	xos_buf_lp_str(out, step->id);
	xos_buf_u64(out, (uint64_t)step->until);
	xos_buf_u8(out, (uint8_t)step->depth);
	xos_buf_lp(out, step->restriction);
	return XOS_OK;
}

bool xos_local_step_read(struct xos_reader *r, struct xos_local_step *out)
{
	struct xos_local_step s = {.depth = 0};
	uint64_t until;
	uint8_t depth;
	if (!xos_reader_lp(r, XOS_LOCAL_CSR_MAX, &s.csr) ||
	    !xos_reader_lp_str(r, s.actor, sizeof(s.actor)) ||
	    !xos_reader_lp_str(r, s.node, sizeof(s.node)) ||
	    !xos_reader_lp_str(r, s.id, sizeof(s.id)) || !xos_reader_u64(r, &until) ||
	    !xos_reader_u8(r, &depth) ||
	    !xos_reader_lp(r, XOS_LOCAL_RESTRICTION_MAX, &s.restriction))
		return false;
	if (until > INT64_MAX)
		return false;
	s.until = (int64_t)until;
	s.depth = depth;
	if (!in_bounds(&s))
		return false;
	*out = s;
	return true;
}
