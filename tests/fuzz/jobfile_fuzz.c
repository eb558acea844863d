#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "credd/jobfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_credd_job *job = NULL;
	if (xos_credd_job_decode((struct xos_bytes){data, size}, &job, NULL))
		return 0;
	/* What is taken is whole: a key, and a chain that is the key's. */
	if (!job->key || !xos_local_job_valid(job->id) ||
	    (job->chain.n && memcmp(xos_key_spki_sha256(xos_cert_key(job->chain.cert[0])),
	                         job->spki, XOS_SHA256_LEN) != 0))
		abort();
	/* A grant that is kept can be sent. */
	struct xos_bytes chain[XOS_CHAIN_MAX], grant;
	size_t n;
	if (job->grant &&
	    !xos_credd_grant_parts(xos_buf_bytes(&job->grant->wire), chain, &n, &grant))
		abort();
	xos_credd_job_free(job);
	return 0;
}
