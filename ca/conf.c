#include "ca/conf.h"

#include <stddef.h>
#include <unistd.h>

#include "api/grant.h"
#include "auth/verifier.h"
#include "base/file.h"
#include "base/text.h"
#include "ca/key/status.h"
#include "ca/vos.h"

#define ADDRESS(key)                                                                               \
	{                                                                                          \
		.section = "", .name = #key "_url", .type = XOS_CONFIG_STRING,                     \
		.offset = offsetof(struct ca_conf, dir_##key)                                      \
	}

const struct xos_config_key ca_conf_keys[] = {
    XOS_SERVICE_KEYS(struct ca_conf, common),
    ADDRESS(ca),
    ADDRESS(rca),
    ADDRESS(vops),
    ADDRESS(accounting),
    {.section = "",
        .name = "listen_http",
        .type = XOS_CONFIG_STRING,
        .offset = offsetof(struct ca_conf, listen_http)},
    {.section = "",
        .name = "http_url",
        .type = XOS_CONFIG_STRING,
        .offset = offsetof(struct ca_conf, http_url)},
    {.section = "",
        .name = "vos",
        .type = XOS_CONFIG_PATH,
        .offset = offsetof(struct ca_conf, vos)},
    {.section = "token",
        .name = "lifetime",
        .type = XOS_CONFIG_DURATION,
        .offset = offsetof(struct ca_conf, lifetime),
        .fallback = "12h",
        .min = 60,
        .max = 366 * 86400},
    {.section = "token",
        .name = "lifetime_max",
        .type = XOS_CONFIG_DURATION,
        .offset = offsetof(struct ca_conf, lifetime_max),
        .fallback = "24h",
        .min = 60,
        .max = 366 * 86400},
    {.section = "token",
        .name = "renew_max",
        .type = XOS_CONFIG_DURATION,
        .offset = offsetof(struct ca_conf, renew_max),
        .fallback = "24h",
        .min = 60,
        .max = 30 * 86400},
    {.section = "token",
        .name = "grant_max",
        .type = XOS_CONFIG_DURATION,
        .offset = offsetof(struct ca_conf, grant_max),
        .fallback = "7d",
        .min = 60,
        .max = XOS_GRANT_LIFE_MAX},
    {.section = "password",
        .name = "iterations",
        .type = XOS_CONFIG_NUMBER,
        .offset = offsetof(struct ca_conf, iterations),
        .fallback = "65536",
        .min = XOS_SCRAM_ITERATIONS_MIN,
        .max = XOS_SCRAM_ITERATIONS_MAX},
};
const size_t ca_conf_nkeys = sizeof(ca_conf_keys) / sizeof(ca_conf_keys[0]);

enum xos_status ca_paths_fill(const char *state, struct ca_paths *p, struct xos_err *err)
{
	bool ok = xos_path_join(p->key, PATH_MAX, state, "ca.key") &&
	          xos_path_join(p->csr, PATH_MAX, state, "ca.csr") &&
	          xos_path_join(p->cert, PATH_MAX, state, "ca.pem") &&
	          xos_path_join(p->delegation_key, PATH_MAX, state, "delegation.key") &&
	          xos_path_join(p->delegation_csr, PATH_MAX, state, "delegation.csr") &&
	          xos_path_join(p->delegation_cert, PATH_MAX, state, "delegation.pem") &&
	          xos_path_join(p->auth_dir, PATH_MAX, state, "auth") &&
	          xos_path_join(p->membership, PATH_MAX, state, "auth/membership.db") &&
	          xos_path_join(p->verifiers, PATH_MAX, state, "auth/verifiers.db") &&
	          xos_path_join(p->key_dir, PATH_MAX, state, "key") &&
	          xos_path_join(p->log, PATH_MAX, state, "key/issuance.log");

	return ok ? XOS_OK : xos_err_set(err, XOS_LIMIT, "path", "the path %s is too long", state);
}

static void check_file(const char *path, const char *hint,
    void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	struct xos_err err = XOS_ERR_INIT;

	if (access(path, F_OK) == 0)
		return;
	(void)xos_err_set(&err, XOS_NOT_FOUND, "state-file", "%s does not exist: %s", path, hint);
	report(ctx, &err);
}

static void check_http(
    const struct ca_conf *c, void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_points *points = NULL;

	if (!c->http_url)
		return;
	if (!c->listen_http) {
		(void)xos_err_set(&err, XOS_MALFORMED, "status-url",
		    "http_url is what tokens name, and nothing would listen there: set "
		    "listen_http as well");
		report(ctx, &err);
	}
	if (ca_status_urls(c->http_url, c->common.vo, &points, &err) != XOS_OK)
		report(ctx, &err);
	xos_points_free(points);
}

void ca_conf_check(
    const void *conf, void (*report)(void *ctx, const struct xos_err *err), void *ctx)
{
	const struct ca_conf *c = conf;
	struct xos_err err = XOS_ERR_INIT;
	struct ca_paths p;

	xos_service_conf_check(&c->common, report, ctx);
	check_http(c, report, ctx);
	ca_vos_check(c, report, ctx);
	if (c->lifetime > c->lifetime_max) {
		(void)xos_err_set(&err, XOS_MALFORMED, "lifetime",
		    "[token] lifetime must not exceed lifetime_max");
		report(ctx, &err);
	}
	if (ca_paths_fill(c->common.state, &p, &err) != XOS_OK) {
		report(ctx, &err);
		return;
	}
	check_file(p.key, "make it with xos-cad init", report, ctx);
	check_file(p.cert, "let the root sign ca.csr with xos-cad root-sign", report, ctx);
	check_file(p.membership, "make it with xos-cad init", report, ctx);
	check_file(p.verifiers, "make it with xos-cad init", report, ctx);
}
