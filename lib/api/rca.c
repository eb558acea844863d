/* Applications of nodes: the codec. */
#include "api/rca.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pki/csr.h"

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

struct xos_rca_application *xos_rca_application_new(void)
{
	struct xos_rca_application *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	xos_buf_init(&a->csr, XOS_CSR_MAX);
	for (size_t i = 0; i < XOS_RCA_SERVICES_MAX; i++)
		xos_buf_init(&a->services[i].csr, XOS_CSR_MAX);
	return a;
}

void xos_rca_application_free(struct xos_rca_application *a)
{
	if (!a)
		return;
	xos_json_free(a->about);
	xos_buf_free(&a->csr);
	for (size_t i = 0; i < XOS_RCA_SERVICES_MAX; i++)
		xos_buf_free(&a->services[i].csr);
	free(a);
}

bool xos_rca_host_valid(const char *s, bool *ip)
{
	unsigned char addr[16];
	bool is_ip = inet_pton(AF_INET, s, addr) == 1 || inet_pton(AF_INET6, s, addr) == 1;

	if (ip)
		*ip = is_ip;
	return is_ip || xos_name_is_node(s);
}

struct xos_json *xos_rca_application_encode(const struct xos_rca_application *a)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();
	const char *hosts[XOS_RCA_HOSTS_MAX];

	for (size_t i = 0; i < a->nhosts; i++)
		hosts[i] = a->hosts[i];
	xos_json_set_string(doc, "node", a->node);
	xos_json_set_string(doc, "site", a->site);
	xos_json_set_strings(doc, "hosts", hosts, a->nhosts);
	xos_json_set(doc, "about", a->about ? xos_json_copy(a->about) : xos_json_object());
	xos_json_set_bytes(doc, "csr", xos_buf_bytes(&a->csr));
	for (size_t i = 0; i < a->nservices; i++) {
		struct xos_json *s = xos_json_object();

		xos_json_set_string(s, "kind", a->services[i].kind);
		xos_json_set_string(s, "url", a->services[i].url);
		xos_json_set_bytes(s, "csr", xos_buf_bytes(&a->services[i].csr));
		xos_json_add(list, s);
	}
	xos_json_set(doc, "services", list);
	return doc;
}

/* Strings for people only: nothing is ever decided by what a node says of itself. */
static enum xos_status check_about(const struct xos_json *about, struct xos_err *err)
{
	void *it = NULL;
	const char *key = NULL, *text = NULL;
	const struct xos_json *value = NULL;
	enum xos_status st = XOS_OK;

	if (xos_json_count(about) > XOS_RCA_ABOUT_MAX)
		return xos_json_refuse(about, err, "more than %d entries", XOS_RCA_ABOUT_MAX);
	while (st == XOS_OK && xos_json_next(about, &it, &key, &value)) {
		if (strlen(key) > 31)
			return xos_json_refuse(about, err, "a key is longer than 31 bytes");
		st = xos_json_as_string(value, 200, &text, err);
	}
	return st;
}

static enum xos_status decode_hosts(
    const struct xos_json *doc, struct xos_rca_application *a, struct xos_err *err)
{
	const char **list = NULL;
	size_t n = 0;
	enum xos_status st =
	    xos_json_get_strings(doc, "hosts", XOS_RCA_HOSTS_MAX, XOS_NODE_MAX, &list, &n, err);

	if (st == XOS_OK && n == 0)
		st = xos_json_refuse(doc, err, "hosts: at least one name or address is needed");
	for (; st == XOS_OK && a->nhosts < n; a->nhosts++) {
		if (!xos_rca_host_valid(list[a->nhosts], NULL) ||
		    !xos_str_copy(a->hosts[a->nhosts], sizeof(a->hosts[0]), list[a->nhosts]))
			st = xos_json_refuse(
			    doc, err, "hosts: \"%s\" is no host name or address", list[a->nhosts]);
	}
	free(list);
	return st;
}

static bool kind_valid(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= XOS_SERVICE_MAX && s[0] >= 'a' && s[0] <= 'z' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static enum xos_status decode_service(
    const struct xos_json *v, struct xos_rca_application *a, struct xos_err *err)
{
	struct xos_rca_service *s = &a->services[a->nservices];
	enum xos_status st = XOS_JSON_ONLY(v, err, "kind", "csr", "url");

	if (st == XOS_OK)
		st = xos_json_copy_string(v, "kind", s->kind, sizeof(s->kind), err);
	if (st == XOS_OK && !kind_valid(s->kind))
		st = xos_json_refuse(v, err, "\"%s\" is no kind of service", s->kind);
	if (st == XOS_OK)
		st = xos_json_copy_string(v, "url", s->url, sizeof(s->url), err);
	if (st == XOS_OK && s->url[0] && strncmp(s->url, "https://", 8) != 0)
		st = xos_json_refuse(v, err, "url must begin with https://");
	if (st == XOS_OK)
		st = xos_json_get_bytes(v, "csr", XOS_CSR_MAX, &s->csr, err);
	for (size_t i = 0; st == XOS_OK && i < a->nservices; i++) {
		if (strcmp(a->services[i].kind, s->kind) == 0)
			st = xos_json_refuse(v, err, "the service %s is named twice", s->kind);
	}
	return st;
}

static enum xos_status decode(
    const struct xos_json *doc, struct xos_rca_application *a, struct xos_err *err)
{
	const struct xos_json *about = NULL, *services = NULL;
	enum xos_status st =
	    XOS_JSON_ONLY(doc, err, "node", "site", "csr", "hosts", "about", "services");

	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "node", a->node, sizeof(a->node), err);
	if (st == XOS_OK && !xos_name_is_node(a->node))
		st = xos_json_refuse(doc, err, "\"%s\" is no node name", a->node);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "site", a->site, sizeof(a->site), err);
	if (st == XOS_OK && !xos_name_is_site(a->site))
		st = xos_json_refuse(doc, err, "\"%s\" is no site name", a->site);
	if (st == XOS_OK)
		st = xos_json_get_bytes(doc, "csr", XOS_CSR_MAX, &a->csr, err);
	if (st == XOS_OK)
		st = decode_hosts(doc, a, err);
	if (st == XOS_OK)
		st = xos_json_get_object(doc, "about", &about, err);
	if (st == XOS_OK)
		st = check_about(about, err);
	if (st == XOS_OK)
		st = xos_json_get_array(doc, "services", XOS_RCA_SERVICES_MAX, &services, err);
	for (; st == XOS_OK && a->nservices < xos_json_count(services); a->nservices++)
		st = decode_service(xos_json_at(services, a->nservices), a, err);
	if (st == XOS_OK) {
		a->about = xos_json_copy(about);
		if (!a->about)
			st = no_memory(err);
	}
	return st;
}

enum xos_status xos_rca_application_decode(
    const struct xos_json *doc, struct xos_rca_application **out, struct xos_err *err)
{
	struct xos_rca_application *a = xos_rca_application_new();

	if (!a)
		return no_memory(err);
	enum xos_status st = decode(doc, a, err);
	if (st != XOS_OK) {
		xos_rca_application_free(a);
		return st;
	}
	*out = a;
	return XOS_OK;
}
