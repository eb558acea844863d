#ifndef XOS_RCA_COMMANDS_H
#define XOS_RCA_COMMANDS_H

#include "rca/rights.h"

/* A command under way. */
struct rca_call {
	struct xos_command *c;
	struct rca_signer who;
	char site[XOS_SITE_MAX + 1]; /* that it is about; "": none in particular */
	enum rca_side side;          /* as whom the signer acts there */
	int64_t now;
};

/* May the signer give this command? Fills site and side. Before anything is written, the log included. */
XOS_MUST_USE enum xos_status rca_command_allow(
    struct rca_auth *a, struct rca_call *call, struct xos_err *err);
/* Carries out what was allowed. */
XOS_MUST_USE enum xos_status rca_auth_command(
    struct rca_auth *a, struct rca_call *call, struct xos_json **result, struct xos_err *err);

/* Does the signer see what is about this site? */
bool rca_call_sees(struct rca_auth *a, const struct rca_call *call, const char *site);
/* What waits and the signer sees; what: an id or a node's name, NULL for all. */
XOS_MUST_USE enum xos_status rca_applications_seen(struct rca_auth *a, const struct rca_call *call,
    const char *what, struct xos_json **out, struct xos_err *err);

/* The handlers of the verbs, by file. */
typedef enum xos_status (*rca_command_fn)(
    struct rca_auth *a, struct rca_call *call, struct xos_json **result, struct xos_err *err);
#define RCA_COMMAND_OF(name)                                                                       \
	enum xos_status rca_command_##name(struct rca_auth *a, struct rca_call *call,              \
	    struct xos_json **result, struct xos_err *err)
RCA_COMMAND_OF(ban); /* command_node.c */
RCA_COMMAND_OF(unban);
RCA_COMMAND_OF(remove);
RCA_COMMAND_OF(describe);
RCA_COMMAND_OF(site_register); /* command_site.c */
RCA_COMMAND_OF(site_remove);
RCA_COMMAND_OF(site_list);
RCA_COMMAND_OF(code_make);
RCA_COMMAND_OF(code_list);
RCA_COMMAND_OF(code_revoke);

#endif
