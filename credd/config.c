#include "credd/config.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/name.h"
#include "base/text.h"
#include "decide/record.h"

#define AT(field) offsetof(struct xos_credd_conf, field)

const struct xos_config_key xos_credd_keys[] = {
    {"", "vo", XOS_CONFIG_STRING, AT(vo), true, NULL, 0, 0},
    {"", "node", XOS_CONFIG_STRING, AT(node), true, NULL, 0, 0},
    {"", "site", XOS_CONFIG_STRING, AT(site), true, NULL, 0, 0},
    {"", "site_key", XOS_CONFIG_PATH, AT(site_key), true, NULL, 0, 0},
    {"", "trust", XOS_CONFIG_PATH, AT(trust), true, NULL, 0, 0},
    {"", "state", XOS_CONFIG_PATH, AT(state), true, NULL, 0, 0},
    {"", "socket", XOS_CONFIG_PATH, AT(socket), true, NULL, 0, 0},
    {"", "tls_certificate", XOS_CONFIG_PATH, AT(tls_certificate), false, NULL, 0, 0},
    {"", "tls_key", XOS_CONFIG_PATH, AT(tls_key), false, NULL, 0, 0},
    {"", "vops", XOS_CONFIG_STRING, AT(vops), false, NULL, 0, 0},
    {"", "rca", XOS_CONFIG_STRING, AT(rca), false, NULL, 0, 0},
    {"", "ca", XOS_CONFIG_STRING, AT(ca), false, NULL, 0, 0},
    {"", "slices", XOS_CONFIG_PATH, AT(slices), false, NULL, 0, 0},
    {"", "renew", XOS_CONFIG_STRING, AT(renew), false, NULL, 0, 0},
    {"", "ssh_host_keys", XOS_CONFIG_PATH, AT(ssh_host_keys), false, NULL, 0, 0},
    {"", "service_users", XOS_CONFIG_STRING, AT(service_users), false, NULL, 0, 0},
    {"", "user", XOS_CONFIG_STRING, AT(user), false, NULL, 0, 0},
    {"", "member", XOS_CONFIG_STRING, AT(member), false, NULL, 0, 0},
    {"", "refresh", XOS_CONFIG_DURATION, AT(refresh), false, "4s", 1, 86400},
    {"", "wait", XOS_CONFIG_DURATION, AT(wait), false, "30s", 0, 60},
    {"", "max_age", XOS_CONFIG_DURATION, AT(max_age), false, "12h", 1, 30 * 86400},
    {"", "connections_max", XOS_CONFIG_NUMBER, AT(connections_max), false, "1024", 16, 16384},
    {"", "decision_sample", XOS_CONFIG_NUMBER, AT(decision_sample), false, "1", 0, 1000000},
    {"", "decision_log_bytes", XOS_CONFIG_NUMBER, AT(decision_log_bytes), false, "16777216", 4096,
        INT64_C(1) << 40},
    {"", "decision_log_files", XOS_CONFIG_NUMBER, AT(decision_log_files), false, "16", 1,
        XOS_DECISION_LOG_FILES_MAX},
    {"", "jobs_max", XOS_CONFIG_NUMBER, AT(jobs_max), false, "10000", 1, 1000000},
    {"", "lease_quarantine", XOS_CONFIG_DURATION, AT(lease_quarantine), false, "1m", 0, 86400},
    {"", "sessions", XOS_CONFIG_PATH, AT(sessions), false, NULL, 0, 0},
    {"", "sessions_max", XOS_CONFIG_NUMBER, AT(sessions_max), false, "10000", 1, 1000000},
    {"", "sessions_per_user", XOS_CONFIG_NUMBER, AT(sessions_per_user), false, "64", 1, 100000},
};
const size_t xos_credd_nkeys = sizeof(xos_credd_keys) / sizeof(xos_credd_keys[0]);

static enum xos_status bad(struct xos_err *err, const char *key, const char *why)
{
	return xos_err_set(err, XOS_MALFORMED, "config-value", "%s: %s", key, why);
}

/* A name, a number or NUMBER:NUMBER for user and group. A number stands for itself, so that a VO runs
 * on a machine without accounts of its own. */
