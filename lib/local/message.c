#include "local/message.h"

#include <string.h>

/* What each operation carries, in the order in which it stands on the wire. */
enum {
	REQ_JOB = 1,      /* required */
	REQ_JOB_HINT = 2, /* may be empty */
	REQ_CHAIN = 4,
	REQ_TEXT = 8,
	ANS_DECISION = 16,
	ANS_TEXT = 32,
	ANS_SUBJECT = 64,
	ANS_ACCOUNT = 128,
	ANS_UNTIL = 256,
	ANS_LIST = 512,
	SECRET = 1024,
	REQ_LONG_TEXT = 2048, /* with REQ_TEXT */
	REQ_FLAGS = 1 << 20,
	REQ_DIGEST = 1 << 21,
	REQ_STEP = 1 << 22,
	ANS_ID = 1 << 23,
	ANS_CHAIN = 1 << 24
};

static const unsigned shapes[] = {
    [XOS_LOCAL_STATUS] = ANS_TEXT,
    [XOS_LOCAL_AUTHORISE] =
        REQ_CHAIN | REQ_TEXT | ANS_DECISION | ANS_TEXT | ANS_SUBJECT | ANS_ACCOUNT | ANS_UNTIL,
    [XOS_LOCAL_JOB_PREPARE] = REQ_JOB | REQ_CHAIN | ANS_TEXT,
    [XOS_LOCAL_JOB_ACCEPT] = REQ_JOB | REQ_CHAIN | ANS_SUBJECT | ANS_ACCOUNT | ANS_UNTIL,
    [XOS_LOCAL_JOB_CREDENTIAL] = REQ_JOB | ANS_TEXT | SECRET,
    [XOS_LOCAL_JOB_RELEASE] = REQ_JOB,
    [XOS_LOCAL_CREDENTIAL] = REQ_JOB_HINT | ANS_TEXT | SECRET,
    [XOS_LOCAL_LIST] = ANS_LIST,
    [XOS_LOCAL_PREVIEW] = REQ_CHAIN | REQ_TEXT | REQ_LONG_TEXT | ANS_TEXT,
    [XOS_LOCAL_ABILITIES] = REQ_TEXT,
    [XOS_LOCAL_STANDING] = REQ_TEXT | ANS_TEXT,
    [XOS_LOCAL_RENEWALS] = REQ_TEXT | ANS_TEXT,
    [XOS_LOCAL_JOB_GRANT] = REQ_JOB | REQ_CHAIN | REQ_TEXT | ANS_UNTIL,
    [XOS_LOCAL_CRED_CREATE] = REQ_FLAGS | ANS_ID | ANS_TEXT,
    [XOS_LOCAL_CRED_PUT] = REQ_JOB | REQ_CHAIN | ANS_SUBJECT | ANS_UNTIL,
    [XOS_LOCAL_CRED_SIGN] = REQ_JOB_HINT | REQ_DIGEST | ANS_ID | ANS_TEXT,
    [XOS_LOCAL_CRED_LIST] = REQ_FLAGS | ANS_TEXT,
    [XOS_LOCAL_CRED_GET] = REQ_JOB_HINT | ANS_ID | ANS_TEXT | SECRET,
    [XOS_LOCAL_CRED_DESTROY] = REQ_JOB,
    [XOS_LOCAL_CRED_CHAIN] = REQ_JOB_HINT | ANS_ID | ANS_UNTIL | ANS_CHAIN,
    [XOS_LOCAL_DELEGATE] = REQ_JOB_HINT | REQ_STEP | ANS_ID | ANS_UNTIL | ANS_CHAIN,
    [XOS_LOCAL_CRED_RENEW] = REQ_JOB_HINT | ANS_ID | ANS_UNTIL,
    [XOS_LOCAL_WHOIS] = REQ_TEXT | ANS_TEXT,
    [XOS_LOCAL_ACCOUNTS] = ANS_TEXT,
    [XOS_LOCAL_LEASE] = REQ_JOB | ANS_TEXT | ANS_SUBJECT | ANS_ACCOUNT,
    [XOS_LOCAL_LEASE_END] = REQ_JOB | REQ_TEXT,
    [XOS_LOCAL_LEASES] = REQ_TEXT | ANS_TEXT,
};

