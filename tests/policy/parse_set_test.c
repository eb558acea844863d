/* Levels, delegate, alternatives, named sets, windows, patterns: what is accepted and what is not. */
#include "policy_test.h"

#define VO(body) "vo \"demo\" serial 1 schema 2 { " body " }"
#define SITE(body) "site \"lab\" serial 1 schema 2 { " body " }"
#define GROUP(body) "group \"/demo/physics\" serial 1 schema 2 { " body " }"
#define OWNER(body) "owner \"demo:alice\" serial 1 schema 2 { " body " }"
#define NODE(body) "node \"lab/n1\" serial 1 schema 2 { " body " }"

/* The canonical text of a set, which parses to itself; the caller frees it. */
static char *canonical(const char *text)
{
	struct xos_buf once, twice;
	struct xos_policy_set *set = must_parse(text);
	xos_buf_init(&once, 1 << 20);
	xos_buf_init(&twice, 1 << 20);
	xos_policy_set_text(set, &once);
	xos_policy_set_unref(set);
	set = must_parse(xos_buf_str(&once));
	xos_policy_set_text(set, &twice);
	ck_assert_str_eq(xos_buf_str(&once), xos_buf_str(&twice));
	xos_policy_set_unref(set);
	char *s = strdup(xos_buf_str(&once));
	xos_buf_free(&once);
	xos_buf_free(&twice);
	return s;
}

static void comes_out(const char *text, const char *part)
{
	char *s = canonical(text);
	ck_assert_msg(strstr(s, part) != NULL, "'%s' is not in %s", part, s);
	free(s);
}

START_TEST(new_statements_round_trip)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
	    {GROUP("permit any action job.submit on class:compute; forbid user alice action any;"),
	        "permit any action job.submit on class:compute;"},
	    {GROUP("permit group /demo/physics/lab, exactly /demo/physics action job.submit;"),
	        "permit group /demo/physics/lab, group exactly /demo/physics action"},
	    {GROUP("permit role /demo/physics/Role=head action job.cancel on job:*;"), "role"},
	    {GROUP("forbid any action job.submit unless role /demo/Role=admin;"), "not role"},
	    {OWNER("permit group /bio/x, user bio:carol, user bob action file.read on "
	           "file:/data/shared, file:/data/more;"),
	        "permit group /bio/x, user bio:carol, user demo:bob action file.read on "
	        "file:/data/more, file:/data/shared;"},
	    {OWNER("limit any action file.read { file_size <= 1GiB; } because \"x\";"),
	        "limit any"},
	    {NODE("permit vo demo action job.submit;"), "permit vo demo"},
	    {VO("delegate group /demo/physics, group /demo/bio action job.*, file.read on "
	        "class:compute when auth.age < 12h;"),
	        "delegate group /demo/bio, group /demo/physics action job.submit, job.show, "
	        "job.cancel, file.read, job.signal, job.extend on class:compute when auth.age < "
	        "12h;"},
	    {SITE("delegate node n2, n1 action job.submit when vo demo;"),
	        "delegate node n1, n2 action job.submit when vo demo;"},
	    {VO("permit any action job.submit on change continue;"), "on change continue;"},
	    {VO("forbid any action job.submit on class:x when auth.age > 1h on change drain "
	        "because "
	        "\"x\";"),
	        "because \"x\" on change drain;"},
	    {VO("limit any action job.submit { wall <= 1h; } on change stop after 10m;"),
	        "{ wall <= 1h; } on change stop after 10m;"},
	    {"delegation schema 2 { check action in {job.show} on change stop after 90s; }",
	        "delegation schema 2 {\n  check action in {job.show} on change stop after 90s;"},
	    {VO("permit group /bio/lab, vo other action file.read on file:/demo/shared;"),
	        "permit vo other, group /bio/lab action file.read on file:/demo/shared;"},
	    {VO("permit user bio:carol action job.show on job:* when vo bio;"), "user bio:carol"},
	    {VO("permit any, any, group /demo/a, group /demo/a action job.show;"),
	        "permit any, group /demo/a action job.show on any;"},
	    {VO("permit any action session.show on session:7, session:*, service:sshd & site:lab;"),
	        "on site:lab & service:sshd, session:*, session:7;"},
	    {VO("permit any action job.submit when who in {group /demo/a, user bob} and on "
	        "{site:x, "
	        "tag:y & class:z};"),
	        "when (group /demo/a or user demo:bob) and (on site:x or on class:z & tag:y);"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		comes_out(cases[i].text, cases[i].part);
}
END_TEST

