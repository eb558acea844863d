#ifndef XOS_TOKEN_KIND_H
#define XOS_TOKEN_KIND_H

#include <stdbool.h>

/* What a certificate of a VO is for. The numbers stand in certificates and never change. */
enum xos_kind {
	XOS_KIND_NONE = 0,
	XOS_KIND_USER = 1,
	XOS_KIND_NODE = 2,
	XOS_KIND_SERVICE = 3,
	XOS_KIND_DELEGATION = 4, /* an end-entity certificate issued when a delegation is renewed */
	XOS_KIND_POLICY = 5,     /* signs policy sets */
	XOS_KIND_ACCOUNTING = 6  /* signs heads of the accounting log */
};

#define XOS_KIND_LAST XOS_KIND_ACCOUNTING

/* Sets of kinds are bit masks. */
#define XOS_KIND_BIT(kind) (1u << (kind))
#define XOS_KINDS_ALL 0x7eu

const char *xos_kind_name(enum xos_kind kind);  /* "user"; also the subject's OU; never NULL */
enum xos_kind xos_kind_parse(const char *name); /* NONE if unknown */
bool xos_kind_valid(unsigned v);

#endif
