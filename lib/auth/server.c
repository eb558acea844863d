#include "auth/scram.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sasl/sasl.h>
#include <sasl/saslplug.h>

#include "base/text.h"

#define GS2 "p=" XOS_SCRAM_BINDING ",,"
#define MECHANISM "SCRAM-SHA-256-PLUS"
#define PLUGIN_FILE "libscram.so"
#define NONCE_MAX 128
#define NAME_MAX_SCRAM (XOS_MEMBER_MAX + sizeof(XOS_SCRAM_CODE_SUFFIX) - 1)
#define FAKE_SECRET_MAX 64
/* Cyrus asks for "*authPassword": the star marks a property of the authentication identity. */
#define PROPERTY "authPassword"

struct xos_scram_server {
	struct xos_scram_server_opts opts;
	uint8_t fake_secret[FAKE_SECRET_MAX];
	enum xos_status looked_up; /* how the last look-up ended */
};

struct xos_scram_session {
	sasl_conn_t *conn;
	sasl_channel_binding_t cb; /* Cyrus keeps the pointer */
	uint8_t binding[XOS_SHA256_LEN];
	char name[NAME_MAX_SCRAM + 1]; /* as SCRAM has it: member and suffix */
	char member[XOS_MEMBER_MAX + 1];
	enum xos_scram_kind kind;
	bool known, used;
};

/* Cyrus hands its plugins no argument of ours that belongs to one server; so there is one. */
static struct xos_scram_server *the_server;

/* --- what Cyrus may load and read: its SCRAM plugin, no configuration file --- */

static int verify_file(void *context, const char *file, sasl_verify_type_t type)
{
	const char *name = strrchr(file, '/');

	(void)context;
	name = name ? name + 1 : file;
	if (type == SASL_VRFY_PLUGIN && strcmp(name, PLUGIN_FILE) == 0)
		return SASL_OK;
	return SASL_CONTINUE;
}

static int get_option(
    void *context, const char *plugin, const char *option, const char **result, unsigned *len)
{
	static const char *const options[][2] = {
	    {"mech_list", "SCRAM-SHA-256"}, {"auxprop_plugin", "xos"}, {"log_level", "0"}};

	(void)context;
	(void)plugin;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strcmp(option, options[i][0]) != 0)
			continue;
		*result = options[i][1];
		if (len)
			*len = (unsigned)strlen(options[i][1]);
		return SASL_OK;
	}
	return SASL_FAIL;
}

static int drop_log(void *context, int level, const char *message)
{
	(void)context;
	(void)level;
	(void)message;
	return SASL_OK;
}

/* --- the property plugin: verifiers from the caller's look-up --- */

/* "<member>" or "<member>+code"; false if the member's part is too long. */
static bool split_name(const char *name, char member[XOS_MEMBER_MAX + 1], enum xos_scram_kind *kind)
{
	size_t n = strlen(name), suffix = strlen(XOS_SCRAM_CODE_SUFFIX);

	*kind = XOS_SCRAM_PASSWORD;
	if (n > suffix && strcmp(name + n - suffix, XOS_SCRAM_CODE_SUFFIX) == 0) {
		*kind = XOS_SCRAM_CODE;
		n -= suffix;
	}
	return xos_str_printf(member, XOS_MEMBER_MAX + 1, "%.*s", (int)n, name);
}

static enum xos_status make_fake(struct xos_scram_server *s, const char *member,
    enum xos_scram_kind kind, struct xos_scram_verifier *fake)
{
	if (kind == XOS_SCRAM_CODE)
		return xos_scram_verifier_fake_code(member, s->opts.fake_iterations, fake);
	return xos_scram_verifier_fake((struct xos_bytes){s->fake_secret, s->opts.fake_secret.n},
	    member, s->opts.fake_iterations, fake);
}

