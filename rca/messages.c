#include "rca/messages.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pki/csr.h"

void rca_issue_request_init(struct rca_issue_request *r)
{
	memset(r, 0, sizeof(*r));
	xos_buf_init(&r->csr, XOS_CSR_MAX);
}

void rca_issue_request_free(struct rca_issue_request *r)
{
	xos_buf_free(&r->csr);
}

struct xos_json *rca_issue_request_encode(const struct rca_issue_request *r)
{
	struct xos_json *doc = xos_json_object();
	const char *hosts[XOS_RCA_HOSTS_MAX];

	for (size_t i = 0; i < r->nhosts; i++)
		hosts[i] = r->hosts[i];
	xos_json_set_string(doc, "service", r->service);
	xos_json_set_string(doc, "name", r->name);
	xos_json_set_strings(doc, "hosts", hosts, r->nhosts);
	xos_json_set_bytes(doc, "csr", xos_buf_bytes(&r->csr));
	xos_json_set_string(doc, "by", r->by);
	xos_json_set_string(doc, "digest", r->digest);
	xos_json_set_bool(doc, "server", r->server);
	return doc;
}

static enum xos_status decode_hosts(
    const struct xos_json *doc, struct rca_issue_request *r, struct xos_err *err)
{
	const char **list = NULL;
	size_t n = 0;
	enum xos_status st =
	    xos_json_get_strings(doc, "hosts", XOS_RCA_HOSTS_MAX, XOS_NODE_MAX, &list, &n, err);

	for (; st == XOS_OK && r->nhosts < n; r->nhosts++) {
		if (!xos_rca_host_valid(list[r->nhosts], NULL) ||
		    !xos_str_copy(r->hosts[r->nhosts], sizeof(r->hosts[0]), list[r->nhosts]))
			st = xos_json_refuse(
			    doc, err, "hosts: \"%s\" is no host name or address", list[r->nhosts]);
	}
	free(list);
	return st;
}

enum xos_status rca_issue_request_decode(
    struct xos_bytes in, struct rca_issue_request *r, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	enum xos_status st = xos_json_parse(in, XOS_RCA_BODY_MAX, &doc, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(
		    doc, err, "service", "name", "hosts", "csr", "by", "digest", "server");
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "service", r->service, sizeof(r->service), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "name", r->name, sizeof(r->name), err);
	if (st == XOS_OK)
		st = decode_hosts(doc, r, err);
	if (st == XOS_OK)
		st = xos_json_get_bytes(doc, "csr", XOS_CSR_MAX, &r->csr, err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "by", r->by, sizeof(r->by), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "digest", r->digest, sizeof(r->digest), err);
	if (st == XOS_OK)
		st = xos_json_get_bool(doc, "server", &r->server, err);
	xos_json_free(doc);
	return st;
}

bool rca_kind_is_server(const char *kind)
{
	static const char *const servers[] = {"ca", "rca", "vops", "accounting"};

	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		if (strcmp(kind, servers[i]) == 0)
			return true;
	}
	return false;
}
