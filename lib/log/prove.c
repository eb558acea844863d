/* Proofs about a log that is open for writing, made from PATH.tree and checked against the newest signed head. */
#include <string.h>
#include <unistd.h>

#include "log/scan.h"
#include "log/treefile.h"

/* The largest power of two below n; n > 1. */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

static void reverse(struct xos_tree_path *path)
{
	for (size_t i = 0; i < path->n / 2; i++) {
		uint8_t h[XOS_LOG_HASH];
		memcpy(h, path->hash[i], sizeof(h));
		memcpy(path->hash[i], path->hash[path->n - 1 - i], sizeof(h));
		memcpy(path->hash[path->n - 1 - i], h, sizeof(h));
	}
}

struct walk {
	struct tree_file *file;
	const struct xos_log_crypto *crypto;
	uint64_t from, n; /* the subtree where we are */
	struct xos_tree_path *path;
};

static enum xos_status take_range(struct walk *w, uint64_t from, uint64_t n, struct xos_err *err)
{
	return tree_file_range(w->file, w->crypto, from, n, w->path->hash[w->path->n++], err);
}

/* One step down towards record `index`, taking the hash of the other side. */
static enum xos_status step(struct walk *w, bool left, struct xos_err *err)
{
	uint64_t k = split(w->n), from = w->from;
	enum xos_status rc =
	    left ? take_range(w, from + k, w->n - k, err) : take_range(w, from, k, err);
	w->from = left ? from : from + k;
	w->n = left ? k : w->n - k;
	return rc;
}

/* PATH(index, D[size]) of 2.1.3.1, from the root down. */
static enum xos_status record_path(
    struct walk *w, uint64_t index, uint64_t size, struct xos_err *err)
{
	enum xos_status rc = XOS_OK;
	w->n = size;
	while (rc == XOS_OK && w->n > 1)
		rc = step(w, index < w->from + split(w->n), err);
	reverse(w->path);
	return rc;
}

/* PROOF(from, D[to]) of 2.1.4.1, from the root down. */
static enum xos_status growth_path(struct walk *w, uint64_t from, uint64_t to, struct xos_err *err)
{
	enum xos_status rc = XOS_OK;
	bool whole = true;
	w->n = to;
	while (rc == XOS_OK && from != w->from + w->n) {
		bool left = from <= w->from + split(w->n);
		whole = whole && left;
		rc = step(w, left, err);
	}
	if (rc == XOS_OK && !whole)
		rc = take_range(w, w->from, w->n, err);
	reverse(w->path);
	return rc;
}

static enum xos_status begin(struct xos_log *log, uint64_t size, struct log_view *v, struct walk *w,
    struct xos_tree_path *path, struct xos_err *err)
{
	enum xos_status rc = log_view(log, v, err);
	path->n = 0;
	*w = (struct walk){v->tree, v->crypto, 0, 0, path};
	if (rc == XOS_OK && size > v->head.sequence)
		rc = xos_err_set(err, XOS_NOT_FOUND, "log-size",
		    "the log has %llu records, not %llu", (unsigned long long)v->head.sequence,
		    (unsigned long long)size);
	return rc;
}

/* The root at `size`, which the newest signed root must confirm: the file may be damaged since it was opened. */
static enum xos_status checked_root(struct walk *w, const struct log_view *v, uint64_t size,
    uint8_t root[XOS_LOG_HASH], struct xos_err *err)
{
	struct xos_tree_path path = {.n = 0};
	struct xos_tree none = {.size = 0};
	struct walk own = {w->file, w->crypto, 0, 0, &path};
	enum xos_status rc = XOS_OK;
	if (size == 0)
		xos_tree_root(w->crypto, &none, root);
	else
		rc = tree_file_range(w->file, w->crypto, 0, size, root, err);
	if (rc == XOS_OK && size != 0)
		rc = growth_path(&own, size, v->head.sequence, err);
	if (rc == XOS_OK)
		rc = xos_tree_check_growth(
		    w->crypto, size, root, v->head.sequence, v->head.root, &path, err);
	if (rc == XOS_MALFORMED)
		rc = xos_err_set(err, XOS_UNAVAILABLE, "log-tree",
		    "the log's tree is damaged; it is made anew when the log is opened");
	return rc;
}

enum xos_status xos_log_root(
    struct xos_log *log, uint64_t size, uint8_t root[XOS_LOG_HASH], struct xos_err *err)
{
	struct xos_tree_path unused;
	struct log_view v;
	struct walk w;
	enum xos_status rc = begin(log, size, &v, &w, &unused, err);
	return rc == XOS_OK ? checked_root(&w, &v, size, root, err) : rc;
}

