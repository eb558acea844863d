/*
 * Templates: template batch($who principal, $max duration) { ... }, and use @course batch(...);
 * A use reads the text of the template again, with the arguments where the parameters stand. Nothing
 * nests, so that a use costs what the template's text and the arguments are long.
 */
#include <stdio.h>
#include <string.h>

#include "policy/parser.h"

static const char *const type_words[XOS_PARAMETER_TYPES] = {[XOS_PARAMETER_PRINCIPAL] = "principal",
    [XOS_PARAMETER_ACTION] = "action",
    [XOS_PARAMETER_PLACE] = "place",
    [XOS_PARAMETER_NUMBER] = "number",
    [XOS_PARAMETER_DURATION] = "duration",
    [XOS_PARAMETER_SIZE] = "size",
    [XOS_PARAMETER_STRING] = "string",
    [XOS_PARAMETER_PREFIX] = "prefix",
    [XOS_PARAMETER_WINDOW] = "time-window"};

static const char *type_word(size_t i)
{
	return i < XOS_PARAMETER_TYPES ? type_words[i] : NULL;
}

static const char usage[] = "write template batch($who principal, $max duration) { ... }";

static bool parse_parameter(struct xos_policy_parser *p, struct xos_template *t)
{
	char hint[80];
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (p->t.kind != XOS_TOKEN_NAME || !xos_policy_word_ok(p->word))
		return xos_parser_error(p, NULL, usage, "expected a parameter such as $who");
	for (size_t i = 0; i < t->nparams; i++)
		if (strcmp(t->params[i].name, p->word) == 0)
			return xos_parser_error(
			    p, NULL, NULL, "the parameter $%.60s twice", p->word);
	/* Or a reader could not tell which of the two is meant. */
	if (xos_name_find(&p->name_table, p->word)->name)
		return xos_parser_error(
		    p, NULL, "take another name", "$%.60s is a named set", p->word);
	if (t->nparams == XOS_POLICY_PARAMETERS_MAX)
		return xos_parser_error(
		    p, NULL, NULL, "more than %u parameters", XOS_POLICY_PARAMETERS_MAX);
	struct xos_parameter *param = &t->params[t->nparams++];
	param->name = xos_parser_keep(p);
	if (!param->name)
		return false;
	xos_parser_next(p);
	unsigned type = 0;
	while (type < XOS_PARAMETER_TYPES && !xos_parser_is(p, type_words[type]))
		type++;
	if (type == XOS_PARAMETER_TYPES)
		return xos_parser_error(p, NULL,
		    xos_parser_suggest(hint, sizeof(hint), p->word,
		        "types: principal, action, place, number, duration, size, string, prefix, "
		        "time-window",
		        type_word),
		    "'%.*s' is not a type of parameter", xos_parser_shown(p), xos_parser_text(p));
	param->type = (enum xos_parameter_type)type;
	xos_parser_next(p);
	return true;
}

static bool parse_parameters(struct xos_policy_parser *p, struct xos_template *t)
{
	if (!xos_parser_expect(p, "(", usage))
		return false;
	if (xos_parser_accept(p, ")"))
		return true;
	do {
		if (!parse_parameter(p, t))
			return false;
	} while (xos_parser_accept(p, ","));
	return xos_parser_expect(p, ")", "parameters are separated by commas");
}

/* The body is remembered as a stretch of the text and read where it is used. */
static bool skip_body(struct xos_policy_parser *p, struct xos_template *t)
{
	if (!xos_parser_is(p, "{"))
		return xos_parser_expect(p, "{", usage);
	unsigned outside = p->braces;
	t->body = p->lexer;
	xos_parser_next(p);
	while (!(xos_parser_is(p, "}") && p->braces == outside + 1)) {
		if (p->t.kind == XOS_TOKEN_ERROR)
			return false;
		if (p->t.kind == XOS_TOKEN_END)
			return xos_parser_error(
			    p, &t->at, NULL, "the template %s does not end", t->name);
		xos_parser_next(p);
	}
	t->body.len = p->t.start;
	xos_parser_next(p);
	xos_parser_accept(p, ";");
	return true;
}

