#ifndef XOS_CA_SCHEMA_H
#define XOS_CA_SCHEMA_H

#include "store/store.h"

/* Set the migrations of one of the two databases. */
void ca_schema_membership(struct xos_store_options *o);
void ca_schema_verifiers(struct xos_store_options *o);

#endif
