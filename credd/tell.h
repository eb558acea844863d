#ifndef XOS_CREDD_TELL_H
#define XOS_CREDD_TELL_H

#include "credd/config.h"
#include "net/client.h"
#include "pki/digest.h"

/* What was told to the policy service last; zeroed at first. One thread. */
struct xos_credd_told {
	uint8_t digest[XOS_SHA256_LEN];
	int64_t when;
};

/* Tells the policy service what this node's services can carry out, if that changed, and once a day: it forgets nodes that
 * say nothing. A failure is an event, once for each reason, and tried again. */
void xos_credd_tell(
    struct xos_credd_told *told, const struct xos_credd_conf *conf, struct xos_client *vops);

#endif
