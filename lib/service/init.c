#include "service/init.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/name.h"
#include "base/text.h"
#include "pki/csr.h"
#include "pki/key.h"
#include "service/main.h"
#include "service/own.h"

enum xos_status xos_service_init_path(
    const char *dir, const char *name, char *out, size_t cap, struct xos_err *err)
{
	if (xos_path_join(out, cap, dir, name))
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
	enum xos_status st = xos_service_init_path(dir, name, key_path, sizeof(key_path), err);
	xos_str_printf(name, sizeof(name), "%s.csr", kind);
	if (st == XOS_OK)
		st = xos_service_init_path(dir, name, csr_path, sizeof(csr_path), err);
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

enum xos_status xos_service_init(int argc, char **argv, const char *kind,
    const char *const *folders, const char **dir, struct xos_err *err)
{
	char path[PATH_MAX];
	const char *vo = NULL;
	enum xos_status st = xos_service_arg(&argc, argv, "--dir", true, dir, err);

	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--vo", true, &vo, err);
	if (st == XOS_OK)
		st = xos_service_args_end(argc, argv, err);
	if (st == XOS_OK && !xos_name_is_vo(vo))
		st = xos_err_set(err, XOS_MALFORMED, "usage",
		    "\"%s\" is no VO name: lower-case letters, digits and hyphens, at most %d", vo,
		    XOS_VO_MAX);
	if (st == XOS_OK)
		st = xos_dir_make(*dir, 0755, err);
	for (; st == XOS_OK && folders && *folders; folders++) {
		st = xos_service_init_path(*dir, *folders, path, sizeof(path), err);
		if (st == XOS_OK)
			st = xos_service_own(path, NULL, err);
	}
	if (st == XOS_OK)
		st = xos_service_init_key(*dir, kind, err);
	return st == XOS_OK ? xos_service_init_key(*dir, "tls", err) : st;
}

void xos_service_init_tell(const char *dir, const char *kind)
{
	printf("Made %s. Next: have the root sign %s/%s.csr\n"
	       "  xos-cad root-sign --dir ROOT --kind %s --csr %s/%s.csr --out %s/%s.pem\n",
	    dir, dir, kind, kind, dir, kind, dir, kind);
}
