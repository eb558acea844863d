#ifndef XOS_VOPS_PROPOSALS_H
#define XOS_VOPS_PROPOSALS_H

#include <stdint.h>

#include "api/command.h"
#include "json/json.h"
#include "store/store.h"

/*
 * Changes of the VO's policy that wait for a second administrator, in sets.db, and whether the VO wants that. A
 * proposal is the command as it was given, with the serial that was in force then; it is never changed, and ends
 * once: approved, rejected or expired. Functions that change something expect the caller's transaction.
 */
#define VOPS_PROPOSALS_OPEN_MAX 50u
#define VOPS_PROPOSAL_LIFE (7 * 86400) /* seconds */

XOS_MUST_USE enum xos_status vops_review_needed(
    struct xos_store *db, bool *needed, struct xos_err *err);
XOS_MUST_USE enum xos_status vops_review_set(
    struct xos_store *db, bool needed, const char *by, int64_t now, struct xos_err *err);

struct vops_proposal {
	int64_t id;
	char verb[XOS_COMMAND_VERB_MAX + 1];
	struct xos_json *args;
	uint64_t base; /* the serial in force when it was made; 0: none */
	char author[XOS_MEMBER_MAX + 1];
	uint64_t number; /* of the author, never given to another member */
	int64_t made, expires;
	char state[16]; /* "open", "approved", "rejected", "expired" */
};

/* LIMIT "proposals-full". p: id, state and expires are set here. */
XOS_MUST_USE enum xos_status vops_proposal_add(
    struct xos_store *db, struct vops_proposal *p, struct xos_err *err);
/* NOT_FOUND "no-proposal". *out is to be cleared after XOS_OK. */
XOS_MUST_USE enum xos_status vops_proposal_get(
    struct xos_store *db, int64_t id, struct vops_proposal *out, struct xos_err *err);
void vops_proposal_clear(struct vops_proposal *p);
/* CONFLICT "proposal-closed" unless it is open. */
XOS_MUST_USE enum xos_status vops_proposal_close(struct xos_store *db, int64_t id,
    const char *state, const char *by, int64_t now, struct xos_err *err);
/* Ends those whose time is over, for good: a clock that is set back opens none again. */
XOS_MUST_USE enum xos_status vops_proposals_due(
    struct xos_store *db, int64_t now, struct xos_err *err);
/* {"review", "proposals": [{"id", "what", "serial"?, "by", "made", "expires", "state", "base", "decided"?,
 * "decided_by"?}]}, newest first. */
XOS_MUST_USE enum xos_status vops_proposals_list(
    struct xos_store *db, struct xos_json **out, struct xos_err *err);

#endif
