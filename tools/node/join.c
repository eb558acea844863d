/* xos-node join: keys made here, an application, and, once approved, certificates. Run again until it
 * says that the node has joined; nothing is done twice. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/rca_admission.h"
#include "auth/code.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/contact.h"
#include "cli/daemons.h"
#include "node/verbs.h"
#include "pki/csr.h"
#include "service/client.h"

#define SKEW 300
#define POLL_MS 1000
#define NODE_KEY "credd/node.key"

static const char *opt_fingerprint, *opt_code_fd, *opt_data_url, *opt_member;
static bool opt_wait, opt_code_stdin;

const struct xos_cli_option xos_node_join_options[] = {
    XOS_NODE_DIR_OPTION,
    {"fingerprint", "sha256:...", "of the VO's root, as its administrators publish it", NULL,
        &opt_fingerprint, NULL},
    {"wait", NULL, "wait until somebody approved", &opt_wait, NULL, NULL},
    {"code-stdin", NULL, "be admitted at once by a code, read from standard input", &opt_code_stdin,
        NULL, NULL},
    {"code-fd", "N", "read the code from descriptor N", NULL, &opt_code_fd, NULL},
    {"data-url", "URL", "where a data service of this node serves", NULL, &opt_data_url, NULL},
    {"member", "NAME", "without root, for a further VO: the member that this user is there", NULL,
        &opt_member, NULL},
    XOS_NODE_NO_OPTION,
};

/* What joining needs to know of the VO; filled by contact(). */
struct vo {
	struct xos_cli_contact contact;
	const char *name;
	struct xos_service_client *rca;
};

static void vo_clear(struct vo *v)
{
	xos_service_client_free(v->rca);
	xos_cli_contact_clear(&v->contact);
}

/* From an address and a fingerprint to a VO whose servers are verified. */
static enum xos_status contact(
    const struct xos_cli *cli, const char *url, struct vo *v, struct xos_err *err)
{
	const struct xos_cad_directory *services = &v->contact.services;
	enum xos_status st = xos_cli_contact(url, cli->vo, opt_fingerprint, &v->contact, err);

	if (!st && (!services->rca || !services->vops))
		st = xos_err_set(err, XOS_NOT_FOUND, "directory",
		    "VO %s has no resource authority or no policy service: nodes cannot join it "
		    "yet",
		    v->contact.joined->vo);
	if (st)
		return st;
	v->name = v->contact.joined->vo;
	const struct xos_service_client_options o = {.url = services->rca,
	    .vo = v->name,
	    .service = "rca",
	    .trust = v->contact.trust,
	    .skew = SKEW};
	return xos_service_client_new(&o, &v->rca, err);
}

/* The key in file, made if there is none, and its request. */
static enum xos_status key_and_request(
    const struct xos_node *n, const char *file, struct xos_buf *csr, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_key *key = NULL;
	enum xos_status st = xos_node_path(n, file, path, err);
	if (!st && access(path, F_OK) == 0) {
		st = xos_key_load(path, NULL, NULL, &key, err);
	} else if (!st) {
		st = xos_key_generate(&key, err);
		if (!st)
			st = xos_key_save(key, path, NULL, err);
	}
	if (!st)
		st = xos_csr_make(key, csr, err);
	xos_key_free(key);
	return st;
}

/* What a node serves; each with a key and a certificate of its own: tls/KIND.key, tls/KIND.pem. */
static enum xos_status add_service(const struct xos_node *n, struct xos_rca_application *a,
    const char *kind, const char *url, struct xos_err *err)
{
	struct xos_rca_service *s = &a->services[a->nservices++];
	char key[64];

	if (!xos_str_copy(s->kind, sizeof(s->kind), kind) ||
	    !xos_str_copy(s->url, sizeof(s->url), url) ||
	    !xos_str_printf(key, sizeof(key), "tls/%s.key", kind))
		return xos_err_set(
		    err, XOS_LIMIT, "application", "the address %s is too long", url);
	return key_and_request(n, key, &s->csr, err);
}

static enum xos_status fill(
    const struct xos_node *n, struct xos_rca_application *a, struct xos_err *err)
{
	char jobs[XOS_RCA_URL_MAX + 1];
	const char *data = opt_data_url ? opt_data_url : n->data_url;
	bool v6 = strchr(n->address, ':');
	bool fits = xos_str_copy(a->node, sizeof(a->node), n->name) &&
	            xos_str_copy(a->site, sizeof(a->site), n->site) &&
	            xos_str_copy(a->hosts[0], sizeof(a->hosts[0]), n->name) &&
	            xos_str_copy(a->hosts[1], sizeof(a->hosts[1]), n->address) &&
	            xos_str_printf(jobs, sizeof(jobs), "https://%s%s%s:%lld", v6 ? "[" : "",
	                n->address, v6 ? "]" : "", (long long)n->jobs_port);
	if (!fits)
		return xos_err_set(
		    err, XOS_LIMIT, "application", "a name of this node is too long");
	a->nhosts = 2;
	a->about = xos_json_object();
	xos_node_describe_machine(a->about);
	enum xos_status st = key_and_request(n, NODE_KEY, &a->csr, err);
	if (!st)
		st = add_service(n, a, "jobs", jobs, err);
	if (!st && data)
		st = add_service(n, a, "data", data, err);
	return st;
}

