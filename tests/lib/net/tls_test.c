/* Client and server over real TLS: who is let in, who is refused, and what each side is told. */
#include <check.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixture.h"
#include "net/client.h"
#include "net/problem.h"
#include "pki/ossl.h"
#include "testsupport/vo.h"
#include "token/verify.h"

#define WAIT_MS 20000

static struct fixture f;
static struct xos_test_vo *vo, *other;
static struct xos_trust *trust;
static struct xos_chain server_chain, alice;
static struct xos_tls_server *tls;
static char url[64];
static int rechecks_denied;

/* The identity is the URI, so that tests read it as text. */
static enum xos_status judge(
    unsigned kinds, const struct xos_bytes *ders, size_t n, void **identity, struct xos_err *err)
{
	struct xos_identity *id = NULL;
	struct xos_verify_opts o = {
	    .now = xos_clock_now(), .kinds = kinds, .allow_delegation = true};
	enum xos_status st = xos_token_verify(trust, ders, n, &o, &id, err);
	if (st == XOS_OK)
		*identity = strdup(id->uri);
	xos_identity_free(id);
	return st;
}

static enum xos_status judge_user(
    void *ctx, const struct xos_bytes *ders, size_t n, void **identity, struct xos_err *err)
{
	(void)ctx;
	return judge(XOS_KIND_BIT(XOS_KIND_USER), ders, n, identity, err);
}

static enum xos_status judge_service(
    void *ctx, const struct xos_bytes *ders, size_t n, void **identity, struct xos_err *err)
{
	(void)ctx;
	return judge(XOS_KIND_BIT(XOS_KIND_SERVICE), ders, n, identity, err);
}

static enum xos_status still_good(void *ctx, void *identity, struct xos_err *err)
{
	(void)ctx;
	(void)identity;
	return __atomic_load_n(&rechecks_denied, __ATOMIC_SEQ_CST)
	           ? xos_err_set(err, XOS_DENIED, "locked", "locked meanwhile")
	           : XOS_OK;
}

static const struct xos_verifier users = {
    .verify = judge_user, .recheck = still_good, .free_identity = free};
static const struct xos_verifier services = {.verify = judge_service, .free_identity = free};

static void start(void)
{
	int64_t now = xos_clock_now();
	struct xos_err err = XOS_ERR_INIT;
	vo = xos_test_vo_new("demo", "lab", now);
	other = xos_test_vo_new("other", "lab", now);
	trust = xos_test_vo_trust(vo);
	xos_test_service(
	    vo, &(struct xos_test_who){.name = "n1.example", .service = "ca"}, &server_chain);
	xos_test_member(vo, &(struct xos_test_who){.name = "alice"}, &alice);
	ck_assert_msg(xos_tls_server_new(
	                  &server_chain, XOS_CLIENT_CERT_OPTIONAL, &users, &tls, &err) == XOS_OK,
	    "%s", err.text);
	fixture_start(&f, (struct xos_server_options){.listen_fd = -1, .tls = tls});
	snprintf(url, sizeof(url), "https://127.0.0.1:%d", f.port);
}

static void stop(void)
{
	fixture_stop(&f);
	xos_tls_server_free(tls);
	xos_chain_clear(&server_chain);
	xos_chain_clear(&alice);
	xos_trust_free(trust);
	xos_test_vo_free(vo);
	xos_test_vo_free(other);
}

static struct xos_client *client(const struct xos_chain *own)
{
	struct xos_client *c = NULL;
	struct xos_err err = XOS_ERR_INIT;
	struct xos_client_options o = {
	    .base = url, .own = own, .verifier = &services, .hint = "is xos-server running?"};
	ck_assert_msg(xos_client_new(&o, &c, &err) == XOS_OK, "%s", err.text);
	return c;
}

/* GET path with this certificate; the status, err filled. */
static enum xos_status get(
    const struct xos_chain *own, const char *path, struct xos_json **out, struct xos_err *err)
{
	struct xos_client *c = client(own);
	enum xos_status st = xos_client_json(c, "GET", path, NULL, out, err);
	xos_client_free(c);
	return st;
}

