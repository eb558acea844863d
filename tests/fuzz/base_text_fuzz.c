/* The small parsers of lib/base: what they accept must survive the way back unchanged. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/name.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void base64(const char *s, size_t n)
{
	struct xos_buf raw, back;
	xos_buf_init(&raw, 1 << 20);
	xos_buf_init(&back, 1 << 21);
	if (xos_base64_decode(&raw, s, n) == XOS_OK) {
		xos_base64_encode(&back, xos_buf_bytes(&raw));
		check(back.n == n && (n == 0 || memcmp(back.p, s, n) == 0));
	}
	raw.n = back.n = 0;
	if (xos_base64url_decode(&raw, s, n) == XOS_OK) {
		xos_base64url_encode(&back, xos_buf_bytes(&raw));
		check(back.n == n && (n == 0 || memcmp(back.p, s, n) == 0));
	}
	raw.n = 0;
	if (xos_hex_decode(&raw, s, n) == XOS_OK)
		check(raw.n == n / 2);
	xos_buf_free(&raw);
	xos_buf_free(&back);
}

static void times(const char *s)
{
	char out[XOS_TIME_TEXT];
	int64_t t = 0;
	uint64_t u = 0;
	if (xos_time_parse(s, &t)) {
		xos_time_format(t, out);
		check(strcmp(out, s) == 0);
	}
	if (xos_duration_parse(s, &t)) {
		check(t >= 0);
		xos_duration_format(t, out);
	}
	if (xos_parse_u64(s, UINT64_MAX, &u)) {
		check(xos_str_printf(out, sizeof(out), "%llu", (unsigned long long)u));
		check(strcmp(out, s) == 0);
	}
}

static void names(const char *s)
{
	size_t n;
	const char *role;
	check(!xos_name_is_vo(s) || (strlen(s) <= XOS_VO_MAX && xos_name_is_site(s)));
	check(!xos_name_is_member("demo", s) || !strpbrk(s, "/ \n"));
	check(!xos_name_is_group(s) || xos_group_within(s, s));
	check(!xos_name_is_group(s) || !xos_name_is_role(s));
	check(!xos_role_split(s, &n, &role) || (n < strlen(s) && !strchr(role, '/')));
	(void)xos_name_is_node(s);
}

static void clean(char *s)
{
	size_t n = strlen(s);
	xos_text_clean(s);
	check(strlen(s) == n && xos_utf8_valid(xos_bytes_str(s)));
	for (size_t i = 0, len; s[i]; i += len) {
		len = xos_utf8_length((const uint8_t *)s + i, n - i);
		check(!xos_utf8_is_control((const uint8_t *)s + i, len));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *s = malloc(size + 1);
	if (!s)
		return 0;
	if (size)
		memcpy(s, data, size);
	s[size] = 0;
	base64((const char *)data, size);
	times(s);
	names(s);
	(void)xos_utf8_valid((struct xos_bytes){data, size});
	clean(s);
	free(s);
	return 0;
}
