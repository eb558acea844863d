#ifndef XOS_VOPS_MEMBERS_H
#define XOS_VOPS_MEMBERS_H

#include "vops/auth.h"

/* Handlers of commands that any member may send: each judges by itself what the signer may. */
enum xos_status vops_member_push(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);
enum xos_status vops_member_withdraw(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);
enum xos_status vops_member_show(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);
enum xos_status vops_member_list(
    struct vops_auth *a, struct xos_command *c, struct xos_json **result, struct xos_err *err);

#endif
