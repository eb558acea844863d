/* xos-node ssh-host: host certificates for this machine's sshd. xos-node known-hosts: whom to believe, for ssh. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/sshhost.h"
#include "base/file.h"
#include "cli/vo.h"
#include "net/tls.h"
#include "node/verbs.h"
#include "service/client.h"
#include "service/sshhost.h"

#define KEYS_DEFAULT "/etc/ssh"
#define OUT_DEFAULT "credd/ssh" /* where xos-credd keeps them */

static const char *opt_keys, *opt_out, *opt_hosts;

const struct xos_cli_option xos_node_ssh_host_options[] = {
    XOS_NODE_DIR_OPTION,
    XOS_NODE_VO_OPTION,
    {"keys", "FOLDER", "with the public host keys (" KEYS_DEFAULT ")", NULL, &opt_keys, NULL},
    {"out", "FOLDER", "for the certificates (DIR/" OUT_DEFAULT ", where xos-credd renews them)",
        NULL, &opt_out, NULL},
    XOS_NODE_NO_OPTION,
};
const struct xos_cli_option xos_node_known_hosts_options[] = {
    {"hosts", "PATTERNS", "for which names, as in known_hosts (the names of the VO's nodes)", NULL,
        &opt_hosts, NULL},
    XOS_NODE_NO_OPTION,
};

static enum xos_status absolute(const char *path, char out[PATH_MAX], struct xos_err *err)
{
	if (path[0] == '/' && strlen(path) < PATH_MAX) {
		memcpy(out, path, strlen(path) + 1);
		return XOS_OK;
	}
	return xos_cli_usage(err, "'%s' must be an absolute path", path);
}

static enum xos_status paths(
    const struct xos_node *n, char keys[PATH_MAX], char out[PATH_MAX], struct xos_err *err)
{
	enum xos_status st = absolute(opt_keys ? opt_keys : KEYS_DEFAULT, keys, err);

	if (st == XOS_OK)
		st =
		    opt_out ? absolute(opt_out, out, err) : xos_node_path(n, OUT_DEFAULT, out, err);
	return st;
}

/* Trust and the node's own chain, read with the rights of whom the key belongs to. */
static enum xos_status identity(
    const struct xos_node *n, struct xos_trust *trust, struct xos_chain *own, struct xos_err *err)
{
	char path[PATH_MAX], cert[PATH_MAX], key[PATH_MAX];
	uid_t owner = 0;
	enum xos_status st = xos_node_path(n, "trust", path, err);

	if (st == XOS_OK)
		st = xos_trust_load(trust, path, err);
	if (st == XOS_OK)
		st = xos_node_path(n, "credd/node.pem", cert, err);
	if (st == XOS_OK)
		st = xos_node_path(n, "credd/node.key", key, err);
	if (st == XOS_OK)
		st = xos_node_as_owner(key, &owner, err);
	if (st == XOS_OK)
		st = xos_tls_load(cert, key, own, err);
	return st;
}

static void print_host(const struct xos_sshhost *h, const char *out, size_t n)
{
	printf("%zu host certificates are in %s; for sshd_config:\n", n, out);
	for (size_t i = 0; i < n; i++)
		printf("HostCertificate %s/%s\n", out, xos_sshhost_name(h, i));
}

static enum xos_status print_host_json(
    const struct xos_sshhost *h, const char *out, size_t n, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object();
	const char *names[XOS_RCA_SSH_KEYS_MAX];

	for (size_t i = 0; i < n; i++)
		names[i] = xos_sshhost_name(h, i);
	xos_json_set_string(doc, "folder", out);
	xos_json_set_strings(doc, "certificates", names, n);
	return xos_cli_print_json(doc, err);
}

