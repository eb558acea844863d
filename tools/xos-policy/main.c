/* xos-policy: policies are checked, tried and explained before they count. */
#include "policytool/verbs.h"

static const struct xos_cli_verb verbs[] = {
    {.name = "check",
        .operands = "FILE|DIR...",
        .about = "parse and check policy sets, alone and together, tell all errors",
        .min = 1,
        .max = -1,
        .run = xos_policytool_check},
    {.name = "fmt",
        .operands = "FILE|DIR...",
        .about = "write sets as everybody writes them; comments stay",
        .min = 1,
        .max = -1,
        .options = xos_policytool_fmt_options,
        .run = xos_policytool_fmt},
    {.name = "lint",
        .operands = "FILE|DIR...",
        .about = "tell what is suspicious in sets, alone and together",
        .max = -1,
        .options = xos_policytool_lint_options,
        .run = xos_policytool_lint},
    {.name = "test",
        .operands = "FILE|DIR...",
        .about = "run cases (*.test) against the policies beside them",
        .min = 1,
        .max = -1,
        .options = xos_policytool_test_options,
        .run = xos_policytool_test},
    {.name = "eval",
        .operands = "",
        .about = "decide many requests, one JSON object a line",
        .options = xos_policytool_eval_options,
        .run = xos_policytool_eval},
    {.name = "explain",
        .operands = "",
        .about = "decide one request by the sets given and say why",
        .options = xos_policytool_explain_options,
        .run = xos_policytool_explain},
    {.name = "diff",
        .operands = "OLD NEW",
        .about = "which requests two policies answer differently, with an example of each",
        .min = 2,
        .max = 2,
        .options = xos_policytool_diff_options,
        .run = xos_policytool_diff},
    {.name = "who-can",
        .operands = "ACTION RESOURCE",
        .about = "who is permitted to do it, and on which conditions",
        .min = 2,
        .max = 2,
        .options = xos_policytool_whocan_options,
        .run = xos_policytool_whocan},
    {.name = "what-can",
        .operands = "PRINCIPAL",
        .about = "what a member, a group or a VO is permitted to do",
        .min = 1,
        .max = 1,
        .options = xos_policytool_whatcan_options,
        .run = xos_policytool_whatcan},
    {.name = "stats",
        .operands = "FILE|DIR...",
        .about = "how large policies are and what a decision costs",
        .min = 1,
        .max = -1,
        .run = xos_policytool_stats},
    {.name = "schema",
        .operands = "",
        .about = "list the actions, attributes and caps that policies can name",
        .run = xos_policytool_schema},
    {.name = "site-key",
        .operands = "",
        .about = "make a site's own key pair (the owner, once)",
        .options = xos_policytool_sitekey_options,
        .run = xos_policytool_sitekey},
    {.name = "sign",
        .operands = "FILE",
        .about = "sign the set of a site or of a node with the site's key",
        .min = 1,
        .max = 1,
        .options = xos_policytool_sign_options,
        .run = xos_policytool_sign},
    {.name = "site",
        .operands = "add NAME --key FILE | remove NAME",
        .about = "which key signs for a site (VO administrator)",
        .min = 2,
        .max = 2,
        .options = xos_policytool_site_options,
        .run = xos_policytool_site},
    {.name = "push",
        .operands = "FILE",
        .about = "put a set into force: the VO's, or that of a group, an owner, a site, a node",
        .min = 1,
        .max = 1,
        .options = xos_policytool_push_options,
        .run = xos_policytool_push},
    {.name = "preview",
        .operands = "FILE|SERIAL|proposal:ID",
        .about = "which running jobs a set of the VO would end (administrator)",
        .min = 1,
        .max = 1,
        .run = xos_policytool_preview},
    {.name = "withdraw",
        .operands = "",
        .about = "take the set of a group or an owner out of force",
        .options = xos_policytool_withdraw_options,
        .run = xos_policytool_withdraw},
    {.name = "list",
        .operands = "",
        .about = "the versions of the VO's set (administrator), or of a group's or an owner's",
        .options = xos_policytool_list_options,
        .run = xos_policytool_list},
    {.name = "show",
        .operands = "[SERIAL]",
        .about = "the text of a version, the one in force if none is named",
        .max = 1,
        .options = xos_policytool_show_options,
        .run = xos_policytool_show},
    {.name = "rollback",
        .operands = "SERIAL",
        .about = "put an older version into force again, under a higher serial (administrator)",
        .min = 1,
        .max = 1,
        .options = xos_policytool_rollback_options,
        .run = xos_policytool_rollback},
    {.name = "cancel",
        .operands = "SERIAL",
        .about = "keep a planned version from coming into force (administrator)",
        .min = 1,
        .max = 1,
        .run = xos_policytool_cancel},
    {.name = "cases",
        .operands = "list | set FILE | show NAME | remove NAME",
        .about = "cases that every set of the VO must pass before it counts (administrator)",
        .min = 1,
        .max = 2,
        .run = xos_policytool_cases},
    {.name = "review",
        .operands = "on | off",
        .about = "whether changes of the VO's policy need a second administrator",
        .min = 1,
        .max = 1,
        .run = xos_policytool_review},
    {.name = "proposals",
        .operands = "",
        .about = "changes that wait for a second administrator, and what became of others",
        .run = xos_policytool_proposals},
    {.name = "approve",
        .operands = "ID",
        .about = "put another administrator's proposal into force",
        .min = 1,
        .max = 1,
        .run = xos_policytool_approve},
    {.name = "reject",
        .operands = "ID",
        .about = "end a proposal",
        .min = 1,
        .max = 1,
        .run = xos_policytool_reject},
    {.name = "sites",
        .operands = "",
        .about = "the sites, whose key signs for each, and the set in force (administrator)",
        .run = xos_policytool_sites},
    {.name = "nodes",
        .operands = "",
        .about = "the nodes that said what they can enforce, and when (administrator)",
        .run = xos_policytool_nodes},
};

