/* include/xos/credential.h over lib/local. */
#include <xos/credential.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "credential/keyring.h"
#include "credential/pem.h"
#include "credential/runtime.h"
#include "local/credential.h"

#define DEFAULT_SOCKET "/run/xos/credd.sock"
#define KEYRING_PREFIX "xos:credential:"
#define PEM_MAX (1024 * 1024)

_Static_assert(sizeof(struct xos_credential_id) == sizeof(struct xos_local_id),
    "identifiers are as long inside as outside");
_Static_assert(
    XOS_CREDENTIAL_EXPORT == XOS_LOCAL_EXPORT && XOS_CREDENTIAL_SESSION == XOS_LOCAL_SESSION,
    "the flags are the protocol's");
_Static_assert(XOS_SIGNATURE_ROOM >= XOS_LOCAL_SIGNATURE_MAX, "a signature has room");

struct xos_credd {
	struct xos_local *local;
	char name[PATH_MAX]; /* under which a choice stands in the keyring */
	char credential[XOS_CREDENTIAL_ID_MAX + 1];
};

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

static enum xos_status fill(
    struct xos_credd *c, const struct xos_open_options *o, struct xos_err *err)
{
	const char *path = o->socket ? o->socket : secure_getenv("XOS_CREDD_SOCKET");
	if (!path || !path[0])
		path = DEFAULT_SOCKET;
	if (!xos_str_copy(c->credential, sizeof(c->credential), o->credential ? o->credential : ""))
		return xos_err_set(
		    err, XOS_MALFORMED, "credential", "an identifier of over 63 characters");
	if (!xos_str_printf(c->name, sizeof(c->name), KEYRING_PREFIX "%s", path))
		return xos_err_set(err, XOS_MALFORMED, "socket-path", "the path is too long");
	const struct xos_local_options opts = {.path = path,
	    .timeout_ms = o->timeout_ms,
	    .other_user = o->accept_user != 0,
	    .user = (uid_t)o->user};
	return xos_local_new(&opts, &c->local, err);
}

enum xos_status xos_open(
    const struct xos_open_options *options, struct xos_credd **out, struct xos_err *err)
{
	const struct xos_open_options none = {.size = sizeof(none)};
	const struct xos_open_options *o = options ? options : &none;
	if (o->size != sizeof(*o))
		return xos_err_set(err, XOS_MALFORMED, "options",
		    "the options have another size than this library's: set size, or build the "
		    "program anew");
	struct xos_credd *c = calloc(1, sizeof(*c));
	if (!c)
		return no_memory(err);
	enum xos_status st = fill(c, o, err);
	if (st)
		xos_close(c);
	else
		*out = c;
	return st;
}

void xos_close(struct xos_credd *c)
{
	if (!c)
		return;
	xos_local_free(c->local);
	free(c);
}

void xos_free(void *p)
{
	free(p);
}

/* What the caller named, else what was chosen, else credd's choice. A choice that is gone is told, not replaced: it
 * might have been another member's. */
static const char *named(
    const struct xos_credd *c, const char *id, char room[XOS_CREDENTIAL_ID_MAX + 1])
{
	if (id && id[0])
		return id;
	if (c->credential[0])
		return c->credential;
	return xos_keyring_get(c->name, room, XOS_CREDENTIAL_ID_MAX + 1) &&
	               xos_local_job_valid(room)
	           ? room
	           : "";
}

static void give_id(struct xos_credential_id *out, const struct xos_local_id *id)
{
	if (out)
		memcpy(out->text, id->text, sizeof(out->text));
}

enum xos_status xos_credential_list(struct xos_credd *c, char **json, struct xos_err *err)
{
	return xos_local_cred_list(c->local, false, json, err);
}

enum xos_status xos_credential_create(struct xos_credd *c, unsigned int flags,
    struct xos_credential_id *id, unsigned char **csr, size_t *csr_len, struct xos_err *err)
{
	struct xos_local_id made;
	uint8_t *der = NULL;
	size_t n = 0;
	if (flags & ~(XOS_CREDENTIAL_EXPORT | XOS_CREDENTIAL_SESSION))
		return xos_err_set(err, XOS_MALFORMED, "flags", "flags that nobody knows");
	enum xos_status st = xos_local_cred_create(c->local, flags, &made, &der, &n, err);
	if (st)
		return st;
	give_id(id, &made);
	*csr = der;
	*csr_len = n;
	return XOS_OK;
}

