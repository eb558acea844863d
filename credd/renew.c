#include "credd/renew.h"

#include <limits.h>
#include <string.h>

static enum xos_status parse_one(
    const char *item, size_t len, struct xos_tls_pair *p, struct xos_err *err)
{
	char text[2 * PATH_MAX];
	if (len >= sizeof(text))
		return xos_err_set(
		    err, XOS_MALFORMED, "config-value", "renew: a path that is too long");
	memcpy(text, item, len);
	text[len] = '\0';
	char *colon = strchr(text, ':');
	if (!colon || text[0] != '/' || colon[1] != '/' || strchr(colon + 1, ':'))
		return xos_err_set(err, XOS_MALFORMED, "config-value",
		    "renew: \"%.100s\" is not CERTIFICATE:KEY with absolute paths", text);
	*colon = '\0';
	return xos_tls_pair_init(p, text, colon + 1, err);
}

enum xos_status xos_credd_pairs_parse(
    const char *list, struct xos_tls_pair *pairs, size_t *n, struct xos_err *err)
{
	enum xos_status st = XOS_OK;
	while (!st && list) {
		list += strspn(list, ", \t");
		size_t len = strcspn(list, ", \t");
		if (!len)
			break;
		if (*n == XOS_CREDD_PAIRS_MAX)
			return xos_err_set(err, XOS_LIMIT, "config-value",
			    "renew: more than %d pairs", XOS_CREDD_PAIRS_MAX);
		st = parse_one(list, len, &pairs[*n], err);
		if (!st)
			(*n)++;
		list += len;
	}
	return st;
}
