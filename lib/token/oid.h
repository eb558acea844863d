#ifndef XOS_TOKEN_OID_H
#define XOS_TOKEN_OID_H

#include "pki/der.h"

/*
 * Our arc is 2.25.143718828519068119958237726285414437299 (a UUID: ITU-T X.667, no registration).
 * Each value below is the DER contents of an OID under it.
 */
#define XOS_OID_ARC_TEXT "2.25.143718828519068119958237726285414437299"
#define XOS_OID_ARC                                                                                \
	"\x69\x81\xd8\x9f\x9e\xd4\xd3\xb0\xf2\xbe\x95\x8d\xab\xca\xc9\xf0\xe3\xfa\xa3\x33"

#define XOS_OID_TOKEN XOS_OID(XOS_OID_ARC "\x01")              /* .1 token extension */
#define XOS_OID_DELEGATION XOS_OID(XOS_OID_ARC "\x02")         /* .2 delegation extension */
#define XOS_OID_ISSUER XOS_OID(XOS_OID_ARC "\x03")             /* .3 issuer extension */
#define XOS_OID_PROXY_LANGUAGE XOS_OID(XOS_OID_ARC "\x04")     /* .4 proxy policy language */
#define XOS_OID_EKU_POLICY XOS_OID(XOS_OID_ARC "\x05\x01")     /* .5.1 signs policy sets */
#define XOS_OID_EKU_ACCOUNTING XOS_OID(XOS_OID_ARC "\x05\x02") /* .5.2 signs accounting heads */

/* Not of our arc: id-ppl-inheritAll, RFC 3820 3.8.2. */
#define XOS_OID_PROXY_INHERIT_ALL XOS_OID("\x2b\x06\x01\x05\x05\x07\x15\x01")

#endif
