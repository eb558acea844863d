/* A log and its head from a stranger: u16 length of the head, the head, the log. */
#include <string.h>

#include "log/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct rest {
	const uint8_t *p;
	size_t n;
};

static ssize_t rest_read(void *ctx, void *p, size_t n)
{
	struct rest *r = ctx;
	if (n > r->n)
		n = r->n;
	if (n) {
		memcpy(p, r->p, n);
		r->p += n;
	}
	r->n -= n;
	return (ssize_t)n;
}

/* Always the same, so that the fuzzer gets past the hashes. */
static void no_hash(void *ctx, struct xos_bytes in, uint8_t out[XOS_LOG_HASH])
{
	(void)ctx;
	(void)in;
	memset(out, 'h', XOS_LOG_HASH);
}

static enum xos_status each(void *ctx, const struct xos_log_record *r, struct xos_err *err)
{
	uint64_t *sum = ctx;
	(void)err;
	for (size_t i = 0; i < r->payload.n; i++)
		*sum += r->payload.p[i];
	return XOS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct xos_log_crypto crypto = {.sha256 = no_hash};
	struct xos_log_report report;
	struct xos_err err = XOS_ERR_INIT;
	struct xos_reader r;
	struct xos_bytes head;
	uint16_t n;
	uint64_t sum = 0;
	xos_reader_init(&r, (struct xos_bytes){data, size});
	if (!xos_reader_u16(&r, &n) || !xos_reader_take(&r, n, &head))
		return 0;
	struct rest rest = {r.p, r.left};
	struct xos_log_source source = {&rest, rest_read};
	enum xos_status rc = xos_log_verify(&source, head, &crypto, each, &sum, &report, &err);
	if (rc == XOS_OK && report.records < report.head_sequence)
		__builtin_trap();
	return 0;
}
