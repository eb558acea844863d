#include "ca/membership/schema.h"

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
    /* The life of the VO and of memberships. 253402300799: no end. */
    "ALTER TABLE vo ADD COLUMN title TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE vo ADD COLUMN contact TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE vo ADD COLUMN model TEXT NOT NULL DEFAULT 'administered';"
    "ALTER TABLE vo ADD COLUMN ends BIGINT NOT NULL DEFAULT 253402300799;"
    "ALTER TABLE vo ADD COLUMN closed BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE vo ADD COLUMN invited_life BIGINT NOT NULL DEFAULT 31536000;"
    "ALTER TABLE vo ADD COLUMN rules BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE vo ADD COLUMN sealed BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE vo ADD COLUMN unsealed BIGINT NOT NULL DEFAULT 0;"
    "CREATE TABLE rules (version INTEGER PRIMARY KEY, since BIGINT NOT NULL,"
    " digest BLOB NOT NULL, text TEXT NOT NULL);"
    "ALTER TABLE members ADD COLUMN kind TEXT NOT NULL DEFAULT 'person';"
    "ALTER TABLE members ADD COLUMN until BIGINT NOT NULL DEFAULT 253402300799;"
    "ALTER TABLE members ADD COLUMN reason TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE members ADD COLUMN contact TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE members ADD COLUMN rules BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE members ADD COLUMN sponsor INTEGER REFERENCES members (number);"
    "ALTER TABLE members ADD COLUMN owner INTEGER REFERENCES members (number);"
    "ALTER TABLE members ADD COLUMN restriction BLOB;"
    "CREATE INDEX members_sponsor ON members (sponsor);"
    "CREATE INDEX members_owner ON members (owner);"
    "ALTER TABLE vo_groups ADD COLUMN about TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE applications (id TEXT PRIMARY KEY, name TEXT NOT NULL, contact TEXT NOT NULL,"
    " text TEXT NOT NULL, address TEXT NOT NULL, at BIGINT NOT NULL, secret BLOB NOT NULL,"
    " state TEXT NOT NULL DEFAULT 'pending', message TEXT NOT NULL DEFAULT '',"
    " decided BIGINT NOT NULL DEFAULT 0);"
    "CREATE INDEX applications_address ON applications (address, state);"
    "CREATE INDEX applications_state ON applications (state, id);"
    "CREATE TABLE invitations (name TEXT PRIMARY KEY,"
    " sponsor INTEGER NOT NULL REFERENCES members (number), at BIGINT NOT NULL,"
    " until BIGINT NOT NULL, ends BIGINT NOT NULL, life BIGINT NOT NULL, groups TEXT NOT NULL,"
    " contact TEXT NOT NULL);"
    "CREATE INDEX invitations_sponsor ON invitations (sponsor);",
    /* What members granted to jobs. spki: SHA-256 of the job's; token: the serial of the one that signed. */
    "CREATE TABLE grants (id TEXT PRIMARY KEY,"
    " number BIGINT NOT NULL REFERENCES members (number), node TEXT NOT NULL, spki BLOB NOT NULL,"
    " actor TEXT NOT NULL, depth BIGINT NOT NULL, restriction BLOB NOT NULL, roles TEXT NOT NULL,"
    " method TEXT NOT NULL, authenticated BIGINT NOT NULL, mfa BIGINT NOT NULL,"
    " token TEXT NOT NULL, issued BIGINT NOT NULL, ends BIGINT NOT NULL, digest BLOB NOT NULL,"
    " registered BIGINT NOT NULL, revoked BIGINT NOT NULL DEFAULT 0,"
    " reason TEXT NOT NULL DEFAULT '', renewals BIGINT NOT NULL DEFAULT 0,"
    " renewed BIGINT NOT NULL DEFAULT 0, not_after BIGINT NOT NULL DEFAULT 0);"
    "CREATE INDEX grants_number ON grants (number, ends);"
    "CREATE INDEX grants_ends ON grants (ends);"
    "CREATE INDEX grants_token ON grants (token);",
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
    /* Of applications for membership, until they are decided. */
    "CREATE TABLE applied (id TEXT PRIMARY KEY, verifier TEXT NOT NULL);",
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
