/* xos-node describe: all that the resource authority has of a node, or of what applies under its name. */
#include <stdio.h>
#include <string.h>

#include "api/rca.h"
#include "cli/command.h"
#include "node/verbs.h"

static const char *text_of(const struct xos_json *o, const char *key)
{
	const char *text = NULL;
	return !xos_json_opt_string(o, key, 1024, &text, NULL) && text ? text : NULL;
}

static void print_text(const struct xos_json *o, const char *key, const char *name)
{
	const char *text = text_of(o, key);
	if (text)
		xos_cli_print_pair(name, "%s", text);
}

static void print_certificate(const struct xos_json *o, const char *name)
{
	const char *serial = text_of(o, "serial"), *end = text_of(o, "not_after"),
	           *key = text_of(o, "fingerprint");
	if (serial && end && key) {
		xos_cli_print_pair(name, "serial %s, until %s", serial, end);
		xos_cli_print_pair("", "key %s", key);
	}
}

static void print_services(const struct xos_json *node)
{
	const struct xos_json *list = NULL;
	if (xos_json_opt_array(node, "services", XOS_RCA_SERVICES_MAX, &list, NULL))
		return;
	for (size_t i = 0; i < xos_json_count(list); i++) {
		const struct xos_json *s = xos_json_at(list, i);
		const char *kind = text_of(s, "kind"), *url = text_of(s, "url");
		xos_cli_print_pair("service", "%s at %s", kind ? kind : "?", url ? url : "-");
		print_certificate(s, "");
	}
}

static void print_bans(const struct xos_json *node)
{
	const struct xos_json *list = NULL;
	if (xos_json_opt_array(node, "bans", 2, &list, NULL))
		return;
	for (size_t i = 0; i < xos_json_count(list); i++) {
		const struct xos_json *b = xos_json_at(list, i);
		const char *side = text_of(b, "side"), *by = text_of(b, "by"),
		           *until = text_of(b, "until"), *why = text_of(b, "message"),
		           *since = text_of(b, "since");
		bool owner = side && strcmp(side, "owner") == 0;
		xos_cli_print_pair("banned", "by %s (%s) since %s, %s%s%s%s",
		    owner ? "its owner" : "the VO", by ? by : "the authority itself",
		    since ? since : "?", until ? "until " : "without an end", until ? until : "",
		    why && *why ? ": " : "", why ? why : "");
	}
}

static void print_hosts(const struct xos_json *node)
{
	const struct xos_json *list = NULL;
	const char *host = NULL;
	if (xos_json_opt_array(node, "hosts", XOS_RCA_HOSTS_MAX, &list, NULL))
		return;
	for (size_t i = 0; i < xos_json_count(list); i++)
		if (!xos_json_as_string(xos_json_at(list, i), XOS_NODE_MAX, &host, NULL))
			xos_cli_print_pair(i ? "" : "hosts", "%s", host);
}

static void print_node(const struct xos_json *node)
{
	const struct xos_json *about = NULL;
	print_text(node, "node", "node");
	print_text(node, "site", "site");
	print_text(node, "state", "state");
	print_text(node, "since", "since");
	print_text(node, "approved_by", "approved by");
	print_text(node, "code", "by the code");
	print_text(node, "left", "left");
	print_text(node, "left_by", "as said by");
	print_text(node, "refused_until", "refused until");
	print_hosts(node);
	print_certificate(node, "certificate");
	print_services(node);
	print_bans(node);
	if (!xos_json_opt_object(node, "about", &about, NULL) && about)
		xos_node_print_about(about);
	putchar('\n');
}

XOS_NODE_VERB(describe)
{
	(void)argc;
	struct xos_json *args = xos_json_object(), *doc = NULL;
	const struct xos_json *node = NULL, *list = NULL;
	xos_json_set_string(args, "what", argv[0]);
	enum xos_status st = xos_cli_command(cli, XOS_RCA_AUD, "node.describe", args, &doc, err);
	if (!st && cli->json)
		return xos_cli_print_json(doc, err);
	if (!st)
		st = xos_json_opt_object(doc, "node", &node, err);
	if (!st)
		st = xos_json_get_array(doc, "applications", 1000, &list, err);
	if (!st && node)
		print_node(node);
	for (size_t i = 0; !st && i < xos_json_count(list); i++) {
		printf("waits for approval:\n");
		xos_node_print_application(xos_json_at(list, i));
	}
	xos_json_free(doc);
	return st;
}