START_TEST(both_sides_know_each_other)
{
	struct xos_json *doc = NULL;
	struct xos_err err = XOS_ERR_INIT;
	const char *id = NULL;
	struct xos_client *c = client(&alice);
	for (int i = 0; i < 3; i++) { /* the connection is kept */
		ck_assert_msg(xos_client_json(c, "GET", "/secret", NULL, &doc, &err) == XOS_OK,
		    "%s", err.text);
		ck_assert_int_eq(xos_json_get_string(doc, "identity", 200, &id, &err), XOS_OK);
		ck_assert_str_eq(id, "spiffe://demo/user/alice");
		xos_json_free(doc);
	}
	ck_assert_str_eq(xos_client_identity(c), "spiffe://demo/service/ca/n1.example");
	xos_client_free(c);
	ck_assert_int_eq(get(NULL, "/", &doc, &err), XOS_OK);
	ck_assert(!xos_json_has(doc, "identity"));
	xos_json_free(doc);
}
END_TEST

START_TEST(no_certificate_no_secret)
{
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(get(NULL, "/secret", NULL, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "client-certificate-needed");
}
END_TEST

/* Refused with the reason, also where no certificate would have been needed. */
static void refused(const struct xos_chain *own, enum xos_status want, const char *part)
{
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status st = get(own, "/", NULL, &err);
	ck_assert_msg(st == want, "%s: %s", xos_status_name(st), err.text);
	ck_assert_msg(strstr(err.text, part) != NULL, "%s", err.text);
	ck_assert_int_eq(get(own, "/secret", NULL, &err), want);
	ck_assert_int_eq(get(own, "/nothing", NULL, &err), want);
}

START_TEST(refuses_with_the_reason)
{
	struct xos_chain c = {.n = 0};
	xos_test_member(vo,
	    &(struct xos_test_who){
	        .name = "alice", .not_before = vo->now - 7200, .not_after = vo->now - 3600},
	    &c);
	refused(&c, XOS_EXPIRED, "expired");
	xos_chain_clear(&c);
	xos_test_member(
	    vo, &(struct xos_test_who){.name = "alice", .not_before = vo->now + 3600}, &c);
	refused(&c, XOS_NOT_YET_VALID, "valid only in");
	xos_chain_clear(&c);
	xos_test_member(other, &(struct xos_test_who){.name = "alice"}, &c);
	refused(&c, XOS_DENIED, "");
	xos_chain_clear(&c);
	xos_test_node(vo, &(struct xos_test_who){.name = "n1.example"}, &c);
	refused(&c, XOS_DENIED, "node");
	xos_chain_clear(&c);
}
END_TEST

/* A key that is not the certificate's: OpenSSL refuses to send it, nobody else's identity appears. */
START_TEST(a_stolen_certificate_without_its_key_is_nothing)
{
	struct xos_chain c = {.n = 0};
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(xos_chain_add(&c, alice.cert[0]), XOS_OK);
	ck_assert_int_eq(xos_key_generate(&c.key, &err), XOS_OK);
	ck_assert_int_ne(get(&c, "/", NULL, &err), XOS_OK);
	xos_chain_clear(&c);
}
END_TEST

START_TEST(asks_again_at_every_request)
{
	struct xos_client *c = client(&alice);
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(xos_client_json(c, "GET", "/secret", NULL, NULL, &err), XOS_OK);
	__atomic_store_n(&rechecks_denied, 1, __ATOMIC_SEQ_CST);
	ck_assert_int_eq(xos_client_json(c, "GET", "/secret", NULL, NULL, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "locked");
	xos_client_free(c);
}
END_TEST

/* The client's verifier decides: a member's certificate is no server's, another VO's neither. */
START_TEST(believes_the_right_server_only)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_chain c = {.n = 0};
	xos_test_service(other, &(struct xos_test_who){.name = "n1.example", .service = "ca"}, &c);
	ck_assert_int_eq(xos_tls_server_reload(tls, &c, &err), XOS_OK);
	ck_assert_int_eq(get(&alice, "/", NULL, &err), XOS_DENIED);
	ck_assert_ptr_nonnull(strstr(err.text, "is not believed"));
	xos_chain_clear(&c);
	ck_assert_int_eq(xos_tls_server_reload(tls, &alice, &err), XOS_OK);
	ck_assert_int_eq(get(NULL, "/", NULL, &err), XOS_DENIED);
	ck_assert_str_eq(err.code, "token-kind");
	xos_test_service(vo,
	    &(struct xos_test_who){.name = "n1.example",
	        .service = "ca",
	        .not_before = vo->now - 7200,
	        .not_after = vo->now - 3600},
	    &c);
	ck_assert_int_eq(xos_tls_server_reload(tls, &c, &err), XOS_OK);
	ck_assert_int_eq(get(NULL, "/", NULL, &err), XOS_EXPIRED);
	xos_chain_clear(&c);
	ck_assert_int_eq(xos_tls_server_reload(tls, &server_chain, &err), XOS_OK);
	ck_assert_int_eq(get(NULL, "/", NULL, &err), XOS_OK);
	/* A chain without its key leaves the old one in place. */
	ck_assert_int_eq(xos_chain_add(&c, alice.cert[0]), XOS_OK);
	ck_assert_int_eq(xos_tls_server_reload(tls, &c, &err), XOS_MALFORMED);
	ck_assert_int_eq(get(NULL, "/", NULL, &err), XOS_OK);
	xos_chain_clear(&c);
}
END_TEST

START_TEST(a_reload_keeps_connections)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_chain c = {.n = 0};
	struct xos_client *keeper = client(&alice), *late = NULL;
	ck_assert_int_eq(xos_client_json(keeper, "GET", "/", NULL, NULL, &err), XOS_OK);
	xos_test_service(vo, &(struct xos_test_who){.name = "n2.example", .service = "ca"}, &c);
	ck_assert_int_eq(xos_tls_server_reload(tls, &c, &err), XOS_OK);
	ck_assert_int_eq(xos_client_json(keeper, "GET", "/", NULL, NULL, &err), XOS_OK);
	ck_assert_str_eq(xos_client_identity(keeper), "spiffe://demo/service/ca/n1.example");
	late = client(NULL);
	ck_assert_int_eq(xos_client_json(late, "GET", "/", NULL, NULL, &err), XOS_OK);
	ck_assert_str_eq(xos_client_identity(late), "spiffe://demo/service/ca/n2.example");
	xos_client_free(keeper);
	xos_client_free(late);
	xos_chain_clear(&c);
}
END_TEST