/* The code, if one was given: checked here, so that a typing error costs no attempt. *out NULL: none. */
static enum xos_status read_code(struct xos_secret **out, struct xos_err *err)
{
	uint64_t fd = 0;
	struct xos_secret *typed = NULL;

	if (!opt_code_stdin && !opt_code_fd)
		return XOS_OK;
	if (opt_code_stdin && opt_code_fd)
		return xos_cli_usage(err, "--code-stdin and --code-fd exclude each other");
	if (opt_code_fd && !xos_parse_u64(opt_code_fd, INT32_MAX, &fd))
		return xos_cli_usage(err, "--code-fd needs the number of an open descriptor");
	enum xos_status st = xos_secret_read_line((int)fd, XOS_CODE_TYPED_MAX, &typed, err);
	if (!st)
		st = xos_code_read(typed, out, err);
	xos_secret_free(typed);
	return st;
}

/* The id of the application that is under way; applies if there is none, or joins by the code. */
static enum xos_status application(const struct xos_node *n, struct vo *v, struct xos_secret *code,
    char id[XOS_RCA_ID_LEN + 1], struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_buf text;
	enum xos_status st = xos_node_path(n, "application", path, err);
	if (st)
		return st;
	if (!code && access(path, F_OK) == 0) {
		xos_buf_init(&text, 0);
		st = xos_file_read(path, 256, &text, err);
		if (!st && (text.n != XOS_RCA_ID_LEN ||
		               !xos_str_copy(id, XOS_RCA_ID_LEN + 1, xos_buf_str(&text))))
			st = xos_err_set(err, XOS_MALFORMED, "application",
			    "%s is damaged; remove it and join again", path);
		xos_buf_free(&text);
		return st;
	}
	struct xos_rca_application *a = xos_rca_application_new();
	if (!a)
		return xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	st = fill(n, a, err);
	if (!st && code)
		st = xos_rca_join(xos_service_client(v->rca), v->name, a, code, id, err);
	else if (!st)
		st = xos_rca_apply(xos_service_client(v->rca), v->name, a, id, err);
	if (!st)
		st = xos_node_applied(n, v->name, err);
	if (!st)
		st = xos_node_write(n, "application", 0600, xos_bytes_str(id), err);
	xos_rca_application_free(a);
	return st;
}

static enum xos_status write_chain(
    const struct xos_node *n, const char *file, const struct xos_chain *chain, struct xos_err *err)
{
	struct xos_buf pem;
	xos_buf_init(&pem, XOS_CHAIN_PEM_MAX);
	for (size_t i = 0; i < chain->n; i++)
		xos_cert_to_pem(chain->cert[i], &pem);
	enum xos_status st = xos_buf_status(&pem);
	if (st)
		st = xos_err_set(err, st, "memory", "cannot put %s together", file);
	else
		st = xos_node_write(n, file, 0644, xos_buf_bytes(&pem), err);
	xos_buf_free(&pem);
	return st;
}

static enum xos_status write_trust(
    const struct xos_node *n, const struct xos_joined *j, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_chain root = {.n = 0};
	enum xos_status st = xos_node_path(n, "trust", path, err);
	if (!st)
		st = xos_dir_make(path, 0755, err);
	if (!st)
		st = xos_chain_add(&root, j->root); /* NOLINT: contact() filled it */
	if (!st)
		st = write_chain(n, "trust/root.pem", &root, err);
	if (!st)
		st = write_chain(n, "trust/issuers.pem", &j->issuers, err);
	if (!st)
		st = xos_node_list_place(n, xos_buf_bytes(&j->list), err);
	xos_chain_clear(&root);
	return st;
}

/* Is it for the key in file, which this machine made? */
static enum xos_status check_key(
    const struct xos_node *n, const struct xos_identity *id, const char *file, struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_key *key = NULL;
	enum xos_status st = xos_node_path(n, file, path, err);

	if (!st)
		st = xos_key_load(path, NULL, NULL, &key, err);
	if (!st && memcmp(id->spki_sha256, xos_key_spki_sha256(key), XOS_SHA256_LEN) != 0)
		st = xos_err_set(err, XOS_DENIED, "certificate-other-key",
		    "the resource authority sent a certificate for another key than %s", path);
	xos_key_free(key);
	return st;
}

