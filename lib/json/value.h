#ifndef XOS_JSON_VALUE_H
#define XOS_JSON_VALUE_H

/* Inside lib/json only: what a value is made of. */
#include <jansson.h>

#include "json/json.h"

/*
 * A root holds a reference on its jansson tree; every other value borrows from it and lives in its
 * parent's kids, which are made together when a getter first asks for one: in order for an array,
 * sorted by key for an object. The box is reached through a pointer, so that getters may take const
 * values and still make kids. Only roots are ever handed out for changing.
 */
struct xos_json_box {
	struct xos_json *kids;
	size_t count;
};

struct xos_json {
	json_t *v;
	const struct xos_json *parent; /* NULL: root */
	const char *key;          /* in the parent object, borrowed from it; NULL in an array */
	size_t index;             /* in the parent array */
	struct xos_json_box *box; /* NULL for what is neither array nor object */
	enum xos_status failed;   /* of a builder */
};

/* Takes one reference of v, also when it fails; NULL if v is NULL or out of memory. */
struct xos_json *xos_json_wrap(json_t *v);
/* Frees what hangs below v, but not v. */
void xos_json_drop_kids(struct xos_json_box *box);
const struct xos_json *xos_json_member(const struct xos_json *obj, const char *key);
/* Jansson's hash seed from the kernel: its own choice reads a device that a sandbox may hide. */
void xos_json_seed_once(void);

#endif
