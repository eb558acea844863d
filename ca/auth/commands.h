#ifndef XOS_CA_COMMANDS_H
#define XOS_CA_COMMANDS_H

#include <stdbool.h>

#include "api/command.h"
#include "ca/auth/auth.h"
#include "ca/auth/verifiers.h"

/*
 * Commands of administrators in the auth process. One file a noun (command_*.c), each with its table of
 * verbs; commands.c checks signer and right, opens the transaction, writes the act and has it logged.
 *
 * What a writing verb did and its act are one transaction. The order is: prepare a new verifier (if
 * any), commit change and act, apply the verifier, have the key process copy the act into the signed log, answer.
 * What dies in between is finished at the next start (verifiers.h, acts.h) and was not acknowledged.
 */
struct ca_call {
	struct ca_auth *auth;
	const struct xos_command *command;
	int64_t now;
	/* To be filled by the verb. */
	struct xos_json *result;
	bool sets_verifier;
	struct ca_verifier_change verifier;
};

struct ca_verb {
	const char *name;
	bool writes;
	bool any_member; /* members who are no administrators may ask; the verb says about what */
	enum xos_status (*run)(struct ca_call *c, struct xos_err *err);
};

struct ca_verbs {
	const struct ca_verb *verb;
	size_t n;
};
extern const struct ca_verbs ca_member_verbs, ca_group_verbs, ca_lock_verbs, ca_vo_verbs;
extern const struct ca_verbs ca_code_verbs, ca_self_verbs, ca_totp_verbs, ca_log_verbs;
extern const struct ca_verbs ca_standing_verbs, ca_grouptree_verbs, ca_application_verbs;
extern const struct ca_verbs ca_import_verbs, ca_invitation_verbs, ca_rules_verbs, ca_sealed_verbs,
    ca_robot_verbs, ca_grant_verbs;

/* args.name as a string; borrowed from the command. */
XOS_MUST_USE enum xos_status ca_arg(
    struct ca_call *c, const char *key, const char **value, struct xos_err *err);
/* args.verifier as the member's new verifier; the iterations must be the VO's. */
XOS_MUST_USE enum xos_status ca_arg_verifier(
    struct ca_call *c, const char *member, struct xos_err *err);
#define CA_CODE_LIFE (24 * 3600) /* of a one-time code, seconds, unless the command says */
#define CA_CODE_LIFE_MIN 60
#define CA_CODE_LIFE_MAX (7 * 24 * 3600)
/* The same for a one-time code, which replaces the member's older one: args.verifier, with the salt of codes,
 * and when it ends: args.until (a time) or args.for (seconds). The end stands in c->verifier.until. */
XOS_MUST_USE enum xos_status ca_arg_code(
    struct ca_call *c, const char *member, struct xos_err *err);
/* Is the signer an administrator, by token and by membership now? */
XOS_MUST_USE enum xos_status ca_demand_admin(struct ca_call *c, struct xos_err *err);

/* The signer's membership now, in good standing and not locked; *out is the caller's also on failure, or NULL. */
XOS_MUST_USE enum xos_status ca_signer_now(
    struct ca_call *c, struct ca_member **out, struct xos_err *err);

/* args.until and args.contact of a member just added, where they are there. */
XOS_MUST_USE enum xos_status ca_member_details(
    struct ca_call *c, const char *name, struct xos_err *err);

/* args.groups and args.roles, each joined and granted. */
XOS_MUST_USE enum xos_status ca_member_joins(
    struct ca_call *c, const char *name, struct xos_err *err);

/*
 * Rights below the VO's (rights.c): whoever holds /<vo>/<group>/Role=admin administers that group and all
 * below it, nothing above or beside. For verbs marked any_member. A VO administrator may always.
 */
/* Does the member hold Role=admin of the VO, of this group or of one above it? What is active in a token is
 * another question. */
bool ca_member_administers(const char *vo, const struct ca_member *member, const char *group);
/* May the signer change what is in this group: who is in it, roles in it? */
XOS_MUST_USE enum xos_status ca_demand_group_admin(
    struct ca_call *c, const char *group, struct xos_err *err);
/* The same for the group that a role belongs to. MALFORMED if it is no role. */
XOS_MUST_USE enum xos_status ca_demand_role_admin(
    struct ca_call *c, const char *role, struct xos_err *err);
/* May the signer add, remove or describe this group? Who administers the one above may. */
XOS_MUST_USE enum xos_status ca_demand_parent_admin(
    struct ca_call *c, const char *group, struct xos_err *err);

#endif
