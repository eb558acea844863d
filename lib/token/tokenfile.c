#include "token/tokenfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

enum xos_status xos_tokenfile_path(char out[PATH_MAX], struct xos_err *err)
{
	const char *p = getenv("XOS_TOKEN");
	bool ok;

	if (!p || !*p)
		p = getenv("X509_USER_PROXY");
	if (p && *p)
		ok = xos_str_copy(out, PATH_MAX, p);
	else
		ok = xos_str_printf(out, PATH_MAX, "/tmp/x509up_u%u", (unsigned)geteuid());
	return ok ? XOS_OK
	          : xos_err_set(err, XOS_LIMIT, "token-path", "the path of the token is too long");
}

/* The root at the end is left out: whoever verifies has it, or must not believe it. */
static size_t without_root(const struct xos_chain *chain)
{
	size_t n = chain->n;

	while (n > 1 && xos_cert_is_ca(chain->cert[n - 1]) &&
	       xos_cert_is_self_issued(chain->cert[n - 1]))
		n--;
	return n;
}

/* Certificate, key, chain, joined in memory that is wiped. */
static enum xos_status join(const struct xos_chain *chain, struct xos_secret *key,
    struct xos_secret **out, struct xos_err *err)
{
	struct xos_buf leaf, rest;
	size_t n, k = xos_secret_len(key);
	enum xos_status st;
	uint8_t *p;

	xos_buf_init(&leaf, XOS_TOKENFILE_MAX);
	xos_buf_init(&rest, XOS_TOKENFILE_MAX);
	xos_cert_to_pem(chain->cert[0], &leaf);
	n = without_root(chain);
	for (size_t i = 1; i < n; i++)
		xos_cert_to_pem(chain->cert[i], &rest);
	st = xos_buf_status(&leaf);
	if (st == XOS_OK)
		st = xos_buf_status(&rest);
	if (st == XOS_OK && leaf.n + k + rest.n > XOS_TOKENFILE_MAX)
		st = XOS_LIMIT;
	if (st != XOS_OK) {
		xos_err_set(err, st, "token-file", "the chain is too long for a token file");
		goto out;
	}
	*out = xos_secret_new(leaf.n + k + rest.n);
	if (!*out) {
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		goto out;
	}
	p = xos_secret_data(*out);
	memcpy(p, leaf.p, leaf.n);
	memcpy(p + leaf.n, xos_secret_data(key), k);
	if (rest.n)
		memcpy(p + leaf.n + k, rest.p, rest.n);
out:
	xos_buf_free(&leaf);
	xos_buf_free(&rest);
	return st;
}

enum xos_status xos_tokenfile_write(
    const char *path, const struct xos_chain *chain, struct xos_err *err)
{
	struct xos_secret *key = NULL, *text = NULL;
	enum xos_status st;

	if (chain->n == 0 || !chain->key || !xos_key_same(chain->key, xos_cert_key(chain->cert[0])))
		return xos_err_set(err, XOS_MALFORMED, "key-mismatch",
		    "a token file needs a certificate and the key that belongs to it");
	st = xos_key_to_pem(chain->key, &key, err);
	if (st == XOS_OK)
		st = join(chain, key, &text, err);
	if (st == XOS_OK)
		st = xos_file_write(path, 0600,
		    (struct xos_bytes){xos_secret_data(text), xos_secret_len(text)}, err);
	xos_secret_free(text);
	xos_secret_free(key);
	return st;
}

enum xos_status xos_tokenfile_read(const char *path, struct xos_chain *out, struct xos_err *err)
{
	struct xos_chain ch = {0};
	struct xos_secret *text = NULL;
	enum xos_status st = xos_file_read_secret(path, XOS_TOKENFILE_MAX, &text, err);

	if (st == XOS_NOT_FOUND)
		return xos_err_set(
		    err, st, "token-none", "there is no token at %s: log in with xos-login", path);
	if (st != XOS_OK)
		return st;
	st = xos_chain_from_pem(
	    (struct xos_bytes){xos_secret_data(text), xos_secret_len(text)}, &ch, err);
	if (st == XOS_OK && !ch.key)
		st = xos_err_set(
		    err, XOS_MALFORMED, "token-file", "it holds no private key: log in again");
	if (st == XOS_OK) {
		*out = ch;
	} else {
		xos_err_prefix(err, st, "%s", path);
		xos_chain_clear(&ch);
	}
	xos_secret_free(text);
	return st;
}

enum xos_status xos_tokenfile_remove(const char *path, struct xos_err *err)
{
	struct xos_chain ch = {0};
	struct stat s;
	enum xos_status st;

	if (lstat(path, &s) != 0) {
		if (errno == ENOENT)
			return xos_err_set(
			    err, XOS_NOT_FOUND, "token-none", "there is no token at %s", path);
		return xos_err_errno(err, errno, "token-file", "cannot look at %s", path);
	}
	if (!S_ISREG(s.st_mode) || s.st_uid != geteuid())
		return xos_err_set(err, XOS_DENIED, "token-file",
		    "%s is not a file of yours: it was left alone", path);
	/* A variable that points at a thesis must not cost the thesis. */
	st = xos_tokenfile_read(path, &ch, err);
	xos_chain_clear(&ch);
	if (st != XOS_OK)
		return xos_err_prefix(err, st, "left alone, as it is no token file");
	if (unlink(path) != 0)
		return xos_err_errno(err, errno, "token-file", "cannot remove %s", path);
	return XOS_OK;
}
