#include "rca/ssh.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "api/sshhost.h"
#include "base/clock.h"
#include "base/event.h"
#include "base/random.h"
#include "base/text.h"
#include "token/profile.h"

void rca_ssh_open(const struct rca_conf *conf, struct xos_key **out)
{
	char path[PATH_MAX];
	struct xos_key *key = NULL;
	struct xos_err err = XOS_ERR_INIT;
	enum xos_status st = rca_conf_path(conf, "ssh_host_ca.key", path, sizeof(path), &err);

	if (st == XOS_OK)
		st = xos_key_load(path, NULL, NULL, &key, &err);
	if (st == XOS_NOT_FOUND) {
		st = xos_key_generate(&key, &err);
		if (st == XOS_OK)
			st = xos_key_save(key, path, NULL, &err);
	}
	if (st == XOS_OK) {
		*out = key;
		return;
	}
	xos_key_free(key);
	xos_event_err(XOS_ERROR, "ssh-authority.missing", &err, (const char *)NULL);
}

static enum xos_status need(const struct xos_key *ssh, struct xos_err *err)
{
	return ssh ? XOS_OK
	           : xos_err_set(err, XOS_UNAVAILABLE, "ssh-authority",
	                 "this resource authority has no ssh_host_ca.key; its log says why");
}

static enum xos_status read_hosts(
    const struct xos_json *doc, struct xos_sshcert *c, struct xos_err *err)
{
	const char **list = NULL;
	size_t n = 0;
	enum xos_status st = xos_json_get_strings(
	    doc, "hosts", XOS_SSH_PRINCIPALS_MAX, XOS_SSH_NAME_MAX, &list, &n, err);

	for (; st == XOS_OK && c->nprincipals < n; c->nprincipals++)
		if (!xos_rca_host_valid(list[c->nprincipals], NULL) ||
		    !xos_str_copy(c->principals[c->nprincipals], sizeof(c->principals[0]),
		        list[c->nprincipals]))
			st = xos_json_refuse(doc, err, "hosts: \"%s\" is no host name or address",
			    list[c->nprincipals]);
	free(list);
	return st;
}

static enum xos_status log_ssh(struct rca_issuer *issuer, const char *node,
    const struct xos_sshcert *c, const char *digest, struct xos_err *err)
{
	const char *names[XOS_SSH_PRINCIPALS_MAX];
	char serial[24];
	struct xos_json *doc = xos_json_object();
	struct xos_buf text, line;

	for (size_t i = 0; i < c->nprincipals; i++)
		names[i] = c->principals[i];
	xos_str_printf(serial, sizeof(serial), "%llu", (unsigned long long)c->serial);
	xos_buf_init(&text, XOS_LOG_PAYLOAD_MAX);
	xos_buf_init(&line, XOS_SSH_LINE_MAX);
	xos_ssh_line(&line, (struct xos_bytes){c->key.blob, c->key.n});
	xos_json_set_string(doc, "serial", serial);
	xos_json_set_string(doc, "node", node);
	xos_json_set_strings(doc, "principals", names, c->nprincipals);
	xos_json_set_time(doc, "not_before", c->after);
	xos_json_set_time(doc, "not_after", c->before);
	xos_json_set_string(doc, "key", xos_buf_str(&line));
	xos_json_set_string(doc, "digest", digest);
	enum xos_status st = xos_json_dump(doc, &text, err);
	if (st == XOS_OK)
		st = rca_issuer_note(issuer, RCA_LOG_SSH, xos_buf_bytes(&text), err);
	xos_buf_free(&line);
	xos_buf_free(&text);
	xos_json_free(doc);
	return st;
}

struct signing {
	const struct rca_conf *conf;
	struct rca_issuer *issuer;
	const struct xos_key *ssh;
	char node[XOS_NODE_MAX + 1], digest[65];
	struct xos_sshcert cert; /* all but key and serial */
	struct xos_rca_ssh_keys keys;
};