static enum xos_status find_user(
    const char *key, const char *name, uid_t *uid, gid_t *gid, struct xos_err *err)
{
	char text[64];
	uint64_t number, group;
	const char *colon = strchr(name, ':');
	if (!xos_str_printf(text, sizeof(text), "%.*s", colon ? (int)(colon - name) : 63, name))
		return bad(err, key, "a name of over 63 characters");
	bool numeric = xos_parse_u64(text, UINT32_MAX - 1, &number);
	if (colon && (!numeric || !xos_parse_u64(colon + 1, UINT32_MAX - 1, &group)))
		return bad(err, key, "with a colon, both sides are numbers");
	const struct passwd *pw = numeric ? getpwuid((uid_t)number) : getpwnam(text);
	if (!pw && !numeric)
		return xos_err_set(err, XOS_NOT_FOUND, "config-user",
		    "%s: there is no user \"%s\" on this machine", key, text);
	*uid = pw ? pw->pw_uid : (uid_t)number;
	*gid = colon ? (gid_t)group : pw ? pw->pw_gid : (gid_t)number;
	return XOS_OK;
}

static enum xos_status service_users(struct xos_credd_self *self, struct xos_err *err)
{
	const char *list = self->conf->service_users;
	enum xos_status st = XOS_OK;
	while (!st && list && *list) {
		char name[64];
		list += strspn(list, ", \t");
		size_t n = strcspn(list, ", \t");
		if (!n)
			break;
		if (n >= sizeof(name))
			return bad(err, "service_users", "a name of over 63 characters");
		if (self->nservice == XOS_CREDD_SERVICE_USERS_MAX)
			return bad(err, "service_users", "more than 16 users");
		memcpy(name, list, n);
		name[n] = '\0';
		list += n;
		gid_t gid;
		st = find_user("service_users", name, &self->service[self->nservice], &gid, err);
		if (!st)
			self->nservice++;
	}
	return st;
}

static enum xos_status own_user(struct xos_credd_self *self, struct xos_err *err)
{
	const struct xos_credd_conf *c = self->conf;
	self->root = geteuid() == 0;
	self->uid = geteuid();
	self->gid = getegid();
	if (!self->root) {
		if (c->user)
			return bad(err, "user",
			    "only root can become another user: leave it out, or start as root");
		if (c->member && !xos_name_is_member(c->vo, c->member))
			return bad(err, "member", "no member's name");
		return XOS_OK;
	}
	if (c->member)
		return bad(
		    err, "member", "as root every member has a computed account: leave it out");
	if (!c->user)
		return bad(err, "user", "as root, xos-credd needs a user of its own to become");
	enum xos_status st = find_user("user", c->user, &self->uid, &self->gid, err);
	if (!st && (self->uid == 0 || self->gid == 0))
		st = bad(err, "user", "this must not be root");
	return st;
}

enum xos_status xos_credd_self_init(
    const struct xos_credd_conf *conf, struct xos_credd_self *out, struct xos_err *err)
{
	*out = (struct xos_credd_self){.conf = conf};
	if (!xos_name_is_vo(conf->vo))
		return bad(err, "vo", "no VO's name");
	if (!xos_name_is_node(conf->node))
		return bad(err, "node", "no node's name: a host name in lower case");
	if (!xos_name_is_site(conf->site))
		return bad(err, "site", "no site's name");
	if (strlen(conf->socket) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return bad(err, "socket", "longer than 107 bytes: choose a shorter path");
	if (!conf->tls_certificate != !conf->tls_key)
		return bad(err, "tls_certificate", "give tls_key as well, or neither");
	if ((conf->vops || conf->rca || conf->ca) && !conf->tls_key)
		return bad(
		    err, "tls_key", "servers are asked with the node's certificate: give it");
	enum xos_status st = own_user(out, err);
	return st ? st : service_users(out, err);
}

enum xos_status xos_credd_sessions_dir(
    const struct xos_credd_conf *conf, char out[PATH_MAX], struct xos_err *err)
{
	if (conf->sessions ? xos_str_copy(out, PATH_MAX, conf->sessions)
	                   : xos_path_join(out, PATH_MAX, conf->state, "sessions"))
		return XOS_OK;
	return xos_err_set(err, XOS_LIMIT, "session-folder", "the path of the folder is too long");
}

bool xos_credd_is_service(const struct xos_credd_self *self, uid_t uid)
{
	if (uid == 0 || (!self->root && uid == self->uid))
		return true;
	for (size_t i = 0; i < self->nservice; i++)
		if (self->service[i] == uid)
			return true;
	return false;
}
