#include "log/treefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define MAGIC "XOSTREE1"
#define MAGIC_LEN 8
#define OFFSET_LEN 8
#define BATCH (256 * 1024) /* bytes written at once when it is made anew */

/* Before record `index` stand that many offsets, and a hash for each complete subtree: 2n - popcount(n). */
static off_t place(uint64_t index)
{
	uint64_t nodes = 2 * index - (uint64_t)__builtin_popcountll(index);
	return (off_t)(MAGIC_LEN + OFFSET_LEN * index + XOS_LOG_HASH * nodes);
}

static enum xos_status get(
    const struct tree_file *f, off_t at, void *p, size_t n, struct xos_err *err)
{
	ssize_t got = pread(f->fd, p, n, at);
	if (got == (ssize_t)n)
		return XOS_OK;
	return got < 0 ? xos_err_errno(err, errno, "log-tree", "cannot read the log's tree")
	               : xos_err_set(err, XOS_UNAVAILABLE, "log-tree",
	                     "the log's tree is cut short; it is made anew when the log is opened");
}

static enum xos_status put(
    const struct tree_file *f, off_t at, struct xos_bytes in, struct xos_err *err)
{
	while (in.n) {
		ssize_t n = pwrite(f->fd, in.p, in.n, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return xos_err_errno(
			    err, n < 0 ? errno : ENOSPC, "log-tree", "cannot write the log's tree");
		in.p += n;
		in.n -= (size_t)n;
		at += n;
	}
	return XOS_OK;
}

enum xos_status tree_file_open(
    const char *path, mode_t mode, struct tree_file *f, struct xos_err *err)
{
	static const struct xos_bytes magic = {(const uint8_t *)MAGIC, MAGIC_LEN};
	char name[PATH_MAX];
	atomic_init(&f->lost, false);
	if (!xos_str_printf(name, sizeof(name), "%s.tree", path))
		return xos_err_set(err, XOS_MALFORMED, "file-name", "%s is too long", path);
	f->fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
	if (f->fd < 0)
		return xos_err_errno(err, errno, "log-open", "cannot open %s", name);
	return put(f, 0, magic, err);
}

void tree_file_close(struct tree_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

void tree_file_entry(const struct xos_log_crypto *crypto, struct xos_tree *tree, uint64_t offset,
    const uint8_t leaf[XOS_LOG_HASH], struct xos_buf *out)
{
	xos_buf_u64(out, offset);
	xos_tree_add(crypto, tree, leaf, out);
}

enum xos_status tree_file_put(
    struct tree_file *f, uint64_t index, struct xos_bytes entries, struct xos_err *err)
{
	return put(f, place(index), entries, err);
}

/* ---- making it anew ---- */

void tree_rebuild_begin(struct tree_rebuild *b, struct tree_file *f)
{
	*b = (struct tree_rebuild){.file = f};
	xos_buf_init(&b->entries, 2 * (size_t)BATCH);
}

void tree_rebuild_free(struct tree_rebuild *b)
{
	xos_buf_free(&b->entries);
}

/* Writes the batch where other or no bytes stand. */
static enum xos_status compare(
    struct tree_rebuild *b, struct xos_bytes entries, struct xos_err *err)
{
	uint8_t *there = malloc(entries.n);
	if (!there)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	ssize_t n = pread(b->file->fd, there, entries.n, place(b->index));
	bool same = n == (ssize_t)entries.n && memcmp(there, entries.p, entries.n) == 0;
	free(there);
	if (same)
		return XOS_OK;
	b->changed = true;
	return put(b->file, place(b->index), entries, err);
}

static enum xos_status flush(struct tree_rebuild *b, uint64_t next, struct xos_err *err)
{
	enum xos_status rc = xos_buf_status(&b->entries);
	if (rc != XOS_OK)
		return xos_err_set(err, rc, "memory", "out of memory");
	if (b->entries.n)
		rc = compare(b, xos_buf_bytes(&b->entries), err);
	b->entries.n = 0;
	b->index = next;
	return rc;
}

enum xos_status tree_rebuild_record(void *ctx, const struct xos_log_record *r, struct xos_err *err)
{
	struct tree_rebuild *b = ctx;
	return b->entries.n < BATCH ? XOS_OK : flush(b, r->sequence, err);
}

enum xos_status tree_rebuild_end(struct tree_rebuild *b, uint64_t records, struct xos_err *err)
{
	enum xos_status rc = flush(b, records, err);
	if (rc == XOS_OK && ftruncate(b->file->fd, place(records)) != 0)
		rc = xos_err_errno(err, errno, "log-tree", "cannot write the log's tree");
	return rc;
}

/* ---- reading ---- */

enum xos_status tree_file_record(struct tree_file *f, uint64_t index, uint64_t *offset,
    uint8_t leaf[XOS_LOG_HASH], struct xos_err *err)
{
	uint8_t both[OFFSET_LEN + XOS_LOG_HASH];
	struct xos_reader r;
	enum xos_status rc = get(f, place(index), both, sizeof(both), err);
	if (rc != XOS_OK)
		return rc;
	xos_reader_init(&r, (struct xos_bytes){both, OFFSET_LEN});
	xos_reader_u64(&r, offset);
	memcpy(leaf, both + OFFSET_LEN, XOS_LOG_HASH);
	return XOS_OK;
}

/* The complete subtree of 2^level records that ends with record `last`: it stands with that record. */
static enum xos_status node(struct tree_file *f, uint64_t last, unsigned level,
    uint8_t out[XOS_LOG_HASH], struct xos_err *err)
{
	off_t at = place(last) + OFFSET_LEN + (off_t)level * XOS_LOG_HASH;
	return get(f, at, out, XOS_LOG_HASH, err);
}

enum xos_status tree_file_range(struct tree_file *f, const struct xos_log_crypto *crypto,
    uint64_t from, uint64_t n, uint8_t root[XOS_LOG_HASH], struct xos_err *err)
{
	uint8_t h[XOS_LOG_HASH];
	bool any = false;
	uint64_t end = from + n;
	for (unsigned k = 0; k < XOS_TREE_PATH_MAX && n >> k; k++) {
		if (!(n >> k & 1))
			continue;
		enum xos_status rc = node(f, end - 1, k, h, err);
		if (rc != XOS_OK)
			return rc;
		if (any)
			xos_tree_node(crypto, h, root, root);
		else
			memcpy(root, h, sizeof(h));
		any = true;
		end -= UINT64_C(1) << k;
	}
	return XOS_OK;
}
