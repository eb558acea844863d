#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "credd/sessionfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_credd_session *s = NULL;
	struct xos_secret *key = NULL;
	struct xos_bytes cert[XOS_CHAIN_MAX];
	if (xos_credd_session_decode((struct xos_bytes){data, size},
	        "00000000-0000-0000-0000-000000000001", &s, &key, NULL))
		return 0;
	/* What is taken is whole: a key, and as many certificates as it says. */
	if (!key || !xos_local_job_valid(s->id) || (s->nchain > 0) != (s->member[0] != '\0') ||
	    xos_credd_session_certs(s, cert) != s->nchain)
		abort();
	xos_secret_free(key);
	xos_credd_session_free(s);
	return 0;
}
