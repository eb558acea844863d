/* Nodes and services that sets tell apart, and who could hold a role. */
#include "policytool/world_who.h"

#include <string.h>

#include "base/name.h"
#include "base/text.h"

/* No host and no kind that anybody has: RFC 2606. */
#define NO_HOST "unnamed.invalid"
#define NO_KIND "unnamed"

struct machines {
	void (*told)(void *arg, const char *subject);
	void *arg;
	const char *type; /* "node" */
	int vo;           /* bytes of the VO in front of name */
	const char *name;
};

static void tell(const struct machines *m, const char *kind, int kind_len, const char *host)
{
	char text[XOS_POLICYTOOL_TITLE_MAX];
	if (xos_str_printf(text, sizeof(text), "%s:%.*s:%.*s%s%s", m->type, m->vo, m->name,
	        kind_len, kind, kind_len ? "/" : "", host))
		m->told(m->arg, text);
}

void xos_policytool_machines(
    const struct xos_policy_who *who, void (*told)(void *arg, const char *subject), void *arg)
{
	bool node = who->kind == XOS_WHO_NODE;
	const struct machines m = {
	    told, arg, node ? "node" : "service", (int)strcspn(who->name, ":"), who->name};
	const char *name = who->name + m.vo + 1, *slash = strchr(name, '/');
	int kind = node ? 0 : (int)strcspn(name, "/");
	tell(&m, NO_KIND, node ? 0 : (int)strlen(NO_KIND), NO_HOST);
	if (strcmp(name, "*") == 0)
		return;
	if (node) {
		tell(&m, "", 0, name);
		return;
	}
	tell(&m, name, kind, NO_HOST);
	if (slash)
		tell(&m, name, kind, slash + 1);
}

void xos_policytool_machine_title(const char *subject, char out[XOS_POLICYTOOL_TITLE_MAX])
{
	const char *vo = strchr(subject, ':') + 1, *name = strchr(vo, ':') + 1;
	const char *slash = strchr(name, '/'), *host = slash ? slash + 1 : name;
	int n = (int)strcspn(vo, ":"), kind = slash ? (int)(slash - name) : 0;
	bool fits;
	if (strcmp(host, NO_HOST) != 0)
		fits = xos_str_copy(out, XOS_POLICYTOOL_TITLE_MAX, subject);
	else if (!slash)
		fits = xos_str_printf(out, XOS_POLICYTOOL_TITLE_MAX, "nodes of %.*s", n, vo);
	else if (strncmp(name, NO_KIND "/", sizeof(NO_KIND)) == 0)
		fits = xos_str_printf(out, XOS_POLICYTOOL_TITLE_MAX, "services of %.*s", n, vo);
	else
		fits = xos_str_printf(
		    out, XOS_POLICYTOOL_TITLE_MAX, "services %.*s of %.*s", kind, name, n, vo);
	if (!fits)
		out[0] = 0;
}

bool xos_policytool_role_within(const char *role, const char *vo, const char *groups)
{
	char top[XOS_FQAN_MAX + 1], one[XOS_FQAN_MAX + 1];
	size_t n;
	const char *name;
	if (!xos_role_split(role, &n, &name) || n > XOS_FQAN_MAX || !xos_fqan_in_vo(role, vo))
		return false;
	memcpy(top, role, n);
	top[n] = 0;
	if (strcmp(top + 1, vo) == 0)
		return true;
	for (const char *p = groups; p && *p;) {
		size_t len = strcspn(p, " \t,");
		if (len <= XOS_FQAN_MAX) {
			memcpy(one, p, len);
			one[len] = 0;
			if (xos_group_within(one, top))
				return true;
		}
		p += len + strspn(p + len, " \t,");
	}
	return false;
}