static int verifier_text(struct xos_scram_server *s, const char *name, char *text)
{
	char member[XOS_MEMBER_MAX + 1];
	struct xos_scram_verifier fake, v;
	enum xos_scram_kind kind;
	int rc = SASL_FAIL;

	/* Both always, so that a known name costs what an unknown one costs. */
	if (!split_name(name, member, &kind) || make_fake(s, member, kind, &fake) != XOS_OK)
		return SASL_FAIL;
	s->looked_up = s->opts.lookup(s->opts.arg, member, kind, &v);
	if (s->looked_up == XOS_NOT_FOUND)
		v = fake;
	if (s->looked_up == XOS_OK || s->looked_up == XOS_NOT_FOUND)
		rc = xos_scram_verifier_format(&v, text) == XOS_OK ? SASL_OK : SASL_FAIL;
	xos_wipe(&v, sizeof(v));
	xos_wipe(&fake, sizeof(fake));
	return rc;
}

static int aux_lookup(
    void *context, sasl_server_params_t *sparams, unsigned flags, const char *user, unsigned ulen)
{
	char name[NAME_MAX_SCRAM + 1], text[XOS_SCRAM_VERIFIER_TEXT];
	const struct propval *want;
	int rc = SASL_OK;

	(void)context;
	if (flags & SASL_AUXPROP_AUTHZID)
		return SASL_OK;
	if (!the_server || ulen >= sizeof(name))
		return SASL_FAIL;
	memcpy(name, user, ulen);
	name[ulen] = '\0';
	want = sparams->utils->prop_get(sparams->propctx);
	for (; want && want->name && rc == SASL_OK; want++) {
		if (strcmp(want->name[0] == '*' ? want->name + 1 : want->name, PROPERTY) != 0)
			continue;
		rc = verifier_text(the_server, name, text);
		if (rc == SASL_OK)
			sparams->utils->prop_set(
			    sparams->propctx, want->name, text, (int)strlen(text));
		xos_wipe(text, sizeof(text));
	}
	return rc;
}

static char plugin_name[] = "xos";
static sasl_auxprop_plug_t aux_plugin = {
    .name = plugin_name,
    .auxprop_lookup = aux_lookup,
};

static int aux_init(const sasl_utils_t *utils, int max_version, int *out_version,
    sasl_auxprop_plug_t **plug, const char *name)
{
	(void)utils;
	(void)name;
	if (max_version < SASL_AUXPROP_PLUG_VERSION)
		return SASL_BADVERS;
	*out_version = SASL_AUXPROP_PLUG_VERSION;
	*plug = &aux_plugin;
	return SASL_OK;
}

/* --- server --- */

typedef int (*sasl_proc)(void);

static enum xos_status start_cyrus(struct xos_err *err)
{
	static const sasl_callback_t callbacks[] = {
	    {SASL_CB_VERIFYFILE, (sasl_proc)(void (*)(void))verify_file, NULL},
	    {SASL_CB_GETOPT, (sasl_proc)(void (*)(void))get_option, NULL},
	    {SASL_CB_LOG, (sasl_proc)(void (*)(void))drop_log, NULL},
	    {SASL_CB_LIST_END, NULL, NULL}};
	int rc = sasl_server_init(callbacks, "xos");

	if (rc == SASL_OK) {
		rc = sasl_auxprop_add_plugin(plugin_name, aux_init);
		if (rc != SASL_OK)
			sasl_server_done();
	}
	if (rc != SASL_OK)
		return xos_err_set(err, XOS_UNAVAILABLE, "sasl", "cannot start Cyrus SASL: %s",
		    sasl_errstring(rc, NULL, NULL));
	return XOS_OK;
}

/* A first message that never reaches a password, to see now that the plugin is there. */
static enum xos_status probe(struct xos_err *err)
{
	sasl_conn_t *conn = NULL;
	const char *list = NULL;
	unsigned len = 0;
	int rc = sasl_server_new("xos", "xos", NULL, NULL, NULL, NULL, 0, &conn);

