#include "service/bulk.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/event.h"
#include "service/report.h"

/* Bytes of one piece: what a frame holds, without the largest header of ours. */
#define PIECE (XOS_CHANNEL_PAYLOAD_MAX - 16 - 4 - XOS_EVENT_REQUEST_MAX)

/* One channel to the other process: those that are asking on it keep it, also when another came meanwhile. */
struct line {
	struct xos_channel *ch;
	bool owned;
	unsigned users; /* and one more while it is the current one; under xos_bulk.lock */
};

struct xos_bulk {
	pthread_mutex_t turn; /* one exchange at a time */
	pthread_mutex_t lock; /* of what follows */
	struct line *line;    /* the current one; NULL: none has come yet */
};

static enum xos_status memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

static struct line *line_new(struct xos_channel *ch, bool owned)
{
	struct line *l = calloc(1, sizeof(*l));

	if (l)
		*l = (struct line){.ch = ch, .owned = owned, .users = 1};
	return l;
}

enum xos_status xos_bulk_new(struct xos_channel *ch, struct xos_bulk **out, struct xos_err *err)
{
	struct xos_bulk *b = calloc(1, sizeof(*b));

	if (b && ch)
		b->line = line_new(ch, false);
	if (!b || (ch && !b->line)) {
		free(b);
		return memory(err);
	}
	pthread_mutex_init(&b->turn, NULL);
	pthread_mutex_init(&b->lock, NULL);
	*out = b;
	return XOS_OK;
}

static void line_drop(struct xos_bulk *b, struct line *l)
{
	bool last;

	if (!l)
		return;
	pthread_mutex_lock(&b->lock);
	last = --l->users == 0;
	pthread_mutex_unlock(&b->lock);
	if (!last)
		return;
	if (l->owned)
		xos_channel_free(l->ch);
	free(l);
}

/* The channel of this moment, for as long as the caller asks on it. */
static enum xos_status line_take(struct xos_bulk *b, struct line **out, struct xos_err *err)
{
	pthread_mutex_lock(&b->lock);
	*out = b->line;
	if (b->line)
		b->line->users++;
	pthread_mutex_unlock(&b->lock);
	if (*out)
		return XOS_OK;
	return xos_err_set(err, XOS_UNAVAILABLE, "part-away",
	    "the processes of this VO are being started; try again in a moment");
}

