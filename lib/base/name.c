#include "base/name.h"

#include <string.h>

static bool lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool alnum(char c)
{
	return lower(c) || (c >= 'A' && c <= 'Z') || digit(c);
}

/* [a-z][a-z0-9-]*, n bytes */
static bool is_label(const char *s, size_t n, size_t max)
{
	if (n == 0 || n > max || !lower(s[0]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!lower(s[i]) && !digit(s[i]) && s[i] != '-')
			return false;
	return true;
}

bool xos_name_is_vo(const char *s)
{
	return s && is_label(s, strlen(s), XOS_VO_MAX);
}

bool xos_name_is_site(const char *s)
{
	return s && is_label(s, strlen(s), XOS_SITE_MAX);
}

bool xos_name_is_member(const char *vo, const char *s)
{
	if (!xos_name_is_vo(vo) || !s || !lower(s[0]))
		return false;
	size_t n = strlen(s);
	if (n > XOS_MEMBER_MAX || strlen(vo) + 1 + n > XOS_ACCOUNT_MAX)
		return false;
	for (size_t i = 1; i < n; i++)
		if (!lower(s[i]) && !digit(s[i]) && !strchr("._-", s[i]))
			return false;
	return true;
}

/* Labels as RFC 1123 section 2.1 has them; a trailing dot would be a second spelling. */
bool xos_name_is_node(const char *s)
{
	size_t n = s ? strlen(s) : 0;
	if (n == 0 || n > XOS_NODE_MAX)
		return false;
	for (size_t start = 0, i = 0; i <= n; i++) {
		if (i < n && s[i] != '.') {
			if (!lower(s[i]) && !digit(s[i]) && s[i] != '-')
				return false;
			continue;
		}
		size_t len = i - start;
		if (len == 0 || len > 63 || s[start] == '-' || s[i - 1] == '-')
			return false;
		start = i + 1;
	}
	return true;
}

bool xos_name_is_service_kind(const char *s)
{
	return s && is_label(s, strlen(s), XOS_SERVICE_KIND_MAX);
}

bool xos_name_is_service(const char *s)
{
	const char *slash = s ? strchr(s, '/') : NULL;
	return slash && is_label(s, (size_t)(slash - s), XOS_SERVICE_KIND_MAX) &&
	       xos_name_is_node(slash + 1);
}

static bool is_component(const char *s, size_t n)
{
	if (n == 0 || n > 63 || !alnum(s[0]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!alnum(s[i]) && s[i] != '.' && s[i] != '_' && s[i] != '-')
			return false;
	return true;
}

static bool is_group(const char *s, size_t n)
{
	if (n == 0 || n > XOS_FQAN_MAX || s[0] != '/')
		return false;
	int count = 0;
	for (size_t start = 1; start <= n; count++) {
		const char *slash = memchr(s + start, '/', n - start);
		size_t end = slash ? (size_t)(slash - s) : n;
		if (count == 0 ? !is_label(s + start, end - start, XOS_VO_MAX)
		               : !is_component(s + start, end - start))
			return false;
		start = end + 1;
	}
	return count <= 16;
}

bool xos_name_is_group(const char *s)
{
	return s && is_group(s, strlen(s));
}

bool xos_name_is_role(const char *s)
{
	size_t group_len;
	const char *role;
	return xos_role_split(s, &group_len, &role);
}

bool xos_fqan_in_vo(const char *fqan, const char *vo)
{
	if (!fqan || !vo || !vo[0] || fqan[0] != '/')
		return false;
	size_t n = strlen(vo);
	return strncmp(fqan + 1, vo, n) == 0 && (fqan[1 + n] == 0 || fqan[1 + n] == '/');
}

bool xos_group_within(const char *group, const char *ancestor)
{
	if (!group || !ancestor || ancestor[0] != '/' || !ancestor[1])
		return false;
	size_t n = strlen(ancestor);
	return strncmp(group, ancestor, n) == 0 && (group[n] == 0 || group[n] == '/');
}

bool xos_role_split(const char *fqan, size_t *group_len, const char **role)
{
	static const char mark[] = "/Role=";
	size_t n = fqan ? strlen(fqan) : 0;
	const char *at = fqan ? strstr(fqan, mark) : NULL;
	if (!at || n > XOS_FQAN_MAX || !is_group(fqan, (size_t)(at - fqan)))
		return false;
	const char *name = at + sizeof(mark) - 1;
	if (!is_component(name, strlen(name)))
		return false;
	*group_len = (size_t)(at - fqan);
	*role = name;
	return true;
}
