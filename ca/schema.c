#include "ca/schema.h"

#include "api/once.h"

/*
 * Append only: a migration that was released is never edited. Texts are UTF-8, times are seconds since 1970,
 * booleans are not used; what stands here runs on PostgreSQL too.
 */
static const char *const membership[] = {
    "CREATE TABLE vo (name TEXT PRIMARY KEY, created BIGINT NOT NULL);"
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);"
    "INSERT INTO counters VALUES ('member', 0);"
    "INSERT INTO counters VALUES ('group', 0);"
    "INSERT INTO counters VALUES ('place', 0);"
    "INSERT INTO counters VALUES ('act', 0);"
    "INSERT INTO counters VALUES ('roster', 0);"
    "INSERT INTO counters VALUES ('locks', 0);"
    "CREATE TABLE members (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'removed')),"
    " added BIGINT NOT NULL, ended BIGINT);"
    "CREATE TABLE vo_groups (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " added BIGINT NOT NULL);"
    "CREATE TABLE memberships ("
    " number INTEGER NOT NULL REFERENCES members (number),"
    " grp INTEGER NOT NULL REFERENCES vo_groups (id),"
    " place BIGINT NOT NULL, since BIGINT NOT NULL, PRIMARY KEY (number, grp));"
    "CREATE INDEX memberships_grp ON memberships (grp);"
    "CREATE TABLE roles (number INTEGER NOT NULL REFERENCES members (number),"
    " role TEXT NOT NULL, since BIGINT NOT NULL, PRIMARY KEY (number, role));"
    "CREATE INDEX roles_role ON roles (role);"
    "CREATE TABLE locks (id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,"
    " since BIGINT NOT NULL, until BIGINT NOT NULL, message TEXT NOT NULL, UNIQUE (kind, name));"
    "CREATE TABLE acts (id INTEGER PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL,"
    " number INTEGER NOT NULL, verb TEXT NOT NULL, args TEXT NOT NULL, jti TEXT NOT NULL,"
    " digest BLOB NOT NULL);" XOS_ONCE_SCHEMA,
    /* Groups whose members need a second factor to log in, from a time on. */
    "CREATE TABLE totp_required (grp TEXT PRIMARY KEY, since BIGINT NOT NULL, demanded BIGINT NOT "
    "NULL);",
};

static const char *const verifiers[] = {
    "CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL);"
    "CREATE TABLE verifiers (member TEXT PRIMARY KEY, verifier TEXT NOT NULL,"
    " changed BIGINT NOT NULL);"
    "CREATE TABLE prepared (jti TEXT PRIMARY KEY, member TEXT NOT NULL, verifier TEXT);",
    /* One secret of each kind a member, some with an end. */
    "CREATE TABLE verifiers_2 (member TEXT NOT NULL, kind TEXT NOT NULL, verifier TEXT NOT NULL,"
    " until BIGINT, changed BIGINT NOT NULL, PRIMARY KEY (member, kind));"
    "INSERT INTO verifiers_2 (member, kind, verifier, changed)"
    " SELECT member, 'password', verifier, changed FROM verifiers;"
    "DROP TABLE verifiers;"
    "ALTER TABLE verifiers_2 RENAME TO verifiers;"
    "ALTER TABLE prepared ADD COLUMN kind TEXT NOT NULL DEFAULT 'password';"
    "ALTER TABLE prepared ADD COLUMN until BIGINT;",
    /* Kind totp: the last step that was used. */
    "ALTER TABLE verifiers ADD COLUMN used BIGINT; ALTER TABLE prepared ADD COLUMN used BIGINT;",
};

void ca_schema_membership(struct xos_store_options *o)
{
	o->migrations = membership;
	o->nmigrations = sizeof(membership) / sizeof(membership[0]);
}

void ca_schema_verifiers(struct xos_store_options *o)
{
	o->migrations = verifiers;
	o->nmigrations = sizeof(verifiers) / sizeof(verifiers[0]);
}
