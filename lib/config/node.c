/* SPDX-License-Identifier: Apache-2.0 */
#include "config/node.h"

#include "base/buf.h"
#include "base/log.h"
#include "config/schema.h"

#include <stdio.h>
#include <string.h>

struct node *
node_child(const struct node *mapping, const char *key)
{
	struct node *node;

	if (mapping == NULL || mapping->kind != NODE_MAPPING)
		return NULL;
	for (node = mapping->first; node != NULL; node = node->next)
		if (strcmp(node->key, key) == 0)
			return node;
	return NULL;
}

static void
add_key(struct buf *path, const char *key)
{
	char safe[128];

	log_safe(safe, sizeof(safe), slice_of(key));
	buf_printf(path, "%s%s", path->len == 0 ? "" : ".", safe);
}

/* False when the path ends above the node, at a private one. */
static bool
add_path(struct buf *path, const struct node *node)
{
	const struct node *parent = node->parent;

	if (parent == NULL)
		return true;
	if (!add_path(path, parent) ||
	    (parent->row != NULL && parent->row->private))
		return false;
	if (node->key != NULL)
		add_key(path, node->key);
	else if (parent->kind == NODE_LIST)
		buf_printf(path, "[%zu]", node->index);
	return true;
}

char *
node_path(const struct node *node, const char *child, char *out, size_t size)
{
	struct buf path;

	buf_init(&path, size - 1);
	if (node != NULL)
		add_path(&path, node);
	if (child != NULL)
		add_key(&path, child);
	snprintf(out, size, "%s", buf_string(&path));
	buf_clear(&path);
	return out;
}
