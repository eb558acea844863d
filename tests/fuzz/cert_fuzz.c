/* A certificate: whatever parses can be asked everything, and survives PEM. */
#include <stdlib.h>
#include <string.h>

#include "pki/cert.h"
#include "pki/issue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_everything(const struct xos_cert *c)
{
	struct xos_bytes der = xos_cert_der(c), v;
	const char *uri = xos_cert_uri(c);

	if (xos_cert_not_before(c) > xos_cert_not_after(c) || xos_cert_serial(c).n == 0 ||
	    xos_cert_serial(c).n > XOS_SERIAL_MAX || strlen(xos_cert_subject_text(c)) > 8192)
		abort();
	for (size_t i = 0; i < xos_cert_subject_len(c); i++)
		if (!xos_cert_subject_type(c, i) || !xos_cert_subject_value(c, i)[0])
			abort();
	if (xos_cert_ext(c, XOS_OID("\x55\x1d\x0f"), &v, NULL) == XOS_OK &&
	    (v.p < der.p || v.p + v.n > der.p + der.n))
		abort();
	if (xos_cert_is_ca(c) && xos_cert_is_proxy(c))
		abort();
	if (uri && !*uri)
		abort();
	(void)xos_cert_has_eku(c, XOS_EKU_CLIENT_AUTH);
	(void)xos_cert_matches_host(c, "n1.demo.example");
	(void)xos_cert_matches_host(c, "127.0.0.1");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_chain ch = {0};
	struct xos_cert *c = NULL;
	struct xos_buf pem;

	if (xos_cert_parse((struct xos_bytes){data, size}, &c, &err) != XOS_OK) {
		if (c || !err.code[0] || !err.text[0])
			abort();
		return 0;
	}
	ask_everything(c);
	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	xos_cert_to_pem(c, &pem);
	if (xos_chain_from_pem(xos_buf_bytes(&pem), &ch, &err) != XOS_OK || ch.n != 1 ||
	    !xos_bytes_eq(xos_cert_der(ch.cert[0]), (struct xos_bytes){data, size}))
		abort();
	xos_chain_clear(&ch);
	xos_buf_free(&pem);
	xos_cert_free(c);
	return 0;
}
