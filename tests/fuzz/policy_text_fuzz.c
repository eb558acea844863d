/* Policy texts: whatever parses prints to a text that parses to the same, and decides without harm. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/decide.h"
#include "policy/restriction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(const struct xos_policy_set *set)
{
	struct xos_buf out;
	xos_buf_init(&out, 64u << 20);
	xos_policy_set_text(set, &out);
	char *text = xos_buf_steal(&out, NULL);
	if (!text)
		abort();
	return text;
}

static void check_print(const struct xos_policy_set *set)
{
	char *once = print(set), *twice;
	struct xos_policy_set *again;
	size_t n = strlen(once);
	/* Prefixes of actions are spelled out, so a text near the bound may grow past it. */
	enum xos_status status = xos_policy_set_parse(once, n, "again", &again, NULL);
	if (status == XOS_OK) {
		twice = print(again);
		if (strcmp(once, twice) != 0)
			abort();
		free(twice);
		xos_policy_set_unref(again);
	} else if (n <= XOS_POLICY_TEXT_MAX) {
		abort();
	}
	free(once);
}

static void check_wire(const struct xos_policy_set *set)
{
	struct xos_buf out;
	struct xos_policy_set *again;
	xos_buf_init(&out, XOS_RESTRICTION_MAX);
	if (xos_restriction_encode(set, &out, NULL) == XOS_OK) {
		if (xos_restriction_decode(xos_buf_bytes(&out), &again, NULL) != XOS_OK)
			abort();
		char *a = print(set), *b = print(again);
		if (strcmp(a, b) != 0)
			abort();
		free(a);
		free(b);
		xos_policy_set_unref(again);
	}
	xos_buf_free(&out);
}

static void check_decide(struct xos_policy_set *set)
{
	static const char *const groups[] = {"/demo/physics"};
	bool delegation = xos_policy_set_level(set) == XOS_POLICY_DELEGATION;
	struct xos_policy_part part = {.set = set};
	const struct xos_policy_set *chain[] = {set};
	struct xos_policy *p;
	struct xos_policy_answer a;
	struct xos_buf text;
	if (xos_policy_new(&part, delegation ? 0 : 1, NULL, &p, NULL) != XOS_OK)
		abort();
	struct xos_policy_request req = {.subject = {.kind = XOS_SUBJECT_MEMBER,
	                                     .vo = "demo",
	                                     .member = "alice",
	                                     .groups = groups,
	                                     .ngroups = 1,
	                                     .auth_mfa = -1},
	    .action = "job.submit",
	    .resource = {.kind = "node", .site = "lab", .node = "n1"},
	    .now = 1795348800,
	    .chain = chain,
	    .nchain = delegation ? 1 : 0};
	xos_policy_answer_init(&a);
	/* One set alone never permits what happens at a site. */
	if (xos_policy_decide(p, &req, &a) == XOS_OK || a.decision == XOS_POLICY_PERMITTED ||
	    a.problem)
		abort();
	xos_buf_init(&text, 1 << 20);
	xos_policy_answer_explain(&a, &text);
	xos_policy_answer_deciders(&a, &text);
	xos_buf_free(&text);
	xos_policy_answer_free(&a);
	xos_policy_unref(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xos_policy_set *set;
	struct xos_policy_errors *errs = calloc(1, sizeof(*errs));
	if (!errs)
		return 0;
	enum xos_status status = xos_policy_set_parse((const char *)data, size, "fuzz", &set, errs);
	if ((status == XOS_OK) != (set != NULL) || (status == XOS_OK) != (errs->total == 0))
		abort();
	free(errs);
	if (!set)
		return 0;
	check_print(set);
	if (xos_policy_set_level(set) == XOS_POLICY_DELEGATION)
		check_wire(set);
	check_decide(set);
	xos_policy_set_unref(set);
	return 0;
}