bool xos_parser_template(struct xos_policy_parser *p)
{
	struct xos_template t = {.name = NULL};
	xos_parser_next(p);
	t.at = p->t;
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	if (p->t.kind != XOS_TOKEN_WORD || !xos_policy_word_ok(p->word))
		return xos_parser_error(p, NULL, usage, "expected the name of the template");
	struct xos_name_slot *slot = xos_name_find(&p->template_table, p->word);
	if (slot->name)
		return xos_parser_error(
		    p, NULL, NULL, "the template %.60s is there already", p->word);
	t.name = xos_parser_keep(p);
	if (!t.name)
		return false;
	xos_parser_next(p);
	if (!parse_parameters(p, &t) || !skip_body(p, &t))
		return false;
	if (p->ntemplates == XOS_POLICY_NAMES_MAX) {
		/* It is read to its end: nothing to skip. */
		xos_parser_error(p, &t.at, NULL, "more than %u templates", XOS_POLICY_NAMES_MAX);
		return true;
	}
	struct xos_template *list =
	    xos_policy_memory_grow(p->set->memory, p->templates, p->ntemplates, sizeof(t));
	if (!list)
		return xos_parser_memory(p);
	p->templates = list;
	*slot = (struct xos_name_slot){t.name, (uint16_t)p->ntemplates};
	list[p->ntemplates++] = t;
	return true;
}

static bool check_argument(struct xos_policy_parser *p, enum xos_parameter_type type)
{
	static const enum xos_policy_type numbers[XOS_PARAMETER_TYPES] = {
	    [XOS_PARAMETER_NUMBER] = XOS_POLICY_NUMBER,
	    [XOS_PARAMETER_DURATION] = XOS_POLICY_DURATION,
	    [XOS_PARAMETER_SIZE] = XOS_POLICY_SIZE};
	struct xos_names list = {.kind = XOS_NAMES_WHOS};
	struct xos_policy_window window;
	uint64_t mask = 0;
	p->nodes = 0;
	switch (type) {
	case XOS_PARAMETER_PRINCIPAL:
		return xos_parser_list_add(p, &list);
	case XOS_PARAMETER_ACTION:
		return xos_parser_action(p, &mask);
	case XOS_PARAMETER_PLACE:
		list.kind = XOS_NAMES_PLACES;
		return xos_parser_list_add(p, &list);
	case XOS_PARAMETER_NUMBER:
	case XOS_PARAMETER_DURATION:
	case XOS_PARAMETER_SIZE:
		list.kind = XOS_NAMES_NUMBERS;
		list.type = numbers[type];
		return xos_parser_list_add(p, &list);
	case XOS_PARAMETER_STRING:
		list.kind = XOS_NAMES_STRINGS;
		return xos_parser_list_add(p, &list);
	case XOS_PARAMETER_PREFIX:
		list.kind = XOS_NAMES_PREFIXES;
		return xos_parser_list_add(p, &list);
	case XOS_PARAMETER_WINDOW:
		return xos_parser_window(p, &window);
	case XOS_PARAMETER_TYPES:
		break;
	}
	return false;
}

static bool parse_arguments(struct xos_policy_parser *p, struct xos_use *use)
{
	const struct xos_template *t = use->template;
	if (!xos_parser_expect(p, "(", "write use batch(group /demo/course, 4h);"))
		return false;
	for (size_t i = 0; i < t->nparams; i++) {
		if (i && !xos_parser_expect(p, ",", "arguments are separated by commas"))
			return false;
		struct xos_policy_lexer *arg = &use->args[i];
		*arg = p->lexer;
		arg->at = p->t.start;
		arg->line = p->t.line;
		arg->line_start = p->t.start - (p->t.col - 1);
		if (!check_argument(p, t->params[i].type))
			return false;
		arg->len = p->last_end;
	}
	if (xos_parser_is(p, ","))
		return xos_parser_error(
		    p, NULL, NULL, "%s has %zu parameters, not more", t->name, t->nparams);
	return xos_parser_expect(p, ")", "arguments are separated by commas") &&
	       xos_parser_expect(p, ";", "a use ends with ';'");
}