START_TEST(windows_and_dates)
{
	static const struct {
		const char *cond, *part;
	} cases[] = {{"time in mon-fri 08:00-20:00 Europe/Paris",
	                 "time in mon-fri 08:00-20:00 Europe/Paris"},
	    {"time in sat,sun UTC", "time in sat-sun 00:00-24:00 UTC"},
	    {"time in fri-mon +01:00", "time in mon,fri-sun 00:00-24:00 +01:00"},
	    {"time in mon, wed,fri 22:00-06:00 -05:30", "time in mon,wed,fri 22:00-06:00 -05:30"},
	    {"time in mon-sun 08:00-09:00 Z", "time in 08:00-09:00 UTC"},
	    {"time in 08:00-24:00 America/Argentina/Buenos_Aires",
	        "time in 08:00-24:00 America/Argentina/Buenos_Aires"},
	    {"date in 2026-12-24..2027-01-02 Europe/Paris",
	        "date in 2026-12-24..2027-01-02 Europe/Paris"},
	    {"date in 2028-02-29 UTC", "date in 2028-02-29..2028-02-29 UTC"}};
	char text[512];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(
		    text, sizeof(text), VO("permit any action job.submit when %s;"), cases[i].cond);
		comes_out(text, cases[i].part);
	}
	struct xos_policy_set *set = must_parse(
	    VO("permit any action job.submit when time in 08:00-09:00 Europe/Paris or date in "
	       "2026-01-01 Asia/Tokyo or time in 10:00-11:00 Europe/Paris;"));
	size_t n;
	const char *const *zones = xos_policy_set_zones(set, &n);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(zones[0], "Europe/Paris");
	ck_assert_str_eq(zones[1], "Asia/Tokyo");
	xos_policy_set_unref(set);
}
END_TEST