void xos_bulk_free(struct xos_bulk *b)
{
	if (!b)
		return;
	line_drop(b, b->line);
	pthread_mutex_destroy(&b->turn);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

void xos_bulk_attach(struct xos_bulk *b, struct xos_channel *ch)
{
	struct line *fresh = line_new(ch, true), *old;

	if (!fresh) {
		xos_channel_free(ch);
		return;
	}
	pthread_mutex_lock(&b->lock);
	old = b->line;
	b->line = fresh;
	pthread_mutex_unlock(&b->lock);
	line_drop(b, old);
}

static enum xos_status send_pieces(struct xos_channel *ch, uint16_t type, struct xos_bytes payload,
    int64_t deadline_ms, struct xos_buf *answer, struct xos_err *err)
{
	size_t offset = 0;

	for (;;) {
		struct xos_buf frame;
		size_t n = payload.n - offset < PIECE ? payload.n - offset : PIECE;

		xos_buf_init(&frame, XOS_CHANNEL_PAYLOAD_MAX);
		xos_buf_u16(&frame, type);
		xos_buf_u32(&frame, (uint32_t)payload.n);
		xos_buf_u32(&frame, (uint32_t)offset);
		xos_buf_lp_str(&frame, xos_event_request_get());
		if (n)
			xos_buf_put(&frame, payload.p + offset, n);
		enum xos_status st = xos_buf_status(&frame);
		if (st == XOS_OK)
			st = xos_channel_call(
			    ch, XOS_BULK_PIECE, xos_buf_bytes(&frame), deadline_ms, answer, err);
		else
			xos_err_set(err, st, "bulk-frame", "a piece does not fit");
		xos_buf_free(&frame);
		offset += n;
		if (st != XOS_OK || offset == payload.n)
			return st; /* the answer to the last piece is the caller's */
		xos_buf_free(answer);
	}
}

/* u32 total and bytes: appends the bytes, which must be what is expected there. */
static enum xos_status take_answer(
    struct xos_bytes in, struct xos_buf *reply, uint32_t *total, struct xos_err *err)
{
	struct xos_reader r;
	struct xos_bytes rest = XOS_BYTES_NONE;
	uint32_t n = 0;

	xos_reader_init(&r, in);
	if (!xos_reader_u32(&r, &n) || !xos_reader_take(&r, r.left, &rest) || n > XOS_BULK_MAX ||
	    (reply->n && n != *total) || rest.n > n - reply->n || (rest.n == 0 && reply->n < n))
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad piece of a reply");
	*total = n;
	if (rest.n)
		xos_buf_put(reply, rest.p, rest.n);
	return xos_buf_status(reply);
}

static enum xos_status fetch_rest(struct xos_channel *ch, uint32_t total, int64_t deadline_ms,
    struct xos_buf *reply, struct xos_err *err)
{
	enum xos_status st = XOS_OK;

	while (st == XOS_OK && reply->n < total) {
		struct xos_buf ask, answer;

		xos_buf_init(&ask, 8);
		xos_buf_u32(&ask, (uint32_t)reply->n);
		xos_buf_init(&answer, XOS_CHANNEL_PAYLOAD_MAX);
		st = xos_channel_call(
		    ch, XOS_BULK_MORE, xos_buf_bytes(&ask), deadline_ms, &answer, err);
		if (st == XOS_OK)
			st = take_answer(xos_buf_bytes(&answer), reply, &total, err);
		xos_buf_free(&answer);
		xos_buf_free(&ask);
	}
	return st;
}

/* Others may be waiting for a peer that is busy: nobody waits past its own deadline. */
static enum xos_status take_turn(struct xos_bulk *b, int64_t deadline_ms, struct xos_err *err)
{
	const struct timespec until = {
	    .tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};

	if (pthread_mutex_clocklock(&b->turn, CLOCK_MONOTONIC, &until) == 0)
		return XOS_OK;
	return xos_err_set(err, XOS_UNAVAILABLE, "channel-timeout",
	    "another process of this service is busy; try again in a moment");
}

enum xos_status xos_bulk_call(struct xos_bulk *b, uint16_t type, struct xos_bytes payload,
    int64_t deadline_ms, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_buf answer, unwanted;
	bool wanted = reply != NULL;
	struct line *line = NULL;
	uint32_t total = 0;

	if (!wanted)
		reply = &unwanted;
	xos_buf_init(&answer, XOS_CHANNEL_PAYLOAD_MAX);
	xos_buf_init(reply, XOS_BULK_MAX);
	if (payload.n > XOS_BULK_MAX)
		return xos_err_set(err, XOS_LIMIT, "channel-payload",
		    "a request of %zu bytes is longer than %u", payload.n, XOS_BULK_MAX);
	enum xos_status st = take_turn(b, deadline_ms, err);
	if (st != XOS_OK)
		return st;
	st = line_take(b, &line, err);
	if (st == XOS_OK)
		st = send_pieces(line->ch, type, payload, deadline_ms, &answer, err);
	if (st == XOS_OK)
		st = take_answer(xos_buf_bytes(&answer), reply, &total, err);
	if (st == XOS_OK)
		st = fetch_rest(line->ch, total, deadline_ms, reply, err);
	line_drop(b, line);
	pthread_mutex_unlock(&b->turn);
	xos_buf_free(&answer);
	if (st != XOS_OK || !wanted) {
		xos_buf_free(reply);
		xos_buf_init(reply, XOS_BULK_MAX);
	}
	return st;
}

enum xos_status xos_bulk_ask(struct xos_bulk *b, uint16_t type, struct xos_bytes payload,
    int64_t deadline_ms, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_buf answer;
	uint32_t total = 0;

	xos_buf_init(&answer, XOS_CHANNEL_PAYLOAD_MAX);
	xos_buf_init(reply, XOS_CHANNEL_PAYLOAD_MAX);
	if (payload.n > PIECE)
		return xos_err_set(err, XOS_LIMIT, "channel-payload",
		    "a request of %zu bytes does not fit into one frame", payload.n);
	struct line *line = NULL;
	enum xos_status st = line_take(b, &line, err);
	if (st == XOS_OK)
		st = send_pieces(line->ch, type, payload, deadline_ms, &answer, err);
	if (st == XOS_OK)
		st = take_answer(xos_buf_bytes(&answer), reply, &total, err);
	line_drop(b, line);
	if (st == XOS_OK && reply->n < total)
		st = xos_err_set(err, XOS_LIMIT, "channel-payload",
		    "a reply of %u bytes does not fit into one frame", total);
	xos_buf_free(&answer);
	if (st != XOS_OK) {
		xos_buf_free(reply);
		xos_buf_init(reply, XOS_CHANNEL_PAYLOAD_MAX);
	}
	return st;
}

/* What one channel is in the middle of. */
struct slot {
	uint16_t type;
	uint32_t total;
	struct xos_buf in;  /* pieces so far */
	struct xos_buf out; /* the reply, while it is fetched */
};

struct xos_bulk_server {
	const struct xos_bulk_handler *table;
	size_t n;
	void *ctx;
	struct slot slots[XOS_CHANNEL_MAX];
	const struct xos_channel_server *outer;
	const char *disk; /* for the report; NULL: none */
};

enum xos_status xos_bulk_server_new(const struct xos_bulk_handler *table, size_t n, void *ctx,
    struct xos_bulk_server **out, struct xos_err *err)
{
	struct xos_bulk_server *s = calloc(1, sizeof(*s));

	if (!s)
		return memory(err);
	s->table = table;
	s->n = n;
	s->ctx = ctx;
	for (size_t i = 0; i < XOS_CHANNEL_MAX; i++) {
		xos_buf_init(&s->slots[i].in, XOS_BULK_MAX);
		xos_buf_init(&s->slots[i].out, XOS_BULK_MAX);
	}
	*out = s;
	return XOS_OK;
}

static void slot_clear(struct slot *t)
{
	xos_buf_free(&t->in);
	xos_buf_free(&t->out);
	xos_buf_init(&t->in, XOS_BULK_MAX);
	xos_buf_init(&t->out, XOS_BULK_MAX);
	t->type = 0;
	t->total = 0;
}

void xos_bulk_server_free(struct xos_bulk_server *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < XOS_CHANNEL_MAX; i++)
		slot_clear(&s->slots[i]);
	free(s);
}

