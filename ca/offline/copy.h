#ifndef XOS_CA_COPY_H
#define XOS_CA_COPY_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/name.h"
#include "ca/conf.h"
#include "pki/cert.h"
#include "pki/digest.h"
#include "pki/key.h"

/*
 * A copy of an authority's state: a folder with the two databases, the log with its head, the authority's
 * certificate (for people), and a manifest that the authority's key signed. The key is not in it.
 *
 * manifest.jws: JWS of type xos-backup+jws, payload {vo, made, acts, records, files: [{name, bytes,
 * sha256}]}; acts: the last act in membership and log, which agree; records: how many the log's head covers.
 */
#define CA_COPY_TYP "xos-backup+jws"
#define CA_COPY_MANIFEST "manifest.jws"

enum ca_copy_file {
	CA_COPY_MEMBERSHIP,
	CA_COPY_VERIFIERS,
	CA_COPY_LOG,
	CA_COPY_HEAD,
	CA_COPY_FILES
};
extern const char *const ca_copy_names[CA_COPY_FILES];

struct ca_copy {
	char vo[XOS_VO_MAX + 1];
	int64_t made;
	uint64_t acts, records;
	struct {
		uint64_t bytes;
		uint8_t sha256[XOS_SHA256_LEN];
	} file[CA_COPY_FILES];
};

/* Copies at most max bytes of a file into one that must not exist (0600), durably. */
XOS_MUST_USE enum xos_status ca_copy_bytes(
    const char *from, const char *to, uint64_t max, struct xos_err *err);
/* Size and digest of a file. */
XOS_MUST_USE enum xos_status ca_copy_measure(
    const char *path, uint64_t *bytes, uint8_t sha256[XOS_SHA256_LEN], struct xos_err *err);

XOS_MUST_USE enum xos_status ca_copy_sign(const struct ca_copy *c, const struct xos_key *key,
    struct xos_buf *compact, struct xos_err *err);
/* The manifest of dir, signed by this certificate's key. DENIED, MALFORMED. */
XOS_MUST_USE enum xos_status ca_copy_read(
    const char *dir, const struct xos_cert *signer, struct ca_copy *out, struct xos_err *err);

/*
 * Looks into the databases and the log of dir: whole, of this VO, the log signed by this key, and exactly the
 * same acts in both. Fills acts and records of *c. CONFLICT "copy-moved": membership and log were not of
 * the same moment.
 */
XOS_MUST_USE enum xos_status ca_copy_inspect(const char *dir, const char *vo,
    const struct xos_cert *signer, struct ca_copy *c, struct xos_err *err);
/* One line about it on standard output. */
void ca_copy_print(const struct ca_copy *c, const char *what, const char *dir, bool json);
/* Everything: the manifest, each file against it, and what is inside. */
XOS_MUST_USE enum xos_status ca_copy_check(const char *dir, const char *vo,
    const struct xos_cert *signer, struct ca_copy *c, struct xos_err *err);

#endif
