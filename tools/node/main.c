/* xos-node: a machine joins a VO under its owner's control; the VO's administrators admit it. */
#include <stdio.h>

#include "cli/daemons.h"
#include "node/verbs.h"

static const struct xos_cli_verb verbs[] = {
    {"init", "--dir DIR --name NODE --site SITE --site-key FILE", "set a node of a site up", 0, 0,
        false, xos_node_init_options, xos_node_verb_init},
    {"join", "URL --fingerprint sha256:HEX --dir DIR",
        "apply, and once approved take the certificates", 1, 1, false, xos_node_join_options,
        xos_node_verb_join},
    {"start", "--dir DIR", "start the node's daemons", 0, 0, false, xos_node_dir_options,
        xos_node_verb_start},
    {"stop", "--dir DIR", "stop exactly what was started; jobs go on", 0, 0, false,
        xos_node_dir_options, xos_node_verb_stop},
    {"status", "--dir DIR", "how the node stands, and until when it works without servers", 0, 0,
        false, xos_node_dir_options, xos_node_verb_status},
    {"renew", "--dir DIR",
        "renew the certificates when half of their life is over, or after their end", 0, 0, false,
        xos_node_renew_options, xos_node_verb_renew},
    {"leave", "--dir DIR --yes", "stop and remove the node", 0, 0, false, xos_node_leave_options,
        xos_node_verb_leave},
    {"applications", "", "nodes that wait for approval (administrator)", 0, 0, false, NULL,
        xos_node_verb_applications},
    {"approve", "NODE|ID", "admit a node (administrator)", 1, 1, false, NULL,
        xos_node_verb_approve},
    {"deny", "NODE|ID", "refuse a node (administrator)", 1, 1, false, xos_node_deny_options,
        xos_node_verb_deny},
    {"list", "", "the nodes of the VO", 0, 0, false, NULL, xos_node_verb_list},
    {"ban", "NODE", "stop a node (administrator)", 1, 1, false, xos_node_ban_options,
        xos_node_verb_ban},
    {"unban", "NODE", "end a ban (administrator)", 1, 1, false, xos_node_unban_options,
        xos_node_verb_unban},
};

int main(int argc, char **argv)
{
	static const struct xos_cli_program program = {
	    .name = "xos-node",
	    .about = "nodes: the owner's side, and the administrator's",
	    .verbs = verbs,
	    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
	    .examples =
	        "  xos-node init --dir /srv/n1 --name n1 --site lab --site-key lab.pub\n"
	        "  xos-node join https://127.0.0.1:4443 --fingerprint sha256:... --vo demo "
	        "--dir /srv/n1\n"
	        "  xos-node approve n1                 (an administrator, elsewhere)\n"
	        "  xos-node start --dir /srv/n1\n"
	        "  xos-node ban n1 --for 7d --message \"disk check\"   (an administrator)\n",
	};
	struct xos_err err = XOS_ERR_INIT;
	if (xos_cli_daemon_path(&err) != XOS_OK) {
		fprintf(stderr, "%s: %s\n", program.name, err.text);
		return 3;
	}
	return xos_cli_main(&program, argc, argv);
}