void xos_bulk_server_disk(struct xos_bulk_server *s, const char *path)
{
	s->disk = path;
}

/* ctx is the server itself. */
static enum xos_status report_self(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	const struct xos_bulk_server *s = ctx;
	struct xos_report *r = calloc(1, sizeof(*r));

	(void)from;
	(void)payload;
	if (!r)
		return memory(err);
	if (s->disk)
		xos_report_disk(r, s->disk);
	xos_report_encode(reply, r);
	free(r);
	return XOS_OK;
}

static const struct xos_bulk_handler own = {XOS_BULK_REPORT, "report", UINT32_MAX, 0, report_self};

static const struct xos_bulk_handler *find(
    const struct xos_bulk_server *s, uint16_t type, size_t from)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->table[i].type == type && from < 32 && (s->table[i].from >> from & 1))
			return &s->table[i];
	}
	return type == XOS_BULK_REPORT ? &own : NULL;
}

/* The reply from an offset on, with its total before it. What was fetched to its end is freed. */
static enum xos_status give(struct slot *t, size_t offset, struct xos_buf *reply)
{
	size_t n = t->out.n - offset < PIECE ? t->out.n - offset : PIECE;

	xos_buf_u32(reply, (uint32_t)t->out.n);
	if (n)
		xos_buf_put(reply, t->out.p + offset, n);
	if (offset + n == t->out.n)
		slot_clear(t);
	return xos_buf_status(reply);
}

static enum xos_status run(struct xos_bulk_server *s, const struct xos_bulk_handler *h, size_t from,
    struct slot *t, const char *request, struct xos_buf *reply, struct xos_err *err)
{
	xos_event_request(request);
	enum xos_status st =
	    h->handle(h == &own ? s : s->ctx, from, xos_buf_bytes(&t->in), &t->out, err);
	xos_event_request(NULL);

	if (st == XOS_OK) {
		st = xos_buf_status(&t->out);
		if (st != XOS_OK)
			xos_err_set(err, st, "bulk-reply", "the reply to %s does not fit", h->name);
	}
	if (st != XOS_OK) {
		slot_clear(t);
		return st;
	}
	xos_buf_free(&t->in);
	xos_buf_init(&t->in, XOS_BULK_MAX);
	return give(t, 0, reply);
}

