#include "bundle/siteset.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/json.h"
#include "pki/jws.h"

void xos_siteset_free(struct xos_siteset *s)
{
	if (!s)
		return;
	xos_policy_set_unref(s->set);
	free(s->text);
	free(s);
}

static enum xos_status set_of_site(const char *text, size_t len, const char *filename,
    struct xos_policy_set **out, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	enum xos_status st = xos_policy_set_load(text, len, filename, &set, err);

	if (st != XOS_OK)
		return st;
	if (xos_policy_set_level(set) != XOS_POLICY_SITE &&
	    xos_policy_set_level(set) != XOS_POLICY_NODE)
		st = xos_err_set(err, XOS_MALFORMED, "set-level",
		    "%s: this is a set of level %s; a site signs sets of level site and node",
		    filename, xos_policy_level_name(xos_policy_set_level(set)));
	else if (xos_policy_set_serial(set) == 0)
		st = xos_err_set(err, XOS_MALFORMED, "set-serial",
		    "%s: the set needs a serial of 1 or more, raised with each change", filename);
	if (st != XOS_OK) {
		xos_policy_set_unref(set);
		return st;
	}
	*out = set;
	return XOS_OK;
}

/* Whose set is it? Of a node's set the name is SITE/NODE. */
static bool split_name(
    const struct xos_policy_set *set, char site[XOS_SITE_MAX + 1], char node[XOS_NODE_MAX + 1])
{
	const char *name = xos_policy_set_name(set), *slash = strchr(name, '/');
	size_t n = slash ? (size_t)(slash - name) : strlen(name);

	if (n > XOS_SITE_MAX || !slash != (xos_policy_set_level(set) == XOS_POLICY_SITE))
		return false;
	memcpy(site, name, n);
	site[n] = 0;
	return xos_str_copy(node, XOS_NODE_MAX + 1, slash ? slash + 1 : "");
}

enum xos_status xos_siteset_sign(const struct xos_key *site_key, const char *text, size_t len,
    const char *filename, int64_t issued, int64_t expires, struct xos_buf *out, struct xos_err *err)
{
	struct xos_policy_set *set = NULL;
	struct xos_json *doc = NULL;
	struct xos_buf copy, payload;
	char site[XOS_SITE_MAX + 1], node[XOS_NODE_MAX + 1] = "";

	xos_buf_init(&copy, XOS_POLICY_TEXT_MAX);
	xos_buf_init(&payload, XOS_SITESET_MAX);
	enum xos_status st = set_of_site(text, len, filename, &set, err);
	if (st == XOS_OK)
		st = xos_signed_check_times("the site set", issued, expires, issued, 0, err);
	if (st != XOS_OK)
		goto out;
	if (!split_name(set, site, node)) {
		st = xos_err_set(
		    err, XOS_MALFORMED, "set-name", "%s: the name is too long", filename);
		goto out;
	}
	xos_buf_put(&copy, text, len);
	doc = xos_json_object();
	xos_json_set_string(doc, "site", site);
	xos_json_set_string(doc, "node", node[0] ? node : NULL);
	xos_json_set_int(doc, "serial", (int64_t)xos_policy_set_serial(set));
	xos_json_set_time(doc, "issued", issued);
	xos_json_set_time(doc, "expires", expires);
	xos_json_set_string(doc, "text", xos_buf_str(&copy));
	st = xos_json_dump(doc, &payload, err);
	if (st == XOS_OK)
		st = xos_jws_sign(site_key, node[0] ? XOS_NODESET_TYP : XOS_SITESET_TYP,
		    xos_buf_bytes(&payload), out, err);
out:
	xos_json_free(doc);
	xos_buf_free(&payload);
	xos_buf_free(&copy);
	xos_policy_set_unref(set);
	return st;
}

