#ifndef XOS_JSON_JSON_H
#define XOS_JSON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

/*
 * JSON (RFC 8259), strictly. A document is a tree of values; the root owns all of them, and
 * everything that a getter hands out (values, strings) is borrowed from it and lives as long as the
 * root does. Values know their place in the tree, so that each refusal names it: "args.name:
 * expected a string". One document belongs to one thread at a time.
 */
struct xos_json;

#define XOS_JSON_DEPTH 32 /* arrays and objects within each other, at most */

/* Parses one object or array that fills the whole input: at most max bytes, valid UTF-8 without
 * NUL (raw or escaped), no duplicate keys, no trailing bytes, integers within int64_t. MALFORMED
 * with line and column, LIMIT (code "json-too-long") if in.n > max. */
XOS_MUST_USE enum xos_status xos_json_parse(
    struct xos_bytes in, size_t max, struct xos_json **out, struct xos_err *err);
/* Frees a whole document. Only the root is freed; NULL is accepted. */
void xos_json_free(struct xos_json *root);
/* A document of its own with the same contents; NULL if v is NULL or out of memory. */
struct xos_json *xos_json_copy(const struct xos_json *v);

enum xos_json_type {
	XOS_JSON_NULL,
	XOS_JSON_BOOL,
	XOS_JSON_INTEGER,
	XOS_JSON_REAL,
	XOS_JSON_STRING,
	XOS_JSON_ARRAY,
	XOS_JSON_OBJECT
};
enum xos_json_type xos_json_type(const struct xos_json *v); /* NULL counts as JSON null */

/*
 * Members of an object. `get` demands the key, `opt` gives the stated absence value if the key is
 * missing; a key that is there with the wrong type (null too) fails in both. All failures are
 * MALFORMED with the path in the text and code "json-field". A failed getter leaves *out alone.
 */
bool xos_json_has(const struct xos_json *obj, const char *key);
/* Refuses any key that is not in the NULL-terminated list, and any value that is no object. */
XOS_MUST_USE enum xos_status xos_json_only(
    const struct xos_json *obj, const char *const *keys, struct xos_err *err);
#define XOS_JSON_ONLY(obj, err, ...)                                                               \
	xos_json_only((obj), (const char *const[]){__VA_ARGS__, NULL}, (err))

