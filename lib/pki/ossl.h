#ifndef XOS_PKI_OSSL_H
#define XOS_PKI_OSSL_H

#include "pki/cert.h"
#include "pki/key.h"

/*
 * The door for lib/net, which has to hand key and certificates to libssl; nobody else uses it. The
 * objects are borrowed: SSL_CTX_use_* takes references of its own.
 */
struct evp_pkey_st;
struct x509_st;

struct evp_pkey_st *xos_key_ossl(const struct xos_key *k); /* EVP_PKEY */
struct x509_st *xos_cert_ossl(const struct xos_cert *c);   /* X509 */

#endif
