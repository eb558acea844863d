#include "api/apply.h"

#include <string.h>

#include "base/text.h"

struct xos_json *xos_application_encode(const struct xos_application *a)
{
	struct xos_json *doc = xos_json_object();
	char verifier[XOS_SCRAM_VERIFIER_TEXT];

	xos_json_set_string(doc, "name", a->name);
	xos_json_set_string(doc, "contact", a->contact);
	xos_json_set_string(doc, "text", a->text);
	if (xos_scram_verifier_format(&a->verifier, verifier) == XOS_OK)
		xos_json_set_string(doc, "verifier", verifier);
	xos_json_set_bytes(doc, "secret", (struct xos_bytes){a->secret, sizeof(a->secret)});
	xos_wipe(verifier, sizeof(verifier));
	return doc;
}

static enum xos_status read_secret(
    const struct xos_json *doc, uint8_t digest[XOS_SHA256_LEN], struct xos_err *err)
{
	struct xos_buf b;
	enum xos_status st;

	xos_buf_init(&b, XOS_SHA256_LEN);
	st = xos_json_get_bytes(doc, "secret", XOS_SHA256_LEN, &b, err);
	if (st == XOS_OK && b.n != XOS_SHA256_LEN)
		st = xos_err_set(err, XOS_MALFORMED, "json-field",
		    "secret: expected the SHA-256 of a secret, %d bytes", XOS_SHA256_LEN);
	if (st == XOS_OK)
		memcpy(digest, b.p, XOS_SHA256_LEN);
	xos_buf_free(&b);
	return st;
}

static enum xos_status read_fields(
    const struct xos_json *doc, struct xos_application *a, struct xos_err *err)
{
	const char *verifier = NULL;
	enum xos_status st =
	    XOS_JSON_ONLY(doc, err, "name", "contact", "text", "verifier", "secret");

	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "name", a->name, sizeof(a->name), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "contact", a->contact, sizeof(a->contact), err);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "text", a->text, sizeof(a->text), err);
	if (st == XOS_OK)
		st = xos_json_get_string(
		    doc, "verifier", XOS_SCRAM_VERIFIER_TEXT - 1, &verifier, err);
	if (st == XOS_OK)
		st = xos_scram_verifier_parse(verifier, &a->verifier, err);
	return st == XOS_OK ? read_secret(doc, a->secret, err) : st;
}

enum xos_status xos_application_decode(
    struct xos_bytes body, struct xos_application *out, struct xos_err *err)
{
	struct xos_application a = {.name = ""};
	struct xos_json *doc = NULL;
	enum xos_status st = xos_json_parse(body, XOS_APPLY_MAX, &doc, err);

	if (st == XOS_OK)
		st = read_fields(doc, &a, err);
	if (st == XOS_OK && !a.contact[0])
		st = xos_err_set(err, XOS_MALFORMED, "json-field",
		    "contact: say how the administrators can reach you");
	if (st == XOS_OK) {
		xos_text_clean(a.contact);
		xos_text_clean(a.text);
		*out = a;
	}
	xos_wipe(&a, sizeof(a));
	xos_json_free(doc);
	return st;
}

enum xos_status xos_application_secret(
    struct xos_bytes body, uint8_t digest[XOS_SHA256_LEN], struct xos_err *err)
{
	struct xos_json *doc = NULL;
	const char *text = NULL;
	enum xos_status st = xos_json_parse(body, XOS_APPLY_MAX, &doc, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "secret");
	if (st == XOS_OK)
		st = xos_json_get_string(doc, "secret", XOS_APPLY_SECRET_LEN, &text, err);
	if (st == XOS_OK)
		st = xos_sha256(xos_bytes_str(text), digest);
	xos_json_free(doc);
	return st;
}

bool xos_application_is_id(const char *id)
{
	return strlen(id) == XOS_APPLY_ID_LEN && strspn(id, "0123456789abcdef") == XOS_APPLY_ID_LEN;
}

/* --- client half --- */

static enum xos_status call(struct xos_client *client, const char *method, const char *vo,
    const char *what, const char *id, const struct xos_json *in, struct xos_json **out,
    struct xos_err *err)
{
	struct xos_buf path;
	enum xos_status st;

	xos_buf_init(&path, 512);
	xos_buf_put_str(&path, "/v1/vo/");
	xos_path_encode(&path, vo);
	xos_buf_put_str(&path, what);
	if (id)
		xos_path_encode(&path, id);
	st = xos_buf_status(&path);
	if (st == XOS_OK)
		st = xos_client_json(client, method, xos_buf_str(&path), in, out, err);
	if (st == XOS_OK && !*out)
		st = xos_err_set(err, XOS_MALFORMED, "json-field", "the answer is empty");
	xos_buf_free(&path);
	return st;
}

enum xos_status xos_about_fetch(
    struct xos_client *client, const char *vo, struct xos_json **out, struct xos_err *err)
{
	return call(client, "GET", vo, "/about", NULL, NULL, out, err);
}

enum xos_status xos_application_send(struct xos_client *client, const char *vo,
    const struct xos_application *a, char id[XOS_APPLY_ID_LEN + 1], struct xos_err *err)
{
	struct xos_json *doc = xos_application_encode(a), *answer = NULL;
	enum xos_status st = call(client, "POST", vo, "/applications", NULL, doc, &answer, err);

	if (st == XOS_OK)
		st = xos_json_copy_string(answer, "id", id, XOS_APPLY_ID_LEN + 1, err);
	xos_json_free(answer);
	xos_json_free(doc);
	return st;
}

enum xos_status xos_application_ask(struct xos_client *client, const char *vo, const char *id,
    const char *secret, struct xos_json **out, struct xos_err *err)
{
	struct xos_json *doc = xos_json_object();
	enum xos_status st;

	xos_json_set_string(doc, "secret", secret);
	st = call(client, "POST", vo, "/applications/", id, doc, out, err);
	xos_json_free(doc);
	return st;
}
