#include "cli/rules.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/rules.h"
#include "base/text.h"

static enum xos_status ask(
    bool may_ask, const char *vo, const struct xos_rules *r, struct xos_err *err)
{
	char answer[16] = "";

	if (!may_ask || !isatty(STDIN_FILENO))
		return xos_err_set(err, XOS_DENIED, "rules-not-accepted",
		    "VO %s has rules that you have not accepted (version %llu): log in on a "
		    "terminal to read and accept them, or read them with xos-vo rules show and say "
		    "--accept-rules %llu",
		    vo, (unsigned long long)r->version, (unsigned long long)r->version);
	fprintf(stderr, "Rules of VO %s, version %llu:\n\n", vo, (unsigned long long)r->version);
	xos_cli_print_text(stderr, r->text);
	fprintf(stderr, "\nType yes to accept them: ");
	fflush(stderr);
	if (!fgets(answer, sizeof(answer), stdin) || strcmp(answer, "yes\n") != 0)
		return xos_err_set(err, XOS_DENIED, "rules-not-accepted",
		    "the rules of VO %s were not accepted: no token without", vo);
	return XOS_OK;
}

static enum xos_status compare(
    const char *accept, const char *vo, const struct xos_rules *r, struct xos_err *err)
{
	uint64_t version = 0;

	if (!xos_parse_u64(accept, UINT32_MAX, &version) || version == 0)
		return xos_cli_usage(err, "--accept-rules takes the version of the rules");
	if (version != r->version)
		return xos_err_set(err, XOS_DENIED, "rules-changed",
		    "the rules of VO %s are version %llu now, not %s: read them with xos-vo rules "
		    "show",
		    vo, (unsigned long long)r->version, accept);
	return XOS_OK;
}

enum xos_status xos_cli_accept_rules(struct xos_client *client, const struct xos_cad_login *login,
    bool may_ask, const char *accept, struct xos_err *err)
{
	struct xos_rules rules = {.text = NULL};
	enum xos_status st;

	*err = (struct xos_err)XOS_ERR_INIT;
	st = xos_rules_fetch(client, login->vo, &rules, err);
	if (st == XOS_OK)
		st = accept ? compare(accept, login->vo, &rules, err)
		            : ask(may_ask, login->vo, &rules, err);
	if (st == XOS_OK)
		st = xos_rules_accept(client, login, &rules, err);
	xos_rules_clear(&rules);
	return st;
}
