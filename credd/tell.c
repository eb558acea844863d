#include "credd/tell.h"

#include <string.h>

#include "api/abilities.h"
#include "base/clock.h"
#include "base/event.h"
#include "credd/abilities.h"

#define AGAIN 86400 /* seconds */
#define RETRY 60

void xos_credd_tell(
    struct xos_credd_told *told, const struct xos_credd_conf *conf, struct xos_client *vops)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_buf doc;
	uint8_t digest[XOS_SHA256_LEN];
	int64_t now = xos_clock_now();
	enum xos_status st;

	xos_buf_init(&doc, XOS_ABILITIES_MAX);
	st = xos_credd_abilities_document(conf, &doc, &err);
	if (st == XOS_OK && (st = xos_sha256(xos_buf_bytes(&doc), digest)) != XOS_OK)
		xos_err_set(&err, st, "digest", "SHA-256 failed");
	if (st == XOS_OK && memcmp(digest, told->digest, sizeof(digest)) == 0 && now < told->when)
		goto out;
	if (st == XOS_OK)
		st = xos_abilities_put(vops, conf->vo, conf->node, xos_buf_bytes(&doc), &err);
	told->when = now + (st == XOS_OK ? AGAIN : RETRY);
	if (st == XOS_OK)
		XOS_EVENT(XOS_INFO, "abilities.told");
	else
		xos_event_err(XOS_WARN, "abilities.not-told", &err, (const char *)NULL);
	memcpy(told->digest, digest, sizeof(digest));
out:
	xos_buf_free(&doc);
}