START_TEST(problems_survive_the_journey)
{
	struct xos_err err = XOS_ERR_INIT;
	for (int s = XOS_MALFORMED; s <= XOS_INTERNAL; s++) {
		char path[32];
		snprintf(path, sizeof(path), "/fail?status=%d", s);
		ck_assert_int_eq(get(NULL, path, NULL, &err), s);
		ck_assert_int_eq(err.status, s);
		ck_assert_str_eq(err.code, "test-code");
		if (s != XOS_INTERNAL)
			ck_assert_ptr_nonnull(strstr(err.text, "the text of"));
	}
}
END_TEST

START_TEST(sends_what_it_is_given)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_client *c = client(NULL);
	struct xos_answer *a = NULL;
	const struct xos_client_header headers[] = {{"X-Request-Id", "my-id"}};
	char *big = malloc(100000);
	memset(big, 'z', 100000);
	struct xos_client_request req = {.method = "PUT",
	    .path = "/echo",
	    .headers = headers,
	    .nheaders = 1,
	    .content_type = "text/plain",
	    .body = {(const uint8_t *)big, 100000}};
	ck_assert_msg(xos_client_call(c, &req, &a, &err) == XOS_OK, "%s", err.text);
	ck_assert_int_eq(xos_answer_status(a), 200);
	ck_assert(xos_bytes_eq(xos_answer_body(a), req.body));
	ck_assert_str_eq(xos_answer_header(a, "x-request-ID"), "my-id");
	ck_assert_ptr_null(xos_answer_header(a, "x-other"));
	xos_answer_free(a);
	a = NULL;
	req = (struct xos_client_request){.method = "POST", .path = "/echo"};
	ck_assert_int_eq(xos_client_call(c, &req, &a, &err), XOS_OK);
	ck_assert_uint_eq(xos_answer_body(a).n, 0);
	xos_answer_free(a);
	a = NULL;
	req = (struct xos_client_request){.method = "HEAD", .path = "/"};
	ck_assert_int_eq(xos_client_call(c, &req, &a, &err), XOS_OK);
	ck_assert_int_eq(xos_answer_status(a), 200);
	xos_answer_free(a);
	req = (struct xos_client_request){.method = "GET", .path = "/a b"};
	ck_assert_int_eq(xos_client_call(c, &req, &a, &err), XOS_MALFORMED);
	req = (struct xos_client_request){.method = "GET", .path = "@evil/"};
	ck_assert_int_eq(xos_client_call(c, &req, &a, &err), XOS_MALFORMED);
	xos_client_free(c);
	free(big);
}
END_TEST