/* From the payload, whose signature was verified. */
static enum xos_status parse_payload(
    struct xos_bytes payload, bool of_node, struct xos_siteset *s, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const char *text = NULL;
	enum xos_status st = xos_json_parse(payload, XOS_SITESET_MAX, &doc, err);

	if (st == XOS_OK)
		st = of_node
		         ? XOS_JSON_ONLY(
		               doc, err, "site", "node", "serial", "issued", "expires", "text")
		         : XOS_JSON_ONLY(doc, err, "site", "serial", "issued", "expires", "text");
	if (st == XOS_OK && of_node)
		st = xos_json_copy_string(doc, "node", s->node, sizeof(s->node), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "site", s->site, sizeof(s->site), err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "serial", INT64_MAX, &s->serial, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "issued", &s->issued, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "expires", &s->expires, err);
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "text", XOS_POLICY_TEXT_MAX, &text, err);
	if (st != XOS_OK)
		goto out;
	s->text_len = strlen(text);
	s->text = malloc(s->text_len + 1);
	if (!s->text) {
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		goto out;
	}
	memcpy(s->text, text, s->text_len + 1);
	st = set_of_site(s->text, s->text_len, "site set", &s->set, err);
out:
	xos_json_free(doc);
	return st;
}

/* node NULL: the site's own set. */
static enum xos_status check_whose(
    const struct xos_siteset *s, const char *site, const char *node, struct xos_err *err)
{
	char own_site[XOS_SITE_MAX + 1], own_node[XOS_NODE_MAX + 1];

	if (strcmp(s->site, site) == 0 && strcmp(s->node, node ? node : "") == 0 &&
	    split_name(s->set, own_site, own_node) && strcmp(own_site, s->site) == 0 &&
	    strcmp(own_node, s->node) == 0)
		return XOS_OK;
	return xos_err_set(err, XOS_DENIED, "wrong-site",
	    "this is a set of %s%s%s, where one of %s%s%s must be", s->site, s->node[0] ? "/" : "",
	    s->node, site, node ? "/" : "", node ? node : "");
}

static enum xos_status verify(const struct xos_key *site_key, const char *site, const char *node,
    struct xos_bytes compact, int64_t now, int64_t skew, struct xos_siteset **out,
    struct xos_err *err)
{
	const char *what = node ? "the node set" : "the site set";
	struct xos_siteset *s = NULL;
	struct xos_buf payload;
	enum xos_status st = XOS_INTERNAL;

	xos_buf_init(&payload, XOS_SITESET_MAX);
	if (compact.n > XOS_SITESET_MAX) {
		st = xos_err_set(err, XOS_LIMIT, "object-too-long", "%s is longer than %u bytes",
		    what, XOS_SITESET_MAX);
		goto out;
	}
	st = xos_jws_verify(
	    site_key, node ? XOS_NODESET_TYP : XOS_SITESET_TYP, compact, &payload, err);
	if (st == XOS_DENIED) {
		st = xos_err_set(err, XOS_DENIED, "foreign-signer",
		    "%s of %s%s%s is not signed by the key that is known for this site", what, site,
		    node ? "/" : "", node ? node : "");
		goto out;
	}
	if (st != XOS_OK)
		goto out;
	s = calloc(1, sizeof(*s));
	if (!s) {
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
		goto out;
	}
	st = parse_payload(xos_buf_bytes(&payload), node != NULL, s, err);
	if (st == XOS_OK)
		st = check_whose(s, site, node, err);
	if (st == XOS_OK && xos_policy_set_serial(s->set) != s->serial)
		st = xos_err_set(err, XOS_MALFORMED, "set-serial",
		    "%s states another serial than its text", what);
	if (st == XOS_OK)
		st = xos_signed_check_times(what, s->issued, s->expires, now, skew, err);
	if (st != XOS_OK)
		goto out;
	*out = s;
	s = NULL;
out:
	xos_siteset_free(s);
	xos_buf_free(&payload);
	return st;
}

enum xos_status xos_siteset_verify(const struct xos_key *site_key, const char *site,
    struct xos_bytes compact, int64_t now, int64_t skew, struct xos_siteset **out,
    struct xos_err *err)
{
	return verify(site_key, site, NULL, compact, now, skew, out, err);
}

enum xos_status xos_nodeset_verify(const struct xos_key *site_key, const char *site,
    const char *node, struct xos_bytes compact, int64_t now, int64_t skew, struct xos_siteset **out,
    struct xos_err *err)
{
	return verify(site_key, site, node, compact, now, skew, out, err);
}
