/* xos-vo log prove: a token or an act stands in the log. */
#include <string.h>

#include "base/text.h"
#include "vo/log.h"

static enum xos_status keep(void *ctx, struct xos_json *record, struct xos_err *err)
{
	struct xos_json **out = ctx;

	(void)err;
	xos_json_free(*out);
	*out = record;
	return XOS_OK;
}

/* The serial of the current token. */
static enum xos_status own_serial(
    const struct vo_log *l, char serial[XOS_SERIAL_TEXT], struct xos_err *err)
{
	struct xos_chain token = {.n = 0};
	enum xos_status st = xos_cli_token(l->vo, &token, NULL, err);

	if (st == XOS_OK &&
	    !xos_str_copy(serial, XOS_SERIAL_TEXT, xos_cert_serial_text(token.cert[0])))
		st = xos_err_set(err, XOS_INTERNAL, "serial", "the serial is too long");
	xos_chain_clear(&token);
	return st;
}

static enum xos_status lower(const char *in, char out[XOS_SERIAL_TEXT], struct xos_err *err)
{
	struct xos_buf b;
	size_t n = strlen(in);
	bool good;

	xos_buf_init(&b, XOS_SERIAL_MAX);
	good = n && xos_hex_decode(&b, in, n) == XOS_OK;
	if (good)
		xos_hex_encode(out, b.p, b.n);
	xos_buf_free(&b);
	return good ? XOS_OK
	            : xos_cli_usage(
	                  err, "\"%s\" is no serial: hexadecimal digits, as in xos-token show", in);
}

/* The record that was asked for is the one that came: the proof alone would hold for any. */
static enum xos_status check_found(
    const struct xos_json *doc, const char *serial, uint64_t act, struct xos_err *err)
{
	const struct xos_json *record = NULL;
	const char *type = NULL, *is = NULL;
	uint64_t number = 0;
	enum xos_status st = xos_json_get_object(doc, "record", &record, err);

	if (st == XOS_OK)
		st = xos_json_get_string(doc, "type", 32, &type, err);
	if (st == XOS_OK && act)
		st = xos_json_get_uint64(record, "act", INT64_MAX, &number, err);
	else if (st == XOS_OK)
		st = xos_json_get_string(record, "serial", XOS_SERIAL_TEXT, &is, err);
	if (st != XOS_OK)
		return st;
	if (act ? strcmp(type, "act") == 0 && number == act
	        : (strcmp(type, "issued") == 0 || strcmp(type, "delegation") == 0) &&
	              strcmp(is, serial) == 0)
		return XOS_OK;
	return xos_err_set(
	    err, XOS_MALFORMED, "log-record", "the authority answered with another record");
}

static enum xos_status find(struct vo_log *l, const char *serial, uint64_t act,
    struct xos_json **found, struct xos_err *err)
{
	struct xos_json *args = xos_json_object();
	enum xos_status st;

	if (act)
		xos_json_set_int(args, "act", (int64_t)act);
	else
		xos_json_set_string(args, "serial", serial);
	st = vo_log_records(l, "log.find", args, 1, keep, found, err);
	if (st == XOS_OK && !*found && act)
		st = xos_err_set(err, XOS_NOT_FOUND, "log-record",
		    "the log of %llu records has no act %llu that you may see",
		    (unsigned long long)l->head.sequence, (unsigned long long)act);
	else if (st == XOS_OK && !*found)
		st = xos_err_set(err, XOS_NOT_FOUND, "log-record",
		    "the log of %llu records has no token %s that you may see: one that verifies "
		    "all "
		    "the same was never recorded",
		    (unsigned long long)l->head.sequence, serial);
	return st == XOS_OK ? check_found(*found, serial, act, err) : st;
}

static enum xos_status print_proof(struct vo_log *l, struct xos_json *found, struct xos_err *err)
{
	static const char *const keys[] = {"sequence", "time", "type", "record", "entry", "path"};
	const struct xos_json *value = NULL;
	const char *name = NULL;
	struct xos_json *doc;
	void *it = NULL;

	if (!l->cli->json)
		return vo_log_say(&l->head, found, err);
	doc = vo_log_head_doc(l);
	while (xos_json_next(found, &it, &name, &value))
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			if (strcmp(name, keys[i]) == 0)
				xos_json_set(doc, keys[i], xos_json_copy(value));
	return xos_cli_print_json(doc, err);
}

enum xos_status vo_log_prove(
    struct xos_cli *cli, const struct vo_log_opts *o, const char *given, struct xos_err *err)
{
	char serial[XOS_SERIAL_TEXT] = "";
	struct vo_log l = {.cli = cli};
	struct xos_json *found = NULL;
	uint64_t act = 0;
	enum xos_status st = XOS_OK;

	if (given && o->act)
		return xos_cli_usage(err, "either a serial or --act");
	if (o->act)
		st = vo_log_number("act", o->act, &act, err);
	else if (given)
		st = lower(given, serial, err);
	if (st == XOS_OK)
		st = vo_log_open(cli, &l, err);
	if (st == XOS_OK && !o->act && !given)
		st = own_serial(&l, serial, err);
	if (st == XOS_OK)
		st = find(&l, serial, act, &found, err);
	if (st == XOS_OK)
		st = print_proof(&l, found, err);
	xos_json_free(found);
	vo_log_close(&l);
	return st;
}
