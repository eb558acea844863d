#include "auth/totp.h"

#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "pki/agree.h"

enum xos_status xos_totp_code(enum xos_hmac_hash hash, struct xos_bytes secret, int64_t step,
    unsigned digits, char out[XOS_TOTP_MAX + 1])
{
	static const uint32_t power[] = {1000000, 10000000, 100000000};
	uint8_t counter[8], mac[XOS_HMAC_MAX];
	struct xos_bytes in = {counter, sizeof(counter)};
	size_t n = 0, at;
	uint32_t value;
	enum xos_status st;

	out[0] = '\0';
	if (step < 0 || digits < 6 || digits > XOS_TOTP_MAX)
		return XOS_MALFORMED;
	for (size_t i = 0; i < sizeof(counter); i++)
		counter[i] = (uint8_t)((uint64_t)step >> (8 * (7 - i)));
	st = xos_hmac(hash, secret, in, mac, &n);
	if (st != XOS_OK)
		return st;
	at = mac[n - 1] & 0x0f; /* RFC 4226 section 5.3 */
	value = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 |
	        (uint32_t)mac[at + 2] << 8 | mac[at + 3];
	xos_wipe(mac, sizeof(mac));
	return xos_str_printf(out, XOS_TOTP_MAX + 1, "%0*u", (int)digits, value % power[digits - 6])
	           ? XOS_OK
	           : XOS_INTERNAL;
}

bool xos_totp_is_code(const char *s)
{
	return strlen(s) == XOS_TOTP_DIGITS && strspn(s, "0123456789") == XOS_TOTP_DIGITS;
}

enum xos_status xos_totp_find(const uint8_t secret[XOS_TOTP_SECRET_LEN], const char *code,
    int64_t now, int64_t used, int64_t *step)
{
	struct xos_bytes key = {secret, XOS_TOTP_SECRET_LEN};
	int64_t base = now / XOS_TOTP_STEP;
	enum xos_status found = XOS_NOT_FOUND;

	if (!xos_totp_is_code(code))
		return XOS_NOT_FOUND;
	for (int64_t s = base - 1; s <= base + 1; s++) {
		char want[XOS_TOTP_MAX + 1];

		if (xos_totp_code(XOS_HMAC_SHA1, key, s, XOS_TOTP_DIGITS, want) != XOS_OK)
			return XOS_INTERNAL;
		if (xos_ct_equal(want, code, XOS_TOTP_DIGITS) && s > used) {
			*step = s;
			found = XOS_OK;
		}
		xos_wipe(want, sizeof(want));
	}
	return found;
}

enum xos_status xos_totp_agree(const struct xos_key *own, const struct xos_key *peer,
    bool own_is_member, const char *vo, const char *member, uint8_t secret[XOS_TOTP_SECRET_LEN],
    struct xos_err *err)
{
	const struct xos_key *first = own_is_member ? own : peer,
	                     *second = own_is_member ? peer : own;
	struct xos_bytes in[7] = {xos_bytes_str("xos totp enrolment\n"), xos_bytes_str(vo),
	    xos_bytes_str("\n"), xos_bytes_str(member), xos_bytes_str("\n"),
	    {xos_key_spki_sha256(first), XOS_SHA256_LEN},
	    {xos_key_spki_sha256(second), XOS_SHA256_LEN}};
	uint8_t common[XOS_SHA256_LEN], mac[XOS_SHA256_LEN];
	enum xos_status st = xos_key_agree(own, peer, common, err);

	if (st == XOS_OK) {
		st = xos_hmac_sha256((struct xos_bytes){common, sizeof(common)}, in, 7, mac);
		if (st != XOS_OK)
			st = xos_err_set(err, st, "internal", "cannot derive a secret");
	}
	if (st == XOS_OK)
		memcpy(secret, mac, XOS_TOTP_SECRET_LEN);
	xos_wipe(common, sizeof(common));
	xos_wipe(mac, sizeof(mac));
	return st;
}

void xos_totp_base32(const uint8_t secret[XOS_TOTP_SECRET_LEN], char out[XOS_TOTP_BASE32])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	size_t at = 0;

	for (size_t i = 0; i < XOS_TOTP_SECRET_LEN; i += 5) { /* five bytes are eight characters */
		uint64_t bits = 0;

		for (size_t j = 0; j < 5; j++)
			bits = bits << 8 | secret[i + j];
		for (int shift = 35; shift >= 0; shift -= 5)
			out[at++] = alphabet[bits >> shift & 31];
	}
	out[at] = '\0';
}

enum xos_status xos_totp_uri(const uint8_t secret[XOS_TOTP_SECRET_LEN], const char *vo,
    const char *member, char out[XOS_TOTP_URI_MAX])
{
	char text[XOS_TOTP_BASE32];
	bool ok;

	/* Names of VOs and members need no percent signs. */
	xos_totp_base32(secret, text);
	ok = xos_str_printf(out, XOS_TOTP_URI_MAX,
	    "otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d", vo,
	    member, text, vo, XOS_TOTP_DIGITS, XOS_TOTP_STEP);
	xos_wipe(text, sizeof(text));
	return ok ? XOS_OK : XOS_LIMIT;
}