static enum xos_status on_piece(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_bulk_server *s = ctx;
	struct xos_reader r;
	struct xos_bytes rest = XOS_BYTES_NONE;
	uint16_t type = 0;
	uint32_t total = 0, offset = 0;
	char request[XOS_EVENT_REQUEST_MAX + 1] = "";

	xos_reader_init(&r, payload);
	xos_reader_u16(&r, &type);
	xos_reader_u32(&r, &total);
	xos_reader_u32(&r, &offset);
	xos_reader_lp_str(&r, request, sizeof(request));
	if (!xos_reader_take(&r, r.left, &rest) || from >= XOS_CHANNEL_MAX ||
	    (request[0] && !xos_event_request_valid(request)))
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "bad piece of a request");
	const struct xos_bulk_handler *h = find(s, type, from);
	if (!h)
		return xos_err_set(err, XOS_DENIED, "channel-type",
		    "requests of type %u are not taken from here", type);
	/* What came whole leaves alone what the channel is in the middle of. */
	struct slot one = {.type = 0}, *t = offset == 0 && rest.n == total ? &one : &s->slots[from];
	if (offset == 0) {
		slot_clear(t);
		t->type = type;
		t->total = total;
	}
	if (total > h->payload_max) {
		slot_clear(t);
		return xos_err_set(err, XOS_LIMIT, "channel-payload",
		    "a %s of %u bytes is longer than %zu", h->name, total, h->payload_max);
	}
	if (type != t->type || total != t->total || offset != t->in.n ||
	    rest.n > (size_t)total - offset || (rest.n == 0 && total != 0)) {
		slot_clear(t);
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "piece out of order");
	}
	if (rest.n)
		xos_buf_put(&t->in, rest.p, rest.n);
	if (xos_buf_status(&t->in) != XOS_OK) {
		slot_clear(t);
		return memory(err);
	}
	if (t->in.n != total)
		return XOS_OK;
	enum xos_status st = run(s, h, from, t, request, reply, err);
	/* A long reply is fetched from the channel's own place. */
	if (t == &one && one.out.n) {
		slot_clear(&s->slots[from]);
		s->slots[from] = one;
	} else if (t == &one) {
		slot_clear(t);
	}
	return st;
}

static enum xos_status on_more(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_bulk_server *s = ctx;
	struct xos_reader r;
	uint32_t offset = 0;

	xos_reader_init(&r, payload);
	xos_reader_u32(&r, &offset);
	if (xos_reader_end(&r) != XOS_OK || from >= XOS_CHANNEL_MAX || offset == 0 ||
	    offset >= s->slots[from].out.n)
		return xos_err_set(err, XOS_MALFORMED, "channel-frame", "no such piece of a reply");
	return give(&s->slots[from], offset, reply);
}

static void outer_hup(void *ctx)
{
	struct xos_bulk_server *s = ctx;

	s->outer->on_hup(s->ctx);
}

static void outer_tick(void *ctx)
{
	struct xos_bulk_server *s = ctx;

	s->outer->on_tick(s->ctx);
}

static bool outer_staged(void *ctx)
{
	struct xos_bulk_server *s = ctx;

	return s->outer->staged(s->ctx);
}

static void outer_committed(void *ctx, enum xos_status status, const struct xos_err *err)
{
	struct xos_bulk_server *s = ctx;

	s->outer->committed(s->ctx, status, err);
}

static enum xos_status outer_commit(void *ctx, struct xos_err *err)
{
	struct xos_bulk_server *s = ctx;

	return s->outer->commit(s->ctx, err);
}

enum xos_status xos_bulk_serve(
    struct xos_bulk_server *s, struct xos_channel_server *server, struct xos_err *err)
{
	const struct xos_channel_handler table[] = {
	    {XOS_BULK_PIECE, "bulk.piece", UINT32_MAX, on_piece},
	    {XOS_BULK_MORE, "bulk.more", UINT32_MAX, on_more},
	};
	struct xos_channel_server inner = *server;

	s->outer = server;
	inner.table = table;
	inner.ntable = sizeof(table) / sizeof(*table);
	inner.ctx = s;
	inner.on_hup = server->on_hup ? outer_hup : NULL;
	inner.on_tick = server->on_tick ? outer_tick : NULL;
	inner.commit = server->commit ? outer_commit : NULL;
	inner.staged = server->staged ? outer_staged : NULL;
	inner.committed = server->committed ? outer_committed : NULL;
	enum xos_status st = xos_channel_serve(&inner, err);
	s->outer = NULL;
	return st;
}
