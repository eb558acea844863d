#include "servers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/chainjson.h"
#include "api/rca.h"
#include "base/clock.h"
#include "base/file.h"
#include "net/loop.h"
#include "net/server.h"
#include "pki/csr.h"
#include "service/verifier.h"
#include "testsupport/must.h"

struct ctx {
	const struct xos_test_vo *vo;
	const char *dir;
	struct xos_trust *trust;
};

static enum xos_status on_bundle(
    void *arg, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	const struct ctx *c = arg;
	char *path = xos_test_path(c->dir, "served"), etag[64];
	const char *have = xos_request_header(req, "If-None-Match");
	struct xos_buf b;
	struct stat sb;
	xos_buf_init(&b, XOS_BUNDLE_MAX);
	enum xos_status st = xos_file_read(path, XOS_BUNDLE_MAX, &b, err);
	if (!st && stat(path, &sb) == 0) {
		snprintf(etag, sizeof(etag), "\"%llx-%llx-%llx\"", (unsigned long long)sb.st_ino,
		    (unsigned long long)sb.st_mtim.tv_nsec, (unsigned long long)sb.st_size);
		xos_response_header(res, "ETag", etag);
		if (have && strcmp(have, etag) == 0)
			xos_response_status(res, 304);
		else
			xos_response_body(res, "application/jose", xos_buf_bytes(&b));
	}
	xos_buf_free(&b);
	free(path);
	return st;
}

static enum xos_status on_renew(
    void *arg, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	const struct ctx *c = arg;
	struct xos_rca_renewal *r = NULL;
	struct xos_csr csr;
	struct xos_chain fresh = {.n = 0};
	enum xos_status st = xos_rca_renewal_open(
	    xos_request_body(req), c->trust, c->vo->vo, xos_clock_now(), &r, err);
	char *no = xos_test_path(c->dir, "refuses");
	if (!st && access(no, F_OK) == 0)
		st = xos_err_set(err, XOS_DENIED, "node-banned",
		    "the node n1 is locked since 2026-12-01T00:00:00Z: its key was used twice");
	free(no);
	if (!st)
		st = xos_csr_parse(xos_buf_bytes(&r->csr), &csr, err);
	if (!st) {
		struct xos_test_who who = {
		    .name = r->who->claims->name, .spki = csr.spki, .not_before = xos_clock_now()};
		xos_test_node(c->vo, &who, &fresh);
		struct xos_json *doc = xos_json_object();
		xos_chain_to_json(doc, "chain", &fresh);
		xos_response_json(res, 200, doc);
	}
	xos_chain_clear(&fresh);
	xos_rca_renewal_free(r);
	return st;
}

static void serve(const struct xos_test_vo *vo, const char *service, const char *dir, int fd)
{
	struct xos_err err = XOS_ERR_INIT;
	struct ctx c = {.vo = vo, .dir = dir, .trust = xos_test_vo_trust(vo)};
	struct xos_chain own = {.n = 0};
	struct xos_test_who who = {.name = "server.example", .service = service};
	struct xos_service_verifier *verifier = NULL;
	struct xos_service_verifier_options vopts = {.vo = vo->vo,
	    .kinds = XOS_KIND_BIT(XOS_KIND_NODE) | XOS_KIND_BIT(XOS_KIND_SERVICE),
	    .skew = 60};
	struct xos_tls_server *tls = NULL;
	struct xos_loop *loop = NULL;
	struct xos_server *server = NULL;
	const struct xos_route routes[] = {
	    {"GET", "/v1/vo/{vo}/bundle", on_bundle, XOS_ROUTE_CERT | XOS_ROUTE_INLINE, 0},
	    {"POST", "/v1/vo/{vo}/renew", on_renew, XOS_ROUTE_CERT | XOS_ROUTE_INLINE,
	        XOS_RCA_BODY_MAX}};
	xos_test_service(vo, &who, &own);
	MUST(xos_service_verifier_new(c.trust, &vopts, &verifier, &err), &err);
	MUST(xos_tls_server_new(
	         &own, XOS_CLIENT_CERT_OPTIONAL, xos_service_verifier_get(verifier), &tls, &err),
	    &err);
	MUST(xos_loop_new(&loop, &err), &err);
	struct xos_server_options opts = {.listen_fd = fd, .tls = tls};
	MUST(xos_server_new(loop, &opts, &server, &err), &err);
	MUST(xos_server_routes(server, routes, 2, &c, &err), &err);
	_exit(xos_loop_run(loop, &err));
}

void test_server_start(
    struct test_server *s, const struct xos_test_vo *vo, const char *service, const char *dir)
{
	struct xos_err err = XOS_ERR_INIT;
	struct sockaddr_in a;
	socklen_t n = sizeof(a);
	int fd = -1;
	MUST(xos_server_bind("127.0.0.1:0", &fd, &err), &err);
	MUST_TRUE(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	s->port = ntohs(a.sin_port);
	s->pid = fork();
	MUST_TRUE(s->pid >= 0);
	if (s->pid == 0)
		serve(vo, service, dir, fd);
	close(fd);
}

void test_server_stop(struct test_server *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	s->pid = 0;
}
