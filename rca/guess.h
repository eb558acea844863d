#ifndef XOS_RCA_GUESS_H
#define XOS_RCA_GUESS_H

#include <stdint.h>

#include "base/status.h"

/*
 * Slows the guessing of join codes: failures are counted for an address (IPv6: its network of 64 bits) and for all
 * together. The address is the network process's word; the count of all is not. In memory: a restart costs more than
 * it gives, and 90 random bits are not guessed anyway.
 */
struct rca_guess;

struct rca_guess *rca_guess_new(void); /* NULL if out of memory */
void rca_guess_free(struct rca_guess *g);
/* May another code come from this address now? LIMIT "join-throttled". */
XOS_MUST_USE enum xos_status rca_guess_check(
    const struct rca_guess *g, const char *address, int64_t now, struct xos_err *err);
void rca_guess_failed(struct rca_guess *g, const char *address, int64_t now);

/* What a peer ("192.0.2.1:4000", "[2001:db8::1]:4000") is counted as: IPv6 as its network of 64 bits, IPv4 inside IPv6 as
 * IPv4. What is neither is one address together. */
#define RCA_PEER_KEY 17
void rca_peer_key(const char *peer, uint8_t key[RCA_PEER_KEY]);

#endif
