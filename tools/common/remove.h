#ifndef XOS_CLI_REMOVE_H
#define XOS_CLI_REMOVE_H

#include "base/status.h"

/* Removes a folder and all below it, without following links and without leaving its file system. OK
 * if there is none. */
XOS_MUST_USE enum xos_status xos_cli_remove_tree(const char *dir, struct xos_err *err);

#endif