static const char *template_hint(const struct xos_policy_parser *p, char *buf, size_t cap)
{
	if (p->ntemplates != 1)
		return "write template NAME(...) { ... } above its first use";
	snprintf(buf, cap, "the only template here is %.40s", p->templates[0].name);
	return buf;
}

static bool spend(struct xos_policy_parser *p, size_t bytes)
{
	p->expanded += bytes;
	if (p->expanded <= XOS_POLICY_EXPANDED_MAX)
		return true;
	xos_parser_error(p, NULL, "split the set",
	    "the uses of templates amount to more than %u bytes of text", XOS_POLICY_EXPANDED_MAX);
	p->status = XOS_LIMIT;
	return false;
}

bool xos_parser_parameter(struct xos_policy_parser *p)
{
	struct xos_use *use = p->use;
	const struct xos_template *t = use->template;
	for (size_t i = 0; i < t->nparams && !use->in_arg; i++) {
		if (strcmp(t->params[i].name, p->word) != 0)
			continue;
		if (!use->trial && !spend(p, use->args[i].len - use->args[i].at))
			return false;
		use->param_at = p->t;
		use->param = i;
		use->body = p->lexer;
		use->in_arg = true;
		p->lexer = use->args[i];
		return true;
	}
	return false;
}

static void expand(struct xos_policy_parser *p, struct xos_use *use)
{
	struct xos_policy_lexer outer = p->lexer;
	struct xos_policy_token next = p->t;
	unsigned braces = p->braces;
	char word[sizeof(p->word)];
	memcpy(word, p->word, sizeof(word));
	if (!spend(p, use->template->body.len - use->template->body.at))
		return;
	p->use = use;
	p->lexer = use->template->body;
	p->braces = 0;
	p->t = (struct xos_policy_token){.kind = XOS_TOKEN_END};
	xos_parser_next(p);
	while (p->t.kind != XOS_TOKEN_END && p->errs->total < XOS_POLICY_ERRORS_MAX &&
	       p->status != XOS_INTERNAL && p->status != XOS_LIMIT) {
		size_t start = p->lexer.at;
		if (!xos_parser_item(p))
			xos_parser_skip(p, start);
	}
	p->use = NULL;
	p->lexer = outer;
	p->t = next;
	p->braces = braces;
	p->after_brace = false;
	memcpy(p->word, word, sizeof(word));
}

bool xos_parser_use(struct xos_policy_parser *p)
{
	char hint[80];
	struct xos_use use = {.at = p->t};
	xos_parser_next(p);
	if (p->t.kind == XOS_TOKEN_ID) {
		if (!xos_policy_word_ok(p->word))
			return xos_parser_error(p, NULL,
			    "letters, digits, '.', '_' and '-', at most 63",
			    "'@%.60s' is not an id", p->word);
		use.id = xos_parser_keep(p);
		if (!use.id)
			return false;
		xos_parser_next(p);
	}
	if (p->t.kind == XOS_TOKEN_ERROR)
		return false;
	const struct xos_name_slot *slot = xos_name_find(&p->template_table, p->word);
	if (p->t.kind != XOS_TOKEN_WORD || !slot->name)
		return xos_parser_error(p, NULL, template_hint(p, hint, sizeof(hint)),
		    "there is no template '%.*s'", xos_parser_shown(p), xos_parser_text(p));
	use.template = &p->templates[slot->i];
	use.template->used = true;
	xos_parser_next(p);
	if (!parse_arguments(p, &use))
		return false;
	expand(p, &use);
	return true;
}