/* Which flags an operation knows. */
static unsigned known_flags(enum xos_local_op op)
{
	return op == XOS_LOCAL_CRED_CREATE ? XOS_LOCAL_EXPORT | XOS_LOCAL_SESSION : XOS_LOCAL_ALL;
}

/* SHA-256, SHA-384 or SHA-512: the length says which. */
static bool digest_length(size_t n)
{
	return n == 32 || n == 48 || n == 64;
}

static bool op_known(unsigned op)
{
	return op < sizeof(shapes) / sizeof(shapes[0]) && shapes[op];
}

static unsigned op_shape(enum xos_local_op op)
{
	return op_known(op) ? shapes[op] : 0;
}

static bool alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static size_t text_max(unsigned shape)
{
	return shape & REQ_LONG_TEXT ? XOS_LOCAL_PREVIEW_MAX : XOS_LOCAL_TEXT_MAX;
}

bool xos_local_job_valid(const char *job)
{
	if (!job || !alnum(job[0]))
		return false;
	size_t n = 1;
	for (; job[n]; n++) {
		if (n == XOS_LOCAL_JOB_MAX)
			return false;
		if (!alnum(job[n]) && !strchr("._-", job[n]))
			return false;
	}
	return true;
}

bool xos_local_op_secret(enum xos_local_op op)
{
	return op_shape(op) & SECRET;
}

static void put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

void xos_local_header_write(uint8_t out[XOS_LOCAL_HEADER], const struct xos_local_header *h)
{
	memset(out, 0, XOS_LOCAL_HEADER);
	out[0] = 'X';
	out[1] = 'L';
	out[2] = XOS_LOCAL_VERSION;
	out[3] = (uint8_t)h->kind;
	out[5] = (uint8_t)h->op;
	put_u32(out + 8, h->number);
	put_u32(out + 12, h->length);
}

enum xos_status xos_local_header_read(
    const uint8_t in[XOS_LOCAL_HEADER], struct xos_local_header *out, struct xos_err *err)
{
	struct xos_reader r;
	uint8_t x, l, version, kind;
	uint16_t op, zero;
	uint32_t number, length;
	xos_reader_init(&r, (struct xos_bytes){in, XOS_LOCAL_HEADER});
	if (!xos_reader_u8(&r, &x) || !xos_reader_u8(&r, &l) || !xos_reader_u8(&r, &version) ||
	    !xos_reader_u8(&r, &kind) || !xos_reader_u16(&r, &op) || !xos_reader_u16(&r, &zero) ||
	    !xos_reader_u32(&r, &number) || !xos_reader_u32(&r, &length) || xos_reader_end(&r))
		return xos_err_set(err, XOS_INTERNAL, "header-size",
		    "the frame header is not %d bytes", XOS_LOCAL_HEADER);
	if (x != 'X' || l != 'L')
		return xos_err_set(err, XOS_MALFORMED, "not-credd",
		    "what came is not a message of credd's protocol");
	if (version != XOS_LOCAL_VERSION)
		return xos_err_set(err, XOS_MALFORMED, "version",
		    "the peer speaks version %u of credd's protocol, this program version %d: "
		    "install the "
		    "same release of both",
		    version, XOS_LOCAL_VERSION);
	if ((kind != XOS_LOCAL_REQUEST && kind != XOS_LOCAL_ANSWER) || zero || !op_known(op))
		return xos_err_set(err, XOS_MALFORMED, "header",
		    "a message of unknown kind %u or operation %u", kind, op);
	if (length > XOS_LOCAL_BODY_MAX)
		return xos_err_set(err, XOS_LIMIT, "too-long",
		    "a message of %u bytes; at most %d are taken", length, XOS_LOCAL_BODY_MAX);
	*out = (struct xos_local_header){
	    .kind = (enum xos_local_kind)kind,
	    .op = (enum xos_local_op)op,
	    .number = number,
	    .length = length,
	};
	return XOS_OK;
}

static enum xos_status malformed(struct xos_err *err, const char *what)
{
	return xos_err_set(err, XOS_MALFORMED, "message", "a message with a bad %s", what);
}

