#include "bundle/admission.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/json.h"
#include "pki/jws.h"

static const char what[] = "the admission terms";

bool xos_admission_names(const struct xos_admission *a, const char *member)
{
	for (size_t i = 0; i < a->napprovers; i++)
		if (strcmp(a->approvers[i], member) == 0)
			return true;
	return false;
}

/* What signer and verifier ask alike. */
static enum xos_status check(const struct xos_admission *a, struct xos_err *err)
{
	if (!xos_name_is_vo(a->vo) || !xos_name_is_site(a->site))
		return xos_err_set(err, XOS_MALFORMED, "admission",
		    "%s need the name of a VO and of a site", what);
	if (a->serial == 0 || a->serial > INT64_MAX)
		return xos_err_set(err, XOS_MALFORMED, "admission",
		    "%s need a serial of 1 or more, raised with each change", what);
	if (a->rescue < 0 || a->rescue > XOS_ADMISSION_RESCUE_MAX)
		return xos_err_set(err, XOS_MALFORMED, "admission",
		    "%s: the time of rescue is at most %d days", what,
		    XOS_ADMISSION_RESCUE_MAX / 86400);
	for (size_t i = 0; i < a->napprovers; i++) {
		if (!xos_name_is_member(a->vo, a->approvers[i]))
			return xos_err_set(err, XOS_MALFORMED, "admission",
			    "%s: \"%s\" is no name of a member of %s", what, a->approvers[i],
			    a->vo);
		for (size_t k = 0; k < i; k++)
			if (strcmp(a->approvers[k], a->approvers[i]) == 0)
				return xos_err_set(err, XOS_MALFORMED, "admission",
				    "%s: the approver %s is named twice", what, a->approvers[i]);
	}
	return XOS_OK;
}

static struct xos_json *to_json(const struct xos_admission *a)
{
	struct xos_json *doc = xos_json_object(), *list = xos_json_array();

	xos_json_set_string(doc, "vo", a->vo);
	xos_json_set_string(doc, "site", a->site);
	xos_json_set_int(doc, "serial", (int64_t)a->serial);
	xos_json_set_time(doc, "issued", a->issued);
	xos_json_set_time(doc, "expires", a->expires);
	for (size_t i = 0; i < a->napprovers; i++)
		xos_json_add_string(list, a->approvers[i]);
	xos_json_set(doc, "approvers", list);
	xos_json_set_int(doc, "rescue", a->rescue);
	return doc;
}

enum xos_status xos_admission_sign(const struct xos_key *site_key, const struct xos_admission *a,
    struct xos_buf *out, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	struct xos_buf payload;
	enum xos_status st = check(a, err);

	xos_buf_init(&payload, XOS_ADMISSION_MAX);
	if (st == XOS_OK)
		st = xos_signed_check_times(what, a->issued, a->expires, a->issued, 0, err);
	if (st == XOS_OK) {
		doc = to_json(a);
		st = xos_json_dump(doc, &payload, err);
	}
	if (st == XOS_OK)
		st = xos_jws_sign(site_key, XOS_ADMISSION_TYP, xos_buf_bytes(&payload), out, err);
	xos_json_free(doc);
	xos_buf_free(&payload);
	return st;
}

static enum xos_status parse_approvers(
    const struct xos_json *doc, struct xos_admission *a, struct xos_err *err)
{
	const char **list = NULL;
	size_t n = 0;
	enum xos_status st = xos_json_get_strings(
	    doc, "approvers", XOS_ADMISSION_APPROVERS_MAX, XOS_MEMBER_MAX, &list, &n, err);

	for (; st == XOS_OK && a->napprovers < n; a->napprovers++)
		if (!xos_str_copy(
		        a->approvers[a->napprovers], sizeof(a->approvers[0]), list[a->napprovers]))
			st = xos_json_refuse(doc, err, "approvers: a name is too long");
	free(list);
	return st;
}

/* From the payload, whose signature was verified. */
static enum xos_status parse(struct xos_bytes payload, struct xos_admission *a, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	enum xos_status st = xos_json_parse(payload, XOS_ADMISSION_MAX, &doc, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(
		    doc, err, "vo", "site", "serial", "issued", "expires", "approvers", "rescue");
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "vo", a->vo, sizeof(a->vo), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "site", a->site, sizeof(a->site), err);
	if (st == XOS_OK)
		st = xos_json_get_uint64(doc, "serial", INT64_MAX, &a->serial, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "issued", &a->issued, err);
	if (st == XOS_OK)
		st = xos_json_get_time(doc, "expires", &a->expires, err);
	if (st == XOS_OK)
		st = parse_approvers(doc, a, err);
	if (st == XOS_OK)
		st = xos_json_opt_int64(
		    doc, "rescue", 0, XOS_ADMISSION_RESCUE_MAX, 0, &a->rescue, err);
	xos_json_free(doc);
	return st == XOS_OK ? check(a, err) : st;
}

static enum xos_status check_place(
    const struct xos_admission *a, const char *vo, const char *site, struct xos_err *err)
{
	if (strcmp(a->vo, vo) != 0)
		return xos_err_set(err, XOS_DENIED, "wrong-vo",
		    "these are terms for the VO %s, where those for %s must be", a->vo, vo);
	if (strcmp(a->site, site) != 0)
		return xos_err_set(err, XOS_DENIED, "wrong-site",
		    "these are terms of the site %s, where those of %s must be", a->site, site);
	return XOS_OK;
}

enum xos_status xos_admission_verify(const struct xos_key *site_key, const char *vo,
    const char *site, struct xos_bytes compact, int64_t now, int64_t skew,
    struct xos_admission *out, struct xos_err *err)
{
	struct xos_admission a = {.serial = 0};
	struct xos_buf payload;

	if (compact.n > XOS_ADMISSION_MAX)
		return xos_err_set(err, XOS_LIMIT, "object-too-long", "%s are longer than %u bytes",
		    what, XOS_ADMISSION_MAX);
	xos_buf_init(&payload, XOS_ADMISSION_MAX);
	enum xos_status st = xos_jws_verify(site_key, XOS_ADMISSION_TYP, compact, &payload, err);
	if (st == XOS_DENIED)
		st = xos_err_set(err, XOS_DENIED, "foreign-signer",
		    "%s are not signed by the key that is known for the site %s", what, site);
	if (st == XOS_OK)
		st = parse(xos_buf_bytes(&payload), &a, err);
	if (st == XOS_OK)
		st = check_place(&a, vo, site, err);
	if (st == XOS_OK)
		st = xos_signed_check_times(what, a.issued, a.expires, now, skew, err);
	xos_buf_free(&payload);
	if (st == XOS_OK)
		*out = a;
	return st;
}
