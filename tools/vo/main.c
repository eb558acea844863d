/* xos-vo: the membership of a VO, by its administrators. */
#include "vo/verbs.h"

static const struct xos_cli_verb verbs[] = {
    {"member", "add|show|remove NAME | join|leave NAME GROUP | list", "members", 1, 3, false,
        vo_member_options, vo_member},
    {"password", "NAME", "give a member a new password", 1, 1, false, vo_password_options,
        vo_password},
    {"code", "NAME", "a one-time code, with which a member logs in without a password", 1, 1, false,
        vo_code_options, vo_code},
    {"totp", "require|release GROUP|vo | remove|show NAME", "second factors: who must have one", 2,
        2, false, vo_totp_options, vo_totp},
    {"group", "add GROUP | list", "groups", 1, 2, false, NULL, vo_group},
    {"role", "grant|revoke NAME ROLE", "roles", 1, 3, false, NULL, vo_role},
    {"lock", "member|group|role NAME | token SERIAL", "stop somebody, or one token, at once", 2, 2,
        false, vo_lock_options, vo_lock},
    {"unlock", "member|group|role NAME | token SERIAL", "end a lock", 2, 2, false, NULL, vo_unlock},
    {"locks", "", "who is locked", 0, 0, false, NULL, vo_locks},
    {"log", "verify | prove [SERIAL] | export | show MEMBER", "the record of all this, and proofs",
        1, 2, false, vo_log_options, vo_log},
    {"describe", "", "the VO in short", 0, 0, false, NULL, vo_describe},
};

int main(int argc, char **argv)
{
	static const struct xos_cli_program program = {
	    .name = "xos-vo",
	    .about = "the membership of a VO, by its administrators",
	    .verbs = verbs,
	    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
	    .examples =
	        "  xos-login carol --role /demo/Role=admin    (changes need the "
	        "administrator's role)\n"
	        "  xos-vo group add /demo/physics\n"
	        "  xos-vo member add alice --group /demo/physics --password-stdin < file\n"
	        "  xos-vo role grant alice /demo/physics/Role=editor\n"
	        "  xos-vo lock member mallory --for 7d --message \"call the help desk\"\n"
	        "  xos-vo log verify    (was anything removed or rewritten?)\n"
	        "  xos-vo log prove --json > proof.json    (that this token was recorded)\n"
	        "  xos-vo log verify --proof proof.json --root root.pem    (anywhere, off line)\n"
	        "  xos-vo log show alice --since 7d\n"
	        "  xos-vo log export --out record.jsonl\n",
	};
	return xos_cli_main(&program, argc, argv);
}
