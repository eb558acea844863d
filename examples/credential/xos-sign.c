/*
 * Signs what comes on standard input, of which it gets the SHA-256, with the credential that xos-credd keeps for you; the
 * key never comes here. And delegates the credential to whoever made a request.
 *
 *   cc xos-sign.c $(pkg-config --cflags --libs xos) -o xos-sign
 *   openssl dgst -sha256 -binary FILE | ./xos-sign > FILE.sig
 *   ./xos-sign --chain > me.pem
 *   openssl dgst -sha256 -verify <(openssl x509 -in me.pem -noout -pubkey) -signature FILE.sig FILE
 *   ./xos-sign --delegate n2 < request.der > delegation.pem
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xos/credential.h>

static int failed(const struct xos_err *err)
{
	fprintf(stderr, "xos-sign: %s (%s)\n", err->text, err->code);
	/* Decided, or not decided: as the tools of XOS tell it. */
	return err->status == XOS_UNAVAILABLE || err->status == XOS_LIMIT ||
	               err->status == XOS_INTERNAL
	           ? 3
	           : 1;
}

static int sign(struct xos_credd *c, const unsigned char *in, size_t n)
{
	struct xos_err err;
	struct xos_signature sig;

	if (xos_credential_sign(c, NULL, in, n, &sig, &err) != XOS_OK)
		return failed(&err);
	fprintf(stderr, "signed with credential %s\n", sig.used.text);
	return fwrite(sig.bytes, 1, sig.len, stdout) == sig.len ? 0 : 3;
}

static int chain(struct xos_credd *c)
{
	struct xos_err err;
	char *pem = NULL;

	if (xos_credential_chain(c, NULL, NULL, &pem, &err) != XOS_OK)
		return failed(&err);
	fputs(pem, stdout);
	xos_free(pem);
	return 0;
}

static int delegate(struct xos_credd *c, const char *node, const unsigned char *csr, size_t n)
{
	struct xos_err err;
	struct xos_delegate_options o = {
	    .size = sizeof(o), .csr = csr, .csr_len = n, .actor = "example", .node = node};
	char *pem = NULL;

	if (xos_credential_delegate(c, NULL, &o, &pem, NULL, &err) != XOS_OK)
		return failed(&err);
	fputs(pem, stdout);
	xos_free(pem);
	return 0;
}

int main(int argc, char **argv)
{
	struct xos_err err;
	struct xos_credd *c = NULL;
	unsigned char in[4096];
	size_t n = 0;
	int status;

	if (xos_open(NULL, &c, &err) != XOS_OK)
		return failed(&err);
	if (argc != 2 || strcmp(argv[1], "--chain") != 0)
		n = fread(in, 1, sizeof(in), stdin);
	if (argc == 1)
		status = sign(c, in, n);
	else if (argc == 2 && strcmp(argv[1], "--chain") == 0)
		status = chain(c);
	else if (argc == 3 && strcmp(argv[1], "--delegate") == 0)
		status = delegate(c, argv[2], in, n);
	else
		status = 2;
	xos_close(c);
	return status;
}
