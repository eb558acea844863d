#include "ca/logquery.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/key/record.h"
#include "json/json.h"
#include "log/log.h"

static enum xos_status malformed(struct xos_err *err)
{
	return xos_err_set(err, XOS_MALFORMED, "message",
	    "a message between processes is malformed: question about the log");
}

void ca_log_query_put(struct xos_buf *b, const struct ca_log_query *q)
{
	xos_buf_u64(b, q->size);
	xos_buf_u64(b, q->from);
	xos_buf_u64(b, q->to);
	xos_buf_u8(b, q->backward);
	xos_buf_u32(b, q->max);
	xos_buf_u64(b, (uint64_t)q->since);
	xos_buf_u64(b, (uint64_t)q->until);
	xos_buf_lp_str(b, q->member);
	xos_buf_u8(b, q->own);
	xos_buf_lp_str(b, q->serial);
	xos_buf_u64(b, q->act);
}

static bool take_flag(struct xos_reader *r, bool *v)
{
	uint8_t u = 0;

	if (xos_reader_u8(r, &u) && u > 1)
		r->failed = true;
	*v = u == 1;
	return !r->failed;
}

static bool take_time(struct xos_reader *r, int64_t *v)
{
	uint64_t u = 0;

	if (xos_reader_u64(r, &u) && u > INT64_MAX)
		r->failed = true;
	*v = (int64_t)u;
	return !r->failed;
}

enum xos_status ca_log_query_get(struct xos_bytes in, struct ca_log_query *q, struct xos_err *err)
{
	struct xos_reader r;

	memset(q, 0, sizeof(*q));
	xos_reader_init(&r, in);
	xos_reader_u64(&r, &q->size);
	xos_reader_u64(&r, &q->from);
	xos_reader_u64(&r, &q->to);
	take_flag(&r, &q->backward);
	xos_reader_u32(&r, &q->max);
	take_time(&r, &q->since);
	take_time(&r, &q->until);
	xos_reader_lp_str(&r, q->member, sizeof(q->member));
	take_flag(&r, &q->own);
	xos_reader_lp_str(&r, q->serial, sizeof(q->serial));
	xos_reader_u64(&r, &q->act);
	if (xos_reader_end(&r) != XOS_OK || q->max == 0 || q->max > CA_LOG_PAGE ||
	    (q->own && !q->member[0]))
		return malformed(err);
	return XOS_OK;
}

/* --- matching --- */

static bool contains(struct xos_bytes payload, const char *text)
{
	return payload.n && memmem(payload.p, payload.n, text, strlen(text)) != NULL;
}

static bool field_is(const struct xos_json *o, const char *key, const char *text)
{
	const char *v = NULL;

	return xos_json_has(o, key) &&
	       xos_json_get_string(o, key, XOS_LOG_PAYLOAD_MAX, &v, NULL) == XOS_OK &&
	       strcmp(v, text) == 0;
}

/* Any text of the record; XOS_JSON_DEPTH bounds the depth. */
static bool mentions(const struct xos_json *v, const char *text)
{
	const struct xos_json *value = NULL;
	const char *key = NULL, *s = NULL;
	void *it = NULL;

	if (xos_json_type(v) == XOS_JSON_STRING)
		return xos_json_as_string(v, XOS_LOG_PAYLOAD_MAX, &s, NULL) == XOS_OK &&
		       strcmp(s, text) == 0;
	if (xos_json_type(v) == XOS_JSON_ARRAY)
		for (size_t i = 0; i < xos_json_count(v); i++)
			if (mentions(xos_json_at(v, i), text))
				return true;
	if (xos_json_type(v) == XOS_JSON_OBJECT)
		while (xos_json_next(v, &it, &key, &value))
			if (mentions(value, text))
				return true;
	return false;
}

/* A member sees tokens of its own, what it did, and what was done to it and nobody else. */
static bool concerns(const struct xos_json *o, const char *member)
{
	const struct xos_json *args = NULL;

	if (field_is(o, "member", member) || field_is(o, "by", member))
		return true;
	if (!xos_json_has(o, "args") || xos_json_get_object(o, "args", &args, NULL) != XOS_OK)
		return false;
	return field_is(args, "name", member) &&
	       (!xos_json_has(args, "kind") || field_is(args, "kind", "member"));
}

static bool match_record(const struct ca_log_query *q, uint16_t type, const struct xos_json *o)
{
	uint64_t act = 0;

	if (q->serial[0] && ((type != CA_RECORD_ISSUED && type != CA_RECORD_DELEGATION) ||
	                        !field_is(o, "serial", q->serial)))
		return false;
	if (q->act &&
	    (type != CA_RECORD_ACT ||
	        xos_json_get_uint64(o, "act", INT64_MAX, &act, NULL) != XOS_OK || act != q->act))
		return false;
	if (!q->member[0])
		return true;
	return q->own ? concerns(o, q->member) : mentions(o, q->member);
}

enum xos_status ca_log_query_match(const struct ca_log_query *q, uint16_t type,
    struct xos_bytes payload, bool *match, struct xos_err *err)
{
	char act[40] = "";
	struct xos_json *o = NULL;
	enum xos_status st;

	if (q->act)
		xos_str_printf(act, sizeof(act), "\"act\":%" PRIu64, q->act);
	/* Most records are not asked for, and reading JSON is what costs. */
	*match =
	    contains(payload, q->serial) && contains(payload, q->member) && contains(payload, act);
	if (!*match || (!q->serial[0] && !q->member[0] && !q->act))
		return XOS_OK;
	st = xos_json_parse(payload, XOS_LOG_PAYLOAD_MAX, &o, err);
	*match = st == XOS_OK && match_record(q, type, o);
	xos_json_free(o);
	return st;
}
