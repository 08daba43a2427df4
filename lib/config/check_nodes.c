/* SPDX-License-Identifier: Apache-2.0 */
/* Where in the tree something stands, and whether it stands there twice. */
#include "config/check.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

const struct node *
check_node_of(const struct node *mapping, const void *field)
{
	const struct node *child, *found;

	for (child = mapping->first; child != NULL; child = child->next) {
		found = check_node_of(child, field);
		if (found != child || found->field == field)
			return found;
	}
	return mapping;
}

const struct node *
check_entries_of(const struct node *root, const void *array)
{
	const struct node *list = check_node_of(root, array);

	return list == root ? NULL : list->first;
}

static int
by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order != 0)
		return order;
	if (x->node->line != y->node->line)
		return x->node->line < y->node->line ? -1 : 1;
	return x->node->column < y->node->column ? -1 : 1;
}

void
names_add(struct names *names, const char *name, const struct node *node)
{
	if (name == NULL)
		return;
	/* Full at each power of two. */
	if ((names->n & (names->n - 1)) == 0)
		names->all = mem_resize(
		    names->all, 2 * names->n + 1, sizeof(*names->all));
	names->all[names->n++] = (struct named){ name, node };
}

void
check_unique(struct load *load, struct names *names)
{
	if (names->n > 1)
		qsort(names->all, names->n, sizeof(*names->all), by_name);
	for (size_t i = 1; i < names->n; i++)
		if (strcmp(names->all[i].name, names->all[i - 1].name) == 0)
			finding_error(load->findings, names->all[i].node,
			    "%s stands here already, in line %zu",
			    names->all[i].name, names->all[i - 1].node->line);
	free(names->all);
}
