#include "acct/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/chainjson.h"
#include "api/loghead.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"

#define SKEW 300
#define HEAD_MAX 4096
#define SEEN_MAX 4096

/* What is needed before the first record: who signs, what the newest head is, where bytes come from. */
struct work {
	struct xos_cli_vo *vo;
	struct xos_cli_client *client; /* NULL with a file */
	struct xos_chain chain;        /* of the signing key */
	struct xos_buf head;           /* encoded */
	struct xos_log_source source;
	int fd;
	uint64_t offset;
	struct xos_err read_err;
	/* the head that was seen before; sequence 0: none */
	struct xos_log_head before;
	bool before_found;
};

static ssize_t read_file(void *ctx, void *p, size_t n)
{
	struct work *w = ctx;
	ssize_t got;

	do
		got = read(w->fd, p, n);
	while (got < 0 && errno == EINTR);
	return got;
}

/* The next bytes of the server's file, always asked for anew. */
static ssize_t read_server(void *ctx, void *p, size_t n)
{
	struct work *w = ctx;
	struct xos_client_request req = {.method = "GET"};
	struct xos_answer *answer = NULL;
	char path[128];
	ssize_t got = -1;

	xos_str_printf(path, sizeof(path), "/v1/vo/%s/log?from=%llu", w->vo->name,
	    (unsigned long long)w->offset);
	req.path = path;
	if (xos_client_call(xos_cli_client(w->client), &req, &answer, &w->read_err) == XOS_OK &&
	    xos_answer_check(xos_cli_client(w->client), answer, &w->read_err) == XOS_OK) {
		struct xos_bytes body = xos_answer_body(answer);

		got = (ssize_t)(body.n < n ? body.n : n);
		memcpy(p, body.p ? body.p : (const uint8_t *)"", (size_t)got);
		w->offset += (uint64_t)got;
	}
	xos_answer_free(answer);
	return got;
}

static enum xos_status open_server(struct xos_cli *cli, struct work *w, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	int64_t until = 0;
	char path[64];
	enum xos_status st = xos_cli_client_new(w->vo, "accounting", NULL, true, &w->client, err);

	xos_str_printf(path, sizeof(path), "/v1/vo/%s/log/head", w->vo->name);
	/* The head before the log: the log is then at least as long. */
	if (st == XOS_OK) {
		do {
			*err = (struct xos_err)XOS_ERR_INIT;
			st = xos_client_json(
			    xos_cli_client(w->client), "GET", path, NULL, &doc, err);
		} while (st != XOS_OK && xos_cli_patient(cli, &until, err));
	}
	if (st == XOS_OK && !doc)
		st = xos_err_set(err, XOS_UNAVAILABLE, "log-head", "the server answered nothing");
	if (st == XOS_OK)
		st = xos_json_get_bytes(doc, "head", HEAD_MAX, &w->head, err);
	if (st == XOS_OK)
		st = xos_chain_from_json(doc, "chain", &w->chain, err);
	xos_json_free(doc);
	w->source = (struct xos_log_source){w, read_server};
	return st;
}

static enum xos_status open_files(struct work *w, const struct acct_verify *v, struct xos_err *err)
{
	struct xos_loghead none = {.key = NULL};
	struct xos_log_crypto unchecked = xos_loghead_crypto(&none);
	enum xos_status st;

	if (!v->certificate)
		return xos_cli_usage(err, "--log needs --certificate: the accounting certificate, "
		                          "as in accounting.pem of "
		                          "the server");
	st = xos_chain_load(v->certificate, &w->chain, err);
	unchecked.verify_head = NULL; /* checked with the rest */
	if (st == XOS_OK && v->head)
		st = xos_file_read(v->head, HEAD_MAX, &w->head, err);
	else if (st == XOS_OK)
		st = xos_log_head_read(v->log, &unchecked, &w->head, NULL, err);
	if (st != XOS_OK)
		return st;
	w->fd = open(v->log, O_RDONLY | O_CLOEXEC);
	if (w->fd < 0)
		return xos_err_errno(err, errno, "log-open", "cannot open %s", v->log);
	w->source = (struct xos_log_source){w, read_file};
	return XOS_OK;
}

/* Is it the accounting key of this VO? A key of another kind signs no heads. */
static enum xos_status check_signer(const struct work *w, struct xos_err *err)
{
	struct xos_verify_opts opts = {.now = xos_clock_now(),
	    .skew = SKEW,
	    .kinds = XOS_KIND_BIT(XOS_KIND_ACCOUNTING),
	    .vo = w->vo->name};
	struct xos_identity *who = NULL;
	enum xos_status st = xos_token_verify_chain(w->vo->trust, &w->chain, &opts, &who, err);

	xos_identity_free(who);
	return st == XOS_OK ? st : xos_err_prefix(err, st, "the accounting certificate");
}

static enum xos_status seen_path(const struct work *w, char path[PATH_MAX], struct xos_err *err)
{
	if (xos_path_join(path, PATH_MAX, w->vo->dir, "accounting.seen"))
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "path", "%s: path too long", w->vo->dir);
}

