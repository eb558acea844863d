#ifndef XOS_NODE_VERBS_H
#define XOS_NODE_VERBS_H

#include "cli/cli.h"
#include "node/layout.h"
#include "node/vos.h"

/* --dir, common to the verbs of the machine's owner. */
extern const char *xos_node_opt_dir;
#define XOS_NODE_DIR_OPTION                                                                        \
	{                                                                                          \
		"dir", "DIR", "the folder that holds the node", NULL, &xos_node_opt_dir, NULL      \
	}
/* --vo, which of its VOs; NULL: all. */
extern const char *xos_node_opt_vo;
#define XOS_NODE_VO_OPTION                                                                         \
	{                                                                                          \
		"vo", "NAME", "only this one of the node's VOs", NULL, &xos_node_opt_vo, NULL      \
	}
#define XOS_NODE_NO_OPTION                                                                         \
	{                                                                                          \
		NULL, NULL, NULL, NULL, NULL, NULL                                                 \
	}
/* Loads what --dir names: the node's own folder. */
XOS_MUST_USE enum xos_status xos_node_open(struct xos_node *n, struct xos_err *err);

#define XOS_NODE_VERB(name)                                                                        \
	enum xos_status xos_node_verb_##name(                                                      \
	    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
XOS_NODE_VERB(init);
XOS_NODE_VERB(join);
XOS_NODE_VERB(start);
XOS_NODE_VERB(stop);
XOS_NODE_VERB(status);
XOS_NODE_VERB(doctor);
XOS_NODE_VERB(leave);
XOS_NODE_VERB(renew);
XOS_NODE_VERB(ssh_host);
XOS_NODE_VERB(known_hosts);
XOS_NODE_VERB(applications);
XOS_NODE_VERB(approve);
XOS_NODE_VERB(deny);
XOS_NODE_VERB(list);
XOS_NODE_VERB(ban);
XOS_NODE_VERB(unban);
XOS_NODE_VERB(remove);
XOS_NODE_VERB(describe);
XOS_NODE_VERB(sites);
XOS_NODE_VERB(admission);
XOS_NODE_VERB(code);
XOS_NODE_VERB(codes);
XOS_NODE_VERB(revoke);
XOS_NODE_VERB(accounts);
XOS_NODE_VERB(whois);
extern const struct xos_cli_option xos_node_init_options[], xos_node_join_options[],
    xos_node_dir_options[], xos_node_leave_options[], xos_node_deny_options[],
    xos_node_ban_options[], xos_node_unban_options[], xos_node_ssh_host_options[],
    xos_node_known_hosts_options[], xos_node_renew_options[], xos_node_approve_options[],
    xos_node_list_options[], xos_node_admission_options[], xos_node_code_options[],
    xos_node_codes_options[], xos_node_whois_options[];

/* The node and those of its VOs that are meant (daemons.c). */
XOS_MUST_USE enum xos_status xos_node_open_parts(
    struct xos_node *top, struct xos_node_parts **parts, struct xos_err *err);
/* To ask the xos-credd of this part (daemons.c). */
struct xos_local;
XOS_MUST_USE enum xos_status xos_node_credd(
    const struct xos_node *n, struct xos_local **out, struct xos_err *err);
/* The part for the VO that --vo names, or the only one; usage error if it names none of several (daemons.c). */
XOS_MUST_USE enum xos_status xos_node_open_part(struct xos_node *n, struct xos_err *err);
/* Stops what `start` started, of all VOs (daemons.c). */
XOS_MUST_USE enum xos_status xos_node_stop_all(const struct xos_node *top, struct xos_err *err);
/* Starts xos-jobd for the VOs that the node belongs to now; anew if it runs for others (daemons.c). */
XOS_MUST_USE enum xos_status xos_node_jobd_start(const struct xos_node *top, struct xos_err *err);

/* vo.conf, written by join (renew.c). *j is zeroed. */
struct xos_node_joined {
	char *vo, *rca;
};
XOS_MUST_USE enum xos_status xos_node_joined_load(
    const struct xos_node *n, struct xos_node_joined *j, struct xos_err *err);
void xos_node_joined_free(struct xos_node_joined *j);
/* With the rights of whom the key belongs to, until xos_node_as_ourselves. */
XOS_MUST_USE enum xos_status xos_node_as_owner(const char *key, uid_t *owner, struct xos_err *err);
void xos_node_as_ourselves(void);

/* What this machine is, for whoever approves; no program believes any of it (machine.c). */
void xos_node_describe_machine(struct xos_json *about);
/* What waits, or what a node is, as the resource authority tells it; "says the node" with what is its own word. */
void xos_node_print_application(const struct xos_json *a);
void xos_node_print_about(const struct xos_json *about);

/* Renews the certificates of the node and its services that are past half of their life, or all by force (renew.c). */
XOS_MUST_USE enum xos_status xos_node_renew(
    const struct xos_node *n, bool force, bool *renewed, struct xos_err *err);

#endif
