#include "node/layout.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "base/file.h"
#include "base/text.h"

#define AT(field) offsetof(struct xos_node, field)

static const struct xos_config_key keys[] = {
    {"", "name", XOS_CONFIG_STRING, AT(name), true, NULL, 0, 0},
    {"", "site", XOS_CONFIG_STRING, AT(site), true, NULL, 0, 0},
    {"", "address", XOS_CONFIG_STRING, AT(address), true, NULL, 0, 0},
    {"", "data_url", XOS_CONFIG_STRING, AT(data_url), false, NULL, 0, 0},
    {"", "member", XOS_CONFIG_STRING, AT(member), false, NULL, 0, 0},
    {"", "top", XOS_CONFIG_STRING, AT(top), false, NULL, 0, 0},
    {"", "jobs_port", XOS_CONFIG_NUMBER, AT(jobs_port), true, NULL, 1, 65535},
    {"", "uid_base", XOS_CONFIG_NUMBER, AT(uid_base), false, "0", 0, INT32_MAX - 10},
    {"", "network_uid", XOS_CONFIG_NUMBER, AT(network_uid), false, "0", 0, INT32_MAX - 10},
};
#define NKEYS (sizeof(keys) / sizeof(keys[0]))

enum xos_status xos_node_at(struct xos_node *n, const char *dir, struct xos_err *err)
{
	char cwd[PATH_MAX] = "";
	memset(n, 0, sizeof(*n));
	if (dir[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return xos_err_set(err, XOS_UNAVAILABLE, "cwd", "cannot tell the current folder");
	if (!xos_str_printf(n->dir, sizeof(n->dir), "%s%s%s", cwd, cwd[0] ? "/" : "", dir))
		return xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", dir);
	return XOS_OK;
}

enum xos_status xos_node_path(
    const struct xos_node *n, const char *file, char out[PATH_MAX], struct xos_err *err)
{
	if (!xos_path_join(out, PATH_MAX, n->dir, file))
		return xos_err_set(err, XOS_LIMIT, "path", "a path below %s is too long", n->dir);
	return XOS_OK;
}

enum xos_status xos_node_write(const struct xos_node *n, const char *file, mode_t mode,
    struct xos_bytes in, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = xos_node_path(n, file, path, err);
	return st ? st : xos_file_write(path, mode, in, err);
}

/* Writes what b holds, unless b failed. */
static enum xos_status write_text(
    const struct xos_node *n, const char *file, struct xos_buf *b, struct xos_err *err)
{
	enum xos_status st = xos_buf_status(b);
	if (st)
		st = xos_err_set(err, st, "memory", "cannot put %s together", file);
	else
		st = xos_node_write(n, file, 0644, xos_buf_bytes(b), err);
	xos_buf_free(b);
	return st;
}

enum xos_status xos_node_load(struct xos_node *n, const char *dir, struct xos_err *err)
{
	char path[PATH_MAX];
	enum xos_status st = xos_node_at(n, dir, err);
	if (!st)
		st = xos_node_path(n, "node.conf", path, err);
	if (!st && access(path, F_OK) != 0)
		st = xos_err_set(err, XOS_NOT_FOUND, "node-missing",
		    "%s holds no node; begin with: xos-node init --dir %s --name NODE --site SITE "
		    "--site-key FILE",
		    n->dir, n->dir);
	if (!st)
		st = xos_config_load(path, keys, NKEYS, n, err);
	if (!st && n->uid_base && !n->network_uid)
		n->network_uid = n->uid_base + 1;
	return st;
}

enum xos_status xos_node_save(const struct xos_node *n, struct xos_err *err)
{
	struct xos_buf b;
	xos_buf_init(&b, 4096);
	xos_buf_printf(&b, "# Written by xos-node init.\nname = %s\nsite = %s\naddress = %s\n",
	    n->name, n->site, n->address);
	if (n->data_url)
		xos_buf_printf(&b, "data_url = %s\n", n->data_url);
	if (n->member)
		xos_buf_printf(&b, "member = %s\n", n->member);
	if (n->top)
		xos_buf_printf(
		    &b, "top = %s\nnetwork_uid = %lld\n", n->top, (long long)n->network_uid);
	xos_buf_printf(&b, "jobs_port = %lld\nuid_base = %lld\n", (long long)n->jobs_port,
	    (long long)n->uid_base);
	return write_text(n, "node.conf", &b, err);
}

void xos_node_free(struct xos_node *n)
{
	xos_config_free(keys, NKEYS, n);
}

static enum xos_status write_credd(
    const struct xos_node *n, const struct xos_node_urls *u, struct xos_err *err)
{
	struct xos_buf b;
	xos_buf_init(&b, 8192);
	xos_buf_printf(&b,
	    "# Written by xos-node join; see xos-credd(8).\nvo = %s\nnode = %s\nsite = %s\n", u->vo,
	    n->name, n->site);
	xos_buf_printf(&b, "site_key = %s/site.pub\n", n->top ? n->top : ".");
	if (n->uid_base)
		xos_buf_printf(&b, "slices = %s/slices\n", n->top ? n->top : ".");
	xos_buf_put_str(&b, "trust = trust\nstate = credd\n"
	                    "socket = run/credd.sock\ntls_certificate = credd/node.pem\n"
	                    "tls_key = credd/node.key\n");
	xos_buf_printf(&b, "vops = %s\nrca = %s\n", u->vops, u->rca);
	if (u->ca)
		xos_buf_printf(&b, "ca = %s\n", u->ca);
	if (n->uid_base)
		/* No service users: of the job service only its starter, as root, asks about others. */
		xos_buf_printf(&b, "user = %lld\n", (long long)n->uid_base);
	else
		xos_buf_printf(&b, "member = %s\n", n->member);
	return write_text(n, "credd.conf", &b, err);
}

static enum xos_status write_jobd(
    const struct xos_node *n, const struct xos_node_urls *u, struct xos_err *err)
{
	struct xos_buf b;
	bool v6 = strchr(n->address, ':');
	xos_buf_init(&b, 8192);
	xos_buf_printf(&b,
	    "# Written by xos-node join; see xos-jobd(8).\nvo = %s\nnode = %s\nsite = %s\n", u->vo,
	    n->name, n->site);
	xos_buf_printf(&b, "listen = %s%s%s:%lld\n", v6 ? "[" : "", n->address, v6 ? "]" : "",
	    (long long)n->jobs_port);
	xos_buf_put_str(&b, "trust = trust\nstate = jobd\ntls_certificate = tls/jobs.pem\n"
	                    "tls_key = tls/jobs.key\ncredd_socket = run/credd.sock\n");
	if (!n->top)
		xos_buf_put_str(&b, "vos = vos\n");
	xos_buf_printf(&b, "rca = %s\n", u->rca);
	if (u->accounting)
		xos_buf_printf(&b, "accounting = %s\n", u->accounting);
	if (n->uid_base)
		xos_buf_printf(&b, "user_network = %lld\ncredd_user = %lld\n",
		    (long long)n->network_uid, (long long)n->uid_base);
	else
		xos_buf_printf(&b, "member = %s\n", n->member);
	return write_text(n, "jobd.conf", &b, err);
}

enum xos_status xos_node_write_configs(
    const struct xos_node *n, const struct xos_node_urls *urls, struct xos_err *err)
{
	struct xos_buf b;
	xos_buf_init(&b, 1024);
	xos_buf_printf(&b, "# Written by xos-node join.\nvo = %s\nrca = %s\n", urls->vo, urls->rca);
	enum xos_status st = write_text(n, "vo.conf", &b, err);
	if (!st)
		st = write_credd(n, urls, err);
	return st ? st : write_jobd(n, urls, err);
}

enum xos_status xos_node_list_place(
    const struct xos_node *n, struct xos_bytes list, struct xos_err *err)
{
	char path[PATH_MAX];
	struct stat s;
	enum xos_status st = xos_node_path(n, "trust/trust.jws", path, err);
	if (!st && (stat(path, &s) != 0 || (list.n && s.st_size == 0)))
		st = xos_file_write(path, 0644, list, err);
	uid_t owner = n->uid_base ? (uid_t)n->uid_base : geteuid();
	if (!st && geteuid() == 0 && lchown(path, owner, (gid_t)-1) != 0)
		st = xos_err_errno(err, errno, "trust-list", "cannot give %s to xos-credd", path);
	return st;
}
