/*
 * Memory runs out at every place in turn: at each allocation and at each piece taken from a set's or
 * an answer's memory. Nothing may crash, leak or permit; the status says INTERNAL; and what
 * succeeds says the same as when nothing failed. The linker puts the functions below before the real ones.
 */
#include "policy_test.h"

#include "policy/lint.h"
#include "policy/format.h"
#include "policy/lint.h"
#include "policy/memory.h"
#include "zonedata.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_xos_policy_memory_take(struct xos_policy_memory *m, size_t n);
void *__real_xos_policy_memory_raw(struct xos_policy_memory *m, size_t n);
char *__real_xos_policy_memory_string(struct xos_policy_memory *m, const char *p, size_t n);
void *__real_xos_policy_memory_grow(
    struct xos_policy_memory *m, const void *old, size_t n, size_t elem);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_xos_policy_memory_take(struct xos_policy_memory *m, size_t n);
void *__wrap_xos_policy_memory_raw(struct xos_policy_memory *m, size_t n);
char *__wrap_xos_policy_memory_string(struct xos_policy_memory *m, const char *p, size_t n);
void *__wrap_xos_policy_memory_grow(
    struct xos_policy_memory *m, const void *old, size_t n, size_t elem);

static unsigned long calls, blocks; /* of all that can fail; of malloc and its like alone */
static unsigned long fail_at;       /* 0: never */
static bool for_good;               /* all that follow fail as well */
static bool armed;                  /* not while the test itself, or Check, allocates */

static bool fails(void)
{
	if (!armed)
		return false;
	calls++;
	return fail_at && (for_good ? calls >= fail_at : calls == fail_at);
}

void *__wrap_malloc(size_t n)
{
	blocks += armed;
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	blocks += armed;
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	blocks += armed;
	return fails() ? NULL : __real_realloc(p, n);
}

void *__wrap_xos_policy_memory_take(struct xos_policy_memory *m, size_t n)
{
	return fails() ? NULL : __real_xos_policy_memory_take(m, n);
}

void *__wrap_xos_policy_memory_raw(struct xos_policy_memory *m, size_t n)
{
	return fails() ? NULL : __real_xos_policy_memory_raw(m, n);
}

char *__wrap_xos_policy_memory_string(struct xos_policy_memory *m, const char *p, size_t n)
{
	return fails() ? NULL : __real_xos_policy_memory_string(m, p, n);
}

void *__wrap_xos_policy_memory_grow(
    struct xos_policy_memory *m, const void *old, size_t n, size_t elem)
{
	return fails() ? NULL : __real_xos_policy_memory_grow(m, old, n, elem);
}

