#ifndef XOS_BASE_CSV_H
#define XOS_BASE_CSV_H

#include "base/bytes.h"

/*
 * Tables as text: RFC 4180. Fields are separated by commas and may be quoted; a quote inside quotes is
 * doubled; a quoted field may hold commas and line ends. Records end with CRLF, or LF as most programs write
 * them; the last one may lack it. Refused: a quote within an unquoted field, anything but a comma or a
 * line end after a closing quote, a lone CR, NUL, bytes that are not UTF-8, an empty line, sizes beyond
 * the limits below.
 */
#define XOS_CSV_FIELDS_MAX 32
#define XOS_CSV_RECORD_MAX (64 * 1024) /* bytes of the fields of one record */

struct xos_csv {
	struct xos_bytes in;
	size_t at;
	size_t line, column; /* of at; columns count bytes, both from 1 */
	struct xos_buf text; /* the fields of the record read last, each with its NUL */
};

struct xos_csv_record {
	size_t n;
	const char *field[XOS_CSV_FIELDS_MAX]; /* borrowed until the next record is read */
	size_t column[XOS_CSV_FIELDS_MAX];     /* where each begins */
	size_t line;                           /* where the record begins */
};

/* in is borrowed. */
void xos_csv_init(struct xos_csv *c, struct xos_bytes in);
void xos_csv_free(struct xos_csv *c);
/* *more false: there was none left. MALFORMED (code "csv") or LIMIT (code "csv-long") with line and column;
 * nothing can be read after a failure. */
XOS_MUST_USE enum xos_status xos_csv_next(
    struct xos_csv *c, struct xos_csv_record *out, bool *more, struct xos_err *err);

/* Appends one record, quoted where needed, with CRLF. NULL fields are empty. */
void xos_csv_put(struct xos_buf *out, const char *const *fields, size_t n);

#endif
