#ifndef XOS_ACCOUNTING_PARTS_H
#define XOS_ACCOUNTING_PARTS_H

#include "accounting/config.h"
#include "base/status.h"
#include "service/authority.h"

/* The two processes: network (front.c) and key (key.c). */
enum xos_acct_message {
	XOS_ACCT_APPEND = 1, /* a record's JSON -> {"sequence"} */
	XOS_ACCT_LIST,       /* {"member"?, "since", "after"} -> what the HTTP answer says */
	/* questions about the log, as api/logserve.h has them */
	XOS_ACCT_LOG_PROOF = 10,
	XOS_ACCT_LOG_GROWTH
};

/* Below `state`: the log belongs to key's user and may be read by network's group; the index is key's
 * alone. */
#define XOS_ACCT_LOG_DIR "log"
#define XOS_ACCT_LOG "log/records.log"
#define XOS_ACCT_INDEX_DIR "key"
#define XOS_ACCT_INDEX "key/index.db"

enum xos_status xos_acct_key_open(struct xos_part_self *self, struct xos_err *err);
enum xos_status xos_acct_key_serve(struct xos_part_self *self, struct xos_err *err);
void xos_acct_key_close(struct xos_part_self *self);
enum xos_status xos_acct_front_open(struct xos_part_self *self, struct xos_err *err);
enum xos_status xos_acct_front_serve(struct xos_part_self *self, struct xos_err *err);
void xos_acct_front_close(struct xos_part_self *self);

/* init: the state folder with its keys and requests; nothing that exists is changed. */
enum xos_status xos_acct_verb_init(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);

#endif
