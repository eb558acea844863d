/* xos-node init: who this node is, and whose word counts on it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cli/daemons.h"
#include "node/verbs.h"
#include "pki/key.h"

#define UID_BASE_DEFAULT "1899999050" /* docs/decisions/uid-ranges.md */

static const char *opt_name, *opt_site, *opt_site_key, *opt_address, *opt_member, *opt_uid_base,
    *opt_data_url;

const struct xos_cli_option xos_node_init_options[] = {
    XOS_NODE_DIR_OPTION,
    {"name", "NODE", "name of this node", NULL, &opt_name, NULL},
    {"site", "SITE", "the site it belongs to", NULL, &opt_site, NULL},
    {"site-key", "FILE", "the site's public key; pinned from now on", NULL, &opt_site_key, NULL},
    {"address", "IP", "address to listen on (127.0.0.1)", NULL, &opt_address, NULL},
    {"data-url", "URL", "where a data service of this node serves: https://...", NULL,
        &opt_data_url, NULL},
    {"member", "NAME", "without root: the member that this user is", NULL, &opt_member, NULL},
    {"uid-base", "N", "as root: first of two user numbers for the daemons (" UID_BASE_DEFAULT ")",
        NULL, &opt_uid_base, NULL},
    XOS_NODE_NO_OPTION,
};

static enum xos_status check(struct xos_err *err)
{
	if (!xos_node_opt_dir || !opt_name || !opt_site || !opt_site_key)
		return xos_cli_usage(err, "init needs --dir, --name, --site and --site-key");
	if (!xos_name_is_node(opt_name))
		return xos_cli_usage(
		    err, "'%s' is no node name: a host name in lower case", opt_name);
	if (!xos_name_is_site(opt_site))
		return xos_cli_usage(err, "'%s' is no site name", opt_site);
	if (opt_data_url && strncmp(opt_data_url, "https://", 8) != 0)
		return xos_cli_usage(err, "--data-url takes an address that begins with https://");
	if (geteuid() != 0 && !opt_member)
		return xos_cli_usage(err,
		    "without root a node runs the jobs of its own user only: say which member that "
		    "is with --member NAME");
	if (geteuid() == 0 && opt_member)
		return xos_cli_usage(
		    err, "as root every member has an account of its own: leave --member out");
	return XOS_OK;
}

/* The site's key in PEM form, parsed and written anew as we read it. */
static enum xos_status site_key(struct xos_buf *pem, struct xos_err *err)
{
	struct xos_key *key = NULL;
	enum xos_status st = xos_key_public_load(opt_site_key, &key, err);
	if (!st)
		st = xos_key_public_to_pem(key, pem, err);
	xos_key_free(key);
	return st;
}

static enum xos_status make(struct xos_node *n, struct xos_err *err)
{
	static const char *const folders[] = {"", "credd", "tls", "jobd"};
	char path[PATH_MAX];
	struct xos_buf pem;
	int fd = -1;
	xos_buf_init(&pem, 4096);
	/* What can be wrong comes first, so that a refusal leaves no folder behind. */
	enum xos_status st = site_key(&pem, err);
	if (!st)
		st = xos_cli_free_port(n->address, &fd, &n->jobs_port, err);
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; !st && i < 4; i++) {
		if (!(st = xos_node_path(n, folders[i], path, err)))
			st = xos_dir_make(path, 0755, err);
	}
	if (!st)
		st = xos_node_write(n, "site.pub", 0644, xos_buf_bytes(&pem), err);
	if (!st)
		st = xos_node_save(n, err);
	xos_buf_free(&pem);
	return st;
}

XOS_NODE_VERB(init)
{
	(void)argc;
	(void)argv;
	struct xos_node n;
	char conf[PATH_MAX];
	uint64_t uid = 0;
	enum xos_status st = check(err);
	if (st)
		return st;
	if (geteuid() == 0 &&
	    (!xos_parse_u64(opt_uid_base ? opt_uid_base : UID_BASE_DEFAULT, INT32_MAX - 10, &uid) ||
	        uid < 1000))
		return xos_cli_usage(err, "--uid-base takes the first of two free user numbers");
	if ((st = xos_node_at(&n, xos_node_opt_dir, err)) ||
	    (st = xos_node_path(&n, "node.conf", conf, err)))
		return st;
	if (access(conf, F_OK) == 0)
		return xos_err_set(err, XOS_CONFLICT, "node-exists",
		    "%s holds a node already; remove it with: xos-node leave --dir %s", n.dir,
		    n.dir);
	union {
		const char *in;
		char *out;
	} name = {opt_name}, site = {opt_site}, member = {opt_member}, data = {opt_data_url},
	  address = {opt_address ? opt_address : "127.0.0.1"};
	n.name = name.out;
	n.site = site.out;
	n.member = member.out;
	n.data_url = data.out;
	n.address = address.out;
	n.uid_base = (int64_t)uid;
	st = make(&n, err);
	if (!st && !cli->json)
		printf("node %s of site %s is set up in %s; join a VO with: xos-node join URL "
		       "--fingerprint sha256:... --dir %s\n",
		    opt_name, opt_site, n.dir, xos_node_opt_dir);
	return st;
}