/* The answer came over a verified connection; still each certificate must be what was asked for. */
static enum xos_status check_chain(const struct xos_node *n, const struct vo *v,
    const struct xos_chain *chain, const char *service, const char *key, struct xos_err *err)
{
	struct xos_identity *id = NULL;
	const struct xos_verify_opts opts = {.now = xos_clock_now(),
	    .skew = SKEW,
	    .kinds = XOS_KIND_BIT(service ? XOS_KIND_SERVICE : XOS_KIND_NODE),
	    .vo = v->name,
	    .name = n->name,
	    .service = service,
	    .purpose = XOS_PURPOSE_ANY};
	enum xos_status st = xos_token_verify_chain(v->contact.trust, chain, &opts, &id, err);

	if (st)
		st = xos_err_prefix(err, st, "the certificate that the resource authority sent");
	if (!st)
		st = check_key(n, id, key, err);
	xos_identity_free(id);
	return st;
}

/* Jobs, and data if it was asked for: what has a key here. */
static enum xos_status check_services(const struct xos_node *n, const struct vo *v,
    const struct xos_rca_outcome *o, struct xos_err *err)
{
	char key[64];
	enum xos_status st = XOS_OK;
	bool jobs = false;

	for (size_t i = 0; !st && i < o->nservices; i++) {
		const char *kind = o->services[i].kind;

		jobs |= strcmp(kind, "jobs") == 0;
		if (strcmp(kind, "jobs") != 0 && strcmp(kind, "data") != 0)
			return xos_err_set(err, XOS_MALFORMED, "outcome",
			    "the resource authority certified other services than were asked for");
		xos_str_printf(key, sizeof(key), "tls/%s.key", kind);
		st = check_chain(n, v, &o->services[i].chain, kind, key, err);
	}
	if (!st && !jobs)
		st = xos_err_set(err, XOS_MALFORMED, "outcome",
		    "the resource authority certified no job service, which was asked for");
	return st;
}

static enum xos_status install(const struct xos_node *n, const struct vo *v,
    const struct xos_rca_outcome *o, struct xos_err *err)
{
	const struct xos_cad_directory *services = &v->contact.services;
	char file[64];
	enum xos_status st = check_chain(n, v, &o->chain, NULL, NODE_KEY, err);

	if (!st)
		st = check_services(n, v, o, err);
	if (!st)
		st = write_trust(n, v->contact.joined, err);
	if (!st)
		st = write_chain(n, "credd/node.pem", &o->chain, err);
	for (size_t i = 0; !st && i < o->nservices; i++) {
		xos_str_printf(file, sizeof(file), "tls/%s.pem", o->services[i].kind);
		st = write_chain(n, file, &o->services[i].chain, err);
	}
	if (st)
		return st;
	const struct xos_node_urls urls = {.vo = v->name,
	    .vops = services->vops,
	    .rca = services->rca,
	    .accounting = services->accounting,
	    .ca = services->ca};
	return xos_node_write_configs(n, &urls, err);
}

/* Two VOs may bear the same name; a node belongs to one of them only, since by its name its folder is found. */
static enum xos_status check_root(const struct xos_node *n, const struct vo *v, struct xos_err *err)
{
	struct xos_trust *trust = NULL;
	char path[PATH_MAX];
	enum xos_status st = xos_node_path(n, "vo.conf", path, err);

	if (st || access(path, F_OK) != 0)
		return st;
	st = xos_node_path(n, "trust", path, err);
	if (!st && !(trust = xos_trust_new()))
		st = xos_err_set(err, XOS_INTERNAL, "memory", "out of memory");
	if (!st)
		st = xos_trust_load(trust, path, err);
	const struct xos_cert *root = st ? NULL : xos_trust_root(trust, v->name);
	if (!st &&
	    (!root || memcmp(xos_cert_fingerprint(root),
	                  xos_cert_fingerprint(v->contact.joined->root), XOS_SHA256_LEN) != 0))
		st = xos_err_set(err, XOS_CONFLICT, "vo-other-root",
		    "node %s belongs to a VO %s with another root already; to join this one leave "
		    "that "
		    "one first: xos-node leave --dir %s --vo %s --yes",
		    n->name, v->name, xos_node_top(n), v->name);
	xos_trust_free(trust);
	return st;
}

/* A further VO: what the first one's daemons have to know before. */
static enum xos_status make_ready(const struct xos_node *n, struct xos_err *err)
{
	struct xos_node top = {.name = NULL};
	struct xos_proc_id id;
	char conf[PATH_MAX];
	bool again = false;
	enum xos_status st = n->top ? xos_node_load(&top, n->top, err) : XOS_OK;