enum xos_status xos_credential_put(struct xos_credd *c, const char *id, const char *pem,
    size_t pem_len, int64_t *not_after, struct xos_err *err)
{
	struct xos_bytes cert[XOS_PEM_CERTS_MAX];
	struct xos_local_put done;
	struct xos_buf memory;
	size_t n = 0;
	xos_buf_init(&memory, XOS_LOCAL_BODY_MAX);
	enum xos_status st =
	    xos_pem_read((struct xos_bytes){(const uint8_t *)pem, pem_len}, &memory, cert, &n, err);
	if (!st)
		st = xos_local_cred_put(c->local, id, cert, n, &done, err);
	if (!st && not_after)
		*not_after = done.not_after;
	xos_buf_free(&memory);
	return st;
}

/* Takes the chain. */
static enum xos_status chain_pem(struct xos_local_chain *chain, char **pem, struct xos_err *err)
{
	struct xos_buf b;
	xos_buf_init(&b, PEM_MAX);
	for (size_t i = 0; i < chain->n; i++)
		xos_pem_write(&b, chain->cert[i]);
	xos_local_chain_clear(chain);
	char *text = xos_buf_steal(&b, NULL);
	xos_buf_free(&b);
	if (!text)
		return no_memory(err);
	*pem = text;
	return XOS_OK;
}

enum xos_status xos_credential_chain(struct xos_credd *c, const char *id,
    struct xos_credential_id *used, char **pem, struct xos_err *err)
{
	struct xos_local_chain chain;
	char room[XOS_CREDENTIAL_ID_MAX + 1];
	enum xos_status st = xos_local_cred_chain(c->local, named(c, id, room), &chain, err);
	if (st)
		return st;
	struct xos_local_id which = chain.id;
	st = chain_pem(&chain, pem, err);
	if (!st)
		give_id(used, &which);
	return st;
}

struct xos_pem {
	struct xos_secret *text;
};

/* With a NUL, for callers who take it for a string. */
static enum xos_status wrap(struct xos_secret *s, struct xos_pem **out, struct xos_err *err)
{
	struct xos_pem *p = calloc(1, sizeof(*p));
	if (p)
		p->text = xos_secret_new(xos_secret_len(s) + 1);
	if (!p || !p->text) {
		free(p);
		return no_memory(err);
	}
	memcpy(xos_secret_data(p->text), xos_secret_data(s), xos_secret_len(s));
	*out = p;
	return XOS_OK;
}

enum xos_status xos_credential_get(
    struct xos_credd *c, const char *id, struct xos_pem **out, struct xos_err *err)
{
	char room[XOS_CREDENTIAL_ID_MAX + 1];
	struct xos_local_id used;
	struct xos_secret *s = NULL;
	enum xos_status st = xos_local_cred_get(c->local, named(c, id, room), &used, &s, err);
	if (!st)
		st = wrap(s, out, err);
	xos_secret_free(s);
	return st;
}

const char *xos_pem_text(const struct xos_pem *pem, size_t *len)
{
	if (len)
		*len = xos_secret_len(pem->text) - 1;
	return (const char *)xos_secret_data(pem->text);
}

void xos_pem_free(struct xos_pem *pem)
{
	if (!pem)
		return;
	xos_secret_free(pem->text);
	free(pem);
}

enum xos_status xos_credential_file(
    struct xos_credd *c, const char *id, char *path, size_t cap, struct xos_err *err)
{
	char room[XOS_CREDENTIAL_ID_MAX + 1], file[PATH_MAX];
	struct xos_local_id used;
	struct xos_secret *s = NULL;
	enum xos_status st = xos_local_cred_get(c->local, named(c, id, room), &used, &s, err);
	if (!st)
		st = xos_runtime_path(used.text, file, err);
	if (!st && strlen(file) >= cap)
		st = xos_err_set(err, XOS_LIMIT, "path", "the path has no room");
	if (!st)
		st = xos_file_write(
		    file, 0600, (struct xos_bytes){xos_secret_data(s), xos_secret_len(s)}, err);
	if (!st)
		memcpy(path, file, strlen(file) + 1);
	xos_secret_free(s);
	return st;
}

enum xos_status xos_credential_sign(struct xos_credd *c, const char *id,
    const unsigned char *digest, size_t digest_len, struct xos_signature *out, struct xos_err *err)
{
	char room[XOS_CREDENTIAL_ID_MAX + 1];
	struct xos_local_signature sig;
	enum xos_status st = xos_local_cred_sign(
	    c->local, named(c, id, room), (struct xos_bytes){digest, digest_len}, &sig, err);
	if (st)
		return st;
	memcpy(out->used.text, sig.id.text, sizeof(out->used.text));
	memcpy(out->bytes, sig.p, sig.n);
	out->len = sig.n;
	return XOS_OK;
}

