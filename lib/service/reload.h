#ifndef XOS_SERVICE_RELOAD_H
#define XOS_SERVICE_RELOAD_H

#include <stdbool.h>

#include "base/status.h"
#include "service/main.h"

/*
 * SIGHUP. The supervisor reads the configuration with the rights of the start and checks it as --check
 * does. A file that is not good changes nothing (event "config.kept", each finding one). A good one goes
 * into memory that the parts can read and only the supervisor can write: their sandboxes need not let
 * them near the file, and a part that is started anew gets the last good one. Then the parts are told.
 * The event "config.reloaded" names the keys that changed, and those that count from the next start only.
 */
struct xos_reload;

/* In the supervisor. run is borrowed; its conf is what runs. */
XOS_MUST_USE enum xos_status xos_reload_new(
    const struct xos_service_run *run, struct xos_reload **out, struct xos_err *err);
void xos_reload_free(struct xos_reload *r);
int xos_reload_fd(const struct xos_reload *r); /* for the parts, under the name "config" */
/* For xos_supervisor.on_hup: should the parts be told? */
bool xos_reload_on_hup(void *reload);

/* In a part: parses what the supervisor holds ready on fd. *conf: calloc'd, for xos_service_conf_free. */
XOS_MUST_USE enum xos_status xos_service_conf_again(const struct xos_service_program *program,
    const char *path, int fd, void **conf, struct xos_err *err);
void xos_service_conf_free(const struct xos_service_program *program, void *conf);

#endif
