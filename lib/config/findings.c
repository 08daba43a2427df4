/* SPDX-License-Identifier: Apache-2.0 */
#include "config/findings.h"

#include "base/log.h"
#include "base/mem.h"
#include "config/node.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1024 };

void
findings_init(struct findings *f, struct arena *arena)
{
	*f = (struct findings){ .arena = arena };
}

void
findings_clear(struct findings *f)
{
	free(f->list);
	findings_init(f, f->arena);
}

void
findings_reset(struct findings *f)
{
	f->len = 0;
	f->errors = 0;
}

static struct finding *
add(struct findings *f, const char *severity, const struct node *node)
{
	struct finding *new;

	if (f->len == f->room) {
		f->room = f->room == 0 ? 16 : 2 * f->room;
		f->list = mem_resize(f->list, f->room, sizeof(*f->list));
	}
	new = &f->list[f->len];
	*new = (struct finding){
		.severity = severity, .number = f->len, .node = node
	};
	if (node != NULL) {
		new->line = node->line;
		new->column = node->column;
	}
	f->len++;
	if (strcmp(severity, "error") == 0)
		f->errors++;
	return new;
}

static void __attribute__((format(printf, 3, 0))) set_text(
    struct findings *f, struct finding *finding, const char *fmt, va_list ap)
{
	char safe[TEXT_MAX];

	log_vsafe(safe, sizeof(safe), fmt, ap);
	finding->text = arena_string(f->arena, slice_of(safe));
}

void
finding_error(struct findings *f, const struct node *node, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_text(f, add(f, "error", node), fmt, ap);
	va_end(ap);
}

void
finding_warning(
    struct findings *f, const struct node *node, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_text(f, add(f, "warning", node), fmt, ap);
	va_end(ap);
}

void
finding_missing(struct findings *f, const struct node *node, const char *child,
    const char *fmt, ...)
{
	struct finding *new = add(f, "error", node);
	va_list ap;

	new->child = child;
	va_start(ap, fmt);
	set_text(f, new, fmt, ap);
	va_end(ap);
}

void
finding_missing_warning(struct findings *f, const struct node *node,
    const char *child, const char *fmt, ...)
{
	struct finding *new = add(f, "warning", node);
	va_list ap;

	new->child = child;
	va_start(ap, fmt);
	set_text(f, new, fmt, ap);
	va_end(ap);
}

void
finding_error_at(
    struct findings *f, size_t line, size_t column, const char *fmt, ...)
{
	struct finding *new = add(f, "error", NULL);
	va_list ap;

	new->line = line;
	new->column = column;
	va_start(ap, fmt);
	set_text(f, new, fmt, ap);
	va_end(ap);
}

void
findings_at_key(struct findings *f)
{
	struct finding *last = &f->list[f->len - 1];

	last->line = last->node->key_line;
	last->column = last->node->key_column;
}

static int
by_place(const void *a, const void *b)
{
	const struct finding *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

static void
write_one(const struct finding *f, const char *file, FILE *out)
{
	char room[TEXT_MAX];
	const char *path = node_path(f->node, f->child, room, sizeof(room));

	fprintf(out, "%s:%zu:%zu: %s: %s: %s\n", file, f->line, f->column,
	    f->severity, path[0] == '\0' ? "(file)" : path, f->text);
}

void
findings_write(struct findings *f, const char *file, FILE *out)
{
	if (f->len > 1)
		qsort(f->list, f->len, sizeof(*f->list), by_place);
	for (size_t i = 0; i < f->len; i++)
		write_one(&f->list[i], file, out);
}
