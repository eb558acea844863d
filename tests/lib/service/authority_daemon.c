#include "authority_daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "proc/supervisor.h"
#include "service/authority.h"
#include "service/front.h"
#include "service/verifier.h"

enum { TYPE_SAY = 1, TYPE_SIGN = 2 };

struct conf {
	struct xos_service_conf c;
	char *motto;
};

static const struct xos_config_key keys[] = {
    XOS_SERVICE_KEYS(struct conf, c), {.section = "",
                                          .name = "motto",
                                          .type = XOS_CONFIG_STRING,
                                          .offset = offsetof(struct conf, motto),
                                          .required = true}};

/* A request of the network process: to auth (path /say), or straight to key, which key refuses. */
static enum xos_status forward(struct xos_part_self *self, enum xos_part to, uint16_t type,
    struct xos_response *res, struct xos_err *err)
{
	struct xos_buf reply;
	enum xos_status st = xos_channel_call(
	    self->to[to], type, xos_bytes_str("hello"), xos_clock_mono_ms() + WAIT_MS, &reply, err);
	if (st == XOS_OK)
		xos_response_body(res, "text/plain", xos_buf_bytes(&reply));
	xos_buf_free(&reply);
	return st;
}

static enum xos_status route_say(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	(void)req;
	return forward(ctx, XOS_PART_AUTH, TYPE_SAY, res, err);
}

static enum xos_status route_cheat(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	(void)req;
	return forward(ctx, XOS_PART_KEY, TYPE_SIGN, res, err);
}

static enum xos_status route_who(
    void *ctx, const struct xos_request *req, struct xos_response *res, struct xos_err *err)
{
	const struct xos_identity *id = xos_request_identity(req);
	char text[600];
	(void)ctx;
	(void)err;
	snprintf(text, sizeof(text), "%s %d", id->uri, (int)geteuid());
	xos_response_body(res, "text/plain", xos_bytes_str(text));
	return XOS_OK;
}

static const struct xos_route routes[] = {{"GET", "/say", route_say, 0, 0},
    {"GET", "/cheat", route_cheat, 0, 0}, {"GET", "/who", route_who, XOS_ROUTE_CERT, 0}};

struct network {
	struct xos_trust *trust;
	struct xos_service_verifier *verifier;
	struct xos_front *front;
};

static enum xos_status network_open(struct xos_part_self *self, struct xos_err *err)
{
	const struct conf *conf = self->run->conf;
	struct xos_service_verifier_options vo = {
	    .vo = conf->c.vo, .kinds = XOS_KIND_BIT(XOS_KIND_USER)};
	struct network *n = calloc(1, sizeof(*n));
	self->state = n;
	n->trust = xos_trust_new();
	enum xos_status st = xos_trust_load(n->trust, conf->c.trust, err);
	if (st == XOS_OK)
		st = xos_service_verifier_new(n->trust, &vo, &n->verifier, err);
	if (st != XOS_OK)
		return st;
	struct xos_front_options fo = {.listen_fd = self->listen_fd,
	    .tls_certificate = conf->c.tls_certificate,
	    .tls_key = conf->c.tls_key,
	    .verifier = xos_service_verifier_get(n->verifier)};
	st = xos_front_new(&fo, &n->front, err);
	return st == XOS_OK ? xos_front_routes(n->front, routes, 3, self, err) : st;
}

static enum xos_status network_serve(struct xos_part_self *self, struct xos_err *err)
{
	struct network *n = self->state;
	return xos_front_run(n->front, self->signal_fd, err);
}

static void network_close(struct xos_part_self *self)
{
	struct network *n = self->state;
	if (!n)
		return;
	xos_front_free(n->front);
	xos_service_verifier_free(n->verifier);
	xos_trust_free(n->trust);
	free(n);
}

static enum xos_status handle_say(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_part_self *self = ctx;
	struct xos_buf inner;
	(void)from;
	enum xos_status st = xos_channel_call(
	    self->to[XOS_PART_KEY], TYPE_SIGN, payload, xos_clock_mono_ms() + WAIT_MS, &inner, err);
	if (st == XOS_OK)
		xos_buf_put(reply, inner.p, inner.n);
	xos_buf_free(&inner);
	return st;
}

static enum xos_status handle_sign(
    void *ctx, size_t from, struct xos_bytes payload, struct xos_buf *reply, struct xos_err *err)
{
	struct xos_part_self *self = ctx;
	const struct conf *conf = self->run->conf;
	(void)from;
	(void)err;
	xos_buf_printf(reply, "%s: %.*s from %d", conf->motto, (int)payload.n,
	    (const char *)payload.p, (int)geteuid());
	return XOS_OK;
}

