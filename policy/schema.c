#include "policy/schema.h"

#include <string.h>

#define BIT(code) (UINT64_C(1) << (code))

static const struct xos_policy_kind kinds[] = {
    {"site", XOS_NEEDS_SITE, 1, false, true, "a site"},
    {"node", XOS_NEEDS_NODE, 1, false, true, "a machine"},
    {"job", XOS_NEEDS_JOB, 1, true, true, "a job"},
    {"file", XOS_NEEDS_PATH, 1, true, true, "a file or folder, by its absolute path"},
    {"session", XOS_NEEDS_NOTHING, 1, true, true, "a log-in on a node"},
    {"vo", XOS_NEEDS_NOTHING, 1, false, false, "a VO"},
    {"token", XOS_NEEDS_NOTHING, 1, true, false, "a token"},
};

/* Codes stand in certificates: append, never renumber. */
enum {
	JOB_SUBMIT = 1,
	JOB_SHOW,
	JOB_CANCEL,
	SESSION_OPEN,
	FILE_READ,
	FILE_WRITE,
	TOKEN_ISSUE,
	TOKEN_RENEW,
	TOKEN_DELEGATE,
	JOB_SIGNAL,
	JOB_EXTEND,
	FILE_DELETE,
	FILE_SHARE,
	SESSION_SHOW,
	SESSION_CLOSE,
	TOKEN_SHOW,
	TOKEN_REVOKE,
	NODE_SHOW,
	NODE_DRAIN,
	NODE_MANAGE,
	TOKEN_STOCK
};

static const struct xos_policy_action actions[] = {
    {"job.submit", JOB_SUBMIT, 1, true, "start a job on a node"},
    {"job.show", JOB_SHOW, 1, true, "see a job's state and read its output"},
    {"job.cancel", JOB_CANCEL, 1, true, "end a job"},
    {"session.open", SESSION_OPEN, 1, true, "log in to a node"},
    {"file.read", FILE_READ, 1, true, "read a file or list a folder"},
    {"file.write", FILE_WRITE, 1, true, "create, change or remove a file"},
    {"token.issue", TOKEN_ISSUE, 1, false, "obtain a token at log-in"},
    {"token.renew", TOKEN_RENEW, 1, false, "obtain a new token with the old one"},
    {"token.delegate", TOKEN_DELEGATE, 1, false, "let a service act for oneself"},
    {"job.signal", JOB_SIGNAL, 2, true, "send a signal to a job"},
    {"job.extend", JOB_EXTEND, 2, true, "give a running job more time"},
    {"file.delete", FILE_DELETE, 2, true, "remove a file; asked beside file.write"},
    {"file.share", FILE_SHARE, 2, true, "change who may use a file"},
    {"session.show", SESSION_SHOW, 2, true, "see who is logged in to a node"},
    {"session.close", SESSION_CLOSE, 2, true, "end a session"},
    {"token.show", TOKEN_SHOW, 2, false, "see which tokens a member has"},
    {"token.revoke", TOKEN_REVOKE, 2, false, "make a token worthless"},
    {"node.show", NODE_SHOW, 2, true, "see a node's state and load"},
    {"node.drain", NODE_DRAIN, 2, true, "let a node take no new work, or take it again"},
    {"node.manage", NODE_MANAGE, 2, true, "change a node's set-up"},
    {"token.stock", TOKEN_STOCK, 3, true, "delegate without a restriction, for grid programs"},
};

#define ON_JOBS (BIT(JOB_SHOW) | BIT(JOB_CANCEL) | BIT(JOB_SIGNAL) | BIT(JOB_EXTEND))
#define ON_FILES (BIT(FILE_READ) | BIT(FILE_WRITE) | BIT(FILE_DELETE) | BIT(FILE_SHARE))
#define ON_SESSIONS (BIT(SESSION_SHOW) | BIT(SESSION_CLOSE))
#define ON_TOKENS (BIT(TOKEN_SHOW) | BIT(TOKEN_REVOKE))
#define ALL XOS_POLICY_ACTION_ALL

/* "Always" is what the enforcement points of this house send; see jobs/ask.c and credd/decide.c. */
static const struct xos_policy_attr attrs[] = {
    {"auth.age", XOS_ATTR_AUTH_AGE, 1, XOS_POLICY_DURATION, false, ALL, 0,
        "time since the person authenticated"},
    {"auth.method", XOS_ATTR_AUTH_METHOD, 1, XOS_POLICY_STRING, false, ALL, 0,
        "how the person authenticated"},
    {"auth.mfa", XOS_ATTR_AUTH_MFA, 1, XOS_POLICY_BOOL, false, 0, ALL,
        "whether a second factor was used"},
    {"subject.is_owner", XOS_ATTR_IS_OWNER, 1, XOS_POLICY_BOOL, false, ON_JOBS, ALL & ~ON_JOBS,
        "whether the subject owns the job or file; unknown if it has no owner"},
    {"ctx.src", 5, 1, XOS_POLICY_IP, true, 0, ALL, "the address that the request came from"},
    {"ctx.service", 6, 1, XOS_POLICY_STRING, true, 0, ALL,
        "the service that asks: sshd, jobd, ..."},
    {"job.wall", 7, 1, XOS_POLICY_DURATION, true, 0, BIT(JOB_SUBMIT) | BIT(JOB_EXTEND),
        "wall time that the job asks for"},
    {"job.cpu", 8, 1, XOS_POLICY_NUMBER, true, 0, BIT(JOB_SUBMIT),
        "processors that the job asks for"},
    {"job.memory", 9, 1, XOS_POLICY_SIZE, true, 0, BIT(JOB_SUBMIT), "memory that the job asks for"},
    {"token.lifetime", 10, 1, XOS_POLICY_DURATION, true, 0,
        BIT(TOKEN_ISSUE) | BIT(TOKEN_RENEW) | BIT(TOKEN_DELEGATE) | BIT(TOKEN_STOCK),
        "life that the token shall have"},
    {"resource.id", XOS_ATTR_RESOURCE_ID, 2, XOS_POLICY_STRING, false, ON_JOBS | ON_FILES,
        ALL & ~(ON_JOBS | ON_FILES), "the path of a file, the id of a job or session"},
    {"job.name", 12, 2, XOS_POLICY_STRING, true, 0, BIT(JOB_SUBMIT) | ON_JOBS,
        "what the member called the job"},
    {"job.signal", 13, 2, XOS_POLICY_STRING, true, 0, BIT(JOB_SIGNAL),
        "the signal, for example TERM"},
    {"file.size", 14, 2, XOS_POLICY_SIZE, true, 0, BIT(FILE_READ) | BIT(FILE_WRITE),
        "size of the file"},
    {"session.tty", 15, 2, XOS_POLICY_BOOL, true, 0, BIT(SESSION_OPEN) | ON_SESSIONS,
        "whether the session has a terminal"},
    {"token.audience", 16, 2, XOS_POLICY_STRING, true, 0,
        BIT(TOKEN_ISSUE) | BIT(TOKEN_RENEW) | BIT(TOKEN_DELEGATE) | ON_TOKENS,
        "the service that the token is for"},
};

