#ifndef XOS_BASE_NAME_H
#define XOS_BASE_NAME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Names, everywhere the same.
 *   VO       [a-z][a-z0-9-]*            at most 15 bytes; no dot, so that <vo>.<member> is
 * unambiguous member   [a-z][a-z0-9._-]*          <vo>.<member> at most 31 bytes (utmp, Linux
 * account names) site     as VO, at most 31 bytes node     labels of [a-z0-9-]        a host name
 * in lower case, at most 253 bytes; labels of 1 to 63 bytes, no hyphen at their ends, no trailing
 * dot group    /<vo>(/<component>)*       at most 255 bytes and 16 components with the VO;
 *                                       component [A-Za-z0-9][A-Za-z0-9._-]*, at most 63 bytes
 *   role     <group>/Role=<component>   the FQAN form of VOMS
 *   service  <kind>/<node>              kind [a-z][a-z0-9-]*, at most 31 bytes
 */
#define XOS_VO_MAX 15
#define XOS_MEMBER_MAX 29
#define XOS_ACCOUNT_MAX 31
#define XOS_SITE_MAX 31
#define XOS_NODE_MAX 253
#define XOS_FQAN_MAX 255
#define XOS_SERVICE_KIND_MAX 31

bool xos_name_is_vo(const char *s);
bool xos_name_is_member(const char *vo, const char *s); /* includes the account length */
bool xos_name_is_site(const char *s);
bool xos_name_is_node(const char *s);
bool xos_name_is_service_kind(const char *s); /* "data" */
bool xos_name_is_service(const char *s);      /* "data/n17.irisa.example" */
bool xos_name_is_group(const char *s);
bool xos_name_is_role(const char *s);
/* The VO of a group or role name, compared by whole component: "/demo" is not "/demo2". */
bool xos_fqan_in_vo(const char *fqan, const char *vo);
/* Is group the same as, or below, ancestor? Whole components only. */
bool xos_group_within(const char *group, const char *ancestor);
/* Splits "/a/b/Role=r" into the group's length and the role name; false if it is no role. */
bool xos_role_split(const char *fqan, size_t *group_len, const char **role);

#endif
