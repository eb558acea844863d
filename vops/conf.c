#include "vops/conf.h"

#include "base/file.h"

#define AT(field) offsetof(struct vops_conf, field)

const struct xos_config_key vops_conf_keys[] = {
    XOS_SERVICE_KEYS(struct vops_conf, common),
    {"", "ca_url", XOS_CONFIG_STRING, AT(ca_url), true, NULL, 0, 0},
    {"", "rca_url", XOS_CONFIG_STRING, AT(rca_url), true, NULL, 0, 0},
    {"", "accounting_url", XOS_CONFIG_STRING, AT(accounting_url), false, NULL, 0, 0},
    {"", "refresh", XOS_CONFIG_DURATION, AT(refresh), false, "4s", 1, 86400},
    {"", "bundle_life", XOS_CONFIG_DURATION, AT(bundle_life), false, "12h", 60, 30 * 86400},
    {"", "bundle_refresh", XOS_CONFIG_DURATION, AT(bundle_refresh), false, "30m", 1, 86400},
    {"", "decision_sample", XOS_CONFIG_NUMBER, AT(decision_sample), false, "100", 0, 1000000},
    {"", "decision_log_bytes", XOS_CONFIG_NUMBER, AT(decision_log_bytes), false, "16777216", 4096,
        INT64_C(1) << 40},
    {"", "decision_log_files", XOS_CONFIG_NUMBER, AT(decision_log_files), false, "16", 1, 1000},
    {"", "authzen_url", XOS_CONFIG_STRING, AT(authzen_url), false, NULL, 0, 0},
    {"", "heads_refresh", XOS_CONFIG_DURATION, AT(heads_refresh), false, "10m", 1, 86400},
};
const size_t vops_conf_nkeys = sizeof(vops_conf_keys) / sizeof(vops_conf_keys[0]);

enum xos_status vops_conf_path(
    const struct vops_conf *c, const char *name, char *out, size_t cap, struct xos_err *err)
{
	if (!xos_path_join(out, cap, c->common.state, name))
		return xos_err_set(err, XOS_LIMIT, "path-too-long", "%s/%s: the path is too long",
		    c->common.state, name);
	return XOS_OK;
}
