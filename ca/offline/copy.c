/* The bytes and the manifest of a backup. */
#include "ca/offline/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "json/json.h"
#include "pki/jws.h"

#define MANIFEST_MAX (16 * 1024)
#define PIECE (64 * 1024)

const char *const ca_copy_names[CA_COPY_FILES] = {[CA_COPY_MEMBERSHIP] = "membership.db",
    [CA_COPY_VERIFIERS] = "verifiers.db",
    [CA_COPY_LOG] = "issuance.log",
    [CA_COPY_HEAD] = "issuance.log.head"};

static enum xos_status pump(
    int in, int out, const char *from, const char *to, uint64_t max, struct xos_err *err)
{
	uint8_t piece[PIECE];

	while (max > 0) {
		ssize_t n = read(in, piece, max < PIECE ? (size_t)max : PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return xos_err_errno(err, errno, "copy", "cannot read %s", from);
		if (n == 0)
			break;
		enum xos_status st =
		    xos_fd_write_all(out, (struct xos_bytes){piece, (size_t)n}, err);
		if (st != XOS_OK)
			return xos_err_prefix(err, st, "%s", to);
		max -= (uint64_t)n;
	}
	return fsync(out) == 0 ? XOS_OK : xos_err_errno(err, errno, "copy", "cannot write %s", to);
}

enum xos_status ca_copy_bytes(const char *from, const char *to, uint64_t max, struct xos_err *err)
{
	int in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), out = -1;
	enum xos_status st = XOS_OK;

	if (in < 0)
		return xos_err_errno(err, errno, "copy", "cannot open %s", from);
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		st = xos_err_errno(err, errno, "copy", "cannot create %s", to);
	if (st == XOS_OK)
		st = pump(in, out, from, to, max, err);
	if (out >= 0)
		close(out);
	close(in);
	return st;
}

enum xos_status ca_copy_measure(
    const char *path, uint64_t *bytes, uint8_t sha256[XOS_SHA256_LEN], struct xos_err *err)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct xos_sha256 *d = xos_sha256_new();
	enum xos_status st = XOS_OK;
	uint8_t piece[PIECE];
	ssize_t n = 0;

	*bytes = 0;
	if (fd < 0)
		st = xos_err_errno(err, errno, "copy", "cannot open %s", path);
	else if (!d)
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	while (st == XOS_OK && (n = read(fd, piece, sizeof(piece))) > 0) {
		xos_sha256_update(d, (struct xos_bytes){piece, (size_t)n});
		*bytes += (uint64_t)n;
	}
	if (st == XOS_OK && n < 0)
		st = xos_err_errno(err, errno, "copy", "cannot read %s", path);
	if (st == XOS_OK)
		st = xos_sha256_final(d, sha256);
	xos_sha256_free(d);
	if (fd >= 0)
		close(fd);
	return st;
}

/* ---- the manifest ---- */

static struct xos_json *files_json(const struct ca_copy *c)
{
	struct xos_json *list = xos_json_array();
	char hex[2 * XOS_SHA256_LEN + 1];

	for (size_t i = 0; i < CA_COPY_FILES; i++) {
		struct xos_json *f = xos_json_object();

		xos_hex_encode(hex, c->file[i].sha256, XOS_SHA256_LEN);
		xos_json_set_string(f, "name", ca_copy_names[i]);
		xos_json_set_int(f, "bytes", (int64_t)c->file[i].bytes);
		xos_json_set_string(f, "sha256", hex);
		xos_json_add(list, f);
	}
	return list;
}

enum xos_status ca_copy_sign(const struct ca_copy *c, const struct xos_key *key,
    struct xos_buf *compact, struct xos_err *err)
{
	struct xos_json *o = xos_json_object();
	struct xos_buf payload;
	enum xos_status st;

	xos_buf_init(&payload, MANIFEST_MAX);
	xos_json_set_string(o, "vo", c->vo);
	xos_json_set_time(o, "made", c->made);
	xos_json_set_int(o, "acts", (int64_t)c->acts);
	xos_json_set_int(o, "records", (int64_t)c->records);
	xos_json_set(o, "files", files_json(c));
	st = xos_json_dump(o, &payload, err);
	xos_json_free(o);
	if (st == XOS_OK)
		st = xos_jws_sign(key, CA_COPY_TYP, xos_buf_bytes(&payload), compact, err);
	xos_buf_free(&payload);
	return st;
}

static enum xos_status read_file(
    const struct xos_json *f, const char *name, struct ca_copy *c, size_t i, struct xos_err *err)
{
	const char *is = NULL, *hex = NULL;
	struct xos_buf digest;
	enum xos_status st = xos_json_get_string(f, "name", 64, &is, err);

	if (st == XOS_OK)
		st = xos_json_get_uint64(f, "bytes", INT64_MAX, &c->file[i].bytes, err);
	if (st == XOS_OK)
		st = xos_json_get_string(f, "sha256", 2 * XOS_SHA256_LEN, &hex, err);
	xos_buf_init(&digest, XOS_SHA256_LEN);
	if (st == XOS_OK &&
	    (strcmp(is, name) != 0 || xos_hex_decode(&digest, hex, strlen(hex)) != XOS_OK ||
	        digest.n != XOS_SHA256_LEN))
		st = xos_err_set(err, XOS_MALFORMED, "copy-manifest", "it does not list %s", name);
	if (st == XOS_OK)
		memcpy(c->file[i].sha256, digest.p, XOS_SHA256_LEN);
	xos_buf_free(&digest);
	return st;
}

static enum xos_status decode(struct xos_bytes payload, struct ca_copy *c, struct xos_err *err)
{
	const struct xos_json *files = NULL;
	struct xos_json *o = NULL;
	enum xos_status st = xos_json_parse(payload, MANIFEST_MAX, &o, err);

	if (st == XOS_OK)
		st = xos_json_copy_string(o, "vo", c->vo, sizeof(c->vo), err);
	if (st == XOS_OK)
		st = xos_json_get_time(o, "made", &c->made, err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(o, "acts", INT64_MAX, &c->acts, err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(o, "records", INT64_MAX, &c->records, err);
	if (st == XOS_OK)
		st = xos_json_get_array(o, "files", CA_COPY_FILES, &files, err);
	for (size_t i = 0; st == XOS_OK && i < CA_COPY_FILES; i++) {
		st = xos_json_as_object(xos_json_at(files, i), err);
		if (st == XOS_OK)
			st = read_file(xos_json_at(files, i), ca_copy_names[i], c, i, err);
	}
	xos_json_free(o);
	return st;
}

enum xos_status ca_copy_read(
    const char *dir, const struct xos_cert *signer, struct ca_copy *out, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf compact, payload;
	enum xos_status st;

	memset(out, 0, sizeof(*out));
	if (!xos_path_join(path, sizeof(path), dir, CA_COPY_MANIFEST))
		return xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", dir);
	st = xos_file_read(path, 2 * MANIFEST_MAX, &compact, err);
	if (st != XOS_OK)
		return st;
	xos_buf_init(&payload, MANIFEST_MAX);
	st = xos_jws_verify(
	    xos_cert_key(signer), CA_COPY_TYP, xos_buf_bytes(&compact), &payload, err);
	if (st == XOS_OK)
		st = decode(xos_buf_bytes(&payload), out, err);
	xos_buf_free(&payload);
	xos_buf_free(&compact);
	return st == XOS_OK ? st : xos_err_prefix(err, st, "%s", path);
}
