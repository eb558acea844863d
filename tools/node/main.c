/* xos-node: a machine joins a VO under its owner's control; whoever the owner names admits it. */
#include <stdio.h>

#include "cli/daemons.h"
#include "node/verbs.h"

static const struct xos_cli_verb verbs[] = {
    {"init", "--dir DIR --name NODE --site SITE --site-key FILE", "set a node of a site up", 0, 0,
        false, xos_node_init_options, xos_node_verb_init},
    {"join", "URL --fingerprint sha256:HEX --dir DIR",
        "apply, or join by a code, and take the certificates", 1, 1, false, xos_node_join_options,
        xos_node_verb_join},
    {"start", "--dir DIR [--vo NAME]", "start the node's daemons", 0, 0, false,
        xos_node_dir_options, xos_node_verb_start},
    {"stop", "--dir DIR [--vo NAME]", "stop exactly what was started; jobs go on", 0, 0, false,
        xos_node_dir_options, xos_node_verb_stop},
    {"status", "--dir DIR [--vo NAME]",
        "how the node stands, and until when it works without servers", 0, 0, false,
        xos_node_dir_options, xos_node_verb_status},
    {"accounts", "--dir DIR [--vo NAME]",
        "who has an account here, by which rules, and the uids of jobs", 0, 0, false,
        xos_node_dir_options, xos_node_verb_accounts},
    {"whois", "--dir DIR --uid N [--at TIME]", "who has this uid, or had it then, and what ran", 0,
        0, false, xos_node_whois_options, xos_node_verb_whois},
    {"doctor", "[--dir DIR]", "what this machine can enforce", 0, 0, false, xos_node_dir_options,
        xos_node_verb_doctor},
    {"renew", "--dir DIR [--vo NAME]",
        "renew the certificates when half of their life is over, or after their end", 0, 0, false,
        xos_node_renew_options, xos_node_verb_renew},
    {"ssh-host", "--dir DIR [--keys FOLDER] [--out FOLDER]", "get host certificates for sshd", 0, 0,
        false, xos_node_ssh_host_options, xos_node_verb_ssh_host},
    {"known-hosts", "[--hosts PATTERNS]", "the line by which ssh believes the nodes of the VO", 0,
        0, false, xos_node_known_hosts_options, xos_node_verb_known_hosts},
    {"leave", "--dir DIR --yes [--vo NAME] [--offline]",
        "leave the VOs and remove the node, or leave one", 0, 0, false, xos_node_leave_options,
        xos_node_verb_leave},
    {"list", "", "the nodes of the VO", 0, 0, false, xos_node_list_options, xos_node_verb_list},
    {"applications", "", "nodes that wait for approval (approver)", 0, 0, false, NULL,
        xos_node_verb_applications},
    {"describe", "NODE|ID", "all about a node or an application (approver)", 1, 1, false, NULL,
        xos_node_verb_describe},
    {"approve", "NODE|ID", "admit a node (approver)", 1, 1, false, xos_node_approve_options,
        xos_node_verb_approve},
    {"deny", "NODE|ID", "refuse a node (approver)", 1, 1, false, xos_node_deny_options,
        xos_node_verb_deny},
    {"code", "--site NAME", "make a one-time code that admits (approver)", 0, 0, false,
        xos_node_code_options, xos_node_verb_code},
    {"codes", "", "the codes that are still good (approver)", 0, 0, false, xos_node_codes_options,
        xos_node_verb_codes},
    {"revoke", "CODE-ID", "end a code (approver)", 1, 1, false, NULL, xos_node_verb_revoke},
    {"ban", "NODE", "stop a node (approver)", 1, 1, false, xos_node_ban_options, xos_node_verb_ban},
    {"unban", "NODE", "end a ban (approver)", 1, 1, false, xos_node_unban_options,
        xos_node_verb_unban},
    {"remove", "NODE", "end a node's membership for good (approver)", 1, 1, false, NULL,
        xos_node_verb_remove},
    {"sites", "", "the sites, and who approves their nodes (approver)", 0, 0, false, NULL,
        xos_node_verb_sites},
    {"admission", "--site NAME --site-key FILE --approver MEMBER... | --site NAME FILE",
        "say who approves nodes of a site (its owner)", 0, 1, false, xos_node_admission_options,
        xos_node_verb_admission},
};

int main(int argc, char **argv)
{
	static const struct xos_cli_program program = {
	    .name = "xos-node",
	    .about = "nodes: the owner's side, and that of whoever admits them",
	    .verbs = verbs,
	    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
	    .examples =
	        "  xos-node init --dir /srv/n1 --name n1 --site lab --site-key lab.pub\n"
	        "  xos-node join https://127.0.0.1:4443 --fingerprint sha256:... --vo demo "
	        "--dir /srv/n1\n"
	        "  xos-node approve n1                 (an approver, elsewhere)\n"
	        "  xos-node describe n1\n"
	        "  xos-node list --site lab --state active --json\n"
	        "  xos-node code --site lab --node n2 --for 2h\n"
	        "  xos-node join https://127.0.0.1:4443 --fingerprint sha256:... --vo demo "
	        "--dir /srv/n2 --code-stdin <code\n"
	        "  xos-node admission --site lab --site-key lab.key --approver bob --rescue 12h\n"
	        "  xos-node start --dir /srv/n1\n"
	        "  xos-node accounts --dir /srv/n1\n"
	        "  xos-node whois --dir /srv/n1 --uid 1900000007 --at 2026-11-22T14:00:00Z\n"
	        "  xos-node ban n1 --for 7d --message \"disk check\"\n"
	        "  xos-node join https://other.example:4443 --fingerprint sha256:... --dir /srv/n1 "
	        "   (one more VO)\n"
	        "  xos-node leave --dir /srv/n1 --vo other --yes\n"
	        "  xos-node leave --dir /srv/n1 --yes\n",
	};
	struct xos_err err = XOS_ERR_INIT;
	if (xos_cli_daemon_path(&err) != XOS_OK) {
		fprintf(stderr, "%s: %s\n", program.name, err.text);
		return 3;
	}
	return xos_cli_main(&program, argc, argv);
}
