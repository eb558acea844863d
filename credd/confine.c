#include "credd/confine.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/event.h"
#include "base/file.h"
#include "base/text.h"
#include "credd/renew.h"
#include "proc/privdrop.h"
#include "local/zoneinfo.h"
#include "proc/sandbox.h"

#define WRITE_MAX (2 * XOS_CREDD_PAIRS_MAX + 5)

/* Folders in which files are replaced. */
struct folders {
	char path[WRITE_MAX][PATH_MAX];
	const char *list[WRITE_MAX + 1];
	size_t n;
};

static void add_folder_of(struct folders *f, const char *file)
{
	char *dir = f->path[f->n];
	if (!file || f->n == WRITE_MAX || !xos_str_copy(dir, PATH_MAX, file))
		return;
	char *slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return;
	*slash = '\0';
	if (access(dir, F_OK) == 0) {
		f->list[f->n] = dir;
		f->n++;
	}
}

static enum xos_status writable(
    const struct xos_credd_conf *conf, struct folders *f, struct xos_err *err)
{
	struct xos_tls_pair pairs[XOS_CREDD_PAIRS_MAX];
	size_t n = 0;
	f->list[f->n++] = conf->state;
	f->list[f->n++] = conf->trust; /* its trust.jws; more the modes of the files do not allow */
	add_folder_of(f, conf->tls_certificate);
	add_folder_of(f, conf->tls_key);
	/* Its own file, not the other VOs'. */
	if (conf->slices && xos_path_join(f->path[f->n], PATH_MAX, conf->slices, conf->vo) &&
	    access(f->path[f->n], F_OK) == 0) {
		f->list[f->n] = f->path[f->n];
		f->n++;
	}
	if (conf->sessions)
		f->list[f->n++] = conf->sessions;
	enum xos_status st = xos_credd_pairs_parse(conf->renew, pairs, &n, err);
	for (size_t i = 0; i < n; i++) {
		add_folder_of(f, pairs[i].certificate);
		add_folder_of(f, pairs[i].key);
		xos_tls_pair_clear(&pairs[i]);
	}
	return st;
}

enum xos_status xos_credd_confine(const struct xos_credd_self *self, struct xos_err *err)
{
	static struct folders write; /* large, once a process */
	const struct xos_credd_conf *conf = self->conf;
	const struct xos_proc_user user = {.uid = self->uid, .gid = self->gid};
	/* The folder of passwd, group, subuid and subgid, not the files: useradd(8) puts new files in
	 * their place, and a rule for a file goes with the old one. */
	const char *const zones = access(XOS_ZONEINFO_DIR, R_OK) == 0 ? XOS_ZONEINFO_DIR : "/etc";
	const char *const ssh = conf->ssh_host_keys && access(conf->ssh_host_keys, R_OK) == 0
	                            ? conf->ssh_host_keys
	                            : "/etc";
	/* /proc, for who leads a session and which control groups somebody is in: what any local user may read. */
	const char *const read[] = {
	    conf->trust, conf->site_key, "/etc", "/proc", zones, ssh, conf->slices, NULL};
	enum xos_status st = xos_privdrop(self->root ? &user : NULL, NULL, err);
	if (!st)
		st = writable(conf, &write, err);
	struct xos_sandbox box = {
	    .name = "credd",
	    .allow = XOS_ALLOW_NET_SERVER | XOS_ALLOW_NET_CLIENT | XOS_ALLOW_FILE_WRITE,
	    .read_only = read,
	    .read_write = write.list,
	};
	return st ? st : xos_sandbox_enter(&box, err);
}
