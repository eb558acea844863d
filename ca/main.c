/* xos-cad: the certification authority of a VO's members. */
#include "ca/conf.h"
#include "ca/offline/offline.h"
#include "ca/parts.h"
#include "ca/reload.h"

static enum xos_status verb_run(
    const struct xos_service_run *run, int argc, char **argv, struct xos_err *err)
{
	enum xos_status st = xos_service_args_end(argc, argv, err);

	return st == XOS_OK ? ca_parts_run(run, err) : st;
}

static const struct xos_service_verb verbs[] = {
    {"run", "", "serve: members, log-ins, tokens", true, verb_run},
    {"root-init", "--dir DIR --vo VO [--passphrase-fd N]",
        "make the root of a new VO; prints its fingerprint", false, ca_verb_root_init},
    {"root-sign",
        "--dir DIR --kind ca|delegation|rca|vops|accounting --csr FILE --out FILE [--passphrase-fd "
        "N]",
        "let the root sign the key of an authority", false, ca_verb_root_sign},
    {"root-crl", "--dir DIR --out FILE [--revoke CERT] [--life TIME] [--passphrase-fd N]",
        "sign the root's revocation list, with one certificate more on it or as it was", false,
        ca_verb_root_crl},
    {"root-trust",
        "--dir DIR [--out FILE] [--certificate FILE... --state STATE [--since TIME] [--reason "
        "TEXT]]"
        " [--life TIME] [--passphrase-fd N]",
        "sign the list of the keys below the root that count", false, ca_verb_root_trust},
    {"rollover", "prepare|activate|undo --dir DIR [--kind ca|delegation]",
        "the next key of the authority", false, ca_verb_rollover},
    {"init", "--dir DIR --vo VO --admin MEMBER [--password-stdin] [--iterations N]",
        "make the state of a new authority, with its first administrator", false, ca_verb_init},
    {"break-glass", "[--json]", "seal an administrator for emergencies; prints its code, once",
        true, ca_verb_break_glass},
    {"log", "", "check the log of tokens and administrative acts, and print it", true, ca_verb_log},
    {"backup", "--out DIR [--json]", "copy the state into a new folder, also while it serves", true,
        ca_verb_backup},
    {"restore", "--from DIR [--check] [--known DIR] [--certificate FILE] [--accept-loss] [--json]",
        "take such a copy back; --check: only say whether it is good", true, ca_verb_restore},
};

static const char *const json[] = {"break-glass", "backup", "restore", NULL};

int main(int argc, char **argv)
{
	const struct xos_service_program program = {.name = "xos-cad",
	    .about = "certification authority of a virtual organisation's members",
	    .keys = ca_conf_keys,
	    .nkeys = ca_conf_nkeys,
	    .conf_size = sizeof(struct ca_conf),
	    .check = ca_conf_check,
	    .reloads = ca_conf_reloads,
	    .checks_itself = "restore",
	    .json = json,
	    .verbs = verbs,
	    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
	    .examples =
	        "  xos-cad root-init --dir /media/root --vo demo\n"
	        "  xos-cad init --dir /var/lib/xos/cad --vo demo --admin ada\n"
	        "  xos-cad root-sign --dir /media/root --kind ca \\\n"
	        "      --csr /var/lib/xos/cad/ca.csr --out /var/lib/xos/cad/ca.pem\n"
	        "  xos-cad root-sign --dir /media/root --kind delegation \\\n"
	        "      --csr /var/lib/xos/cad/delegation.csr --out "
	        "/var/lib/xos/cad/delegation.pem\n"
	        "  xos-cad root-crl --dir /media/root --out /var/lib/xos/cad/trust/root.crl\n"
	        "  xos-cad --check --config /etc/xos/cad.conf\n"
	        "  xos-cad run --config /etc/xos/cad.conf\n"
	        "  xos-cad backup --config /etc/xos/cad.conf --out /backup/cad-monday\n"
	        "  xos-cad restore --check --config /etc/xos/cad.conf --from /backup/cad-monday\n"
	        "  xos-cad log --config /etc/xos/cad.conf\n"
	        "  xos-cad break-glass --config /etc/xos/cad.conf\n"};

	return xos_service_main(&program, argc, argv);
}
