/* The small world, in which most statements concern most requests; and requests about it. */
#include "model.h"

const char *const attr_names[A_COUNT] = {"auth.age", "auth.method", "auth.mfa", "subject.is_owner",
    "ctx.src", "ctx.service", "job.wall", "job.cpu", "job.memory", "token.lifetime",
    "demo.licences", "resource.id"};

const char *const action_names[ACTIONS] = {"job.submit", "job.show", "job.cancel", "file.read",
    "file.write", "session.open", "token.issue", "token.delegate", "demo.annotate"};

const char *const own_kinds[OWN_KINDS] = {"file", "demo.dataset", "job"};

const struct m_node m_nodes[] = {
    {"lab", "n1", "c1", {"t1"}}, {"lab", "n2", "c2", {"t1", "t2"}}, {"far", "n1", NULL, {"t2"}}};
const size_t m_nnodes = sizeof(m_nodes) / sizeof(m_nodes[0]);

#define PICK(list) ((list)[below(sizeof(list) / sizeof((list)[0]))])

static void make_subject(struct m_request *r)
{
	static const char *const demo_groups[][3] = {{NULL}, {"/demo/a"}, {"/demo/a/x"},
	    {"/demo/b"}, {"/demo/a", "/demo/b"}, {"/demo", "/demo/a", "/demo/a/x"}, {"/demo/ab"}};
	static const char *const bio_groups[][3] = {{NULL}, {"/bio/x"}, {"/bio/x/y", "/bio/z"}};
	static const char *const methods[] = {NULL, "password", "krb5", "saml"};
	struct xos_policy_subject *s = &r->req.subject;
	if (once_in(12)) {
		*s = (struct xos_policy_subject){
		    .kind = XOS_SUBJECT_LOCAL, .member = "root", .auth_mfa = -1};
		return;
	}
	bool bio = once_in(4);
	if (once_in(9)) {
		static const char *const nodes[] = {"n1", "n1", "n2.lab.example", "n3"};
		static const char *const services[] = {
		    "data/n1", "data/n2.lab.example", "job/n1", "ca/n1"};
		bool node = below(2);
		*s = (struct xos_policy_subject){
		    .kind = node ? XOS_SUBJECT_NODE : XOS_SUBJECT_SERVICE,
		    .vo = bio ? "bio" : "demo",
		    .member = node ? PICK(nodes) : PICK(services),
		    .auth_mfa = -1};
		return;
	}
	*s = (struct xos_policy_subject){.kind = XOS_SUBJECT_MEMBER,
	    .vo = bio ? "bio" : "demo",
	    .member = bio ? (below(2) ? "carol" : "alice") : (below(3) ? "alice" : "bob"),
	    .groups = bio ? PICK(bio_groups) : PICK(demo_groups),
	    .home = below(2) ? "uni" : NULL,
	    .auth_method = PICK(methods),
	    .auth_mfa = (int)below(3) - 1};
	while (s->ngroups < 3 && s->groups[s->ngroups])
		s->ngroups++;
	const char *role = bio ? "/bio/Role=r" : "/demo/Role=r";
	s->roles = r->roles;
	s->held = r->held;
	if (below(2))
		r->roles[s->nroles++] = role;
	else if (below(2))
		r->held[s->nheld++] = role;
	if (once_in(3))
		r->held[s->nheld++] = bio ? "/bio/x/Role=s" : "/demo/a/Role=s";
	else if (once_in(3))
		r->roles[s->nroles++] = bio ? "/bio/x/Role=s" : "/demo/a/Role=s";
}

