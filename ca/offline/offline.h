#ifndef XOS_CA_OFFLINE_H
#define XOS_CA_OFFLINE_H

#include "service/main.h"

/* Verbs of xos-cad that need no running server. */
enum xos_status ca_verb_root_init(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);
enum xos_status ca_verb_root_sign(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);
enum xos_status ca_verb_root_crl(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);
/* The trust list: which of the keys below the root count. */
enum xos_status ca_verb_root_trust(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);
enum xos_status ca_verb_rollover(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);
enum xos_status ca_verb_init(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);
enum xos_status ca_verb_break_glass(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);
/* Reads the log while xos-cad runs or rests. */
enum xos_status ca_verb_log(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);
/* A copy of the state while xos-cad runs; taking one back while it rests. */
enum xos_status ca_verb_backup(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);
enum xos_status ca_verb_restore(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err);

#endif
