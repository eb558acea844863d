#include "accounting/config.h"

#include <stddef.h>

#include "base/config.h"
#include "base/name.h"

#define AT(field) offsetof(struct xos_acct_config, field)

static const struct xos_config_key keys[] = {
    {"", "vo", XOS_CONFIG_STRING, AT(vo), true, NULL, 0, 0},
    {"", "listen", XOS_CONFIG_STRING, AT(listen), true, NULL, 0, 0},
    {"", "state", XOS_CONFIG_PATH, AT(state), true, NULL, 0, 0},
    {"", "trust", XOS_CONFIG_PATH, AT(trust), true, NULL, 0, 0},
    {"", "tls_certificate", XOS_CONFIG_PATH, AT(tls_certificate), true, NULL, 0, 0},
    {"", "tls_key", XOS_CONFIG_PATH, AT(tls_key), true, NULL, 0, 0},
    {"", "user_network", XOS_CONFIG_STRING, AT(user_network), false, NULL, 0, 0},
    {"", "user_key", XOS_CONFIG_STRING, AT(user_key), false, NULL, 0, 0},
    {"", "head_interval", XOS_CONFIG_DURATION, AT(head_interval), false, "1h", 1, 86400},
    {"", "records_page", XOS_CONFIG_NUMBER, AT(records_page), false, "1000", 1, 10000},
};
#define NKEYS (sizeof(keys) / sizeof(keys[0]))

enum xos_status xos_acct_config_load(
    const char *path, struct xos_acct_config *out, struct xos_err *err)
{
	struct xos_acct_config c = {0};
	enum xos_status st;

	st = xos_config_load(path, keys, NKEYS, &c, err);
	if (st != XOS_OK)
		return st;
	if (!xos_name_is_vo(c.vo)) {
		st = xos_err_set(
		    err, XOS_MALFORMED, "config-vo", "%s: vo: \"%s\" is no VO name", path, c.vo);
		xos_acct_config_free(&c);
		return st;
	}
	*out = c;
	return XOS_OK;
}

void xos_acct_config_free(struct xos_acct_config *c)
{
	if (c)
		xos_config_free(keys, NKEYS, c);
}
