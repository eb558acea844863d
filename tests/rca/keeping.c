#include "keeping.h"

#include <stdlib.h>
#include <string.h>

#include "api/chainjson.h"
#include "api/keep.h"
#include "base/clock.h"
#include "base/file.h"
#include "rca/nodes.h"

struct xos_chain node, jobs;
static struct xos_chain given[64]; /* what the authority gave, until done() */
static size_t ngiven;

void admit(void)
{
	node = jobs = (struct xos_chain){.n = 0};
	admitted(&node, &jobs);
}

void done(void)
{
	xos_chain_clear(&node);
	xos_chain_clear(&jobs);
	while (ngiven > 0)
		xos_chain_clear(&given[--ngiven]);
}

void take(struct xos_json *answer, const struct xos_key *key, struct xos_chain *fresh)
{
	struct xos_err why = XOS_ERR_INIT;

	*fresh = (struct xos_chain){.n = 0};
	MUST(xos_chain_from_json(answer, "chain", fresh, &why), &why);
	fresh->key = xos_key_ref(key);
	MUST_TRUE(ngiven < sizeof(given) / sizeof(given[0]));
	given[ngiven++] = *fresh;
}

enum xos_status send(
    uint16_t type, const char *from, struct xos_json *body, struct xos_json **answer)
{
	struct xos_buf text, payload;

	xos_buf_init(&text, XOS_BULK_MAX);
	xos_buf_init(&payload, XOS_BULK_MAX);
	MUST(xos_json_dump(body, &text, &err), &err);
	xos_buf_put_str(&payload, from);
	xos_buf_put(&payload, text.p, text.n);
	enum xos_status st = ask(type, xos_buf_bytes(&payload), answer);
	xos_buf_free(&payload);
	xos_buf_free(&text);
	xos_json_free(body);
	return st;
}

/* Renews what old is at this many seconds from now, as far as old's clock says; fresh: what came, with its key. */
enum xos_status renew(
    const struct xos_chain *old, int64_t offset, const char *from, struct xos_chain *fresh)
{
	struct xos_json *body = NULL, *answer = NULL;
	struct xos_key *key = NULL;

	MUST(xos_key_generate(&key, &err), &err);
	MUST(xos_rca_renewal_sign("demo", old, key, xos_clock_now() + offset, &body, &err), &err);
	enum xos_status st = send(RCA_RENEW, from, body, &answer);
	if (st == XOS_OK && fresh)
		take(answer, key, fresh);
	xos_json_free(answer);
	xos_key_free(key);
	return st;
}

enum xos_status confirm(const struct xos_chain *own, int64_t offset)
{
	struct xos_json *body = NULL;

	MUST(xos_rca_confirm_sign("demo", own, xos_clock_now() + offset, &body, &err), &err);
	return send(RCA_CONFIRM, "198.51.100.7\n", body, NULL);
}

/* What the list says of n1. */
void listed(const char *state, const char *message, const char *member)
{
	struct xos_json *doc = NULL;
	const struct xos_json *list = NULL;
	const char *got = NULL;

	MUST(ask(RCA_NODES, XOS_BYTES_NONE, &doc), &err);
	MUST(xos_json_get_array(doc, "nodes", 4, &list, &err), &err);
	MUST(xos_json_get_string(xos_json_at(list, 0), "state", 20, &got, &err), &err);
	ck_assert_str_eq(got, state);
	if (message) {
		MUST(xos_json_get_string(xos_json_at(list, 0), member, 400, &got, &err), &err);
		ck_assert_msg(strstr(got, message) != NULL, "%s", got);
	}
	xos_json_free(doc);
}

bool in_the_log(const char *text)
{
	char *path = xos_test_path(dir, "key/issued.log");
	struct xos_buf b;

	xos_buf_init(&b, 1 << 22);
	MUST(xos_file_read(path, 1 << 22, &b, &err), &err);
	bool found = memmem(b.p, b.n, text, strlen(text)) != NULL;
	xos_buf_free(&b);
	free(path);
	return found;
}

void with_database(void (*change)(struct xos_store *db))
{
	char *path = xos_test_path(dir, "auth/nodes.db");
	struct xos_store *db = NULL;

	stop(0);
	MUST(rca_nodes_open(path, &db, &err), &err);
	MUST(xos_store_begin(db, &err), &err);
	change(db);
	MUST(xos_store_commit(db, &err), &err);
	xos_store_close(db);
	free(path);
	start();
}

void forget(struct xos_store *db)
{
	MUST(xos_store_exec(db, "DELETE FROM generations", &err), &err);
}

enum xos_status unban(const struct xos_chain *by, const char *accept)
{
	struct xos_json *args = with("node", "n1");

	if (accept)
		xos_json_set_string(args, "accept", accept);
	return ask_json(RCA_COMMAND, sign_at(by, "rca", "node.unban", args, 0), NULL);
}
