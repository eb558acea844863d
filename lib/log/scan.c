#include "log/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define BUF_SIZE (2 * (size_t)FRAME_MAX)

void log_chain(
    const struct xos_log_crypto *crypto, uint8_t chain[XOS_LOG_HASH], struct xos_bytes bytes)
{
	static const char domain[] = LOG_DOMAIN;
	uint8_t in[sizeof(domain) + XOS_LOG_HASH + FRAME_MAX];
	memcpy(in, domain, sizeof(domain));
	memcpy(in + sizeof(domain), chain, XOS_LOG_HASH);
	memcpy(in + sizeof(domain) + XOS_LOG_HASH, bytes.p, bytes.n);
	crypto->sha256(
	    crypto->ctx, (struct xos_bytes){in, sizeof(domain) + XOS_LOG_HASH + bytes.n}, chain);
}

bool log_name_valid(const char *name)
{
	size_t n = name ? strlen(name) : 0;
	return n > 0 && n <= XOS_LOG_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._/-") == n;
}

void log_put_header(struct xos_buf *out, const char *name, int64_t created)
{
	xos_buf_put_str(out, LOG_MAGIC);
	xos_buf_lp_str(out, name);
	xos_buf_u64(out, (uint64_t)created);
}

void log_put_frame(
    struct xos_buf *out, uint64_t sequence, int64_t time, uint16_t type, struct xos_bytes payload)
{
	static const uint8_t zeros[XOS_LOG_HASH];
	xos_buf_u32(out, (uint32_t)(FRAME_FIXED + payload.n));
	xos_buf_u64(out, sequence);
	xos_buf_u64(out, (uint64_t)time);
	xos_buf_u16(out, type);
	xos_buf_put(out, payload.p, payload.n);
	xos_buf_put(out, zeros, sizeof(zeros));
}

void log_count_record(const struct xos_log_crypto *crypto, struct log_state *state,
    struct xos_bytes frame, struct xos_buf *entries)
{
	uint8_t leaf[XOS_LOG_HASH];
	xos_tree_leaf(crypto, (struct xos_bytes){frame.p + 4, frame.n - 4 - XOS_LOG_HASH}, leaf);
	if (entries)
		tree_file_entry(crypto, &state->tree, state->offset, leaf, entries);
	else
		xos_tree_add(crypto, &state->tree, leaf, NULL);
}

ssize_t log_read_fd(void *ctx, void *p, size_t n)
{
	const int *fd = ctx;
	ssize_t got;
	do
		got = read(*fd, p, n);
	while (got < 0 && errno == EINTR);
	return got;
}

/* Has n bytes in the buffer if the source gives them; *have: how many there are. */
static enum xos_status fill(struct scan *s, size_t n, size_t *have, struct xos_err *err)
{
	if (s->start > 0 && BUF_SIZE - s->start < n) {
		memmove(s->buf, s->buf + s->start, s->end - s->start);
		s->end -= s->start;
		s->start = 0;
	}
	while (s->end - s->start < n) {
		ssize_t got = s->source->read(s->source->ctx, s->buf + s->end, BUF_SIZE - s->end);
		if (got < 0 || (size_t)got > BUF_SIZE - s->end)
			return xos_err_set(
			    err, XOS_UNAVAILABLE, "log-read", "the log cannot be read");
		if (got == 0)
			break;
		s->end += (size_t)got;
	}
	*have = s->end - s->start;
	return XOS_OK;
}

static enum xos_status header(struct scan *s, struct xos_err *err)
{
	size_t have = 0;
	struct xos_bytes magic = XOS_BYTES_NONE;
	struct xos_reader r;
	uint64_t created;
	enum xos_status rc = fill(s, sizeof(LOG_MAGIC) - 1 + 4 + XOS_LOG_NAME_MAX + 8, &have, err);
	if (rc != XOS_OK)
		return rc;
	xos_reader_init(&r, (struct xos_bytes){s->buf, have});
	if (!xos_reader_take(&r, sizeof(LOG_MAGIC) - 1, &magic) ||
	    !xos_bytes_eq(magic, xos_bytes_str(LOG_MAGIC)) ||
	    !xos_reader_lp_str(&r, s->name, sizeof(s->name)) || !xos_reader_u64(&r, &created) ||
	    !log_name_valid(s->name))
		return xos_err_set(err, XOS_MALFORMED, "log-damaged",
		    "the header of the log is damaged, or the file is no log");
	s->start = have - r.left;
	memset(s->now.chain, 0, sizeof(s->now.chain));
	log_chain(s->crypto, s->now.chain, (struct xos_bytes){s->buf, s->start});
	memcpy(s->now.record, s->now.chain, XOS_LOG_HASH);
	s->now.offset = s->start;
	s->sealed = s->now;
	return XOS_OK;
}

enum xos_status scan_begin(struct scan *s, const struct xos_log_source *source,
    const struct xos_log_crypto *crypto, struct xos_err *err)
{
	*s = (struct scan){.source = source, .crypto = crypto};
	xos_buf_init(&s->seal, XOS_LOG_PAYLOAD_MAX);
	s->buf = malloc(BUF_SIZE);
	if (!s->buf)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	return header(s, err);
}

