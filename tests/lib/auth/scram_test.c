#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sasl/sasl.h>

#include "auth/scram.h"
#include "base/random.h"
#include "base/text.h"

#define GOOD "correct horse battery"

static struct xos_scram_verifier alice;
static enum xos_status lookup_result;
static int lookups;
static char looked_up[64];
static enum xos_scram_kind looked_up_kind;

static enum xos_status lookup(
    void *arg, const char *member, enum xos_scram_kind kind, struct xos_scram_verifier *out)
{
	ck_assert_ptr_eq(arg, &alice);
	lookups++;
	snprintf(looked_up, sizeof(looked_up), "%s", member);
	if (lookup_result != XOS_OK)
		return lookup_result;
	looked_up_kind = kind;
	if (strcmp(member, "alice") != 0)
		return XOS_NOT_FOUND;
	*out = alice;
	return XOS_OK;
}

static struct xos_secret *secret(const char *s)
{
	return xos_secret_from(s, strlen(s));
}

static struct xos_scram_server *server_new(void)
{
	struct xos_scram_server_opts opts = {.lookup = lookup,
	    .arg = &alice,
	    .fake_secret = xos_bytes_str("0123456789abcdef"),
	    .fake_iterations = 4096};
	struct xos_scram_server *s = NULL;
	struct xos_secret *pw = secret(GOOD);
	struct xos_err err = XOS_ERR_INIT;

	lookup_result = XOS_OK;
	lookups = 0;
	ck_assert_int_eq(xos_scram_verifier_make(pw, 4096, &alice, &err), XOS_OK);
	ck_assert_msg(xos_scram_server_new(&opts, &s, &err) == XOS_OK, "%s", err.text);
	xos_secret_free(pw);
	return s;
}

/* One exchange, step by step; what each side was told is kept. */
struct exchange {
	uint8_t client_binding[32], server_binding[32];
	struct xos_buf first, challenge, final, reply;
	struct xos_err err;
	enum xos_status server, client;
};

static void exchange_init(struct exchange *x)
{
	memset(x, 0, sizeof(*x));
	xos_random(x->client_binding, 32);
	memcpy(x->server_binding, x->client_binding, 32);
	xos_buf_init(&x->first, 4096);
	xos_buf_init(&x->challenge, 4096);
	xos_buf_init(&x->final, 4096);
	xos_buf_init(&x->reply, 4096);
}

static void exchange_free(struct exchange *x)
{
	xos_buf_free(&x->first);
	xos_buf_free(&x->challenge);
	xos_buf_free(&x->final);
	xos_buf_free(&x->reply);
}

static enum xos_scram_kind as; /* what run() logs in with */

static void run(struct exchange *x, struct xos_scram_server *s, const char *member, const char *pw)
{
	struct xos_secret *password = secret(pw);
	struct xos_scram_client *c = NULL;
	struct xos_scram_session *ss = NULL;

	ck_assert_int_eq(
	    xos_scram_client_new(member, as, password, x->client_binding, &c, &x->err), XOS_OK);
	ck_assert_int_eq(xos_scram_client_first(c, &x->first, &x->err), XOS_OK);
	ck_assert_msg(xos_scram_begin(s, x->server_binding, xos_buf_bytes(&x->first), &ss,
	                  &x->challenge, &x->err) == XOS_OK,
	    "%s", x->err.text);
	ck_assert_str_eq(xos_scram_member(ss), member);
	ck_assert_msg(
	    xos_scram_client_final(c, xos_buf_bytes(&x->challenge), &x->final, &x->err) == XOS_OK,
	    "%s", x->err.text);
	x->server = xos_scram_finish(ss, xos_buf_bytes(&x->final), &x->reply, &x->err);
	x->client = XOS_INTERNAL;
	if (x->server == XOS_OK)
		x->client = xos_scram_client_check(c, xos_buf_bytes(&x->reply), &x->err);
	/* A session answers once. */
	struct xos_err again = XOS_ERR_INIT;
	ck_assert_int_eq(
	    xos_scram_finish(ss, xos_buf_bytes(&x->final), &x->reply, &again), XOS_DENIED);
	xos_scram_session_free(ss);
	xos_scram_client_free(c);
	xos_secret_free(password);
}

