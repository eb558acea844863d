/* xos-policy site: which key signs for a site, at the policy service and at the resource authority alike. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "pki/key.h"
#include "policytool/verbs.h"

static const char *opt_key;

const struct xos_cli_option xos_policytool_site_options[] = {
    {"key", "FILE", "with add: the site's public key", NULL, &opt_key, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

static const struct {
	const char *service, *name;
} authorities[] = {{"vops", "the policy service"}, {"rca", "the resource authority"}};
#define N (sizeof(authorities) / sizeof(authorities[0]))

/* Is it as it should be there? Gone is gone, whoever did it. */
static bool done(enum xos_status st, const struct xos_err *err, bool remove)
{
	return st == XOS_OK || (remove && st == XOS_NOT_FOUND && strcmp(err->code, "no-site") == 0);
}

static enum xos_status report(const struct xos_cli *cli, const char *site, bool remove,
    const enum xos_status st[N], const struct xos_err e[N], struct xos_err *err)
{
	const char *verb = remove ? "removed" : "registered";
	size_t good = 0, bad = 0;

	for (size_t i = 0; i < N; i++) {
		good += st[i] == XOS_OK;
		if (!done(st[i], &e[i], remove))
			bad = i + 1;
	}
	/* Nobody knew it. */
	if (!bad && good == 0)
		return xos_err_set(err, st[0], e[0].code, "%s", e[0].text);
	if (!bad && cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set_string(doc, "site", site);
		xos_json_set_bool(doc, verb, true);
		return xos_cli_print_json(doc, err);
	}
	if (!bad) {
		xos_cli_say("the site %s is %s at the policy service and the resource authority%s",
		    site, verb,
		    remove ? "" : ": sets and admission terms that its key signed are taken");
		return XOS_OK;
	}
	for (size_t i = 0; i < N; i++)
		if (i + 1 != bad && done(st[i], &e[i], remove))
			return xos_err_set(err, st[bad - 1], e[bad - 1].code,
			    "the site %s is %s at %s, but not at %s: %s; repeat the command when "
			    "that "
			    "is mended",
			    site, verb, authorities[i].name, authorities[bad - 1].name,
			    e[bad - 1].text);
	return xos_err_set(err, st[bad - 1], e[bad - 1].code, "%s", e[bad - 1].text);
}

/* Both are asked, whatever the first says. Takes args. */
static enum xos_status tell(const struct xos_cli *cli, const char *site, bool remove,
    struct xos_json *args, struct xos_err *err)
{
	enum xos_status st[N];
	struct xos_err e[N];

	for (size_t i = 0; i < N; i++) {
		e[i] = (struct xos_err)XOS_ERR_INIT;
		st[i] = xos_cli_command(cli, authorities[i].service,
		    remove ? "site.remove" : "site.register", xos_json_copy(args), NULL, &e[i]);
	}
	xos_json_free(args);
	return report(cli, site, remove, st, e, err);
}

static enum xos_status site_add(struct xos_cli *cli, const char *site, struct xos_err *err)
{
	struct xos_key *key = NULL;
	if (!opt_key)
		return xos_cli_usage(err, "give the site's public key: --key FILE");
	enum xos_status st = xos_key_public_load(opt_key, &key, err);
	if (st)
		return st;
	struct xos_buf pem;
	xos_buf_init(&pem, 4096);
	st = xos_key_public_to_pem(key, &pem, err);
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "site", site);
	xos_json_set_string(args, "key", st ? NULL : xos_buf_str(&pem));
	xos_buf_free(&pem);
	xos_key_free(key);
	if (st) {
		xos_json_free(args);
		return st;
	}
	return tell(cli, site, false, args, err);
}

enum xos_status xos_policytool_site(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	if (strcmp(argv[0], "add") == 0)
		return site_add(cli, argv[1], err);
	if (strcmp(argv[0], "remove") != 0)
		return xos_cli_usage(err, "'%s' is neither add nor remove", argv[0]);
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "site", argv[1]);
	return tell(cli, argv[1], true, args, err);
}
