#ifndef XOS_BUNDLE_ARCHIVE_H
#define XOS_BUNDLE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "pki/digest.h"

/*
 * How a bundle travels and is stored: a signed manifest that names its parts by SHA-256, and the parts. What a
 * receiver has already need not be sent again, and the signature covers it all the same.
 *
 *   "XOSBNDL1", u32 length and manifest (compact JWS), u32 number of parts, each: u32 length and bytes
 *
 * Integers are big-endian. Nothing is trusted here: bundle.h verifies the manifest and each part by its digest.
 */
/* Two bundles with as many sets of groups, owners and nodes as there may be: what a node joins has the parts of both. */
#define XOS_ARCHIVE_PARTS_MAX 25000u
#define XOS_ARCHIVE_PART_MIN 4u /* bytes that a part takes at least */

struct xos_archive_part {
	struct xos_bytes bytes;
	uint8_t digest[XOS_SHA256_LEN];
};

/* Borrows from the bytes it was read from. */
struct xos_archive {
	struct xos_bytes manifest;
	struct xos_archive_part *part; /* by digest, ascending; none twice */
	size_t n;
};

/* MALFORMED (code "archive"): not of the form, trailing bytes, a part twice. *out is zeroed by the caller, who clears it. */
XOS_MUST_USE enum xos_status xos_archive_read(
    struct xos_bytes in, struct xos_archive *out, struct xos_err *err);
void xos_archive_clear(struct xos_archive *a);
/* NULL: it is not there. */
const struct xos_archive_part *xos_archive_find(
    const struct xos_archive *a, const uint8_t digest[XOS_SHA256_LEN]);

/* Appends one with that manifest and those parts. */
void xos_archive_write(
    struct xos_buf *out, struct xos_bytes manifest, const struct xos_bytes *parts, size_t n);
/* Appends what a receiver lacks who has `old`: the manifest of `full`, and its parts that are not in old. */
void xos_archive_delta(
    struct xos_buf *out, const struct xos_archive *full, const struct xos_archive *old);
/* The reverse: the manifest and parts of `delta`, and every part of `old`. What the manifest does not name is dropped when it is verified
 * (xos_bundle_verify with `spare`). */
void xos_archive_merge(
    struct xos_buf *out, const struct xos_archive *delta, const struct xos_archive *old);

#endif