enum xos_status xos_local_request_encode(
    const struct xos_local_request *req, struct xos_buf *out, struct xos_err *err)
{
	if (!op_known(req->op))
		return malformed(err, "operation");
	unsigned shape = op_shape(req->op);
	if (shape & (REQ_JOB | REQ_JOB_HINT)) {
		bool hint = (shape & REQ_JOB_HINT) && !req->job[0];
		if (!hint && !xos_local_job_valid(req->job))
			return malformed(err, "job identifier");
		xos_buf_lp_str(out, req->job);
	}
	if (shape & REQ_CHAIN) {
		if (!req->nchain || req->nchain > XOS_LOCAL_CHAIN_MAX)
			return malformed(err, "number of certificates");
		xos_buf_u8(out, (uint8_t)req->nchain);
		for (size_t i = 0; i < req->nchain; i++) {
			if (!req->chain[i].n || req->chain[i].n > XOS_LOCAL_CERT_MAX)
				return malformed(err, "certificate size");
			xos_buf_lp(out, req->chain[i]);
		}
	}
	if (shape & REQ_TEXT) {
		if (!req->text.n || req->text.n > text_max(shape))
			return malformed(err, "request size");
		xos_buf_lp(out, req->text);
	}
	if (shape & REQ_FLAGS) {
		if (req->flags & ~known_flags(req->op))
			return malformed(err, "flag");
		xos_buf_u8(out, req->flags);
	}
	if (shape & REQ_DIGEST) {
		if (!digest_length(req->text.n))
			return malformed(err, "digest length");
		xos_buf_lp(out, req->text);
	}
	if (shape & REQ_STEP) {
		enum xos_status bad = xos_local_step_write(&req->step, out, err);
		if (bad)
			return bad;
	}
	if (out->n > XOS_LOCAL_BODY_MAX)
		return xos_err_set(err, XOS_LIMIT, "too-long",
		    "a message of %zu bytes; at most %d are sent", out->n, XOS_LOCAL_BODY_MAX);
	enum xos_status st = xos_buf_status(out);
	return st ? xos_err_set(err, st, "message", "a message that does not fit its buffer")
	          : XOS_OK;
}

static bool read_chain(struct xos_reader *r, struct xos_bytes *chain, size_t *count)
{
	uint8_t n;
	if (!xos_reader_u8(r, &n) || !n || n > XOS_LOCAL_CHAIN_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!xos_reader_lp(r, XOS_LOCAL_CERT_MAX, &chain[i]) || !chain[i].n)
			return false;
	*count = n;
	return true;
}

static bool read_flags(struct xos_reader *r, struct xos_local_request *out)
{
	return xos_reader_u8(r, &out->flags) && !(out->flags & ~known_flags(out->op));
}

static bool read_digest(struct xos_reader *r, struct xos_local_request *out)
{
	return xos_reader_lp(r, 64, &out->text) && digest_length(out->text.n);
}

enum xos_status xos_local_request_decode(
    enum xos_local_op op, struct xos_bytes body, struct xos_local_request *out, struct xos_err *err)
{
	if (!op_known(op))
		return malformed(err, "operation");
	unsigned shape = op_shape(op);
	struct xos_local_request req = {.op = op};
	struct xos_reader r;
	xos_reader_init(&r, body);
	if (shape & (REQ_JOB | REQ_JOB_HINT)) {
		if (!xos_reader_lp_str(&r, req.job, sizeof(req.job)))
			return malformed(err, "job identifier");
		bool hint = (shape & REQ_JOB_HINT) && !req.job[0];
		if (!hint && !xos_local_job_valid(req.job))
			return malformed(err, "job identifier");
	}
	if ((shape & REQ_CHAIN) && !read_chain(&r, req.chain, &req.nchain))
		return malformed(err, "certificate chain");
	if ((shape & REQ_TEXT) && (!xos_reader_lp(&r, text_max(shape), &req.text) || !req.text.n))
		return malformed(err, "request text");
	if ((shape & REQ_FLAGS) && !read_flags(&r, &req))
		return malformed(err, "flag");
	if ((shape & REQ_DIGEST) && !read_digest(&r, &req))
		return malformed(err, "digest length");
	if ((shape & REQ_STEP) && !xos_local_step_read(&r, &req.step))
		return malformed(err, "delegation");
	if (xos_reader_end(&r))
		return malformed(err, "length");
	*out = req;
	return XOS_OK;
}

