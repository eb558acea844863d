/* The answer in words. */
#include <string.h>

#include "policy/ast.h"
#include "policy/decide.h"

/* Strings up to a NULL: answers are made often, and printf is most of what they take. */
static void put_strings(struct xos_buf *out, const char *const *s)
{
	for (; *s; s++)
		xos_buf_put_str(out, *s);
}
#define PUT(out, ...) put_strings(out, (const char *const[]){__VA_ARGS__, NULL})

static void put_level(struct xos_buf *out, enum xos_policy_level level, const char *name)
{
	static const char *const words[XOS_POLICY_LEVELS] = {
	    "the VO", "the group", "the site", "the node", "the owner", "the delegation"};
	xos_buf_put_str(out, words[level]);
	if (name[0])
		PUT(out, level == XOS_POLICY_DELEGATION ? " by " : " ", name);
}

static void put_statement(struct xos_buf *out, const struct xos_policy_statement *s)
{
	xos_buf_put_str(out, "statement ");
	xos_policy_statement_label(s, out);
	xos_buf_put_str(out, ", ");
	xos_policy_statement_head(s, out);
}

/* What people write often ends its sentence already. */
static void put_sentence(struct xos_buf *out, const char *s)
{
	size_t n = strlen(s);
	PUT(out, " ", s, n && strchr(".!?", s[n - 1]) ? NULL : ".");
}

static void put_contact(struct xos_buf *out, const struct xos_policy_statement *s)
{
	if (s->contact)
		PUT(out, " Contact ", s->contact, ".");
}

static void put_unknown(const struct xos_policy_answer *a, struct xos_buf *out)
{
	for (size_t i = 0; i < a->nunknown; i++)
		PUT(out, i ? ", " : " Not known: ", a->unknown[i]);
	if (a->nunknown)
		xos_buf_put_str(out, ".");
}

static void put_way_out(const struct xos_policy_answer *a, struct xos_buf *out)
{
	for (size_t i = 0; i < a->nway_out; i++)
		PUT(out, i ? " or " : " It would be permitted with the role ", a->way_out[i]);
	if (a->nway_out)
		xos_buf_put_str(out, ", which you hold: log in with it.");
}

static void put_change(const struct xos_policy_answer *a, struct xos_buf *out)
{
	switch (a->change.change) {
	case XOS_CHANGE_NONE:
		return;
	case XOS_CHANGE_CONTINUE:
		xos_buf_put_str(out, " What runs already may go on.");
		return;
	case XOS_CHANGE_DRAIN:
		xos_buf_put_str(out, " What runs already may end; nothing new begins.");
		return;
	case XOS_CHANGE_STOP:
		xos_buf_put_str(out, " What runs already is stopped after ");
		xos_policy_number_print(out, XOS_POLICY_DURATION, a->change.after);
		xos_buf_put_str(out, ".");
		return;
	}
}

static const char *refused(const struct xos_policy_answer *a)
{
	return a->decision == XOS_POLICY_DENIED ? "Refused" : "Not decided, and so refused";
}

static void explain_fired(const struct xos_policy_answer *a, const struct xos_policy_fired *f,
    const char *how, struct xos_buf *out)
{
	const struct xos_policy_statement *s = f->statement;
	PUT(out, refused(a), " by ");
	put_level(out, f->level, s->set->name);
	xos_buf_put_str(out, " (");
	put_statement(out, s);
	xos_buf_put_str(out, ")");
	if (s->because) {
		xos_buf_put_str(out, ":");
		put_sentence(out, s->because);
	} else {
		xos_buf_put_str(out, f->unknown ? ": whether it applies is not known." : how);
	}
	put_contact(out, s);
}

static void explain_limit(const struct xos_policy_answer *a, struct xos_buf *out)
{
	for (size_t i = 0; i < a->nlimits; i++) {
		const struct xos_policy_limit *l = &a->limits[i];
		if (l->cap != XOS_CAP_ACCOUNT_CLASS || l->nnames)
			continue;
		xos_buf_printf(out, "%s: the limits on %s leave nothing (last ", refused(a),
		    xos_policy_cap_info(l->cap)->name);
		put_statement(out, l->from);
		xos_buf_put_str(out, ").");
		put_contact(out, l->from);
		return;
	}
	xos_buf_printf(out, "%s.",
	    a->decision == XOS_POLICY_DENIED ? "Refused: nobody permits it"
	                                     : "Not decided, and so refused");
}

static void explain_stand(
    const struct xos_policy_answer *a, const struct xos_policy_verdict *v, struct xos_buf *out)
{
	PUT(out, refused(a), ": ");
	put_level(out, v->level, v->name);
	if (v->level == XOS_POLICY_OWNER && v->stand == XOS_STAND_LACKS) {
		xos_buf_put_str(out, " has not permitted others to do this.");
	} else if (v->stand == XOS_STAND_MISSING && v->serial) {
		xos_buf_printf(out,
		    " has a policy (serial %llu) that is not valid now; "
		    "it must be fetched anew.",
		    (unsigned long long)v->serial);
	} else if (v->stand == XOS_STAND_MISSING) {
		xos_buf_put_str(out, " has no policy here; none was fetched, or it was refused.");
	} else if (v->stand == XOS_STAND_UNKNOWN) {
		xos_buf_put_str(out, " would permit it (");
		put_statement(out, v->by);
		xos_buf_put_str(out, "), but not all that its condition needs is known.");
	} else {
		xos_buf_put_str(out, " has no statement that permits it.");
	}
}

