#ifndef XOS_BUNDLE_BUNDLE_H
#define XOS_BUNDLE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bundle/locks.h"
#include "bundle/roster.h"
#include "bundle/signed.h"
#include "bundle/siteset.h"
#include "policy/set.h"

/*
 * What a node decides by: the VO's set, the site's own set, the roster and the locks, each under the
 * signature of the one who may say it, and around them the VO's policy signing key. One bundle serves
 * one site. The bundle's signature alone gives nothing beyond the VO set: roster, locks and site set
 * are verified under their own signers, and each has its own serial that never falls, so that the
 * holder of the policy key cannot bring an old roster or site set back. Sets of groups and of owners stand under
 * the bundle's signature: they say nothing that the VO's set could not say.
 *
 * It travels as an archive (archive.h): the signed manifest names VO set, site set, roster, lists of locks and all other
 * sets by digest.
 */
#define XOS_BUNDLE_TYP "xos-bundle+jws"
#define XOS_BUNDLE_MAX (16u * 1024 * 1024) /* as an archive, bytes */
#define XOS_BUNDLE_ISSUERS_MAX 8
#define XOS_BUNDLE_SCOPED_MAX 4096u /* group sets, owner sets, node sets: each */
#define XOS_BUNDLE_HEADS_MAX 8u
#define XOS_BUNDLE_HEAD_MAX 8192u   /* bytes of one head */
#define XOS_BUNDLE_TRUST_MAX 65536u /* bytes of a trust list */

/* The highest serials seen so far, and the newest time that any verified object stated: kept by the
 * node for ever (stored.h). All zero: nothing seen yet. */
enum xos_bundle_by {
	XOS_BUNDLE_BY_POLICY,
	XOS_BUNDLE_BY_ROSTER,
	XOS_BUNDLE_BY_CA,
	XOS_BUNDLE_BY_RCA
};
#define XOS_BUNDLE_BY_N 4
struct xos_bundle_seen {
	uint64_t bundle, vo_set, site_set, node_set, roster, locks_ca, locks_rca;
	int64_t newest; /* seconds since 1970; a node's clock never counts as earlier */
	/* Whose serials these are: fingerprints of the certificates of the keys that signed bundle (and VO set),
	 * roster and lists of locks. All zero: not known. */
	uint8_t by[XOS_BUNDLE_BY_N][XOS_SHA256_LEN];
};

/* Verified and parsed. Immutable; everything handed out is borrowed from it. */
struct xos_bundle;

struct xos_bundle_want {
	const struct xos_bundle_trust *trust; /* of the VO this bundle must be of */
	const char *site;                     /* the node's own site */
	const char *node;                     /* itself, whose set is looked at; NULL: none */
	const struct xos_key *site_key;       /* pinned by the node's owner */
	const struct xos_cert *root;          /* pinned; the bundle must name the same one */
	const struct xos_bundle_seen *seen;
	const struct xos_bundle
	    *before; /* NULL, or the last one: what is the same is not parsed again */
	struct xos_buf
	    *kept; /* NULL, or gets the archive without what the manifest does not name */
};

/*
 * archive: of the whole bundle; parts that the manifest does not name have no effect. XOS_OK and *out, or a refusal whose text says which part was wrong:
 *   MALFORMED      not of the form, too big, a doubled member
 *   NOT_FOUND      "bundle-part": a part that the manifest names is missing
 *   DENIED         "foreign-signer", "wrong-vo", "wrong-site", "wrong-root", "lower-serial"
 *   EXPIRED, NOT_YET_VALID   bundle, site set, roster or locks
 * A bundle of the same serial as the last is accepted if each part is not older: a restarted node
 * takes its own stored bundle. A bundle without a set of the site is accepted and has no site set
 * (the site then grants nothing); with one that does not verify it is refused. Of the sets of nodes only the own one is
 * looked at; once there was one it cannot be left out. A set of a group or owner that does not parse here stands for one that
 * forbids that group everything, or lets nobody but the owner in: it keeps no lock from arriving, and opens nothing.
 */
XOS_MUST_USE enum xos_status xos_bundle_verify(struct xos_bytes archive,
    const struct xos_bundle_want *want, struct xos_bundle **out, struct xos_err *err);
struct xos_bundle *xos_bundle_ref(struct xos_bundle *b); /* one more owner; for threads */
void xos_bundle_unref(struct xos_bundle *b);             /* NULL-safe */

