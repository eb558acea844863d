/*
 * PATH.head: two slots of the same size, written in turn, so that a write that is cut short leaves
 * the other one whole. Slot: u32 length, the encoded head, SHA-256 of both, zeros to its end; all
 * zeros: never written.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "log/scan.h"

#define SLOT 2048
/* First byte of a head with a root; one without begins with the length of its name, whose first byte is 0. */
#define WITH_ROOT 2

void xos_log_head_encode(
    struct xos_buf *out, const struct xos_log_head *head, struct xos_bytes signature)
{
	if (head->has_root)
		xos_buf_u8(out, WITH_ROOT);
	xos_buf_lp_str(out, head->name);
	xos_buf_u64(out, head->sequence);
	xos_buf_put(out, head->hash, XOS_LOG_HASH);
	xos_buf_u64(out, (uint64_t)head->time);
	if (head->has_root)
		xos_buf_put(out, head->root, XOS_LOG_HASH);
	xos_buf_lp(out, signature);
}

enum xos_status xos_log_head_decode(struct xos_bytes in, struct xos_log_head *head,
    struct xos_bytes *signature, struct xos_err *err)
{
	struct xos_log_head h = {.sequence = 0};
	struct xos_bytes hash = XOS_BYTES_NONE, root = XOS_BYTES_NONE, sig = XOS_BYTES_NONE;
	struct xos_reader r;
	uint64_t time = 0;
	uint8_t version = 0;
	xos_reader_init(&r, in);
	h.has_root = in.n > 0 && in.p[0] == WITH_ROOT;
	if (h.has_root)
		xos_reader_u8(&r, &version);
	if (!xos_reader_lp_str(&r, h.name, sizeof(h.name)) || !xos_reader_u64(&r, &h.sequence) ||
	    !xos_reader_take(&r, XOS_LOG_HASH, &hash) || !xos_reader_u64(&r, &time) ||
	    (h.has_root && !xos_reader_take(&r, XOS_LOG_HASH, &root)) ||
	    !xos_reader_lp(&r, XOS_LOG_SIGNATURE_MAX, &sig) || xos_reader_end(&r) != XOS_OK ||
	    !log_name_valid(h.name))
		return xos_err_set(
		    err, XOS_MALFORMED, "log-head", "the signed head of the log cannot be read");
	memcpy(h.hash, hash.p, XOS_LOG_HASH);
	if (h.has_root)
		memcpy(h.root, root.p, XOS_LOG_HASH);
	h.time = (int64_t)time;
	*head = h;
	*signature = sig;
	return XOS_OK;
}

enum xos_status head_file_path(char *out, size_t cap, const char *path, struct xos_err *err)
{
	if (xos_str_printf(out, cap, "%s.head", path))
		return XOS_OK;
	return xos_err_set(err, XOS_MALFORMED, "file-name", "%s is too long", path);
}

static void slot_fill(
    uint8_t slot[SLOT], const struct xos_log_crypto *crypto, struct xos_bytes encoded)
{
	memset(slot, 0, SLOT);
	slot[2] = (uint8_t)(encoded.n >> 8);
	slot[3] = (uint8_t)encoded.n;
	memcpy(slot + 4, encoded.p, encoded.n);
	crypto->sha256(crypto->ctx, (struct xos_bytes){slot, 4 + encoded.n}, slot + 4 + encoded.n);
}

static bool zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* OK with the encoded head; NOT_FOUND: never written; MALFORMED: damaged. */
static enum xos_status slot_read(const uint8_t *slot, const struct xos_log_crypto *crypto,
    struct xos_bytes *encoded, struct xos_log_head *head)
{
	uint8_t hash[XOS_LOG_HASH];
	struct xos_bytes signature;
	size_t n = (size_t)slot[2] << 8 | slot[3];
	if (zero(slot, SLOT))
		return XOS_NOT_FOUND;
	if (slot[0] || slot[1] || n > SLOT - 4 - XOS_LOG_HASH)
		return XOS_MALFORMED;
	crypto->sha256(crypto->ctx, (struct xos_bytes){slot, 4 + n}, hash);
	if (memcmp(hash, slot + 4 + n, XOS_LOG_HASH) != 0 ||
	    !zero(slot + 4 + n + XOS_LOG_HASH, SLOT - 4 - n - XOS_LOG_HASH))
		return XOS_MALFORMED;
	*encoded = (struct xos_bytes){slot + 4, n};
	return xos_log_head_decode(*encoded, head, &signature, NULL);
}