	if (st || !n->top)
		return st;
	st = xos_node_ready_for_vos(&top, &again, err);
	if (!st && again && xos_cli_daemon_running(top.dir, "xos-credd", &id)) {
		st = xos_node_path(&top, "credd.conf", conf, err);
		if (!st)
			st = xos_cli_daemon_stop(top.dir, "xos-credd", err);
		if (!st)
			st = xos_cli_daemon_start(top.dir, "xos-credd", conf, err);
	}
	xos_node_free(&top);
	return st;
}

static enum xos_status poll_until(struct xos_cli *cli, struct vo *v, const char *id,
    struct xos_rca_outcome **o, struct xos_err *err)
{
	for (;;) {
		enum xos_status st = xos_rca_poll(xos_service_client(v->rca), v->name, id, o, err);
		if (st || !opt_wait || (*o)->state != XOS_RCA_PENDING)
			return st;
		xos_rca_outcome_free(*o);
		*o = NULL;
		xos_cli_progress(cli, "waiting for approval of application %s", id);
		const struct timespec pause = {POLL_MS / 1000, (POLL_MS % 1000) * 1000000L};
		(void)nanosleep(&pause, NULL);
	}
}

/* What owner and approver compare. */
static enum xos_status own_fingerprint(
    const struct xos_node *n, char out[XOS_FINGERPRINT_TEXT], struct xos_err *err)
{
	char path[PATH_MAX];
	struct xos_key *key = NULL;
	enum xos_status st = xos_node_path(n, NODE_KEY, path, err);

	if (!st)
		st = xos_key_load(path, NULL, NULL, &key, err);
	if (!st)
		xos_fingerprint_text(xos_key_spki_sha256(key), out);
	xos_key_free(key);
	return st;
}

static enum xos_status settle(struct xos_cli *cli, const struct xos_node *n, const struct vo *v,
    const char *id, const char *fingerprint, const struct xos_rca_outcome *o, struct xos_err *err)
{
	char path[PATH_MAX];
	if (o->state == XOS_RCA_DENIED) {
		if (xos_node_path(n, "application", path, NULL) == XOS_OK)
			(void)unlink(path); /* the owner may apply anew */
		if (xos_node_path(n, "applied", path, NULL) == XOS_OK)
			(void)unlink(path); /* or to another VO */
		return xos_err_set(err, XOS_DENIED, "application-denied",
		    "VO %s does not admit node %s%s%s", v->name, n->name, o->message[0] ? ": " : "",
		    o->message);
	}
	if (o->state == XOS_RCA_PENDING) {
		if (!cli->json)
			printf(
			    "application %s waits for an administrator of VO %s, or an approver of "
			    "site %s: xos-node approve %s\nkey of this node, to be compared: "
			    "%s\nafterwards, here: xos-node join again\n",
			    id, v->name, n->site, n->name, fingerprint);
		return XOS_OK;
	}
	enum xos_status st = make_ready(n, err);
	if (!st)
		st = install(n, v, o, err);
	if (!st && !cli->json)
		printf("node %s is a node of VO %s; start it with: xos-node start --dir %s\n",
		    n->name, v->name, xos_node_top(n));
	return st;
}

XOS_NODE_VERB(join)
{
	(void)argc;
	struct xos_node n;
	struct vo v = {.name = NULL};
	struct xos_rca_outcome *outcome = NULL;
	struct xos_secret *code = NULL;
	char id[XOS_RCA_ID_LEN + 1] = "", fingerprint[XOS_FINGERPRINT_TEXT] = "";
	enum xos_status st = xos_node_open(&n, err);
	if (st)
		return st;
	st = read_code(&code, err);
	if (!st)
		st = contact(cli, argv[0], &v, err);
	if (!st)
		st = xos_node_enter(&n, v.name, opt_member, err);
	if (!st)
		st = check_root(&n, &v, err);
	if (!st)
		st = application(&n, &v, code, id, err);
	if (!st)
		st = own_fingerprint(&n, fingerprint, err);
	if (!st)
		st = poll_until(cli, &v, id, &outcome, err);
	if (!st && cli->json) {
		struct xos_json *doc = xos_json_object();
		xos_json_set_string(doc, "application", id);
		xos_json_set_string(doc, "state", xos_rca_state_name(outcome->state));
		xos_json_set_string(doc, "fingerprint", fingerprint);
		st = xos_cli_print_json(doc, err);
	}
	if (!st)
		st = settle(cli, &n, &v, id, fingerprint, outcome, err);
	xos_rca_outcome_free(outcome);
	xos_secret_free(code);
	vo_clear(&v);
	xos_node_free(&n);
	return st;
}
