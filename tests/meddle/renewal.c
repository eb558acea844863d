/*
 * xos-forge-renewal TOKEN OUT: the body of a renewal, well signed by the key of TOKEN's first certificate, whatever
 * that is. Our own client sends none for a delegation; somebody who holds one would.
 */
#include <stdio.h>

#include "api/cad_renew.h"
#include "base/clock.h"
#include "base/file.h"
#include "pki/csr.h"
#include "testsupport/must.h"
#include "token/tokenfile.h"

int main(int argc, char **argv)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_chain chain = {.n = 0};
	struct xos_token_info *info = NULL;
	struct xos_cad_request request;
	struct xos_json *body = NULL;
	struct xos_key *key = NULL;
	struct xos_buf text;

	if (argc != 3) {
		fprintf(stderr, "usage: xos-forge-renewal TOKEN OUT\n");
		return 2;
	}
	MUST(xos_tokenfile_read(argv[1], &chain, &err), &err);
	MUST(xos_token_describe(&chain, xos_clock_now(), &info, &err), &err);
	xos_cad_request_init(&request);
	request.lifetime = 3600;
	MUST(xos_key_generate(&key, &err), &err);
	MUST(xos_csr_make(key, &request.csr, &err), &err);
	MUST(xos_cad_renewal_sign(info->claims->vo, &chain, &request, xos_clock_now(), &body, &err),
	    &err);
	xos_buf_init(&text, XOS_CAD_RENEWAL_MAX);
	MUST(xos_json_dump(body, &text, &err), &err);
	MUST(xos_file_write(argv[2], 0600, xos_buf_bytes(&text), &err), &err);
	xos_buf_free(&text);
	xos_json_free(body);
	xos_cad_request_clear(&request);
	xos_key_free(key);
	xos_token_info_free(info);
	xos_chain_clear(&chain);
	return 0;
}
