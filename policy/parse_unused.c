/*
 * Templates that nothing uses are read once at the end of the set, so that no text is in force that
 * nobody could ever use. There are no arguments, so some are made up: of the type of the parameter,
 * and of several forms, as an argument may be a value or a named set. A statement is good if it can be
 * read with one form of each; what it would mean is not asked.
 */
#include <string.h>

#include "policy/parser.h"

#define FORMS 9

static const char *const forms[XOS_PARAMETER_TYPES][FORMS] = {
    [XOS_PARAMETER_PRINCIPAL] = {"group /demo/x", "$-"},
    [XOS_PARAMETER_ACTION] = {"job.submit", "$-"},
    [XOS_PARAMETER_PLACE] = {"tag:xos-made-up", "$-"},
    [XOS_PARAMETER_NUMBER] = {"1", "$-"},
    [XOS_PARAMETER_DURATION] = {"1h", "$-"},
    [XOS_PARAMETER_SIZE] = {"1GiB", "$-"},
    [XOS_PARAMETER_STRING] = {"\"x\"", "x", "$-", "/demo/x", "/demo/Role=x", "demo:x", "job.submit",
        "tag:xos-made-up"},
    [XOS_PARAMETER_PREFIX] = {"192.0.2.0/24", "$-"},
    [XOS_PARAMETER_WINDOW] = {"mon-fri 08:00-20:00 UTC"},
};

struct trial {
	struct xos_use use;
	unsigned form[XOS_POLICY_PARAMETERS_MAX];
	struct xos_names made_up[XOS_POLICY_PARAMETERS_MAX];
	struct xos_policy_parser *p;
	/* Before the statement. */
	struct xos_policy_lexer lexer;
	struct xos_policy_token t;
	char word[XOS_POLICY_WORD_MAX + 1];
	size_t nerrors, total;
	enum xos_status status;
};

static struct xos_policy_lexer lexer_of(const char *text)
{
	return (struct xos_policy_lexer){.text = text, .len = strlen(text)};
}

/* The named set that stands for an argument holds one value. */
static void make_up(struct trial *tr, size_t i)
{
	static const enum xos_names_kind kinds[XOS_PARAMETER_TYPES] = {
	    [XOS_PARAMETER_PRINCIPAL] = XOS_NAMES_WHOS,
	    [XOS_PARAMETER_ACTION] = XOS_NAMES_ACTIONS,
	    [XOS_PARAMETER_PLACE] = XOS_NAMES_PLACES,
	    [XOS_PARAMETER_NUMBER] = XOS_NAMES_NUMBERS,
	    [XOS_PARAMETER_DURATION] = XOS_NAMES_NUMBERS,
	    [XOS_PARAMETER_SIZE] = XOS_NAMES_NUMBERS,
	    [XOS_PARAMETER_STRING] = XOS_NAMES_STRINGS,
	    [XOS_PARAMETER_PREFIX] = XOS_NAMES_PREFIXES};
	enum xos_parameter_type type = tr->use.template->params[i].type;
	struct xos_names *names = &tr->made_up[i];
	*names = (struct xos_names){.name = tr->use.template->params[i].name};
	if (type == XOS_PARAMETER_WINDOW)
		return;
	names->kind = kinds[type];
	names->type = type == XOS_PARAMETER_DURATION ? XOS_POLICY_DURATION
	              : type == XOS_PARAMETER_SIZE   ? XOS_POLICY_SIZE
	                                             : XOS_POLICY_NUMBER;
	tr->p->nodes = 0;
	tr->p->lexer = lexer_of(forms[type][0]);
	xos_parser_next(tr->p);
	if (xos_parser_list_add(tr->p, names))
		xos_parser_list_end(names);
}

static void set_form(struct trial *tr, size_t i, unsigned form)
{
	tr->form[i] = form;
	tr->use.args[i] = lexer_of(forms[tr->use.template->params[i].type][form]);
}

static void remember(struct trial *tr)
{
	const struct xos_policy_parser *p = tr->p;
	tr->lexer = p->lexer;
	tr->t = p->t;
	memcpy(tr->word, p->word, sizeof(tr->word));
	tr->nerrors = p->errs->n;
	tr->total = p->errs->total;
	tr->status = p->status;
}

static void go_back(struct trial *tr)
{
	struct xos_policy_parser *p = tr->p;
	p->lexer = tr->lexer;
	p->t = tr->t;
	memcpy(p->word, tr->word, sizeof(p->word));
	p->errs->n = tr->nerrors;
	p->errs->total = tr->total;
	p->status = tr->status;
	p->braces = 0;
	p->use->in_arg = false;
}

/* Reads the statement; true: another form of the argument at the error may be tried. */
static bool attempt(struct trial *tr, bool *ok)
{
	struct xos_policy_parser *p = tr->p;
	tr->use.at_param = false;
	*ok = xos_parser_item(p);
	if (p->errs->total == tr->total || p->status == XOS_INTERNAL || p->status == XOS_LIMIT ||
	    !tr->use.at_param)
		return false;
	size_t i = tr->use.param;
	unsigned next = tr->form[i] + 1;
	size_t end = tr->use.in_arg ? tr->use.body.at : p->lexer.at;
	p->retried += end - tr->lexer.at + 1;
	if (next == FORMS || !forms[tr->use.template->params[i].type][next] ||
	    p->retried > XOS_POLICY_EXPANDED_MAX)
		return false;
	set_form(tr, i, next);
	return true;
}

static void read_statement(struct trial *tr)
{
	struct xos_policy_parser *p = tr->p;
	const struct xos_template *t = tr->use.template;
	size_t start = p->lexer.at;
	bool ok;
	remember(tr);
	for (size_t i = 0; i < t->nparams; i++)
		set_form(tr, i, 0);
	while (attempt(tr, &ok))
		go_back(tr);
	if (!ok)
		xos_parser_skip(p, start);
}

static void read_body(struct trial *tr)
{
	struct xos_policy_parser *p = tr->p;
	p->use = &tr->use;
	p->lexer = tr->use.template->body;
	p->braces = 0;
	p->t = (struct xos_policy_token){.kind = XOS_TOKEN_END};
	xos_parser_next(p);
	while (p->t.kind != XOS_TOKEN_END && p->errs->total < XOS_POLICY_ERRORS_MAX &&
	       p->status != XOS_INTERNAL && p->status != XOS_LIMIT)
		read_statement(tr);
	p->use = NULL;
}

static void read_template(struct xos_policy_parser *p, struct xos_template *t)
{
	struct trial tr = {.use = {.template = t, .trial = true}, .p = p};
	tr.use.made_up = tr.made_up;
	for (size_t i = 0; i < t->nparams; i++)
		make_up(&tr, i);
	read_body(&tr);
}

void xos_parser_unused(struct xos_policy_parser *p)
{
	bool used[XOS_POLICY_NAMES_MAX] = {false};
	const struct xos_policy_lexer outer = p->lexer;
	const struct xos_policy_token last = p->t;
	const size_t nzones = p->set->nzones;
	const unsigned braces = p->braces;
	for (size_t i = 0; i < p->nnames; i++)
		used[i] = p->names[i].used;
	for (size_t i = 0; i < p->ntemplates; i++)
		if (!p->templates[i].used && p->status != XOS_INTERNAL && p->status != XOS_LIMIT)
			read_template(p, &p->templates[i]);
	/* Nothing of it is said by the set. */
	for (size_t i = 0; i < p->nnames; i++)
		p->names[i].used = used[i];
	p->set->nzones = nzones;
	p->lexer = outer;
	p->t = last;
	p->braces = braces;
	p->word[0] = 0;
}
