/* What strangers send to xos-cad as JSON: token requests, commands; and what it answers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/cad.h"
#include "api/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void token_request(struct xos_bytes in)
{
	struct xos_cad_request r;
	struct xos_json *doc = NULL;
	struct xos_csr csr;
	uint8_t digest[XOS_SHA256_LEN];

	if (xos_json_parse(in, XOS_CAD_REQUEST_MAX, &doc, NULL) != XOS_OK)
		return;
	if (xos_cad_request_decode(doc, &r, NULL) == XOS_OK) {
		struct xos_json *again = xos_cad_request_encode(&r);
		struct xos_cad_request r2;

		if (xos_cad_request_decode(again, &r2, NULL) != XOS_OK || r2.nroles != r.nroles ||
		    r2.lifetime != r.lifetime ||
		    !xos_bytes_eq(xos_buf_bytes(&r.csr), xos_buf_bytes(&r2.csr)))
			abort();
		xos_cad_request_clear(&r2);
		xos_json_free(again);
		if (xos_cad_request_digest("demo", &r, &csr, digest, NULL) == XOS_OK && !csr.spki.n)
			abort();
		xos_cad_request_clear(&r);
	}
	xos_json_free(doc);
}

static void directory(struct xos_bytes in)
{
	struct xos_cad_directory d;
	struct xos_json *doc = NULL;

	if (xos_json_parse(in, 65536, &doc, NULL) == XOS_OK &&
	    xos_cad_directory_decode(doc, &d, NULL) == XOS_OK) {
		/* What is taken goes into a configuration file: one line each. */
		if ((d.ca && strpbrk(d.ca, "\n\r#; =")) || (d.rca && strpbrk(d.rca, "\n\r#; =")))
			abort();
		xos_cad_directory_clear(&d);
	}
	xos_json_free(doc);
}

static void command(struct xos_bytes in)
{
	static struct xos_trust *trust; /* trusts nobody, so nothing may come out */
	struct xos_command *c = NULL;

	if (!trust)
		trust = xos_trust_new();
	struct xos_command_opts o = {
	    .trust = trust, .vo = "demo", .aud = "ca", .now = 1800000000, .skew = 300};
	if (xos_command_open(in, &o, &c, NULL) == XOS_OK || c)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	struct xos_bytes in = {data + 1, size - 1};
	switch (data[0] % 3) {
	case 0:
		token_request(in);
		break;
	case 1:
		directory(in);
		break;
	default:
		command(in);
	}
	return 0;
}
