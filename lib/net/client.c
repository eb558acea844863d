#include "net/client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "net/problem.h"
#include "net/tls_internal.h"
#include "pki/ossl.h"

#define ANSWER_FIELDS_MAX 64
#define ANSWER_HEAD_MAX (64 * 1024)
#define URL_MAX 4096

struct xos_client {
	CURL *curl;
	char *base, *hint;
	struct xos_chain own;
	bool has_own;
	X509_NAME *root; /* NULL: not told */
	struct xos_verifier verifier;
	struct tls_peer peer;
	struct xos_err setup_err; /* of the TLS context, made inside curl */
	size_t body_max;
	int64_t connect_ms, total_ms;
	bool (*give_up)(void *ctx);
	void *give_up_ctx;
	char curl_text[CURL_ERROR_SIZE];
	bool has_offset;
	int64_t offset; /* our clock less the server's */
};

struct answer_field {
	char *name, *value;
};

struct xos_answer {
	int status;
	struct answer_field field[ANSWER_FIELDS_MAX];
	size_t nfields, head_size;
	struct xos_buf body;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;

static void curl_setup(void)
{
	curl_ready = curl_global_init(CURL_GLOBAL_SSL);
}

static void fields_free(struct xos_answer *a)
{
	for (size_t i = 0; i < a->nfields; i++) {
		free(a->field[i].name);
		free(a->field[i].value);
	}
	a->nfields = 0;
	a->head_size = 0;
}

void xos_answer_free(struct xos_answer *a)
{
	if (!a)
		return;
	fields_free(a);
	xos_buf_free(&a->body);
	free(a);
}

int xos_answer_status(const struct xos_answer *a)
{
	return a->status;
}

const char *xos_answer_header(const struct xos_answer *a, const char *name)
{
	for (size_t i = 0; i < a->nfields; i++)
		if (strcasecmp(a->field[i].name, name) == 0)
			return a->field[i].value;
	return NULL;
}

struct xos_bytes xos_answer_body(const struct xos_answer *a)
{
	return xos_buf_bytes(&a->body);
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct xos_answer *a = ctx;
	xos_buf_put(&a->body, p, size * n);
	return xos_buf_status(&a->body) == XOS_OK ? size * n : 0;
}

/* One header line with its line end. A status line begins a new set: interim answers are dropped. */
static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct xos_answer *a = ctx;
	size_t len = size * n, end = len;
	if (len >= 5 && memcmp(p, "HTTP/", 5) == 0) {
		fields_free(a);
		return len;
	}
	const char *colon = memchr(p, ':', len);
	a->head_size += len;
	if (a->head_size > ANSWER_HEAD_MAX || a->nfields == ANSWER_FIELDS_MAX)
		return 0;
	if (!colon)
		return len;
	const char *value = colon + 1;
	while (end > 0 && strchr(" \t\r\n", p[end - 1]))
		end--;
	while (value < p + end && (*value == ' ' || *value == '\t'))
		value++;
	size_t value_len = value < p + end ? (size_t)(p + end - value) : 0;
	struct answer_field *f = &a->field[a->nfields];
	f->name = strndup(p, (size_t)(colon - p));
	f->value = strndup(value, value_len);
	a->nfields++;
	return f->name && f->value ? len : 0;
}

static CURLcode on_ssl_ctx(CURL *curl, void *ssl_ctx, void *ctx)
{
	struct xos_client *c = ctx;
	(void)curl;
	if (tls_ctx_setup(ssl_ctx, c->has_own ? &c->own : NULL, &c->setup_err) != XOS_OK)
		return CURLE_ABORTED_BY_CALLBACK;
	tls_ctx_judge_one(ssl_ctx, &c->peer);
	if (c->root) {
		STACK_OF(X509_NAME) *list = sk_X509_NAME_new_null();
		X509_NAME *name = X509_NAME_dup(c->root);
		if (!list || !name || sk_X509_NAME_push(list, name) <= 0) {
			X509_NAME_free(name);
			sk_X509_NAME_free(list);
			return CURLE_OUT_OF_MEMORY;
		}
		SSL_CTX_set0_CA_list(ssl_ctx, list);
	}
	return CURLE_OK;
}

/*
 * VERIFYPEER stays on with no CA file: were the context function ever skipped, nothing would be
 * trusted. The host name is the verifier's business.
 */
static int on_progress(
    void *ctx, curl_off_t to_come, curl_off_t came, curl_off_t to_go, curl_off_t gone)
{
	const struct xos_client *c = ctx;
	(void)to_come;
	(void)came;
	(void)to_go;
	(void)gone;
	return c->give_up(c->give_up_ctx) ? 1 : 0;
}

