/* Opening a log for writing: made, checked as a whole, repaired after a crash; and closing it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "log/writer.h"

#define CUT_KEEP_MAX (16U * 1024 * 1024)

static enum xos_status create(const struct xos_log_options *o, struct xos_err *err)
{
	struct xos_buf file, encoded = {0};
	struct log_state state = {.sequence = 0};
	struct stat st;
	char head_path[4096];
	enum xos_status rc = head_file_path(head_path, sizeof(head_path), o->path, err);
	if (rc != XOS_OK)
		return rc;
	if (lstat(head_path, &st) == 0)
		return xos_err_set(err, XOS_MALFORMED, "log-cut",
		    "%s is missing but its signed head %s is there; restore the log from a backup",
		    o->path, head_path);
	xos_buf_init(&file, PENDING_MAX);
	log_put_header(&file, o->name, xos_clock_now());
	rc = xos_buf_status(&file);
	if (rc == XOS_OK) {
		log_chain(o->crypto, state.chain, xos_buf_bytes(&file));
		memcpy(state.record, state.chain, XOS_LOG_HASH);
		rc =
		    log_seal_frames(o->name, o->crypto, &file, file.n, &state, NULL, &encoded, err);
	}
	if (rc == XOS_OK)
		rc = xos_file_create(o->path, o->mode ? o->mode : 0600, xos_buf_bytes(&file), err);
	xos_buf_free(&encoded);
	xos_buf_free(&file);
	return rc;
}

static enum xos_status open_locked(const struct xos_log_options *o, int *fd, struct xos_err *err)
{
	*fd = open(o->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (*fd < 0 && errno == ENOENT) {
		enum xos_status rc = create(o, err);
		if (rc != XOS_OK)
			return rc;
		*fd = open(o->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	}
	if (*fd < 0)
		return xos_err_errno(err, errno, "log-open", "cannot open %s", o->path);
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
		return XOS_OK;
	enum xos_status rc =
	    errno == EWOULDBLOCK
	        ? xos_err_set(err, XOS_CONFLICT, "locked",
	              "%s is being written by another process; stop it first", o->path)
	        : xos_err_errno(err, errno, "lock", "cannot lock %s", o->path);
	close(*fd);
	*fd = -1;
	return rc;
}

/* The bytes after the last seal were never acknowledged. They are kept aside all the same: whoever
 * looks into a crash will want them. */
static enum xos_status cut_tail(struct xos_log *log, uint64_t tail, struct xos_err *err)
{
	char aside[4096], bytes[24];
	uint64_t keep = tail < CUT_KEEP_MAX ? tail : CUT_KEEP_MAX, at = log->state.offset;
	xos_str_printf(bytes, sizeof(bytes), "%llu", (unsigned long long)tail);
	if (!xos_str_printf(aside, sizeof(aside), "%s.cut-%llu", log->path, (unsigned long long)at))
		return xos_err_set(err, XOS_MALFORMED, "file-name", "%s is too long", log->path);
	uint8_t *copy = malloc(keep);
	if (!copy)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	enum xos_status rc = XOS_OK;
	if (pread(log->fd, copy, keep, (off_t)at) != (ssize_t)keep)
		rc = xos_err_errno(err, errno, "log-read", "cannot read %s", log->path);
	if (rc == XOS_OK)
		rc = xos_file_write(aside, 0600, (struct xos_bytes){copy, keep}, err);
	free(copy);
	if (rc == XOS_OK && (ftruncate(log->fd, (off_t)at) != 0 || fdatasync(log->fd) != 0))
		rc = xos_err_errno(err, errno, "log-write", "cannot cut %s", log->path);
	if (rc == XOS_OK)
		XOS_EVENT(
		    XOS_WARN, "log.tail-cut", "path", log->path, "bytes", bytes, "kept", aside);
	return rc;
}

/* Brings PATH.head up to the last seal: it may be behind after a power failure, or not made yet. */
static enum xos_status renew_head(struct xos_log *log, const struct xos_log_options *o,
    bool missing, unsigned next, struct xos_err *err)
{
	struct xos_bytes encoded = xos_buf_bytes(&log->head);
	enum xos_status rc = XOS_OK;
	if (missing)
		rc = head_file_create(
		    log->path, o->mode ? o->mode : 0600, &log->crypto, encoded, err);
	if (rc == XOS_OK)
		rc = head_file_open(log->path, &log->head_file, err);
	log->head_file.next = missing ? 1 : next;
	if (rc == XOS_OK && !missing)
		rc = head_file_put(&log->head_file, &log->crypto, encoded, err);
	if (rc == XOS_OK && fdatasync(log->head_file.fd) != 0)
		rc = xos_err_errno(err, errno, "log-write", "cannot write the signed head");
	return rc;
}

