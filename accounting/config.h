#ifndef XOS_ACCOUNTING_CONFIG_H
#define XOS_ACCOUNTING_CONFIG_H

#include <stdint.h>

#include "base/status.h"

/* acctd.conf. docs/protocols/accounting.md lists the keys for people; config.c has the table. */
struct xos_acct_config {
	char *vo, *listen, *state, *trust, *tls_certificate, *tls_key;
	char *user_network, *user_key; /* as root only */
	int64_t head_interval;         /* seconds: a signed head at least this often while idle */
	int64_t records_page;          /* most records in one answer */
};

/* Free with xos_acct_config_free, which also takes a zeroed struct. */
XOS_MUST_USE enum xos_status xos_acct_config_load(
    const char *path, struct xos_acct_config *out, struct xos_err *err);
void xos_acct_config_free(struct xos_acct_config *c);

#endif
