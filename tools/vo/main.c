/* xos-vo: a VO, its members and its record. */
#include "vo/verbs.h"

static const struct xos_cli_section sections[] = {
    {"describe", "The VO"},
    {"member", "Members"},
    {"apply", "How people come in"},
    {"group", "Groups and roles"},
    {"lock", "Stopping"},
    {"log", "The record"},
    {"break-glass", "Emergencies"},
    {NULL, NULL},
};

static const struct xos_cli_verb verbs[] = {
    {"describe", "", "the VO in short", 0, 0, false, NULL, vo_describe},
    {"set", "", "change the VO's title, contact or model", 0, 0, false, vo_set_options, vo_set},
    {"rules", "set FILE | show", "the rules that members accept", 1, 2, false, NULL, vo_rules},
    {"end", "", "say when the VO ends", 0, 0, false, vo_end_options, vo_end},
    {"close", "", "close the VO now: nobody but administrators", 0, 0, false, vo_close_options,
        vo_close},
    {"reopen", "", "open a closed VO again", 0, 0, false, NULL, vo_reopen},
    {"member",
        "add NAME | list | show|remove|resume|renew NAME | suspend NAME [REASON] | until NAME DATE "
        "| contact NAME TEXT | join|leave NAME GROUP | owner ROBOT MEMBER",
        "add, look at, change and end memberships, of people and of robots", 1, 3, false,
        vo_member_options, vo_member},
    {"password", "NAME", "give a member a new password", 1, 1, false, vo_password_options,
        vo_password},
    {"code", "NAME", "a one-time code, with which a member logs in without a password", 1, 1, false,
        vo_code_options, vo_code},
    {"totp", "require|release GROUP|vo | remove|show NAME", "second factors: who must have one", 2,
        2, false, vo_totp_options, vo_totp},
    {"apply", "NAME", "apply for membership; needs no token", 1, 1, false, vo_apply_options,
        vo_apply},
    {"application", "", "what became of your application", 0, 0, false, NULL, vo_application},
    {"applications", "", "who applied for membership", 0, 0, false, NULL, vo_applications},
    {"approve", "ID", "let an applicant in", 1, 1, false, vo_approve_options, vo_approve},
    {"deny", "ID REASON", "refuse an applicant, who reads the reason", 2, 2, false, NULL, vo_deny},
    {"invite", "NAME", "invite somebody, by a one-time code", 1, 1, false, vo_invite_options,
        vo_invite},
    {"invitations", "", "who is invited", 0, 0, false, NULL, vo_invitations},
    {"withdraw", "NAME", "end an invitation", 1, 1, false, NULL, vo_withdraw},
    {"import", "FILE", "add and change many groups and members, from CSV or JSON", 1, 1, false,
        vo_import_options, vo_import},
    {"export", "", "all groups and members, as CSV or JSON", 0, 0, false, vo_export_options,
        vo_export},
    {"group", "add|show|remove GROUP | describe GROUP TEXT | list",
        "add, look at, describe and remove groups", 1, 3, false, NULL, vo_group},
    {"role", "grant|revoke NAME ROLE | list [GROUP]", "give roles and take them away", 1, 3, false,
        NULL, vo_role},
    {"lock", "member|group|role|node NAME | token SERIAL | job|grant ID",
        "stop somebody, one token, or what one job does, at once", 2, 2, false, vo_lock_options,
        vo_lock},
    {"unlock", "member|group|role|node NAME | token SERIAL | job|grant ID", "end a lock", 2, 2,
        false, vo_unlock_options, vo_unlock},
    {"locks", "", "who is locked", 0, 0, false, NULL, vo_locks},
    {"log", "verify | prove [SERIAL] | show MEMBER | export", "the record of all this, and proofs",
        1, 2, false, vo_log_options, vo_log},
    {"break-glass", "", "seal an administrator for emergencies", 0, 0, false, NULL, vo_break_glass},
};

/* In the order of the verbs. */
#define EXAMPLES                                                                                   \
	"  xos-login carol --role /demo/Role=admin    (changes need the administrator's role)\n"   \
	"  xos-vo describe\n"                                                                      \
	"  xos-vo set --title \"Demonstration\" --contact help@demo.example\n"                     \
	"  xos-vo set --model open --invited-life 365d    (members invite, too)\n"                 \
	"  xos-vo rules set rules.txt\n"                                                           \
	"  xos-vo rules show\n"                                                                    \
	"  xos-vo end --at 2028-12-31\n"                                                           \
	"  xos-vo close --confirm demo\n"                                                          \
	"  xos-vo reopen\n"                                                                        \
	"  xos-vo member add alice --group /demo/physics --password-stdin < file\n"                \
	"  xos-vo member add bob --no-password\n"                                                  \
	"  xos-vo member add nightly --robot --owner alice --restriction nightly.xos "             \
	"--no-password\n"                                                                          \
	"  xos-vo member show alice    (with the unexpired tokens, by serial)\n"                   \
	"  xos-vo member join alice /demo/students\n"                                              \
	"  xos-vo member until alice 2027-09-30\n"                                                 \
	"  xos-vo member suspend mallory \"left the institute\"\n"                                 \
	"  xos-vo member resume mallory\n"                                                         \
	"  xos-vo password alice\n"                                                                \
	"  xos-vo code bob --for 2d    (bob: xos-login --code bob --set-password)\n"               \
	"  xos-vo totp require /demo/students --in 14d\n"                                          \
	"  xos-vo totp remove alice    (who lost the device)\n"                                    \
	"  xos-vo apply alice --contact alice@site.example --text \"group of Prof. A\"\n"          \
	"  xos-vo application\n"                                                                   \
	"  xos-vo applications\n"                                                                  \
	"  xos-vo approve 5f0c61d2a9b7e384 --group /demo/physics\n"                                \
	"  xos-vo deny 5f0c61d2a9b7e384 \"please use your institute's address\"\n"                 \
	"  xos-vo invite dora --group /demo/physics --for 3d\n"                                    \
	"  xos-vo invitations\n"                                                                   \
	"  xos-vo withdraw dora\n"                                                                 \
	"  xos-vo import members.csv --dry-run\n"                                                  \
	"  xos-vo export --format json --out members.json\n"                                       \
	"  xos-vo group add /demo/physics\n"                                                       \
	"  xos-vo group show /demo/physics\n"                                                      \
	"  xos-vo role grant alice /demo/physics/Role=editor\n"                                    \
	"  xos-vo role grant bob /demo/physics/Role=admin    (administers that group and below)\n" \
	"  xos-vo lock member mallory --for 7d --message \"call the help desk\"\n"                 \
	"  xos-vo lock token 4c79ebbc439834c17cf85a1391597bf8 --message \"laptop stolen\"\n"       \
	"  xos-vo unlock member mallory\n"                                                         \
	"  xos-vo locks\n"                                                                         \
	"  xos-vo log verify    (was anything removed or rewritten?)\n"                            \
	"  xos-vo log prove --json > proof.json    (that this token was recorded)\n"               \
	"  xos-vo log verify --proof proof.json --root root.pem    (anywhere, off line)\n"         \
	"  xos-vo log show alice --since 7d\n"                                                     \
	"  xos-vo log export --out record.jsonl\n"                                                 \
	"  xos-vo break-glass\n"

int main(int argc, char **argv)
{
	static const struct xos_cli_program program = {
	    .name = "xos-vo",
	    .about = "a VO: its description, members, groups, roles, locks and record",
	    .verbs = verbs,
	    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
	    .sections = sections,
	    .examples = EXAMPLES,
	};
	return xos_cli_main(&program, argc, argv);
}
