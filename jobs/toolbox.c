#include "jobs/toolbox.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "pki/cert.h"

static enum xos_status copy_file(
    const char *from_dir, const char *to_dir, const char *name, struct xos_err *err)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct xos_buf b;
	enum xos_status st;

	if (!xos_path_join(from, sizeof(from), from_dir, name) ||
	    !xos_path_join(to, sizeof(to), to_dir, name))
		return xos_err_set(err, XOS_LIMIT, "state", "path too long");
	xos_buf_init(&b, XOS_CHAIN_PEM_MAX);
	st = xos_file_read(from, XOS_CHAIN_PEM_MAX, &b, err);
	if (st == XOS_OK)
		st = xos_file_write(to, 0644, xos_buf_bytes(&b), err);
	xos_buf_free(&b);
	return st;
}

enum xos_status xos_toolbox_make(
    const struct xos_jobs_config *c, char out[PATH_MAX], struct xos_err *err)
{
	char dir[PATH_MAX], path[PATH_MAX], text[2048];
	bool reachable = strncmp(c->common.listen, "0.0.0.0:", 8) != 0 &&
	                 strncmp(c->common.listen, "[::]:", 5) != 0;
	enum xos_status st;

	if (!xos_path_join(out, PATH_MAX, c->common.state, "tools") ||
	    !xos_path_join(dir, sizeof(dir), out, c->common.vo) ||
	    !xos_path_join(path, sizeof(path), dir, "vo.conf") ||
	    !xos_str_printf(text, sizeof(text), "vo = %s\n%s%s%s%s%s%s%s%s%s", c->common.vo,
	        c->rca ? "rca = " : "", c->rca ? c->rca : "", c->rca ? "\n" : "",
	        c->accounting ? "accounting = " : "", c->accounting ? c->accounting : "",
	        c->accounting ? "\n" : "", reachable ? "jobs = https://" : "",
	        reachable ? c->common.listen : "", reachable ? "\n" : ""))
		return xos_err_set(err, XOS_LIMIT, "state", "path too long");
	st = xos_dir_make(dir, 0755, err);
	if (st == XOS_OK && (chmod(out, 0755) != 0 || chmod(dir, 0755) != 0))
		st = xos_err_errno(err, errno, "state", "cannot set up %s", dir);
	if (st == XOS_OK)
		st = xos_file_write(path, 0644, xos_bytes_str(text), err);
	if (st == XOS_OK)
		st = copy_file(c->common.trust, dir, "root.pem", err);
	if (st == XOS_OK)
		st = copy_file(c->common.trust, dir, "issuers.pem", err);
	if (st == XOS_OK && !xos_path_join(path, sizeof(path), out, "default"))
		st = xos_err_set(err, XOS_LIMIT, "state", "path too long");
	xos_str_printf(text, sizeof(text), "%s\n", c->common.vo);
	return st == XOS_OK ? xos_file_write(path, 0644, xos_bytes_str(text), err) : st;
}
