#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/scan.h"

static enum xos_status missing(const struct scan *s, const struct xos_log_head *head, bool torn,
    struct xos_log_report *report, struct xos_err *err)
{
	unsigned long long from = s->now.sequence + 1, to = head->sequence, at = s->now.offset;
	if (from > to)
		return xos_err_set(err, XOS_MALFORMED, "log-cut",
		    "the log is cut at byte %llu: the seal after record %llu is missing", at, to);
	report->missing_from = from;
	report->missing_to = to;
	return xos_err_set(err, XOS_MALFORMED, "log-cut",
	    "record%s %llu%s%.0llu %s missing: the signed head says %llu%s", from == to ? "" : "s",
	    from, from == to ? "" : " to ", from == to ? 0 : to, from == to ? "is" : "are", to,
	    torn ? " (the first of them is cut off or damaged)" : "");
}

static enum xos_status check_head_here(
    struct scan *s, const struct xos_log_head *head, struct xos_err *err)
{
	uint8_t root[XOS_LOG_HASH];
	if (s->now.sequence != head->sequence)
		return XOS_OK;
	bool same = memcmp(s->now.record, head->hash, XOS_LOG_HASH) == 0;
	if (same && !head->has_root && !s->rooted)
		return XOS_OK;
	if (same && head->has_root) {
		xos_tree_root(s->crypto, &s->now.tree, root);
		if (memcmp(root, head->root, XOS_LOG_HASH) == 0)
			return XOS_OK;
	}
	s->bad_record = head->sequence ? head->sequence : 1;
	return xos_err_set(err, XOS_MALFORMED, "log-damaged", "record %llu: %s",
	    (unsigned long long)head->sequence,
	    same && !head->has_root
	        ? "the signed head has no root of the tree, but one before it has"
	        : "the hash does not match the signed head; the log was written anew");
}

/* The last seal may be newer than the head that was given; its signature then stands for the rest. */
static enum xos_status check_last_seal(struct scan *s, struct xos_err *err)
{
	struct xos_log_head head;
	struct xos_bytes signature;
	enum xos_status rc = xos_log_head_decode(xos_buf_bytes(&s->seal), &head, &signature, err);
	if (rc == XOS_OK && s->crypto->verify_head)
		rc = s->crypto->verify_head(s->crypto->ctx, &head, signature, err);
	return rc == XOS_OK ? rc
	                    : xos_err_prefix(err, rc, "the seal after record %llu is not valid",
	                          (unsigned long long)s->sealed.sequence);
}

static enum xos_status drain(struct scan *s, uint64_t *bytes, struct xos_err *err)
{
	*bytes = s->now.offset - s->sealed.offset + (s->end - s->start);
	for (;;) {
		ssize_t got = s->source->read(s->source->ctx, s->buf, FRAME_MAX);
		if (got < 0)
			return xos_err_set(
			    err, XOS_UNAVAILABLE, "log-read", "the log cannot be read");
		if (got == 0)
			return XOS_OK;
		*bytes += (uint64_t)got;
	}
}

static enum xos_status finish(struct scan *s, const struct xos_log_head *head, enum scan_kind kind,
    struct xos_log_report *report, struct xos_err *err)
{
	enum xos_status rc = XOS_MALFORMED;
	report->records = s->now.sequence;
	if (!s->any_seal || s->sealed.sequence < head->sequence) {
		if (kind != SCAN_BAD)
			return missing(s, head, kind == SCAN_TORN, report, err);
		report->bad_record = s->bad_record;
		report->bad_offset = s->now.offset;
		return rc; /* err says where */
	}
	report->records = s->sealed.sequence;
	rc = check_last_seal(s, err);
	return rc == XOS_OK ? drain(s, &report->tail_bytes, err) : rc;
}

enum xos_status log_check(struct scan *s, const struct xos_log_head *head,
    enum xos_status (*each)(void *ctx, const struct xos_log_record *r, struct xos_err *err),
    void *each_ctx, struct xos_log_report *report, struct xos_err *err)
{
	struct xos_err why = XOS_ERR_INIT;
	enum scan_kind kind = SCAN_END;
	struct xos_log_record r = {.sequence = 0};
	enum xos_status rc = check_head_here(s, head, err);
	while (rc == XOS_OK) {
		rc = scan_next(s, &kind, &r, &why);
		if (rc == XOS_OK && kind != SCAN_RECORD && kind != SCAN_SEAL)
			rc = finish(s, head, kind, report, &why);
		if (kind != SCAN_RECORD && kind != SCAN_SEAL) {
			if (rc != XOS_OK && err)
				*err = why;
			return rc;
		}
		if (rc != XOS_OK && err)
			*err = why;
		if (rc == XOS_OK && kind == SCAN_RECORD)
			rc = check_head_here(s, head, err);
		if (rc == XOS_OK && kind == SCAN_RECORD && each)
			rc = each(each_ctx, &r, err);
	}
	report->bad_record = s->bad_record;
	report->bad_offset = s->bad_record ? r.offset : 0;
	report->records = s->bad_record ? s->bad_record - 1 : s->now.sequence;
	return rc;
}

