#ifndef XOS_RCA_PARTS_H
#define XOS_RCA_PARTS_H

#include "rca/conf.h"
#include "rca/messages.h"
#include "service/authority.h"

/* The three processes; see service/authority.h for when each function is called. */
enum xos_status rca_key_open(struct xos_part_self *self, struct xos_err *err);
enum xos_status rca_key_serve(struct xos_part_self *self, struct xos_err *err);
void rca_key_close(struct xos_part_self *self);

enum xos_status rca_auth_open(struct xos_part_self *self, struct xos_err *err);
enum xos_status rca_auth_serve(struct xos_part_self *self, struct xos_err *err);
void rca_auth_close(struct xos_part_self *self);

enum xos_status rca_front_open(struct xos_part_self *self, struct xos_err *err);
enum xos_status rca_front_serve(struct xos_part_self *self, struct xos_err *err);
void rca_front_close(struct xos_part_self *self);

#endif
