/* What strangers send to xos-cad as JSON: token requests, commands, renewals; what it answers; and what people type
 * for a one-time code. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/cad.h"
#include "api/cad_renew.h"
#include "api/command.h"
#include "auth/code.h"

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
		    r2.lifetime != r.lifetime || strcmp(r2.totp, r.totp) != 0 ||
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

static void renewal(struct xos_bytes in)
{
	static struct xos_trust *trust; /* trusts nobody, so nothing may come out */
	struct xos_cad_renewal *r = NULL;

	if (!trust)
		trust = xos_trust_new();
	if (xos_cad_renewal_open(in, trust, "demo", 1800000000, &r, NULL) == XOS_OK || r)
		abort();
}

/* What somebody types for a one-time code: what is taken is shown so that it is taken again. */
static void code(struct xos_bytes in)
{
	struct xos_secret *typed = xos_secret_from(in.p, in.n), *got = NULL, *again = NULL, *shown;
	char text[XOS_CODE_TEXT];

	if (typed && xos_code_read(typed, &got, NULL) == XOS_OK) {
		xos_code_format(got, text);
		shown = xos_secret_from(text, strlen(text));
		if (xos_code_read(shown, &again, NULL) != XOS_OK ||
		    memcmp(xos_secret_data(got), xos_secret_data(again), XOS_CODE_LEN) != 0)
			abort();
		xos_secret_free(shown);
	}
	xos_secret_free(typed);
	xos_secret_free(got);
	xos_secret_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	struct xos_bytes in = {data + 1, size - 1};
	switch (data[0] % 5) {
	case 0:
		token_request(in);
		break;
	case 1:
		directory(in);
		break;
	case 3:
		renewal(in);
		break;
	case 4:
		code(in);
		break;
	default:
		command(in);
	}
	return 0;
}
