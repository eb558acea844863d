#ifndef XOS_LOCAL_MESSAGE_H
#define XOS_LOCAL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "local/step.h"

/*
 * What is said over credd's socket, for both ends; docs/protocols/credd.md describes the bytes. A
 * frame is a header of fixed size and a body of at most XOS_LOCAL_BODY_MAX bytes. All pointers in
 * decoded messages are borrowed from the body that was decoded.
 */
#define XOS_LOCAL_VERSION 1
#define XOS_LOCAL_HEADER 16          /* bytes */
#define XOS_LOCAL_BODY_MAX 262144    /* bytes */
#define XOS_LOCAL_CHAIN_MAX 16       /* certificates in a chain */
#define XOS_LOCAL_CERT_MAX 32768     /* bytes of one certificate */
#define XOS_LOCAL_TEXT_MAX 65536     /* bytes of one JSON object */
#define XOS_LOCAL_PEM_MAX 131072     /* bytes of one token file */
#define XOS_LOCAL_PREVIEW_MAX 114688 /* bytes of a preview's question */
#define XOS_LOCAL_JOB_MAX 63         /* characters of a job's identifier */
#define XOS_LOCAL_ACCOUNT_MAX 31     /* characters of an account's name */
#define XOS_LOCAL_SUBJECT_MAX 319    /* characters of "service:<vo>:<kind>/<host>" */
#define XOS_LOCAL_LIST_MAX 1024      /* entries in one answer */

/* Numbers on the wire: never changed, never used again. */
enum xos_local_op {
	XOS_LOCAL_STATUS = 1,
	XOS_LOCAL_AUTHORISE = 2,
	XOS_LOCAL_JOB_PREPARE = 3,
	XOS_LOCAL_JOB_ACCEPT = 4,
	XOS_LOCAL_JOB_CREDENTIAL = 5,
	XOS_LOCAL_JOB_RELEASE = 6,
	XOS_LOCAL_CREDENTIAL = 7,
	XOS_LOCAL_LIST = 8,
	XOS_LOCAL_PREVIEW = 50,
	XOS_LOCAL_ABILITIES = 51,
	XOS_LOCAL_STANDING = 52,
	XOS_LOCAL_RENEWALS = 53,
	XOS_LOCAL_JOB_GRANT = 54,
	XOS_LOCAL_CRED_CREATE = 60,
	XOS_LOCAL_CRED_PUT = 61,
	XOS_LOCAL_CRED_SIGN = 62,
	XOS_LOCAL_CRED_LIST = 63,
	XOS_LOCAL_CRED_GET = 64,
	XOS_LOCAL_CRED_DESTROY = 65,
	XOS_LOCAL_CRED_CHAIN = 66,
	XOS_LOCAL_DELEGATE = 67,
	XOS_LOCAL_CRED_RENEW = 68,
	XOS_LOCAL_WHOIS = 70,
	XOS_LOCAL_ACCOUNTS = 71,
	XOS_LOCAL_LEASE = 72,
	XOS_LOCAL_LEASE_END = 73,
	XOS_LOCAL_LEASES = 74
};

/* Flags of operations create and list; others are refused. */
#define XOS_LOCAL_EXPORT 1u  /* create: the key may leave credd by operation get */
#define XOS_LOCAL_SESSION 2u /* create: ends with the process session of whoever asks */
#define XOS_LOCAL_ALL 4u     /* list: everybody's; service users only */

enum xos_local_kind { XOS_LOCAL_REQUEST = 1, XOS_LOCAL_ANSWER = 2 };

struct xos_local_header {
	enum xos_local_kind kind;
	enum xos_local_op op;
	uint32_t number; /* chosen by the client, repeated in the answer */
	uint32_t length; /* of the body */
};

/* Which fields an operation carries is fixed (see the protocol); the others stay empty. */
struct xos_local_request {
	enum xos_local_op op;
	char job[XOS_LOCAL_JOB_MAX + 1];
	struct xos_bytes chain[XOS_LOCAL_CHAIN_MAX]; /* DER, the leaf first */
	size_t nchain;
	struct xos_bytes text; /* JSON; a digest, by operation */
	uint8_t flags;
	struct xos_local_step step;
};