START_TEST(right_password)
{
	struct xos_scram_server *s = server_new();
	struct exchange x;

	for (int i = 0; i < 3; i++) {
		exchange_init(&x);
		run(&x, s, "alice", GOOD);
		ck_assert_msg(x.server == XOS_OK, "%s", x.err.text);
		ck_assert_msg(x.client == XOS_OK, "%s", x.err.text);
		ck_assert_str_eq(looked_up, "alice");
		exchange_free(&x);
	}
	ck_assert_int_eq(lookups, 3);
	xos_scram_server_free(s);
}
END_TEST

/* The look-up learns which secret is meant; a code of somebody unknown looks as one of alice's does. */
START_TEST(codes_say_so_in_the_name)
{
	struct xos_scram_server *s = server_new();
	struct exchange x, y;
	struct xos_scram_verifier fake;
	struct xos_buf salt;

	as = XOS_SCRAM_CODE;
	exchange_init(&x);
	exchange_init(&y);
	run(&x, s, "alice", GOOD);
	ck_assert_msg(x.server == XOS_OK && x.client == XOS_OK, "%s", x.err.text);
	ck_assert_str_eq(looked_up, "alice");
	ck_assert_int_eq(looked_up_kind, XOS_SCRAM_CODE);
	run(&y, s, "mallory", GOOD);
	ck_assert_int_eq(y.server, XOS_DENIED);
	ck_assert_int_eq(xos_scram_verifier_fake_code("mallory", 4096, &fake), XOS_OK);
	xos_buf_init(&salt, 64);
	xos_base64_encode(&salt, (struct xos_bytes){fake.salt, sizeof(fake.salt)});
	ck_assert_ptr_nonnull(strstr(xos_buf_str(&y.challenge), xos_buf_str(&salt)));
	xos_buf_free(&salt);
	as = XOS_SCRAM_PASSWORD;
	exchange_free(&x);
	exchange_free(&y);
	xos_scram_server_free(s);
}
END_TEST

START_TEST(wrong_password_and_unknown_member_look_alike)
{
	struct xos_scram_server *s = server_new();
	struct exchange wrong, unknown, again;
	const char *salt1, *salt2;

	exchange_init(&wrong);
	exchange_init(&unknown);
	exchange_init(&again);
	run(&wrong, s, "alice", "wrong horse battery");
	run(&unknown, s, "mallory", GOOD);
	run(&again, s, "mallory", GOOD);
	ck_assert_int_eq(wrong.server, XOS_DENIED);
	ck_assert_int_eq(unknown.server, XOS_DENIED);
	ck_assert_str_eq(wrong.err.code, "credentials");
	ck_assert_str_eq(wrong.err.code, unknown.err.code);
	ck_assert_str_eq(wrong.err.text, unknown.err.text);
	ck_assert_uint_eq(wrong.reply.n, 0);
	ck_assert_uint_eq(wrong.challenge.n, unknown.challenge.n);
	/* The salt of a name that does not exist stays the same. */
	salt1 = strstr(xos_buf_str(&unknown.challenge), ",s=");
	salt2 = strstr(xos_buf_str(&again.challenge), ",s=");
	ck_assert_str_eq(salt1, salt2);
	ck_assert_ptr_null(strstr(xos_buf_str(&wrong.challenge), salt1));
	exchange_free(&wrong);
	exchange_free(&unknown);
	exchange_free(&again);
	xos_scram_server_free(s);
}
END_TEST

START_TEST(swapped_request_is_refused)
{
	struct xos_scram_server *s = server_new();
	struct exchange x;

	exchange_init(&x);
	x.server_binding[31] ^= 1;
	run(&x, s, "alice", GOOD);
	ck_assert_int_eq(x.server, XOS_DENIED);
	ck_assert_str_eq(x.err.code, "scram-binding");
	ck_assert_uint_eq(x.reply.n, 0);
	exchange_free(&x);
	xos_scram_server_free(s);
}
END_TEST

START_TEST(lookup_failure_is_not_a_denial)
{
	struct xos_scram_server *s = server_new();
	struct xos_scram_session *ss = NULL;
	struct xos_err err = XOS_ERR_INIT;
	uint8_t binding[32] = {1};
	struct xos_buf reply;

	lookup_result = XOS_UNAVAILABLE;
	xos_buf_init(&reply, 4096);
	ck_assert_int_eq(xos_scram_begin(s, binding,
	                     xos_bytes_str("p=xos-token-request,,n=alice,r=0123456789abcdef"), &ss,
	                     &reply, &err),
	    XOS_UNAVAILABLE);
	ck_assert_ptr_null(ss);
	ck_assert_uint_eq(reply.n, 0);
	xos_scram_server_free(s);
}
END_TEST

