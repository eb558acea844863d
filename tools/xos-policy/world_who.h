#ifndef XOS_POLICYTOOL_WORLD_WHO_H
#define XOS_POLICYTOOL_WORLD_WHO_H

#include <stdbool.h>

#include "policy/ast.h"

/* Who there is, by what statements name: for world.c. */

/* Tells the subjects, as cases write them, that a node or service as a principal tells apart from others:
 * those that it names, and one of each VO and kind that nobody names. */
void xos_policytool_machines(
    const struct xos_policy_who *who, void (*told)(void *arg, const char *subject), void *arg);

/* "nodes of demo" and "services data of demo" for those that no statement names, else the subject. */
#define XOS_POLICYTOOL_TITLE_MAX 400
void xos_policytool_machine_title(const char *subject, char out[XOS_POLICYTOOL_TITLE_MAX]);

/* May a member of the VO who is in these groups (a list as in cases, NULL: none) hold the role? */
bool xos_policytool_role_within(const char *role, const char *vo, const char *groups);

#endif
