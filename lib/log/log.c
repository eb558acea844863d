#include "log/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/text.h"
#include "log/writer.h"

#define HEAD_SYNC_MS 1000

static enum xos_status make_head(const char *name, const struct log_state *state,
    const struct xos_log_crypto *crypto, struct xos_buf *encoded, struct xos_err *err)
{
	struct xos_log_head head = {
	    .sequence = state->sequence, .time = xos_clock_now(), .has_root = true};
	struct xos_buf signature;
	xos_buf_init(encoded, XOS_LOG_PAYLOAD_MAX);
	xos_buf_init(&signature, XOS_LOG_SIGNATURE_MAX);
	memcpy(head.hash, state->record, XOS_LOG_HASH);
	xos_tree_root(crypto, &state->tree, head.root);
	enum xos_status rc = XOS_INTERNAL;
	if (xos_str_copy(head.name, sizeof(head.name), name))
		rc = crypto->sign_head(crypto->ctx, &head, &signature, err);
	if (rc == XOS_OK) {
		xos_log_head_encode(encoded, &head, xos_buf_bytes(&signature));
		rc = xos_buf_status(&signature) != XOS_OK ? xos_buf_status(&signature)
		                                          : xos_buf_status(encoded);
		if (rc != XOS_OK)
			(void)xos_err_set(
			    err, rc, "log-sign", "the signature of the head is too long");
	}
	xos_buf_free(&signature);
	if (rc != XOS_OK)
		xos_buf_free(encoded);
	return rc;
}

/* Hashes the frames in out from *at on, each over the one before. entries (may be NULL) gets what
 * belongs into PATH.tree. */
static void hash_frames(const struct xos_log_crypto *crypto, struct xos_buf *out, size_t at,
    struct log_state *state, struct xos_buf *entries)
{
	while (at < out->n) {
		uint8_t *p = out->p + at;
		size_t n = 4 + ((size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);
		bool seal = p[20] == 0xff && p[21] == 0xff;
		log_chain(crypto, state->chain, (struct xos_bytes){p, n - XOS_LOG_HASH});
		memcpy(p + n - XOS_LOG_HASH, state->chain, XOS_LOG_HASH);
		if (!seal) {
			memcpy(state->record, state->chain, XOS_LOG_HASH);
			log_count_record(crypto, state, (struct xos_bytes){p, n}, entries);
			state->sequence++;
		}
		state->offset += n;
		at += n;
	}
}

enum xos_status log_seal_frames(const char *name, const struct xos_log_crypto *crypto,
    struct xos_buf *out, size_t at, struct log_state *state, struct xos_buf *entries,
    struct xos_buf *encoded, struct xos_err *err)
{
	hash_frames(crypto, out, at, state, entries);
	enum xos_status rc = make_head(name, state, crypto, encoded, err);
	if (rc != XOS_OK)
		return rc;
	size_t seal_at = out->n;
	log_put_frame(
	    out, state->sequence, xos_clock_now(), XOS_LOG_TYPE_SEAL, xos_buf_bytes(encoded));
	rc = xos_buf_status(out);
	if (rc == XOS_OK) {
		hash_frames(crypto, out, seal_at, state, NULL);
		return rc;
	}
	xos_buf_free(encoded);
	return xos_err_set(err, rc, "memory", "out of memory");
}

/* ---- appending ---- */

/* Tells of the failure that broke the log. Under the lock. */
static enum xos_status broken(const struct xos_log *log, struct xos_err *err)
{
	return xos_err_set(err, XOS_UNAVAILABLE, log->why.code, "%s: %s", log->path, log->why.text);
}

static enum xos_status stage(struct xos_log *log, uint16_t type, struct xos_bytes payload,
    uint64_t *sequence, struct xos_err *err)
{
	if (log->broken)
		return broken(log, err);
	if (log->pending.n + 4 + FRAME_FIXED + payload.n > PENDING_MAX)
		return xos_err_set(err, XOS_LIMIT, "log-busy",
		    "%s: too many records wait to be written; try again", log->path);
	log_put_frame(&log->pending, log->staged + 1, xos_clock_now(), type, payload);
	if (xos_buf_status(&log->pending) != XOS_OK) {
		log->broken = true; /* a frame may be there in half */
		(void)xos_err_set(&log->why, XOS_INTERNAL, "memory", "out of memory");
		pthread_cond_broadcast(&log->done);
		return broken(log, err);
	}
	*sequence = ++log->staged;
	return XOS_OK;
}

static enum xos_status check_record(uint16_t type, struct xos_bytes payload, struct xos_err *err)
{
	if (type == XOS_LOG_TYPE_SEAL)
		return xos_err_set(err, XOS_INTERNAL, "log-type", "the type %u is reserved", type);
	if (payload.n > XOS_LOG_PAYLOAD_MAX)
		return xos_err_set(err, XOS_LIMIT, "log-large",
		    "a record of %zu bytes is longer than %d", payload.n, XOS_LOG_PAYLOAD_MAX);
	return XOS_OK;
}

/* The records count without their tree: it can be made from them. */
static void put_tree(struct xos_log *log, struct xos_buf *entries)
{
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status rc = xos_buf_status(entries);
	if (atomic_load(&log->tree_file.lost))
		return;
	if (rc == XOS_OK)
		rc = tree_file_put(
		    &log->tree_file, log->state.sequence, xos_buf_bytes(entries), &err);
	if (rc == XOS_OK)
		return;
	atomic_store(&log->tree_file.lost, true);
	xos_event_err(XOS_ERROR, "log.tree-lost", &err, "path", log->path, (const char *)NULL);
}

static enum xos_status write_frames(
    struct xos_log *log, const struct xos_buf *group, struct xos_err *err)
{
	enum xos_status rc = XOS_OK;
	for (size_t at = 0; at < group->n;) {
		ssize_t put =
		    pwrite(log->fd, group->p + at, group->n - at, (off_t)(log->state.offset + at));
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0) {
			rc = xos_err_errno(err, errno, "log-write", "cannot write the log");
			/* Whole frames without their seal are cut at the next opening anyhow. */
			if (ftruncate(log->fd, (off_t)log->state.offset) != 0)
				XOS_EVENT(XOS_WARN, "log.tail-left", "path", log->path);
			return rc;
		}
		at += (size_t)put;
	}
	if (fdatasync(log->fd) != 0)
		return xos_err_errno(err, errno, "log-write", "cannot write the log to the disk");
	return rc;
}