START_TEST(malformed_first_messages)
{
	static const char *const bad[] = {"", "n,,n=alice,r=0123456789abcdef",
	    "y,,n=alice,r=0123456789abcdef", "p=tls-unique,,n=alice,r=0123456789abcdef",
	    "p=xos-token-request,a=bob,n=alice,r=0123456789abcdef",
	    "p=xos-token-request,,m=x,n=alice,r=0123456789abcdef",
	    "p=xos-token-request,,n=,r=0123456789abcdef",
	    "p=xos-token-request,,n=alice@x,r=0123456789abcdef",
	    "p=xos-token-request,,n=alice+cod,r=0123456789abcdef",
	    "p=xos-token-request,,n=+code,r=0123456789abcdef",
	    "p=xos-token-request,,n=alice+code+code,r=0123456789abcdef",
	    "p=xos-token-request,,n=al=2Cice,r=0123456789abcdef",
	    "p=xos-token-request,,n=alice,r=short", "p=xos-token-request,,n=alice",
	    "p=xos-token-request,,n=alice,r=0123456789abcdef,x=y",
	    "p=xos-token-request,,n=alice,r=0123456789abcdef ",
	    "p=xos-token-request,,n=averyverylongnamethatnooneevercouldhave,r=0123456789abcdef"};
	struct xos_scram_server *s = server_new();
	uint8_t binding[32] = {1};
	struct xos_buf reply;

	xos_buf_init(&reply, 4096);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xos_scram_session *ss = NULL;
		struct xos_err err = XOS_ERR_INIT;

		ck_assert_msg(xos_scram_begin(s, binding, xos_bytes_str(bad[i]), &ss, &reply,
		                  &err) == XOS_MALFORMED,
		    "taken: %s", bad[i]);
		ck_assert_ptr_null(ss);
		ck_assert_uint_eq(reply.n, 0);
	}
	ck_assert_int_eq(lookups, 0);
	xos_scram_server_free(s);
}
END_TEST

/* Each byte of the final message changed in turn: nothing is taken. */
START_TEST(changed_final_messages)
{
	struct xos_scram_server *s = server_new();
	struct xos_secret *password = secret(GOOD);
	uint8_t binding[32] = {7};

	for (size_t at = 0;; at++) {
		struct xos_scram_client *c = NULL;
		struct xos_scram_session *ss = NULL;
		struct xos_buf first, challenge, final, reply;
		struct xos_err err = XOS_ERR_INIT;
		size_t n;

		xos_buf_init(&first, 4096);
		xos_buf_init(&challenge, 4096);
		xos_buf_init(&final, 4096);
		xos_buf_init(&reply, 4096);
		ck_assert_int_eq(
		    xos_scram_client_new("alice", XOS_SCRAM_PASSWORD, password, binding, &c, &err),
		    0);
		ck_assert_int_eq(xos_scram_client_first(c, &first, &err), 0);
		ck_assert_int_eq(
		    xos_scram_begin(s, binding, xos_buf_bytes(&first), &ss, &challenge, &err), 0);
		ck_assert_int_eq(
		    xos_scram_client_final(c, xos_buf_bytes(&challenge), &final, &err), 0);
		n = final.n;
		if (at < n) {
			/* The character before the padding has two bits that mean nothing: one of
			 * those, or it depends on the proof whether anything was changed. */
			final.p[at] = at + 2 == n          ? final.p[at] + 1
			              : final.p[at] == 'A' ? 'B'
			                                   : 'A';
			ck_assert_int_ne(
			    xos_scram_finish(ss, xos_buf_bytes(&final), &reply, &err), XOS_OK);
			ck_assert_uint_eq(reply.n, 0);
		}
		xos_scram_session_free(ss);
		xos_scram_client_free(c);
		xos_buf_free(&first);
		xos_buf_free(&challenge);
		xos_buf_free(&final);
		xos_buf_free(&reply);
		if (at >= n)
			break;
	}
	xos_secret_free(password);
	xos_scram_server_free(s);
}
END_TEST