static bool curl_options(struct xos_client *c)
{
	CURL *h = c->curl;
	bool ok = true;
	ok &= curl_easy_setopt(h, CURLOPT_ERRORBUFFER, c->curl_text) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	if (c->give_up) {
		ok &= curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
		ok &= curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK;
		ok &= curl_easy_setopt(h, CURLOPT_XFERINFODATA, c) == CURLE_OK;
	}
	ok &= curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_PROXY, "") == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_SSL_ENABLE_ALPN, 0L) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_SSLVERSION,
	          (long)(CURL_SSLVERSION_TLSv1_3 | CURL_SSLVERSION_MAX_TLSv1_3)) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_CAINFO, NULL) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_CAPATH, NULL) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_SSL_CTX_FUNCTION, on_ssl_ctx) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_SSL_CTX_DATA, c) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_MAXCONNECTS, 1L) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_TCP_NODELAY, 1L) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)c->connect_ms) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK;
	return ok;
}

static bool base_ok(const char *base)
{
	if (!base || strncmp(base, "https://", 8) != 0 || strlen(base) > 300)
		return false;
	const char *host = base + 8;
	return *host && strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                             "0123456789.-:[]") == strlen(host);
}

static enum xos_status own_copy(
    struct xos_client *c, const struct xos_chain *own, struct xos_err *err)
{
	if (!own->key)
		return xos_err_set(
		    err, XOS_MALFORMED, "tls-own", "a client certificate needs its private key");
	for (size_t i = 0; i < own->n; i++)
		if (xos_chain_add(&c->own, own->cert[i]) != XOS_OK)
			return xos_err_set(err, XOS_LIMIT, "chain-length", "too long a chain");
	c->own.key = xos_key_ref(own->key);
	c->has_own = true;
	return XOS_OK;
}

enum xos_status xos_client_new(
    const struct xos_client_options *o, struct xos_client **out, struct xos_err *err)
{
	if (!base_ok(o->base))
		return xos_err_set(err, XOS_MALFORMED, "server-address",
		    "\"%s\" is no address of a server; write for example https://127.0.0.1:4443",
		    o->base ? o->base : "");
	if (!o->verifier || !o->verifier->verify)
		return xos_err_set(err, XOS_INTERNAL, "tls-verifier",
		    "a client without a verifier would believe any server");
	pthread_once(&curl_once, curl_setup);
	struct xos_client *c = calloc(1, sizeof(*c));
	if (!c)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	c->verifier = *o->verifier;
	c->peer.verifier = &c->verifier;
	c->body_max = o->body_max ? o->body_max : 4 * 1024 * 1024;
	c->connect_ms = o->connect_ms ? o->connect_ms : 5000;
	c->total_ms = o->total_ms ? o->total_ms : 30000;
	c->give_up = o->give_up;
	c->give_up_ctx = o->give_up_ctx;
	c->base = strdup(o->base);
	c->hint = o->hint ? strdup(o->hint) : NULL;
	enum xos_status st = o->own ? own_copy(c, o->own, err) : XOS_OK;
	if (st == XOS_OK && o->root) {
		c->root = X509_NAME_dup(X509_get_subject_name(xos_cert_ossl(o->root)));
		if (!c->root)
			st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	if (st == XOS_OK) {
		c->curl = curl_ready == CURLE_OK ? curl_easy_init() : NULL;
		if (!c->base || (o->hint && !c->hint) || !c->curl || !curl_options(c))
			st = xos_err_set(err, XOS_INTERNAL, "curl", "libcurl cannot be set up");
	}
	if (st != XOS_OK) {
		xos_client_free(c);
		return st;
	}
	*out = c;
	return XOS_OK;
}

void xos_client_free(struct xos_client *c)
{
	if (!c)
		return;
	if (c->curl)
		curl_easy_cleanup(c->curl);
	tls_peer_clear(&c->peer);
	xos_chain_clear(&c->own);
	X509_NAME_free(c->root);
	free(c->base);
	free(c->hint);
	free(c);
}

void *xos_client_identity(const struct xos_client *c)
{
	return c->peer.refused ? NULL : c->peer.identity;
}

void xos_path_encode(struct xos_buf *out, const char *segment)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	                            "0123456789-._~";
	for (const char *s = segment; *s; s++) {
		if (strchr(plain, *s))
			xos_buf_put(out, s, 1);
		else
			xos_buf_printf(out, "%%%02X", (unsigned char)*s);
	}
}

