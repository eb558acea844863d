#include <openssl/err.h>

#include "pki/internal.h"

enum xos_status pki_ossl_err(struct xos_err *err, const char *what)
{
	unsigned long e = ERR_get_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;

	ERR_clear_error();
	return xos_err_set(err, XOS_INTERNAL, "crypto", "%s failed%s%s", what, reason ? ": " : "",
	    reason ? reason : "");
}

void pki_ossl_clear(void)
{
	ERR_clear_error();
}

enum xos_status pki_no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}
