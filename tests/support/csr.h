#ifndef XOS_TESTSUPPORT_CSR_H
#define XOS_TESTSUPPORT_CSR_H

#include "base/bytes.h"
#include "pki/key.h"

/* A certification request as stock clients make them, with OpenSSL. NULL: without it. */
struct xos_test_csr {
	const char *o, *ou, *cn;
	const char *san;       /* in OpenSSL's form: "DNS:n1.example,IP:192.0.2.1" */
	const char *challenge; /* a challenge password */
	bool ca;               /* asks to be an authority */
	bool twice;            /* names CN a second time, as "second" */
};
/* Appends DER to out; a maker that fails ends the test. */
void xos_test_csr(const struct xos_key *key, const struct xos_test_csr *what, struct xos_buf *out);

#endif
