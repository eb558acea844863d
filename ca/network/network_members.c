/* The whole membership, for the policy service alone; it travels only when it changed. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "bundle/membership.h"
#include "ca/network/network.h"

#define ETAG_MAX 48

/* "TIME-COUNT" with its quotes; whatever else was sent names no list of ours. */
static bool parse_etag(const char *text, uint64_t *time, uint64_t *count)
{
	char copy[ETAG_MAX];
	size_t n = text ? strlen(text) : 0;
	char *dash;

	if (n < 2 || text[0] != '"' || text[n - 1] != '"' ||
	    !xos_str_copy(copy, sizeof(copy), text + 1))
		return false;
	copy[n - 2] = '\0';
	dash = strchr(copy, '-');
	if (!dash)
		return false;
	*dash = '\0';
	return xos_parse_u64(copy, INT64_MAX, time) && xos_parse_u64(dash + 1, INT64_MAX, count);
}

enum xos_status ca_network_give_members(struct ca_network *n, const struct xos_request *req,
    struct xos_response *res, struct xos_err *err)
{
	struct xos_buf ask, answer;
	struct xos_reader r;
	struct xos_bytes compact = XOS_BYTES_NONE;
	uint64_t time = 0, count = 0;
	char etag[ETAG_MAX];

	if (!parse_etag(xos_request_header(req, "If-None-Match"), &time, &count))
		time = count = 0;
	xos_buf_init(&ask, 16);
	xos_buf_init(&answer, 0);
	xos_buf_u64(&ask, time);
	xos_buf_u64(&ask, count);
	enum xos_status st = xos_bulk_call(n->key, CA_MEMBERSHIP, xos_buf_bytes(&ask),
	    xos_clock_mono_ms() + CA_CALL_MS, &answer, err);
	if (st == XOS_OK) {
		xos_reader_init(&r, xos_buf_bytes(&answer));
		xos_reader_u64(&r, &time);
		xos_reader_u64(&r, &count);
		xos_reader_lp(&r, XOS_MEMBERSHIP_MAX, &compact);
		st = xos_reader_end(&r);
		if (st != XOS_OK)
			xos_err_set(err, st, "message", "bad answer of the key process");
	}
	if (st == XOS_OK) {
		xos_str_printf(etag, sizeof(etag), "\"%llu-%llu\"", (unsigned long long)time,
		    (unsigned long long)count);
		xos_response_header(res, "ETag", etag);
		if (compact.n)
			xos_response_body(res, "application/jose", compact);
		else
			xos_response_status(res, 304);
	}
	xos_buf_free(&answer);
	xos_buf_free(&ask);
	return st;
}
