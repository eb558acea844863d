#ifndef XOS_POLICYTOOL_MADEUP_H
#define XOS_POLICYTOOL_MADEUP_H

#include "policytool/sets.h"

/*
 * Sites for policies that were given without any: what happens at a site is refused unless the site has
 * a set, and then no question about it would tell two policies apart. The sites, nodes, classes and tags
 * that the sets name, and a site that they do not name; each permits everything to everybody. Added to
 * both; *made is false and nothing is added if one of them has a site's set.
 */
XOS_MUST_USE enum xos_status xos_policytool_madeup_sites(
    struct xos_policytool_sets *a, struct xos_policytool_sets *b, bool *made, struct xos_err *err);

#endif