START_TEST(client_refuses_bad_servers)
{
	static const char *const bad[] = {"", "r=%s,s=QUFBQUFBQUFBQUFBQUFBQQ==,i=4096",
	    "r=other-nonce-than-ours,s=QUFBQUFBQUFBQUFBQUFBQQ==,i=4096",
	    "m=x,r=%sabc,s=QUFBQUFBQUFBQUFBQUFBQQ==,i=4096", "r=%sabc,s=,i=4096",
	    "r=%sabc,s=****,i=4096", "r=%sabc,s=QUFBQQ==,i=4095", "r=%sabc,s=QUFBQQ==,i=0",
	    "r=%sabc,s=QUFBQQ==,i=-1", "r=%sabc,s=QUFBQQ==,i=99999999999",
	    "r=%sabc,s=QUFBQQ==,i=4096,x=y", "r=%sabc,i=4096,s=QUFBQQ==", "e=other-error"};
	struct xos_secret *password = secret(GOOD);
	uint8_t binding[32] = {7};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xos_scram_client *c = NULL;
		struct xos_buf first, final;
		struct xos_err err = XOS_ERR_INIT;
		char text[512];

		xos_buf_init(&first, 4096);
		xos_buf_init(&final, 4096);
		ck_assert_int_eq(
		    xos_scram_client_new("alice", XOS_SCRAM_PASSWORD, password, binding, &c, &err),
		    0);
		ck_assert_int_eq(xos_scram_client_first(c, &first, &err), 0);
		const char *nonce = strstr(xos_buf_str(&first), "r=") + 2;
		const char *mark = strstr(bad[i], "%s");
		snprintf(text, sizeof(text), "%.*s%s%s", mark ? (int)(mark - bad[i]) : 0, bad[i],
		    mark ? nonce : "", mark ? mark + 2 : bad[i]);
		ck_assert_msg(
		    xos_scram_client_final(c, xos_bytes_str(text), &final, &err) == XOS_MALFORMED,
		    "taken: %s", text);
		ck_assert_uint_eq(final.n, 0);
		xos_scram_client_free(c);
		xos_buf_free(&first);
		xos_buf_free(&final);
	}
	xos_secret_free(password);
}
END_TEST

START_TEST(client_refuses_a_wrong_server_proof)
{
	struct xos_scram_server *s = server_new();
	static const char *const bad[] = {"",
	    "v=", "v=QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=", "e=invalid-proof", "v=QQ=="};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct xos_secret *password = secret(GOOD);
		struct xos_scram_client *c = NULL;
		struct xos_scram_session *ss = NULL;
		struct exchange x;

		exchange_init(&x);
		ck_assert_int_eq(xos_scram_client_new("alice", XOS_SCRAM_PASSWORD, password,
		                     x.client_binding, &c, &x.err),
		    0);
		ck_assert_int_eq(xos_scram_client_first(c, &x.first, &x.err), 0);
		ck_assert_int_eq(xos_scram_begin(s, x.server_binding, xos_buf_bytes(&x.first), &ss,
		                     &x.challenge, &x.err),
		    0);
		ck_assert_int_eq(
		    xos_scram_client_final(c, xos_buf_bytes(&x.challenge), &x.final, &x.err), 0);
		ck_assert_int_eq(
		    xos_scram_finish(ss, xos_buf_bytes(&x.final), &x.reply, &x.err), 0);
		ck_assert_int_eq(
		    xos_scram_client_check(c, xos_bytes_str(bad[i]), &x.err), XOS_DENIED);
		ck_assert_str_eq(x.err.code, "server-proof");
		/* and not a second time with the right one */
		ck_assert_int_ne(
		    xos_scram_client_check(c, xos_buf_bytes(&x.reply), &x.err), XOS_OK);
		xos_scram_session_free(ss);
		xos_scram_client_free(c);
		xos_secret_free(password);
		exchange_free(&x);
	}
	xos_scram_server_free(s);
}
END_TEST

/* --- Cyrus' own client, against our use of its server: our client is not its own judge --- */

static int cyrus_name(void *context, int id, const char **result, unsigned *len)
{
	(void)id;
	*result = context;
	if (len)
		*len = (unsigned)strlen(context);
	return SASL_OK;
}

