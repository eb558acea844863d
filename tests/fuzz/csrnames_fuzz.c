/* The names in a certification request: text that anybody may print, within its bounds, or nothing. */
#include <stdlib.h>
#include <string.h>

#include "pki/csrnames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void visible(const char *s, size_t cap)
{
	size_t n = strnlen(s, cap);

	if (n == cap)
		abort();
	for (size_t i = 0; i < n; i++)
		if (s[i] <= 0x20 || s[i] >= 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_csr_names n;

	if (xos_csr_names_read((struct xos_bytes){data, size}, &n, &err) != XOS_OK) {
		if (n.o[0] || n.ou[0] || n.cn[0] || n.uri[0] || n.nhosts || n.challenged ||
		    !err.code[0])
			abort();
		return 0;
	}
	visible(n.o, sizeof(n.o));
	visible(n.ou, sizeof(n.ou));
	visible(n.cn, sizeof(n.cn));
	visible(n.uri, sizeof(n.uri));
	visible(n.challenge, sizeof(n.challenge));
	if (n.nhosts > XOS_CSR_HOSTS_MAX)
		abort();
	for (size_t i = 0; i < n.nhosts; i++)
		visible(n.host[i], sizeof(n.host[0]));
	return 0;
}
