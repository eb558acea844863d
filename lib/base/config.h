#ifndef XOS_BASE_CONFIG_H
#define XOS_BASE_CONFIG_H

#include "base/bytes.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Configuration files: INI ([section], key = value, # comments on lines of their own), UTF-8, at
 * most 256 KiB. Strict: an unknown section or key, a duplicate, a missing required key, an empty
 * value or one of the wrong type is an error with file and line (codes config-syntax,
 * config-unknown, config-duplicate, config-missing, config-value). A program states its keys in one
 * table and gets a filled struct.
 */
enum xos_config_type {
	XOS_CONFIG_STRING,   /* char *, malloc'd */
	XOS_CONFIG_PATH,     /* char *, malloc'd; relative paths are taken from the file's folder */
	XOS_CONFIG_NUMBER,   /* int64_t within min..max */
	XOS_CONFIG_DURATION, /* int64_t seconds within min..max */
	XOS_CONFIG_BOOL      /* bool: yes or no */
};

struct xos_config_key {
	const char *section; /* "" for keys before the first section */
	const char *name;
	enum xos_config_type type;
	size_t offset; /* offsetof the field in the struct */
	bool required;
	const char *fallback; /* text as it would stand in the file; NULL leaves the field zero */
	int64_t min, max;     /* for NUMBER and DURATION; both 0: no bound beyond >= 0 */
};

/* Fills *out (zeroed by the caller) from path. On error nothing is left to free. */
XOS_MUST_USE enum xos_status xos_config_load(const char *path, const struct xos_config_key *keys,
    size_t nkeys, void *out, struct xos_err *err);
/* The same from text already read; name stands in messages and gives relative paths their folder.
 */
XOS_MUST_USE enum xos_status xos_config_parse(const char *name, struct xos_bytes text,
    const struct xos_config_key *keys, size_t nkeys, void *out, struct xos_err *err);
/* Frees the strings that xos_config_load made and zeroes them. */
void xos_config_free(const struct xos_config_key *keys, size_t nkeys, void *out);

#endif
