#ifndef XOS_TESTPARTS_PARTS_H
#define XOS_TESTPARTS_PARTS_H

#include <stdbool.h>

#include "bundle/administrators.h"
#include "service/authority.h"
#include "service/bulk.h"
#include "testsupport/vo.h"

/* One part of the authority under test. */
struct xos_test_part {
	enum xos_status (*open)(struct xos_part_self *self, struct xos_err *err);
	enum xos_status (*serve)(struct xos_part_self *self, struct xos_err *err);
	void (*close)(struct xos_part_self *self);
};
struct xos_test_parts {
	struct xos_test_part auth, key;
	const void *conf;            /* the daemon's own */
	struct xos_bulk *to_auth;    /* what the network process has */
	struct xos_channel *channel; /* below it */
	int pid[2];
};

/* The state folder of an authority of that kind ("rca"): KIND.key, KIND.pem, auth/, key/. */
void xos_test_parts_state(
    const char *dir, const char *kind, const struct xos_key *key, const struct xos_cert *cert);
/* Forks both; to_auth is there afterwards. */
void xos_test_parts_start(struct xos_test_parts *p);
/* sig: 0 for an orderly end, by closing the channel. Did both end well? */
bool xos_test_parts_stop(struct xos_test_parts *p, int sig);

/* A signed list of administrators: these names with these numbers. locked: the name of one who is; NULL. */
struct xos_test_admin {
	const char *name;
	uint64_t number;
};
void xos_test_administrators(const struct xos_key *signer, int64_t issued, uint64_t act,
    const struct xos_test_admin *list, size_t n, const char *locked, struct xos_buf *out);

#endif
