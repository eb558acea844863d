/* A signed object: the first 91 bytes are the SPKI of the key that the verifier expects. */
#include <stdlib.h>
#include <string.h>

#include "pki/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SPKI 91
#define TYP "xos-command+jws"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char kid[XOS_JWS_KID_TEXT] = "", want[XOS_JWS_KID_TEXT];
	struct xos_bytes compact;
	struct xos_key *key = NULL;
	struct xos_buf payload;
	enum xos_status peeked, st;

	if (size < SPKI || xos_key_from_spki((struct xos_bytes){data, SPKI}, &key, NULL) != XOS_OK)
		return 0;
	compact = (struct xos_bytes){data + SPKI, size - SPKI};
	xos_buf_init(&payload, XOS_JWS_MAX);
	peeked = xos_jws_peek_kid(TYP, compact, kid, NULL);
	st = xos_jws_verify(key, TYP, compact, &payload, NULL);
	xos_jws_kid(key, want);
	if (st == XOS_OK && (peeked != XOS_OK || strcmp(kid, want) != 0))
		abort();
	if (st != XOS_OK && payload.n)
		abort();
	if (peeked != XOS_OK && kid[0])
		abort();
	xos_buf_free(&payload);
	xos_key_free(key);
	return 0;
}
