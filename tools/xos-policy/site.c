/* xos-policy site: which key signs for a site. */
#include <string.h>

#include "cli/command.h"
#include "pki/key.h"
#include "policytool/verbs.h"

static const char *opt_key;

const struct xos_cli_option xos_policytool_site_options[] = {
    {"key", "FILE", "with add: the site's public key", NULL, &opt_key, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

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
	return xos_cli_command_do(cli, "vops", "site.register", args, err,
	    "sets of site %s are taken from now on, if its key signed them", site);
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
	return xos_cli_command_do(
	    cli, "vops", "site.remove", args, err, "site %s is not served any more", argv[1]);
}