enum xos_status xos_log_prove_record(struct xos_log *log, uint64_t sequence, uint64_t size,
    struct xos_tree_path *path, struct xos_err *err)
{
	uint8_t root[XOS_LOG_HASH], leaf[XOS_LOG_HASH];
	uint64_t offset = 0;
	struct log_view v;
	struct walk w;
	enum xos_status rc = begin(log, size, &v, &w, path, err);
	if (rc == XOS_OK && (sequence == 0 || sequence > size))
		rc = xos_err_set(err, XOS_NOT_FOUND, "log-record",
		    "there is no record %llu among the first %llu", (unsigned long long)sequence,
		    (unsigned long long)size);
	if (rc == XOS_OK)
		rc = checked_root(&w, &v, size, root, err);
	if (rc == XOS_OK)
		rc = record_path(&w, sequence - 1, size, err);
	if (rc == XOS_OK)
		rc = tree_file_record(v.tree, sequence - 1, &offset, leaf, err);
	if (rc == XOS_OK &&
	    xos_tree_check_record(v.crypto, leaf, sequence, size, path, root, err) != XOS_OK)
		rc = xos_err_set(err, XOS_UNAVAILABLE, "log-tree",
		    "the log's tree is damaged; it is made anew when the log is opened");
	return rc;
}

enum xos_status xos_log_prove_growth(struct xos_log *log, uint64_t from, uint64_t to,
    struct xos_tree_path *path, struct xos_err *err)
{
	uint8_t root[XOS_LOG_HASH], smaller[XOS_LOG_HASH];
	struct log_view v;
	struct walk w;
	enum xos_status rc = begin(log, to, &v, &w, path, err);
	if (rc == XOS_OK && from > to)
		rc = xos_err_set(err, XOS_MALFORMED, "log-size", "a log does not shrink");
	if (rc == XOS_OK)
		rc = checked_root(&w, &v, to, root, err);
	if (rc == XOS_OK)
		rc = checked_root(&w, &v, from, smaller, err);
	if (rc == XOS_OK && from != 0)
		rc = growth_path(&w, from, to, err);
	return rc;
}

/* ---- records by number ---- */

/* The entry in the frame at offset; MALFORMED without a text if there cannot be one. */
static enum xos_status read_entry(
    const struct log_view *v, uint64_t offset, struct xos_buf *entry, struct xos_err *err)
{
	uint8_t raw[XOS_LOG_ENTRY_MAX];
	struct xos_reader r;
	uint32_t length = 0;
	if (pread(v->fd, raw, 4, (off_t)offset) != 4)
		return XOS_MALFORMED;
	xos_reader_init(&r, (struct xos_bytes){raw, 4});
	xos_reader_u32(&r, &length);
	if (length < FRAME_FIXED || length > FRAME_FIXED + XOS_LOG_PAYLOAD_MAX)
		return XOS_MALFORMED;
	size_t n = length - XOS_LOG_HASH;
	if (pread(v->fd, raw, n, (off_t)(offset + 4)) != (ssize_t)n)
		return XOS_MALFORMED;
	entry->n = 0;
	xos_buf_put(entry, raw, n);
	return xos_buf_status(entry) == XOS_OK
	           ? XOS_OK
	           : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

enum xos_status xos_log_get(struct xos_log *log, uint64_t sequence, struct xos_buf *entry,
    struct xos_log_record *record, struct xos_err *err)
{
	uint8_t leaf[XOS_LOG_HASH], is[XOS_LOG_HASH];
	struct log_view v;
	enum xos_status rc = log_view(log, &v, err);
	if (rc == XOS_OK && (sequence == 0 || sequence > v.head.sequence))
		return xos_err_set(err, XOS_NOT_FOUND, "log-record",
		    "the log has %llu records, not %llu", (unsigned long long)v.head.sequence,
		    (unsigned long long)sequence);
	uint64_t offset = 0;
	if (rc == XOS_OK)
		rc = tree_file_record(v.tree, sequence - 1, &offset, leaf, err);
	if (rc != XOS_OK)
		return rc;
	rc = read_entry(&v, offset, entry, err);
	if (rc == XOS_OK)
		rc = xos_log_entry_get(xos_buf_bytes(entry), record, NULL);
	if (rc == XOS_OK) {
		xos_tree_leaf(v.crypto, xos_buf_bytes(entry), is);
		if (record->sequence != sequence || memcmp(is, leaf, sizeof(is)) != 0)
			rc = XOS_MALFORMED;
	}
	record->offset = offset;
	return rc == XOS_MALFORMED ? xos_err_set(err, rc, "log-damaged",
	                                 "record %llu at byte %llu is not what was written",
	                                 (unsigned long long)sequence, (unsigned long long)offset)
	                           : rc;
}
