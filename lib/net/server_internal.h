#ifndef XOS_NET_SERVER_INTERNAL_H
#define XOS_NET_SERVER_INTERNAL_H

/* Between the files of the server: exchange.c, route.c, conn.c, server.c. */
#include <pthread.h>
#include <stdatomic.h>

#include "net/http_parse.h"
#include "net/server.h"
#include "net/tls_internal.h"

#define RESPONSE_FIELDS_MAX 16
#define RESPONSE_BODY_MAX (64 * 1024 * 1024)
#define PEER_TEXT_MAX 64

struct route {
	const struct xos_route *pub;
	void *ctx;
	char *text; /* the pattern, cut into segments */
	const char *segment[HTTP_SEGMENTS_MAX];
	bool named[HTTP_SEGMENTS_MAX]; /* segment is a {name}; then segment[i] is the name */
	size_t nsegments;
	uint32_t rank; /* literal segments, first one highest */
};

struct conn;

struct xos_request {
	struct http_head head;
	struct http_target target;
	const struct route *route;
	struct xos_buf body;
	struct http_chunks chunks;
	char id[XOS_REQUEST_ID_MAX + 1];
	const struct conn *conn;
};

struct response_field {
	char *name, *value;
};

struct xos_response {
	int status;
	struct response_field field[RESPONSE_FIELDS_MAX];
	size_t nfields;
	char *content_type;
	struct xos_buf body;
	struct xos_shared *shared; /* NULL, or the body instead */
	bool failed;
};

/* A request and its response, from the end of the head until the response is written. */
struct exchange {
	struct xos_request req;
	struct xos_response res;
	struct conn *conn;
	int64_t begin_us;
	enum xos_status status; /* the handler's result */
	struct xos_err err;
	char allow[64]; /* of a 405 */
	atomic_int
	    holds; /* the handler's, and one more when deferred; the last to let go is done */
	struct exchange *next;
};

struct exchange *exchange_new(struct conn *conn);
void exchange_free(struct exchange *x);
/* Sets the request id from the head, or makes one. */
void exchange_name(struct exchange *x);
/* Runs the handler. True: done, the caller completes; false: deferred. */
bool exchange_run(struct exchange *x);
/* Status line, fields and body into out, but for what exchange_rest gives. */
enum xos_status exchange_encode(struct exchange *x, bool keep_alive, struct xos_buf *out);
/* What is to be sent after that: a body that is shared and long. As long as x lives. */
struct xos_bytes exchange_rest(const struct exchange *x);
/* A failed or refused exchange gets its problem document. */
void exchange_settle(struct exchange *x);

enum xos_status route_make(
    const struct xos_route *pub, void *ctx, struct route *out, struct xos_err *err);
void route_clear(struct route *r);
/* The best match. NULL: err says NOT_FOUND, or "method-not-allowed" and allow lists the methods. */
const struct route *route_find(const struct route *routes, size_t n, const char *method,
    const struct http_target *target, char *allow, size_t cap, struct xos_err *err);

enum conn_state {
	CONN_HANDSHAKE,
	CONN_IDLE, /* between requests, no byte of the next one seen */
	CONN_HEAD,
	CONN_BODY,
	CONN_HANDLING, /* a handler has it: cannot be freed */
	CONN_WRITING,
	CONN_LINGER /* answered; reads what still comes, so that the answer is not reset away */
};

/* An IPv4 address, or the first 64 bits of an IPv6 one: whoever has one address of those has all. */
struct peer_net {
	uint8_t b[9];
};

struct conn {
	struct xos_server *server;
	struct conn *prev, *next; /* the server's list, the longest in its stage first */
	enum conn_state state;
	int fd;
	SSL *ssl; /* NULL: plain */
	struct tls_peer peer;
	struct xos_watch *watch;
	struct xos_timer *timer;
	struct xos_buf in;
	size_t searched; /* bytes of in without the end of a head */
	size_t empty;    /* bytes of empty lines since the last request */
	struct xos_buf out;
	size_t written;
	struct exchange *x;
	bool keep_alive, cut; /* cut: free as soon as no handler has it */
	int64_t since_ms;     /* beginning of the stage */
	size_t lingered;
	char peer_text[PEER_TEXT_MAX];
	struct peer_net net; /* whom its place is counted for */
};

struct xos_server {
	struct xos_loop *loop;
	struct xos_server_options o;
	int fd;
	struct xos_watch *listener;
	struct xos_timer *resume;
	bool draining;
	struct xos_timer *drain_timer;
	void (*drained)(void *ctx);
	void *drained_ctx;
	char address[PEER_TEXT_MAX];
	uint16_t port;
	struct route *routes;
	size_t nroutes;
	struct conn *first, *last;
	size_t nconns, nbusy;
	struct xos_server_turned turned;
	/* What workers finished: a list, and a descriptor that wakes the loop. */
	int done_fd;
	struct xos_watch *done_watch;
	pthread_mutex_t lock;
	pthread_cond_t done_more;
	struct exchange *done_first, **done_last;
};

/* conn.c */
void conn_open(
    struct xos_server *s, int fd, const char *peer_text, const struct peer_net *net); /* takes fd */
void conn_free(struct conn *c);         /* not while HANDLING */
void conn_complete(struct exchange *x); /* the handler is done with it */

/* Ends what is not at work; what is gets cut when its handler is done. */
void conn_end(struct conn *c);

/* server.c */
void server_list_add(struct conn *c); /* at the end: the youngest in its stage */
void server_list_remove(struct conn *c);
void server_conn_gone(struct xos_server *s);   /* after a conn was freed */
void server_exchange_done(struct exchange *x); /* any thread */

#endif
