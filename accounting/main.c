/* xos-acctd: the accounting record of a VO. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounting/parts.h"
#include "base/file.h"
#include "service/own.h"
#include "service/rollover.h"

/*
 * The log's folder: key's user writes, network's group reads. As root the files in it, too, are made
 * to belong so (a folder that was set up by another user's run, or restored from a copy).
 */
static enum xos_status share(const char *dir, const struct xos_acct_config *c, struct xos_err *err)
{
	static const char *const files[] = {"records.log", "records.log.head"};
	uid_t key = 0, network = 0;
	gid_t key_group = 0, network_group = 0;
	char path[PATH_MAX];
	enum xos_status st = xos_service_own(dir, c->common.user_key, err);

	if (st != XOS_OK || geteuid() != 0 || !c->common.user_key || !c->common.user_network)
		return st;
	st = xos_service_user(c->common.user_key, &key, &key_group, err);
	if (st == XOS_OK)
		st = xos_service_user(c->common.user_network, &network, &network_group, err);
	if (st == XOS_OK && (chown(dir, key, network_group) != 0 || chmod(dir, 02750) != 0))
		st = xos_err_errno(err, errno, "state", "cannot set up %s", dir);
	for (size_t i = 0; st == XOS_OK && i < sizeof(files) / sizeof(files[0]); i++)
		if (xos_path_join(path, sizeof(path), dir, files[i]) &&
		    lchown(path, key, network_group) != 0 && errno != ENOENT)
			st = xos_err_errno(err, errno, "state", "cannot set up %s", path);
	return st;
}

static enum xos_status run(
    const struct xos_service_run *r, int argc, char **argv, struct xos_err *err)
{
	const struct xos_acct_config *c = r->conf;
	char log_dir[PATH_MAX], index_dir[PATH_MAX];
	const char *const key_paths[] = {log_dir, index_dir, NULL};
	const char *const front_paths[] = {
	    c->common.trust, c->common.tls_certificate, c->common.tls_key, log_dir, NULL};
	const struct xos_authority authority = {
	    .name = "acctd",
	    .listen = c->common.listen,
	    .parts =
	        {
	            [XOS_PART_NETWORK] = {.present = true,
	                .user = c->common.user_network,
	                .open = xos_acct_front_open,
	                .sandbox = {.name = "acctd/network",
	                    .allow = XOS_ALLOW_NET_SERVER | XOS_ALLOW_NET_CLIENT,
	                    .read_only = front_paths},
	                .serve = xos_acct_front_serve,
	                .close = xos_acct_front_close},
	            [XOS_PART_KEY] = {.present = true,
	                .user = c->common.user_key,
	                .open = xos_acct_key_open,
	                .sandbox = {.name = "acctd/key",
	                    .allow = XOS_ALLOW_FILE_WRITE,
	                    .read_write = key_paths},
	                .serve = xos_acct_key_serve,
	                .close = xos_acct_key_close},
	        },
	    .network_key = true,
	};
	enum xos_status st = xos_service_args_end(argc, argv, err);

	if (st == XOS_OK)
		st = xos_acct_path(c, XOS_ACCT_LOG_DIR, log_dir, sizeof(log_dir), err);
	if (st == XOS_OK)
		st = xos_acct_path(c, XOS_ACCT_INDEX_DIR, index_dir, sizeof(index_dir), err);
	/* Once, by the supervisor, before any part starts. */
	if (st == XOS_OK && !r->role)
		st = xos_rollover_heal(c->common.state, "accounting", err);
	if (st == XOS_OK && !r->role)
		st = share(log_dir, c, err);
	if (st == XOS_OK && !r->role)
		st = xos_service_own(index_dir, c->common.user_key, err);
	return st == XOS_OK ? xos_authority_run(&authority, r, err) : st;
}

static enum xos_status verb_rollover(
    const struct xos_service_run *r, int argc, char **argv, struct xos_err *err)
{
	(void)r;
	return xos_service_verb_rollover(argc, argv, "accounting", err);
}

static const struct xos_service_verb verbs[] = {
    {"run", "", "serve", true, run},
    {"init", "--dir DIR --vo NAME", "make a state folder with keys and requests", false,
        xos_acct_verb_init},
    {"rollover", "prepare|activate|undo --dir DIR", "the next key that signs heads", false,
        verb_rollover},
};

int main(int argc, char **argv)
{
	const struct xos_service_program program = {
	    .name = "xos-acctd",
	    .about = "accounting: keeps one record a job in a log that nobody can shorten unseen",
	    .keys = xos_acct_keys,
	    .nkeys = xos_acct_nkeys,
	    .conf_size = sizeof(struct xos_acct_config),
	    .check = xos_acct_config_check,
	    .verbs = verbs,
	    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
	    .examples = "  xos-acctd init --dir /var/lib/xos/demo/accounting --vo demo\n"
	                "  xos-acctd run --config /etc/xos/acctd.conf\n",
	};

	return xos_service_main(&program, argc, argv);
}
