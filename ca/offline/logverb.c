/* xos-cad log: checks the authority's log and prints it, one JSON object a line. */
#include <stdio.h>

#include "api/loghead.h"
#include "ca/conf.h"
#include "ca/offline/offline.h"
#include "ca/key/record.h"
#include "json/json.h"
#include "log/log.h"
#include "pki/cert.h"

static const char *type_name(uint16_t type)
{
	switch (type) {
	case CA_RECORD_ISSUED:
		return "issued";
	case CA_RECORD_ACT:
		return "act";
	case CA_RECORD_SIGNED:
		return "signed";
	case CA_RECORD_RESPONDER:
		return "responder";
	case CA_RECORD_DELEGATION:
		return "delegation";
	default:
		return "unknown";
	}
}

static enum xos_status print_record(void *ctx, const struct xos_log_record *r, struct xos_err *err)
{
	struct xos_json *line, *record = NULL;
	struct xos_buf text;
	enum xos_status st;

	(void)ctx;
	if (r->type == XOS_LOG_TYPE_SEAL)
		return XOS_OK;
	st = xos_json_parse(r->payload, XOS_LOG_PAYLOAD_MAX, &record, err);
	if (st != XOS_OK)
		return st;
	line = xos_json_object();
	xos_json_set_int(line, "sequence", (int64_t)r->sequence);
	xos_json_set_time(line, "time", r->time);
	xos_json_set_string(line, "type", type_name(r->type));
	xos_json_set(line, "record", record);
	xos_buf_init(&text, 4 * XOS_LOG_PAYLOAD_MAX);
	st = xos_json_dump_line(line, &text, err);
	if (st == XOS_OK)
		printf("%s\n", xos_buf_str(&text));
	xos_buf_free(&text);
	xos_json_free(line);
	return st;
}

enum xos_status ca_verb_log(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	const struct ca_conf *conf = run->conf;
	struct xos_chain chain = {.n = 0};
	struct xos_log_report report;
	struct xos_loghead head;
	struct ca_paths p;
	enum xos_status st = xos_service_args_end(argc, argv, err);

	if (st == XOS_OK)
		st = ca_paths_fill(conf->common.state, &p, err);
	if (st == XOS_OK)
		st = xos_chain_load(p.cert, &chain, err);
	if (st == XOS_OK) {
		struct xos_log_crypto crypto;

		head.key = xos_cert_key(chain.cert[0]);
		crypto = xos_loghead_crypto(&head);
		st = xos_log_verify_file(p.log, &crypto, print_record, NULL, &report, err);
	}
	xos_chain_clear(&chain);
	return st;
}
