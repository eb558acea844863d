#include "credd/sessionfile.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "pki/key.h"

#define SESSION_FILE_MAX (512u * 1024)
#define SESSION_KEY_MAX 4096

static const uint8_t magic[] = {'X', 'O', 'S', 'S', 1};

void xos_credd_session_free(struct xos_credd_session *s)
{
	if (!s)
		return;
	free(s->chain);
	free(s);
}

size_t xos_credd_session_certs(
    const struct xos_credd_session *s, struct xos_bytes out[XOS_CHAIN_MAX])
{
	struct xos_reader r;
	size_t n = 0;
	xos_reader_init(&r, (struct xos_bytes){s->chain, s->chain_len});
	while (n < s->nchain && xos_reader_lp(&r, XOS_CERT_MAX, &out[n]))
		n++;
	return n;
}

enum xos_status xos_credd_session_set_chain(struct xos_credd_session *s,
    const struct xos_bytes *chain, size_t n, int64_t not_after, struct xos_err *err)
{
	struct xos_buf b;
	size_t len = 0;
	xos_buf_init(&b, SESSION_FILE_MAX / 2);
	for (size_t i = 0; i < n; i++)
		xos_buf_lp(&b, chain[i]);
	uint8_t *p = (uint8_t *)xos_buf_steal(&b, &len);
	xos_buf_free(&b);
	if (!p || n > XOS_CHAIN_MAX) {
		free(p);
		return xos_err_set(err, XOS_LIMIT, "chain", "the certificates are too long");
	}
	/* Many wait for long: what the buffer had in reserve is given back. */
	uint8_t *fit = realloc(p, len ? len : 1);
	free(s->chain);
	s->chain = fit ? fit : p;
	s->chain_len = len;
	s->nchain = n;
	s->not_after = not_after;
	return XOS_OK;
}

/* All but the key, which comes last. */
static void put_public(
    struct xos_buf *b, const char *boot, const struct xos_credd_session *s, size_t key_len)
{
	xos_buf_put(b, magic, sizeof(magic));
	xos_buf_lp_str(b, boot);
	xos_buf_lp_str(b, s->id);
	xos_buf_lp_str(b, s->member);
	xos_buf_u32(b, s->uid);
	xos_buf_u8(b, s->exportable);
	xos_buf_u32(b, s->leader.pid);
	xos_buf_u64(b, s->leader.start);
	xos_buf_u64(b, (uint64_t)s->created);
	xos_buf_u64(b, (uint64_t)s->not_after);
	xos_buf_u8(b, (uint8_t)s->nchain);
	xos_buf_put(b, s->chain, s->chain_len);
	xos_buf_u32(b, (uint32_t)key_len);
}

enum xos_status xos_credd_session_write(const char *dir, const char *boot,
    const struct xos_credd_session *s, struct xos_bytes key, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_secret *whole = NULL;
	struct xos_buf b;
	xos_buf_init(&b, SESSION_FILE_MAX - SESSION_KEY_MAX);
	put_public(&b, boot, s, key.n);
	enum xos_status st = xos_buf_status(&b);
	if (st || key.n > SESSION_KEY_MAX || !xos_path_join(path, sizeof(path), dir, s->id))
		st = xos_err_set(err, XOS_LIMIT, "session-file",
		    "the record of credential %s is too large", s->id);
	if (!st && !(whole = xos_secret_new(b.n + key.n)))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (!st) {
		uint8_t *p = xos_secret_data(whole);
		memcpy(p, b.p, b.n);
		memcpy(p + b.n, key.p, key.n);
		st = xos_file_write_fleeting(path, 0600, (struct xos_bytes){p, b.n + key.n}, err);
	}
	xos_secret_free(whole);
	xos_buf_free(&b);
	return st;
}

static bool read_names(
    struct xos_reader *r, char boot[XOS_CREDD_BOOT_ID + 1], struct xos_credd_session *s)
{
	struct xos_bytes m;
	uint8_t exportable;
	if (!xos_reader_take(r, sizeof(magic), &m) || memcmp(m.p, magic, sizeof(magic)) != 0 ||
	    !xos_reader_lp_str(r, boot, XOS_CREDD_BOOT_ID + 1) ||
	    !xos_reader_lp_str(r, s->id, sizeof(s->id)) || !xos_local_job_valid(s->id) ||
	    !xos_reader_lp_str(r, s->member, sizeof(s->member)) || !xos_reader_u32(r, &s->uid) ||
	    !xos_reader_u8(r, &exportable) || exportable > 1)
		return false;
	s->exportable = exportable == 1;
	return xos_reader_u32(r, &s->leader.pid) && xos_reader_u64(r, &s->leader.start) &&
	       xos_reader_i64(r, &s->created) && xos_reader_i64(r, &s->not_after);
}

