#include "net/server_internal.h"

#include <stdlib.h>
#include <string.h>

void route_clear(struct route *r)
{
	free(r->text);
	r->text = NULL;
}

enum xos_status route_make(
    const struct xos_route *pub, void *ctx, struct route *out, struct xos_err *err)
{
	struct route r = {.pub = pub, .ctx = ctx};
	if (pub->pattern[0] != '/' || !pub->handle)
		goto malformed;
	r.text = strdup(pub->pattern + 1);
	if (!r.text)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	for (char *next = *r.text ? r.text : NULL; next;) {
		char *segment = strsep(&next, "/");
		size_t n = strlen(segment), i = r.nsegments;
		if (n == 0 || i == HTTP_SEGMENTS_MAX)
			goto malformed;
		r.named[i] = segment[0] == '{';
		if (r.named[i] && (n < 3 || segment[n - 1] != '}'))
			goto malformed;
		if (r.named[i])
			segment[n - 1] = '\0';
		else
			r.rank |= 1u << (31 - i);
		r.segment[i] = r.named[i] ? segment + 1 : segment;
		r.nsegments++;
	}
	*out = r;
	return XOS_OK;
malformed:
	route_clear(&r);
	return xos_err_set(
	    err, XOS_MALFORMED, "route", "\"%s %s\" is no route", pub->method, pub->pattern);
}

static bool matches(const struct route *r, const struct http_target *t)
{
	if (r->nsegments != t->nsegments)
		return false;
	for (size_t i = 0; i < r->nsegments; i++)
		if (!r->named[i] && strcmp(r->segment[i], t->segment[i]) != 0)
			return false;
	return true;
}

static bool method_fits(const struct route *r, const char *method)
{
	return strcmp(r->pub->method, method) == 0 ||
	       (strcmp(method, "HEAD") == 0 && strcmp(r->pub->method, "GET") == 0);
}

static void allow_add(char *allow, size_t cap, const char *method)
{
	size_t n = strlen(allow);
	if (n + strlen(method) + 3 > cap)
		return;
	if (n) {
		memcpy(allow + n, ", ", 2);
		n += 2;
	}
	memcpy(allow + n, method, strlen(method) + 1);
}

const struct route *route_find(const struct route *routes, size_t n, const char *method,
    const struct http_target *target, char *allow, size_t cap, struct xos_err *err)
{
	const struct route *best = NULL;
	allow[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		if (!matches(&routes[i], target))
			continue;
		if (!method_fits(&routes[i], method))
			allow_add(allow, cap, routes[i].pub->method);
		else if (!best || routes[i].rank > best->rank)
			best = &routes[i];
	}
	if (!best && allow[0])
		xos_err_set(err, XOS_MALFORMED, "method-not-allowed",
		    "this address takes %s, not %s", allow, method);
	else if (!best)
		xos_err_set(err, XOS_NOT_FOUND, "no-such-path", "there is nothing at this address");
	return best;
}