static int cyrus_password(sasl_conn_t *conn, void *context, int id, sasl_secret_t **out)
{
	static union {
		sasl_secret_t s;
		char room[sizeof(sasl_secret_t) + 64];
	} u;

	(void)conn;
	(void)id;
	u.s.len = strlen(context);
	memcpy(u.s.data, context, u.s.len + 1);
	*out = &u.s;
	return SASL_OK;
}

typedef int (*sasl_proc)(void);

START_TEST(cyrus_client)
{
	static char name[] = "alice", password[] = GOOD;
	struct xos_scram_server *s = server_new();
	struct xos_scram_session *ss = NULL;
	sasl_callback_t callbacks[] = {
	    {SASL_CB_AUTHNAME, (sasl_proc)(void (*)(void))cyrus_name, name},
	    {SASL_CB_PASS, (sasl_proc)(void (*)(void))cyrus_password, password},
	    {SASL_CB_LIST_END, NULL, NULL}};
	struct exchange x;
	sasl_conn_t *conn = NULL;
	const char *out = NULL, *mech = NULL;
	unsigned len = 0;

	exchange_init(&x);
	ck_assert_int_eq(sasl_client_init(callbacks), SASL_OK);
	ck_assert_int_eq(sasl_client_new("xos", "xos", NULL, NULL, callbacks, 0, &conn), SASL_OK);
	sasl_channel_binding_t cb = {XOS_SCRAM_BINDING, 1, 32, x.client_binding};
	ck_assert_int_eq(sasl_setprop(conn, SASL_CHANNEL_BINDING, &cb), SASL_OK);
	int rc = sasl_client_start(conn, "SCRAM-SHA-256-PLUS", NULL, &out, &len, &mech);
	ck_assert_msg(rc == SASL_CONTINUE, "%s", sasl_errdetail(conn));
	ck_assert_msg(
	    xos_scram_begin(s, x.server_binding, (struct xos_bytes){(const uint8_t *)out, len}, &ss,
	        &x.challenge, &x.err) == XOS_OK,
	    "%s", x.err.text);
	rc = sasl_client_step(
	    conn, (const char *)x.challenge.p, (unsigned)x.challenge.n, NULL, &out, &len);
	ck_assert_msg(rc == SASL_CONTINUE || rc == SASL_OK, "%s", sasl_errdetail(conn));
	ck_assert_msg(xos_scram_finish(ss, (struct xos_bytes){(const uint8_t *)out, len}, &x.reply,
	                  &x.err) == XOS_OK,
	    "%s", x.err.text);
	rc = sasl_client_step(conn, (const char *)x.reply.p, (unsigned)x.reply.n, NULL, &out, &len);
	ck_assert_msg(rc == SASL_OK, "%s", sasl_errdetail(conn));
	sasl_dispose(&conn);
	sasl_client_done();
	xos_scram_session_free(ss);
	exchange_free(&x);
	xos_scram_server_free(s);
}
END_TEST

START_TEST(one_server_a_process)
{
	struct xos_scram_server *s = server_new(), *second = NULL;
	struct xos_scram_server_opts opts = {.lookup = lookup,
	    .fake_secret = xos_bytes_str("0123456789abcdef"),
	    .fake_iterations = 4096};
	struct xos_err err = XOS_ERR_INIT;

	ck_assert_int_eq(xos_scram_server_new(&opts, &second, &err), XOS_CONFLICT);
	ck_assert_ptr_null(second);
	xos_scram_server_free(s);
	opts.fake_secret = xos_bytes_str("short");
	ck_assert_int_eq(xos_scram_server_new(&opts, &second, &err), XOS_INTERNAL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("auth-scram");
	TCase *t = tcase_create("scram");
	SRunner *r;
	int failed;

	tcase_add_test(t, right_password);
	tcase_add_test(t, codes_say_so_in_the_name);
	tcase_add_test(t, wrong_password_and_unknown_member_look_alike);
	tcase_add_test(t, swapped_request_is_refused);
	tcase_add_test(t, lookup_failure_is_not_a_denial);
	tcase_add_test(t, malformed_first_messages);
	tcase_add_test(t, changed_final_messages);
	tcase_add_test(t, client_refuses_bad_servers);
	tcase_add_test(t, client_refuses_a_wrong_server_proof);
	tcase_add_test(t, cyrus_client);
	tcase_add_test(t, one_server_a_process);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