static bool header_add(struct curl_slist **list, const char *name, const char *value)
{
	char line[2048];
	if (strpbrk(name, "\r\n: ") || (value && strpbrk(value, "\r\n")))
		return false;
	/* curl: "Name:" removes a default, "Name;" sends an empty one. */
	bool fits = value
	                ? xos_str_printf(line, sizeof(line), *value ? "%s: %s" : "%s;", name, value)
	                : xos_str_printf(line, sizeof(line), "%s:", name);
	struct curl_slist *longer = fits ? curl_slist_append(*list, line) : NULL;
	if (longer)
		*list = longer;
	return longer != NULL;
}

static bool headers_make(const struct xos_client_request *req, struct curl_slist **list)
{
	bool ok = header_add(list, "Expect", NULL) &&
	          header_add(list, "Content-Type", req->content_type) &&
	          header_add(list, "Accept", "application/json, application/problem+json, */*");
	for (size_t i = 0; ok && i < req->nheaders; i++)
		ok = header_add(list, req->headers[i].name, req->headers[i].value);
	return ok;
}

static bool request_options(struct xos_client *c, const struct xos_client_request *req,
    const char *url, struct curl_slist *headers)
{
	CURL *h = c->curl;
	long total = (long)(req->total_ms ? req->total_ms : c->total_ms);
	bool head = strcmp(req->method, "HEAD") == 0;
	bool body =
	    req->body.n > 0 || strcmp(req->method, "POST") == 0 || strcmp(req->method, "PUT") == 0;
	bool ok = curl_easy_setopt(h, CURLOPT_URL, url) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, total) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers) == CURLE_OK;
	ok &= curl_easy_setopt(h, CURLOPT_NOBODY, head ? 1L : 0L) == CURLE_OK;
	if (body) {
		ok &= curl_easy_setopt(h, CURLOPT_POST, 1L) == CURLE_OK;
		ok &= curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body.n) ==
		      CURLE_OK;
		ok &= curl_easy_setopt(h, CURLOPT_POSTFIELDS,
		          req->body.n ? (const char *)req->body.p : "") == CURLE_OK;
	} else if (!head) {
		ok &= curl_easy_setopt(h, CURLOPT_HTTPGET, 1L) == CURLE_OK;
	}
	ok &= curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, head ? NULL : req->method) == CURLE_OK;
	return ok;
}

static enum xos_status unreachable(const struct xos_client *c, const char *why, struct xos_err *err)
{
	return xos_err_set(err, XOS_UNAVAILABLE, "unreachable", "cannot reach %s: %s%s%s", c->base,
	    why, c->hint ? "; " : "", c->hint ? c->hint : "");
}

/* TLS 1.3 clients learn at their first read that their certificate was refused. */
static bool is_refusal_alert(const char *text)
{
	return strstr(text, "alert") &&
	       (strstr(text, "certificate") || strstr(text, "unknown ca") ||
	           strstr(text, "access denied"));
}

static enum xos_status explain(
    struct xos_client *c, CURLcode rc, const struct xos_answer *a, struct xos_err *err)
{
	long os = 0;
	const char *text = c->curl_text[0] ? c->curl_text : curl_easy_strerror(rc);
	if (c->setup_err.status != XOS_OK) {
		if (err)
			*err = c->setup_err;
		return c->setup_err.status;
	}
	if (c->peer.refused) {
		if (err)
			*err = c->peer.err;
		return xos_err_prefix(
		    err, c->peer.err.status, "the server at %s is not believed", c->base);
	}
	if (rc == CURLE_WRITE_ERROR && xos_buf_status(&a->body) == XOS_LIMIT)
		return xos_err_set(err, XOS_LIMIT, "answer-too-long",
		    "%s answered with more than %zu bytes", c->base, c->body_max);
	if (is_refusal_alert(text))
		return xos_err_set(err, XOS_DENIED, "client-certificate-refused",
		    "%s refused our certificate: %s", c->base, text);
	if (rc == CURLE_ABORTED_BY_CALLBACK)
		return xos_err_set(
		    err, XOS_UNAVAILABLE, "given-up", "the question to %s was given up", c->base);
	if (rc == CURLE_OPERATION_TIMEDOUT)
		return unreachable(c, "no answer in time", err);
	curl_easy_getinfo(c->curl, CURLINFO_OS_ERRNO, &os);
	if (rc == CURLE_COULDNT_CONNECT && os != 0)
		return unreachable(c, strerror((int)os), err);
	return unreachable(c, text, err);
}

static void note_clock(struct xos_client *c, const struct xos_answer *a)
{
	const char *date = xos_answer_header(a, "Date");
	time_t at = date ? curl_getdate(date, NULL) : -1;
	if (at < 0)
		return;
	c->has_offset = true;
	c->offset = xos_clock_now() - (int64_t)at;
}

bool xos_client_clock_offset(const struct xos_client *c, int64_t *seconds)
{
	*seconds = c->offset;
	return c->has_offset;
}

