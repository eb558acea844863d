/*
 * xos-meddle: somebody between a client and a service of the VO, who holds a TLS certificate that the
 * client believes (a network process that was taken over). Passes everything on, and changes what the
 * rules say. System tests show that the ends notice.
 *
 *   xos-meddle --listen ADDRESS:PORT --certificate PEM --key PEM [--own TOKEN] --to URL --vo VO
 *              --service KIND --trust FOLDER --ready FILE [RULE FILE]...
 *
 * RULE: request (every one), later (a second message of a log-in only), answer (2xx only). FILE is a JSON
 * object: each of its members replaces the member of that name in a body that has one. add: as answer, but
 * puts in what the body lacks, too. Each change made is a line on standard output. --own: our client certificate
 * towards URL.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "proc/daemon.h"
#include "service/client.h"
#include "service/front.h"
#include "testsupport/must.h"
#include "token/tokenfile.h"

#define BODY_MAX (1024 * 1024)
#define RULES_MAX 8

static struct xos_err err = XOS_ERR_INIT;
static const char *o_listen, *o_cert, *o_key, *o_own, *o_to, *o_vo, *o_service, *o_trust, *o_ready;
static struct rule {
	const char *when;
	struct xos_json *doc;
} rules[RULES_MAX];
static size_t nrules;

/* The body as the rules of this moment make it; what is no JSON object stays. */
static void change(const char *path, const char *when, struct xos_bytes in, struct xos_buf *out)
{
	struct xos_json *doc = NULL;
	const struct xos_json *value = NULL;
	const char *key = NULL;

	if (!in.n || xos_json_parse(in, BODY_MAX, &doc, NULL) != XOS_OK) {
		xos_buf_put(out, in.p, in.n);
		return;
	}
	for (size_t i = 0; i < nrules; i++) {
		void *it = NULL;

		if (strcmp(rules[i].when, when) != 0)
			continue;
		while (xos_json_next(rules[i].doc, &it, &key, &value)) {
			if (strcmp(when, "add") != 0 && !xos_json_has(doc, key))
				continue;
			xos_json_set(doc, key, xos_json_copy(value));
			printf("changed %s of the %s %s\n", key, when, path);
			fflush(stdout);
		}
	}
	MUST(xos_json_dump(doc, out, &err), &err);
	xos_json_free(doc);
}

static void change_again(const char *path, const char *when, struct xos_buf *body)
{
	struct xos_buf changed;

	xos_buf_init(&changed, BODY_MAX);
	change(path, when, xos_buf_bytes(body), &changed);
	xos_buf_free(body);
	*body = changed;
}

static void copy_header(const struct xos_answer *a, struct xos_response *res, const char *name)
{
	const char *value = xos_answer_header(a, name);

	if (value)
		xos_response_header(res, name, value);
}

static enum xos_status forward(const struct xos_request *req, struct xos_client *client,
    struct xos_answer **answer, struct xos_err *why)
{
	const char *authorization = xos_request_header(req, "Authorization");
	const char *path = xos_request_path(req);
	struct xos_client_header field = {"Authorization", authorization};
	struct xos_buf body;

	xos_buf_init(&body, BODY_MAX);
	change(path, "request", xos_request_body(req), &body);
	if (authorization && strstr(authorization, "sid="))
		change_again(path, "later", &body);
	struct xos_client_request out = {.method = xos_request_method(req),
	    .path = path,
	    .headers = &field,
	    .nheaders = authorization ? 1 : 0,
	    .content_type = body.n ? "application/json" : NULL,
	    .body = xos_buf_bytes(&body)};
	enum xos_status st = xos_client_call(client, &out, answer, why);
	xos_buf_free(&body);
	return st;
}

static enum xos_status pass(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *why)
{
	const struct xos_trust *trust = ctx;
	struct xos_chain own = {.n = 0};
	struct xos_service_client_options o = {
	    .url = o_to, .vo = o_vo, .service = o_service, .trust = trust, .skew = 300};
	struct xos_service_client *client = NULL;
	struct xos_answer *answer = NULL;
	struct xos_buf body;

