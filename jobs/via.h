#ifndef XOS_JOBS_VIA_H
#define XOS_JOBS_VIA_H

#include <stdbool.h>

#include "token/verify.h"

#define XOS_VIA_TEXT 100

/*
 * How who submitted with a delegated credential is named in entries: "" without one; "actor id" of the delegation; if it was passed on,
 * that of the last step and a digest of all of them, since whoever passes something on says actor and id as it likes, and must
 * not be taken for the job of that id. False: no digest is to be had.
 */
XOS_MUST_USE bool xos_job_via(const struct xos_identity *who, char out[XOS_VIA_TEXT]);

#endif
