#include "policy/lexer.h"

#include <string.h>

void xos_policy_lexer_init(struct xos_policy_lexer *lx, const char *text, size_t len)
{
	*lx = (struct xos_policy_lexer){.text = text, .len = len, .line = 1, .line_empty = true};
}

static bool ends_line(const struct xos_policy_lexer *lx) /* at a carriage return */
{
	return lx->at + 1 == lx->len || lx->text[lx->at + 1] == '\n';
}

/* A comment ends where its line ends for every reader: control characters, a carriage return that
 * ends no line among them, could show another text than the one that is read. */
static bool comment_char(const struct xos_policy_lexer *lx)
{
	unsigned char c = (unsigned char)lx->text[lx->at];
	return c == '\r' ? ends_line(lx) : c == '\t' || (c >= 0x20 && c != 0x7f);
}

static void skip_blank(struct xos_policy_lexer *lx)
{
	while (lx->at < lx->len) {
		char c = lx->text[lx->at];
		if (c == '#') {
			while (lx->at < lx->len && comment_char(lx))
				lx->at++;
		} else if (c == '\n') {
			lx->line++;
			lx->line_start = ++lx->at;
			lx->line_empty = true;
		} else if (c == ' ' || c == '\t' || (c == '\r' && ends_line(lx))) {
			lx->at++;
		} else {
			return;
		}
	}
}

static bool word_char(char c)
{
	switch (c) {
	case '_':
	case '.':
	case '/':
	case ':':
	case '*':
	case '+':
	case '-':
		return true;
	default:
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
	}
}

/* "=" belongs to a word only in "/Role=", which is how grids have always written roles. */
static bool role_mark(const char *word, size_t len)
{
	return word[0] == '/' && len >= 6 && memcmp(word + len - 5, "/Role", 5) == 0;
}

static void take_word(struct xos_policy_lexer *lx, struct xos_policy_token *t)
{
	t->kind = XOS_TOKEN_WORD;
	while (lx->at < lx->len) {
		char c = lx->text[lx->at];
		if (!word_char(c) && !(c == '=' && role_mark(t->text, t->len)))
			return;
		lx->at++;
		t->len++;
	}
}

static void take_string(struct xos_policy_lexer *lx, struct xos_policy_token *t)
{
	t->text++;
	for (lx->at++; lx->at < lx->len; lx->at++) {
		unsigned char c = (unsigned char)lx->text[lx->at];
		if (c == '"') {
			t->len = (size_t)(lx->text + lx->at - t->text);
			t->kind = XOS_TOKEN_STRING;
			lx->at++;
			return;
		}
		if (c < 0x20 || c == 0x7f)
			break;
		if (c != '\\')
			continue;
		if (lx->at + 1 >= lx->len || !strchr("\"\\", lx->text[lx->at + 1]) ||
		    lx->text[lx->at + 1] == 0) {
			t->message = "only \\\" and \\\\ may follow a backslash in a string";
			return;
		}
		lx->at++;
	}
	t->message = "the string does not end on its line, or has a control character in it";
}

static void take_op(struct xos_policy_lexer *lx, struct xos_policy_token *t)
{
	char c = lx->text[lx->at++];
	char after = lx->at < lx->len ? lx->text[lx->at] : 0;
	t->len = 1;
	if (strchr("=!<>", c) && c && after == '=') {
		lx->at++;
		t->len = 2;
	} else if (!c || !strchr(";,&(){}<>", c)) {
		t->message =
		    c ? "this character has no meaning here" : "a NUL byte: this is not a text";
		/* Bytes of one character are one error. */
		while (lx->at < lx->len && ((unsigned char)lx->text[lx->at] & 0xc0) == 0x80)
			lx->at++;
		return;
	}
	t->kind = XOS_TOKEN_OP;
}

void xos_policy_lexer_next(struct xos_policy_lexer *lx, struct xos_policy_token *t)
{
	skip_blank(lx);
	*t = (struct xos_policy_token){.kind = XOS_TOKEN_ERROR,
	    .text = lx->text + lx->at,
	    .start = lx->at,
	    .line = lx->line,
	    .col = (uint32_t)(lx->at - lx->line_start) + 1,
	    .first = lx->line_empty};
	lx->line_empty = false;
	if (lx->at >= lx->len) {
		t->kind = XOS_TOKEN_END;
		return;
	}
	char c = lx->text[lx->at];
	if (c == '"') {
		take_string(lx, t);
	} else if (c == '@' || c == '$') {
		lx->at++;
		t->text++;
		take_word(lx, t);
		t->kind = c == '@' ? XOS_TOKEN_ID : XOS_TOKEN_NAME;
		if (c == '$' && t->len == 0) {
			t->kind = XOS_TOKEN_ERROR;
			t->message = "a '$' has no meaning without a name";
		}
	} else if (word_char(c)) {
		take_word(lx, t);
	} else {
		take_op(lx, t);
	}
}
