/* An OCSP request: whatever parses lies within the input and within the bounds, alike in both forms. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pki/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct xos_bytes b, const uint8_t *data, size_t size)
{
	if (b.p < data || b.p + b.n > data + size)
		abort();
}

static void both_forms(struct xos_bytes der, const struct xos_ocsp_request *q)
{
	struct xos_ocsp_request again;
	struct xos_buf text, buf;

	xos_buf_init(&text, 2 * XOS_OCSP_REQUEST_MAX);
	xos_buf_init(&buf, XOS_OCSP_REQUEST_MAX);
	xos_base64_encode(&text, der);
	if (xos_ocsp_request_from_base64(xos_buf_str(&text), &buf, &again, NULL) != XOS_OK ||
	    again.n != q->n || !xos_bytes_eq(again.nonce, q->nonce))
		abort();
	xos_buf_free(&buf);
	xos_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_bytes der = {data, size};
	struct xos_ocsp_request q;

	if (xos_ocsp_request_parse(der, &q, &err) != XOS_OK) {
		if (q.n || !err.code[0] || !err.text[0])
			abort();
		return 0;
	}
	if (q.n == 0 || q.n > XOS_OCSP_IDS_MAX || q.nonce.n > XOS_OCSP_NONCE_MAX)
		abort();
	for (size_t i = 0; i < q.n; i++) {
		inside(q.id[i].der, data, size);
		inside(q.id[i].serial, data, size);
		if (q.id[i].serial.n == 0 || q.id[i].serial.n > XOS_SERIAL_MAX ||
		    q.id[i].name_hash.n != (q.id[i].sha256 ? 32 : 20) ||
		    q.id[i].key_hash.n != q.id[i].name_hash.n)
			abort();
	}
	if (q.nonce.n)
		inside(q.nonce, data, size);
	both_forms(der, &q);
	return 0;
}
