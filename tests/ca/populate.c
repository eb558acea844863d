/*
 * Fills the databases of an authority that does not run, in one transaction each, for tests and measurements
 * with many members: populate STATE VO MEMBERS GROUPS ITERATIONS, the password on standard input. Members are
 * m1 to mN, each in a few of the groups /VO/g1 to /VO/gN; all have the password.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/verifier.h"
#include "base/clock.h"
#include "base/text.h"
#include "ca/conf.h"
#include "ca/membership.h"
#include "ca/verifiers.h"
#include "store/sql.h"
#include "testsupport/must.h"

#define GROUPS_EACH 3

static struct xos_err err = XOS_ERR_INIT;

static void add_groups(struct ca_membership *m, unsigned n, int64_t now)
{
	char name[XOS_FQAN_MAX + 1];

	for (unsigned i = 1; i <= n; i++) {
		MUST_TRUE(xos_str_printf(name, sizeof(name), "/%s/g%u", m->vo, i));
		MUST(ca_group_add(m, name, now, &err), &err);
	}
}

static void add_members(struct ca_membership *m, unsigned n, unsigned groups, int64_t now)
{
	char name[32], group[XOS_FQAN_MAX + 1];

	for (unsigned i = 1; i <= n; i++) {
		uint64_t number = 0;

		MUST_TRUE(xos_str_printf(name, sizeof(name), "m%u", i));
		MUST(ca_member_add(m, name, now, &number, &err), &err);
		for (unsigned g = 0; groups && g < GROUPS_EACH; g++) {
			MUST_TRUE(xos_str_printf(group, sizeof(group), "/%s/g%u", m->vo,
			    1 + (i * (2 * g + 1) + g) % groups));
			/* Two of the three may be the same. */
			enum xos_status st = ca_group_join(m, name, group, now, &err);
			MUST_TRUE(st == XOS_OK || st == XOS_CONFLICT);
		}
	}
}

static void add_verifiers(struct ca_verifiers *v, unsigned n, const char *text, int64_t now)
{
	char name[32];

	for (unsigned i = 1; i <= n; i++) {
		MUST_TRUE(xos_str_printf(name, sizeof(name), "m%u", i));
		MUST(xos_sql_run(v->store, NULL, &err,
		         "INSERT INTO verifiers (member, kind, verifier, changed)"
		         " VALUES (?1, 'password', ?2, ?3)",
		         "ssi", name, text, now),
		    &err);
	}
}

static unsigned number(const char *text)
{
	uint64_t n = 0;

	MUST_TRUE(xos_parse_u64(text, 10000000, &n));
	return (unsigned)n;
}

static void make_verifier(unsigned iterations, char text[XOS_SCRAM_VERIFIER_TEXT])
{
	struct xos_scram_verifier verifier;
	struct xos_secret *pw;
	char line[256];

	MUST_TRUE(fgets(line, sizeof(line), stdin));
	line[strcspn(line, "\n")] = '\0';
	pw = xos_secret_from(line, strlen(line));
	MUST(xos_scram_verifier_make(pw, iterations, &verifier, &err), &err);
	MUST(xos_scram_verifier_format(&verifier, text), &err);
	xos_secret_free(pw);
}

int main(int argc, char **argv)
{
	int64_t now = xos_clock_now();
	char text[XOS_SCRAM_VERIFIER_TEXT];
	struct ca_membership *m = NULL;
	struct ca_verifiers *v = NULL;
	struct ca_paths p;

	if (argc != 6) {
		fprintf(stderr, "populate STATE VO MEMBERS GROUPS ITERATIONS <PASSWORD\n");
		return 2;
	}
	unsigned members = number(argv[3]), groups = number(argv[4]);
	make_verifier(number(argv[5]), text);
	MUST(ca_paths_fill(argv[1], &p, &err), &err);
	MUST(ca_membership_open(p.membership, argv[2], false, false, &m, &err), &err);
	MUST(xos_store_begin(m->store, &err), &err);
	add_groups(m, groups, now);
	add_members(m, members, groups, now);
	MUST(xos_store_commit(m->store, &err), &err);
	ca_membership_close(m);
	MUST(ca_verifiers_open(p.verifiers, false, &v, &err), &err);
	MUST(xos_store_begin(v->store, &err), &err);
	add_verifiers(v, members, text, now);
	MUST(xos_store_commit(v->store, &err), &err);
	ca_verifiers_close(v);
	return 0;
}