START_TEST(bounds_the_answer)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_client *c = NULL;
	struct xos_answer *a = NULL;
	struct xos_client_options o = {.base = url, .verifier = &services, .body_max = 99};
	char body[100];
	memset(body, 'b', sizeof(body));
	struct xos_client_request req = {
	    .method = "POST", .path = "/echo", .body = {(const uint8_t *)body, 100}};
	ck_assert_int_eq(xos_client_new(&o, &c, &err), XOS_OK);
	ck_assert_int_eq(xos_client_call(c, &req, &a, &err), XOS_LIMIT);
	req.body.n = 99;
	ck_assert_int_eq(xos_client_call(c, &req, &a, &err), XOS_OK);
	xos_answer_free(a);
	xos_client_free(c);
}
END_TEST

START_TEST(says_that_nobody_answers)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_client *c = NULL;
	char dead[64];
	struct xos_client_options o = {
	    .base = dead, .verifier = &services, .hint = "is xos-server running?"};
	/* Nobody listens at port 1 of loopback. */
	snprintf(dead, sizeof(dead), "https://127.0.0.1:1");
	ck_assert_int_eq(xos_client_new(&o, &c, &err), XOS_OK);
	ck_assert_int_eq(xos_client_json(c, "GET", "/", NULL, NULL, &err), XOS_UNAVAILABLE);
	ck_assert_str_eq(err.text,
	    "cannot reach https://127.0.0.1:1: Connection refused; is xos-server running?");
	xos_client_free(c);
	o.base = "http://127.0.0.1:1";
	ck_assert_int_eq(xos_client_new(&o, &c, &err), XOS_MALFORMED);
	o.base = "https://user@127.0.0.1:1";
	ck_assert_int_eq(xos_client_new(&o, &c, &err), XOS_MALFORMED);
	o.base = url;
	o.verifier = NULL;
	ck_assert_int_eq(xos_client_new(&o, &c, &err), XOS_INTERNAL);
}
END_TEST

/* Proxies named by the environment would see who talks to whom, and could stop it. */
START_TEST(ignores_proxies_of_the_environment)
{
	struct xos_err err = XOS_ERR_INIT;
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("HTTPS_PROXY", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	ck_assert_msg(get(NULL, "/", NULL, &err) == XOS_OK, "%s", err.text);
}
END_TEST

START_TEST(first_contact_believes_nothing_but_fetches)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf b;
	struct xos_chain c = {.n = 0};
	xos_test_service(other, &(struct xos_test_who){.name = "n1.example", .service = "ca"}, &c);
	ck_assert_int_eq(xos_tls_server_reload(tls, &c, &err), XOS_OK);
	xos_buf_init(&b, 4096);
	ck_assert_int_eq(xos_client_fetch_unverified(url, "/", 4096, &b, &err), XOS_OK);
	ck_assert_uint_gt(b.n, 10);
	ck_assert_int_eq(
	    xos_client_fetch_unverified(url, "/nothing", 4096, &b, &err), XOS_NOT_FOUND);
	ck_assert_int_eq(xos_client_fetch_unverified(url, "/", 10, &b, &err), XOS_LIMIT);
	xos_buf_free(&b);
	xos_chain_clear(&c);
}
END_TEST

/* A connection of OpenSSL's own, without our client. */
static SSL *handshake(SSL_CTX *ctx, int max_version)
{
	SSL_CTX_set_max_proto_version(ctx, max_version);
	SSL *ssl = SSL_new(ctx);
	SSL_set_fd(ssl, raw_connect(f.port));
	if (SSL_connect(ssl) == 1)
		return ssl;
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
	return NULL;
}

static void hang_up(SSL *ssl)
{
	close(SSL_get_fd(ssl));
	SSL_free(ssl);
}

static void say(SSL *ssl, const char *text)
{
	ck_assert_int_eq(SSL_write(ssl, text, (int)strlen(text)), (int)strlen(text));
}