static enum xos_status perform(struct xos_client *c, struct xos_answer *a, struct xos_err *err)
{
	long status = 0;
	c->curl_text[0] = '\0';
	c->setup_err = (struct xos_err)XOS_ERR_INIT;
	c->peer.refused = false;
	if (curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, a) != CURLE_OK ||
	    curl_easy_setopt(c->curl, CURLOPT_HEADERDATA, a) != CURLE_OK)
		return xos_err_set(err, XOS_INTERNAL, "curl", "libcurl refuses its options");
	CURLcode rc = curl_easy_perform(c->curl);
	if (rc != CURLE_OK)
		return explain(c, rc, a, err);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	a->status = (int)status;
	note_clock(c, a);
	return XOS_OK;
}

enum xos_status xos_client_call(struct xos_client *c, const struct xos_client_request *req,
    struct xos_answer **out, struct xos_err *err)
{
	char url[URL_MAX];
	struct curl_slist *headers = NULL;
	struct xos_answer *a = NULL;
	enum xos_status st = XOS_INTERNAL;
	if (req->path[0] != '/' || strpbrk(req->path, " \r\n\t#") ||
	    !xos_str_printf(url, sizeof(url), "%s%s", c->base, req->path))
		return xos_err_set(
		    err, XOS_MALFORMED, "request-path", "\"%s\" is no path to ask for", req->path);
	a = calloc(1, sizeof(*a));
	if (!a)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	xos_buf_init(&a->body, c->body_max);
	if (!headers_make(req, &headers) || !request_options(c, req, url, headers))
		st = xos_err_set(err, XOS_INTERNAL, "curl", "libcurl refuses the request");
	else
		st = perform(c, a, err);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(headers);
	if (st == XOS_OK) {
		*out = a;
		a = NULL;
	}
	xos_answer_free(a);
	return st;
}

enum xos_status xos_answer_check(
    const struct xos_client *c, const struct xos_answer *a, struct xos_err *err)
{
	if (a->status >= 200 && a->status < 300)
		return XOS_OK;
	return xos_problem_decode(a->status, xos_answer_body(a), c->base, err);
}

static enum xos_status json_answer(
    struct xos_client *c, const struct xos_answer *a, struct xos_json **out, struct xos_err *err)
{
	enum xos_status st = xos_answer_check(c, a, err);
	if (st != XOS_OK || !out)
		return st;
	*out = NULL;
	if (a->body.n == 0)
		return XOS_OK;
	st = xos_json_parse(xos_answer_body(a), c->body_max, out, err);
	return st == XOS_OK ? st : xos_err_prefix(err, st, "the answer of %s", c->base);
}

enum xos_status xos_client_json(struct xos_client *c, const char *method, const char *path,
    const struct xos_json *in, struct xos_json **out, struct xos_err *err)
{
	struct xos_buf body;
	struct xos_answer *a = NULL;
	struct xos_client_request req = {.method = method, .path = path};
	enum xos_status st = XOS_OK;
	xos_buf_init(&body, 16 * 1024 * 1024);
	if (in) {
		st = xos_json_dump(in, &body, err);
		req.content_type = "application/json";
		req.body = xos_buf_bytes(&body);
	}
	if (st == XOS_OK)
		st = xos_client_call(c, &req, &a, err);
	if (st == XOS_OK)
		st = json_answer(c, a, out, err);
	xos_answer_free(a);
	xos_buf_free(&body);
	return st;
}

static enum xos_status believe_anything(
    void *ctx, const struct xos_bytes *ders, size_t n, void **identity, struct xos_err *err)
{
	(void)ctx;
	(void)ders;
	(void)n;
	(void)identity;
	(void)err;
	return XOS_OK;
}

enum xos_status xos_client_fetch_unverified(
    const char *base, const char *path, size_t max, struct xos_buf *out, struct xos_err *err)
{
	const struct xos_verifier anything = {.verify = believe_anything};
	struct xos_client_options o = {.base = base,
	    .verifier = &anything,
	    .body_max = max,
	    .hint = "check the address; is the server running?"};
	struct xos_client_request req = {.method = "GET", .path = path};
	struct xos_client *c = NULL;
	struct xos_answer *a = NULL;
	enum xos_status st = xos_client_new(&o, &c, err);
	if (st == XOS_OK)
		st = xos_client_call(c, &req, &a, err);
	if (st == XOS_OK)
		st = xos_answer_check(c, a, err);
	if (st == XOS_OK) {
		xos_buf_put(out, a->body.p, a->body.n);
		st = xos_buf_status(out);
		if (st != XOS_OK)
			st = xos_err_set(err, st, "answer-too-long", "no room for the answer");
	}
	xos_answer_free(a);
	xos_client_free(c);
	return st;
}