static enum xos_status check_whole(struct xos_log *log, const struct xos_log_options *o,
    const struct xos_log_head *head, bool missing, uint64_t *tail, struct xos_err *err)
{
	struct xos_log_source source = {&log->fd, log_read_fd};
	struct xos_log_report report = {.records = 0};
	struct tree_rebuild tree;
	struct scan s;
	enum xos_status rc = scan_begin(&s, &source, &log->crypto, err);
	tree_rebuild_begin(&tree, &log->tree_file);
	s.entries = &tree.entries;
	if (rc == XOS_OK && strcmp(s.name, o->name) != 0)
		rc = xos_err_set(
		    err, XOS_MALFORMED, "log-name", "it is the log %s, not %s", s.name, o->name);
	struct xos_log_head none = {.sequence = 0};
	memcpy(none.hash, s.now.record, XOS_LOG_HASH);
	if (rc == XOS_OK)
		rc =
		    log_check(&s, missing ? &none : head, tree_rebuild_record, &tree, &report, err);
	if (rc == XOS_OK)
		rc = tree_rebuild_end(&tree, s.sealed.sequence, err);
	if (rc == XOS_OK && tree.changed)
		XOS_EVENT(XOS_INFO, "log.tree-made", "path", log->path);
	if (rc == XOS_OK && missing && s.sealed.sequence > 0)
		rc = xos_err_set(err, XOS_MALFORMED, "log-head",
		    "its signed head %s.head is missing; restore it from a backup", log->path);
	if (rc == XOS_OK) {
		log->state = s.sealed;
		log->staged = log->durable = s.sealed.sequence;
		*tail = report.tail_bytes;
		xos_buf_put(&log->head, s.seal.p, s.seal.n);
		rc = xos_buf_status(&log->head);
		log->rooted = s.rooted;
	}
	tree_rebuild_free(&tree);
	scan_end(&s);
	return rc == XOS_OK ? rc : xos_err_prefix(err, rc, "%s", log->path);
}

static enum xos_status recover(
    struct xos_log *log, const struct xos_log_options *o, struct xos_err *err)
{
	struct xos_buf encoded;
	struct xos_log_head head;
	struct xos_bytes signature;
	bool damaged = false;
	unsigned next = 0;
	uint64_t tail = 0;
	enum xos_status rc =
	    head_file_read(log->path, &log->crypto, &encoded, &damaged, &next, err);
	bool missing = rc == XOS_NOT_FOUND;
	if (rc == XOS_OK)
		rc = xos_log_head_decode(xos_buf_bytes(&encoded), &head, &signature, err);
	if (rc == XOS_OK)
		rc = log->crypto.verify_head(log->crypto.ctx, &head, signature, err);
	if (rc == XOS_OK && strcmp(head.name, o->name) != 0)
		rc = xos_err_set(
		    err, XOS_MALFORMED, "log-head", "%s.head is of another log", log->path);
	if (rc == XOS_OK || missing)
		rc = check_whole(log, o, &head, missing, &tail, err);
	if (rc == XOS_OK && damaged)
		XOS_EVENT(XOS_WARN, "log.head-damaged", "path", log->path);
	if (rc == XOS_OK && tail > 0)
		rc = cut_tail(log, tail, err);
	if (rc == XOS_OK)
		rc = renew_head(log, o, missing, next, err);
	xos_buf_free(&encoded);
	return rc;
}

/* A new key speaks for all that stands there from its first day on, before anybody asks for the head. */
static bool sealed_by_another(const struct xos_log *log)
{
	struct xos_log_head head;
	struct xos_bytes signature;

	return log->crypto.is_current &&
	       xos_log_head_decode(xos_buf_bytes(&log->head), &head, &signature, NULL) == XOS_OK &&
	       !log->crypto.is_current(log->crypto.ctx, &head, signature);
}

enum xos_status xos_log_open(
    const struct xos_log_options *o, struct xos_log **out, struct xos_err *err)
{
	if (!log_name_valid(o->name) || !o->crypto->sha256 || !o->crypto->sign_head ||
	    !o->crypto->verify_head)
		return xos_err_set(err, XOS_INTERNAL, "log", "wrong use of xos_log_open");
	struct xos_log *log = calloc(1, sizeof(*log));
	if (!log || !(log->path = strdup(o->path))) {
		free(log);
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	}
	log->fd = log->head_file.fd = log->tree_file.fd = -1;
	log->crypto = *o->crypto;
	xos_buf_init(&log->pending, PENDING_MAX);
	xos_buf_init(&log->head, XOS_LOG_PAYLOAD_MAX);
	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->done, NULL);
	enum xos_status rc = open_locked(o, &log->fd, err);
	if (rc == XOS_OK)
		rc = tree_file_open(o->path, o->mode ? o->mode : 0600, &log->tree_file, err);
	if (rc == XOS_OK)
		rc = recover(log, o, err);
	if (rc == XOS_OK && !xos_str_copy(log->name, sizeof(log->name), o->name))
		rc = XOS_INTERNAL;
	/* A log from before there was a tree: from now on every seal has a root. */
	if (rc == XOS_OK && (!log->rooted || sealed_by_another(log)))
		rc = log_seal_anew(log, err);
	if (rc != XOS_OK) {
		log->broken = true;
		xos_log_close(log);
		return rc;
	}
	*out = log;
	return XOS_OK;
}

void xos_log_close(struct xos_log *log)
{
	if (!log)
		return;
	struct xos_err err = XOS_ERR_INIT;
	if (!log->broken && xos_log_commit(log, &err) != XOS_OK)
		xos_event_err(
		    XOS_ERROR, "log.close-failed", &err, "path", log->path, (const char *)NULL);
	if (log->head_file.fd >= 0) {
		(void)fdatasync(log->head_file.fd);
		close(log->head_file.fd);
	}
	tree_file_close(&log->tree_file);
	if (log->fd >= 0)
		close(log->fd);
	pthread_cond_destroy(&log->done);
	pthread_mutex_destroy(&log->lock);
	xos_buf_free(&log->pending);
	xos_buf_free(&log->head);
	free(log->path);
	free(log);
}