START_TEST(named_sets)
{
	static const struct {
		const char *text, *part;
	} cases[] = {{VO("define $campus { 131.254.0.0/16, 2001:db8::/32, 131.254.0.0/16 }"
	                 "permit any action any when has ctx.src and ip(ctx.src) in $campus;"),
	                 "ip(ctx.src) in {131.254.0.0/16, 2001:db8::/32}"},
	    {VO("define $a { 10.0.0.0/8 } define $b { 192.0.2.0/24, $a };"
	        "permit any action any when has ctx.src and ip(ctx.src) in {$b, 127.0.0.1};"),
	        "in {10.0.0.0/8, 127.0.0.1/32, 192.0.2.0/24}"},
	    {VO("define $strong { krb5, \"saml\" } permit any action any when auth.method in "
	        "$strong;"),
	        "auth.method in {\"krb5\", \"saml\"}"},
	    {VO("define $short { 1h, 90s } permit any action any when auth.age in $short;"),
	        "auth.age in {90s, 1h}"},
	    {VO("define $n { 4, 2 } permit any action job.submit when has job.cpu and job.cpu in "
	        "$n;"),
	        "job.cpu in {2, 4}"},
	    {VO("define $m { 4GiB } permit any action job.submit when has job.memory and "
	        "job.memory "
	        "in $m;"),
	        "job.memory in {4GiB}"},
	    {VO("define $read { file.read, job.show } permit any action $read, job.cancel;"),
	        "permit any action job.show, job.cancel, file.read on any;"},
	    {VO("define $read { file.read, job.show } permit any action any when action in $read "
	        "or "
	        "action in {$read, job.cancel} or action == $read;"),
	        "action in {job.show, file.read} or action in {job.show, job.cancel, file.read}"},
	    {VO("define $t { group /demo/a, user bob } permit $t action job.show;"),
	        "permit group /demo/a, user demo:bob action job.show on any;"},
	    {VO("define $t { group /demo/a, user bob } permit user x, $t action job.show when who "
	        "in "
	        "$t;"),
	        "permit group /demo/a, user demo:bob, user demo:x action job.show on any when "
	        "group "
	        "/demo/a or user demo:bob;"},
	    {VO("define $gpu { node:lab/n1, tag:gpu & site:x } permit any action job.submit on "
	        "$gpu "
	        "when on $gpu;"),
	        "on site:x & tag:gpu, node:lab/n1 when on site:x & tag:gpu or on node:lab/n1;"},
	    {VO("define $c { pool, staff } limit any action job.submit { account_class in $c; }"),
	        "account_class in {pool, staff};"},
	    {VO("define $inside { 10.0.0.0/8, fd00::/8 } limit any action job.submit { "
	        "closed_networks in $inside; networks in {$inside, 192.0.2.0/24}; }"),
	        "networks in {10.0.0.0/8, 192.0.2.0/24, fd00::/8}; closed_networks in {10.0.0.0/8, "
	        "fd00::/8};"},
	    {VO("limit any action job.submit { networks closed; }"), "{ networks closed; }"},
	    {VO("define $p { \"/a/*\", \"/b/?\" } permit any action file.read when resource.id "
	        "like "
	        "$p;"),
	        "resource.id like {\"/a/*\", \"/b/?\"}"},
	    {VO("permit any action file.read when resource.id like \"/a*\";"),
	        "resource.id like {\"/a*\"}"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		comes_out(cases[i].text, cases[i].part);
}
END_TEST

static const struct {
	const char *text, *message;
} refused[] = {{"group \"/demo\" serial 1 { }", "group of everybody"},
    {"group \"demo/x\" serial 1 { }", "not the name of a group"},
    {"owner \"alice\" serial 1 { }", "not the name of a member"},
    {"owner \"Demo:alice\" serial 1 { }", "not the name of a member"},
    {"owner \"demo:alice\" { }", "expected 'serial'"},
    {GROUP("permit group /demo/other action any;"), "not of this group"},
    {GROUP("permit group /demo/physics2 action any;"), "not of this group"},
    {GROUP("permit group /demo action any;"), "not of this group"},
    {GROUP("permit role /demo/Role=x action any;"), "not of this group"},
    {GROUP("permit user bio:x action any;"), "not of this group"},
    {GROUP("permit any action any when group /bio/x;"), "not of this group"},
    {GROUP("permit vo demo action any;"), "whole VO"}, {GROUP("permit local action any;"), "no VO"},
    {GROUP("delegate group /demo/physics/x action any;"), "set of a VO or a site"},
    {GROUP("forbid role /demo/physics/Role=x action any;"), "roles can be left out"},
    {GROUP("node n1;"), "site's set"}, {OWNER("permit local action any;"), "no VO"},
    {OWNER("forbid user alice action file.read;"), "never applies"},
    {OWNER("permit user demo:alice, user alice action file.read;"), "never applies"},
    {OWNER("check auth.mfa;"), "belongs into a delegation"},
    {OWNER("delegate group /demo/x action any;"), "set of a VO or a site"},
    {VO("delegate user bob action any;"), "only to groups"},
    {VO("delegate any action any;"), "only to groups"},
    {VO("delegate group /bio/x action any on job:*;"), "not of this VO"},
    {VO("delegate group /demo/x;"), "expected 'action'"},
    {VO("shadow delegate group /demo/x action any;"), "on trial"},
    {VO("delegate group /demo/x action any { wall <= 1h; }"), "has no { }"},
    {VO("delegate group /demo/x action any on change drain;"), "takes nothing away"},
    {SITE("delegate group /demo/x action any;"), "expected 'node'"},
    {SITE("delegate node N1 action any;"), "not the name of a node"},
    {SITE("delegate node n1 action any on tag:x;"), "named already"},
    {NODE("delegate node n1 action any;"), "set of a VO or a site"},
    {"delegation { delegate group /demo/x action any; }", "set of a VO or a site"},
    {VO("duty any action any { x; } on change drain;"), "takes nothing away"},
    {VO("permit any action any on change stop;"), "expected 'after'"},
    {VO("permit any action any on change stop after 5;"), "not a duration"},
    {VO("permit any action any on change halt;"), "done with running work"},
    {VO("permit any action any on change drain on change drain;"), "a second"},
    {VO("permit any action any when auth.age < 1h on tag:x;"), "stands after the action"},
    {VO("permit group /bio/x action any;"), "not of this VO"},
    {VO("permit group /bio/x action file.read on site:lab, file:/x;"), "not of this VO"},
    {VO("permit vo bio action file.read;"), "not of this VO"},
    {VO("permit any action any when user bio:x;"), "not of this VO"},
    {VO("permit any action any on any, tag:x;"), "expected ';'"},
    {VO("permit any action any on tag:x, any;"), "among other resources"},
    {VO("permit any action any on tag:x, tag:y & tag:y;"), "twice"},
    {VO("permit any action any on session:a/b;"), "not a resource"},
    {VO("permit any action any on disk:a;"), "not a resource"},
    {VO("permit any action any on service:*;"), "not a resource"},
    {VO("permit any action any on class:*;"), "not a resource"},
    {VO("permit any action any when time in mon-fry UTC;"), "not a window"},
    {VO("permit any action any when time in mon,x UTC;"), "not a day"},
    {VO("permit any action any when time in mon 8-20 UTC;"), "not a window"},
    {VO("permit any action any when time in UTC;"), "not a window"},
    {VO("permit any action any when time in mon;"), "not a time zone"},
    {VO("permit any action any when time in mon +15:00;"), "not a time zone"},
    {VO("permit any action any when time in mon ../../etc;"), "not a time zone"},
    {VO("permit any action any when time in mon Europe//Paris;"), "not a time zone"},
    {VO("permit any action any when date in 2026-02-29 UTC;"), "not a range of dates"},
    {VO("permit any action any when date in 2026-1-1 UTC;"), "not a range of dates"},
    {VO("permit any action any when date in 2026-01-02..2026-01-01 UTC;"), "before it begins"},
    {VO("permit any action any when date in 2026-01-02..x UTC;"), "not a range of dates"},
    {VO("permit any action any when date in 2026-01-02;"), "not a time zone"},
    {VO("permit any action any when auth.age like \"x\";"), "is a duration"},
    {VO("permit any action any when auth.method like x;"), "expected '{'"},
    {VO("define campus { 10.0.0.0/8 }"), "expected the name of a set"},
    {VO("define $ { 10.0.0.0/8 }"), "without a name"}, {VO("define $a { }"), "expected"},
    {VO("define $a { 10.0.0.0/8, krb5 }"), "not an address prefix"},
    {VO("define $a { 1h, 5 }"), "not a duration"},
    {VO("define $a { file.read, file.raed }"), "unknown action"},
    {VO("define $a { user bob, tag:x }"), "expected who"},
    {VO("define $a { tag:x, any }"), "among other resources"},
    {VO("define $a { x } define $a { y }"), "defined already"},
    {VO("define $a { $a }"), "no set named"},
    {VO("define $a { x } define $b { $a, 1h } define $c { 1h, $a }"), "holds strings"},
    {VO("permit $a action any;"), "no set named"},
    {VO("define $a { tag:x } permit $a action any;"), "holds resources, not principals"},
    {VO("define $a { 1h } permit any action any when auth.method in $a;"), "holds numbers"},
    {VO("define $a { 1h } permit any action job.submit when job.cpu in $a;"),
        "of type duration, not number"},
    {VO("define $a { x } permit any action any when auth.method == $a;"), "a set, not one"},
    {VO("define $a { 2026-01-01T00:00Z } permit any action any when now < $a;"),
        "a set, not a moment"},
    {VO("define $c { pool, \"a b\" } limit any action any { account_class in $c; }"),
        "'a b' of $c is not a name"},
    {VO("define $c { 1h } limit any action any { account_class in $c; }"), "holds numbers"},
    {VO("permit any action any when who group /demo/a;"), "expected 'in'"},
    {VO("permit any action any when who in {};"), "expected who"},
    {VO("@x y;"), "'@x' does not start a statement"},
    {VO("$x y;"), "'$x' does not start a statement"},
    {VO("\"a b\";"), "'\"a b\"' does not start a statement"},
    {"vo \"demo\" serial 1 { limit any action any { wall <= ", "'end of text' is not a"}};

START_TEST(refusals)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		must_refuse(refused[i].text, refused[i].message);
}
END_TEST

/* Texts with one of everything, for what is done to them below. */
static const char *const rich[] = {
    GROUP(
        "schema { kind demo.set; action demo.note for set, file; attribute demo.n number optional "
        "for demo.note; attribute demo.s string given for any; }"
        "define $net { 10.0.0.0/8, 2001:db8::/32 } define $both { $net, 192.0.2.0/24 }; "
        "define $who { group /demo/physics/a, user bob } define $acts { job.*, demo.note }"
        "define $t { 2026-01-01T00:00Z } define $n { 1, 2 } define $b { 1GiB }"
        "template t($who2 principal, $max duration, $w time-window, $p place, $s string) {"
        "permit @go $who2, $who action $acts on $p, job:7; limit @cap $who2 action job.submit { "
        "wall <= $max; } permit user carol action job.show when time in $w and auth.method in "
        "{$s, x}; } "
        "use @u t($who, 4h, mon-fri,sun 08:00-20:00 Europe/Paris, site:lab & tag:x, \"y\"); "
        "shadow forbid user eve, exactly /demo/physics action file.read on demo.set:*, session:3 "
        "when who in $who or on {tag:a, class:b & tag:c} or (has ctx.src and ip(ctx.src) in "
        "$both) or auth.age in {1h, 2d} or not (resource.id like {\"/a*\", \"b?\"}) or date in "
        "2026-12-24..2026-12-31 Asia/Tokyo or now < 2026-12-24T00:00:00Z or action != file.read "
        "or action in {job.show, file.read} because \"x\" contact \"y\" on change stop after "
        "10m; duty any action job.* { record; notify \"x\"; }"),
    SITE("accounts vo demo uid 1900000000-1900999999; node n1 { class c; tag a, b; } node n2; "
         "delegate node n1, n2 action job.submit when vo demo; permit local action session.open on "
         "service:sshd; permit home \"h\", role /demo/Role=x, vo bio action any; limit vo demo "
         "action any { account_class in {pool, own}; cpu <= 4 } on change drain;"),
    VO("delegate group /demo/a, group /demo/b action job.submit on class:c, tag:g when auth.age < "
       "1h; permit group exactly /demo/a action job.show on job:* when subject.is_owner == true "
       "unless has auth.mfa and auth.mfa != false;"),
    OWNER("permit user bio:c action file.read on file:/a/b on change continue;"),
    NODE("forbid any action job.submit when time in 22:00-06:00 +01:00;"),
    ("delegation by user \"alice\" schema 2 { check @c action == job.show on change stop after 1s; "
     "limit action job.submit on site:lab { wall <= 1h; } }")};

/* Cut anywhere, or with a byte in it that no text has: an error, and nothing worse. */
START_TEST(damaged_texts)
{
	static struct xos_policy_errors errs;
	for (size_t i = 0; i < sizeof(rich) / sizeof(rich[0]); i++) {
		struct xos_policy_set *set;
		size_t len = strlen(rich[i]);
		free(canonical(rich[i]));
		for (size_t n = 0; n < len; n++) {
			char *copy = malloc(len + 1);
			ck_assert_ptr_nonnull(copy);
			memcpy(copy, rich[i], n);
			ck_assert_int_eq(
			    xos_policy_set_parse(copy, n, "x", &set, &errs), XOS_MALFORMED);
			ck_assert_ptr_null(set);
			copy[n] = 1;
			memcpy(copy + n + 1, rich[i] + n, len - n);
			ck_assert_int_eq(
			    xos_policy_set_parse(copy, len + 1, "x", &set, &errs), XOS_MALFORMED);
			for (size_t j = 0; j < errs.n; j++)
				ck_assert(errs.list[j].line == 1 && errs.list[j].col >= 1 &&
				          errs.list[j].col <= len + 2 && errs.list[j].text[0]);
			free(copy);
		}
	}
}
END_TEST

/* Each word replaced by another one: an answer, whatever it is, and a canonical text if it is good. */
START_TEST(exchanged_words)
{
	static const char *const others[] = {";", "{", "}", "(", ",", "&", "$x", "@x", "\"x\"",
	    "any", "on", "in", "1", "group", "when", "x:y", "<="};
	static struct xos_policy_errors errs;
	size_t good = 0;
	for (size_t i = 0; i < sizeof(rich) / sizeof(rich[0]); i++) {
		for (const char *s = rich[i]; *s;) {
			size_t n = strcspn(s, " ");
			for (size_t w = 0; w < sizeof(others) / sizeof(others[0]); w++) {
				struct xos_policy_set *set;
				struct xos_buf b;
				xos_buf_init(&b, 10000);
				xos_buf_put(&b, rich[i], (size_t)(s - rich[i]));
				xos_buf_put_str(&b, others[w]);
				xos_buf_put_str(&b, s + n);
				enum xos_status status =
				    xos_policy_set_parse(xos_buf_str(&b), b.n, "x", &set, &errs);
				ck_assert_int_eq(status == XOS_OK, set != NULL);
				ck_assert_int_eq(status == XOS_OK, errs.total == 0);
				if (set)
					free(canonical(xos_buf_str(&b)));
				good += set != NULL;
				xos_policy_set_unref(set);
				xos_buf_free(&b);
			}
			s += n + (s[n] == ' ');
		}
	}
	ck_assert_uint_gt(good, 0);
}
END_TEST

START_TEST(accessors)
{
	int64_t after;
	struct xos_policy_set *set =
	    must_parse(VO("limit any action job.submit { wall <= 1h; } on change stop after 10m; "
	                  "permit any action "
	                  "job.show on change drain; permit any action job.cancel;"));
	const struct xos_policy_statement *s = xos_policy_set_statement(set, 0);
	ck_assert_int_eq(xos_policy_statement_change(s, &after), XOS_CHANGE_STOP);
	ck_assert_int_eq(after, 600);
	ck_assert_int_eq(xos_policy_statement_change(xos_policy_set_statement(set, 1), &after),
	    XOS_CHANGE_DRAIN);
	ck_assert_int_eq(after, 0);
	ck_assert_int_eq(
	    xos_policy_statement_change(xos_policy_set_statement(set, 2), &after), XOS_CHANGE_NONE);
	ck_assert_str_eq(xos_policy_change_name(XOS_CHANGE_STOP), "stop");
	ck_assert_str_eq(xos_policy_change_name(XOS_CHANGE_NONE), "");
	ck_assert_str_eq(xos_policy_change_name((enum xos_policy_change)9), "");
	xos_policy_set_unref(set);
}
END_TEST

/* More of each thing than there may be. */
static void refuse_many(
    const char *before, const char *piece, size_t n, const char *after, const char *message)
{
	struct xos_buf b;
	xos_buf_init(&b, 1 << 20);
	xos_buf_put_str(&b, before);
	for (size_t i = 0; i < n; i++) {
		const char *number = strchr(piece, '#');
		xos_buf_printf(&b, "%.*s%zu%s", (int)(number - piece), piece, i, number + 1);
	}
	xos_buf_put_str(&b, after);
	must_refuse(xos_buf_str(&b), message);
	xos_buf_free(&b);
}

START_TEST(bounds)
{
	refuse_many("vo \"demo\" serial 1 { permit user a", ", user u#", 256, " action any; }",
	    "too many values");
	refuse_many("vo \"demo\" serial 1 { permit any action any on tag:a", ", tag:t#", 256, "; }",
	    "too many values");
	refuse_many("site \"lab\" serial 1 { delegate node a", ", n#", 256, " action any; }",
	    "more than 256 nodes");
	refuse_many("vo \"demo\" serial 1 { permit any action any when user b",
	    " or time in mon A/z#", 65, "; }", "more than 64 time zones");
	refuse_many("vo \"demo\" serial 1 { define $a { x", ", y#", 200,
	    " } permit any action any when auth.method in {a, $a, $a}; }", "too many values");
	refuse_many("vo \"demo\" serial 1 { define $a { x", ", y#", 200,
	    " } permit any action any when auth.method in $a or auth.method in $a or auth.method "
	    "in $a "
	    "or auth.method in $a or auth.method in $a or auth.method in $a or auth.method in $a "
	    "or "
	    "auth.method in $a or auth.method in $a or auth.method in $a or auth.method in $a or "
	    "auth.method in $a or auth.method in $a or auth.method in $a or auth.method in $a or "
	    "auth.method in $a or auth.method in $a or auth.method in $a or auth.method in $a or "
	    "auth.method in $a or auth.method in $a; }",
	    "more than 4096 parts");
	refuse_many("vo \"demo\" serial 1 { template t($a number", ", $p# number", 16, ") { } }",
	    "more than 16 parameters");
	refuse_many("vo \"demo\" serial 1 { permit any action any on tag:a", " & tag:t#", 16, "; }",
	    "more than 16 resources");
	refuse_many(
	    "site \"lab\" serial 1 { node n1 { tag a", ", t#", 256, "; } }", "more than 256 tags");
	refuse_many(
	    "vo \"demo\" serial 1 { duty any action any { d", "; d#", 16, "; } }", "at most 16");
	refuse_many("vo \"demo\" serial 1 { limit any action any { account_class in {a", ", c#",
	    256, "}; } }", "more than 256 names");
	refuse_many("vo \"demo\" serial 1 { permit @a user b action any;",
	    " permit @a user u# action any;", 60, "}", "two statements are @a");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy sets");
	TCase *tc = tcase_create("language");
	tcase_add_test(tc, new_statements_round_trip);
	tcase_add_test(tc, windows_and_dates);
	tcase_add_test(tc, named_sets);
	tcase_add_test(tc, refusals);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, damaged_texts);
	tcase_add_test(tc, exchanged_words);
	tcase_add_test(tc, accessors);
	tcase_add_test(tc, bounds);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
