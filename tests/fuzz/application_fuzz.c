/* What strangers send to apply for membership, and to ask what became of it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/apply.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken encodes to something that is taken and says the same. */
static void application(struct xos_bytes in)
{
	struct xos_application a, again;
	struct xos_json *doc;
	struct xos_buf text;

	if (xos_application_decode(in, &a, NULL) != XOS_OK)
		return;
	xos_buf_init(&text, 4 * XOS_APPLY_MAX);
	doc = xos_application_encode(&a);
	if (xos_json_dump(doc, &text, NULL) != XOS_OK ||
	    (text.n <= XOS_APPLY_MAX &&
	        (xos_application_decode(xos_buf_bytes(&text), &again, NULL) != XOS_OK ||
	            strcmp(a.name, again.name) != 0 || strcmp(a.text, again.text) != 0 ||
	            memcmp(a.secret, again.secret, sizeof(a.secret)) != 0)))
		abort();
	xos_json_free(doc);
	xos_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_bytes in = {data, size};
	uint8_t digest[XOS_SHA256_LEN];

	application(in);
	if (xos_application_secret(in, digest, NULL) != XOS_OK)
		return 0;
	return 0;
}
