/* xos-policy site-key, sign: the owner's own key, and what it signs. Neither needs a VO or a server:
 * they are meant for a machine that the owner trusts more than any of them. */
#include <limits.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "bundle/siteset.h"
#include "pki/key.h"
#include "policytool/verbs.h"

#define SET_MAX (1024 * 1024)

static const char *opt_out, *opt_key, *opt_valid;

const struct xos_cli_option xos_policytool_sitekey_options[] = {
    {"out", "NAME", "writes NAME.key (keep it) and NAME.pub (for the nodes)", NULL, &opt_out, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

const struct xos_cli_option xos_policytool_sign_options[] = {
    {"site-key", "FILE", "the site's private key", NULL, &opt_key, NULL},
    {"valid", "DURATION", "how long the set is good for (365d)", NULL, &opt_valid, NULL},
    {"out", "FILE", "where the signed set goes", NULL, &opt_out, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

/* The private key is created, never replaced: a site has one, and its nodes have pinned it. */
static enum xos_status save_pair(
    const struct xos_key *key, const char *private, const char *public, struct xos_err *err)
{
	struct xos_secret *pem = NULL;
	struct xos_buf pub;
	xos_buf_init(&pub, 4096);
	enum xos_status st = xos_key_to_pem(key, &pem, err);
	if (!st)
		st = xos_file_create(private, 0600,
		    (struct xos_bytes){xos_secret_data(pem), xos_secret_len(pem)}, err);
	if (!st)
		st = xos_key_public_to_pem(key, &pub, err);
	if (!st)
		st = xos_file_write(public, 0644, xos_buf_bytes(&pub), err);
	xos_secret_free(pem);
	xos_buf_free(&pub);
	return st;
}

enum xos_status xos_policytool_sitekey(
    struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	(void)argv;
	char private[PATH_MAX], public[PATH_MAX];
	struct xos_key *key = NULL;
	if (!opt_out)
		return xos_cli_usage(err, "say where the pair goes: --out NAME");
	if (!xos_str_printf(private, sizeof(private), "%s.key", opt_out) ||
	    !xos_str_printf(public, sizeof(public), "%s.pub", opt_out))
		return xos_err_set(err, XOS_LIMIT, "path", "the path is too long");
	enum xos_status st = xos_key_generate(&key, err);
	if (!st)
		st = save_pair(key, private, public, err);
	if (!st && !cli->json)
		printf("%s: keep it where only the site's owner reads it\n"
		       "%s: give it to the site's nodes (xos-node init --site-key) and to the VO\n",
		    private, public);
	xos_key_free(key);
	return st;
}

static enum xos_status sign(const char *file, int64_t life, struct xos_err *err)
{
	struct xos_key *key = NULL;
	struct xos_buf text, compact;
	int64_t now = xos_clock_now();
	xos_buf_init(&text, 0);
	xos_buf_init(&compact, XOS_SITESET_MAX);
	enum xos_status st = xos_key_load(opt_key, NULL, NULL, &key, err);
	if (!st)
		st = xos_file_read(file, SET_MAX, &text, err);
	if (!st)
		st = xos_siteset_sign(
		    key, (const char *)text.p, text.n, file, now, now + life, &compact, err);
	if (!st)
		st = xos_file_write(opt_out, 0644, xos_buf_bytes(&compact), err);
	xos_buf_free(&compact);
	xos_buf_free(&text);
	xos_key_free(key);
	return st;
}

enum xos_status xos_policytool_sign(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	(void)argc;
	int64_t life = 0;
	char end[XOS_TIME_TEXT];
	if (!opt_key || !opt_out)
		return xos_cli_usage(err, "sign needs --site-key FILE and --out FILE");
	if (!xos_duration_parse(opt_valid ? opt_valid : "365d", &life) || life <= 0)
		return xos_cli_usage(err, "--valid takes a duration with its unit: 12h, 30d");
	enum xos_status st = sign(argv[0], life, err);
	if (!st && !cli->json) {
		xos_time_format(xos_clock_now() + life, end);
		printf("%s: signed, good until %s\n", opt_out, end);
	}
	return st;
}