static const char *const texts[] = {
    "vo \"demo\" serial 1 { schema { kind demo.set; action demo.annotate for set; attribute demo.n "
    "number optional for any; } define $strong { krb5, \"saml\" } define $who { user alice, group "
    "/demo/b } define $there { site:lab, tag:gpu & class:compute } define $inside { 10.0.0.0/8 } "
    "template t($w principal, $max duration, $z prefix) { permit $w action job.cancel when "
    "ip(ctx.src) in $z; limit @l $w action job.cancel { wall <= $max; } } use @u t(group /demo/c, "
    "2h, "
    "192.0.2.0/24);"
    " permit @all group /demo action any on any when auth.method in $strong or "
    "job.cpu in {1, 2} or not (time in 08:00-20:00 UTC and now < 2027-01-01T00:00Z) or who in $who;"
    " limit any action job.* on any { wall <= 2h; account_class in {pool, own}; networks in "
    "{10.0.0.0/8, ::/0}; closed_networks in {10.1.0.0/16}; }"
    " limit any action job.submit on $there { wall <= 1h; account_class in {pool, own}; cpu <= 4; "
    "networks in {10.2.0.0/16}; closed_networks in {10.3.0.0/16}; }"
    " duty any action job.submit on any { record; notify \"x@y\"; }"
    " shadow forbid @trial any action any on any because \"try\\\"\" contact \"c\";"
    " forbid user bob action job.submit on tag:gpu & class:compute when ip(ctx.src) in "
    "{10.0.0.0/8, "
    "2001:db8::/32} or ip(ctx.src) in $inside on change stop after 10m;"
    " delegate group /demo/physics action job.* on site:lab, node:lab/n1;"
    " forbid any action demo.annotate on demo.set:7 when demo.n > 3 and ctx.service like {\"a*\", "
    "\"?b\"};"
    " forbid any action job.cancel unless role /demo/Role=x; }",
    "group \"/demo/physics\" serial 1 { permit any action job.submit when date in "
    "2026-01-01..2026-12-31 Europe/Paris on change drain; duty any action any { record; } }",
    "site \"lab\" serial 2 { accounts vo demo uid 1900000000-1900999999 jobs "
    "1950000000-1950000009 home \"/home/%\"; accounts vo demo group /demo/a gid 1960000000;"
    " node n1 { class compute; tag gpu, big; } node n2; delegate node n1, n2 action job.submit;"
    " permit vo demo action any on site:lab & tag:gpu;"
    " permit vo demo, user bio:carol, service demo:data, node demo:n1 action any on node:lab/n1 & "
    "class:compute & tag:gpu, "
    "file:/a/b, job:7 "
    "when has ctx.src or any; permit any action file.* on file:/;"
    " forbid vo demo action job.submit on any when ctx.service == a and not ctx.service == b;"
    " limit vo demo action any on job:* { memory <= 4GiB; } }",
    "node \"lab/n1\" serial 1 { permit any action job.submit; forbid any action job.submit on any "
    "when "
    "job.cpu > 4; }",
    "owner \"demo:bob\" serial 1 { permit user alice action file.read on file:/home/bob; limit any "
    "action "
    "file.* { lifetime <= 1h; } }",
    "delegation by user \"alice\" { check @c action in {job.submit, job.show, file.read} and on "
    "site:lab "
    "because \"b\" contact \"c\" on change continue; check time in mon-sun 22:00-06:00 "
    "Europe/Paris or "
    "not auth.mfa or any or home \"h\" or date in 2026-12-24 Asia/Tokyo or ctx.service like \"x*\";"
    " limit action job.submit on tag:gpu, site:lab { lifetime <= 1h; account_class in {pool}; } }",
};
#define SETS (sizeof(texts) / sizeof(texts[0]))

/* What one run came to. */
struct run {
	struct xos_policy_set *sets[SETS], *arrived;
	struct xos_policy *policy;
	struct xos_policy_answer answer;
	enum xos_status status; /* of the first step that failed */
	struct xos_buf text, wire, words;
	struct xos_policy_errors warnings;
	bool wrong; /* an answer that does not go with its status */
};

static bool step(struct run *r, enum xos_status status)
{
	r->status = status;
	return status == XOS_OK;
}

static struct xos_buf paris; /* time zone data */

static struct xos_policy_request request(void)
{
	static const char *const held[] = {"/demo/Role=x", "/demo/Role=y"};
	static const struct xos_policy_value values[] = {
	    {"ctx.src", XOS_POLICY_IP, 0, "192.0.2.1"}};
	struct xos_policy_request req = alice();
	req.subject.held = held;
	req.subject.nheld = 2;
	req.values = values;
	req.nvalues = 1;
	return req;
}

/* What needs no policy: forms, warnings. */
static bool read_over(struct run *r, const char *text)
{
	static struct xos_policy_errors warnings;
	return step(r, xos_policy_format(text, strlen(text), "t", &r->text, NULL)) &&
	       step(r, xos_policy_lint(text, strlen(text), "t", NULL, &warnings));
}

