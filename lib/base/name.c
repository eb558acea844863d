#include "base/name.h"

#include <string.h>

/*
 * What a byte may do. Names are read in one pass that gathers what is wrong, without a branch for each byte: a
 * decision point reads a dozen of them for each request.
 */
enum { LOWER = 1, UPPER = 2, DIGIT = 4, HYPHEN = 8, DOT = 16, UNDERSCORE = 32 };
#define LABEL (LOWER | DIGIT | HYPHEN)
#define MEMBER (LABEL | DOT | UNDERSCORE)
#define ALNUM (LOWER | UPPER | DIGIT)
#define COMPONENT (ALNUM | HYPHEN | DOT | UNDERSCORE)

#define EIGHT(first, what)                                                                         \
	[(first)] = (what), [(first) + 1] = (what), [(first) + 2] = (what),                        \
	[(first) + 3] = (what), [(first) + 4] = (what), [(first) + 5] = (what),                    \
	[(first) + 6] = (what), [(first) + 7] = (what)
#define TWO(first, what) [(first)] = (what), [(first) + 1] = (what)
static const unsigned char can[256] = {EIGHT('a', LOWER), EIGHT('i', LOWER), EIGHT('q', LOWER),
    TWO('y', LOWER), EIGHT('A', UPPER), EIGHT('I', UPPER), EIGHT('Q', UPPER), TWO('Y', UPPER),
    EIGHT('0', DIGIT), TWO('8', DIGIT), ['-'] = HYPHEN, ['.'] = DOT, ['_'] = UNDERSCORE};

/* All of n bytes, the first one of those that may begin; n > 0. */
static bool consists(const char *s, size_t n, unsigned begin, unsigned follow)
{
	unsigned bad = !(can[(unsigned char)s[0]] & begin);
	for (size_t i = 1; i < n; i++)
		bad |= !(can[(unsigned char)s[i]] & follow);
	return !bad;
}

/* [a-z][a-z0-9-]*, n bytes */
static bool is_label(const char *s, size_t n, size_t max)
{
	return n > 0 && n <= max && consists(s, n, LOWER, LABEL);
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
	size_t of_vo = vo ? strlen(vo) : 0, n = s ? strlen(s) : 0;
	return is_label(vo, of_vo, XOS_VO_MAX) && n > 0 && n <= XOS_MEMBER_MAX &&
	       of_vo + 1 + n <= XOS_ACCOUNT_MAX && consists(s, n, LOWER, MEMBER);
}

/* Labels as RFC 1123 section 2.1 has them; a trailing dot would be a second spelling. */
bool xos_name_is_node(const char *s)
{
	size_t n = s ? strlen(s) : 0, label = 0;
	unsigned bad = 0, before = DOT;
	if (n == 0 || n > XOS_NODE_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned c = can[(unsigned char)s[i]];
		bad |= !(c & (LABEL | DOT));
		bad |= (before == DOT) & ((c & (HYPHEN | DOT)) != 0); /* how a label begins */
		bad |= (before == HYPHEN) & (c == DOT);               /* and how it ends */
		label = c == DOT ? 0 : label + 1;
		bad |= label > 63;
		before = c;
	}
	return !bad && before != DOT && before != HYPHEN;
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
	return n > 0 && n <= 63 && consists(s, n, ALNUM, COMPONENT);
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
	/* Neither a component nor a role has a slash, and no component has the sign. */
	const char *at = fqan ? strrchr(fqan, '/') : NULL;
	if (!at || n > XOS_FQAN_MAX || strncmp(at, mark, sizeof(mark) - 1) != 0 ||
	    !is_group(fqan, (size_t)(at - fqan)))
		return false;
	const char *name = at + sizeof(mark) - 1;
	if (!is_component(name, n - (size_t)(name - fqan)))
		return false;
	*group_len = (size_t)(at - fqan);
	*role = name;
	return true;
}
