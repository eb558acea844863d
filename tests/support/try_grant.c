/*
 * xos-try-grant: the sides of a grant that a member's machine and a node have, for system tests of the authority alone.
 *
 *   xos-try-grant give TRUST URL VO TOKEN ID NODE KEY SECONDS    signs and registers; KEY is made if it is not there
 *   xos-try-grant renew TRUST URL VO ID KEY CHAIN NODEKEY OUT    both keys sign; CHAIN is a token file, OUT becomes one, OUT.body
 *                                                            what was sent
 *   xos-try-grant send TRUST URL VO ID KEY BODY                 the same again
 *
 * A refusal is its code on standard output, and status 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/grant.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "service/client.h"
#include "testsupport/must.h"
#include "token/tokenfile.h"

static struct xos_err err = XOS_ERR_INIT;
static struct xos_trust *trust;
static struct xos_service_client *client;
static const char *vo;

static void connect_to(char **argv)
{
	struct xos_service_client_options o = {.url = argv[1], .vo = argv[2], .service = "ca"};

	vo = argv[2];
	trust = xos_trust_new();
	MUST_TRUE(trust);
	MUST(xos_trust_load(trust, argv[0], &err), &err);
	o.trust = trust;
	MUST(xos_service_client_new(&o, &client, &err), &err);
}

static void load_key(const char *path, struct xos_key **key)
{
	if (access(path, F_OK) == 0) {
		MUST(xos_key_load(path, NULL, NULL, key, &err), &err);
		return;
	}
	MUST(xos_key_generate(key, &err), &err);
	MUST(xos_key_save(*key, path, NULL, &err), &err);
}

static int answer(enum xos_status st)
{
	if (st == XOS_OK)
		return 0;
	printf("%s\n", err.code);
	fprintf(stderr, "%s: %s\n", xos_status_name(st), err.text);
	return 1;
}

static int give(char **argv)
{
	struct xos_chain token = {.n = 0};
	struct xos_json *doc = NULL;
	struct xos_key *key = NULL;
	uint64_t seconds = 0;
	struct xos_grant g;
	int64_t now = xos_clock_now();

	connect_to(argv);
	xos_grant_init(&g);
	MUST(xos_tokenfile_read(argv[3], &token, &err), &err);
	load_key(argv[6], &key);
	MUST_TRUE(xos_str_copy(g.id, sizeof(g.id), argv[4]) &&
	          xos_str_copy(g.node, sizeof(g.node), argv[5]) &&
	          xos_parse_u64(argv[7], INT32_MAX, &seconds));
	memcpy(g.key, xos_key_spki_sha256(key), sizeof(g.key));
	g.depth = 1;
	g.ends = now + (int64_t)seconds;
	enum xos_status st = xos_grant_sign(&token, &g, now, &doc, &err);
	if (st == XOS_OK)
		st = xos_grants_register(xos_service_client(client), vo, doc, NULL, &err);
	return answer(st);
}

static enum xos_status ask(
    const char *id, const struct xos_key *key, const struct xos_json *body, const char *out)
{
	struct xos_grant_renewed r = {.ends = 0};
	enum xos_status st =
	    xos_grants_renew(xos_service_client(client), vo, id, body, key, trust, &r, &err);

	if (st == XOS_OK && out) {
		r.chain.key = xos_key_ref(key);
		MUST(xos_tokenfile_write(out, &r.chain, &err), &err);
	}
	xos_grant_renewed_clear(&r);
	return st;
}

static int renew(char **argv)
{
	struct xos_chain node = {.n = 0};
	struct xos_json *body = NULL;
	struct xos_key *key = NULL;
	struct xos_buf proof, text;
	char path[4096];

	connect_to(argv);
	load_key(argv[4], &key);
	MUST(xos_tokenfile_read(argv[5], &node, &err), &err);
	xos_key_free(node.key);
	load_key(argv[6], &node.key);
	xos_buf_init(&proof, XOS_GRANT_BODY_MAX);
	xos_buf_init(&text, XOS_GRANT_BODY_MAX);
	MUST(xos_grant_prove(vo, argv[3], key, xos_clock_now(), &proof, &err), &err);
	MUST(xos_grant_countersign(vo, xos_buf_bytes(&proof), key, &node, &body, &err), &err);
	MUST(xos_json_dump(body, &text, &err), &err);
	MUST_TRUE(xos_str_printf(path, sizeof(path), "%s.body", argv[7]));
	MUST(xos_file_write(path, 0600, xos_buf_bytes(&text), &err), &err);
	return answer(ask(argv[3], key, body, argv[7]));
}

static int send_again(char **argv)
{
	struct xos_json *body = NULL;
	struct xos_key *key = NULL;
	struct xos_buf text;

	connect_to(argv);
	load_key(argv[4], &key);
	MUST(xos_file_read(argv[5], XOS_GRANT_BODY_MAX, &text, &err), &err);
	MUST(xos_json_parse(xos_buf_bytes(&text), XOS_GRANT_BODY_MAX, &body, &err), &err);
	return answer(ask(argv[3], key, body, NULL));
}

int main(int argc, char **argv)
{
	if (argc == 10 && strcmp(argv[1], "give") == 0)
		return give(argv + 2);
	if (argc == 10 && strcmp(argv[1], "renew") == 0)
		return renew(argv + 2);
	if (argc == 8 && strcmp(argv[1], "send") == 0)
		return send_again(argv + 2);
	fprintf(stderr, "usage: xos-try-grant give|renew|send ...: see its source\n");
	return 2;
}
