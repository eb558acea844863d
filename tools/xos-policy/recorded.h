#ifndef XOS_POLICYTOOL_RECORDED_H
#define XOS_POLICYTOOL_RECORDED_H

#include <stdbool.h>
#include <stdint.h>

#include "json/json.h"
#include "policy/set.h"
#include "token/delegation.h"

/* A line of the record of decisions (docs/protocols/decision-log.md), as the request that was decided. */
struct xos_policytool_recorded {
	char decision[16]; /* "permit", "deny", "undecided"; "": the line is a request, no record */
	bool engine;       /* sets were asked; else a lock, the roster or an old bundle answered */
	uint64_t sample;   /* how many decisions the line stands for */
	const struct xos_policy_set
	    *chain[XOS_DELEGATION_DEPTH_MAX + 1]; /* restrictions, first step first */
	size_t nchain;
};

bool xos_policytool_is_recorded(const struct xos_json *doc);
/*
 * Of a record (*doc) makes the request in the form of lines.h, with what was verified and the time as they were then,
 * which replaces *doc. *out is zeroed; free it also after an error.
 */
XOS_MUST_USE enum xos_status xos_policytool_recorded_read(
    struct xos_json **doc, struct xos_policytool_recorded *out, struct xos_err *err);
void xos_policytool_recorded_free(struct xos_policytool_recorded *r);

#endif
