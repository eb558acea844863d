/* Commands about sites and codes. */
#include <string.h>

#include "base/text.h"
#include "rca/codes.h"
#include "rca/commands.h"

RCA_COMMAND_OF(site_register)
{
	struct xos_key *key = NULL;
	const char *pem = NULL;
	char text[XOS_FINGERPRINT_TEXT];
	enum xos_status st = XOS_JSON_ONLY(call->c->args, err, "site", "key");

	if (st == XOS_OK)
		st = xos_json_get_string(call->c->args, "key", 4096, &pem, err);
	if (st == XOS_OK)
		st = xos_key_public_from_pem(xos_bytes_str(pem), &key, err);
	if (st == XOS_OK && xos_key_type(key) != XOS_KEY_P256)
		st = xos_err_set(err, XOS_DENIED, "key-algorithm",
		    "a site's key is an EC key on the curve P-256");
	if (st == XOS_OK)
		st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = rca_site_add(a->db, call->site, key, call->who.name, call->now, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	if (st == XOS_OK) {
		*result = xos_json_object();
		xos_fingerprint_text(xos_key_spki_sha256(key), text);
		xos_json_set_string(*result, "site", call->site);
		xos_json_set_string(*result, "fingerprint", text);
	}
	xos_key_free(key);
	return st;
}

RCA_COMMAND_OF(site_remove)
{
	enum xos_status st = XOS_JSON_ONLY(call->c->args, err, "site");

	(void)result;
	return st == XOS_OK ? rca_site_remove(a->db, call->site, call->now, err) : st;
}

/* From a list in *doc what is about sites that the signer does not see is left out. */
static enum xos_status only_seen(struct rca_auth *a, const struct rca_call *call, const char *key,
    struct xos_json **doc, struct xos_err *err)
{
	struct xos_json *kept = xos_json_array(), *out = xos_json_object();
	const struct xos_json *list = NULL;
	enum xos_status st = xos_json_get_array(*doc, key, RCA_SITES_MAX, &list, err);

	for (size_t i = 0; st == XOS_OK && i < xos_json_count(list); i++) {
		const struct xos_json *v = xos_json_at(list, i);
		const char *site = NULL;

		st = xos_json_get_string(v, "site", XOS_SITE_MAX, &site, err);
		if (st == XOS_OK && rca_call_sees(a, call, site))
			xos_json_add(kept, xos_json_copy(v));
	}
	xos_json_set(out, key, kept);
	xos_json_free(*doc);
	*doc = out;
	return st;
}

RCA_COMMAND_OF(site_list)
{
	enum xos_status st = XOS_JSON_ONLY(call->c->args, err, NULL);

	if (st == XOS_OK)
		st = rca_site_list(a->db, result, err);
	return st == XOS_OK ? only_seen(a, call, "sites", result, err) : st;
}

/* --- codes --- */

static enum xos_status read_digest(
    const struct xos_json *args, uint8_t digest[XOS_SHA256_LEN], struct xos_err *err)
{
	const char *hex = NULL;
	struct xos_buf raw;
	enum xos_status st = xos_json_get_string(args, "digest", 2 * XOS_SHA256_LEN, &hex, err);

	if (st != XOS_OK)
		return st;
	xos_buf_init(&raw, XOS_SHA256_LEN);
	if (strlen(hex) != 2 * XOS_SHA256_LEN || xos_hex_decode(&raw, hex, strlen(hex)) != XOS_OK)
		st = xos_json_refuse(args, err, "digest: 64 hexadecimal digits");
	else
		memcpy(digest, raw.p, XOS_SHA256_LEN);
	xos_buf_free(&raw);
	return st;
}

static enum xos_status read_code(const struct rca_call *call, struct rca_code *c,
    uint8_t digest[XOS_SHA256_LEN], struct xos_err *err)
{
	const struct xos_json *args = call->c->args;
	const char *node = NULL;
	int64_t life = 0;
	enum xos_status st = XOS_JSON_ONLY(args, err, "site", "node", "digest", "for", "uses");

	if (st == XOS_OK)
		st = xos_json_opt_string(args, "node", XOS_NODE_MAX, &node, err);
	if (st == XOS_OK && node && !xos_name_is_node(node))
		st = xos_json_refuse(args, err, "\"%s\" is no node name", node);
	if (st == XOS_OK)
		st = xos_json_opt_int64(args, "for", 60, RCA_CODE_LIFE_MAX, 86400, &life, err);
	if (st == XOS_OK)
		st = xos_json_opt_int64(args, "uses", 1, RCA_CODE_USES_MAX, 1, &c->uses, err);
	if (st == XOS_OK && node && c->uses != 1)
		st = xos_json_refuse(args, err, "a code for one node is good for one use");
	if (st == XOS_OK)
		st = read_digest(args, digest, err);
	c->since = call->now;
	c->until = call->now + life;
	c->by_number = call->who.number;
	c->by_admin = call->side == RCA_SIDE_VO;
	if (st == XOS_OK && (!xos_str_copy(c->site, sizeof(c->site), call->site) ||
	                        !xos_str_copy(c->node, sizeof(c->node), node ? node : "") ||
	                        !xos_str_copy(c->by, sizeof(c->by), call->who.name)))
		st = xos_err_set(err, XOS_INTERNAL, "code", "a name does not fit");
	return st;
}

RCA_COMMAND_OF(code_make)
{
	struct rca_code c = {.uses = 0};
	uint8_t digest[XOS_SHA256_LEN];
	enum xos_status st = read_code(call, &c, digest, err);

	if (st == XOS_OK)
		st = xos_store_begin(a->db, err);
	if (st == XOS_OK)
		st = rca_code_add(a->db, digest, &c, err);
	if (st == XOS_OK)
		st = xos_store_commit(a->db, err);
	xos_store_rollback(a->db);
	if (st == XOS_OK) {
		*result = xos_json_object();
		xos_json_set_string(*result, "id", c.id);
		xos_json_set_string(*result, "site", c.site);
		xos_json_set_string(*result, "node", c.node[0] ? c.node : NULL);
		xos_json_set_time(*result, "until", c.until);
		xos_json_set_int(*result, "uses", c.uses);
	}
	return st;
}

RCA_COMMAND_OF(code_list)
{
	const char *site = NULL;
	enum xos_status st = XOS_JSON_ONLY(call->c->args, err, "site");

	if (st == XOS_OK)
		st = xos_json_opt_string(call->c->args, "site", XOS_SITE_MAX, &site, err);
	if (st == XOS_OK)
		st = rca_code_list(a->db, site ? site : "", call->now, result, err);
	return st == XOS_OK ? only_seen(a, call, "codes", result, err) : st;
}

RCA_COMMAND_OF(code_revoke)
{
	const char *id = NULL;
	enum xos_status st = XOS_JSON_ONLY(call->c->args, err, "id");

	(void)result;
	if (st == XOS_OK)
		st = xos_json_get_string(call->c->args, "id", RCA_CODE_ID_LEN, &id, err);
	return st == XOS_OK ? rca_code_revoke(a->db, id, err) : st;
}
