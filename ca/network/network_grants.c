/* POST .../grants and POST .../grants/{id}/renew: auth knows whose signatures they are. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/messages.h"
#include "ca/network/network.h"

static enum xos_status ask(struct ca_network *n, uint16_t type, struct xos_buf *question,
    struct xos_response *res, struct xos_err *err)
{
	struct xos_buf answer;
	enum xos_status st;

	xos_buf_init(&answer, 0);
	st = xos_bulk_call(
	    n->auth, type, xos_buf_bytes(question), xos_clock_mono_ms() + CA_CALL_MS, &answer, err);
	if (st == XOS_OK)
		xos_response_body(res, "application/json", xos_buf_bytes(&answer));
	xos_buf_free(&answer);
	return st;
}

enum xos_status ca_route_grants(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network *n = ctx;
	char address[CA_PEER_MAX + 1];
	struct xos_buf question;
	enum xos_status st = ca_check_vo(n, req, err);

	if (st != XOS_OK)
		return st;
	ca_peer_address(req, address, sizeof(address));
	xos_buf_init(&question, XOS_GRANT_BODY_MAX + 1024);
	xos_buf_lp_str(&question, address);
	xos_buf_lp(&question, xos_request_body(req));
	st = ask(n, CA_JOB_GRANT, &question, res, err);
	xos_buf_free(&question);
	return st;
}

enum xos_status ca_route_grant_renew(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	struct ca_network *n = ctx;
	const char *id = xos_request_param(req, "id");
	struct ca_job_renew m = {.body = xos_request_body(req)};
	struct xos_buf question;
	enum xos_status st = ca_check_vo(n, req, err);

	if (st == XOS_OK && (!id || !xos_job_id_valid(id) || !xos_str_copy(m.id, sizeof(m.id), id)))
		st = xos_err_set(err, XOS_NOT_FOUND, "grant-unknown",
		    "VO %s knows no such grant: its name is 32 hexadecimal digits",
		    n->conf->common.vo);
	if (st != XOS_OK)
		return st;
	ca_peer_address(req, m.address, sizeof(m.address));
	xos_buf_init(&question, XOS_GRANT_BODY_MAX + 1024);
	ca_job_renew_put(&question, &m);
	st = ask(n, CA_JOB_RENEW, &question, res, err);
	xos_metric_add_by(n->logins, st == XOS_OK ? "delegation" : err->code, 1);
	xos_buf_free(&question);
	return st;
}
