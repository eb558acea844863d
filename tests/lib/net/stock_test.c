/* A listener for stock clients: TLS 1.2 there and nowhere else, connections with a name, errors as plain text. */
#include <check.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "fixture.h"
#include "net/server.h"
#include "testsupport/vo.h"

static struct xos_test_vo *vo;
static struct xos_chain chain;
static struct xos_tls_server *tls;
static struct xos_loop *loop;
static struct xos_server *server;
static pthread_t thread;

static enum xos_status on_binding(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	uint8_t name[XOS_BINDING_MAX];
	char text[2 * XOS_BINDING_MAX + 1] = "";

	(void)ctx;
	(void)err;
	xos_hex_encode(text, name, xos_request_binding(req, name));
	xos_response_body(res, "text/plain", xos_bytes_str(text));
	return XOS_OK;
}

static enum xos_status on_login(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	(void)ctx;
	(void)req;
	(void)res;
	return xos_err_set(err, XOS_DENIED, "login-needed", "say who you are");
}

static const struct xos_route routes[] = {
    {"GET", "/binding", on_binding, XOS_ROUTE_INLINE, 0},
    {"GET", "/login", on_login, XOS_ROUTE_INLINE, 0},
};

static void *serve(void *arg)
{
	struct xos_err err = XOS_ERR_INIT;

	ck_assert_int_eq(xos_loop_run(arg, &err), XOS_OK);
	return NULL;
}

static void start(bool tls12)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_server_options o = {.listen = "127.0.0.1:0",
	    .listen_fd = -1,
	    .tls = tls,
	    .tls12 = tls12,
	    .realm = tls12 ? "a realm" : NULL};

	ck_assert_int_eq(xos_loop_new(&loop, &err), XOS_OK);
	ck_assert_int_eq(xos_server_new(loop, &o, &server, &err), XOS_OK);
	ck_assert_int_eq(xos_server_routes(server, routes, 2, NULL, &err), XOS_OK);
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, loop), 0);
}

static void stop(void)
{
	xos_loop_stop(loop);
	pthread_join(thread, NULL);
	xos_server_free(server);
	xos_loop_free(loop);
}

static void setup(void)
{
	struct xos_err err = XOS_ERR_INIT;

	vo = xos_test_vo_new("demo", "lab", xos_clock_now());
	xos_test_service(
	    vo, &(struct xos_test_who){.name = "n1.example", .service = "rca"}, &chain);
	ck_assert_int_eq(
	    xos_tls_server_new(&chain, XOS_CLIENT_CERT_NONE, NULL, &tls, &err), XOS_OK);
}

static void teardown(void)
{
	xos_tls_server_free(tls);
	xos_chain_clear(&chain);
	xos_test_vo_free(vo);
}

/* A handshake with at most this version, and nothing but these suites of TLS 1.2 (NULL: the usual). */
static SSL *shake(int version, const char *suites)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int fd = raw_connect(xos_server_port(server));

	ck_assert(ctx && SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) == 1 &&
	          SSL_CTX_set_max_proto_version(ctx, version) == 1);
	SSL_CTX_set_security_level(ctx, 0);
	ck_assert_int_eq(SSL_CTX_set_cipher_list(ctx, suites ? suites : "ALL"), 1);
	SSL *ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	ck_assert(ssl && SSL_set_fd(ssl, fd) == 1);
	if (SSL_connect(ssl) == 1)
		return ssl;
	SSL_free(ssl);
	close(fd);
	return NULL;
}

static void ask(SSL *ssl, const char *path, char *out, size_t cap)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);

	ck_assert_int_eq(SSL_write(ssl, text, n), n);
	n = SSL_read(ssl, out, (int)cap - 1);
	ck_assert_int_gt(n, 0);
	out[n] = '\0';
}

static void end(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_free(ssl);
	close(fd);
}

static void expect_binding(SSL *ssl, const uint8_t *name, size_t n)
{
	char text[2 * XOS_BINDING_MAX + 1], answer[4096];

	xos_hex_encode(text, name, n);
	ask(ssl, "/binding", answer, sizeof(answer));
	ck_assert_msg(strstr(answer, text) != NULL, "%s is not in %s", text, answer);
}

START_TEST(both_ends_know_the_name_of_the_connection)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	uint8_t name[2][XOS_BINDING_MAX];

	start(true);
	SSL *ssl = shake(TLS1_2_VERSION, NULL);
	ck_assert_ptr_nonnull(ssl);
	ck_assert_uint_eq(SSL_get_finished(ssl, name[0], sizeof(name[0])), 12);
	expect_binding(ssl, name[0], 12);
	end(ssl);
	for (int i = 0; i < 2; i++) {
		ssl = shake(TLS1_3_VERSION, NULL);
		ck_assert_ptr_nonnull(ssl);
		ck_assert_int_eq(SSL_export_keying_material(ssl, name[i], 32, label,
		                     sizeof(label) - 1, (const unsigned char *)"", 0, 1),
		    1);
		expect_binding(ssl, name[i], 32);
		end(ssl);
	}
	ck_assert_mem_ne(name[0], name[1], 32);
	stop();
}
END_TEST

START_TEST(old_versions_and_weak_suites_are_refused)
{
	SSL *ssl;

	start(true);
	ck_assert_ptr_null(shake(TLS1_1_VERSION, NULL));
	/* No authenticated encryption; no forward secrecy. */
	ck_assert_ptr_null(shake(TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA256"));
	ck_assert_ptr_null(shake(TLS1_2_VERSION, "ECDHE-ECDSA-AES256-SHA"));
	ck_assert_ptr_null(shake(TLS1_2_VERSION, "AES128-GCM-SHA256"));
	ssl = shake(TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384");
	ck_assert_ptr_nonnull(ssl);
	end(ssl);
	stop();
	start(false);
	ck_assert_ptr_null(shake(TLS1_2_VERSION, NULL));
	ssl = shake(TLS1_3_VERSION, NULL);
	ck_assert_ptr_nonnull(ssl);
	end(ssl);
	stop();
}
END_TEST

START_TEST(errors_are_text_and_ask_for_a_password)
{
	char answer[4096];

	start(true);
	SSL *ssl = shake(TLS1_3_VERSION, NULL);
	ck_assert_ptr_nonnull(ssl);
	ask(ssl, "/login", answer, sizeof(answer));
	ck_assert_int_eq(raw_status(answer), 401);
	ck_assert_ptr_nonnull(strstr(answer, "WWW-Authenticate: Basic realm=\"a realm\"\r\n"));
	ck_assert_ptr_nonnull(strstr(answer, "Content-Type: text/plain"));
	ck_assert_ptr_nonnull(strstr(answer, "\r\n\r\nsay who you are\n"));
	ask(ssl, "/nowhere", answer, sizeof(answer));
	ck_assert_int_eq(raw_status(answer), 404);
	ck_assert_ptr_nonnull(strstr(answer, "there is nothing at this address\n"));
	ck_assert_ptr_null(strstr(answer, "WWW-Authenticate"));
	end(ssl);
	stop();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stock");
	TCase *tc = tcase_create("stock");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, both_ends_know_the_name_of_the_connection);
	tcase_add_test(tc, old_versions_and_weak_suites_are_refused);
	tcase_add_test(tc, errors_are_text_and_ask_for_a_password);
	suite_add_tcase(s, tc);
	SRunner *sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	int failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? 1 : 0;
}