enum xos_local_decision {
	XOS_LOCAL_DENY = 0,
	XOS_LOCAL_PERMIT = 1,
	XOS_LOCAL_UNDECIDED = 2 /* refuses, too: the text says what was missing */
};

/* A computed account; present is false where the site gives the VO none (uid and gid are then 0
 * and mean nothing). */
struct xos_local_account {
	bool present;
	char name[XOS_LOCAL_ACCOUNT_MAX + 1];
	uint32_t uid, gid;
};

enum xos_local_job_state { XOS_LOCAL_PREPARED = 1, XOS_LOCAL_READY = 2, XOS_LOCAL_OVER = 3 };

struct xos_local_entry {
	char job[XOS_LOCAL_JOB_MAX + 1];
	/* "<vo>:<member>", "node:<vo>:<host>", "service:<vo>:<kind>/<host>" */
	char subject[XOS_LOCAL_SUBJECT_MAX + 1];
	enum xos_local_job_state state;
	uint32_t uid;      /* whose credential it is */
	int64_t not_after; /* 0 while prepared */
};

struct xos_local_answer {
	enum xos_local_op op;
	enum xos_status
	    status; /* of the operation; a decision "no" is XOS_OK with XOS_LOCAL_DENY */
	char code[XOS_ERR_CODE_MAX];
	char error[XOS_ERR_TEXT_MAX];
	char id[XOS_LOCAL_JOB_MAX + 1]; /* of the credential that was made or used */
	enum xos_local_decision decision;
	struct xos_bytes text; /* JSON, CSR DER, signature or token file, by operation */
	char subject[XOS_LOCAL_SUBJECT_MAX + 1];
	struct xos_local_account account;
	int64_t not_after;
	struct xos_bytes chain[XOS_LOCAL_CHAIN_MAX]; /* DER, the leaf first */
	size_t nchain;
	const struct xos_local_entry *entries; /* encoding only */
	size_t nentries;                       /* decoding: read them with xos_local_entry_next */
	struct xos_reader rest;
};

/* [A-Za-z0-9][A-Za-z0-9._-]*, 1 to XOS_LOCAL_JOB_MAX characters: safe as a file name. */
bool xos_local_job_valid(const char *job);
/* True for the operations whose answers carry a private key: their bodies live in secret memory. */
bool xos_local_op_secret(enum xos_local_op op);

void xos_local_header_write(uint8_t out[XOS_LOCAL_HEADER], const struct xos_local_header *h);
/* Refuses other magic, version, kind, unknown operations and bodies over the maximum (MALFORMED or
 * LIMIT) before a byte of the body is read. */
XOS_MUST_USE enum xos_status xos_local_header_read(
    const uint8_t in[XOS_LOCAL_HEADER], struct xos_local_header *out, struct xos_err *err);

/* Body only. MALFORMED if a field that the operation needs is missing or too long. */
XOS_MUST_USE enum xos_status xos_local_request_encode(
    const struct xos_local_request *req, struct xos_buf *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_local_request_decode(enum xos_local_op op, struct xos_bytes body,
    struct xos_local_request *out, struct xos_err *err);

/* The exact size of an answer's body, then the body itself into memory of the caller's choice
 * (secret memory where xos_local_op_secret says so). */
size_t xos_local_answer_size(const struct xos_local_answer *a);
XOS_MUST_USE enum xos_status xos_local_answer_encode(
    const struct xos_local_answer *a, uint8_t *out, size_t n, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_local_answer_decode(
    enum xos_local_op op, struct xos_bytes body, struct xos_local_answer *out, struct xos_err *err);
/* The next entry of a decoded list; false at the end. */
bool xos_local_entry_next(struct xos_local_answer *a, struct xos_local_entry *out);

#endif