/* The newest head that this machine has verified, as it was signed. */
static enum xos_status load_seen(struct work *w, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_bytes signature;
	struct xos_buf b;
	enum xos_status st = seen_path(w, path, err);

	xos_buf_init(&b, SEEN_MAX);
	if (st == XOS_OK)
		st = xos_file_read(path, SEEN_MAX, &b, err);
	if (st == XOS_NOT_FOUND) {
		st = XOS_OK;
	} else if (st == XOS_OK) {
		st = xos_log_head_decode(xos_buf_bytes(&b), &w->before, &signature, err);
		if (st != XOS_OK)
			xos_err_prefix(err, st,
			    "%s, where the last verified head is kept, is damaged; remove it to "
			    "begin "
			    "anew",
			    path);
	}
	xos_buf_free(&b);
	return st;
}

static enum xos_status save_seen(const struct work *w, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = seen_path(w, path, err);

	return st == XOS_OK ? xos_file_write(path, 0600, xos_buf_bytes(&w->head), err) : st;
}

static enum xos_status compare(void *ctx, const struct xos_log_record *r, struct xos_err *err)
{
	struct work *w = ctx;

	if (r->sequence != w->before.sequence)
		return XOS_OK;
	w->before_found = true;
	if (memcmp(r->hash, w->before.hash, XOS_LOG_HASH) == 0)
		return XOS_OK;
	return xos_err_set(err, XOS_MALFORMED, "log-rewritten",
	    "record %llu or one before it is not what this machine verified earlier: the log was "
	    "written anew",
	    (unsigned long long)r->sequence);
}

static enum xos_status check_log(struct work *w, struct acct_verified *out, struct xos_err *err)
{
	struct xos_loghead signer = {.key = xos_cert_key(w->chain.cert[0])};
	const struct xos_log_crypto crypto = xos_loghead_crypto(&signer);
	struct xos_log_report report;
	struct xos_bytes signature;
	struct xos_log_head head;
	char seen[XOS_TIME_TEXT];
	enum xos_status st = xos_log_head_decode(xos_buf_bytes(&w->head), &head, &signature, err);

	xos_time_format(w->before.time, seen);
	if (st == XOS_OK) /* a key that was rolled over signs no newer heads */
		st = xos_trust_judge(w->vo->trust, w->vo->name,
		    xos_cert_fingerprint(w->chain.cert[0]), xos_cert_subject_text(w->chain.cert[0]),
		    head.time, err);
	if (st == XOS_OK && head.sequence < w->before.sequence)
		return xos_err_set(err, XOS_MALFORMED, "log-went-back",
		    "records %llu to %llu are missing: the signed head says %llu, and this machine "
		    "verified %llu at %s",
		    (unsigned long long)head.sequence + 1, (unsigned long long)w->before.sequence,
		    (unsigned long long)head.sequence, (unsigned long long)w->before.sequence,
		    seen);
	if (st == XOS_OK && w->before.has_root && !head.has_root)
		return xos_err_set(err, XOS_MALFORMED, "log-went-back",
		    "the signed head has no root of the tree, but the one that this machine "
		    "verified at %s has",
		    seen);
	if (st == XOS_OK)
		st = xos_log_verify(
		    &w->source, xos_buf_bytes(&w->head), &crypto, compare, w, &report, err);
	/* What kept us from reading is more use than that reading failed. */
	if (st == XOS_UNAVAILABLE && w->read_err.status != XOS_OK) {
		*err = w->read_err;
		st = w->read_err.status;
	}
	if (st == XOS_OK && w->before.sequence && !w->before_found)
		st = xos_err_set(err, XOS_MALFORMED, "log-went-back",
		    "record %llu, which this machine verified at %s, is missing",
		    (unsigned long long)w->before.sequence, seen);
	if (st != XOS_OK)
		return st;
	memcpy(out->name, report.name, sizeof(out->name));
	out->records = report.records;
	out->time = head.time;
	out->seen = w->before.sequence;
	out->seen_time = w->before.time;
	return XOS_OK;
}

enum xos_status acct_verify(struct xos_cli *cli, const struct acct_verify *v,
    struct acct_verified *out, struct xos_err *err)
{
	struct work w = {.fd = -1};
	enum xos_status st;

	*out = (struct acct_verified){.records = 0};
	xos_buf_init(&w.head, HEAD_MAX);
	st = xos_cli_vo_load(cli, &w.vo, err);
	if (st == XOS_OK)
		st = load_seen(&w, err);
	if (st == XOS_OK)
		st = v->log ? open_files(&w, v, err) : open_server(cli, &w, err);
	if (st == XOS_OK)
		st = check_signer(&w, err);
	if (st == XOS_OK)
		st = check_log(&w, out, err);
	if (st == XOS_OK)
		st = save_seen(&w, err);
	if (w.fd >= 0)
		close(w.fd);
	xos_cli_client_free(w.client);
	xos_chain_clear(&w.chain);
	xos_buf_free(&w.head);
	xos_cli_vo_free(w.vo);
	return st;
}
