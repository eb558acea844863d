#ifndef XOS_PKI_SSHCERT_INTERNAL_H
#define XOS_PKI_SSHCERT_INTERNAL_H

#include <stdbool.h>

#include "pki/sshcert.h"

struct pki_ssh_type {
	const char *key, *cert; /* names of the type in keys and in certificates */
	const char *curve, *group;
	size_t size; /* of the key's bytes; 0: RSA */
};

const struct pki_ssh_type *pki_ssh_type(struct xos_bytes name, bool cert); /* NULL: none */
/* What stands between the type (or a certificate's nonce) and the end of the key, checked. */
enum xos_status pki_ssh_fields(
    struct xos_reader *r, const struct pki_ssh_type *t, struct xos_err *err);
/* "TYPE BASE64 ..." into blob (initialised), whose own type must be that one. */
enum xos_status pki_ssh_unline(struct xos_bytes line, struct xos_buf *blob, struct xos_err *err);
enum xos_status pki_ssh_malformed(struct xos_err *err, const char *what);

#endif
