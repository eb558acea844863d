/* init and issue: what precedes a running server. */
#include "rca/init.h"

#include <limits.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "pki/csr.h"
#include "rca/issue.h"
#include "rca/nodes.h"
#include "service/init.h"

enum xos_status rca_verb_init(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	static const char *const folders[] = {"auth", "key", NULL};
	const char *dir = NULL;
	char path[PATH_MAX];
	struct xos_store *db = NULL;
	enum xos_status st = xos_service_init(argc, argv, "rca", folders, &dir, err);

	(void)run;
	if (st == XOS_OK)
		st = xos_service_init_path(dir, "auth/nodes.db", path, sizeof(path), err);
	if (st == XOS_OK)
		st = rca_nodes_open(path, &db, err);
	xos_store_close(db);
	if (st == XOS_OK)
		xos_service_init_tell(dir, "rca");
	return st;
}

struct issue_args {
	const char *service, *name, *csr, *out;
	const char *hosts[XOS_RCA_HOSTS_MAX];
	size_t nhosts;
};

/* --host may stand several times. */
static enum xos_status take_hosts(int *argc, char **argv, struct issue_args *a, struct xos_err *err)
{
	int kept = 1;

	for (int i = 1; i < *argc; i++) {
		const char *value = NULL;

		if (strncmp(argv[i], "--host=", 7) == 0)
			value = argv[i] + 7;
		else if (strcmp(argv[i], "--host") == 0 && i + 1 < *argc)
			value = argv[++i];
		if (!value) {
			argv[kept++] = argv[i];
			continue;
		}
		if (a->nhosts == XOS_RCA_HOSTS_MAX)
			return xos_err_set(err, XOS_MALFORMED, "usage", "more than %d times --host",
			    XOS_RCA_HOSTS_MAX);
		a->hosts[a->nhosts++] = value;
	}
	argv[kept] = NULL;
	*argc = kept;
	if (a->nhosts == 0)
		return xos_err_set(err, XOS_MALFORMED, "usage", "--host is needed");
	return XOS_OK;
}

static enum xos_status read_args(int argc, char **argv, struct issue_args *a, struct xos_err *err)
{
	enum xos_status st = take_hosts(&argc, argv, a, err);

	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--service", true, &a->service, err);

	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--name", true, &a->name, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--csr", true, &a->csr, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--out", true, &a->out, err);
	if (st == XOS_OK)
		st = xos_service_args_end(argc, argv, err);
	if (st == XOS_OK && !rca_kind_is_server(a->service))
		st = xos_err_set(err, XOS_MALFORMED, "usage",
		    "--service must be ca, rca, vops or accounting; nodes and their services apply "
		    "with "
		    "xos-node join");
	return st;
}

static enum xos_status fill_hosts(
    struct rca_issue_request *r, const struct issue_args *a, struct xos_err *err)
{
	for (; r->nhosts < a->nhosts; r->nhosts++) {
		const char *host = a->hosts[r->nhosts];

		if (!xos_rca_host_valid(host, NULL) ||
		    !xos_str_copy(r->hosts[r->nhosts], sizeof(r->hosts[0]), host))
			return xos_err_set(err, XOS_MALFORMED, "usage",
			    "--host: \"%s\" is no host name or address", host);
	}
	return XOS_OK;
}

static enum xos_status fill_request(
    const struct issue_args *a, struct rca_issue_request *r, struct xos_err *err)
{
	struct xos_buf pem;

	xos_buf_init(&pem, 2 * XOS_CSR_MAX);
	enum xos_status st = fill_hosts(r, a, err);
	if (st == XOS_OK && (!xos_str_copy(r->service, sizeof(r->service), a->service) ||
	                        !xos_str_copy(r->name, sizeof(r->name), a->name) ||
	                        !xos_str_copy(r->by, sizeof(r->by), "offline")))
		st = xos_err_set(err, XOS_MALFORMED, "usage", "--name is too long");
	r->server = true;
	if (st == XOS_OK)
		st = xos_file_read(a->csr, 2 * XOS_CSR_MAX, &pem, err);
	if (st == XOS_OK)
		st = xos_csr_from_pem(xos_buf_bytes(&pem), &r->csr, err);
	xos_buf_free(&pem);
	return st;
}

static enum xos_status remember(
    const struct rca_conf *conf, const struct rca_issue_request *r, struct xos_err *err)
{
	char path[PATH_MAX];
	const char *hosts[XOS_RCA_HOSTS_MAX];
	struct xos_store *db = NULL;

	for (size_t i = 0; i < r->nhosts; i++)
		hosts[i] = r->hosts[i];
	enum xos_status st = rca_conf_path(conf, "auth/nodes.db", path, sizeof(path), err);
	if (st == XOS_OK)
		st = rca_nodes_open(path, &db, err);
	if (st == XOS_OK)
		st = xos_store_begin(db, err);
	if (st == XOS_OK)
		st =
		    rca_server_put(db, r->service, r->name, hosts, r->nhosts, xos_clock_now(), err);
	if (st == XOS_OK)
		st = xos_store_commit(db, err);
	xos_store_close(db);
	return st;
}

enum xos_status rca_verb_issue(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	const struct rca_conf *conf = run->conf;
	struct issue_args a = {0};
	struct rca_issue_request r;
	struct rca_issuer *issuer = NULL;
	struct xos_chain chain = {.n = 0};
	struct xos_buf pem;

	rca_issue_request_init(&r);
	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	enum xos_status st = read_args(argc, argv, &a, err);
	if (st == XOS_OK)
		st = fill_request(&a, &r, err);
	if (st == XOS_OK)
		st = rca_issuer_open(conf, xos_clock_now(), &issuer, err);
	if (st == XOS_OK)
		st = rca_issuer_open_log(issuer, err);
	if (st == XOS_OK)
		st = rca_issuer_issue(issuer, &r, xos_clock_now(), &chain, err);
	for (size_t i = 0; st == XOS_OK && i < chain.n; i++)
		xos_cert_to_pem(chain.cert[i], &pem);
	if (st == XOS_OK)
		st = remember(conf, &r, err);
	if (st == XOS_OK)
		st = xos_file_write(a.out, 0644, xos_buf_bytes(&pem), err);
	xos_buf_free(&pem);
	xos_chain_clear(&chain);
	rca_issuer_close(issuer);
	rca_issue_request_free(&r);
	return st;
}
