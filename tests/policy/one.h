#ifndef XOS_TESTS_POLICY_ONE_H
#define XOS_TESTS_POLICY_ONE_H

/* Texts that permit all but what a case adds, and one decision about them. */
#include "policy_test.h"

#define SITE                                                                                       \
	"site \"lab\" serial 1 { node n1 { class compute; tag gpu; } node n2 { class login; } "    \
	"permit vo demo action any on any; }"
#define VO(body) "vo \"demo\" serial 1 { " body " }"
#define VO_ALL VO("permit any action any on any;")
#define LAB(body) "site \"lab\" serial 3 { node n1 { class compute; tag gpu; } " body " }"

/* One decision about alice's request, changed by nothing. */
static inline void one(
    const char *vo, const char *site, const char *node, enum xos_policy_decision expected)
{
	struct xos_policy *p = must_build(vo, site, node);
	struct xos_policy_request req = alice();
	ck_decision(p, &req, expected);
	xos_policy_unref(p);
}

#endif