/* Counts when p is NULL, else writes; never past n. */
struct sink {
	uint8_t *p;
	size_t at, n;
	bool full;
};

static void emit(struct sink *s, const void *p, size_t n)
{
	if (s->p) {
		if (s->full || n > s->n - s->at) {
			s->full = true;
			return;
		}
		if (n)
			memcpy(s->p + s->at, p, n);
	}
	s->at += n;
}

static void emit_u8(struct sink *s, unsigned v)
{
	uint8_t b = (uint8_t)v;
	emit(s, &b, 1);
}

static void emit_u32(struct sink *s, uint32_t v)
{
	uint8_t b[4];
	put_u32(b, v);
	emit(s, b, 4);
}

static void emit_u64(struct sink *s, uint64_t v)
{
	emit_u32(s, (uint32_t)(v >> 32));
	emit_u32(s, (uint32_t)v);
}

static void emit_lp(struct sink *s, struct xos_bytes v)
{
	emit_u32(s, (uint32_t)v.n);
	emit(s, v.p, v.n);
}

static void emit_account(struct sink *s, const struct xos_local_account *a)
{
	emit_u8(s, a->present);
	if (!a->present)
		return;
	emit_lp(s, xos_bytes_str(a->name));
	emit_u32(s, a->uid);
	emit_u32(s, a->gid);
}

static void emit_entries(struct sink *s, const struct xos_local_answer *a)
{
	emit_u32(s, (uint32_t)a->nentries);
	for (size_t i = 0; i < a->nentries; i++) {
		const struct xos_local_entry *e = &a->entries[i];
		emit_lp(s, xos_bytes_str(e->job));
		emit_lp(s, xos_bytes_str(e->subject));
		emit_u8(s, e->state);
		emit_u32(s, e->uid);
		emit_u64(s, (uint64_t)e->not_after);
	}
}

static void emit_chain(struct sink *s, const struct xos_local_answer *a)
{
	emit_u8(s, (unsigned)a->nchain);
	for (size_t i = 0; i < a->nchain; i++)
		emit_lp(s, a->chain[i]);
}

static void emit_answer(struct sink *s, const struct xos_local_answer *a)
{
	unsigned shape = op_shape(a->op);
	emit_u8(s, a->status);
	if (a->status) {
		emit_lp(s, xos_bytes_str(a->code));
		emit_lp(s, xos_bytes_str(a->error));
		return;
	}
	if (shape & ANS_ID)
		emit_lp(s, xos_bytes_str(a->id));
	if (shape & ANS_DECISION)
		emit_u8(s, a->decision);
	if (shape & ANS_TEXT)
		emit_lp(s, a->text);
	if (shape & ANS_SUBJECT)
		emit_lp(s, xos_bytes_str(a->subject));
	if (shape & ANS_ACCOUNT)
		emit_account(s, &a->account);
	if (shape & ANS_UNTIL)
		emit_u64(s, (uint64_t)a->not_after);
	if (shape & ANS_LIST)
		emit_entries(s, a);
	if (shape & ANS_CHAIN)
		emit_chain(s, a);
}

size_t xos_local_answer_size(const struct xos_local_answer *a)
{
	struct sink s = {.p = NULL};
	emit_answer(&s, a);
	return s.at;
}

enum xos_status xos_local_answer_encode(
    const struct xos_local_answer *a, uint8_t *out, size_t n, struct xos_err *err)
{
	struct sink s = {.p = out, .n = n};
	if (a->nentries > XOS_LOCAL_LIST_MAX || a->text.n > XOS_LOCAL_PEM_MAX ||
	    a->nchain > XOS_LOCAL_CHAIN_MAX)
		return xos_err_set(err, XOS_LIMIT, "too-long", "an answer over its limits");
	emit_answer(&s, a);
	if (s.full || s.at != n)
		return xos_err_set(
		    err, XOS_INTERNAL, "answer-size", "an answer of another size than said");
	return XOS_OK;
}