static const struct xos_policy_cap_info caps[XOS_CAP_COUNT] = {
    [XOS_CAP_WALL] = {"wall", XOS_POLICY_DURATION, "wall time"},
    [XOS_CAP_CPU] = {"cpu", XOS_POLICY_NUMBER, "processors at the same time"},
    [XOS_CAP_CPU_TIME] = {"cpu_time", XOS_POLICY_DURATION, "processor time"},
    [XOS_CAP_MEMORY] = {"memory", XOS_POLICY_SIZE, "memory"},
    [XOS_CAP_LIFETIME] = {"lifetime", XOS_POLICY_DURATION, "life of a credential"},
    [XOS_CAP_PROCESSES] = {"processes", XOS_POLICY_NUMBER, "processes and threads"},
    [XOS_CAP_FILES_OPEN] = {"files_open", XOS_POLICY_NUMBER, "open files of a process"},
    [XOS_CAP_FILE_SIZE] = {"file_size", XOS_POLICY_SIZE, "size of one file"},
    [XOS_CAP_ACCOUNT_CLASS] = {"account_class", XOS_POLICY_STRING, "classes of account"},
    [XOS_CAP_NETWORKS] = {"networks", XOS_POLICY_IP, "networks that may be reached"},
    [XOS_CAP_CLOSED_NETWORKS] = {"closed_networks", XOS_POLICY_IP,
        "networks that may not be reached"},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *xos_policy_type_name(enum xos_policy_type type)
{
	switch (type) {
	case XOS_POLICY_BOOL:
		return "bool";
	case XOS_POLICY_NUMBER:
		return "number";
	case XOS_POLICY_DURATION:
		return "duration";
	case XOS_POLICY_SIZE:
		return "size";
	case XOS_POLICY_TIME:
		return "time";
	case XOS_POLICY_STRING:
		return "string";
	case XOS_POLICY_IP:
		return "ip";
	}
	return "unknown";
}

const struct xos_policy_kind *xos_policy_kinds(size_t *n)
{
	*n = COUNT(kinds);
	return kinds;
}

const struct xos_policy_kind *xos_policy_kind_find(const char *name, unsigned schema)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (kinds[i].since <= schema && strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

const struct xos_policy_action *xos_policy_actions(size_t *n)
{
	*n = COUNT(actions);
	return actions;
}

const struct xos_policy_attr *xos_policy_attrs(size_t *n)
{
	*n = COUNT(attrs);
	return attrs;
}

const struct xos_policy_action *xos_policy_action_find(const char *name, unsigned schema)
{
	for (size_t i = 0; i < COUNT(actions); i++)
		if (actions[i].since <= schema && strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

const struct xos_policy_action *xos_policy_action_by_code(uint8_t code)
{
	for (size_t i = 0; i < COUNT(actions); i++)
		if (actions[i].code == code)
			return &actions[i];
	return NULL;
}

const struct xos_policy_attr *xos_policy_attr_find(const char *name, unsigned schema)
{
	for (size_t i = 0; i < COUNT(attrs); i++)
		if (attrs[i].since <= schema && strcmp(attrs[i].name, name) == 0)
			return &attrs[i];
	return NULL;
}

const struct xos_policy_attr *xos_policy_attr_by_code(uint8_t code)
{
	for (size_t i = 0; i < COUNT(attrs); i++)
		if (attrs[i].code == code)
			return &attrs[i];
	return NULL;
}

const struct xos_policy_cap_info *xos_policy_cap_info(enum xos_policy_cap cap)
{
	return (unsigned)cap < XOS_CAP_COUNT ? &caps[cap] : NULL;
}

bool xos_policy_cap_is_set(enum xos_policy_cap cap)
{
	return caps[cap].type == XOS_POLICY_STRING || caps[cap].type == XOS_POLICY_IP;
}

bool xos_policy_cap_find(const char *name, enum xos_policy_cap *cap)
{
	for (unsigned i = 0; i < XOS_CAP_COUNT; i++) {
		if (strcmp(caps[i].name, name) != 0)
			continue;
		*cap = (enum xos_policy_cap)i;
		return true;
	}
	return false;
}
