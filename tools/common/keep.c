#include "cli/keep.h"

#include "base/text.h"

enum xos_status xos_cli_keeper(const char *socket, struct xos_credd **out, struct xos_err *err)
{
	const struct xos_open_options o = {.size = sizeof(o), .socket = socket};
	return xos_open(&o, out, err);
}

enum xos_status xos_cli_kept_begin(
    const char *socket, unsigned flags, struct xos_cli_kept *out, struct xos_err *err)
{
	*out = (struct xos_cli_kept){.credd = NULL};
	enum xos_status st = xos_cli_keeper(socket, &out->credd, err);
	if (!st)
		st = xos_credential_create(out->credd, flags, &out->id, &out->csr, &out->ncsr, err);
	if (st)
		xos_cli_kept_clear(out);
	return st;
}

enum xos_status xos_cli_kept_put(
    struct xos_cli_kept *k, const struct xos_chain *chain, struct xos_err *err)
{
	struct xos_buf pem;
	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	for (size_t i = 0; i < chain->n; i++)
		xos_cert_to_pem(chain->cert[i], &pem);
	enum xos_status st = xos_buf_status(&pem);
	if (st)
		st = xos_err_set(err, st, "memory", "out of memory");
	else
		st =
		    xos_credential_put(k->credd, k->id.text, (const char *)pem.p, pem.n, NULL, err);
	/* A convenience: without a keyring xos-credd itself chooses the newest of this session. */
	if (!st && xos_credential_choose(k->credd, k->id.text, NULL) != XOS_OK)
		st = XOS_OK;
	xos_buf_free(&pem);
	return st;
}

void xos_cli_kept_drop(struct xos_cli_kept *k)
{
	/* If it cannot be told, it is forgotten by itself after ten minutes. */
	if (k->credd && k->id.text[0])
		(void)!xos_credential_destroy(k->credd, k->id.text, NULL);
	xos_cli_kept_clear(k);
}

void xos_cli_kept_clear(struct xos_cli_kept *k)
{
	xos_free(k->csr);
	xos_close(k->credd);
	*k = (struct xos_cli_kept){.credd = NULL};
}
