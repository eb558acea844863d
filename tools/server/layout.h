#ifndef XOS_SERVER_LAYOUT_H
#define XOS_SERVER_LAYOUT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/name.h"
#include "base/status.h"

/*
 * One folder that holds a VO's servers:
 *
 *   server.conf      what was decided at set-up: VO, address, ports, users
 *   root/            the VO's root key and certificate: move it off line once set up
 *   trust/           root.pem, issuers.pem: what clients and daemons trust
 *   rcad/ cad/ vopsd/ acctd/   configuration and state of each daemon
 *   cad/vos/         further VOs that this xos-cad serves: links to their configurations (shared.h)
 *   log/ run/        event logs; pid files
 */
enum xos_server_daemon { XOS_RCAD, XOS_CAD, XOS_VOPSD, XOS_ACCTD, XOS_DAEMONS };

/* What is known of a daemon before it runs. */
struct xos_server_kind {
	const char *program;   /* "xos-cad" */
	const char *folder;    /* "cad" */
	const char *service;   /* kind of service in its certificate: "ca" */
	const char *root_kind; /* what the root signs for it: file <root_kind>.csr, .pem */
	bool issuer;           /* its certificate goes into trust/issuers.pem */
};
extern const struct xos_server_kind xos_server_kinds[XOS_DAEMONS];
/* The second key of xos-cad, for delegations that are renewed. Servers of an older version have none. */
extern const struct xos_server_kind xos_server_delegation;

struct xos_server {
	char dir[PATH_MAX]; /* absolute */
	char *vo, *address;
	int64_t port[XOS_DAEMONS];
	int64_t http_port; /* of CRL and OCSP, plain; 0: none (set up before there were any) */
	int64_t est_port;  /* of the resource authority's EST; 0: none (likewise) */
	int64_t uid_base;  /* 0: everything runs as the user who started it */
	char *host;        /* the folder whose xos-cad serves this VO too; NULL: its own */
	int64_t host_uid_base;
};

/* Makes path absolute and keeps it; nothing needs to exist. */
XOS_MUST_USE enum xos_status xos_server_at(
    struct xos_server *s, const char *dir, struct xos_err *err);
/* Reads DIR/server.conf. NOT_FOUND: the text says how to set one up. */
XOS_MUST_USE enum xos_status xos_server_load(
    struct xos_server *s, const char *dir, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_server_save(const struct xos_server *s, struct xos_err *err);
void xos_server_free(struct xos_server *s);

/* DIR/a or DIR/a/b (b may be NULL) into out[PATH_MAX]; LIMIT if too long. */
XOS_MUST_USE enum xos_status xos_server_path(const struct xos_server *s, const char *a,
    const char *b, char out[PATH_MAX], struct xos_err *err);
/* "http://127.0.0.1:4712", where CRL and OCSP stand; "" without a port for it. */
void xos_server_http_url(const struct xos_server *s, char out[128]);
/* "https://127.0.0.1:4713", where stock clients enrol; "" without a port for it. */
void xos_server_est_url(const struct xos_server *s, char out[128]);
/* "https://127.0.0.1:4711" */
void xos_server_url(const struct xos_server *s, enum xos_server_daemon d, char out[128]);

/* Writes the configuration file of a daemon, from what server.conf says. */
XOS_MUST_USE enum xos_status xos_server_write_config(
    const struct xos_server *s, enum xos_server_daemon d, struct xos_err *err);

#endif