void scan_end(struct scan *s)
{
	free(s->buf);
	s->buf = NULL;
	xos_buf_free(&s->seal);
}

static enum scan_kind bad(struct scan *s, bool seal, const char *why, struct xos_err *err)
{
	unsigned long long n = s->now.sequence, at = s->now.offset;
	if (seal) {
		s->bad_record = n ? n : 1;
		(void)xos_err_set(err, XOS_MALFORMED, "log-damaged",
		    "the seal after record %llu at byte %llu: %s", n, at, why);
	} else {
		s->bad_record = n + 1;
		(void)xos_err_set(err, XOS_MALFORMED, "log-damaged", "record %llu at byte %llu: %s",
		    n + 1, at, why);
	}
	return SCAN_BAD;
}

/* A seal must say what the chain before it says. */
static const char *check_seal(struct scan *s, struct xos_bytes payload)
{
	struct xos_log_head head;
	struct xos_bytes signature;
	uint8_t root[XOS_LOG_HASH];
	if (xos_log_head_decode(payload, &head, &signature, NULL) != XOS_OK)
		return "it cannot be read";
	if (strcmp(head.name, s->name) != 0 || head.sequence != s->now.sequence ||
	    memcmp(head.hash, s->now.record, XOS_LOG_HASH) != 0)
		return "it does not fit the records before it";
	if (!head.has_root && s->rooted)
		return "it has no root of the tree, but one before it has";
	if (head.has_root)
		xos_tree_root(s->crypto, &s->now.tree, root);
	if (head.has_root && memcmp(head.root, root, sizeof(root)) != 0)
		return "its root is not that of the records before it";
	s->rooted = head.has_root;
	return NULL;
}

static enum scan_kind take_seal(struct scan *s, struct xos_log_record *r, struct xos_err *err)
{
	const char *why = check_seal(s, r->payload);
	if (why)
		return bad(s, true, why, err);
	xos_buf_free(&s->seal);
	xos_buf_init(&s->seal, XOS_LOG_PAYLOAD_MAX);
	xos_buf_put(&s->seal, r->payload.p, r->payload.n);
	return SCAN_SEAL;
}

static enum scan_kind take_frame(
    struct scan *s, size_t length, struct xos_log_record *r, struct xos_err *err)
{
	struct xos_bytes frame = {s->buf + s->start, 4 + length}, hash = XOS_BYTES_NONE;
	struct xos_reader in;
	uint64_t time = 0;
	uint8_t chain[XOS_LOG_HASH];
	enum scan_kind kind = SCAN_RECORD;
	xos_reader_init(&in, (struct xos_bytes){frame.p + 4, length});
	if (!xos_reader_u64(&in, &r->sequence) || !xos_reader_u64(&in, &time) ||
	    !xos_reader_u16(&in, &r->type) ||
	    !xos_reader_take(&in, length - FRAME_FIXED, &r->payload) ||
	    !xos_reader_take(&in, XOS_LOG_HASH, &hash) || xos_reader_end(&in) != XOS_OK)
		return bad(s, false, "it cannot be read", err);
	bool seal = r->type == XOS_LOG_TYPE_SEAL;
	memcpy(chain, s->now.chain, sizeof(chain));
	log_chain(s->crypto, chain, (struct xos_bytes){frame.p, frame.n - XOS_LOG_HASH});
	if (memcmp(chain, hash.p, XOS_LOG_HASH) != 0)
		return bad(s, seal, "the hash does not match", err);
	if (r->sequence != s->now.sequence + !seal)
		return bad(s, seal, "its number is out of order", err);
	if (seal)
		kind = take_seal(s, r, err);
	if (kind == SCAN_BAD)
		return kind;
	r->time = (int64_t)time;
	r->offset = s->now.offset;
	memcpy(r->hash, chain, XOS_LOG_HASH);
	memcpy(s->now.chain, chain, XOS_LOG_HASH);
	if (!seal)
		log_count_record(s->crypto, &s->now, frame, s->entries);
	s->now.sequence = r->sequence;
	s->now.offset += frame.n;
	s->start += frame.n;
	if (seal) {
		s->sealed = s->now;
		s->any_seal = true;
	} else {
		memcpy(s->now.record, chain, XOS_LOG_HASH);
	}
	return kind;
}

enum xos_status scan_next(
    struct scan *s, enum scan_kind *kind, struct xos_log_record *r, struct xos_err *err)
{
	size_t have = 0;
	uint32_t length = 0;
	struct xos_reader in;
	enum xos_status rc = fill(s, 4, &have, err);
	if (rc != XOS_OK)
		return rc;
	*kind = have == 0 ? SCAN_END : SCAN_TORN;
	xos_reader_init(&in, (struct xos_bytes){s->buf + s->start, have});
	if (!xos_reader_u32(&in, &length))
		return XOS_OK;
	if (length < FRAME_FIXED || length > FRAME_FIXED + XOS_LOG_PAYLOAD_MAX) {
		*kind = bad(s, false, "its length is impossible", err);
		return XOS_OK;
	}
	rc = fill(s, 4 + (size_t)length, &have, err);
	if (rc != XOS_OK || have < 4 + (size_t)length)
		return rc;
	*kind = take_frame(s, length, r, err);
	return XOS_OK;
}
