#include "rca/from.h"

#include <string.h>

void rca_from_join(struct xos_buf *out, const char *peer, struct xos_bytes body)
{
	const char *colon = peer ? strrchr(peer, ':') : NULL;
	size_t n = colon ? (size_t)(colon - peer) : 0;

	if (n >= 2 && peer[0] == '[' && peer[n - 1] == ']') {
		peer++;
		n -= 2;
	}
	if (n > 0 && n <= RCA_FROM_MAX) {
		xos_buf_put(out, peer, n);
		xos_buf_put_str(out, "\n");
	}
	xos_buf_put(out, body.p, body.n);
}

struct xos_bytes rca_from_split(struct xos_bytes payload, char out[RCA_FROM_MAX + 1])
{
	size_t n = 0;

	out[0] = '\0';
	while (n < payload.n && n <= RCA_FROM_MAX && payload.p[n] &&
	       strchr("0123456789abcdefABCDEF.:", payload.p[n]))
		n++;
	if (n == 0 || n > RCA_FROM_MAX || n == payload.n || payload.p[n] != '\n')
		return payload;
	memcpy(out, payload.p, n);
	out[n] = '\0';
	return (struct xos_bytes){payload.p + n + 1, payload.n - n - 1};
}