static enum xos_status serve_table(
    struct xos_part_self *self, const struct xos_channel_handler *table, struct xos_err *err)
{
	struct xos_channel *list[XOS_PARTS];
	struct xos_channel_server s = {.table = table, .ntable = 1, .ctx = self};
	xos_part_channels(self, list, &s);
	xos_child_ready();
	return xos_channel_serve(&s, err);
}

static enum xos_status auth_serve(struct xos_part_self *self, struct xos_err *err)
{
	/* Of auth's two channels only network's may send; the one to key is auth's own. */
	static const struct xos_channel_handler table[] = {{TYPE_SAY, "say", 1u, handle_say}};
	struct xos_channel *list[XOS_PARTS];
	struct xos_channel_server s = {.table = table, .ntable = 1, .ctx = self};
	xos_part_channels(self, list, &s);
	s.nchannels = 1;
	xos_child_ready();
	return xos_channel_serve(&s, err);
}

static enum xos_status key_serve(struct xos_part_self *self, struct xos_err *err)
{
	/* Bit 0 is network, bit 1 auth: signing is for auth alone. */
	static const struct xos_channel_handler table[] = {{TYPE_SIGN, "sign", 2u, handle_sign}};
	return serve_table(self, table, err);
}

static enum xos_status key_open(struct xos_part_self *self, struct xos_err *err)
{
	const struct conf *conf = self->run->conf;
	return strcmp(conf->motto, "broken") == 0
	           ? xos_err_set(err, XOS_DENIED, "test-broken", "the key is broken")
	           : XOS_OK;
}

static enum xos_status run(
    const struct xos_service_run *r, int argc, char **argv, struct xos_err *err)
{
	const struct conf *conf = r->conf;
	char *tls_dir = strdup(conf->c.tls_key);
	*strrchr(tls_dir, '/') = '\0';
	const char *const network_reads[] = {tls_dir, NULL};
	struct xos_authority a = {.name = "test",
	    .network_auth = true,
	    .network_key = true,
	    .auth_key = true,
	    .listen = conf->c.listen,
	    .parts = {[XOS_PART_NETWORK] = {.present = true,
	                  .user = conf->c.user_network,
	                  .open = network_open,
	                  .serve = network_serve,
	                  .close = network_close,
	                  .sandbox = {.name = "test/network",
	                      .allow = XOS_ALLOW_NET_SERVER,
	                      .read_only = network_reads}},
	        [XOS_PART_AUTH] = {.present = true,
	            .user = conf->c.user_auth,
	            .serve = auth_serve,
	            .sandbox = {.name = "test/auth"}},
	        [XOS_PART_KEY] = {.present = true,
	            .user = conf->c.user_key,
	            .open = key_open,
	            .serve = key_serve,
	            .sandbox = {.name = "test/key"}}}};
	enum xos_status st = xos_service_args_end(argc, argv, err);
	if (st == XOS_OK)
		st = xos_authority_run(&a, r, err);
	free(tls_dir);
	return st;
}

static enum xos_status greet(
    const struct xos_service_run *r, int argc, char **argv, struct xos_err *err)
{
	const char *name = NULL, *other = NULL;
	(void)r;
	enum xos_status st = xos_service_arg(&argc, argv, "--name", true, &name, err);
	if (st == XOS_OK)
		st = xos_service_arg(&argc, argv, "--other", false, &other, err);
	if (st == XOS_OK)
		st = xos_service_args_end(argc, argv, err);
	if (st == XOS_OK)
		printf("hello %s %s\n", name, other ? other : "-");
	return st;
}

static void check_conf(
    const void *conf, void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	xos_service_conf_check(&((const struct conf *)conf)->c, report, ctx);
}

static const struct xos_service_verb verbs[] = {{"run", "", "serve", true, run},
    {"greet", "--name NAME [--other NAME]", "say hello", false, greet}};

const struct xos_service_program test_daemon = {.name = "test-daemon",
    .about = "a service for tests",
    .keys = keys,
    .nkeys = sizeof(keys) / sizeof(keys[0]),
    .conf_size = sizeof(struct conf),
    .check = check_conf,
    .verbs = verbs,
    .nverbs = 2,
    .examples = "  test-daemon greet --name you\n"};
