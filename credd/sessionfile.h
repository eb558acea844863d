#ifndef XOS_CREDD_SESSIONFILE_H
#define XOS_CREDD_SESSIONFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/name.h"
#include "base/secret.h"
#include "base/status.h"
#include "credd/leader.h"
#include "local/message.h"
#include "pki/cert.h"
#include "pki/digest.h"

#define XOS_CREDD_BOOT_ID 36 /* characters of /proc/sys/kernel/random/boot_id */

/* One credential of a session as it is kept. */
struct xos_credd_session {
	char id[XOS_LOCAL_JOB_MAX + 1];
	char member[XOS_MEMBER_MAX + 1]; /* "" while its chain is awaited */
	uint32_t uid;                    /* whose it is: who asked for the key */
	bool exportable;
	struct xos_credd_leader leader; /* its end is the credential's, too; pid 0: none */
	int64_t created;
	int64_t not_after; /* of the chain; 0 while it is awaited */
	uint8_t spki[XOS_SHA256_LEN];
	uint8_t *
	    chain; /* certificates, each as text, the leaf first: as bytes, because many wait and few are used */
	size_t chain_len;
	size_t nchain;
	uint32_t slot;                  /* of the private key, PEM, in the vault */
	int64_t since_ms;               /* monotonic; for the table: see sessions.c */
	struct xos_credd_session *next; /* for the table */
};

void xos_credd_session_free(struct xos_credd_session *s); /* not the key, which is the vault's */
/* Borrowed; returns their number. */
size_t xos_credd_session_certs(
    const struct xos_credd_session *s, struct xos_bytes out[XOS_CHAIN_MAX]);
/* Takes over the certificates. On failure as before. */
XOS_MUST_USE enum xos_status xos_credd_session_set_chain(struct xos_credd_session *s,
    const struct xos_bytes *chain, size_t n, int64_t not_after, struct xos_err *err);

/*
 * The file: "XOSS", version 1 (one byte); texts boot id, id, member; 32 bits uid; one byte, 1: exportable; 32 bits
 * leader, 64 bits its start; 64 bits created, not_after; one byte with the number of certificates and each as text;
 * text key. What another boot left is no session's any more.
 */
XOS_MUST_USE enum xos_status xos_credd_session_write(const char *dir, const char *boot,
    const struct xos_credd_session *s, struct xos_bytes key, struct xos_err *err);
/* EXPIRED (code "boot"): of another boot. MALFORMED: damaged, or not what the name says. *key: PEM. */
XOS_MUST_USE enum xos_status xos_credd_session_read(const char *dir, const char *boot,
    const char *id, struct xos_credd_session **out, struct xos_secret **key, struct xos_err *err);
/* The same from bytes, which should stand in secret memory. */
XOS_MUST_USE enum xos_status xos_credd_session_decode(struct xos_bytes in, const char *boot,
    struct xos_credd_session **out, struct xos_secret **key, struct xos_err *err);

#endif
