#include "service/init.h"

#include <limits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "pki/csr.h"
#include "pki/key.h"

static enum xos_status join(
    char out[PATH_MAX], const char *dir, const char *name, struct xos_err *err)
{
	if (xos_path_join(out, PATH_MAX, dir, name))
		return XOS_OK;
	return xos_err_set(
	    err, XOS_LIMIT, "path-too-long", "%s/%s: the path is too long", dir, name);
}

static enum xos_status write_csr(const struct xos_key *key, const char *path, struct xos_err *err)
{
	struct xos_buf der, pem;

	xos_buf_init(&der, XOS_CSR_MAX);
	xos_buf_init(&pem, 2 * XOS_CSR_MAX);
	enum xos_status st = xos_csr_make(key, &der, err);
	if (st == XOS_OK) {
		st = xos_csr_to_pem(xos_buf_bytes(&der), &pem);
		if (st != XOS_OK)
			xos_err_set(err, st, "csr", "the request does not fit");
	}
	if (st == XOS_OK)
		st = xos_file_write(path, 0644, xos_buf_bytes(&pem), err);
	xos_buf_free(&pem);
	xos_buf_free(&der);
	return st;
}

enum xos_status xos_service_init_key(const char *dir, const char *kind, struct xos_err *err)
{
	char key_path[PATH_MAX], csr_path[PATH_MAX], name[64];
	struct xos_key *key = NULL;

	xos_str_printf(name, sizeof(name), "%s.key", kind);
	enum xos_status st = join(key_path, dir, name, err);
	xos_str_printf(name, sizeof(name), "%s.csr", kind);
	if (st == XOS_OK)
		st = join(csr_path, dir, name, err);
	if (st != XOS_OK)
		return st;
	if (access(key_path, F_OK) == 0) {
		st = xos_key_load(key_path, NULL, NULL, &key, err);
	} else {
		st = xos_key_generate(&key, err);
		if (st == XOS_OK)
			st = xos_key_save(key, key_path, NULL, err);
	}
	if (st == XOS_OK && access(csr_path, F_OK) != 0)
		st = write_csr(key, csr_path, err);
	xos_key_free(key);
	return st;
}