/* The reason that tells most: something said on purpose goes before something nobody said. */
static void explain_refusal(const struct xos_policy_answer *a, struct xos_buf *out)
{
	for (int unknown = 0; unknown < 2; unknown++) {
		for (size_t i = 0; i < a->nforbids; i++)
			if (a->forbids[i].unknown == unknown) {
				explain_fired(a, &a->forbids[i], ".", out);
				return;
			}
		for (size_t i = 0; i < a->nchecks; i++)
			if (a->checks[i].unknown == unknown) {
				explain_fired(a, &a->checks[i], ": the check does not pass.", out);
				return;
			}
		for (size_t i = 0; i < a->nlevels; i++) {
			enum xos_policy_stand stand = a->levels[i].stand;
			if (unknown ? stand == XOS_STAND_UNKNOWN || stand == XOS_STAND_MISSING
			            : stand == XOS_STAND_LACKS) {
				explain_stand(a, &a->levels[i], out);
				return;
			}
		}
	}
	explain_limit(a, out);
}

static void explain_permit(const struct xos_policy_answer *a, struct xos_buf *out)
{
	const char *between = "Permitted by ";
	for (size_t i = 0; i < a->nlevels; i++) {
		if (a->levels[i].stand != XOS_STAND_GRANTS)
			continue;
		xos_buf_put_str(out, between);
		put_level(out, a->levels[i].level, a->levels[i].name);
		xos_buf_put_str(out, " (statement ");
		xos_policy_statement_label(a->levels[i].by, out);
		xos_buf_put_str(out, ")");
		between = " and ";
	}
	xos_buf_put_str(out, ".");
	for (size_t i = 0; i < a->nlimits; i++) {
		const struct xos_policy_limit *l = &a->limits[i];
		PUT(out, i ? ", " : " Within: ", xos_policy_cap_info(l->cap)->name, " ");
		if (xos_policy_cap_is_set(l->cap))
			for (size_t j = 0; j < l->nnames; j++)
				PUT(out, j ? " or " : "", l->names[j]);
		else
			xos_policy_number_print(out, xos_policy_cap_info(l->cap)->type, l->number);
		xos_buf_put_str(out, " (");
		xos_policy_statement_label(l->from, out);
		xos_buf_put_str(out, ")");
	}
	if (a->nlimits)
		xos_buf_put_str(out, ".");
	for (size_t i = 0; i < a->nduties; i++)
		PUT(out, i ? ", " : " Duties: ", a->duties[i].name, a->duties[i].arg ? " " : NULL,
		    a->duties[i].arg);
	if (a->nduties)
		xos_buf_put_str(out, ".");
}

void xos_policy_answer_explain(const struct xos_policy_answer *a, struct xos_buf *out)
{
	if (a->problem) {
		xos_buf_printf(out, "Not decided, and so refused: %s.", a->problem);
	} else if (!a->nlevels) {
		xos_buf_put_str(
		    out, "Not decided, and so refused: the decision could not be made.");
	} else if (a->decision == XOS_POLICY_PERMITTED) {
		explain_permit(a, out);
	} else {
		explain_refusal(a, out);
		put_unknown(a, out);
		put_way_out(a, out);
		put_change(a, out);
	}
}

static void put_decider(struct xos_buf *out, const char **between, enum xos_policy_level level,
    const struct xos_policy_statement *s)
{
	xos_buf_put_str(out, *between);
	if (level != XOS_POLICY_DELEGATION)
		PUT(out, xos_policy_level_name(level), " ");
	else if (s->set->name[0])
		xos_buf_put_str(out, "delegation ");
	xos_policy_statement_label(s, out);
	*between = ", ";
}

void xos_policy_answer_deciders(const struct xos_policy_answer *a, struct xos_buf *out)
{
	const char *between = "";
	bool permitted = a->decision == XOS_POLICY_PERMITTED;
	for (size_t i = 0; permitted && i < a->nlevels; i++)
		if (a->levels[i].stand == XOS_STAND_GRANTS)
			put_decider(out, &between, a->levels[i].level, a->levels[i].by);
	for (size_t i = 0; i < a->nforbids; i++)
		put_decider(out, &between, a->forbids[i].level, a->forbids[i].statement);
	for (size_t i = 0; i < a->nchecks; i++)
		put_decider(out, &between, a->checks[i].level, a->checks[i].statement);
	for (size_t i = 0; !permitted && i < a->nlevels; i++) {
		const struct xos_policy_verdict *v = &a->levels[i];
		if (v->stand != XOS_STAND_LACKS && v->stand != XOS_STAND_MISSING)
			continue;
		PUT(out, between, xos_policy_level_name(v->level), " ", v->name,
		    v->stand == XOS_STAND_LACKS ? " lacks a permit" : " has no valid policy");
		between = ", ";
	}
}
