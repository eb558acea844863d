/* Writes seeds for the fuzz targets of lib/pki and lib/token: pki-seeds tests/fuzz/corpus. The keys are new
 * each time and good for nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "pki/csr.h"
#include "pki/jws.h"
#include "token/issuerext.h"
#include "token/oid.h"
#include "token/tokenfile.h"
#include "tokentest/fixture.h"

static const char *corpus;
static struct xos_err err;

static void seed(const char *target, const char *name, struct xos_bytes bytes)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", corpus, target);
	(void)mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/%s", corpus, target, name);
	must(xos_file_write(path, 0644, bytes, &err), &err, path);
}

static void ext_seed(
    const struct xos_cert *c, struct xos_bytes oid, const char *target, const char *name)
{
	struct xos_bytes v;

	must(xos_cert_ext(c, oid, &v, NULL), NULL, name);
	seed(target, name, v);
}

static void chain_seed(const struct vo *vo, const struct xos_chain *ch, const char *name)
{
	struct xos_secret *key = NULL;
	struct xos_buf pem;

	xos_buf_init(&pem, XOS_TOKENFILE_MAX);
	xos_cert_to_pem(ch->cert[0], &pem);
	must(xos_key_to_pem(ch->key, &key, &err), &err, "key");
	xos_buf_put(&pem, xos_secret_data(key), xos_secret_len(key));
	for (size_t i = 1; i < ch->n; i++)
		xos_cert_to_pem(ch->cert[i], &pem);
	seed("tokenfile", name, xos_buf_bytes(&pem));
	pem.n = 0;
	for (size_t i = 0; i < ch->n; i++)
		xos_cert_to_pem(ch->cert[i], &pem);
	xos_cert_to_pem(vo->root, &pem);
	seed("chain", name, xos_buf_bytes(&pem));
	seed("cert", name, xos_cert_der(ch->cert[0]));
	xos_secret_free(key);
	xos_buf_free(&pem);
}

static void signed_seeds(const struct xos_key *key)
{
	struct xos_buf b;

	xos_buf_init(&b, XOS_CSR_MAX);
	must(xos_csr_make(key, &b, &err), &err, "request");
	seed("csr", "p256", xos_buf_bytes(&b));
	b.n = 0;
	xos_buf_put(&b, xos_key_spki(key).p, xos_key_spki(key).n);
	must(xos_jws_sign(key, "xos-command+jws", xos_bytes_str("{\"vo\":\"demo\"}"), &b, &err),
	    &err, "jws");
	seed("jws", "command", xos_buf_bytes(&b));
	xos_buf_free(&b);
}

int main(int argc, char **argv)
{
	struct xos_delegation d = job_delegation();
	struct xos_chain user = {0}, node = {0}, service = {0}, job = {0};
	struct vo *vo;

	if (argc != 2) {
		fprintf(stderr, "usage: pki-seeds FOLDER\n");
		return 2;
	}
	corpus = argv[1];
	vo = vo_new("demo");
	user_chain(vo, "alice", &user);
	node_chain(vo, "n1.demo.example", &node);
	service_chain(vo, "jobs", "n1.demo.example", &service);
	delegate_chain(&user, &d, &job);
	chain_seed(vo, &user, "user");
	chain_seed(vo, &node, "node");
	chain_seed(vo, &service, "service");
	chain_seed(vo, &job, "delegation");
	seed("cert", "root", xos_cert_der(vo->root));
	seed("cert", "issuer", xos_cert_der(vo->user_ca));
	ext_seed(user.cert[0], XOS_OID_TOKEN, "claims", "user");
	ext_seed(service.cert[0], XOS_OID_TOKEN, "claims", "service");
	ext_seed(vo->node_ca, XOS_OID_ISSUER, "claims", "marker");
	ext_seed(job.cert[0], XOS_OID_DELEGATION, "delegation", "job");
	signed_seeds(user.key);
	xos_chain_clear(&user);
	xos_chain_clear(&node);
	xos_chain_clear(&service);
	xos_chain_clear(&job);
	vo_free(vo);
	return 0;
}
