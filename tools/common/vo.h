#ifndef XOS_CLI_VO_H
#define XOS_CLI_VO_H

#include <limits.h>
#include <stdbool.h>

#include "base/name.h"
#include "base/status.h"
#include "cli/cli.h"
#include "net/client.h"
#include "pki/cert.h"
#include "token/tokenfile.h"
#include "token/trust.h"
#include "token/verify.h"

/*
 * The VOs that a person joined. They stand in --config, else $XOS_CONFIG, else
 * $XDG_CONFIG_HOME/xos, else ~/.config/xos; one folder each:
 *
 *   <vo>/root.pem      the root that was compared with the fingerprint at joining
 *   <vo>/issuers.pem   issuers below it (help to build paths, not trusted by themselves)
 *   <vo>/trust.jws     the trust list: which of them count (cli/trust.h)
 *   <vo>/vo.conf       vo = NAME, and ca, rca, vops, accounting, jobs = https://address:port
 *   default            the name of the VO joined last
 */
/* How a tool speaks to its person; what was said once is not said again. */
struct xos_cli_manners {
	char program[32];
	bool may_ask;    /* neither --json nor --no-input */
	bool may_warn;   /* not --json */
	bool clock_told; /* a clock that is wrong */
};
struct xos_cli_vo {
	char name[XOS_VO_MAX + 1];
	char dir[PATH_MAX];
	char *ca, *rca, *vops, *accounting, *jobs; /* NULL: not known */
	struct xos_trust *trust;                   /* root and issuers of this VO alone */
	struct xos_cli_manners *manners;
	bool
	    list_asked; /* for a newer trust list, because of a certificate that it does not name */
};

/* The folder that holds joined VOs, which need not exist. */
XOS_MUST_USE enum xos_status xos_cli_config_dir(
    const struct xos_cli *cli, char out[PATH_MAX], struct xos_err *err);
/* --vo, else the default. NOT_FOUND: none joined; the text says how to join. */
XOS_MUST_USE enum xos_status xos_cli_vo_load(
    const struct xos_cli *cli, struct xos_cli_vo **out, struct xos_err *err);
void xos_cli_vo_free(struct xos_cli_vo *vo);
/* The address of a service ("ca"); NOT_FOUND says what to do. */
XOS_MUST_USE enum xos_status xos_cli_vo_url(
    const struct xos_cli_vo *vo, const char *service, const char **url, struct xos_err *err);

/* Joins: writes the folder and makes the VO the default. root: checked by the caller against the
 * fingerprint. CONFLICT (code "second-root") if the VO is known with another root. Addresses that
 * are NULL stay as they were. */
struct xos_cli_join {
	const char *vo;
	const struct xos_cert *root;
	const struct xos_chain *issuers;
	struct xos_bytes list; /* the trust list, compact, verified; empty: none */
	const char *ca, *rca, *vops, *accounting, *jobs;
};
XOS_MUST_USE enum xos_status xos_cli_vo_join(
    const struct xos_cli *cli, const struct xos_cli_join *join, struct xos_err *err);

/*
 * The current token (xos_tokenfile_path), of this VO and not expired. Else NOT_FOUND, DENIED or
 * EXPIRED with one text everywhere: "You have no valid token for VO demo (expired 3m00s ago). Log in
 * with: xos-login alice". On a terminal the person is asked whether to log in here and now (cli/login.h). chain:
 * zeroed by the caller; info may be NULL.
 */
XOS_MUST_USE enum xos_status xos_cli_token(const struct xos_cli_vo *vo, struct xos_chain *chain,
    struct xos_token_info **info, struct xos_err *err);

/*
 * A client for a service of the VO, whose certificate must be of kind service, of that service and
 * this VO, under the joined root. token: use the current token as client certificate. url NULL: the
 * address from vo.conf. vo outlives the client. xos_client_identity gives the server's struct
 * xos_identity.
 */
struct xos_cli_client;
XOS_MUST_USE enum xos_status xos_cli_client_new(const struct xos_cli_vo *vo, const char *service,
    const char *url, bool token, struct xos_cli_client **out, struct xos_err *err);
struct xos_client *xos_cli_client(struct xos_cli_client *c);
/* Says, once a tool, if this machine's clock and the server's differ by more than a minute. */
void xos_cli_client_free(struct xos_cli_client *c);

#endif
