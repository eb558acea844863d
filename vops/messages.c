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
	vops_named_encode(out, &p->groups);
	vops_named_encode(out, &p->owners);
	vops_named_encode(out, &p->nodes);
	for (size_t i = 0; i < XOS_BUNDLE_HEADS_MAX; i++)
		xos_buf_lp(out, p->head[i]);
	xos_buf_lp(out, p->trust);
}

void vops_parts_free(struct vops_parts *p)
{
	vops_named_free(&p->groups);
	vops_named_free(&p->owners);
	vops_named_free(&p->nodes);
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
	enum xos_status st = vops_named_decode(&r, &out->groups, err);
	if (st == XOS_OK)
		st = vops_named_decode(&r, &out->owners, err);
	if (st == XOS_OK)
		st = vops_named_decode(&r, &out->nodes, err);
	for (size_t i = 0; i < XOS_BUNDLE_HEADS_MAX; i++)
		xos_reader_lp(&r, XOS_BUNDLE_HEAD_MAX, &out->head[i]);
	xos_reader_lp(&r, XOS_BUNDLE_TRUST_MAX, &out->trust);
	if (st == XOS_OK && (xos_reader_end(&r) != XOS_OK || !xos_name_is_site(out->site)))
		st = xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad parts of a bundle");
	return st;
}