enum xos_status xos_log_verify(const struct xos_log_source *source, struct xos_bytes encoded_head,
    const struct xos_log_crypto *crypto,
    enum xos_status (*each)(void *ctx, const struct xos_log_record *r, struct xos_err *err),
    void *each_ctx, struct xos_log_report *report, struct xos_err *err)
{
	struct xos_log_report own;
	struct xos_log_head head;
	struct xos_bytes signature;
	struct scan s;
	if (!report)
		report = &own;
	*report = (struct xos_log_report){.records = 0};
	enum xos_status rc = xos_log_head_decode(encoded_head, &head, &signature, err);
	if (rc == XOS_OK && crypto->verify_head)
		rc = crypto->verify_head(crypto->ctx, &head, signature, err);
	if (rc != XOS_OK)
		return rc;
	report->head_sequence = head.sequence;
	rc = scan_begin(&s, source, crypto, err);
	memcpy(report->name, s.name, sizeof(report->name));
	if (rc == XOS_OK && strcmp(s.name, head.name) != 0)
		rc = xos_err_set(err, XOS_MALFORMED, "log-head",
		    "the signed head is of the log %s, but this is %s", head.name, s.name);
	if (rc == XOS_OK)
		rc = log_check(&s, &head, each, each_ctx, report, err);
	scan_end(&s);
	return rc;
}

enum xos_status xos_log_verify_file(const char *path, const struct xos_log_crypto *crypto,
    enum xos_status (*each)(void *ctx, const struct xos_log_record *r, struct xos_err *err),
    void *each_ctx, struct xos_log_report *report, struct xos_err *err)
{
	struct xos_buf head;
	bool damaged = false;
	/* The head first: the log is then at least as long. */
	enum xos_status rc = xos_log_head_read(path, crypto, &head, &damaged, err);
	if (rc != XOS_OK)
		return rc;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		rc = xos_err_errno(err, errno, "log-open", "cannot open %s", path);
		goto out;
	}
	struct xos_log_source source = {&fd, log_read_fd};
	rc = xos_log_verify(&source, xos_buf_bytes(&head), crypto, each, each_ctx, report, err);
	close(fd);
	if (rc == XOS_OK && damaged)
		rc = xos_err_set(err, XOS_MALFORMED, "log-head",
		    "one copy of the signed head in %s.head is damaged", path);
	if (rc == XOS_MALFORMED)
		rc = xos_err_prefix(err, rc, "%s", path);
out:
	xos_buf_free(&head);
	return rc;
}

struct xos_log_reader {
	int fd;
	char *path;
	uint64_t from;
	struct xos_log_crypto crypto;
	struct xos_log_source source;
	struct xos_log_head head;
	struct scan scan;
};

static enum xos_status refresh(struct xos_log_reader *r, struct xos_err *err)
{
	struct xos_buf encoded;
	struct xos_bytes signature;
	enum xos_status rc = xos_log_head_read(r->path, &r->crypto, &encoded, NULL, err);
	if (rc == XOS_OK)
		rc = xos_log_head_decode(xos_buf_bytes(&encoded), &r->head, &signature, err);
	xos_buf_free(&encoded);
	return rc;
}

enum xos_status xos_log_reader_open(const char *path, uint64_t from,
    const struct xos_log_crypto *crypto, struct xos_log_reader **out, struct xos_err *err)
{
	enum xos_status rc = XOS_INTERNAL;
	struct xos_log_reader *r = calloc(1, sizeof(*r));
	if (r)
		r->path = strdup(path);
	if (!r || !r->path) {
		free(r);
		return xos_err_set(err, rc, "memory", "out of memory");
	}
	r->crypto = *crypto;
	r->from = from;
	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (r->fd < 0)
		rc = xos_err_errno(err, errno, "log-open", "cannot open %s", path);
	else
		rc = refresh(r, err);
	r->source = (struct xos_log_source){&r->fd, log_read_fd};
	if (rc == XOS_OK)
		rc = scan_begin(&r->scan, &r->source, &r->crypto, err);
	if (rc == XOS_OK && strcmp(r->scan.name, r->head.name) != 0)
		rc = xos_err_set(err, XOS_MALFORMED, "log-head", "%s.head is of another log", path);
	if (rc != XOS_OK) {
		xos_log_reader_close(r);
		return rc;
	}
	*out = r;
	return XOS_OK;
}

enum xos_status xos_log_reader_next(
    struct xos_log_reader *r, struct xos_log_record *record, bool *more, struct xos_err *err)
{
	enum scan_kind kind;
	*more = false;
	if (r->scan.now.sequence >= r->head.sequence) {
		enum xos_status rc = refresh(r, err);
		if (rc != XOS_OK || r->scan.now.sequence >= r->head.sequence)
			return rc;
	}
	while (r->scan.now.sequence < r->head.sequence) {
		enum xos_status rc = scan_next(&r->scan, &kind, record, err);
		if (rc == XOS_OK && kind == SCAN_BAD)
			return XOS_MALFORMED;
		if (rc == XOS_OK && (kind == SCAN_END || kind == SCAN_TORN)) {
			struct xos_log_report report;
			rc = missing(&r->scan, &r->head, kind == SCAN_TORN, &report, err);
		}
		if (rc == XOS_OK && kind == SCAN_RECORD)
			rc = check_head_here(&r->scan, &r->head, err);
		if (rc != XOS_OK)
			return rc;
		if (kind == SCAN_RECORD && record->sequence >= r->from) {
			*more = true;
			return XOS_OK;
		}
	}
	return XOS_OK;
}

void xos_log_reader_close(struct xos_log_reader *r)
{
	if (!r)
		return;
	scan_end(&r->scan);
	if (r->fd >= 0)
		close(r->fd);
	free(r->path);
	free(r);
}
