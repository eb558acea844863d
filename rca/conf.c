#include "rca/conf.h"

#include "base/file.h"

#define DURATION(key, text, least, most)                                                           \
	{                                                                                          \
		.section = "", .name = #key, .type = XOS_CONFIG_DURATION,                          \
		.offset = offsetof(struct rca_conf, key), .fallback = (text), .min = (least),      \
		.max = (most)                                                                      \
	}

const struct xos_config_key rca_conf_keys[] = {
    XOS_SERVICE_KEYS(struct rca_conf, common),
    {"", "ca_url", XOS_CONFIG_STRING, offsetof(struct rca_conf, ca_url), false, NULL, 0, 0},
    DURATION(refresh, "4s", 1, 60),
    DURATION(node_life, "7d", 10, 90 * 86400),
    DURATION(server_life, "90d", 60, 400 * 86400),
    DURATION(lock_life, "2d", 60, 30 * 86400),
    DURATION(pending_life, "7d", 60, 90 * 86400),
    {"", "listen_est", XOS_CONFIG_STRING, offsetof(struct rca_conf, listen_est), false, NULL, 0, 0},
    {"", "est_site", XOS_CONFIG_STRING, offsetof(struct rca_conf, est_site), false, NULL, 0, 0},
    DURATION(est_retry, "60s", 1, 86400),
    {"", "est_rekey", XOS_CONFIG_BOOL, offsetof(struct rca_conf, est_rekey), false, "no", 0, 0},
};
const size_t rca_conf_nkeys = sizeof(rca_conf_keys) / sizeof(rca_conf_keys[0]);

enum xos_status rca_conf_path(
    const struct rca_conf *c, const char *name, char *out, size_t cap, struct xos_err *err)
{
	if (!xos_path_join(out, cap, c->common.state, name))
		return xos_err_set(err, XOS_LIMIT, "path-too-long", "%s/%s: the path is too long",
		    c->common.state, name);
	return XOS_OK;
}
