#include <stdint.h>
#include <stdlib.h>

#include "credential/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read and is written again is read as the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_bytes cert[XOS_PEM_CERTS_MAX], again[XOS_PEM_CERTS_MAX];
	struct xos_buf memory, text, second;
	size_t n = 0, m = 0;
	xos_buf_init(&memory, 1 << 20);
	xos_buf_init(&text, 1 << 22);
	xos_buf_init(&second, 1 << 20);
	if (xos_pem_read((struct xos_bytes){data, size}, &memory, cert, &n, NULL) == XOS_OK) {
		for (size_t i = 0; i < n; i++)
			xos_pem_write(&text, cert[i]);
		if (xos_buf_status(&text) ||
		    xos_pem_read(xos_buf_bytes(&text), &second, again, &m, NULL) || m != n)
			abort();
		for (size_t i = 0; i < n; i++)
			if (!xos_bytes_eq(cert[i], again[i]))
				abort();
	}
	xos_buf_free(&memory);
	xos_buf_free(&text);
	xos_buf_free(&second);
	return 0;
}
