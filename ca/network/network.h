#ifndef XOS_CA_NETWORK_H
#define XOS_CA_NETWORK_H

#include <pthread.h>

#include "ca/conf.h"
#include "ca/messages.h"
#include "ca/network/network_status.h"
#include "service/authority.h"
#include "service/bulk.h"
#include "service/front.h"
#include "service/monitor.h"
#include "service/trustwatch.h"
#include "service/verifier.h"
#include "token/trust.h"

/*
 * The network process: TLS and HTTP in, typed messages to the other two out. It holds a short-lived TLS
 * key and public certificates, can open neither database, and whatever it says to the others is checked there.
 */
struct ca_hub;
struct ca_network {
	struct ca_hub *hub; /* all VOs of this server (hub.h) */
	const struct ca_conf *conf;
	const struct xos_service_run *run;
	struct xos_bulk *auth, *key;
	struct xos_trust_watch trust_watch;
	pthread_mutex_t lock; /* of trust, which a SIGHUP exchanges */
	struct xos_trust *trust;
	struct xos_service_verifier *verifier;
	struct xos_front *front;
	struct ca_network_status *status;
	struct xos_monitor *monitor;
	struct xos_metric_by *logins, *commands;
};

/* The three steps of a part (service/authority.h). */
enum xos_status ca_network_open(struct xos_part_self *self, struct xos_err *err);
enum xos_status ca_network_serve(struct xos_part_self *self, struct xos_err *err);
void ca_network_close(struct xos_part_self *self);

/* One more owner of the trust of this moment; any thread. */
struct xos_trust *ca_network_trust(struct ca_network *n);
void ca_network_trust_set(struct ca_network *n, struct xos_trust *trust); /* takes it */

/* Routes of log-in (network_login.c). */
enum xos_status ca_route_renew(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status ca_route_token(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
/* Routes of the log (network_log.c). */
enum xos_status ca_route_log_head(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status ca_route_log_proof(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status ca_route_log_consistency(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
/* Grants of jobs (network_grants.c). */
enum xos_status ca_route_grants(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status ca_route_grant_renew(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
/* For people without a token (network_apply.c). */
enum xos_status ca_route_about(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status ca_route_apply(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status ca_route_application(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
/* Parts of a log-in that the acceptance of rules has too: 401 with a WWW-Authenticate of ours; and the one that
 * says what to send. */
void ca_challenge(struct ca_network *n, struct xos_response *res, const struct xos_err *err,
    const char *sid, struct xos_bytes message);
/* The first message of a proof to auth (the address is filled in), and its challenge to the client; unfinished: what
 * a person reads who gets no further. */
XOS_MUST_USE enum xos_status ca_begin_proof(struct ca_network *n, const struct xos_request *req,
    struct ca_login_begin *m, const char *unfinished, struct xos_response *res,
    struct xos_err *err);
enum xos_status ca_ask_for_login(struct ca_network *n, struct xos_response *res);
/* The VO's rules (network_rules.c). */
enum xos_status ca_route_rules(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
enum xos_status ca_route_accept(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err);
/* The address of the peer without its port, which is what is throttled. */
void ca_peer_address(const struct xos_request *req, char *out, size_t cap);
/* NOT_FOUND unless the path names our VO. */
XOS_MUST_USE enum xos_status ca_check_vo(
    const struct ca_network *n, const struct xos_request *req, struct xos_err *err);

/* Reads the trust folder and the authority's own certificate. */
XOS_MUST_USE enum xos_status ca_load_trust(
    const struct ca_conf *conf, struct xos_trust **out, struct xos_err *err);

#define CA_CALL_MS 15000 /* longest wait for another process */

/* network_members.c: who asks was checked. */
XOS_MUST_USE enum xos_status ca_network_give_members(struct ca_network *n,
    const struct xos_request *req, struct xos_response *res, struct xos_err *err);

#endif
