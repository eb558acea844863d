#include "ca/key/record.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/json.h"
#include "log/log.h"
#include "token/delegation.h"

static void set_hex(struct xos_json *o, const char *key, struct xos_bytes b)
{
	char text[2 * XOS_SHA256_LEN + 1];

	if (b.n != XOS_SHA256_LEN)
		return;
	xos_hex_encode(text, b.p, b.n);
	xos_json_set_string(o, key, text);
}

static enum xos_status dump(struct xos_json *o, struct xos_buf *out, struct xos_err *err)
{
	enum xos_status st = xos_json_dump(o, out, err);

	xos_json_free(o);
	return st;
}

enum xos_status ca_record_issued(
    const struct ca_issued *r, struct xos_buf *out, struct xos_err *err)
{
	const struct xos_claims *c = r->claims;
	struct xos_json *o = xos_json_object();

	xos_json_set_string(o, "serial", r->serial);
	xos_json_set_string(o, "member", c->name);
	xos_json_set_int(o, "number", (int64_t)c->number);
	xos_json_set_strings(o, "groups", (const char *const *)c->groups, c->ngroups);
	xos_json_set_strings(o, "roles", (const char *const *)c->roles, c->nroles);
	xos_json_set_string(o, "method", c->auth_method);
	if (c->auth_mfa)
		xos_json_set_bool(o, "mfa", true);
	xos_json_set_time(o, "authenticated", c->auth_time);
	xos_json_set_time(o, "not_before", r->not_before);
	xos_json_set_time(o, "not_after", r->not_after);
	set_hex(o, "key", (struct xos_bytes){r->spki_sha256, XOS_SHA256_LEN});
	xos_json_set_string(o, "grant", r->grant);
	xos_json_set_string(o, "node", r->node);
	return dump(o, out, err);
}

enum xos_status ca_record_act(const struct ca_act *act, struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *o = xos_json_object(), *args = NULL;
	enum xos_status st =
	    xos_json_parse(xos_bytes_str(act->args), XOS_LOG_PAYLOAD_MAX, &args, err);

	if (st != XOS_OK) {
		xos_json_free(o);
		return st;
	}
	xos_json_set_int(o, "act", (int64_t)act->id);
	xos_json_set_time(o, "time", act->at);
	xos_json_set_string(o, "by", act->actor);
	xos_json_set_int(o, "number", (int64_t)act->number);
	xos_json_set_string(o, "verb", act->verb);
	xos_json_set(o, "args", args);
	xos_json_set_string(o, "jti", act->jti);
	set_hex(o, "command", act->digest);
	return dump(o, out, err);
}

enum xos_status ca_record_signed(
    const struct ca_signed *r, struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *o = xos_json_object();
	uint8_t digest[XOS_SHA256_LEN];

	if (xos_sha256(r->compact, digest) != XOS_OK) {
		xos_json_free(o);
		return xos_err_set(err, XOS_INTERNAL, "digest", "cannot hash");
	}
	xos_json_set_string(o, "what", r->what);
	xos_json_set_int(o, "serial", (int64_t)r->serial);
	xos_json_set_int(o, "version", (int64_t)r->version);
	xos_json_set_int(o, "count", (int64_t)r->count);
	set_hex(o, "object", (struct xos_bytes){digest, sizeof(digest)});
	return dump(o, out, err);
}

enum xos_status ca_record_responder(
    const struct ca_responder_record *r, struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *o = xos_json_object();

	xos_json_set_string(o, "serial", r->serial);
	xos_json_set_time(o, "not_before", r->not_before);
	xos_json_set_time(o, "not_after", r->not_after);
	set_hex(o, "key", (struct xos_bytes){r->spki_sha256, XOS_SHA256_LEN});
	return dump(o, out, err);
}

static enum xos_status read_signed(
    const struct xos_json *o, struct ca_replay *replay, struct xos_err *err)
{
	const char *what = NULL;
	uint64_t serial = 0;
	enum xos_status st = xos_json_get_string(o, "what", 16, &what, err);

	if (st == XOS_OK)
		st = xos_json_get_uint64(o, "serial", INT64_MAX, &serial, err);
	if (st == XOS_OK && strcmp(what, "roster") == 0)
		replay->roster = serial;
	else if (st == XOS_OK)
		replay->locks = serial;
	return st;
}

static enum xos_status read_names(
    const struct xos_json *o, const char *key, struct ca_names *out, struct xos_err *err)
{
	const char **list = NULL;
	size_t n = 0;
	enum xos_status st =
	    xos_json_get_strings(o, key, XOS_CLAIMS_GROUPS_MAX, XOS_FQAN_MAX, &list, &n, err);

	for (size_t i = 0; st == XOS_OK && i < n; i++)
		st = ca_names_add(out, list[i], strlen(list[i]), err);
	free(list);
	return st;
}

static enum xos_status read_issued(const struct xos_json *o, int64_t now, struct ca_token_entry *e,
    bool *is_token, struct xos_err *err)
{
	enum xos_status st = xos_json_copy_string(o, "serial", e->serial, sizeof(e->serial), err);

	if (st == XOS_OK)
		st = xos_json_get_uint64(o, "number", INT64_MAX, &e->number, err);
	if (st == XOS_OK)
		st = xos_json_get_time(o, "not_before", &e->not_before, err);
	if (st == XOS_OK)
		st = xos_json_get_time(o, "not_after", &e->not_after, err);
	if (st != XOS_OK || e->not_after <= now)
		return st;
	e->names = (struct ca_names){NULL, 0};
	st = read_names(o, "groups", &e->names, err);
	if (st == XOS_OK)
		st = read_names(o, "roles", &e->names, err);
	if (st != XOS_OK)
		ca_names_free(&e->names);
	*is_token = st == XOS_OK;
	return st;
}

/* A delegation is a token with a grant, by which it can be locked as well. */
static enum xos_status read_delegation(
    const struct xos_json *o, struct ca_token_entry *e, struct xos_err *err)
{
	char name[sizeof(CA_NAME_GRANT) + XOS_GRANT_ID_MAX];
	const char *grant = NULL;
	enum xos_status st = xos_json_get_string(o, "grant", XOS_GRANT_ID_MAX, &grant, err);

	e->delegation = true;
	if (st == XOS_OK) {
		xos_str_printf(name, sizeof(name), CA_NAME_GRANT "%s", grant);
		st = ca_names_add(&e->names, name, strlen(name), err);
	}
	if (st != XOS_OK)
		ca_names_free(&e->names);
	return st;
}

enum xos_status ca_record_read(uint16_t type, struct xos_bytes payload, struct ca_replay *replay,
    struct ca_token_entry *entry, bool *is_token, struct xos_err *err)
{
	struct xos_json *o = NULL;
	enum xos_status st = xos_json_parse(payload, XOS_LOG_PAYLOAD_MAX, &o, err);

	*is_token = false;
	if (st == XOS_OK && (type == CA_RECORD_ISSUED || type == CA_RECORD_DELEGATION)) {
		st = read_issued(o, replay->now, entry, is_token, err);
		if (st == XOS_OK && *is_token && type == CA_RECORD_DELEGATION) {
			st = read_delegation(o, entry, err);
			*is_token = st == XOS_OK;
		}
	} else if (st == XOS_OK && type == CA_RECORD_ACT) {
		st = xos_json_get_uint64(o, "act", INT64_MAX, &replay->acts, err);
	} else if (st == XOS_OK && type == CA_RECORD_SIGNED) {
		st = read_signed(o, replay, err);
	}
	/* Types of a newer program do not concern what is replayed here. */
	xos_json_free(o);
	return st;
}