	if (rc == SASL_OK)
		rc = sasl_listmech(conn, NULL, "", " ", "", &list, &len, NULL);
	if (rc == SASL_OK && (!list || !strstr(list, "SCRAM-SHA-256")))
		rc = SASL_NOMECH;
	sasl_dispose(&conn);
	if (rc != SASL_OK)
		return xos_err_set(err, XOS_UNAVAILABLE, "sasl",
		    "Cyrus SASL has no mechanism SCRAM-SHA-256: install libsasl2-modules");
	return XOS_OK;
}

enum xos_status xos_scram_server_new(
    const struct xos_scram_server_opts *opts, struct xos_scram_server **out, struct xos_err *err)
{
	struct xos_scram_server *s;
	enum xos_status st;

	*out = NULL;
	if (the_server)
		return xos_err_set(
		    err, XOS_CONFLICT, "scram-server", "there is a SCRAM server already");
	if (!opts->lookup || opts->fake_secret.n < 16 || opts->fake_secret.n > FAKE_SECRET_MAX ||
	    opts->fake_iterations < XOS_SCRAM_ITERATIONS_MIN)
		return xos_err_set(
		    err, XOS_INTERNAL, "scram-server", "wrong options for the SCRAM server");
	s = calloc(1, sizeof(*s));
	if (!s)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	s->opts = *opts;
	memcpy(s->fake_secret, opts->fake_secret.p, opts->fake_secret.n);
	s->opts.fake_secret.p = s->fake_secret;
	st = start_cyrus(err);
	if (st == XOS_OK) {
		st = probe(err);
		if (st != XOS_OK)
			sasl_server_done();
	}
	if (st != XOS_OK) {
		xos_wipe(s, sizeof(*s));
		free(s);
		return st;
	}
	the_server = s;
	*out = s;
	return XOS_OK;
}

void xos_scram_server_free(struct xos_scram_server *s)
{
	if (!s)
		return;
	the_server = NULL;
	sasl_server_done();
	xos_wipe(s, sizeof(*s));
	free(s);
}

/* --- messages: their exact form, before Cyrus sees them --- */

static bool is_printable(struct xos_bytes in)
{
	for (size_t i = 0; i < in.n; i++)
		if (in.p[i] < 0x21 || in.p[i] > 0x7e)
			return false;
	return in.n > 0 && in.n <= XOS_SCRAM_MESSAGE_MAX;
}

static bool is_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') ||
		        strchr("._-", s[i])))
			return false;
	return n > 0 && n <= XOS_MEMBER_MAX;
}

/* "<gs2>n=<member>[+code],r=<nonce>" and nothing else */
static enum xos_status check_first(
    const char *text, struct xos_scram_session *ss, struct xos_err *err)
{
	const char *name, *end, *nonce;

	if (strncmp(text, GS2, strlen(GS2)) != 0)
		return xos_err_set(err, XOS_MALFORMED, "scram-binding-type",
		    "the log-in must be bound to the token request: the first message must begin "
		    "with \"" GS2 "\"");
	name = text + strlen(GS2);
	if (strncmp(name, "n=", 2) == 0) {
		name += 2;
		end = strchr(name, ',');
		nonce = end && strncmp(end, ",r=", 3) == 0 ? end + 3 : NULL;
		if (nonce && strlen(nonce) >= 16 && strlen(nonce) <= NONCE_MAX &&
		    !strchr(nonce, ',') &&
		    xos_str_printf(ss->name, sizeof(ss->name), "%.*s", (int)(end - name), name) &&
		    split_name(ss->name, ss->member, &ss->kind) &&
		    is_name(ss->member, strlen(ss->member)))
			return XOS_OK;
	}
	return xos_err_set(err, XOS_MALFORMED, "scram-syntax",
	    "the first message of the log-in is malformed: after the binding there must be a "
	    "member's name and a nonce, and nothing else");
}

