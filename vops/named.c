#include "vops/named.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 1024u

static enum xos_status grow(struct vops_named *l, struct xos_err *err)
{
	size_t room = l->room ? 2 * l->room : 16;
	struct xos_bundle_named *list;

	if (l->n < l->room)
		return XOS_OK;
	if (l->n >= XOS_BUNDLE_SCOPED_MAX)
		return xos_err_set(err, XOS_LIMIT, "bundle-sets", "more than %u sets of one level",
		    XOS_BUNDLE_SCOPED_MAX);
	list = realloc(l->list, room * sizeof(*list));
	if (!list)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	l->list = list;
	l->room = room;
	return XOS_OK;
}

enum xos_status vops_named_add(struct vops_named *l, const char *name, uint64_t serial,
    struct xos_bytes bytes, struct xos_err *err)
{
	enum xos_status st = grow(l, err);

	if (st != XOS_OK)
		return st;
	char *own_name = strdup(name);
	uint8_t *own_bytes = malloc(bytes.n + 1);
	if (!own_name || !own_bytes) {
		free(own_name);
		free(own_bytes);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	if (bytes.n)
		memcpy(own_bytes, bytes.p, bytes.n);
	l->list[l->n++] =
	    (struct xos_bundle_named){own_name, serial, (struct xos_bytes){own_bytes, bytes.n}};
	return XOS_OK;
}

void vops_named_free(struct vops_named *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free((void *)(uintptr_t)l->list[i].name);
		free((void *)(uintptr_t)l->list[i].bytes.p);
	}
	free(l->list);
	*l = (struct vops_named){.n = 0};
}

void vops_named_encode(struct xos_buf *out, const struct vops_named *l)
{
	xos_buf_u32(out, (uint32_t)l->n);
	for (size_t i = 0; i < l->n; i++) {
		xos_buf_lp_str(out, l->list[i].name);
		xos_buf_u64(out, l->list[i].serial);
		xos_buf_lp(out, l->list[i].bytes);
	}
}

enum xos_status vops_named_decode(struct xos_reader *r, struct vops_named *out, struct xos_err *err)
{
	char name[NAME_MAX_BYTES + 1];
	struct xos_bytes bytes = XOS_BYTES_NONE;
	uint64_t serial = 0;
	uint32_t n = 0;
	enum xos_status st = XOS_OK;

	xos_reader_u32(r, &n);
	for (uint32_t i = 0; st == XOS_OK && i < n && !r->failed; i++) {
		xos_reader_lp_str(r, name, sizeof(name));
		xos_reader_u64(r, &serial);
		if (xos_reader_lp(r, XOS_POLICY_TEXT_MAX, &bytes))
			st = vops_named_add(out, name, serial, bytes, err);
	}
	return st;
}
