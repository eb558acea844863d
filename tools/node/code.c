/* xos-node code, codes, revoke: one-time codes with which nodes are admitted without a second step. */
#include <stdio.h>
#include <string.h>

#include "api/rca.h"
#include "auth/code.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "node/verbs.h"
#include "pki/digest.h"

static const char *opt_site, *opt_node, *opt_for, *opt_uses;

const struct xos_cli_option xos_node_code_options[] = {
    {"site", "NAME", "whose nodes the code admits", NULL, &opt_site, NULL},
    {"node", "NODE", "the one node that it is for", NULL, &opt_node, NULL},
    {"for", "DURATION", "how long it is good (1d, at most 30d)", NULL, &opt_for, NULL},
    {"uses", "N", "for how many nodes of the site (1)", NULL, &opt_uses, NULL},
    XOS_NODE_NO_OPTION,
};
const struct xos_cli_option xos_node_codes_options[] = {
    {"site", "NAME", "only codes of this site", NULL, &opt_site, NULL},
    XOS_NODE_NO_OPTION,
};

static enum xos_status read_options(struct xos_json *args, struct xos_err *err)
{
	int64_t life = 86400;
	uint64_t uses = 1;
	if (!opt_site)
		return xos_cli_usage(err, "say whose nodes: --site NAME");
	if (opt_for && (!xos_duration_parse(opt_for, &life) || life <= 0))
		return xos_cli_usage(err, "--for takes a duration with its unit: 12h, 7d");
	if (opt_uses && (!xos_parse_u64(opt_uses, 1000, &uses) || uses == 0))
		return xos_cli_usage(err, "--uses takes a number from 1 to 1000");
	if (opt_node && uses != 1)
		return xos_cli_usage(err, "a code for one node is good for one use");
	xos_json_set_string(args, "site", opt_site);
	xos_json_set_string(args, "node", opt_node);
	xos_json_set_int(args, "for", life);
	xos_json_set_int(args, "uses", (int64_t)uses);
	return XOS_OK;
}

static enum xos_status print_code(const struct xos_cli *cli, struct xos_json *result,
    struct xos_secret *code, struct xos_err *err)
{
	char text[XOS_CODE_TEXT];
	const char *until = NULL;
	enum xos_status st = xos_json_get_string(result, "until", 64, &until, err);
	xos_code_format(code, text);
	if (!st && cli->json) {
		struct xos_json *doc = xos_json_copy(result);
		xos_json_set_string(doc, "code", text);
		st = xos_cli_print_json(doc, err);
	} else if (!st) {
		printf("%s\n", text);
		fprintf(stderr,
		    "good until %s; on the node: xos-node join URL --fingerprint sha256:... --dir "
		    "DIR "
		    "--code-stdin\n",
		    until);
	}
	xos_wipe(text, sizeof(text));
	return st;
}

/* Made here; the authority gets its digest, and nobody else anything. */
XOS_NODE_VERB(code)
{
	(void)argc;
	(void)argv;
	struct xos_json *args = xos_json_object(), *result = NULL;
	struct xos_secret *code = NULL;
	uint8_t digest[XOS_SHA256_LEN];
	char hex[2 * XOS_SHA256_LEN + 1];
	enum xos_status st = read_options(args, err);
	if (!st && !(code = xos_code_make()))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (!st && (st = xos_sha256(
	                (struct xos_bytes){xos_secret_data(code), xos_secret_len(code)}, digest)))
		st = xos_err_set(err, st, "digest", "SHA-256 failed");
	if (!st) {
		xos_hex_encode(hex, digest, sizeof(digest));
		xos_json_set_string(args, "digest", hex);
		st = xos_cli_command(cli, XOS_RCA_AUD, "code.make", args, &result, err);
	} else {
		xos_json_free(args);
	}
	if (!st)
		st = print_code(cli, result, code, err);
	xos_json_free(result);
	xos_secret_free(code);
	return st;
}

static const char *text_of(const struct xos_json *o, const char *key)
{
	const char *text = NULL;
	return !xos_json_opt_string(o, key, 512, &text, NULL) ? text : NULL;
}

XOS_NODE_VERB(codes)
{
	(void)argc;
	(void)argv;
	static const char *const heads[] = {"ID", "SITE", "NODE", "BY", "UNTIL", "USES"};
	struct xos_json *args = xos_json_object(), *doc = NULL;
	const struct xos_json *list = NULL;
	xos_json_set_string(args, "site", opt_site);
	enum xos_status st = xos_cli_command(cli, XOS_RCA_AUD, "code.list", args, &doc, err);
	if (!st && cli->json)
		return xos_cli_print_json(doc, err);
	if (!st)
		st = xos_json_get_array(doc, "codes", 10000, &list, err);
	if (st) {
		xos_json_free(doc);
		return st;
	}
	struct xos_cli_table *t = xos_cli_table_new(heads, 6);
	for (size_t i = 0; i < xos_json_count(list); i++) {
		const struct xos_json *c = xos_json_at(list, i);
		char uses[24] = "";
		int64_t n = 0;
		if (!xos_json_get_int64(c, "uses", 0, INT32_MAX, &n, NULL))
			xos_str_printf(uses, sizeof(uses), "%lld", (long long)n);
		const char *cells[] = {text_of(c, "id"), text_of(c, "site"), text_of(c, "node"),
		    text_of(c, "by"), text_of(c, "until"), uses};
		xos_cli_table_row(t, cells);
	}
	st = xos_cli_table_print(t, err);
	xos_json_free(doc);
	return st;
}

XOS_NODE_VERB(revoke)
{
	(void)argc;
	struct xos_json *args = xos_json_object();
	xos_json_set_string(args, "id", argv[0]);
	return xos_cli_command_do(
	    cli, XOS_RCA_AUD, "code.revoke", args, err, "code %s admits nobody any more", argv[0]);
}
