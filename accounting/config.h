#ifndef XOS_ACCOUNTING_CONFIG_H
#define XOS_ACCOUNTING_CONFIG_H

#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/status.h"
#include "service/main.h"

/* acctd.conf. docs/protocols/accounting.md lists the keys for people; config.c has the table. */
struct xos_acct_config {
	struct xos_service_conf common;
	char *ca_url, *rca_url; /* who says who is locked; NULL: nobody, and nobody is let in */
	int64_t refresh;        /* seconds between two questions to them */
	int64_t records_page;   /* most records in one answer */
};

extern const struct xos_config_key xos_acct_keys[];
extern const size_t xos_acct_nkeys;

/* For struct xos_service_program: what the grammar cannot say. */
void xos_acct_config_check(
    const void *conf, void (*report)(void *ctx, const struct xos_err *err), void *ctx);
/* A path below `state`. */
XOS_MUST_USE enum xos_status xos_acct_path(
    const struct xos_acct_config *c, const char *name, char *out, size_t cap, struct xos_err *err);

#endif
