#include "api/chainjson.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void xos_chain_to_json(struct xos_json *obj, const char *key, const struct xos_chain *chain)
{
	struct xos_json *list = xos_json_array();

	for (size_t i = 0; i < chain->n; i++) {
		struct xos_buf text;

		xos_buf_init(&text, 2 * XOS_CERT_MAX);
		xos_base64_encode(&text, xos_cert_der(chain->cert[i]));
		/* NULL fails the document, which the dump reports. */
		xos_json_add_string(list, xos_buf_str(&text));
		xos_buf_free(&text);
	}
	xos_json_set(obj, key, list);
}

enum xos_status xos_chain_from_json(
    const struct xos_json *obj, const char *key, struct xos_chain *out, struct xos_err *err)
{
	const char **list = NULL;
	struct xos_bytes der[XOS_CHAIN_MAX];
	struct xos_buf buf[XOS_CHAIN_MAX];
	size_t n = 0, done = 0;
	enum xos_status st =
	    xos_json_get_strings(obj, key, XOS_CHAIN_MAX, 2 * XOS_CERT_MAX, &list, &n, err);

	if (st == XOS_OK && n == 0)
		st = xos_json_refuse(obj, err, "%s: no certificates", key);
	for (; st == XOS_OK && done < n; done++) {
		xos_buf_init(&buf[done], XOS_CERT_MAX);
		if (xos_base64_decode(&buf[done], list[done], strlen(list[done])) != XOS_OK)
			st = xos_json_refuse(
			    obj, err, "%s[%zu]: not base64 of a certificate", key, done);
		der[done] = xos_buf_bytes(&buf[done]);
	}
	if (st == XOS_OK)
		st = xos_chain_from_der(der, n, out, err);
	for (size_t i = 0; i < done; i++)
		xos_buf_free(&buf[i]);
	free(list);
	return st;
}
