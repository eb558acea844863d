/* SCRAM messages of a hostile peer: first byte chooses whose. Nobody may ever be logged in. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "auth/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum xos_status lookup(
    void *arg, const char *member, enum xos_scram_kind kind, struct xos_scram_verifier *out)
{
	(void)arg;
	(void)member;
	(void)kind;
	memset(out, 0x5a, sizeof(*out));
	out->iterations = XOS_SCRAM_ITERATIONS_MIN;
	return XOS_OK;
}

static void server_first(struct xos_scram_server *s, struct xos_bytes in)
{
	static const uint8_t binding[XOS_SHA256_LEN];
	struct xos_scram_session *ss = NULL;
	struct xos_buf reply;

	xos_buf_init(&reply, 4096);
	if (xos_scram_begin(s, binding, in, &ss, &reply, NULL) != XOS_OK && (ss || reply.n))
		abort();
	xos_scram_session_free(ss);
	xos_buf_free(&reply);
}

static void server_final(struct xos_scram_server *s, struct xos_bytes in)
{
	static const char first[] = "p=" XOS_SCRAM_BINDING ",,n=alice,r=0123456789abcdef";
	/* A right prefix "c=" and binding, so that what follows is reached. */
	static const uint8_t binding[XOS_SHA256_LEN];
	struct xos_scram_session *ss = NULL;
	struct xos_buf reply;

	xos_buf_init(&reply, 4096);
	if (xos_scram_begin(s, binding, xos_bytes_str(first), &ss, &reply, NULL) != XOS_OK)
		abort();
	reply.n = 0;
	if (xos_scram_finish(ss, in, &reply, NULL) == XOS_OK || reply.n)
		abort();
	xos_scram_session_free(ss);
	xos_buf_free(&reply);
}

static void client(struct xos_bytes in)
{
	static const uint8_t binding[XOS_SHA256_LEN];
	struct xos_secret *pw = xos_secret_from("password", 8);
	struct xos_scram_client *c = NULL;
	struct xos_buf out;

	xos_buf_init(&out, 4096);
	if (xos_scram_client_new("alice", XOS_SCRAM_PASSWORD, pw, binding, &c, NULL) != XOS_OK ||
	    xos_scram_client_first(c, &out, NULL) != XOS_OK)
		abort();
	/* The nonce is random, so only the parser is reached: its refusals must leave nothing. */
	out.n = 0;
	if (xos_scram_client_final(c, in, &out, NULL) == XOS_OK ||
	    xos_scram_client_check(c, in, NULL) == XOS_OK || out.n)
		abort();
	xos_scram_client_free(c);
	xos_secret_free(pw);
	xos_buf_free(&out);
}

static void verifier(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), again[XOS_SCRAM_VERIFIER_TEXT];
	struct xos_scram_verifier v;

	if (!text)
		return;
	memcpy(text, data, size);
	text[size] = '\0';
	if (xos_scram_verifier_parse(text, &v, NULL) == XOS_OK &&
	    (xos_scram_verifier_format(&v, again) != XOS_OK || strcmp(text, again) != 0))
		abort();
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct xos_scram_server *s;
	struct xos_scram_server_opts opts = {.lookup = lookup,
	    .fake_secret = xos_bytes_str("0123456789abcdef"),
	    .fake_iterations = XOS_SCRAM_ITERATIONS_MIN};
	struct xos_bytes in;

	if (!size)
		return 0;
	if (!s && xos_scram_server_new(&opts, &s, NULL) != XOS_OK)
		abort();
	in = (struct xos_bytes){data + 1, size - 1};
	switch (data[0] % 4) {
	case 0:
		server_first(s, in);
		break;
	case 1:
		server_final(s, in);
		break;
	case 2:
		client(in);
		break;
	default:
		verifier(data + 1, size - 1);
	}
	return 0;
}
