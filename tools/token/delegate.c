/* xos-token delegate: lets somebody else's key act for the member, within what is said; signed here, no server asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/chainjson.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "cli/restriction.h"
#include "pki/csr.h"
#include "token/delegation.h"
#include "token/stock.h"
#include "tokentool/stock.h"
#include "tokentool/verbs.h"

#define LIFETIME 3600 /* seconds, if nobody says */
#define ID_BYTES 16
#define REQUEST_MAX 16384

static const char *opt_node, *opt_actor, *opt_id, *opt_depth, *opt_lifetime, *opt_until,
    *opt_restrict, *opt_out;
static bool opt_stock;

const struct xos_cli_option token_delegate_options[] = {
    {"for", "ACTOR", "who acts: a word such as task or transfer", NULL, &opt_actor, NULL},
    {"node", "NODE", "only on this node; with --stock: SITE/NODE", NULL, &opt_node, NULL},
    {"id", "ID", "by which it can be locked and found (default: made up)", NULL, &opt_id, NULL},
    {"depth", "N", "how often it may be passed on; 0", NULL, &opt_depth, NULL},
    {"lifetime", "DURATION", "for how long, as 10m or 2h; 1h", NULL, &opt_lifetime, NULL},
    {"until", "TIME", "until when, as 2026-11-29T14:00:00Z", NULL, &opt_until, NULL},
    {"restrict", "FILE", "what it may do: a delegation policy; - is standard input", NULL,
        &opt_restrict, NULL},
    {"stock", NULL, "a proxy for grid programs, without any restriction, if policy permits it",
        &opt_stock, NULL, NULL},
    {"out", "FILE", "write it there", NULL, &opt_out, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

struct work {
	struct xos_cli_vo *vo;
	struct xos_chain token;
	struct xos_token_info *who;
	struct xos_buf request; /* DER */
	struct xos_csr csr;
	struct xos_key *key; /* made here; NULL: the request's sender has it */
	struct xos_buf restriction;
	struct xos_delegation d;
	struct xos_chain chain; /* what comes of it */
};

static enum xos_status read_request(struct work *w, const char *file, struct xos_err *err)
{
	struct xos_buf text;
	enum xos_status st = XOS_OK;

	if (!file) {
		st = xos_key_generate(&w->key, err);
		return st == XOS_OK ? xos_csr_make(w->key, &w->request, err) : st;
	}
	xos_buf_init(&text, REQUEST_MAX);
	st = xos_file_read(file, REQUEST_MAX, &text, err);
	if (st == XOS_OK && text.n && text.p[0] == 0x30)
		xos_buf_put(&w->request, text.p, text.n);
	else if (st == XOS_OK)
		st = xos_csr_from_pem(xos_buf_bytes(&text), &w->request, err);
	xos_buf_free(&text);
	return st == XOS_OK ? xos_buf_status(&w->request)
	                    : xos_err_prefix(err, st, "the request %s", file);
}

static enum xos_status choose_end(struct work *w, int64_t now, struct xos_err *err)
{
	int64_t span = LIFETIME;

	if (opt_lifetime && opt_until)
		return xos_cli_usage(err, "--lifetime and --until exclude each other");
	if (opt_lifetime && (!xos_duration_parse(opt_lifetime, &span) || span <= 0))
		return xos_cli_usage(
		    err, "--lifetime: \"%s\" is no duration such as 10m, 2h or 1d", opt_lifetime);
	w->d.not_after = now + span;
	if (opt_until && !xos_time_parse(opt_until, &w->d.not_after))
		return xos_cli_usage(
		    err, "--until: \"%s\" is no time such as 2026-11-29T14:00:00Z", opt_until);
	return XOS_OK;
}

static enum xos_status choose_terms(struct work *w, int64_t now, struct xos_err *err)
{
	char id[2 * ID_BYTES + 1];
	uint64_t depth = 0;

	xos_random_id(id, ID_BYTES);
	if (opt_depth && !xos_parse_u64(opt_depth, XOS_DELEGATION_DEPTH_MAX, &depth))
		return xos_cli_usage(err, "--depth: \"%s\" is no number from 0 to %d", opt_depth,
		    XOS_DELEGATION_DEPTH_MAX);
	w->d.depth = (unsigned)depth;
	if (opt_stock && (opt_restrict || opt_actor || opt_id))
		return xos_cli_usage(err, "--stock: such a proxy holds no %s",
		    opt_restrict ? "restriction"
		    : opt_actor  ? "actor"
		                 : "id");
	if (opt_stock && !opt_node)
		return xos_cli_usage(
		    err, "--stock: say with --node for the programs of which node");
	if (!xos_str_copy(w->d.actor, sizeof(w->d.actor), opt_actor ? opt_actor : "task") ||
	    !xos_str_copy(w->d.id, sizeof(w->d.id), opt_id ? opt_id : id) ||
	    (!opt_stock && !xos_str_copy(w->d.node, sizeof(w->d.node), opt_node ? opt_node : "")))
		return xos_cli_usage(err, "--for, --id or --node: too long");
	return choose_end(w, now, err);
}

static enum xos_status sign(struct work *w, int64_t now, struct xos_err *err)
{
	struct xos_cert *leaf = NULL;
	enum xos_status st = XOS_OK;

	if (opt_stock) {
		/* Of a delegation none is made, whatever policy says. */
		if (w->who->nsteps == 0)
			st = token_stock_permitted(
			    w->vo, w->who->claims->name, opt_node, now, &w->d.not_after, err);
		if (st == XOS_OK)
			st = xos_stock_sign(
			    &w->token, w->csr.spki, w->d.depth, w->d.not_after, now, &leaf, err);
	} else {
		st = xos_cli_restriction(opt_restrict, w->who->claims->name, &w->restriction, err);
		w->d.restriction = w->restriction.p;
		w->d.restriction_len = w->restriction.n;
		if (st == XOS_OK)
			st = xos_delegation_sign(&w->token, w->csr.spki, &w->d, now, &leaf, err);
	}
	if (st == XOS_OK)
		st = xos_chain_add(&w->chain, leaf);
	for (size_t i = 0; st == XOS_OK && i < w->token.n; i++)
		st = xos_chain_add(&w->chain, w->token.cert[i]);
	if (st == XOS_OK && w->key)
		w->chain.key = xos_key_ref(w->key);
	/* What was asked for may have been cut to the token's. */
	if (st == XOS_OK)
		w->d.not_after = xos_cert_not_after(leaf);
	xos_cert_free(leaf);
	return st;
}

static enum xos_status put(struct work *w, const struct xos_cli *cli, struct xos_err *err)
{
	struct xos_buf pem;
	enum xos_status st = XOS_OK;

	if (w->key)
		return xos_tokenfile_write(opt_out, &w->chain, err);
	xos_buf_init(&pem, XOS_TOKENFILE_MAX);
	for (size_t i = 0; i < w->chain.n; i++)
		xos_cert_to_pem(w->chain.cert[i], &pem);
	st = xos_buf_status(&pem);
	if (st == XOS_OK && opt_out)
		st = xos_file_write(opt_out, 0644, xos_buf_bytes(&pem), err);
	else if (st == XOS_OK && !cli->json && fwrite(pem.p, 1, pem.n, stdout) != pem.n)
		st = xos_err_set(
		    err, XOS_UNAVAILABLE, "output", "standard output cannot be written");
	xos_buf_free(&pem);
	return st;
}

static enum xos_status tell_json(const struct work *w, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object();

	xos_json_set_bool(doc, "stock", opt_stock);
	xos_json_set_string(doc, "for", w->who->claims->name);
	xos_json_set_string(doc, "actor", opt_stock ? NULL : w->d.actor);
	xos_json_set_string(doc, "id", opt_stock ? NULL : w->d.id);
	xos_json_set_string(doc, "node", opt_node);
	xos_json_set_time(doc, "until", w->d.not_after);
	xos_json_set_int(doc, "depth", w->d.depth);
	xos_json_set_string(doc, "out", opt_out);
	xos_chain_to_json(doc, "chain", &w->chain);
	return xos_cli_print_json(doc, err);
}

static enum xos_status tell(const struct work *w, const struct xos_cli *cli, struct xos_err *err)
{
	char what[XOS_DELEGATION_TEXT], until[XOS_TIME_TEXT];

	if (cli->json)
		return tell_json(w, err);
	xos_delegation_text(&w->d, what);
	xos_time_format(w->d.not_after, until);
	/* Standard output may be the chain. */
	fprintf(stderr, "%s: %s may act for %s until %s\n", cli->program,
	    opt_stock ? "who holds this proxy, without restriction," : what, w->who->claims->name,
	    until);
	return XOS_OK;
}

enum xos_status token_delegate(struct xos_cli *cli, int argc, char **argv, struct xos_err *err)
{
	struct work w = {.key = NULL};
	int64_t now = xos_clock_now();
	enum xos_status st = choose_terms(&w, now, err);

	xos_buf_init(&w.request, XOS_CSR_MAX);
	xos_buf_init(&w.restriction, XOS_DELEGATION_DER_MAX);
	if (st == XOS_OK && argc == 0 && !opt_out)
		st =
		    xos_cli_usage(err, "give a certification request, or --out FILE for a new key");
	if (st == XOS_OK)
		st = xos_cli_vo_load(cli, &w.vo, err);
	if (st == XOS_OK)
		st = xos_cli_token(w.vo, &w.token, &w.who, err);
	if (st == XOS_OK)
		st = read_request(&w, argc ? argv[0] : NULL, err);
	/* Proves that its sender holds the key. */
	if (st == XOS_OK)
		st = xos_csr_parse(xos_buf_bytes(&w.request), &w.csr, err);
	if (st == XOS_OK)
		st = sign(&w, now, err);
	if (st == XOS_OK)
		st = put(&w, cli, err);
	if (st == XOS_OK)
		st = tell(&w, cli, err);
	xos_chain_clear(&w.chain);
	xos_buf_free(&w.restriction);
	xos_buf_free(&w.request);
	xos_key_free(w.key);
	xos_token_info_free(w.who);
	xos_chain_clear(&w.token);
	xos_cli_vo_free(w.vo);
	return st;
}
