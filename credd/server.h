#ifndef XOS_CREDD_SERVER_H
#define XOS_CREDD_SERVER_H

#include <stddef.h>
#include <sys/types.h>

#include "base/secret.h"
#include "base/status.h"
#include "local/message.h"
#include "net/loop.h"

/*
 * The local socket: frames in, frames out, on the loop's thread. Knows the protocol's form and the
 * peer's uid, not what the operations mean. A hostile peer can waste its own connection and nothing
 * more: bodies are bounded, half a message has a deadline, each uid has a share of the connections.
 */
struct xos_credd_server;

struct xos_credd_peer {
	uid_t uid; /* of the process that connected, by the kernel */
	gid_t gid;
	pid_t pid;
	bool service;
	int64_t since_ms; /* when it connected, by xos_clock_mono_ms */
};

/*
 * Carries out one request. Fills *answer (op is set) or returns an error, which becomes the answer.
 * text that is not secret is borrowed from *plain, a buffer that the server frees; a secret answer
 * gives *secret away and leaves answer->text empty.
 */
typedef enum xos_status (*xos_credd_handler)(void *ctx, const struct xos_credd_peer *peer,
    const struct xos_local_request *req, struct xos_local_answer *answer, struct xos_buf *plain,
    struct xos_secret **secret, struct xos_err *err);

struct xos_credd_server_options {
	int listen_fd; /* bound and listening; borrowed */
	size_t connections_max;
	xos_credd_handler handle;
	bool (*is_service)(void *ctx, uid_t uid);
	void *ctx;
	/* Milliseconds; 0: the default. */
	int64_t frame_ms; /* 5 s: half a request, or an answer that is not taken */
	int64_t idle_ms;  /* 5 min between requests */
};

XOS_MUST_USE enum xos_status xos_credd_server_new(struct xos_loop *loop,
    const struct xos_credd_server_options *opts, struct xos_credd_server **out,
    struct xos_err *err);
void xos_credd_server_free(struct xos_credd_server *s);
size_t xos_credd_server_connections(const struct xos_credd_server *s);

/* Makes the socket: a stale one that nobody listens on is replaced, one in use is CONFLICT. Mode
 * 0666; its folder is made (0755) if missing. */
XOS_MUST_USE enum xos_status xos_credd_socket_bind(const char *path, int *fd, struct xos_err *err);

#endif