static bool load(struct run *r)
{
	struct xos_policy_part parts[SETS] = {0};
	const struct xos_policy_zone_data zone = {"Europe/Paris", xos_buf_bytes(&paris)};
	const struct xos_policy_options options = {.zones = &zone, .nzones = 1};
	for (size_t i = 0; i < SETS; i++) {
		if (!read_over(r, texts[i]) ||
		    !step(
		        r, xos_policy_set_load(texts[i], strlen(texts[i]), "t", &r->sets[i], NULL)))
			return false;
		xos_policy_set_text(r->sets[i], &r->text);
		parts[i].set = r->sets[i];
	}
	return step(r, xos_restriction_encode(r->sets[SETS - 1], &r->wire, NULL)) &&
	       step(r, xos_restriction_decode(xos_buf_bytes(&r->wire), &r->arrived, NULL)) &&
	       step(r, xos_restriction_text(xos_buf_bytes(&r->wire), &r->text, NULL)) &&
	       step(r, xos_policy_new(parts, SETS - 1, &options, &r->policy, NULL));
}

/* True if the answer goes on: out of memory is an answer as well, and always a refusal. */
static bool ask(struct run *r, const struct xos_policy_request *req)
{
	r->status = xos_policy_decide(r->policy, req, &r->answer);
	r->wrong |= (r->status == XOS_OK) != (r->answer.decision == XOS_POLICY_PERMITTED);
	if (r->status == XOS_INTERNAL) {
		r->wrong |= r->answer.decision != XOS_POLICY_UNDECIDED;
		return false;
	}
	xos_buf_printf(&r->text, "\n%s: ", words[r->answer.decision]);
	xos_policy_answer_deciders(&r->answer, &r->text);
	/* What would help may be left out when memory is short: it decides nothing. */
	xos_policy_answer_explain(&r->answer, &r->words);
	return true;
}

/* A service that acts itself. */
static void use_machine(struct run *r)
{
	struct xos_policy_interned_subject *known = NULL;
	struct xos_policy_request req = request();
	req.subject = (struct xos_policy_subject){
	    .kind = XOS_SUBJECT_SERVICE, .vo = "demo", .member = "data/n1", .auth_mfa = -1};
	if (!ask(r, &req) ||
	    !step(r, xos_policy_intern_subject(r->policy, &req.subject, &known, NULL)))
		return;
	req.interned_subject = known;
	if (ask(r, &req))
		r->status = XOS_OK;
	xos_policy_interned_subject_free(known);
}

/* A permit, refusals with something unknown, with a way out, by checks; from strings and interned. */
static void use(struct run *r)
{
	static const char *const actions[] = {
	    "job.submit", "job.cancel", "job.show", "file.read", "demo.annotate"};
	struct xos_policy_request req = request();
	const struct xos_policy_set *chain[] = {r->arrived};
	req.chain = chain;
	for (size_t i = 0; i < 20; i++) {
		struct xos_policy_interned_subject *subject = NULL;
		struct xos_policy_interned_resource *resource = NULL;
		req.action = actions[i % 5];
		req.nchain = i % 2;
		req.nvalues = i < 4;
		if (i % 5 == 3)
			req.resource = (struct xos_policy_resource){.kind = "file",
			    .id = "/home/bob/x",
			    .site = "lab",
			    .vo = "demo",
			    .owner = "bob"};
		bool go_on =
		    i < 10 ||
		    (step(r, xos_policy_intern_subject(r->policy, &req.subject, &subject, NULL)) &&
		        step(r,
		            xos_policy_intern_resource(r->policy, &req.resource, &resource, NULL)));
		req.interned_subject = subject;
		req.interned_resource = resource;
		go_on = go_on && ask(r, &req);
		xos_policy_interned_subject_free(subject);
		xos_policy_interned_resource_free(resource);
		if (!go_on)
			return;
	}
	use_machine(r);
}