static enum xos_status no_memory(struct xos_err *err)
{
	return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
}

/* Without it Cyrus would quietly make its nonces from the time. */
static enum xos_status check_random(struct xos_err *err)
{
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return xos_err_set(err, XOS_UNAVAILABLE, "random",
		    "/dev/urandom cannot be opened: no log-in is possible");
	close(fd);
	return XOS_OK;
}

static enum xos_status session_new(
    const uint8_t binding[XOS_SHA256_LEN], struct xos_scram_session **out, struct xos_err *err)
{
	struct xos_scram_session *ss = calloc(1, sizeof(*ss));
	/* No security layer: the messages are all that is exchanged. */
	sasl_security_properties_t props = {.max_ssf = 0, .security_flags = SASL_SEC_NOANONYMOUS};
	int rc;

	if (!ss)
		return no_memory(err);
	memcpy(ss->binding, binding, sizeof(ss->binding));
	ss->cb = (sasl_channel_binding_t){.name = XOS_SCRAM_BINDING,
	    .critical = 1,
	    .len = sizeof(ss->binding),
	    .data = ss->binding};
	/* Named, so that Cyrus asks no resolver for this host's name. */
	rc = sasl_server_new("xos", "xos", NULL, NULL, NULL, NULL, SASL_SUCCESS_DATA, &ss->conn);
	if (rc == SASL_OK)
		rc = sasl_setprop(ss->conn, SASL_SEC_PROPS, &props);
	if (rc == SASL_OK)
		rc = sasl_setprop(ss->conn, SASL_CHANNEL_BINDING, &ss->cb);
	if (rc != SASL_OK) {
		xos_scram_session_free(ss);
		return xos_err_set(
		    err, XOS_INTERNAL, "sasl", "Cyrus SASL: %s", sasl_errstring(rc, NULL, NULL));
	}
	*out = ss;
	return XOS_OK;
}

static enum xos_status start(struct xos_scram_server *s, struct xos_scram_session *ss,
    struct xos_bytes first, struct xos_buf *reply, struct xos_err *err)
{
	const char *out = NULL;
	unsigned len = 0;
	int rc;

	s->looked_up = XOS_INTERNAL;
	rc = sasl_server_start(
	    ss->conn, MECHANISM, (const char *)first.p, (unsigned)first.n, &out, &len);
	if (rc != SASL_CONTINUE && s->looked_up != XOS_OK && s->looked_up != XOS_NOT_FOUND)
		return xos_err_set(err, XOS_UNAVAILABLE, "verifiers",
		    "the password verifiers cannot be read; try again later");
	if (rc != SASL_CONTINUE || !out || !len)
		return xos_err_set(err, XOS_MALFORMED, "scram-syntax",
		    "the first message of the log-in is refused");
	ss->known = s->looked_up == XOS_OK;
	xos_buf_put(reply, out, len);
	return xos_buf_status(reply);
}

enum xos_status xos_scram_begin(struct xos_scram_server *s, const uint8_t binding[XOS_SHA256_LEN],
    struct xos_bytes first, struct xos_scram_session **out, struct xos_buf *reply,
    struct xos_err *err)
{
	char text[XOS_SCRAM_MESSAGE_MAX + 1];
	struct xos_scram_session *ss = NULL;
	enum xos_status st;

	*out = NULL;
	if (!is_printable(first))
		return xos_err_set(err, XOS_MALFORMED, "scram-syntax",
		    "the first message of the log-in is malformed");
	memcpy(text, first.p, first.n);
	text[first.n] = '\0';
	st = session_new(binding, &ss, err);
	if (st != XOS_OK)
		return st;
	st = check_first(text, ss, err);
	if (st == XOS_OK)
		st = check_random(err);
	if (st == XOS_OK)
		st = start(s, ss, first, reply, err);
	if (st != XOS_OK) {
		xos_scram_session_free(ss);
		return st;
	}
	*out = ss;
	return XOS_OK;
}

