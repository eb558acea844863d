#include "api/once.h"

enum xos_status xos_once(
    struct xos_store *db, const char *id, int64_t expires, int64_t now, struct xos_err *err)
{
	struct xos_stmt *s = NULL;
	enum xos_status st = xos_store_prepare(db, "DELETE FROM once WHERE expires < ?1", &s, err);

	if (st == XOS_OK) {
		xos_stmt_bind_int(s, 1, now - 3600);
		st = xos_stmt_run(s, NULL, err);
	}
	if (st == XOS_OK)
		st = xos_store_prepare(
		    db, "INSERT INTO once (id, expires) VALUES (?1, ?2)", &s, err);
	if (st == XOS_OK) {
		xos_stmt_bind_text(s, 1, id);
		xos_stmt_bind_int(s, 2, expires);
		st = xos_stmt_run(s, NULL, err);
	}
	if (st == XOS_CONFLICT)
		return xos_err_set(err, XOS_DENIED, "command-replayed",
		    "this command was carried out before; each is good once");
	return st;
}