static enum xos_status write_group(
    struct xos_log *log, struct xos_buf *group, struct xos_buf *encoded, struct xos_err *err)
{
	struct log_state state = log->state;
	struct xos_buf entries;
	xos_buf_init(
	    &entries, 2 * (size_t)PENDING_MAX);   /* an empty record has 54 bytes, its entry 72 */
	group->max = PENDING_MAX + 2 * FRAME_MAX; /* room for the seal */
	enum xos_status rc =
	    log_seal_frames(log->name, &log->crypto, group, 0, &state, &entries, encoded, err);
	if (rc == XOS_OK)
		rc = write_frames(log, group, err);
	if (rc == XOS_OK)
		put_tree(log, &entries);
	xos_buf_free(&entries);
	if (rc != XOS_OK)
		return rc;
	log->state = state;
	rc = head_file_put(&log->head_file, &log->crypto, xos_buf_bytes(encoded), err);
	int64_t now = xos_clock_mono_ms();
	if (rc == XOS_OK && now - log->head_synced_ms >= HEAD_SYNC_MS) {
		log->head_synced_ms = now;
		if (fdatasync(log->head_file.fd) != 0)
			rc = xos_err_errno(err, errno, "log-write", "cannot write the signed head");
	}
	return rc;
}

/* Writes everything that is staged. Called with the lock held, which is released meanwhile, so that
 * others can stage the next group. */