START_TEST(speaks_tls_1_3_only)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	ck_assert_ptr_null(handshake(ctx, TLS1_2_VERSION));
	SSL *ssl = handshake(ctx, TLS1_3_VERSION);
	ck_assert_ptr_nonnull(ssl);
	ck_assert_str_eq(SSL_get_version(ssl), "TLSv1.3");
	hang_up(ssl);
	SSL_CTX_free(ctx);
}
END_TEST

/* Dirty endings of every kind, and bytes that are no TLS; then all is well. */
START_TEST(survives_rough_clients)
{
	static char junk[20000];
	char out[4096];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct xos_err err = XOS_ERR_INIT;
	memset(junk, 0x16, sizeof(junk));
	for (int i = 0; i < 5; i++) {
		int fd = raw_connect(f.port);
		raw_send(fd, junk, (size_t)(1 + i * 4000));
		close(fd);
		hang_up(handshake(ctx, TLS1_3_VERSION));
		SSL *ssl = handshake(ctx, TLS1_3_VERSION);
		say(ssl, "GET / HTTP/1.1\r\nHost: x\r\n");
		hang_up(ssl);
		ssl = handshake(ctx, TLS1_3_VERSION);
		say(ssl, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
		hang_up(ssl);
		/* Plain HTTP to the TLS port. */
		fd = raw_connect(f.port);
		raw_say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
		raw_read(fd, out, sizeof(out), WAIT_MS);
		ck_assert_ptr_null(strstr(out, "HTTP/1.1 200"));
		close(fd);
	}
	SSL_CTX_free(ctx);
	ck_assert_msg(get(&alice, "/secret", NULL, &err) == XOS_OK, "%s", err.text);
}
END_TEST

/* A client sends one half of a request a record, each an own TLS record; pipelined over TLS. */
START_TEST(pipelines_over_tls)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = handshake(ctx, TLS1_3_VERSION);
	static const char request[] = "GET /v1/vo/v/jobs/1 HTTP/1.1\r\nHost: x\r\n\r\n";
	enum { MANY = 200 };
	char *all = malloc(MANY * sizeof(request)), buf[4096];
	size_t len = 0;
	int bodies = 0;
	for (int i = 0; i < MANY; i++) {
		memcpy(all + len, request, sizeof(request) - 1);
		len += sizeof(request) - 1;
	}
	for (size_t at = 0; at < len; at += 777)
		ck_assert_int_gt(
		    SSL_write(ssl, all + at, (int)(len - at < 777 ? len - at : 777)), 0);
	while (bodies < MANY) {
		int n = SSL_read(ssl, buf, sizeof(buf));
		ck_assert_int_gt(n, 0);
		for (int i = 0; i < n; i++)
			bodies += buf[i] == '}';
	}
	free(all);
	hang_up(ssl);
	SSL_CTX_free(ctx);
}
END_TEST

/* More certificates than a chain may have. */
START_TEST(bounds_the_peers_chain)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char buf[4096] = "";
	SSL_CTX_use_certificate(ctx, xos_cert_ossl(alice.cert[0]));
	SSL_CTX_use_PrivateKey(ctx, xos_key_ossl(alice.key));
	for (int i = 0; i < 20; i++)
		SSL_CTX_add1_chain_cert(ctx, xos_cert_ossl(alice.cert[1]));
	SSL *ssl = handshake(ctx, TLS1_3_VERSION);
	ck_assert_ptr_nonnull(ssl);
	say(ssl, "GET /secret HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_int_gt(SSL_read(ssl, buf, sizeof(buf) - 1), 0);
	ck_assert_int_eq(raw_status(buf), 400);
	hang_up(ssl);
	SSL_CTX_free(ctx);
}
END_TEST

START_TEST(a_server_without_verifier_is_refused)
{
	struct xos_tls_server *t = NULL;
	struct xos_err err = XOS_ERR_INIT;
	ck_assert_int_eq(
	    xos_tls_server_new(&server_chain, XOS_CLIENT_CERT_OPTIONAL, NULL, &t, &err),
	    XOS_INTERNAL);
	ck_assert_ptr_null(t);
}
END_TEST