	xos_buf_init(&body, BODY_MAX);
	if (o_own) {
		MUST(xos_tokenfile_read(o_own, &own, &err), &err);
		o.own = &own;
	}
	MUST(xos_service_client_new(&o, &client, &err), &err);
	enum xos_status st = forward(req, xos_service_client(client), &answer, why);
	if (st == XOS_OK) {
		int status = xos_answer_status(answer);

		change(xos_request_path(req), status < 300 ? "answer" : "refusal",
		    xos_answer_body(answer), &body);
		if (status < 300)
			change_again(xos_request_path(req), "add", &body);
		xos_response_body(
		    res, xos_answer_header(answer, "Content-Type"), xos_buf_bytes(&body));
		xos_response_status(res, status);
		copy_header(answer, res, "WWW-Authenticate");
		copy_header(answer, res, "Authentication-Info");
	}
	xos_answer_free(answer);
	xos_service_client_free(client);
	xos_chain_clear(&own);
	xos_buf_free(&body);
	return st;
}

static const struct xos_route routes[] = {
    {"GET", "/v1/{a}", pass, 0, 0},
    {"GET", "/v1/vo/{vo}/{a}", pass, 0, 0},
    {"GET", "/v1/vo/{vo}/{a}/{b}", pass, 0, 0},
    {"POST", "/v1/vo/{vo}/{a}", pass, 0, BODY_MAX},
    {"POST", "/v1/vo/{vo}/{a}/{b}/{c}", pass, 0, BODY_MAX},
    {"PUT", "/v1/vo/{vo}/{a}/{b}/{c}", pass, 0, BODY_MAX},
};

/* Believes everybody who comes: what it needs to know is who it says it is itself. */
static enum xos_status anybody(
    void *ctx, const struct xos_bytes *ders, size_t n, void **identity, struct xos_err *why)
{
	(void)ctx, (void)ders, (void)n, (void)identity, (void)why;
	return XOS_OK;
}

static void add_rule(const char *when, const char *path)
{
	struct xos_buf text;

	MUST_TRUE(nrules < RULES_MAX);
	MUST(xos_file_read(path, BODY_MAX, &text, &err), &err);
	MUST(xos_json_parse(xos_buf_bytes(&text), BODY_MAX, &rules[nrules].doc, &err), &err);
	rules[nrules++].when = when;
	xos_buf_free(&text);
}

static int usage(void)
{
	fprintf(stderr, "usage: see the head of tests/meddle/meddle.c\n");
	return 2;
}

static void serve(struct xos_trust *trust)
{
	static const struct xos_verifier verifier = {.verify = anybody};
	const struct xos_front_options o = {.listen = o_listen,
	    .listen_fd = -1,
	    .tls_certificate = o_cert,
	    .tls_key = o_key,
	    .verifier = &verifier};
	struct xos_front *front = NULL;
	int signal_fd = -1;

	MUST(xos_signal_fd(&signal_fd, &err), &err);
	MUST(xos_front_new(&o, &front, &err), &err);
	MUST(
	    xos_front_routes(front, routes, sizeof(routes) / sizeof(routes[0]), trust, &err), &err);
	MUST(xos_file_write(o_ready, 0644, xos_bytes_str("ready\n"), &err), &err);
	MUST(xos_front_run(front, signal_fd, &err), &err);
	xos_front_free(front);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name, **value;
	} options[] = {{"--listen", &o_listen}, {"--certificate", &o_cert}, {"--key", &o_key},
	    {"--own", &o_own}, {"--to", &o_to}, {"--vo", &o_vo}, {"--service", &o_service},
	    {"--trust", &o_trust}, {"--ready", &o_ready}};
	struct xos_trust *trust = xos_trust_new();

	for (int i = 1; i + 1 < argc; i += 2) {
		size_t k = 0;

		while (k < sizeof(options) / sizeof(options[0]) &&
		       strcmp(options[k].name, argv[i]) != 0)
			k++;
		if (k < sizeof(options) / sizeof(options[0]))
			*options[k].value = argv[i + 1];
		else if (strcmp(argv[i], "request") == 0 || strcmp(argv[i], "later") == 0 ||
		         strcmp(argv[i], "answer") == 0 || strcmp(argv[i], "add") == 0)
			add_rule(argv[i], argv[i + 1]);
		else
			return usage();
	}
	if (argc % 2 == 0 || !o_listen || !o_cert || !o_key || !o_to || !o_vo || !o_service ||
	    !o_trust || !o_ready)
		return usage();
	MUST_TRUE(trust);
	MUST(xos_trust_load(trust, o_trust, &err), &err);
	serve(trust);
	for (size_t i = 0; i < nrules; i++)
		xos_json_free(rules[i].doc);
	xos_trust_free(trust);
	return 0;
}