static void write_pending(struct xos_log *log)
{
	struct xos_buf group = log->pending, encoded = {0};
	struct xos_err err = XOS_ERR_INIT;
	uint64_t last = log->staged;
	xos_buf_init(&log->pending, PENDING_MAX);
	log->writing = true;
	pthread_mutex_unlock(&log->lock);
	enum xos_status rc = write_group(log, &group, &encoded, &err);
	pthread_mutex_lock(&log->lock);
	log->writing = false;
	if (rc == XOS_OK) {
		log->durable = last;
		xos_buf_free(&log->head);
		log->head = encoded;
		encoded = (struct xos_buf){0};
	} else {
		log->broken = true;
		log->why = err;
		xos_event_err(XOS_ERROR, "log.broken", &err, "path", log->path, (const char *)NULL);
	}
	pthread_cond_broadcast(&log->done);
	xos_buf_free(&group);
	xos_buf_free(&encoded);
}

/* Until everything up to sequence is durable: the first comer writes, the others wait for it. */
static enum xos_status await_durable(struct xos_log *log, uint64_t sequence, struct xos_err *err)
{
	while (log->durable < sequence && !log->broken) {
		if (log->writing)
			pthread_cond_wait(&log->done, &log->lock);
		else
			write_pending(log);
	}
	return log->durable >= sequence ? XOS_OK : broken(log, err);
}

enum xos_status log_seal_anew(struct xos_log *log, struct xos_err *err)
{
	pthread_mutex_lock(&log->lock);
	write_pending(log);
	enum xos_status rc = log->broken ? broken(log, err) : XOS_OK;
	pthread_mutex_unlock(&log->lock);
	return rc;
}

enum xos_status xos_log_append(struct xos_log *log, uint16_t type, struct xos_bytes payload,
    uint64_t *sequence, struct xos_err *err)
{
	uint64_t mine = 0;
	enum xos_status rc = check_record(type, payload, err);
	if (rc != XOS_OK)
		return rc;
	pthread_mutex_lock(&log->lock);
	rc = stage(log, type, payload, &mine, err);
	if (rc == XOS_OK)
		rc = await_durable(log, mine, err);
	pthread_mutex_unlock(&log->lock);
	if (rc == XOS_OK && sequence)
		*sequence = mine;
	return rc;
}

enum xos_status xos_log_stage(struct xos_log *log, uint16_t type, struct xos_bytes payload,
    uint64_t *sequence, struct xos_err *err)
{
	uint64_t mine = 0;
	enum xos_status rc = check_record(type, payload, err);
	if (rc != XOS_OK)
		return rc;
	pthread_mutex_lock(&log->lock);
	rc = stage(log, type, payload, &mine, err);
	pthread_mutex_unlock(&log->lock);
	if (rc == XOS_OK && sequence)
		*sequence = mine;
	return rc;
}

enum xos_status xos_log_commit(struct xos_log *log, struct xos_err *err)
{
	pthread_mutex_lock(&log->lock);
	enum xos_status rc = log->broken ? broken(log, err) : await_durable(log, log->staged, err);
	pthread_mutex_unlock(&log->lock);
	return rc;
}

enum xos_status xos_log_head_get(
    struct xos_log *log, struct xos_log_head *head, struct xos_buf *encoded, struct xos_err *err)
{
	struct xos_bytes signature;
	if (encoded)
		xos_buf_init(encoded, XOS_LOG_PAYLOAD_MAX);
	pthread_mutex_lock(&log->lock);
	enum xos_status rc = xos_log_head_decode(xos_buf_bytes(&log->head), head, &signature, err);
	if (rc == XOS_OK && encoded) {
		xos_buf_put(encoded, log->head.p, log->head.n);
		rc = xos_buf_status(encoded);
	}
	pthread_mutex_unlock(&log->lock);
	return rc;
}

enum xos_status log_view(struct xos_log *log, struct log_view *v, struct xos_err *err)
{
	enum xos_status rc = xos_log_head_get(log, &v->head, NULL, err);
	v->tree = &log->tree_file;
	v->crypto = &log->crypto;
	v->fd = log->fd;
	if (rc == XOS_OK && atomic_load(&log->tree_file.lost))
		rc = xos_err_set(err, XOS_UNAVAILABLE, "log-tree",
		    "%s: its tree could not be written; start anew when there is room", log->path);
	return rc;
}
