/* What EST clients send, by the first byte: 0 a body and the request in it, 1 an Authorization field, else what the
 * network process makes of a request for the one that decides. */
#include <stdlib.h>
#include <string.h>

#include "pki/csr.h"
#include "rca/est.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void body(struct xos_bytes in)
{
	struct xos_buf der;

	xos_buf_init(&der, XOS_CSR_MAX);
	if (rca_est_body("application/pkcs10", in, &der, NULL) == XOS_OK &&
	    (der.n == 0 || der.n > XOS_CSR_MAX || der.n > in.n))
		abort();
	xos_buf_free(&der);
}

static void basic(struct xos_bytes in)
{
	struct rca_est_request q;
	char text[2048];

	if (in.n >= sizeof(text) || (in.n && memchr(in.p, 0, in.n)))
		return;
	if (in.n)
		memcpy(text, in.p, in.n);
	text[in.n] = '\0';
	rca_est_request_init(&q);
	bool ok = rca_est_basic(text, &q, NULL) == XOS_OK;
	if (ok != q.named || ok != (q.user[0] != '\0') || strchr(q.user, ':'))
		abort();
	rca_est_request_free(&q);
}

/* What was read and is written again must read the same. */
static void message(struct xos_bytes in)
{
	struct rca_est_request a, b;
	struct xos_json *doc = NULL;
	struct xos_buf text;

	rca_est_request_init(&a);
	rca_est_request_init(&b);
	xos_buf_init(&text, 2 * RCA_EST_MESSAGE_MAX);
	if (rca_est_request_decode(in, &a, NULL) == XOS_OK) {
		doc = rca_est_request_encode(&a);
		if (xos_json_dump(doc, &text, NULL) != XOS_OK ||
		    (text.n <= RCA_EST_MESSAGE_MAX &&
		        (rca_est_request_decode(xos_buf_bytes(&text), &b, NULL) != XOS_OK ||
		            a.named != b.named || strcmp(a.user, b.user) != 0 ||
		            a.chain.n != b.chain.n ||
		            !xos_bytes_eq(xos_buf_bytes(&a.csr), xos_buf_bytes(&b.csr)))))
			abort();
	}
	xos_json_free(doc);
	xos_buf_free(&text);
	rca_est_request_free(&b);
	rca_est_request_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const struct xos_bytes rest = {data + 1, size - 1};
	if (data[0] == 0)
		body(rest);
	else if (data[0] == 1)
		basic(rest);
	else
		message(rest);
	return 0;
}
