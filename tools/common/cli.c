#include "cli/cli.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

enum { EXIT_USAGE = 2, EXIT_UNDECIDED = 3 };

struct parse {
	const struct xos_cli_program *program;
	const struct xos_cli_verb *verb;
	struct xos_cli *cli;
	bool help, version;
	int argc; /* operands, in place at the front of argv */
	char **argv;
};

enum xos_status xos_cli_usage(struct xos_err *err, const char *fmt, ...)
{
	char text[XOS_ERR_TEXT_MAX];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return xos_err_set(err, XOS_MALFORMED, "usage", "%s", text);
}

enum xos_status xos_cli_since(
    const char *option, const char *text, int64_t *out, struct xos_err *err)
{
	int64_t span = 0;
	if (xos_duration_parse(text, &span))
		*out = xos_clock_now() - span;
	else if (!xos_time_parse(text, out))
		return xos_cli_usage(err,
		    "--%s: \"%s\" is neither a duration (7d) nor a time (2026-11-22T00:00:00Z)",
		    option, text);
	return XOS_OK;
}

static void option_help(const struct xos_cli_option *o)
{
	char left[64];
	snprintf(left, sizeof(left), "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
	printf("  %-24s %s\n", left, o->about);
}

/* One line for each form of the operands. */
static void verb_lines(const struct xos_cli_program *p, const struct xos_cli_verb *v)
{
	for (const char *form = v->operands, *end; form; form = end ? end + 3 : NULL) {
		end = strstr(form, " | ");
		size_t n = end ? (size_t)(end - form) : strlen(form);
		printf("  %s%s%s%s%s%.*s\n", p->name, v->name ? " " : "", v->name ? v->name : "",
		    v->options && v->options->name ? " [OPTION...]" : "", n ? " " : "", (int)n,
		    form);
	}
}

static void section_head(const struct xos_cli_program *p, const char *verb)
{
	for (const struct xos_cli_section *s = p->sections; s && s->verb; s++)
		if (verb && strcmp(s->verb, verb) == 0)
			printf("%s %s:\n", s == p->sections ? "" : "\n", s->title);
}

/* Prints the examples of a verb; how many there are. NULL: of all. */
static size_t examples_of(const struct xos_cli_program *p, const char *verb, bool print)
{
	char start[128];
	bool mine = false;
	size_t n = 0;
	snprintf(start, sizeof(start), "  %s %s", p->name, verb ? verb : "");
	const size_t nstart = strlen(start);
	for (const char *line = p->examples; line && *line;) {
		size_t len = strcspn(line, "\n") + 1;
		if (line[len - 1] == '\0')
			len--;
		if (strncmp(line, "  ", 2) == 0 && strncmp(line + 2, p->name, strlen(p->name)) == 0)
			mine = !verb || (strncmp(line, start, nstart) == 0 &&
			                    strcspn(line + nstart, " \n") == 0);
		n += mine;
		if (mine && print)
			printf("%.*s", (int)len, line);
		line += len;
	}
	return n;
}

static void print_examples(const struct xos_cli_program *p, const struct xos_cli_verb *only)
{
	const char *verb = only ? only->name : NULL;
	if (!p->examples)
		return;
	printf("\nExamples:\n");
	if (verb && examples_of(p, verb, false))
		(void)examples_of(p, verb, true);
	else
		fputs(p->examples, stdout);
}

static const struct xos_cli_option *option_find(
    const struct xos_cli_option *list, const char *name, size_t n)
{
	for (; list && list->name; list++)
		if (strlen(list->name) == n && strncmp(list->name, name, n) == 0)
			return list;
	return NULL;
}

static void print_help(const struct xos_cli_program *p, const struct xos_cli_verb *only)
{
	printf("%s: %s\n\nUsage:\n", p->name, only && only->name ? only->about : p->about);
	for (size_t i = 0; i < p->nverbs; i++) {
		if (only && only != &p->verbs[i])
			continue;
		if (!only)
			section_head(p, p->verbs[i].name);
		verb_lines(p, &p->verbs[i]);
		if (!only && p->verbs[i].name)
			printf("      %s\n", p->verbs[i].about);
	}
	printf("\nOptions:\n");
	for (size_t i = 0; i < p->nverbs; i++) {
		const struct xos_cli_option *o = p->verbs[i].options;
		if (only == &p->verbs[i] || !p->verbs[i].name)
			for (; o && o->name; o++)
				option_help(o);
	}
	printf("  --json                   answers and errors as JSON\n");
	if (!p->no_joined) {
		if (!only || !option_find(only->options, "vo", 2)) /* a verb's own is shown above */
			printf("  --vo NAME                another VO than the one joined last\n");
		printf("  --config DIR             another folder for joined VOs\n");
	}
	printf("  --no-input               no questions, also on a terminal\n"
	       "  --help, --version\n");
	if (!only && p->nverbs > 1)
		printf("\n%s VERB --help shows the options of one verb.\n", p->name);
	print_examples(p, only);
	printf("\nExit status: 0 done, 1 refused, 2 usage, 3 could not be decided or reached.\n");
}

static enum xos_status option_set(
    const struct xos_cli_option *o, const char *value, struct xos_err *err)
{
	if (o->flag) {
		*o->flag = true;
	} else if (o->value) {
		if (*o->value)
			return xos_cli_usage(err, "--%s is given twice", o->name);
		*o->value = value;
	} else if (o->list->n == XOS_CLI_LIST_MAX) {
		return xos_cli_usage(err, "--%s is given too often", o->name);
	} else {
		o->list->item[o->list->n++] = value;
	}
	return XOS_OK;
}

/* Takes the option at argv[*i], and its value, moving *i past them. */
static enum xos_status option_take(
    struct parse *p, int argc, char **argv, int *i, struct xos_err *err)
{
	const struct xos_cli_option common[] = {{.name = "json", .flag = &p->cli->json},
	    {.name = "no-input", .flag = &p->cli->no_input}, {.name = "help", .flag = &p->help},
	    {.name = "version", .flag = &p->version}, {.name = NULL}};
	const struct xos_cli_option joined[] = {{.name = "vo", .arg = "NAME", .value = &p->cli->vo},
	    {.name = "config", .arg = "DIR", .value = &p->cli->config}, {.name = NULL}};
	const char *name = argv[*i] + 2;
	size_t n = strcspn(name, "=");
	const char *value = name[n] == '=' ? name + n + 1 : NULL;
	/* A verb's own option of the same name comes first. */
	const struct xos_cli_option *o = p->verb ? option_find(p->verb->options, name, n) : NULL;
	if (!o)
		o = option_find(common, name, n);
	if (!o && !p->program->no_joined)
		o = option_find(joined, name, n);
	if (!o)
		return xos_cli_usage(err, "unknown option --%.*s", (int)n, name);
	(*i)++;
	if (o->flag && value)
		return xos_cli_usage(err, "--%s takes no value", o->name);
	if (!o->flag && !value) {
		if (*i >= argc)
			return xos_cli_usage(err, "--%s needs a value", o->name);
		value = argv[(*i)++];
	}
	return option_set(o, value, err);
}

static enum xos_status verb_take(struct parse *p, const char *name, struct xos_err *err)
{
	for (size_t i = 0; i < p->program->nverbs; i++) {
		if (strcmp(p->program->verbs[i].name, name) == 0) {
			p->verb = &p->program->verbs[i];
			return XOS_OK;
		}
	}
	return xos_cli_usage(err, "unknown verb \"%s\"", name);
}

/* Operands move to the front of argv, so that argv + 0 is the first. */
static enum xos_status parse_all(struct parse *p, int argc, char **argv, struct xos_err *err)
{
	bool ended = false;
	enum xos_status st = XOS_OK;
	p->argv = argv;
	for (int i = 1; i < argc && st == XOS_OK;) {
		const char *a = argv[i];
		if (!ended && strcmp(a, "--") == 0) {
			ended = true;
			i++;
		} else if (!ended && strcmp(a, "-h") == 0) {
			p->help = true;
			i++;
		} else if (!ended && strncmp(a, "--", 2) == 0) {
			st = option_take(p, argc, argv, &i, err);
		} else if (!ended && a[0] == '-' && a[1] != '\0') {
			st = xos_cli_usage(err, "unknown option %s", a);
		} else if (!p->verb) {
			st = verb_take(p, a, err);
			i++;
		} else {
			ended |= p->verb->stop;
			argv[p->argc++] = argv[i++];
		}
	}
	argv[p->argc] = NULL;
	return st;
}

static enum xos_status operands_check(const struct parse *p, struct xos_err *err)
{
	const struct xos_cli_verb *v = p->verb;
	if (!v)
		return xos_cli_usage(err, "say what to do");
	if (p->argc < v->min)
		return xos_cli_usage(err, "something is missing: %s%s%s %s", p->program->name,
		    v->name ? " " : "", v->name ? v->name : "", v->operands);
	if (v->max >= 0 && p->argc > v->max)
		return xos_cli_usage(err, "unexpected argument \"%s\"", p->argv[v->max]);
	return XOS_OK;
}

static void print_error(const struct parse *p, const struct xos_err *err)
{
	const char *code = err->code[0] ? err->code : "error";
	if (p->cli->json) {
		struct xos_json *doc = xos_json_object(), *e = xos_json_object();
		xos_json_set_text(e, "code", code);
		xos_json_set_string(e, "status", xos_status_name(err->status));
		xos_json_set_text(e, "text", err->text);
		xos_json_set(doc, "error", e);
		if (xos_cli_print_json(doc, NULL) == XOS_OK)
			return;
	}
	fprintf(stderr, "%s: %s\n", p->program->name,
	    err->text[0] ? err->text : xos_status_name(err->status));
	if (strcmp(code, "usage") == 0)
		fprintf(stderr, "Try: %s%s%s --help\n", p->program->name,
		    p->verb && p->verb->name ? " " : "",
		    p->verb && p->verb->name ? p->verb->name : "");
}

static int finish(const struct parse *p, enum xos_status st, const struct xos_err *err)
{
	int status = p->cli->exit_status;
	if (st != XOS_OK) {
		struct xos_err shown = *err;
		shown.status = st;
		print_error(p, &shown);
		status = strcmp(err->code, "usage") == 0 ? EXIT_USAGE : xos_status_exit(st);
	}
	/* An answer that did not reach its reader was not given. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "%s: cannot write to standard output\n", p->program->name);
		return EXIT_UNDECIDED;
	}
	return status;
}

int xos_cli_main(const struct xos_cli_program *program, int argc, char **argv)
{
	struct xos_err err = XOS_ERR_INIT;
	struct xos_cli cli = {.program = program->name};
	struct parse p = {.program = program, .cli = &cli};
	/* A peer that hangs up is an error to report, not a death. */
	signal(SIGPIPE, SIG_IGN);
	if (program->nverbs == 1 && !program->verbs[0].name)
		p.verb = &program->verbs[0];
	if (argc < 1)
		return EXIT_USAGE;
	enum xos_status st = parse_all(&p, argc, argv, &err);
	if (st == XOS_OK && p.version) {
		printf("%s %s\n", program->name, XOS_VERSION);
		return finish(&p, XOS_OK, &err);
	}
	if (st == XOS_OK && p.help) {
		print_help(program, p.verb);
		return finish(&p, XOS_OK, &err);
	}
	if (st == XOS_OK)
		st = operands_check(&p, &err);
	if (st == XOS_OK && p.verb)
		st = p.verb->run(&cli, p.argc, p.argv, &err);
	return finish(&p, st, &err);
}
