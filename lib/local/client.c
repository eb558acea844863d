#include "local/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "local/call.h"

#define DEFAULT_TIMEOUT_MS 10000
#define FIRST_MAX 8192 /* bytes taken at once with an answer's header: mostly the whole answer */

struct xos_local {
	struct sockaddr_un addr;
	int timeout_ms;
	bool other_user;
	uid_t user;
	int fd;
	pid_t
	    opened_by; /* a child that inherited the object must not talk on its parent's stream */
	uint32_t number;
};

static void reply_clear(struct reply *r)
{
	xos_secret_free(r->secret);
	free(r->plain);
	*r = (struct reply){.secret = NULL};
}

enum xos_status xos_local_new(
    const struct xos_local_options *opt, struct xos_local **out, struct xos_err *err)
{
	*out = NULL;
	struct xos_local *l = calloc(1, sizeof(*l));
	if (!l)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	l->addr.sun_family = AF_UNIX;
	l->fd = -1;
	l->timeout_ms = opt->timeout_ms > 0 ? opt->timeout_ms : DEFAULT_TIMEOUT_MS;
	l->other_user = opt->other_user;
	l->user = opt->user;
	size_t n = opt->path ? strlen(opt->path) : 0;
	if (!n || n >= sizeof(l->addr.sun_path)) {
		free(l);
		return xos_err_set(err, XOS_MALFORMED, "socket-path",
		    "\"%.100s\" cannot be a socket's path: it needs 1 to %zu bytes; choose a "
		    "shorter one",
		    opt->path ? opt->path : "", sizeof(l->addr.sun_path) - 1);
	}
	memcpy(l->addr.sun_path, opt->path, n + 1);
	*out = l;
	return XOS_OK;
}

static void disconnect(struct xos_local *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}

void xos_local_free(struct xos_local *l)
{
	if (!l)
		return;
	disconnect(l);
	free(l);
}

static enum xos_status timed_out(const struct xos_local *l, struct xos_err *err)
{
	return xos_err_set(err, XOS_UNAVAILABLE, "credd-timeout",
	    "xos-credd at %s did not answer within %d ms: see `xos-node status`", l->addr.sun_path,
	    l->timeout_ms);
}

static enum xos_status unreachable(const struct xos_local *l, int errnum, struct xos_err *err)
{
	enum xos_status st = xos_err_errno(err, errnum, "credd-unreachable",
	    "cannot talk to xos-credd at %s (is it running? see `xos-node status`)",
	    l->addr.sun_path);
	/* Whatever stands in the way, the caller learns "not reached", never "no such thing". */
	if (err)
		err->status = XOS_UNAVAILABLE;
	(void)st;
	return XOS_UNAVAILABLE;
}

/* Another user's socket in the same place would give verdicts of its own. */
static enum xos_status check_server(const struct xos_local *l, int fd, struct xos_err *err)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) || n != sizeof(peer))
		return unreachable(l, errno, err);
	if (peer.uid == 0 || peer.uid == geteuid() || (l->other_user && peer.uid == l->user))
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "credd-user",
	    "%s belongs to a program of uid %u, which is not xos-credd's user here: do not trust "
	    "it",
	    l->addr.sun_path, (unsigned)peer.uid);
}

static enum xos_status open_socket(struct xos_local *l, int64_t deadline, struct xos_err *err)
{
	int64_t left = deadline - xos_clock_mono_ms();
	if (left <= 0)
		return timed_out(l, err);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return unreachable(l, errno, err);
	/* connect() waits for a place in the listener's queue, no longer than this. */
	struct timeval tv = {.tv_sec = left / 1000, .tv_usec = (left % 1000) * 1000};
	enum xos_status st = XOS_OK;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)))
		st = unreachable(l, errno, err);
	else if (connect(fd, (const struct sockaddr *)&l->addr, sizeof(l->addr)))
		st = errno == EAGAIN ? timed_out(l, err) : unreachable(l, errno, err);
	else
		st = check_server(l, fd, err);
	if (st) {
		close(fd);
		return st;
	}
	l->fd = fd;
	l->opened_by = getpid();
	return XOS_OK;
}

static enum xos_status wait_for(
    const struct xos_local *l, short events, int64_t deadline, struct xos_err *err)
{
	for (;;) {
		int64_t left = deadline - xos_clock_mono_ms();
		if (left <= 0)
			return timed_out(l, err);
		struct pollfd p = {.fd = l->fd, .events = events};
		int n = poll(&p, 1, left > 60000 ? 60000 : (int)left);
		if (n > 0)
			return XOS_OK;
		if (n < 0 && errno != EINTR)
			return unreachable(l, errno, err);
	}
}

