/* xos-policy push, list, show: what the VO's policy service keeps. */
#include <stdio.h>
#include <string.h>

#include "api/vops.h"
#include "base/file.h"
#include "bundle/siteset.h"
#include "cli/command.h"
#include "cli/vo.h"
#include "pki/key.h"
#include "policytool/verbs.h"

#define SET_MAX (1024 * 1024)

static const char *opt_site;

const struct xos_cli_option xos_policytool_push_options[] = {
    {"site", "NAME", "FILE is this site's signed set (xos-policy sign)", NULL, &opt_site, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* What sign writes are three parts of base64url joined by dots; a text has blanks or braces. The service
 * judges what it is given; this is for whoever forgot to sign. */
static bool looks_signed(const struct xos_buf *b)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t n = b->n, dots = 0;
	while (n && (b->p[n - 1] == '\n' || b->p[n - 1] == '\r'))
		n--;
	for (size_t i = 0; i < n; i++) {
		if (!memchr(letters, b->p[i], sizeof(letters) - 1))
			return false;
		dots += b->p[i] == '.';
	}
	return dots == 2;
}

static enum xos_status push_site(struct xos_cli *cli, const char *file, struct xos_err *err)
{
	struct xos_cli_vo *vo = NULL;
	struct xos_cli_client *client = NULL;
	struct xos_buf compact;
	xos_buf_init(&compact, 0);
	enum xos_status st = xos_file_read(file, XOS_SITESET_MAX, &compact, err);
	if (!st && !looks_signed(&compact))
		st = xos_err_set(err, XOS_MALFORMED, "siteset-unsigned",
		    "%s is not signed: sign it first with `xos-policy sign --site-key FILE --out "
		    "FILE %s`, and push what that wrote",
		    file, file);
	if (!st)
		st = xos_cli_vo_load(cli, &vo, err);
	if (!st)
		st = xos_cli_client_new(vo, "vops", NULL, false, &client, err);
	if (!st)
		st = xos_vops_site_set(
		    xos_cli_client(client), vo->name, opt_site, xos_buf_bytes(&compact), err);
	if (!st && !cli->json)
		printf("the set of site %s is with the VO's policy service; nodes fetch it within "
		       "their refresh interval\n",
		    opt_site);
	xos_cli_client_free(client);
	xos_cli_vo_free(vo);
	xos_buf_free(&compact);
	return st;
}

/* Errors in the text are told here, with file, line and column, before anything is sent. */
static enum xos_status push_vo(struct xos_cli *cli, const char *file, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	struct xos_buf text;
	xos_buf_init(&text, 0);
	enum xos_status st = xos_file_read(file, SET_MAX, &text, err);
	if (!st)
		st = xos_policy_set_load((const char *)text.p, text.n, file, &set, err);
	if (!st && xos_policy_set_level(set) != XOS_POLICY_VO)
		st = xos_err_set(err, XOS_MALFORMED, "policy-level",
		    "%s is no set of a VO; a site's set is signed by its owner and pushed with "
		    "--site",
		    file);
	unsigned long long serial = set ? (unsigned long long)xos_policy_set_serial(set) : 0;
	if (!st) {
		struct xos_json *args = xos_json_object();
		const char *s = xos_buf_str(&text);
		xos_json_set_string(args, "text", s);
		st = xos_cli_command_do(cli, "vops", "policy.push", args, err,
		    "serial %llu of the VO's policy is in force; nodes fetch it within their "
		    "refresh "
		    "interval",
		    serial);
	}
	xos_policy_set_unref(set);
	xos_buf_free(&text);
	return st;
}

enum xos_status xos_policytool_push(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	return opt_site ? push_site(cli, argv[0], err) : push_vo(cli, argv[0], err);
}
