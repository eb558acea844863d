#include "pki/certsonly.h"

#include <openssl/pkcs7.h>

#include "pki/internal.h"
#include "pki/ossl.h"

enum xos_status xos_certs_only(
    const struct xos_cert *const *cert, size_t n, struct xos_buf *out, struct xos_err *err)
{
	PKCS7 *p7 = PKCS7_new();
	unsigned char *der = NULL;
	int len = -1;
	bool ok = p7 && PKCS7_set_type(p7, NID_pkcs7_signed) == 1 &&
	          PKCS7_content_new(p7, NID_pkcs7_data) == 1 && PKCS7_set_detached(p7, 1) == 1;
	enum xos_status st;

	for (size_t i = 0; ok && i < n; i++)
		ok = PKCS7_add_certificate(p7, xos_cert_ossl(cert[i])) == 1;
	if (ok)
		len = i2d_PKCS7(p7, &der);
	if (len > 0) {
		xos_buf_put(out, der, (size_t)len);
		st = xos_buf_status(out);
		if (st != XOS_OK)
			xos_err_set(err, st, "certs-size", "no room for the certificates");
	} else {
		st = pki_ossl_err(err, "the certificates cannot be put together");
	}
	OPENSSL_free(der);
	PKCS7_free(p7);
	return st;
}