static bool copy(char *out, size_t cap, const char *in)
{
	return xos_str_copy(out, cap, in ? in : "");
}

enum xos_status xos_credential_delegate(struct xos_credd *c, const char *id,
    const struct xos_delegate_options *o, char **pem, int64_t *until, struct xos_err *err)
{
	char room[XOS_CREDENTIAL_ID_MAX + 1];
	struct xos_local_chain chain;
	if (o->size != sizeof(*o))
		return xos_err_set(err, XOS_MALFORMED, "options",
		    "the options have another size than this library's");
	struct xos_local_step step = {.csr = {o->csr, o->csr_len},
	    .until = o->until,
	    .depth = o->depth,
	    .restriction = {o->restriction, o->restriction_len}};
	if (!copy(step.actor, sizeof(step.actor), o->actor) ||
	    !copy(step.node, sizeof(step.node), o->node) ||
	    !copy(step.id, sizeof(step.id), o->grant))
		return xos_err_set(
		    err, XOS_MALFORMED, "delegation", "a name of actor, node or grant is too long");
	enum xos_status st = xos_local_delegate(c->local, named(c, id, room), &step, &chain, err);
	if (st)
		return st;
	int64_t end = chain.not_after;
	st = chain_pem(&chain, pem, err);
	if (!st && until)
		*until = end;
	return st;
}

enum xos_status xos_credential_renew(
    struct xos_credd *c, const char *id, int64_t *not_after, struct xos_err *err)
{
	char room[XOS_CREDENTIAL_ID_MAX + 1];
	int64_t end = 0;
	enum xos_status st = xos_local_cred_renew(c->local, named(c, id, room), &end, err);
	if (!st && not_after)
		*not_after = end;
	return st;
}

enum xos_status xos_credential_authorise(struct xos_credd *c, const char *id, const char *request,
    struct xos_verdict *out, struct xos_err *err)
{
	char room[XOS_CREDENTIAL_ID_MAX + 1];
	struct xos_local_chain chain = {.n = 0};
	struct xos_local_verdict v;
	enum xos_status st = xos_local_cred_chain(c->local, named(c, id, room), &chain, err);
	if (!st)
		st = xos_local_authorise(c->local, chain.cert, chain.n, request, &v, err);
	xos_local_chain_clear(&chain);
	if (st)
		return st;
	*out = (struct xos_verdict){
	    .permitted = v.decision == XOS_LOCAL_PERMIT,
	    .undecided = v.decision == XOS_LOCAL_UNDECIDED,
	    .json = v.json, /* given away */
	};
	return XOS_OK;
}

void xos_verdict_clear(struct xos_verdict *v)
{
	if (!v)
		return;
	free(v->json);
	*v = (struct xos_verdict){.permitted = 0};
}

/* What stood for it outside credd: its file, and the choice of it. */
static void forget(const struct xos_credd *c, const char *id)
{
	char path[PATH_MAX], chosen[XOS_CREDENTIAL_ID_MAX + 1];
	if (xos_runtime_path(id, path, NULL) == XOS_OK)
		(void)unlink(path);
	if (xos_keyring_get(c->name, chosen, sizeof(chosen)) && strcmp(chosen, id) == 0)
		(void)!xos_keyring_set(c->name, NULL, NULL);
}

enum xos_status xos_credential_destroy(struct xos_credd *c, const char *id, struct xos_err *err)
{
	/* Never by default: what is destroyed is named. */
	if (!id || !xos_local_job_valid(id))
		return xos_err_set(
		    err, XOS_MALFORMED, "credential", "name the credential that shall end");
	enum xos_status st = xos_local_cred_destroy(c->local, id, err);
	if (!st || st == XOS_NOT_FOUND)
		forget(c, id);
	return st;
}

enum xos_status xos_credential_choose(struct xos_credd *c, const char *id, struct xos_err *err)
{
	struct xos_local_chain chain = {.n = 0};
	if (!id)
		return xos_keyring_set(c->name, NULL, err);
	enum xos_status st = xos_local_cred_chain(c->local, id, &chain, err);
	if (!st)
		st = xos_keyring_set(c->name, chain.id.text, err);
	xos_local_chain_clear(&chain);
	return st;
}
