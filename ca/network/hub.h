#ifndef XOS_CA_HUB_H
#define XOS_CA_HUB_H

#include "ca/network/network.h"

/*
 * The network process of a server with several VOs: one struct ca_network for each, with its own trust, TLS
 * identity and channels. A request goes to the one that its path names; a client certificate counts for its own VO
 * only. Without `vos` in the configuration there is just the first.
 */
struct ca_hub;

/* In `open`. first is borrowed, and becomes the first of the hub. */
XOS_MUST_USE enum xos_status ca_hub_new(
    struct ca_network *first, struct xos_part_self *self, struct ca_hub **out, struct xos_err *err);
void ca_hub_stop(struct ca_hub *h); /* before the front is freed, whose loop it uses; NULL-safe */
void ca_hub_free(struct ca_hub *h); /* after it, for handlers may be at work until then */
size_t ca_hub_count(const struct ca_hub *h);
const char *ca_hub_name(const struct ca_hub *h, size_t i);
/* The roots and issuers of all of them together, as they are now; NULL if out of memory. */
struct xos_trust *ca_hub_trust(struct ca_hub *h);
/* When the first one's front is there: identities for the others' clients, health. */
XOS_MUST_USE enum xos_status ca_hub_join(struct ca_hub *h, struct xos_err *err);
/* After a SIGHUP: the others' trust folders and TLS identities, as far as they are good. */
void ca_hub_again(struct ca_hub *h);
/* In `serve`: takes the channels that the others' supervisors hand over, now and later. */
XOS_MUST_USE enum xos_status ca_hub_start(struct ca_hub *h, struct xos_err *err);
/* For xos_front_options: arg is the first ca_network. */
enum xos_status ca_hub_pick(
    void *arg, const struct xos_request *req, void **ctx, struct xos_err *err);

#endif
