#include "vops/messages.h"

const char *vops_object_name(enum vops_object o)
{
	static const char *const names[VOPS_OBJECTS] = {
	    "roster", "locks of the ca", "locks of the rca"};

	return (unsigned)o < VOPS_OBJECTS ? names[o] : "unknown";
}

void vops_parts_encode(struct xos_buf *out, const struct vops_parts *p)
{
	xos_buf_lp_str(out, p->site);
	xos_buf_lp(out, p->vo_text);
	xos_buf_lp(out, p->site_set);
	for (size_t i = 0; i < VOPS_OBJECTS; i++)
		xos_buf_lp(out, p->object[i]);
}

enum xos_status vops_parts_decode(struct xos_bytes in, struct vops_parts *out, struct xos_err *err)
{
	struct xos_reader r;

	xos_reader_init(&r, in);
	xos_reader_lp_str(&r, out->site, sizeof(out->site));
	xos_reader_lp(&r, XOS_POLICY_TEXT_MAX, &out->vo_text);
	xos_reader_lp(&r, XOS_SITESET_MAX, &out->site_set);
	xos_reader_lp(&r, XOS_ROSTER_MAX, &out->object[VOPS_ROSTER]);
	xos_reader_lp(&r, XOS_LOCKS_MAX, &out->object[VOPS_LOCKS_CA]);
	xos_reader_lp(&r, XOS_LOCKS_MAX, &out->object[VOPS_LOCKS_RCA]);
	if (xos_reader_end(&r) != XOS_OK || !xos_name_is_site(out->site))
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad parts of a bundle");
	return XOS_OK;
}
