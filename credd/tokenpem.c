#include "credd/tokenpem.h"

#include <string.h>

#include "local/message.h"

enum xos_status xos_credd_token_file(const struct xos_chain *chain, struct xos_bytes key,
    struct xos_secret **pem, struct xos_err *err)
{
	struct xos_buf leaf, rest;
	xos_buf_init(&leaf, XOS_LOCAL_PEM_MAX);
	xos_buf_init(&rest, XOS_LOCAL_PEM_MAX);
	xos_cert_to_pem(chain->cert[0], &leaf);
	for (size_t i = 1; i < chain->n; i++)
		xos_cert_to_pem(chain->cert[i], &rest);
	size_t n = leaf.n + key.n + rest.n;
	enum xos_status st = xos_buf_status(&leaf);
	if (!st)
		st = xos_buf_status(&rest);
	if (!st && n > XOS_LOCAL_PEM_MAX)
		st = XOS_LIMIT;
	struct xos_secret *s = st ? NULL : xos_secret_new(n);
	if (!st && !s)
		st = XOS_INTERNAL;
	if (st) {
		(void)xos_err_set(err, st, "token-file", "the token file does not fit");
	} else {
		uint8_t *p = xos_secret_data(s);
		memcpy(p, leaf.p, leaf.n);
		memcpy(p + leaf.n, key.p, key.n);
		if (rest.n)
			memcpy(p + leaf.n + key.n, rest.p, rest.n);
		*pem = s;
	}
	xos_buf_free(&leaf);
	xos_buf_free(&rest);
	return st;
}
