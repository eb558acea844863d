#ifndef XOS_PKI_POINTS_H
#define XOS_PKI_POINTS_H

#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"

/*
 * Where a certificate says that its status stands: authorityInfoAccess (OCSP, and the issuer's certificate)
 * and cRLDistributionPoints (RFC 5280 4.2.2.1, 4.2.1.13). The revocation list is cut into XOS_POINTS_SHARDS
 * parts by the last byte of the serial number, so that whoever checks one certificate fetches a small part.
 * Both extensions are encoded once, the second for every part: choosing one costs nothing at issuance.
 */
#define XOS_POINTS_SHARDS 64u
#define XOS_POINTS_URL_MAX 200

struct xos_points_urls {
	const char *ocsp, *issuer; /* absolute http URLs */
	const char *crl; /* of the parts, up to their name: "http://ca.example/crl/demo/" */
};

struct xos_points;
/* MALFORMED (code "status-url") for what is no http URL of ASCII without spaces, or too long. */
XOS_MUST_USE enum xos_status xos_points_new(
    const struct xos_points_urls *u, struct xos_points **out, struct xos_err *err);
void xos_points_free(struct xos_points *p);

/* The part to which a serial number (big-endian, not empty) belongs: 0 to XOS_POINTS_SHARDS - 1. */
unsigned xos_points_shard(struct xos_bytes serial);
/* "http://ca.example/crl/demo/2a.crl", borrowed. */
const char *xos_points_crl(const struct xos_points *p, unsigned shard);
/* Both extensions, as they stand in the list of extensions. */
struct xos_bytes xos_points_access(const struct xos_points *p);
struct xos_bytes xos_points_distribution(const struct xos_points *p, unsigned shard);

#endif