XOS_NODE_VERB(ssh_host)
{
	struct xos_node n = {.name = NULL};
	struct xos_node_joined j = {.vo = NULL};
	struct xos_trust *trust = xos_trust_new();
	struct xos_chain own = {.n = 0};
	struct xos_sshhost *h = NULL;
	char keys[PATH_MAX], out[PATH_MAX];
	size_t made = 0;
	enum xos_status st = trust ? xos_node_open_part(&n, err)
	                           : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");

	(void)argc;
	(void)argv;
	if (st == XOS_OK)
		st = paths(&n, keys, out, err);
	if (st == XOS_OK)
		st = xos_node_joined_load(&n, &j, err);
	if (st == XOS_OK)
		st = identity(&n, trust, &own, err);
	/* What lands in a folder of one's own choice is one's own; the daemon's is the daemon's. */
	if (opt_out)
		xos_node_as_ourselves();
	const struct xos_sshhost_options o = {.keys = keys, .out = out, .url = j.rca, .vo = j.vo};
	if (st == XOS_OK)
		st = xos_sshhost_new(&o, &h, err);
	if (st == XOS_OK)
		st = xos_sshhost_round(h, trust, &own, true, &made, err);
	xos_node_as_ourselves();
	if (st == XOS_OK && cli->json)
		st = print_host_json(h, out, made, err);
	else if (st == XOS_OK)
		print_host(h, out, made);
	xos_sshhost_free(h);
	xos_chain_clear(&own);
	xos_trust_free(trust);
	xos_node_joined_free(&j);
	xos_node_free(&n);
	return st;
}

/* Names of the nodes, with and without a port of their own. */
static enum xos_status all_nodes(
    struct xos_client *c, const char *vo, struct xos_buf *out, struct xos_err *err)
{
	struct xos_rca_nodes *nodes = NULL;
	enum xos_status st = xos_rca_nodes_get(c, vo, &nodes, err);
	const char *comma = "";

	for (size_t i = 0; st == XOS_OK && i < nodes->n; i++) {
		if (strcmp(nodes->node[i].state, "active") != 0)
			continue;
		xos_buf_printf(out, "%s%s,[%s]:*", comma, nodes->node[i].node, nodes->node[i].node);
		comma = ",";
	}
	if (st == XOS_OK && out->n == 0)
		st =
		    xos_err_set(err, XOS_NOT_FOUND, "no-node", "the VO %s has no active nodes", vo);
	xos_rca_nodes_free(nodes);
	return st;
}

static enum xos_status print_known(
    struct xos_cli *cli, const char *hosts, const struct xos_ssh_key *key, struct xos_err *err)
{
	struct xos_buf line;
	enum xos_status st = XOS_OK;

	xos_buf_init(&line, XOS_SSH_LINE_MAX);
	xos_ssh_line(&line, (struct xos_bytes){key->blob, key->n});
	if (cli->json) {
		struct xos_json *doc = xos_json_object();

		xos_json_set_string(doc, "hosts", hosts);
		xos_json_set_string(doc, "key", xos_buf_str(&line));
		st = xos_cli_print_json(doc, err);
	} else {
		printf("@cert-authority %s %s\n", hosts, xos_buf_str(&line));
	}
	xos_buf_free(&line);
	return st;
}

XOS_NODE_VERB(known_hosts)
{
	struct xos_cli_vo *vo = NULL;
	struct xos_cli_client *client = NULL;
	struct xos_ssh_key key;
	struct xos_buf hosts;
	enum xos_status st = xos_cli_vo_load(cli, &vo, err);

	(void)argc;
	(void)argv;
	xos_buf_init(&hosts, 1 << 20);
	if (opt_hosts && strpbrk(opt_hosts, " \t\r\n"))
		st = xos_cli_usage(
		    err, "--hosts takes patterns with commas between, without spaces");
	if (st == XOS_OK)
		st = xos_cli_client_new(vo, "rca", NULL, !opt_hosts, &client, err);
	if (st == XOS_OK)
		st = xos_rca_ssh_authority(xos_cli_client(client), vo->name, vo->trust, &key, err);
	if (st == XOS_OK && opt_hosts)
		xos_buf_put_str(&hosts, opt_hosts);
	else if (st == XOS_OK)
		st = all_nodes(xos_cli_client(client), vo->name, &hosts, err);
	if (st == XOS_OK)
		st = print_known(cli, xos_buf_str(&hosts), &key, err);
	xos_buf_free(&hosts);
	xos_cli_client_free(client);
	xos_cli_vo_free(vo);
	return st;
}