/* The same records may be sealed twice: when a log without a tree gets one. */
static bool newer(const struct xos_log_head *a, const struct xos_log_head *b)
{
	if (a->sequence != b->sequence)
		return a->sequence > b->sequence;
	if (a->has_root != b->has_root)
		return a->has_root;
	return a->time >= b->time;
}

enum xos_status head_file_read(const char *path, const struct xos_log_crypto *crypto,
    struct xos_buf *encoded, bool *damaged, unsigned *next, struct xos_err *err)
{
	char name[PATH_MAX];
	struct xos_buf file;
	struct xos_log_head head[2];
	struct xos_bytes copy[2];
	xos_buf_init(encoded, SLOT);
	*damaged = false;
	*next = 0;
	enum xos_status rc = head_file_path(name, sizeof(name), path, err);
	if (rc == XOS_OK)
		rc = xos_file_read(name, 2 * SLOT, &file, err);
	if (rc != XOS_OK)
		return rc;
	int newest = -1;
	for (int i = 0; i < 2 && file.n == 2 * SLOT; i++) {
		enum xos_status one = slot_read(file.p + i * SLOT, crypto, &copy[i], &head[i]);
		*damaged = *damaged || one == XOS_MALFORMED;
		if (one == XOS_OK && (newest < 0 || newer(&head[i], &head[0])))
			newest = i;
	}
	if (newest < 0) {
		rc = xos_err_set(
		    err, XOS_MALFORMED, "log-head", "the signed heads in %s are damaged", name);
	} else {
		*next = 1U - (unsigned)newest;
		xos_buf_put(encoded, copy[newest].p, copy[newest].n);
		rc = xos_buf_status(encoded);
	}
	xos_buf_free(&file);
	return rc;
}

static enum xos_status check_signature(
    const struct xos_log_crypto *crypto, struct xos_bytes encoded, struct xos_err *err)
{
	struct xos_log_head head;
	struct xos_bytes signature;
	enum xos_status rc = xos_log_head_decode(encoded, &head, &signature, err);
	if (rc != XOS_OK || !crypto->verify_head)
		return rc;
	rc = crypto->verify_head(crypto->ctx, &head, signature, err);
	return rc == XOS_OK ? rc
	                    : xos_err_prefix(err, rc, "the signed head of record %llu is not valid",
	                          (unsigned long long)head.sequence);
}

enum xos_status xos_log_head_read(const char *path, const struct xos_log_crypto *crypto,
    struct xos_buf *encoded, bool *damaged, struct xos_err *err)
{
	bool one_bad = false;
	unsigned next;
	enum xos_status rc = XOS_INTERNAL;
	/* A writer may be in the middle of a slot: what is really damaged stays so. */
	for (int tries = 0; tries < 3; tries++) {
		rc = head_file_read(path, crypto, encoded, &one_bad, &next, err);
		if (!one_bad)
			break;
		if (tries < 2) {
			xos_buf_free(encoded);
			(void)poll(NULL, 0, 10);
		}
	}
	if (damaged)
		*damaged = one_bad;
	if (rc == XOS_OK)
		rc = check_signature(crypto, xos_buf_bytes(encoded), err);
	if (rc != XOS_OK)
		xos_buf_free(encoded);
	return rc;
}

enum xos_status head_file_create(const char *path, mode_t mode, const struct xos_log_crypto *crypto,
    struct xos_bytes encoded, struct xos_err *err)
{
	char name[PATH_MAX];
	uint8_t file[2 * SLOT] = {0};
	enum xos_status rc = head_file_path(name, sizeof(name), path, err);
	if (rc != XOS_OK)
		return rc;
	slot_fill(file, crypto, encoded);
	return xos_file_write(name, mode, (struct xos_bytes){file, sizeof(file)}, err);
}

enum xos_status head_file_open(const char *path, struct head_file *h, struct xos_err *err)
{
	char name[PATH_MAX];
	enum xos_status rc = head_file_path(name, sizeof(name), path, err);
	if (rc != XOS_OK)
		return rc;
	h->fd = open(name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	return h->fd >= 0 ? XOS_OK : xos_err_errno(err, errno, "log-open", "cannot open %s", name);
}

/* Not synced here: the log itself carries the same head as its seal, and is synced before. */
enum xos_status head_file_put(struct head_file *h, const struct xos_log_crypto *crypto,
    struct xos_bytes encoded, struct xos_err *err)
{
	uint8_t slot[SLOT];
	slot_fill(slot, crypto, encoded);
	ssize_t put = pwrite(h->fd, slot, SLOT, (off_t)h->next * SLOT);
	if (put != SLOT)
		return xos_err_errno(
		    err, put < 0 ? errno : ENOSPC, "log-write", "cannot write the signed head");
	h->next = 1 - h->next;
	return XOS_OK;
}
