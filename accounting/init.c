/* init: what precedes a running server. */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "accounting/parts.h"
#include "base/file.h"
#include "base/name.h"
#include "base/text.h"
#include "pki/csr.h"
#include "pki/key.h"

static enum xos_status join(
    char out[PATH_MAX], const char *dir, const char *name, struct xos_err *err)
{
	if (xos_path_join(out, PATH_MAX, dir, name))
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "path-too-long", "%s: the path is too long", dir);
}

static enum xos_status write_csr(const struct xos_key *key, const char *path, struct xos_err *err)
{
	struct xos_buf der, pem;
	enum xos_status st;

	xos_buf_init(&der, XOS_CSR_MAX);
	xos_buf_init(&pem, 2 * XOS_CSR_MAX);
	st = xos_csr_make(key, &der, err);
	if (st == XOS_OK && xos_csr_to_pem(xos_buf_bytes(&der), &pem) != XOS_OK)
		st = xos_err_set(err, XOS_INTERNAL, "csr", "the request does not fit");
	if (st == XOS_OK)
		st = xos_file_write(path, 0644, xos_buf_bytes(&pem), err);
	xos_buf_free(&pem);
	xos_buf_free(&der);
	return st;
}

/* A key that exists stays: running init again finishes what was interrupted and changes nothing. */
static enum xos_status key_and_csr(const char *dir, const char *name, struct xos_err *err)
{
	char key_path[PATH_MAX], csr_path[PATH_MAX], file[64];
	struct xos_key *key = NULL;
	enum xos_status st;

	xos_str_printf(file, sizeof(file), "%s.key", name);
	st = join(key_path, dir, file, err);
	xos_str_printf(file, sizeof(file), "%s.csr", name);
	if (st == XOS_OK)
		st = join(csr_path, dir, file, err);
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

enum xos_status xos_acct_verb_init(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	const char *dir = NULL, *vo = NULL;
	enum xos_status st = xos_service_arg(&argc, argv, "--dir", true, &dir, err);

	(void)run;
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--vo", true, &vo, err);
	if (st == XOS_OK)
		st = xos_service_args_end(argc, argv, err);
	if (st == XOS_OK && !xos_name_is_vo(vo))
		st = xos_err_set(err, XOS_MALFORMED, "usage",
		    "\"%s\" is no VO name: lower-case letters, digits and hyphens, at most %d", vo,
		    XOS_VO_MAX);
	if (st == XOS_OK)
		st = xos_dir_make(dir, 0755, err);
	if (st == XOS_OK)
		st = key_and_csr(dir, "accounting", err);
	if (st == XOS_OK)
		st = key_and_csr(dir, "tls", err);
	if (st == XOS_OK)
		printf("Made %s. Next: have the root sign %s/accounting.csr\n"
		       "  xos-cad root-sign --dir ROOT --kind accounting --csr %s/accounting.csr "
		       "--out "
		       "%s/accounting.pem\n",
		    dir, dir, dir, dir);
	return st;
}