static enum xos_status read_request(
    struct xos_bytes request, struct signing *s, struct xos_err *err)
{
	struct xos_json *doc = NULL;
	int64_t now = xos_clock_now(), end = rca_issuer_end(s->issuer);
	enum xos_status st = xos_json_parse(request, XOS_RCA_BODY_MAX, &doc, err);

	if (st == XOS_OK)
		st = XOS_JSON_ONLY(doc, err, "node", "hosts", "keys", "digest");
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "node", s->node, sizeof(s->node), err);
	if (st == XOS_OK && !xos_name_is_node(s->node))
		st = xos_json_refuse(doc, err, "\"%s\" is no node name", s->node);
	if (st == XOS_OK)
		st = xos_json_copy_string(doc, "digest", s->digest, sizeof(s->digest), err);
	if (st == XOS_OK)
		st = read_hosts(doc, &s->cert, err);
	if (st == XOS_OK)
		st = xos_rca_ssh_keys_read(doc, &s->keys, err);
	s->cert.after = now - XOS_TOKEN_BACKDATE;
	s->cert.before = now + s->conf->node_life < end ? now + s->conf->node_life : end;
	if (st == XOS_OK && !xos_str_printf(s->cert.id, sizeof(s->cert.id), "%s/node/%s",
	                        s->conf->common.vo, s->node))
		st = xos_err_set(err, XOS_INTERNAL, "ssh-certificate", "a name does not fit");
	xos_json_free(doc);
	return st;
}

static enum xos_status sign_one(
    struct signing *s, size_t i, struct xos_buf *line, struct xos_err *err)
{
	struct xos_buf blob;

	xos_buf_init(&blob, XOS_SSH_CERT_MAX);
	s->cert.key = s->keys.key[i];
	xos_random(&s->cert.serial, sizeof(s->cert.serial));
	enum xos_status st = xos_sshcert_sign(s->ssh, &s->cert, &blob, err);
	if (st == XOS_OK)
		st = log_ssh(s->issuer, s->node, &s->cert, s->digest, err);
	if (st == XOS_OK)
		xos_ssh_line(line, xos_buf_bytes(&blob));
	xos_buf_free(&blob);
	return st == XOS_OK ? xos_buf_status(line) : st;
}

enum xos_status rca_ssh_sign(const struct rca_conf *conf, struct rca_issuer *issuer,
    const struct xos_key *ssh, struct xos_bytes request, struct xos_buf *reply, struct xos_err *err)
{
	struct signing s = {.conf = conf, .issuer = issuer, .ssh = ssh};
	struct xos_buf line[XOS_RCA_SSH_KEYS_MAX];
	const char *text[XOS_RCA_SSH_KEYS_MAX] = {NULL};
	struct xos_json *doc = NULL;

	for (size_t i = 0; i < XOS_RCA_SSH_KEYS_MAX; i++)
		xos_buf_init(&line[i], XOS_SSH_LINE_MAX);
	enum xos_status st = need(ssh, err);
	if (st == XOS_OK)
		st = read_request(request, &s, err);
	for (size_t i = 0; st == XOS_OK && i < s.keys.n; i++) {
		st = sign_one(&s, i, &line[i], err);
		text[i] = xos_buf_str(&line[i]);
	}
	if (st == XOS_OK) {
		XOS_EVENT(XOS_INFO, "ssh-host.issued", "node", s.node, "id", s.cert.id);
		doc = xos_json_object();
		xos_json_set_strings(doc, "certificates", text, s.keys.n);
		st = xos_json_dump(doc, reply, err);
	}
	for (size_t i = 0; i < XOS_RCA_SSH_KEYS_MAX; i++)
		xos_buf_free(&line[i]);
	xos_json_free(doc);
	return st;
}

enum xos_status rca_ssh_statement(const struct rca_conf *conf, const struct rca_issuer *issuer,
    const struct xos_key *ssh, struct xos_buf *reply, struct xos_err *err)
{
	enum xos_status st = need(ssh, err);

	return st == XOS_OK ? xos_ssh_authority_sign(rca_issuer_key(issuer), conf->common.vo, ssh,
	                          xos_clock_now(), conf->lock_life, reply, err)
	                    : st;
}