static void make_resource(struct m_request *r)
{
	static const char *const kinds[] = {
	    "node", "job", "job", "file", "file", "file", "session"};
	static const char *const ids[] = {NULL, "j1", "j2", "/d/f", "/dd", "/", "s1"};
	static const char *const nodes[] = {"n1", "n1", "n2", "n2", "n9", NULL};
	static const char *const owners[] = {"alice", "bob", "carol", NULL};
	struct xos_policy_resource *res = &r->req.resource;
	unsigned kind = below(7);
	*res = (struct xos_policy_resource){.kind = kinds[kind],
	    .id = ids[kind],
	    .site = once_in(6) ? "far" : "lab",
	    .node = PICK(nodes)};
	if (kind == 6 && below(2))
		res->id = NULL;
	if (kind == 0 && !res->node)
		res->kind = "site";
	if (strncmp(r->req.action, "token.", 6) == 0) {
		*res = (struct xos_policy_resource){.kind = "token"};
		return;
	}
	/* What a VO adds is at no site, unless the request says so. */
	if (strcmp(r->req.action, "demo.annotate") == 0 && below(2)) {
		*res = (struct xos_policy_resource){.kind = "demo.dataset",
		    .id = below(2) ? "d1" : NULL,
		    .site = below(2) ? "lab" : NULL};
		return;
	}
	if (kind == 0 || below(2))
		return;
	res->vo = once_in(3) ? "bio" : "demo";
	res->owner = PICK(owners);
}

/* Moments at which something changes: midnights, ends of windows, summer time. */
static int64_t make_now(void)
{
	static const int64_t edges[] = {NOON, 1774746000 /* 2026-03-29T01:00Z */,
	    1792890000 /* 2026-10-25T01:00Z */, 1772953200 /* 2026-03-08T07:00Z */,
	    1793512800 /* 2026-11-01T06:00Z */, 1798761600 /* 2027-01-01T00:00Z */};
	switch (below(4)) {
	case 0:
		return NOON;
	case 1:
		return PICK(edges) + (int64_t)below(13) * 1800 - 3 * 3600;
	case 2:
		return PICK(edges) + (int64_t)below(3) - 1;
	default: /* some minute of the years from 1990 on */
		return INT64_C(631152000) + (int64_t)below(50) * 31556952 +
		       (int64_t)below(256) * 123420 + (int64_t)below(60) * 60;
	}
}

static void give(struct m_request *r, enum m_attr attr, enum xos_policy_type type, int64_t number,
    const char *text)
{
	if (below(4))
		r->values[r->req.nvalues++] =
		    (struct xos_policy_value){attr_names[attr], type, number, text};
}

static void make_values(struct m_request *r)
{
	static const char *const addresses[] = {
	    "10.1.2.3", "10.200.0.1", "11.1.2.3", "192.0.2.77", "2001:db8::7", "::ffff:10.1.2.3"};
	static const char *const services[] = {"sshd", "jobd", "datad", "ssh"};
	r->req.values = r->values;
	give(r, A_SRC, XOS_POLICY_IP, 0, PICK(addresses));
	give(r, A_SERVICE, XOS_POLICY_STRING, 0, PICK(services));
	give(r, A_LICENCES, XOS_POLICY_NUMBER, (int64_t)below(5), NULL);
	if (strncmp(r->req.action, "job.", 4) == 0) {
		give(r, A_WALL, XOS_POLICY_DURATION, 3600 * (int64_t)below(5), NULL);
		give(r, A_CPU, XOS_POLICY_NUMBER, (int64_t)below(5), NULL);
		give(r, A_MEMORY, XOS_POLICY_SIZE, (int64_t)below(4) << 30, NULL);
	} else if (strncmp(r->req.action, "token.", 6) == 0) {
		give(r, A_LIFETIME, XOS_POLICY_DURATION, 3600 * (int64_t)below(5), NULL);
	}
}

void make_request(struct m_request *r)
{
	*r = (struct m_request){.req = {.nchain = 0}};
	r->req.action = below(2) ? "job.submit" : action_names[below(ACTIONS)];
	r->req.now = make_now();
	make_subject(r);
	make_resource(r);
	if (r->req.subject.kind == XOS_SUBJECT_LOCAL && !r->req.resource.site)
		r->req.resource.site = "lab";
	if (r->req.subject.kind == XOS_SUBJECT_MEMBER)
		r->req.subject.auth_time = below(4) ? r->req.now - (int64_t)below(5) * 3600 : 0;
	/* Of a later version than all sets here: only "any" of what narrows is about it. */
	if (r->req.resource.site && once_in(25))
		r->req.action = "token.stock";
	make_values(r);
}
