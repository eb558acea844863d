#include "jobs/via.h"

#include <string.h>

#include "base/text.h"
#include "pki/digest.h"

#define DIGEST 16 /* bytes of it that are told */

/* Of actors and ids in their order, neither of which has a NUL in it. */
static bool digest_steps(const struct xos_identity *who, char out[2 * DIGEST + 1])
{
	uint8_t digest[XOS_SHA256_LEN];
	struct xos_buf b;
	bool ok;

	xos_buf_init(&b, 16 * (XOS_ACTOR_MAX + XOS_GRANT_ID_MAX + 2));
	for (size_t i = 0; i < who->nsteps; i++) {
		xos_buf_put(&b, who->steps[i]->actor, strlen(who->steps[i]->actor) + 1);
		xos_buf_put(&b, who->steps[i]->id, strlen(who->steps[i]->id) + 1);
	}
	ok = xos_buf_status(&b) == XOS_OK && xos_sha256(xos_buf_bytes(&b), digest) == XOS_OK;
	if (ok)
		xos_hex_encode(out, digest, DIGEST);
	xos_buf_free(&b);
	return ok;
}

bool xos_job_via(const struct xos_identity *who, char out[XOS_VIA_TEXT])
{
	const struct xos_delegation *last = who->nsteps ? who->steps[who->nsteps - 1] : NULL;
	char digest[2 * DIGEST + 1];

	out[0] = 0;
	if (!last)
		return true;
	if (who->nsteps == 1)
		return xos_str_printf(out, XOS_VIA_TEXT, "%s %s", last->actor, last->id);
	/* An id that is too long for both is left out: the digest has it. */
	return digest_steps(who, digest) &&
	       (xos_str_printf(out, XOS_VIA_TEXT, "%s %s (%s)", last->actor, last->id, digest) ||
	           xos_str_printf(out, XOS_VIA_TEXT, "%s (%s)", last->actor, digest));
}
