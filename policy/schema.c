#include "policy/schema.h"

#include <string.h>

/* Codes stand in certificates: append, never renumber. */
static const struct xos_policy_action actions[] = {
    {"job.submit", 1, 1, true, "start a job on a node"},
    {"job.show", 2, 1, true, "see a job's state and read its output"},
    {"job.cancel", 3, 1, true, "end a job"},
    {"session.open", 4, 1, true, "log in to a node"},
    {"file.read", 5, 1, true, "read a file or list a folder"},
    {"file.write", 6, 1, true, "create, change or remove a file"},
    {"token.issue", 7, 1, false, "obtain a token at log-in"},
    {"token.renew", 8, 1, false, "obtain a new token with the old one"},
    {"token.delegate", 9, 1, false, "let a service act for oneself"},
};

static const struct xos_policy_attr attrs[] = {
    {"auth.age", 1, 1, XOS_POLICY_DURATION, false, "time since the person authenticated"},
    {"auth.method", 2, 1, XOS_POLICY_STRING, false, "how the person authenticated"},
    {"auth.mfa", 3, 1, XOS_POLICY_BOOL, false, "whether a second factor was used"},
    {"subject.is_owner", 4, 1, XOS_POLICY_BOOL, false,
        "whether the subject owns the job or file; unknown if it has no owner"},
    {"ctx.src", 5, 1, XOS_POLICY_IP, true, "the address that the request came from"},
    {"ctx.service", 6, 1, XOS_POLICY_STRING, true, "the service that asks: sshd, jobd, ..."},
    {"job.wall", 7, 1, XOS_POLICY_DURATION, true, "wall time that the job asks for"},
    {"job.cpu", 8, 1, XOS_POLICY_NUMBER, true, "processors that the job asks for"},
    {"job.memory", 9, 1, XOS_POLICY_SIZE, true, "memory that the job asks for"},
    {"token.lifetime", 10, 1, XOS_POLICY_DURATION, true, "life that the token shall have"},
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
