/* Writes seeds for the fuzz targets of lib/pki and lib/token: pki-seeds tests/fuzz/corpus. The keys are new
 * each time and good for nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <openssl/ocsp.h>

#include "base/file.h"
#include "pki/crl.h"
#include "pki/csr.h"
#include "pki/jws.h"
#include "pki/ossl.h"
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

static void crl_seeds(const struct vo *vo, struct xos_bytes serial)
{
	const struct xos_crl_entry e[] = {
	    {serial, T0, XOS_CRL_HOLD}, {{(const uint8_t *)"\x9f", 1}, T0, XOS_CRL_UNSPECIFIED}};
	struct xos_crl_fields f = {.this_update = T0,
	    .next_update = T0 + HOUR,
	    .number = 7,
	    .uri = "http://ca.example/crl/demo/2a.crl",
	    .only_users = true,
	    .entries = e,
	    .n = 2};
	struct xos_buf b;

	xos_buf_init(&b, XOS_CRL_MAX);
	must(xos_crl_sign(vo->user_ca, vo->user_key, &f, &b, &err), &err, "list");
	seed("crl", "part", xos_buf_bytes(&b));
	b.n = 0;
	f = (struct xos_crl_fields){.this_update = T0, .next_update = T0 + HOUR};
	must(xos_crl_sign(vo->root, vo->root_key, &f, &b, &err), &err, "list");
	seed("crl", "empty", xos_buf_bytes(&b));
	xos_buf_free(&b);
}

static void ocsp_seed(
    const struct xos_cert *c, const struct xos_cert *issuer, bool sha256, const char *name)
{
	OCSP_REQUEST *q = OCSP_REQUEST_new();
	unsigned char *der = NULL;
	OCSP_CERTID *id = OCSP_cert_to_id(
	    sha256 ? EVP_sha256() : EVP_sha1(), xos_cert_ossl(c), xos_cert_ossl(issuer));

	must(q && OCSP_request_add0_id(q, id) ? XOS_OK : XOS_INTERNAL, NULL, name);
	if (sha256)
		OCSP_request_add1_nonce(q, NULL, 16);
	int n = i2d_OCSP_REQUEST(q, &der);
	seed("ocsp", name, (struct xos_bytes){der, n > 0 ? (size_t)n : 0});
	OPENSSL_free(der);
	OCSP_REQUEST_free(q);
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
	crl_seeds(vo, xos_cert_serial(user.cert[0]));
	ocsp_seed(user.cert[0], vo->user_ca, false, "plain");
	ocsp_seed(user.cert[0], vo->user_ca, true, "nonce");
	xos_chain_clear(&user);
	xos_chain_clear(&node);
	xos_chain_clear(&service);
	xos_chain_clear(&job);
	vo_free(vo);
	return 0;
}
