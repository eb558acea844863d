/* SubjectPublicKeyInfo to key: the one place that says which keys are acceptable. */

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "pki/der.h"
#include "pki/internal.h"

/* AlgorithmIdentifiers, whole elements. EC keys name their curve; explicit parameters never match.
 */
static const uint8_t alg_p256[] = {0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
static const uint8_t alg_p384[] = {0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22};
static const uint8_t alg_rsa[] = {
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

/* Signature AlgorithmIdentifiers: ecdsa-with-SHA256, -SHA384, sha256WithRSAEncryption. */
static const uint8_t sig_p256[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
static const uint8_t sig_p384[] = {
    0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03};
static const uint8_t sig_rsa[] = {
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05, 0x00};

#define BYTES(a) ((struct xos_bytes){a, sizeof(a)})
#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192

struct xos_bytes pki_key_sigalg(enum xos_key_type type)
{
	switch (type) {
	case XOS_KEY_P256:
		return BYTES(sig_p256);
	case XOS_KEY_P384:
		return BYTES(sig_p384);
	case XOS_KEY_RSA:
		break;
	}
	return BYTES(sig_rsa);
}

static enum xos_status refuse_algorithm(struct xos_err *err, const char *what)
{
	return xos_err_set(err, XOS_DENIED, "key-algorithm",
	    "%s is not accepted: use an EC key on P-256 or P-384, or RSA of 2048 to 8192 bits",
	    what);
}

/* RSAPublicKey: modulus and exponent, positive; the size of the modulus in bits. */
static enum xos_status rsa_classify(struct xos_bytes bits, struct xos_err *err)
{
	struct xos_bytes modulus, exponent;
	struct xos_reader r, in;
	size_t n;

	xos_reader_init(&r, bits);
	if (!xos_der_enter(&r, XOS_DER_SEQUENCE, &in) || xos_reader_end(&r) != XOS_OK ||
	    !xos_der_take(&in, XOS_DER_INTEGER, &modulus) ||
	    !xos_der_take(&in, XOS_DER_INTEGER, &exponent) || xos_reader_end(&in) != XOS_OK ||
	    modulus.n < 2 || exponent.n == 0 || (modulus.p[0] & 0x80) || (exponent.p[0] & 0x80))
		return xos_err_set(err, XOS_MALFORMED, "key", "the RSA key is malformed");
	if (modulus.p[0] == 0) {
		modulus.p++;
		modulus.n--;
	}
	n = modulus.n * 8;
	for (uint8_t top = modulus.p[0]; n && !(top & 0x80); top = (uint8_t)(top << 1))
		n--;
	if (n < RSA_BITS_MIN || n > RSA_BITS_MAX)
		return refuse_algorithm(
		    err, n < RSA_BITS_MIN ? "an RSA key this short" : "an RSA key this long");
	/* Exponents: odd and above 65536 or small; what matters is that verifying stays cheap. */
	if (exponent.n > 8 || !(exponent.p[exponent.n - 1] & 1) ||
	    (exponent.n == 1 && exponent.p[0] < 3))
		return refuse_algorithm(err, "an RSA key with this public exponent");
	return XOS_OK;
}

enum xos_status pki_spki_classify(
    struct xos_bytes der, enum xos_key_type *type, struct xos_bytes *point, struct xos_err *err)
{
	struct xos_bytes alg, bits;
	struct xos_reader r, in;
	size_t want;

	*point = XOS_BYTES_NONE;
	xos_reader_init(&r, der);
	if (der.n > XOS_SPKI_MAX || !xos_der_enter(&r, XOS_DER_SEQUENCE, &in) ||
	    xos_reader_end(&r) != XOS_OK || !xos_der_any(&in, NULL, NULL, &alg) ||
	    !xos_der_bits(&in, &bits) || xos_reader_end(&in) != XOS_OK)
		return xos_err_set(err, XOS_MALFORMED, "key", "the public key is malformed");
	if (xos_bytes_eq(alg, BYTES(alg_rsa))) {
		*type = XOS_KEY_RSA;
		return rsa_classify(bits, err);
	}
	if (xos_bytes_eq(alg, BYTES(alg_p256))) {
		*type = XOS_KEY_P256;
		want = 65;
	} else if (xos_bytes_eq(alg, BYTES(alg_p384))) {
		*type = XOS_KEY_P384;
		want = 97;
	} else {
		return refuse_algorithm(err, "this kind of key");
	}
	if (bits.n != want || bits.p[0] != 0x04)
		return xos_err_set(err, XOS_MALFORMED, "key",
		    "the point of the EC key is malformed or compressed");
	*point = bits;
	return XOS_OK;
}

/* From the point itself: OpenSSL's general decoder would cost more than a signature. */
static EVP_PKEY *ec_decode(const char *group, struct xos_bytes point)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;
	char name[8];
	uint8_t copy[97];
	OSSL_PARAM params[3];

	memcpy(name, group, strlen(group) + 1);
	memcpy(copy, point.p, point.n);
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, point.n);
	params[2] = OSSL_PARAM_construct_end();
	/* Refuses a point that is not on the curve. */
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
		pki_ossl_clear();
	}
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

EVP_PKEY *pki_spki_decode(struct xos_bytes der, enum xos_key_type type, struct xos_bytes point)
{
	const uint8_t *p = der.p;
	EVP_PKEY *pkey;

	if (type == XOS_KEY_P256)
		return ec_decode("P-256", point);
	if (type == XOS_KEY_P384)
		return ec_decode("P-384", point);
	pkey = d2i_PUBKEY(NULL, &p, (long)der.n);
	if (pkey && (EVP_PKEY_is_a(pkey, "RSA") != 1 || p != der.p + der.n)) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	pki_ossl_clear();
	return pkey;
}
