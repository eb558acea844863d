#include "accounting/config.h"

#include <limits.h>
#include <unistd.h>

#include "base/file.h"

#define AT(field) offsetof(struct xos_acct_config, field)

const struct xos_config_key xos_acct_keys[] = {
    XOS_SERVICE_KEYS(struct xos_acct_config, common),
    {"", "ca_url", XOS_CONFIG_STRING, AT(ca_url), false, NULL, 0, 0},
    {"", "rca_url", XOS_CONFIG_STRING, AT(rca_url), false, NULL, 0, 0},
    {"", "refresh", XOS_CONFIG_DURATION, AT(refresh), false, "4s", 1, 60},
    {"", "records_page", XOS_CONFIG_NUMBER, AT(records_page), false, "1000", 1, 10000},
};
const size_t xos_acct_nkeys = sizeof(xos_acct_keys) / sizeof(xos_acct_keys[0]);

void xos_acct_config_check(
    const void *conf, void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	static const char *const files[] = {"accounting.key", "accounting.pem"};
	const struct xos_acct_config *c = conf;
	char path[PATH_MAX];

	xos_service_conf_check(&c->common, report, ctx);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct xos_err err = XOS_ERR_INIT;

		if (xos_acct_path(c, files[i], path, sizeof(path), &err) == XOS_OK &&
		    access(path, R_OK) != 0)
			xos_err_set(&err, XOS_NOT_FOUND, "state-file",
			    "%s is missing: run xos-acctd init, then have the root sign "
			    "accounting.csr",
			    path);
		if (err.status != XOS_OK)
			report(ctx, &err);
	}
}

enum xos_status xos_acct_path(
    const struct xos_acct_config *c, const char *name, char *out, size_t cap, struct xos_err *err)
{
	if (xos_path_join(out, cap, c->common.state, name))
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "path-too-long", "%s: path too long", c->common.state);
}