/* Each certificate is parsed once, so that one that is none is found here and not where it is needed. */
static enum xos_status read_certs(struct xos_reader *r, struct xos_credd_session *s,
    struct xos_chain *parsed, struct xos_err *err)
{
	struct xos_bytes der[XOS_CHAIN_MAX];
	uint8_t n;
	bool ok = xos_reader_u8(r, &n) && n <= XOS_CHAIN_MAX && (n > 0) == (s->member[0] != '\0');
	for (size_t i = 0; ok && i < n; i++)
		ok = xos_reader_lp(r, XOS_CERT_MAX, &der[i]);
	if (!ok)
		return xos_err_set(err, XOS_MALFORMED, "session-file", "bad certificates");
	enum xos_status st = n ? xos_chain_from_der(der, n, parsed, err) : XOS_OK;
	return st || !n ? st : xos_credd_session_set_chain(s, der, n, s->not_after, err);
}

static enum xos_status read_key(
    struct xos_reader *r, struct xos_credd_session *s, struct xos_secret **out, struct xos_err *err)
{
	struct xos_bytes pem;
	struct xos_key *key = NULL;
	if (!xos_reader_lp(r, SESSION_KEY_MAX, &pem) || xos_reader_end(r))
		return xos_err_set(err, XOS_MALFORMED, "session-file", "bad key or length");
	enum xos_status st = xos_key_from_pem(pem, &key, err);
	if (st)
		return st;
	memcpy(s->spki, xos_key_spki_sha256(key), XOS_SHA256_LEN);
	xos_key_free(key);
	*out = xos_secret_from(pem.p, pem.n);
	return *out ? XOS_OK : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

static enum xos_status decode(struct xos_bytes in, const char *boot, struct xos_credd_session *s,
    struct xos_secret **key, struct xos_err *err)
{
	char of[XOS_CREDD_BOOT_ID + 1];
	struct xos_chain parsed = {.n = 0};
	struct xos_reader r;
	xos_reader_init(&r, in);
	if (!read_names(&r, of, s))
		return xos_err_set(err, XOS_MALFORMED, "session-file", "bad names or numbers");
	if (strcmp(of, boot) != 0)
		return xos_err_set(err, XOS_EXPIRED, "boot",
		    "the session of credential %s ended with an earlier boot", s->id);
	enum xos_status st = read_certs(&r, s, &parsed, err);
	if (!st)
		st = read_key(&r, s, key, err);
	if (!st && parsed.n &&
	    memcmp(xos_key_spki_sha256(xos_cert_key(parsed.cert[0])), s->spki, XOS_SHA256_LEN) != 0)
		st = xos_err_set(err, XOS_MALFORMED, "session-file",
		    "key and certificate do not belong together");
	xos_chain_clear(&parsed);
	return st;
}

enum xos_status xos_credd_session_decode(struct xos_bytes in, const char *boot,
    struct xos_credd_session **out, struct xos_secret **key, struct xos_err *err)
{
	struct xos_secret *found = NULL;
	struct xos_credd_session *s = calloc(1, sizeof(*s));
	if (!s)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	enum xos_status st = decode(in, boot, s, &found, err);
	if (st) {
		xos_secret_free(found);
		xos_credd_session_free(s);
		return st;
	}
	*out = s;
	*key = found;
	return XOS_OK;
}

enum xos_status xos_credd_session_read(const char *dir, const char *boot, const char *id,
    struct xos_credd_session **out, struct xos_secret **key, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_secret *text = NULL, *found = NULL;
	struct xos_credd_session *s = NULL;
	if (!xos_path_join(path, sizeof(path), dir, id))
		return xos_err_set(
		    err, XOS_LIMIT, "session-file", "the path of credential %s is too long", id);
	enum xos_status st = xos_file_read_secret(path, SESSION_FILE_MAX, &text, err);
	if (st)
		return st;
	st = xos_credd_session_decode(
	    (struct xos_bytes){xos_secret_data(text), xos_secret_len(text)}, boot, &s, &found, err);
	if (!st && strcmp(s->id, id) != 0)
		st = xos_err_set(
		    err, XOS_MALFORMED, "session-file", "it is the record of %s", s->id);
	xos_secret_free(text);
	if (st) {
		xos_secret_free(found);
		xos_credd_session_free(s);
		return xos_err_prefix(err, st, "%s", path);
	}
	*out = s;
	*key = found;
	return XOS_OK;
}