static enum xos_status send_all(
    const struct xos_local *l, struct xos_bytes in, int64_t deadline, struct xos_err *err)
{
	while (in.n) {
		ssize_t n = send(l->fd, in.p, in.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			in.p += n;
			in.n -= (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
			return unreachable(l, errno, err);
		enum xos_status st = wait_for(l, POLLOUT, deadline, err);
		if (st)
			return st;
	}
	return XOS_OK;
}

/* *got tells how much came, also on failure. */
static enum xos_status recv_all(const struct xos_local *l, uint8_t *out, size_t want, size_t *got,
    int64_t deadline, struct xos_err *err)
{
	*got = 0;
	while (*got < want) {
		ssize_t n = recv(l->fd, out + *got, want - *got, MSG_DONTWAIT);
		if (n > 0) {
			*got += (size_t)n;
			continue;
		}
		if (n == 0)
			return unreachable(l, ECONNRESET, err);
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			return unreachable(l, errno, err);
		enum xos_status st = wait_for(l, POLLIN, deadline, err);
		if (st)
			return st;
	}
	return XOS_OK;
}

/* The header, and of a body that is no secret what came with it. */
struct first {
	uint8_t bytes[FIRST_MAX];
	size_t n;
};

/* Waits before it reads: that credd took the request would wake a blocking read for nothing, and poll() it does not. */
static enum xos_status recv_first(
    const struct xos_local *l, size_t cap, struct first *f, int64_t deadline, struct xos_err *err)
{
	size_t more = 0;
	ssize_t n = -1;
	enum xos_status st = wait_for(l, POLLIN, deadline, err);
	if (st)
		return st;
	n = recv(l->fd, f->bytes, cap, MSG_DONTWAIT);
	if (n == 0)
		return unreachable(l, ECONNRESET, err);
	f->n = n > 0 ? (size_t)n : 0;
	if (f->n < XOS_LOCAL_HEADER)
		st = recv_all(l, f->bytes + f->n, XOS_LOCAL_HEADER - f->n, &more, deadline, err);
	f->n += more;
	return st;
}

static enum xos_status read_body(struct xos_local *l, const struct xos_local_header *h,
    struct xos_bytes came, struct reply *out, int64_t deadline, struct xos_err *err)
{
	uint8_t *p = NULL;
	size_t got;
	if (came.n > h->length)
		return xos_err_set(err, XOS_MALFORMED, "credd-protocol",
		    "xos-credd at %s said more than its answer is long", l->addr.sun_path);
	if (xos_local_op_secret(h->op)) {
		out->secret = xos_secret_new(h->length ? h->length : 1);
		p = out->secret ? xos_secret_data(out->secret) : NULL;
	} else {
		p = out->plain = malloc(h->length ? h->length : 1);
	}
	if (!p)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (came.n)
		memcpy(p, came.p, came.n);
	enum xos_status st = recv_all(l, p + came.n, h->length - came.n, &got, deadline, err);
	if (st)
		return st;
	return xos_local_answer_decode(h->op, (struct xos_bytes){p, h->length}, &out->answer, err);
}

/* One exchange on the open connection. *silent: nothing of an answer came. */
static enum xos_status exchange(struct xos_local *l, enum xos_local_op op, struct xos_bytes frame,
    struct reply *out, int64_t deadline, bool *silent, struct xos_err *err)
{
	struct first f;
	struct xos_local_header h;
	*silent = true;
	f.n = 0;
	enum xos_status st = send_all(l, frame, deadline, err);
	if (!st)
		st = recv_first(l, xos_local_op_secret(op) ? XOS_LOCAL_HEADER : sizeof(f.bytes), &f,
		    deadline, err);
	*silent = f.n == 0;
	if (st)
		return st;
	st = xos_local_header_read(f.bytes, &h, err);
	if (st)
		return st;
	/* Number 0: credd could not make sense of our frame and says why before it hangs up. */
	bool complaint = h.number == 0 && h.op == XOS_LOCAL_STATUS;
	if (h.kind != XOS_LOCAL_ANSWER || (!complaint && (h.op != op || h.number != l->number)))
		return xos_err_set(err, XOS_MALFORMED, "credd-protocol",
		    "xos-credd at %s answered another question", l->addr.sun_path);
	st =
	    read_body(l, &h, (struct xos_bytes){f.bytes + XOS_LOCAL_HEADER, f.n - XOS_LOCAL_HEADER},
	        out, deadline, err);
	if (!st && complaint && !out->answer.status)
		st = xos_err_set(err, XOS_MALFORMED, "credd-protocol",
		    "xos-credd at %s answered another question", l->addr.sun_path);
	return st;
}

static enum xos_status make_frame(struct xos_local *l, const struct xos_local_request *req,
    struct xos_buf *frame, struct xos_err *err)
{
	struct xos_buf body;
	uint8_t head[XOS_LOCAL_HEADER];
	xos_buf_init(&body, XOS_LOCAL_BODY_MAX);
	enum xos_status st = xos_local_request_encode(req, &body, err);
	if (st)
		goto out;
	if (++l->number == 0) /* credd's for a frame that it cannot read */
		l->number = 1;
	struct xos_local_header h = {
	    .kind = XOS_LOCAL_REQUEST,
	    .op = req->op,
	    .number = l->number,
	    .length = (uint32_t)body.n,
	};
	xos_local_header_write(head, &h);
	xos_buf_put(frame, head, sizeof(head));
	xos_buf_put(frame, body.p, body.n);
	st = xos_buf_status(frame);
	if (st)
		(void)xos_err_set(err, st, "memory", "out of memory");
out:
	xos_buf_free(&body);
	return st;
}

static enum xos_status converse(struct xos_local *l, enum xos_local_op op, struct xos_bytes frame,
    struct reply *out, struct xos_err *err)
{
	int64_t deadline = xos_clock_mono_ms() + l->timeout_ms;
	bool reused = l->fd >= 0 && l->opened_by == getpid();
	if (!reused)
		disconnect(l);
	for (;;) {
		enum xos_status st = l->fd >= 0 ? XOS_OK : open_socket(l, deadline, err);
		if (st)
			return st;
		bool silent;
		st = exchange(l, op, frame, out, deadline, &silent, err);
		if (!st)
			return XOS_OK;
		disconnect(l); /* the stream's position is no longer known */
		reply_clear(out);
		if (!reused || !silent || xos_clock_mono_ms() >= deadline)
			return st;
		reused = false;
	}
}

static enum xos_status call(struct xos_local *l, const struct xos_local_request *req,
    struct reply *out, struct xos_err *err)
{
	struct xos_buf frame;
	xos_buf_init(&frame, XOS_LOCAL_HEADER + XOS_LOCAL_BODY_MAX);
	*out = (struct reply){.secret = NULL};
	enum xos_status st = make_frame(l, req, &frame, err);
	if (!st)
		st = converse(l, req->op, xos_buf_bytes(&frame), out, err);
	xos_buf_free(&frame);
	if (st)
		return st;
	if (out->answer.status) {
		st = xos_err_set(err, out->answer.status, "", "%s", out->answer.error);
		if (err && !xos_str_copy(err->code, sizeof(err->code), out->answer.code))
			err->code[0] = '\0';
		reply_clear(out);
	}
	return st;
}

static enum xos_status request_init(struct xos_local_request *req, enum xos_local_op op,
    const char *job, const struct xos_bytes *chain, size_t nchain, struct xos_err *err)
{
	*req = (struct xos_local_request){.op = op};
	if (job && !xos_str_copy(req->job, sizeof(req->job), job))
		return xos_err_set(err, XOS_MALFORMED, "job",
		    "a job identifier of over %d characters", XOS_LOCAL_JOB_MAX);
	if (nchain > XOS_LOCAL_CHAIN_MAX)
		return xos_err_set(err, XOS_LIMIT, "chain",
		    "a chain of %zu certificates; at most %d are taken", nchain,
		    XOS_LOCAL_CHAIN_MAX);
	for (size_t i = 0; i < nchain; i++)
		req->chain[i] = chain[i];
	req->nchain = nchain;
	return XOS_OK;
}

void local_reply_clear(struct reply *r)
{
	reply_clear(r);
}

enum xos_status local_call(struct xos_local *l, const struct xos_local_request *req,
    struct reply *out, struct xos_err *err)
{
	return call(l, req, out, err);
}

enum xos_status local_request(struct xos_local_request *req, enum xos_local_op op, const char *id,
    const struct xos_bytes *chain, size_t nchain, struct xos_err *err)
{
	return request_init(req, op, id, chain, nchain, err);
}

static enum xos_status copy_text(struct xos_bytes in, char **out, struct xos_err *err)
{
	*out = malloc(in.n + 1);
	if (!*out)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (in.n)
		memcpy(*out, in.p, in.n);
	(*out)[in.n] = '\0';
	return XOS_OK;
}

enum xos_status xos_local_status(struct xos_local *l, char **json, struct xos_err *err)
{
	struct xos_local_request req = {.op = XOS_LOCAL_STATUS};
	struct reply r;
	enum xos_status st = call(l, &req, &r, err);
	if (!st)
		st = copy_text(r.answer.text, json, err);
	reply_clear(&r);
	return st;
}

enum xos_status xos_local_authorise(struct xos_local *l, const struct xos_bytes *chain,
    size_t nchain, const char *request_json, struct xos_local_verdict *out, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	enum xos_status st = request_init(&req, XOS_LOCAL_AUTHORISE, NULL, chain, nchain, err);
	if (st)
		return st;
	req.text = xos_bytes_str(request_json);
	st = call(l, &req, &r, err);
	if (st)
		return st;
	struct xos_local_verdict v = {
	    .decision = r.answer.decision,
	    .account = r.answer.account,
	    .not_after = r.answer.not_after,
	};
	memcpy(v.subject, r.answer.subject, sizeof(v.subject));
	st = copy_text(r.answer.text, &v.json, err);
	if (!st)
		*out = v;
	reply_clear(&r);
	return st;
}

void xos_local_verdict_free(struct xos_local_verdict *v)
{
	if (!v)
		return;
	free(v->json);
	*v = (struct xos_local_verdict){.decision = XOS_LOCAL_DENY};
}

enum xos_status xos_local_job_prepare(struct xos_local *l, const char *job,
    const struct xos_bytes *chain, size_t nchain, uint8_t **csr, size_t *ncsr, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	char *copy = NULL;
	enum xos_status st = request_init(&req, XOS_LOCAL_JOB_PREPARE, job, chain, nchain, err);
	if (!st)
		st = call(l, &req, &r, err);
	if (!st)
		st = copy_text(r.answer.text, &copy, err);
	if (!st) {
		*csr = (uint8_t *)copy;
		*ncsr = r.answer.text.n;
	}
	reply_clear(&r);
	return st;
}

enum xos_status xos_local_preview(struct xos_local *l, const struct xos_bytes *chain, size_t nchain,
    struct xos_bytes question, char **json, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	enum xos_status st = request_init(&req, XOS_LOCAL_PREVIEW, NULL, chain, nchain, err);
	req.text = question;
	if (!st)
		st = call(l, &req, &r, err);
	if (!st)
		st = copy_text(r.answer.text, json, err);
	reply_clear(&r);
	return st;
}

enum xos_status xos_local_abilities(struct xos_local *l, struct xos_bytes json, struct xos_err *err)
{
	struct xos_local_request req = {.op = XOS_LOCAL_ABILITIES, .text = json};
	struct reply r = {.secret = NULL};
	enum xos_status st = call(l, &req, &r, err);
	reply_clear(&r);
	return st;
}

enum xos_status xos_local_job_accept(struct xos_local *l, const char *job,
    const struct xos_bytes *chain, size_t nchain, struct xos_local_job *out, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	enum xos_status st = request_init(&req, XOS_LOCAL_JOB_ACCEPT, job, chain, nchain, err);
	if (!st)
		st = call(l, &req, &r, err);
	if (!st) {
		*out = (struct xos_local_job){
		    .account = r.answer.account,
		    .not_after = r.answer.not_after,
		};
		memcpy(out->subject, r.answer.subject, sizeof(out->subject));
	}
	reply_clear(&r);
	return st;
}

static enum xos_status credential(struct xos_local *l, enum xos_local_op op, const char *job,
    struct xos_secret **pem, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	enum xos_status st = request_init(&req, op, job, NULL, 0, err);
	if (!st)
		st = call(l, &req, &r, err);
	if (!st) {
		struct xos_secret *s = xos_secret_from(r.answer.text.p, r.answer.text.n);
		if (s)
			*pem = s;
		else
			st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	reply_clear(&r);
	return st;
}

enum xos_status xos_local_job_credential(
    struct xos_local *l, const char *job, struct xos_secret **pem, struct xos_err *err)
{
	return credential(l, XOS_LOCAL_JOB_CREDENTIAL, job, pem, err);
}

enum xos_status xos_local_credential(
    struct xos_local *l, const char *job, struct xos_secret **pem, struct xos_err *err)
{
	return credential(l, XOS_LOCAL_CREDENTIAL, job, pem, err);
}

enum xos_status xos_local_job_release(struct xos_local *l, const char *job, struct xos_err *err)
{
	struct xos_local_request req;
	struct reply r = {.secret = NULL};
	enum xos_status st = request_init(&req, XOS_LOCAL_JOB_RELEASE, job, NULL, 0, err);
	if (!st)
		st = call(l, &req, &r, err);
	reply_clear(&r);
	return st;
}

enum xos_status xos_local_list(
    struct xos_local *l, struct xos_local_entry **entries, size_t *n, struct xos_err *err)
{
	struct xos_local_request req = {.op = XOS_LOCAL_LIST};
	struct xos_local_entry *list = NULL;
	struct reply r = {.secret = NULL};
	size_t count = 0;
	enum xos_status st = call(l, &req, &r, err);
	if (st)
		return st;
	size_t room = r.answer.nentries;
	list = calloc(room ? room : 1, sizeof(*list));
	if (!list) {
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		goto out;
	}
	while (count < room && xos_local_entry_next(&r.answer, &list[count]))
		count++;
	*entries = list;
	*n = count;
out:
	reply_clear(&r);
	return st;
}