START_TEST(loads_files)
{
	char *dir = xos_test_dir_new(), *cert = xos_test_path(dir, "cert.pem"),
	     *key = xos_test_path(dir, "key.pem"), *both = xos_test_path(dir, "both.pem");
	struct xos_err err = XOS_ERR_INIT;
	struct xos_chain c = {.n = 0};
	struct xos_buf pem;
	xos_buf_init(&pem, 65536);
	for (size_t i = 0; i < server_chain.n; i++)
		xos_cert_to_pem(server_chain.cert[i], &pem);
	FILE *out = fopen(cert, "w");
	fwrite(pem.p, 1, pem.n, out);
	fclose(out);
	ck_assert_int_eq(xos_key_save(server_chain.key, key, NULL, &err), XOS_OK);
	ck_assert_msg(xos_tls_load(cert, key, &c, &err) == XOS_OK, "%s", err.text);
	ck_assert_uint_eq(c.n, server_chain.n);
	xos_chain_clear(&c);
	ck_assert_int_eq(xos_key_save(alice.key, key, NULL, &err), XOS_OK);
	ck_assert_int_eq(xos_tls_load(cert, key, &c, &err), XOS_CONFLICT);
	ck_assert_uint_eq(c.n, 0);
	xos_test_chain_save(&alice, both);
	ck_assert_int_eq(xos_tls_load(both, NULL, &c, &err), XOS_OK);
	xos_chain_clear(&c);
	chmod(both, 0644);
	ck_assert_int_ne(xos_tls_load(both, NULL, &c, &err), XOS_OK);
	ck_assert_ptr_nonnull(strstr(err.text, "chmod 600"));
	xos_buf_free(&pem);
	free(cert);
	free(key);
	free(both);
	xos_test_dir_free(dir);
}
END_TEST

/* Strangers' answers: classes from the HTTP status, never OK, never a stranger's code. */
START_TEST(problems_of_strangers)
{
	struct xos_err err = XOS_ERR_INIT;
	static const struct {
		int http;
		const char *body;
		enum xos_status want;
	} cases[] = {{502, "<html>Bad Gateway</html>", XOS_UNAVAILABLE}, {404, "", XOS_NOT_FOUND},
	    {403, "{}", XOS_DENIED}, {302, "", XOS_UNAVAILABLE}, {418, "[1]", XOS_MALFORMED},
	    {500, "{\"title\":\"ok\",\"code\":\"x\",\"detail\":\"y\"}", XOS_UNAVAILABLE},
	    {403, "{\"title\":\"denied\",\"code\":\"BAD CODE\",\"detail\":\"y\"}", XOS_DENIED},
	    {400, "{\"title\":\"expired\",\"code\":\"c-1\",\"detail\":\"line\\nline\"}",
	        XOS_EXPIRED}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(xos_problem_decode(cases[i].http, xos_bytes_str(cases[i].body),
		                     "https://x", &err),
		    cases[i].want);
		ck_assert_int_eq(err.status, cases[i].want);
		ck_assert_ptr_null(strchr(err.code, ' '));
		ck_assert_ptr_null(strchr(err.text, '\n'));
	}
	ck_assert_str_eq(err.code, "c-1");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tls");
	TCase *t = tcase_create("tls");
	tcase_add_checked_fixture(t, start, stop);
	tcase_set_timeout(t, 120);
	tcase_add_test(t, both_sides_know_each_other);
	tcase_add_test(t, no_certificate_no_secret);
	tcase_add_test(t, refuses_with_the_reason);
	tcase_add_test(t, a_stolen_certificate_without_its_key_is_nothing);
	tcase_add_test(t, asks_again_at_every_request);
	tcase_add_test(t, believes_the_right_server_only);
	tcase_add_test(t, a_reload_keeps_connections);
	tcase_add_test(t, problems_survive_the_journey);
	tcase_add_test(t, sends_what_it_is_given);
	tcase_add_test(t, bounds_the_answer);
	tcase_add_test(t, says_that_nobody_answers);
	tcase_add_test(t, ignores_proxies_of_the_environment);
	tcase_add_test(t, first_contact_believes_nothing_but_fetches);
	tcase_add_test(t, speaks_tls_1_3_only);
	tcase_add_test(t, survives_rough_clients);
	tcase_add_test(t, pipelines_over_tls);
	tcase_add_test(t, bounds_the_peers_chain);
	tcase_add_test(t, a_server_without_verifier_is_refused);
	tcase_add_test(t, loads_files);
	tcase_add_test(t, problems_of_strangers);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
