#ifndef XOS_POLICY_WIRE_H
#define XOS_POLICY_WIRE_H

#include "policy/ast.h"

/* Private to policy/: the binary form of a restriction. */
#define XOS_WIRE_VERSION 1u
#define XOS_WIRE_OFFSET (14 * 60)

void xos_wire_put(struct xos_buf *out, const struct xos_policy_set *set);

#endif