const char *xos_scram_member(const struct xos_scram_session *ss)
{
	return ss->member;
}

enum xos_scram_kind xos_scram_kind(const struct xos_scram_session *ss)
{
	return ss->kind;
}

/* Does "c=..." carry our binding? Cyrus checks it too; asking first gives the refusal its own name. */
static enum xos_status check_binding(
    const struct xos_scram_session *ss, struct xos_bytes final, struct xos_err *err)
{
	const uint8_t *end = memchr(final.p, ',', final.n);
	enum xos_status st = XOS_MALFORMED;
	struct xos_buf b;

	xos_buf_init(&b, XOS_SCRAM_MESSAGE_MAX);
	if (end && final.n > 2 && memcmp(final.p, "c=", 2) == 0)
		st = xos_base64_decode(&b, (const char *) final.p + 2, (size_t)(end - final.p) - 2);
	if (st != XOS_OK)
		st = xos_err_set(err, XOS_MALFORMED, "scram-syntax",
		    "the final message of the log-in is malformed");
	else if (b.n != strlen(GS2) + XOS_SHA256_LEN || memcmp(b.p, GS2, strlen(GS2)) != 0 ||
	         !xos_ct_equal(b.p + strlen(GS2), ss->binding, XOS_SHA256_LEN))
		st = xos_err_set(err, XOS_DENIED, "scram-binding",
		    "the request that arrived is not the one that the member made: key, roles or "
		    "lifetime were changed on the way");
	xos_buf_free(&b);
	return st;
}

/* Is "p=..." at the end a proof in base64, written in the one way there is? Cyrus would overlook stray
 * bits in its last character, and so take a message that was changed. */
static bool is_proof(struct xos_bytes final)
{
	const uint8_t *comma = memrchr(final.p, ',', final.n);
	size_t left = comma ? (size_t)(final.p + final.n - comma) : 0;
	struct xos_buf b;
	bool ok;

	if (left < 3 || memcmp(comma, ",p=", 3) != 0)
		return false;
	xos_buf_init(&b, XOS_SCRAM_MESSAGE_MAX);
	ok = xos_base64_decode(&b, (const char *)comma + 3, left - 3) == XOS_OK &&
	     b.n == XOS_SHA256_LEN;
	xos_buf_free(&b);
	return ok;
}

enum xos_status xos_scram_finish(struct xos_scram_session *ss, struct xos_bytes final,
    struct xos_buf *reply, struct xos_err *err)
{
	const char *out = NULL;
	const void *user = NULL;
	unsigned len = 0;
	enum xos_status st;
	int rc;

	if (ss->used)
		return xos_err_set(
		    err, XOS_DENIED, "scram-order", "this log-in was answered already");
	ss->used = true;
	if (!is_printable(final) || !is_proof(final))
		return xos_err_set(err, XOS_MALFORMED, "scram-syntax",
		    "the final message of the log-in is malformed");
	st = check_binding(ss, final, err);
	if (st != XOS_OK)
		return st;
	rc = sasl_server_step(ss->conn, (const char *) final.p, (unsigned) final.n, &out, &len);
	if (rc == SASL_OK)
		rc = sasl_getprop(ss->conn, SASL_USERNAME, &user);
	if (rc != SASL_OK || !ss->known || !user || strcmp(user, ss->name) != 0 || !out || !len)
		return xos_err_set(err, XOS_DENIED, "credentials",
		    "log-in refused: the member's name or the %s is wrong",
		    ss->kind == XOS_SCRAM_CODE ? "one-time code (good once, and for a while)"
		                               : "password");
	xos_buf_put(reply, out, len);
	return xos_buf_status(reply);
}

void xos_scram_session_free(struct xos_scram_session *ss)
{
	if (!ss)
		return;
	sasl_dispose(&ss->conn);
	xos_wipe(ss, sizeof(*ss));
	free(ss);
}
