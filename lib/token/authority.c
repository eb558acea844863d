#include "token/authority.h"

#include "base/name.h"
#include "base/text.h"
#include "token/issuerext.h"
#include "token/oid.h"

#define CN_MAX 65

static enum xos_status parse_back(struct xos_buf *der, struct xos_cert **out, struct xos_err *err)
{
	return xos_cert_parse(xos_buf_bytes(der), out, err);
}

static enum xos_status bad_vo(struct xos_err *err, const char *vo)
{
	return xos_err_set(err, XOS_MALFORMED, "name",
	    "\"%.40s\" is no VO name: lower-case letters, digits and hyphens, at most %d",
	    vo ? vo : "", XOS_VO_MAX);
}

enum xos_status xos_authority_root(const struct xos_key *key, const char *vo, int64_t not_before,
    int64_t not_after, struct xos_cert **out, struct xos_err *err)
{
	char cn[CN_MAX];
	struct xos_buf der;
	enum xos_status st;

	*out = NULL;
	if (!vo || !xos_name_is_vo(vo) || !xos_str_printf(cn, sizeof(cn), "%s root", vo))
		return bad_vo(err, vo);
	const struct xos_rdn subject[] = {{XOS_RDN_O, vo}, {XOS_RDN_CN, cn}};
	const struct xos_issue what = {
	    .subject = subject, .nsubject = 2, .not_before = not_before, .not_after = not_after};
	xos_buf_init(&der, XOS_CERT_MAX);
	st = xos_issue_root(key, &what, &der, err);
	if (st == XOS_OK)
		st = parse_back(&der, out, err);
	xos_buf_free(&der);
	return st;
}

/* One key, one sort of certificate: which sets of kinds exist, and their names. */
static const char *authority_name(unsigned kinds)
{
	const unsigned machines = XOS_KIND_BIT(XOS_KIND_NODE) | XOS_KIND_BIT(XOS_KIND_SERVICE);

	if (kinds == XOS_KIND_BIT(XOS_KIND_USER))
		return "user";
	if (kinds && (kinds & ~machines) == 0)
		return "node";
	if (kinds == XOS_KIND_BIT(XOS_KIND_DELEGATION))
		return "delegation";
	return NULL;
}

static enum xos_status issue(struct xos_issuer *root, struct xos_issue *what, const char *vo,
    unsigned kinds, struct xos_buf *der, struct xos_err *err)
{
	struct xos_rdn rdn[XOS_KIND_LAST][2];
	struct xos_subtree tree[XOS_KIND_LAST];
	uint8_t serial[XOS_ISSUE_SERIAL_LEN];
	size_t n = 0;

	for (unsigned k = XOS_KIND_USER; k <= XOS_KIND_LAST; k++) {
		if (!(kinds & XOS_KIND_BIT(k)))
			continue;
		rdn[n][0] = (struct xos_rdn){XOS_RDN_O, vo};
		rdn[n][1] = (struct xos_rdn){XOS_RDN_OU, xos_kind_name(k)};
		tree[n] = (struct xos_subtree){rdn[n], 2};
		n++;
	}
	what->permitted = tree;
	what->npermitted = n;
	return xos_issue_cert(root, what, serial, der, err);
}

enum xos_status xos_authority_issuer(struct xos_issuer *root, const char *vo, unsigned kinds,
    struct xos_bytes spki, int64_t not_before, int64_t not_after, struct xos_cert **out,
    struct xos_err *err)
{
	struct xos_issuer_marker marker = {.kinds = kinds};
	const char *name = authority_name(kinds);
	struct xos_buf der, ext;
	char cn[CN_MAX];
	enum xos_status st;

	*out = NULL;
	if (!vo || !xos_name_is_vo(vo) || !xos_str_copy(marker.vo, sizeof(marker.vo), vo))
		return bad_vo(err, vo);
	if (!name || !xos_str_printf(cn, sizeof(cn), "%s %s authority", vo, name))
		return xos_err_set(err, XOS_DENIED, "authority-kinds",
		    "no authority may issue this set of kinds: each key is for one sort");
	const struct xos_rdn subject[] = {{XOS_RDN_O, vo}, {XOS_RDN_CN, cn}};
	struct xos_ext exts[] = {{XOS_OID_ISSUER, false, XOS_BYTES_NONE}};
	struct xos_issue what = {.subject = subject,
	    .nsubject = 2,
	    .spki = spki,
	    .not_before = not_before,
	    .not_after = not_after,
	    .ca = true,
	    .has_path_len = true,
	    /* Rosters and locks are signed with it, too. */
	    .key_usage = XOS_KU_DIGITAL_SIGNATURE | XOS_KU_CERT_SIGN | XOS_KU_CRL_SIGN,
	    .exts = exts,
	    .nexts = 1};
	xos_buf_init(&der, XOS_CERT_MAX);
	xos_buf_init(&ext, 256);
	st = xos_issuer_marker_encode(&marker, &ext, err);
	exts[0].value = xos_buf_bytes(&ext);
	if (st == XOS_OK)
		st = issue(root, &what, vo, kinds, &der, err);
	if (st == XOS_OK)
		st = parse_back(&der, out, err);
	xos_buf_free(&ext);
	xos_buf_free(&der);
	return st;
}