int main(int argc, char **argv)
{
	static const struct xos_cli_program program = {.name = "xos-policy",
	    .about = "check policies, explain decisions, put policies into force",
	    .verbs = verbs,
	    .nverbs = sizeof(verbs) / sizeof(verbs[0]),
	    .examples =
	        "  xos-policy check demo-vo.xos lab-site.xos\n"
	        "  xos-policy check --json policies/\n"
	        "  xos-policy fmt --check policies/\n"
	        "  xos-policy fmt --write demo-vo.xos\n"
	        "  xos-policy lint policies/\n"
	        "  xos-policy lint --list\n"
	        "  xos-policy test demo.test\n"
	        "  xos-policy test --require-coverage policies/\n"
	        "  xos-policy eval --set policies/ --requests requests.jsonl\n"
	        "  xos-policy explain --set demo-vo.xos --set lab-site.xos --subject demo:bob \\\n"
	        "      --group /demo/students --action job.submit --resource node:lab/n1\n"
	        "  xos-policy explain --set demo-vo.xos --set lab-site.xos --subject demo:alice "
	        "\\\n"
	        "      --group /demo/physics --action job.show --resource job:42 --at lab/n1 \\\n"
	        "      --owner demo:alice --attr ctx.src=192.0.2.7\n"
	        "  xos-policy who-can job.submit node:lab/n1 --set policies/\n"
	        "  xos-policy who-can file.read file:/data/p1 --at lab/n1 --owner bio:carol --set "
	        "policies/\n"
	        "  xos-policy what-can demo:alice --group /demo/physics --set policies/\n"
	        "  xos-policy what-can /demo/students --set policies/ --now 2026-12-24T22:00:00Z\n"
	        "  xos-policy diff old/ new/\n"
	        "  xos-policy diff demo-vo.xos demo-vo-2.xos --with lab-site.xos\n"
	        "  xos-policy diff old/ new/ --requests last-month.jsonl --json\n"
	        "  xos-policy diff old/ new/ --log /srv/n1/credd/decisions\n"
	        "  xos-policy stats policies/\n"
	        "  xos-policy diff current demo-vo.xos\n"
	        "  xos-policy diff 41 42\n"
	        "  xos-policy preview demo-vo.xos\n"
	        "  xos-policy push demo-vo.xos\n"
	        "  xos-policy push demo-vo.xos --at 2026-12-24T18:00:00Z --until "
	        "2027-01-02T06:00:00Z\n"
	        "  xos-policy push --group /demo/physics physics.xos\n"
	        "  xos-policy rollback 41\n"
	        "  xos-policy site-key --out lab\n"
	        "  xos-policy sign --site-key lab.key --out lab.jws lab-site.xos\n"
	        "  xos-policy push --site lab lab.jws\n"};
	return xos_cli_main(&program, argc, argv);
}
