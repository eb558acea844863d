#include "cli/contact.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "service/client.h"

#define SKEW 300
#define VOS_MAX 65536 /* bytes of the list of VOs */

/* The server says which VOs it serves; the fingerprint, not that answer, proves which one it is. */
static enum xos_status only_vo(const char *url, char vo[XOS_VO_MAX + 1], struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const char **list = NULL;
	struct xos_buf body;
	size_t n = 0;
	enum xos_status st;

	xos_buf_init(&body, VOS_MAX);
	st = xos_client_fetch_unverified(url, "/v1/vo", VOS_MAX, &body, err);
	if (st == XOS_OK)
		st = xos_json_parse(xos_buf_bytes(&body), VOS_MAX, &doc, err);
	if (st == XOS_OK)
		st = xos_json_get_strings(doc, "vos", 1000, 255, &list, &n, err);
	if (st == XOS_OK && n != 1)
		st = xos_cli_usage(err, "%s serves %zu VOs: say which one with --vo NAME", url, n);
	if (st == XOS_OK &&
	    (!xos_name_is_vo(list[0]) || !xos_str_copy(vo, XOS_VO_MAX + 1, list[0])))
		st = xos_err_set(err, XOS_MALFORMED, "vo-name", "%s names no VO", url);
	free(list);
	xos_json_free(doc);
	xos_buf_free(&body);
	return st;
}

static enum xos_status trust_of(
    const struct xos_joined *j, struct xos_trust **out, struct xos_err *err)
{
	struct xos_trust *t = xos_trust_new();
	enum xos_status st = t ? xos_trust_add_root(t, j->root, err)
	                       : xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");

	for (size_t i = 0; st == XOS_OK && i < j->issuers.n; i++)
		st = xos_trust_add_issuer(t, j->issuers.cert[i], err);
	if (st == XOS_OK && j->list.n)
		st = xos_trust_take_list(t, xos_buf_bytes(&j->list), NULL, err);
	if (st != XOS_OK)
		xos_trust_free(t);
	else
		*out = t;
	return st;
}

static enum xos_status fetch_directory(
    const char *url, struct xos_cli_contact *c, struct xos_err *err)
{
	struct xos_service_client *client = NULL;
	const struct xos_service_client_options o = {
	    .url = url, .vo = c->joined->vo, .service = "ca", .trust = c->trust, .skew = SKEW};
	enum xos_status st = xos_service_client_new(&o, &client, err);

	if (st == XOS_OK)
		st = xos_cad_fetch_directory(
		    xos_service_client(client), c->joined->vo, &c->services, err);
	xos_service_client_free(client);
	return st;
}

enum xos_status xos_cli_contact(const char *url, const char *vo, const char *fingerprint,
    struct xos_cli_contact *out, struct xos_err *err)
{
	uint8_t digest[XOS_SHA256_LEN];
	char name[XOS_VO_MAX + 1] = "";
	enum xos_status st = XOS_OK;

	if (!fingerprint)
		return xos_cli_usage(err, "joining needs --fingerprint sha256:..., which the VO's "
		                          "administrators publish");
	if (xos_fingerprint_parse(fingerprint, digest, NULL) != XOS_OK)
		return xos_cli_usage(
		    err, "--fingerprint must be \"sha256:\" and 64 hexadecimal digits");
	if (vo && (!xos_name_is_vo(vo) || !xos_str_copy(name, sizeof(name), vo)))
		return xos_cli_usage(err, "\"%s\" is no name of a VO", vo);
	if (!vo)
		st = only_vo(url, name, err);
	if (st == XOS_OK)
		st = xos_trust_doc_join(url, name, digest, xos_clock_now(), &out->joined, err);
	if (st == XOS_OK)
		st = trust_of(out->joined, &out->trust, err);
	return st == XOS_OK ? fetch_directory(url, out, err) : st;
}

void xos_cli_contact_clear(struct xos_cli_contact *c)
{
	xos_cad_directory_clear(&c->services);
	xos_trust_free(c->trust);
	xos_joined_free(c->joined);
	memset(c, 0, sizeof(*c));
}
