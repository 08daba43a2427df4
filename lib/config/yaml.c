/* SPDX-License-Identifier: Apache-2.0 */
#include "config/yaml.h"

#include <stdint.h>
#include <stdlib.h>
#include <yaml.h>

struct reader {
	yaml_parser_t parser;
	struct findings *findings;
	struct node *root, *open; /* open: the list or mapping being filled */
	struct node *key;         /* waits for its value, in a mapping */
	size_t depth, documents;
	bool stopped; /* a limit was passed: told, and read no further */
};

static struct slice
text_of(const yaml_event_t *event)
{
	return (struct slice){ event->data.scalar.value,
		event->data.scalar.length };
}

static struct node *
new_node(struct reader *r, enum node_kind kind, const yaml_event_t *event)
{
	struct node *node = arena_new(r->findings->arena, sizeof(*node));

	node->kind = kind;
	node->line = event->start_mark.line + 1;
	node->column = event->start_mark.column + 1;
	node->parent = r->open;
	return node;
}

static void
append(struct node *parent, struct node *node)
{
	node->index = parent->n_children++;
	if (parent->last == NULL)
		parent->first = node;
	else
		parent->last->next = node;
	parent->last = node;
}

/* A limit was passed; what follows is not read. */
static void
stop(struct reader *r, const struct node *node, const char *text)
{
	finding_error(r->findings, node, "%s", text);
	r->stopped = true;
}

/* A value under its key.  A second one of the same name is told and stays
 * outside the tree. */
static void
put_in_mapping(struct reader *r, struct node *node)
{
	const struct node *earlier;

	node->key = r->key->text;
	node->key_line = r->key->line;
	node->key_column = r->key->column;
	r->key = NULL;
	earlier = node_child(r->open, node->key);
	if (earlier != NULL) {
		finding_error(r->findings, node,
		    "this key stands here already, in line %zu",
		    earlier->key_line);
		findings_at_key(r->findings);
		return;
	}
	if (r->open->n_children == YAML_KEYS_MAX) {
		stop(r, r->open, "too many keys in one mapping");
		return;
	}
	append(r->open, node);
}

static void
put(struct reader *r, struct node *node)
{
	if (r->open == NULL) {
		if (r->root == NULL)
			r->root = node;
		return;
	}
	if (r->open->kind == NODE_LIST) {
		append(r->open, node);
		return;
	}
	if (r->key != NULL) {
		put_in_mapping(r, node);
		return;
	}
	if (node->kind == NODE_LIST || node->kind == NODE_MAPPING)
		stop(r, node, "a key must be a single word");
	r->key = node;
}

static void
refuse_decoration(struct reader *r, const struct node *node,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL)
		finding_error(r->findings, node,
		    "anchors (&) are not allowed; a value that begins with & "
		    "needs quotes");
	if (tag != NULL)
		finding_error(r->findings, node,
		    "tags (!) are not allowed; a value that begins with ! "
		    "needs quotes");
}

static void
on_scalar(struct reader *r, const yaml_event_t *event)
{
	struct node *node = new_node(r, NODE_SCALAR, event);
	struct slice text = text_of(event);

	refuse_decoration(
	    r, node, event->data.scalar.anchor, event->data.scalar.tag);
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (slice_find(text, 0) < text.len) {
		finding_error(r->findings, node, "holds a NUL byte");
		text = slice_first(text, slice_find(text, 0));
		node->kind = NODE_REFUSED;
	}
	node->text = arena_string(r->findings->arena, text);
	put(r, node);
}

static void
on_alias(struct reader *r, const yaml_event_t *event)
{
	struct node *node = new_node(r, NODE_REFUSED, event);

	/* The name is not told: it may be a password that begins with "*". */
	finding_error(r->findings, node,
	    "aliases (*) are not allowed; a value that begins with * needs "
	    "quotes");
	node->text = "*";
	put(r, node);
}

static void
on_start(struct reader *r, const yaml_event_t *event)
{
	bool list = event->type == YAML_SEQUENCE_START_EVENT;
	struct node *node = new_node(r, list ? NODE_LIST : NODE_MAPPING, event);

	refuse_decoration(r, node,
	    list ? event->data.sequence_start.anchor
		 : event->data.mapping_start.anchor,
	    list ? event->data.sequence_start.tag
		 : event->data.mapping_start.tag);
	put(r, node);
	if (++r->depth > YAML_DEPTH_MAX) {
		stop(r, node, "nested too deep");
		return;
	}
	r->open = node;
}

static void
on_end(struct reader *r)
{
	r->depth--;
	/* The tree is const upwards for everybody but its maker. */
	r->open = (struct node *)(uintptr_t)r->open->parent;
}

static void
on_document(struct reader *r, const yaml_event_t *event)
{
	if (++r->documents == 1)
		return;
	finding_error_at(r->findings, event->start_mark.line + 1,
	    event->start_mark.column + 1,
	    "a second document begins here; only one is allowed");
	r->stopped = true;
}

static void
on_event(struct reader *r, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		on_document(r, event);
		break;
	case YAML_SCALAR_EVENT:
		on_scalar(r, event);
		break;
	case YAML_ALIAS_EVENT:
		on_alias(r, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		on_start(r, event);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_end(r);
		break;
	default:
		break;
	}
}

/* Line and column of a byte, for libyaml's reader errors, which have no
 * mark. */
static void
tell_bad_byte(struct reader *r, struct slice text)
{
	size_t line = 1, column = 1, end = r->parser.problem_offset;

	for (size_t i = 0; i < end && i < text.len; i++) {
		if (text.data[i] == '\n') {
			line++;
			column = 1;
		} else if ((text.data[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	finding_error_at(r->findings, line, column, "%s", r->parser.problem);
}

/* Of the character that libyaml counts so. */
static bool
is_tab(struct slice text, size_t index)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		if ((text.data[i] & 0xc0) != 0x80 && n++ == index)
			return text.data[i] == '\t';
	return false;
}

/* After a syntax error the tree means nothing, nor does what was said of it. */
static void
tell_syntax_error(struct reader *r, struct slice text)
{
	const yaml_parser_t *p = &r->parser;

	findings_reset(r->findings);
	if (p->error == YAML_READER_ERROR)
		tell_bad_byte(r, text);
	else if (is_tab(text, p->problem_mark.index))
		finding_error_at(r->findings, p->problem_mark.line + 1,
		    p->problem_mark.column + 1,
		    "a tab cannot stand here; indent with blanks");
	else
		finding_error_at(r->findings, p->problem_mark.line + 1,
		    p->problem_mark.column + 1, "%s%s%s",
		    p->problem == NULL ? "not readable as YAML" : p->problem,
		    p->context == NULL ? "" : " ",
		    p->context == NULL ? "" : p->context);
	r->stopped = true;
}

static void
read_events(struct reader *r, struct slice text)
{
	bool at_end = false;
	yaml_event_t event;

	while (!at_end && !r->stopped) {
		if (yaml_parser_parse(&r->parser, &event) == 0) {
			tell_syntax_error(r, text);
			break;
		}
		at_end = event.type == YAML_STREAM_END_EVENT;
		on_event(r, &event);
		yaml_event_delete(&event);
	}
}

struct node *
yaml_parse(struct slice text, struct findings *findings)
{
	struct reader r = { .findings = findings };

	if (yaml_parser_initialize(&r.parser) == 0)
		abort();
	yaml_parser_set_input_string(&r.parser, text.data, text.len);
	read_events(&r, text);
	yaml_parser_delete(&r.parser);
	return r.stopped ? NULL : r.root;
}
