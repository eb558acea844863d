#ifndef XOS_NODE_VERBS_H
#define XOS_NODE_VERBS_H

#include "cli/cli.h"
#include "node/layout.h"

/* --dir, common to the verbs of the machine's owner. */
extern const char *xos_node_opt_dir;
#define XOS_NODE_DIR_OPTION                                                                        \
	{                                                                                          \
		"dir", "DIR", "the folder that holds the node", NULL, &xos_node_opt_dir, NULL      \
	}
#define XOS_NODE_NO_OPTION                                                                         \
	{                                                                                          \
		NULL, NULL, NULL, NULL, NULL, NULL                                                 \
	}
/* Loads what --dir names. */
XOS_MUST_USE enum xos_status xos_node_open(struct xos_node *n, struct xos_err *err);

#define XOS_NODE_VERB(name)                                                                        \
	enum xos_status xos_node_verb_##name(                                                      \
	    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
XOS_NODE_VERB(init);
XOS_NODE_VERB(join);
XOS_NODE_VERB(start);
XOS_NODE_VERB(stop);
XOS_NODE_VERB(status);
XOS_NODE_VERB(leave);
XOS_NODE_VERB(renew);
XOS_NODE_VERB(applications);
XOS_NODE_VERB(approve);
XOS_NODE_VERB(deny);
XOS_NODE_VERB(list);
XOS_NODE_VERB(ban);
XOS_NODE_VERB(unban);
extern const struct xos_cli_option xos_node_init_options[], xos_node_join_options[],
    xos_node_dir_options[], xos_node_leave_options[], xos_node_deny_options[],
    xos_node_ban_options[], xos_node_unban_options[], xos_node_renew_options[];

/* Renews the certificates of the node and its services that are past half of their life, or all by force (renew.c). */
XOS_MUST_USE enum xos_status xos_node_renew(
    const struct xos_node *n, bool force, bool *renewed, struct xos_err *err);

#endif
