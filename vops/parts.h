#ifndef XOS_VOPS_PARTS_H
#define XOS_VOPS_PARTS_H

#include "service/authority.h"
#include "vops/conf.h"
#include "vops/messages.h"

/* The three processes; see service/authority.h for when each function is called. */
enum xos_status vops_key_open(struct xos_part_self *self, struct xos_err *err);
enum xos_status vops_key_serve(struct xos_part_self *self, struct xos_err *err);
void vops_key_close(struct xos_part_self *self);

enum xos_status vops_auth_open(struct xos_part_self *self, struct xos_err *err);
enum xos_status vops_auth_serve(struct xos_part_self *self, struct xos_err *err);
void vops_auth_close(struct xos_part_self *self);

enum xos_status vops_front_open(struct xos_part_self *self, struct xos_err *err);
enum xos_status vops_front_serve(struct xos_part_self *self, struct xos_err *err);
void vops_front_close(struct xos_part_self *self);

/* The certificates that may have signed what is fetched: issuers of the trust. */
struct xos_cert;
struct xos_trust;
#define VOPS_ISSUERS_MAX 8
size_t vops_issuers(const struct xos_trust *trust, const struct xos_cert *out[VOPS_ISSUERS_MAX]);

#endif