const char *xos_bundle_vo(const struct xos_bundle *b);
const char *xos_bundle_site(const struct xos_bundle *b);
uint64_t xos_bundle_serial(const struct xos_bundle *b);
int64_t xos_bundle_issued(const struct xos_bundle *b);
/* The earliest end among bundle, site set, roster and locks: past it the node denies. */
int64_t xos_bundle_expires(const struct xos_bundle *b);
/* Which part ends first: "bundle", "site set", "roster", "locks of the ca", "locks of the rca". */
const char *xos_bundle_expires_first(const struct xos_bundle *b);
struct xos_policy_set *xos_bundle_vo_set(const struct xos_bundle *b);   /* never NULL */
struct xos_policy_set *xos_bundle_site_set(const struct xos_bundle *b); /* NULL: has none */
int64_t xos_bundle_site_expires(const struct xos_bundle *b);            /* 0 without a site set */
struct xos_policy_set *xos_bundle_node_set(const struct xos_bundle *b); /* NULL: has none */
int64_t xos_bundle_node_expires(const struct xos_bundle *b);            /* 0 without a node set */
/* Sets of groups and owners, i from 0; NULL past the end. */
struct xos_policy_set *xos_bundle_scoped(const struct xos_bundle *b, size_t i);
size_t xos_bundle_scoped_count(const struct xos_bundle *b);
/* Signed heads of the VO's logs, compact; proven by nobody yet. */
size_t xos_bundle_head_count(const struct xos_bundle *b);
struct xos_bytes xos_bundle_head(const struct xos_bundle *b, size_t i);
/* The trust list that the root signed, compact; proven by nobody yet. n 0: none. */
struct xos_bytes xos_bundle_trust_list(const struct xos_bundle *b);
const struct xos_roster *xos_bundle_roster(const struct xos_bundle *b); /* never NULL */
/* Verified issuers (ca, rca) that the bundle brought: help to build paths. */
size_t xos_bundle_issuer_count(const struct xos_bundle *b);
const struct xos_cert *xos_bundle_issuer(const struct xos_bundle *b, size_t i);

/* The lock in force for this kind and name in any list of the bundle; for groups and roles also by
 * a group above. NULL: not locked. */
const struct xos_lock *xos_bundle_lock(
    const struct xos_bundle *b, enum xos_lock_kind kind, const char *name, int64_t now);
/* All locks in force or not, i from 0; NULL past the end. */
const struct xos_lock *xos_bundle_lock_at(const struct xos_bundle *b, size_t i);

/* Raises seen by what b brought; never lowers anything. */
void xos_bundle_seen_raise(struct xos_bundle_seen *seen, const struct xos_bundle *b);
/*
 * Forgets the serials that came from keys that count no more, and says whether there were any: a thief of a key signs with
 * the highest serial there is, and who remembered it would refuse what the key's successor signs for ever. Nothing old
 * comes back by that: what the revoked key signed is refused itself. Site and node sets are their owner's and stay.
 */
bool xos_bundle_seen_forget(struct xos_bundle_seen *seen,
    bool (*counts)(void *arg, const uint8_t fingerprint[XOS_SHA256_LEN]), void *arg);

/*
 * The other half, for vopsd. All borrowed. The parts are put in as they are: who builds has verified
 * them. locks_* and site_set may be empty (no list or set yet).
 */
struct xos_bundle_named {
	const char *name;       /* "/demo/physics", "demo:alice"; of a node's set "n1" */
	uint64_t serial;        /* of a node's set not used */
	struct xos_bytes bytes; /* text; of a node's set compact */
};
struct xos_bundle_fields {
	const char *vo;
	uint64_t serial; /* higher than that of any bundle signed before */
	int64_t issued, expires;
	const struct xos_cert *signer; /* the policy signing certificate, of the key below */
	const struct xos_cert *root;
	const struct xos_cert *const *issuers;
	size_t nissuers;
	uint64_t vo_serial;
	struct xos_bytes vo_text;
	const char *site;
	struct xos_bytes site_set;            /* compact */
	struct xos_bytes roster;              /* compact */
	struct xos_bytes locks_ca, locks_rca; /* compact */
	const struct xos_bundle_named *groups, *owners, *nodes;
	size_t ngroups, nowners, nnodes;
	const struct xos_bytes *heads; /* compact */
	size_t nheads;
	struct xos_bytes trust; /* compact; n 0: none */
};
/* Appends the archive. LIMIT past XOS_BUNDLE_MAX. */
XOS_MUST_USE enum xos_status xos_bundle_sign(const struct xos_key *policy_key,
    const struct xos_bundle_fields *f, struct xos_buf *out, struct xos_err *err);

#endif
