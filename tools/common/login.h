#ifndef XOS_CLI_LOGIN_H
#define XOS_CLI_LOGIN_H

#include "api/cad.h"
#include "base/status.h"
#include "cli/cli.h"
#include "cli/vo.h"

/*
 * Logging in, for xos-login and for every tool that finds no valid token. Secrets come from a descriptor, a line
 * each in the order in which they are asked for (password or one-time code, then the code of a second factor if
 * there is one), or are prompted for.
 */
struct xos_cli_login {
	const char *member;
	const char *const *roles;
	size_t nroles;
	int64_t lifetime; /* seconds; 0: the VO's default */
	bool code;        /* with a one-time code, not a password */
	bool from_stdin;
	const char *fd; /* text of --password-fd, NULL if not given */
	/* The VO's rules, if there are some that the member has not accepted: */
	bool no_questions;        /* they are not asked about */
	const char *accept_rules; /* text of --accept-rules: this version is accepted; or NULL */
	struct xos_bytes
	    csr; /* of a key that stands elsewhere; empty: one is made (xos_cli_login) */
};

/* Operand, else who logged in last, else $USER. A usage error if that is nobody. */
XOS_MUST_USE enum xos_status xos_cli_login_member(const struct xos_cli_vo *vo, const char *operand,
    char out[XOS_MEMBER_MAX + 1], struct xos_err *err);
/* Asks for what is needed, and logs in. The token is in *out alone: nothing is written. */
XOS_MUST_USE enum xos_status xos_cli_login(const struct xos_cli_vo *vo,
    const struct xos_cli_login *login, struct xos_cad_login_result *out, struct xos_err *err);
/* The same by the key of `old`, which must be a member's own token; nothing is asked for. */
XOS_MUST_USE enum xos_status xos_cli_renew(const struct xos_cli_vo *vo, const struct xos_chain *old,
    const struct xos_cli_login *login, struct xos_cad_login_result *out, struct xos_err *err);
/* Remembers who logged in. */
void xos_cli_login_remember(const struct xos_cli_vo *vo, const char *member);
/* Writes the token, and remembers who logged in. */
XOS_MUST_USE enum xos_status xos_cli_login_keep(const struct xos_cli_vo *vo, const char *path,
    const struct xos_cad_login_result *result, struct xos_err *err);

/* expired: whose log-in it was, and with which roles; NULL if there is none. On a terminal, and unless the person wants no questions: asks whether to log in now, and does it; chain is then
 * the new token. Else, or if the answer is no, gives st back with err as it was. */
XOS_MUST_USE enum xos_status xos_cli_login_offer(const struct xos_cli_vo *vo,
    const struct xos_token_info *expired, enum xos_status st, struct xos_chain *chain,
    struct xos_err *err);

/* The six digits that a device shows, out of what was typed. MALFORMED with code "totp-form". */
XOS_MUST_USE enum xos_status xos_cli_totp_read(
    struct xos_secret *typed, char out[XOS_TOTP_DIGITS + 1], struct xos_err *err);

/* Reads a new password (asked for twice on a terminal) and has the authority set it, by a command of `token`. */
XOS_MUST_USE enum xos_status xos_cli_set_password(const struct xos_cli *cli,
    const struct xos_chain *token, bool from_stdin, const char *fd, struct xos_err *err);

#endif