static bool read_account(struct xos_reader *r, struct xos_local_account *a)
{
	uint8_t present;
	if (!xos_reader_u8(r, &present) || present > 1)
		return false;
	if (!present)
		return true;
	a->present = true;
	return xos_reader_lp_str(r, a->name, sizeof(a->name)) && a->name[0] &&
	       xos_reader_u32(r, &a->uid) && xos_reader_u32(r, &a->gid);
}

static bool read_time(struct xos_reader *r, int64_t *t)
{
	uint64_t v;
	if (!xos_reader_u64(r, &v) || v > INT64_MAX)
		return false;
	*t = (int64_t)v;
	return true;
}

static bool read_entry(struct xos_reader *r, struct xos_local_entry *e)
{
	uint8_t state;
	if (!xos_reader_lp_str(r, e->job, sizeof(e->job)) || !xos_local_job_valid(e->job) ||
	    !xos_reader_lp_str(r, e->subject, sizeof(e->subject)) || !xos_reader_u8(r, &state) ||
	    state < XOS_LOCAL_PREPARED || state > XOS_LOCAL_OVER)
		return false;
	e->state = (enum xos_local_job_state)state;
	return xos_reader_u32(r, &e->uid) && read_time(r, &e->not_after);
}

/* Walks the list once, so that an answer that decodes can be read to its end. */
static bool read_list(struct xos_reader *r, struct xos_local_answer *out)
{
	uint32_t n;
	if (!xos_reader_u32(r, &n) || n > XOS_LOCAL_LIST_MAX)
		return false;
	out->nentries = n;
	out->rest = *r;
	for (uint32_t i = 0; i < n; i++) {
		struct xos_local_entry e = {.job = ""};
		if (!read_entry(r, &e))
			return false;
	}
	return true;
}

static bool read_refusal(struct xos_reader *r, uint8_t status, struct xos_local_answer *out)
{
	if (status > XOS_INTERNAL || !xos_reader_lp_str(r, out->code, sizeof(out->code)) ||
	    !xos_reader_lp_str(r, out->error, sizeof(out->error)))
		return false;
	out->status = (enum xos_status)status;
	return true;
}

static bool read_answer(struct xos_reader *r, unsigned shape, struct xos_local_answer *out)
{
	uint8_t decision = 0;
	if ((shape & ANS_ID) &&
	    (!xos_reader_lp_str(r, out->id, sizeof(out->id)) || !xos_local_job_valid(out->id)))
		return false;
	if ((shape & ANS_DECISION) &&
	    (!xos_reader_u8(r, &decision) || decision > XOS_LOCAL_UNDECIDED))
		return false;
	out->decision = (enum xos_local_decision)decision;
	if ((shape & ANS_TEXT) && !xos_reader_lp(r, XOS_LOCAL_PEM_MAX, &out->text))
		return false;
	if ((shape & ANS_SUBJECT) && !xos_reader_lp_str(r, out->subject, sizeof(out->subject)))
		return false;
	if ((shape & ANS_ACCOUNT) && !read_account(r, &out->account))
		return false;
	if ((shape & ANS_UNTIL) && !read_time(r, &out->not_after))
		return false;
	if ((shape & ANS_LIST) && !read_list(r, out))
		return false;
	return !(shape & ANS_CHAIN) || read_chain(r, out->chain, &out->nchain);
}

enum xos_status xos_local_answer_decode(
    enum xos_local_op op, struct xos_bytes body, struct xos_local_answer *out, struct xos_err *err)
{
	if (!op_known(op))
		return malformed(err, "operation");
	struct xos_local_answer a = {.op = op};
	struct xos_reader r;
	uint8_t status;
	xos_reader_init(&r, body);
	if (!xos_reader_u8(&r, &status))
		return malformed(err, "status");
	bool ok = status ? read_refusal(&r, status, &a) : read_answer(&r, op_shape(op), &a);
	if (!ok || xos_reader_end(&r))
		return malformed(err, "answer");
	*out = a;
	return XOS_OK;
}

bool xos_local_entry_next(struct xos_local_answer *a, struct xos_local_entry *out)
{
	struct xos_local_entry e = {.job = ""};
	if (!a->nentries || !read_entry(&a->rest, &e))
		return false;
	a->nentries--;
	*out = e;
	return true;
}