static void start(struct run *r)
{
	*r = (struct run){.status = XOS_OK};
	xos_policy_answer_init(&r->answer);
	xos_buf_init(&r->text, 1 << 20);
	xos_buf_init(&r->wire, XOS_RESTRICTION_MAX);
	xos_buf_init(&r->words, 1 << 20);
	calls = 0;
	armed = true;
	if (load(r))
		use(r);
	armed = false;
	if (r->status == XOS_OK)
		r->status = xos_buf_status(&r->text);
}

static void finish(struct run *r)
{
	xos_policy_answer_free(&r->answer);
	xos_policy_unref(r->policy);
	xos_policy_set_unref(r->arrived);
	for (size_t i = 0; i < SETS; i++)
		xos_policy_set_unref(r->sets[i]);
	xos_buf_free(&r->text);
	xos_buf_free(&r->wire);
	xos_buf_free(&r->words);
}

/* Check's own messages have no room for both. */
static void ck_same_text(unsigned long place, const char *want, const char *got)
{
	size_t i = 0;
	while (want[i] && want[i] == got[i])
		i++;
	ck_assert_msg(!want[i] && !got[i], "place %lu: '%.200s' instead of '%.200s'", place,
	    got + i, want + i);
}

static void make_paris(void)
{
	static const struct zone_maker z = {
	    .offsets = {3600, 7200}, .footer = "CET-1CEST,M3.5.0,M10.5.0/3"};
	xos_buf_init(&paris, 10000);
	zone_write(&paris, &z);
}

static void each_place(bool all)
{
	struct run good, r;
	unsigned long total;
	for_good = all;
	make_paris();
	fail_at = 0;
	start(&good);
	total = calls;
	ck_assert_int_eq(good.status, XOS_OK);
	ck_assert_uint_gt(total, 100);
	for (unsigned long i = 1; i <= total; i++) {
		fail_at = i;
		start(&r);
		ck_assert(!r.wrong);
		if (r.status == XOS_OK)
			ck_same_text(i, xos_buf_str(&good.text), xos_buf_str(&r.text));
		else
			ck_assert_msg(r.status == XOS_INTERNAL, "place %lu: %d", i, (int)r.status);
		finish(&r);
	}
	finish(&good);
	xos_buf_free(&paris);
}

START_TEST(one_allocation_fails)
{
	each_place(false);
}
END_TEST

START_TEST(all_allocations_fail_from_here_on)
{
	each_place(true);
}
END_TEST

/* Once an answer's memory is warm, deciding allocates nothing: from strings or interned, whatever comes of it. */
START_TEST(a_warm_answer_allocates_nothing)
{
	static const char *const actions[] = {"job.submit", "job.cancel", "file.read", "nonsense"};
	struct xos_policy_interned_subject *subject;
	struct xos_policy_request req = request();
	const struct xos_policy_set *chain[1];
	struct run r;
	make_paris();
	fail_at = 0;
	start(&r);
	ck_assert_int_eq(r.status, XOS_OK);
	ck_assert_int_eq(xos_policy_intern_subject(r.policy, &req.subject, &subject, NULL), XOS_OK);
	chain[0] = r.arrived;
	req.chain = chain;
	for (unsigned round = 0; round < 3; round++) {
		blocks = 0;
		armed = round == 2;
		for (unsigned i = 0; i < 16; i++) {
			req.action = actions[i % 4];
			req.nchain = i / 4 % 2;
			req.interned_subject = i < 8 ? NULL : subject;
			enum xos_status status = xos_policy_decide(r.policy, &req, &r.answer);
			r.wrong |= status == XOS_INTERNAL;
		}
		armed = false;
	}
	ck_assert(!r.wrong);
	ck_assert_uint_eq(blocks, 0);
	xos_policy_interned_subject_free(subject);
	finish(&r);
	xos_buf_free(&paris);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy failing");
	TCase *tc = tcase_create("memory");
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, one_allocation_fails);
	tcase_add_test(tc, all_allocations_fail_from_here_on);
	tcase_add_test(tc, a_warm_answer_allocates_nothing);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