/* At most max bytes; the empty string is accepted. */
XOS_MUST_USE enum xos_status xos_json_get_string(
    const struct xos_json *obj, const char *key, size_t max, const char **out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_opt_string(const struct xos_json *obj, const char *key,
    size_t max, const char **out, struct xos_err *err); /* absent: NULL */
/* Copied into buf[cap] with its NUL. */
XOS_MUST_USE enum xos_status xos_json_copy_string(
    const struct xos_json *obj, const char *key, char *buf, size_t cap, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_get_int64(const struct xos_json *obj, const char *key,
    int64_t min, int64_t max, int64_t *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_opt_int64(const struct xos_json *obj, const char *key,
    int64_t min, int64_t max, int64_t absent, int64_t *out, struct xos_err *err);
/* max above INT64_MAX is treated as INT64_MAX: larger numbers do not parse. */
XOS_MUST_USE enum xos_status xos_json_get_uint64(
    const struct xos_json *obj, const char *key, uint64_t max, uint64_t *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_opt_uint64(const struct xos_json *obj, const char *key,
    uint64_t max, uint64_t absent, uint64_t *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_get_bool(
    const struct xos_json *obj, const char *key, bool *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_opt_bool(
    const struct xos_json *obj, const char *key, bool absent, bool *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_get_object(
    const struct xos_json *obj, const char *key, const struct xos_json **out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_opt_object(const struct xos_json *obj, const char *key,
    const struct xos_json **out, struct xos_err *err); /* absent: NULL */
/* An array of at most max elements. */
XOS_MUST_USE enum xos_status xos_json_get_array(const struct xos_json *obj, const char *key,
    size_t max, const struct xos_json **out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_opt_array(const struct xos_json *obj, const char *key,
    size_t max, const struct xos_json **out, struct xos_err *err); /* absent: NULL */
/* Standard base64 with padding, appended to out; at most max decoded bytes. */
XOS_MUST_USE enum xos_status xos_json_get_bytes(const struct xos_json *obj, const char *key,
    size_t max, struct xos_buf *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_opt_bytes(const struct xos_json *obj, const char *key,
    size_t max, struct xos_buf *out, struct xos_err *err); /* absent: nothing appended */
/* RFC 3339 in UTC, as xos_time_parse takes it. */
XOS_MUST_USE enum xos_status xos_json_get_time(
    const struct xos_json *obj, const char *key, int64_t *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_opt_time(
    const struct xos_json *obj, const char *key, int64_t absent, int64_t *out, struct xos_err *err);
/* A list of at most max_count strings of at most max_len bytes. *out is a malloc'd array of
 * borrowed strings with a NULL after the last: the caller frees the array, not the strings.
 * opt, absent: *out is NULL and *count 0. */
XOS_MUST_USE enum xos_status xos_json_get_strings(const struct xos_json *obj, const char *key,
    size_t max_count, size_t max_len, const char ***out, size_t *count, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_opt_strings(const struct xos_json *obj, const char *key,
    size_t max_count, size_t max_len, const char ***out, size_t *count, struct xos_err *err);

/* Values themselves: for elements of arrays and for roots. */
size_t xos_json_count(const struct xos_json *v); /* elements or members; 0 for anything else */
const struct xos_json *xos_json_at(const struct xos_json *arr, size_t i); /* NULL past the end */
XOS_MUST_USE enum xos_status xos_json_as_object(const struct xos_json *v, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_as_array(
    const struct xos_json *v, size_t max, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_as_string(
    const struct xos_json *v, size_t max, const char **out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_as_int64(
    const struct xos_json *v, int64_t min, int64_t max, int64_t *out, struct xos_err *err);
XOS_MUST_USE enum xos_status xos_json_as_bool(
    const struct xos_json *v, bool *out, struct xos_err *err);
/* Walks the members of an object in no stated order: *it is NULL at first, false at the end. */
bool xos_json_next(
    const struct xos_json *obj, void **it, const char **key, const struct xos_json **value);
/* A refusal of the caller's own about v, with its path before the text: MALFORMED "json-field". */
XOS_MUST_USE enum xos_status xos_json_refuse(
    const struct xos_json *v, struct xos_err *err, const char *fmt, ...) XOS_PRINTF(3, 4);

/*
 * Building. A builder that fails (memory, text that is not UTF-8) fails its document: later calls do
 * nothing and the dump says why, so that a writer checks once. NULL objects are accepted everywhere.
 */
struct xos_json *xos_json_object(void);
struct xos_json *xos_json_array(void);
/* Takes child, also when it fails. Setting a key again replaces its value. */
void xos_json_set(struct xos_json *obj, const char *key, struct xos_json *child);
void xos_json_set_string(struct xos_json *obj, const char *key, const char *s); /* NULL: left out */
/* For messages: bytes that are not UTF-8 are replaced by '?'. */
void xos_json_set_text(struct xos_json *obj, const char *key, const char *s);
void xos_json_set_int(struct xos_json *obj, const char *key, int64_t v);
void xos_json_set_bool(struct xos_json *obj, const char *key, bool v);
void xos_json_set_null(struct xos_json *obj, const char *key);
void xos_json_set_bytes(struct xos_json *obj, const char *key, struct xos_bytes v); /* base64 */
void xos_json_set_time(struct xos_json *obj, const char *key, int64_t t);           /* RFC 3339 */
void xos_json_set_strings(
    struct xos_json *obj, const char *key, const char *const *list, size_t count);
void xos_json_add(struct xos_json *arr, struct xos_json *child); /* takes child */
void xos_json_add_string(struct xos_json *arr, const char *s);
void xos_json_add_int(struct xos_json *arr, int64_t v);

/* Appends v to out, compact with sorted keys: equal documents give equal bytes, so this is what
 * gets signed. The buffer's maximum applies (LIMIT). */
XOS_MUST_USE enum xos_status xos_json_dump(
    const struct xos_json *v, struct xos_buf *out, struct xos_err *err);
/* For people: indented by two, sorted keys, with a line end; in ASCII, so that no terminal obeys what a
 * peer said. */
XOS_MUST_USE enum xos_status xos_json_dump_pretty(
    const struct xos_json *v, struct xos_buf *out, struct xos_err *err);
/* The same on one line, without the line end. */
XOS_MUST_USE enum xos_status xos_json_dump_line(
    const struct xos_json *v, struct xos_buf *out, struct xos_err *err);

#endif
