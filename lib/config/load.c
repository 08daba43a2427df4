/* SPDX-License-Identifier: Apache-2.0 */
#include "config/load.h"
#include "config/yaml.h"

#include <assert.h>
#include <string.h>

enum { NAME_MAX_LEN = 40 };

bool
row_is_usable(const struct schema_table *table, const struct schema_row *row)
{
	return row->type != &value_reserved &&
	       (row->flags & table->without) == 0;
}

bool
row_is_one(const struct schema_table *table, const struct schema_row *row)
{
	return row_is_usable(table, row) && (row->flags & ROW_BESIDE) == 0;
}

static void
set_default(struct load *load, const struct schema_row *row, void *base)
{
	struct node *node = yaml_parse(slice_of(row->fallback), load->findings);

	assert(node != NULL);
	row->type->read(load, row, node, base);
}

void
table_defaults(struct load *load, const struct schema_table *table, void *base)
{
	const struct schema_row *row;

	for (row = table->rows; row->name != NULL; row++) {
		if (row->fallback != NULL)
			set_default(load, row, base);
		else if (row->type == &value_mapping)
			table_defaults(
			    load, row->table, value_field(row, base));
	}
}

static size_t
smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein's distance of two short words. */
static size_t
edit_distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], corner, above;
	size_t len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		corner = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			above = row[j + 1];
			row[j + 1] = smallest(
			    above + 1, row[j] + 1, corner + (a[i] != b[j]));
			corner = above;
		}
	}
	return row[len];
}

const char *
table_nearest(const struct schema_table *table, const char *name)
{
	size_t best = strlen(name) / 3 + 1, distance;
	const struct schema_row *row;
	const char *nearest = NULL;

	if (strlen(name) > NAME_MAX_LEN)
		return NULL;
	for (row = table->rows; row->name != NULL; row++) {
		if (!row_is_usable(table, row))
			continue;
		distance = edit_distance(name, row->name);
		if (distance < best || (distance == best && nearest == NULL)) {
			best = distance;
			nearest = row->name;
		}
	}
	return nearest;
}

static const struct schema_row *
find_row(const struct schema_table *table, const char *name)
{
	const struct schema_row *row;

	for (row = table->rows; row->name != NULL; row++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

static bool
tell_unknown(struct load *load, const struct schema_table *table,
    const struct node *node)
{
	const char *nearest = table_nearest(table, node->key);

	if (nearest != NULL)
		finding_error(load->findings, node,
		    "unknown key; did you mean %s?", nearest);
	else
		finding_error(load->findings, node, "unknown key");
	findings_at_key(load->findings);
	return false;
}

/* Notes in the node where its value went, so that later checks of the value
 * find the place in the file. */
static bool
read_stamped(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	if (row->offset != NO_FIELD)
		node->field = value_field(row, base);
	if (row->type->read(load, row, node, base))
		return true;
	if (row->table == NULL && node->kind == NODE_SCALAR)
		node->field = NULL;
	return false;
}

static bool
read_row(struct load *load, const struct schema_table *table,
    const struct schema_row *row, struct node *node, void *base)
{
	node->row = row;
	if ((row->flags & table->without) != 0) {
		finding_error(load->findings, node,
		    "belongs to each account, not to what they share");
		findings_at_key(load->findings);
		return false;
	}
	return read_stamped(load, row, node, base);
}

static bool
check_missing(struct load *load, const struct schema_table *table,
    const struct node *node, const struct node *inherited)
{
	const struct schema_row *row;
	bool good = true;

	for (row = table->rows; row->name != NULL; row++) {
		if ((row->flags & ROW_REQUIRED) == 0 || table->without != 0 ||
		    node_child(node, row->name) != NULL ||
		    node_child(inherited, row->name) != NULL)
			continue;
		finding_missing(
		    load->findings, node, row->name, "missing: %s", row->help);
		good = false;
	}
	return good;
}

/* "file, credential or command" */
static void
list_keys(const struct schema_table *table, struct buf *out)
{
	const struct schema_row *row, *last = NULL;

	for (row = table->rows; row->name != NULL; row++)
		if (row_is_one(table, row))
			last = row;
	for (row = table->rows; row->name != NULL; row++) {
		if (!row_is_one(table, row))
			continue;
		if (out->len > 0)
			buf_add_string(out, row == last ? " or " : ", ");
		buf_add_string(out, row->name);
	}
}

static bool
has_one(struct load *load, const struct schema_table *table,
    const struct node *node)
{
	const struct node *child;
	const struct schema_row *row;
	struct buf keys;
	size_t known = 0, unknown = 0;

	for (child = node->first; child != NULL; child = child->next) {
		row = find_row(table, child->key);
		unknown += row == NULL;
		known += row != NULL && (row->flags & ROW_BESIDE) == 0;
	}
	/* An unknown key alone may be the one, misspelled. */
	if (!table->one_of || known == 1 || (known == 0 && unknown > 0))
		return true;
	buf_init(&keys, 200);
	list_keys(table, &keys);
	finding_error(load->findings, node, "needs exactly one of: %s",
	    buf_string(&keys));
	buf_clear(&keys);
	return false;
}

/* Notes which one it is. */
static void
store_choice(
    const struct schema_table *table, const struct node *node, void *base)
{
	const struct node *child;

	for (child = node->first; child != NULL; child = child->next)
		if (table->one_of && child->row != NULL &&
		    (child->row->flags & ROW_BESIDE) == 0)
			memcpy((char *)base + table->choice,
			    &child->row->choice, sizeof(child->row->choice));
}

/* A scalar where a mapping belongs. */
static bool
read_bare(struct load *load, const struct schema_table *table,
    struct node *node, void *base)
{
	if (node->kind == NODE_SCALAR && table->bare != NULL)
		return read_row(
		    load, table, find_row(table, table->bare), node, base);
	if (node->kind == NODE_SCALAR && table->scalar_text != NULL)
		finding_error(load->findings, node, "%s", table->scalar_text);
	else if (node->kind != NODE_REFUSED)
		finding_error(load->findings, node,
		    "expected a mapping (key: value), found a %s",
		    node->kind == NODE_LIST ? "list" : "text");
	return false;
}

/* `key:` with nothing behind it, as when all below is commented out. */
static bool
is_empty(const struct node *node)
{
	return node->kind == NODE_SCALAR && !node->quoted &&
	       node->text[0] == '\0';
}

bool
table_read(struct load *load, const struct schema_table *table,
    struct node *node, const struct node *inherited, void *base)
{
	const struct schema_row *row;
	struct node *child;
	bool good = true;

	if (node->kind != NODE_MAPPING && !is_empty(node))
		return read_bare(load, table, node, base);
	if (!has_one(load, table, node))
		return false;
	/* In the order of the table: what others inherit comes first. */
	for (row = table->rows; row->name != NULL; row++) {
		child = node_child(node, row->name);
		if (child != NULL && !read_row(load, table, row, child, base))
			good = false;
	}
	for (child = node->first; child != NULL; child = child->next)
		if (child->row == NULL)
			good = tell_unknown(load, table, child);
	if (!check_missing(load, table, node, inherited))
		good = false;
	store_choice(table, node, base);
	return good;
}

static bool
read_mapping(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	return table_read(load, row->table, node, NULL,
	    row->offset == NO_FIELD ? NULL : value_field(row, base));
}

/* A mapping that is a pointer: NULL when it is not there. */
static bool
read_optional_mapping(struct load *load, const struct schema_row *row,
    struct node *node, void *base)
{
	void *own = arena_new(load->arena, row->table->size);

	table_defaults(load, row->table, own);
	memcpy(value_field(row, base), &own, sizeof(own));
	return table_read(load, row->table, node, NULL, own);
}

/* One element, at the start of `slot`. */
static bool
read_element(struct load *load, const struct schema_row *row, struct node *node,
    void *base, void *slot)
{
	struct schema_row element = *row;
	const struct schema_row *elder = row - 1;

	node->row = row;
	if (row->table == NULL) {
		element.type = row->element;
		element.offset = 0;
		element.min = element.max = 0;
		return read_stamped(load, &element, node, slot);
	}
	node->field = slot;
	if (!row->inherits) {
		table_defaults(load, row->table, slot);
		return table_read(load, row->table, node, NULL, slot);
	}
	memcpy(slot, value_field(elder, base), row->table->size);
	return table_read(load, row->table, node,
	    node_child(node->parent->parent, elder->name), slot);
}

static bool
each_once(struct load *load, const struct node *list)
{
	const struct node *a, *b;

	for (a = list->first; a != NULL; a = a->next)
		for (b = list->first; b != a; b = b->next)
			if (a->kind == NODE_SCALAR && b->kind == NODE_SCALAR &&
			    strcmp(a->text, b->text) == 0) {
				finding_error(load->findings, a,
				    "%s stands here twice", a->text);
				return false;
			}
	return true;
}

static bool
list_fits(
    struct load *load, const struct schema_row *row, const struct node *node)
{
	if (node->kind == NODE_REFUSED)
		return false;
	if (node->kind != NODE_LIST && !is_empty(node)) {
		finding_error(load->findings, node,
		    "expected a list such as [a, b], found a %s",
		    node->kind == NODE_MAPPING ? "mapping" : "text");
		return false;
	}
	if (node->n_children < (uint64_t)row->min) {
		finding_error(load->findings, node, "the list is empty");
		return false;
	}
	if (row->max > 0 && node->n_children > (uint64_t)row->max) {
		finding_error(load->findings, node, "more than %d entries",
		    (int)row->max);
		return false;
	}
	return (row->flags & ROW_IN_PLACE) == 0 || each_once(load, node);
}

static bool
read_list(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	size_t size =
	    row->table != NULL ? row->table->size : row->element->size;
	bool in_place = (row->flags & ROW_IN_PLACE) != 0;
	struct node *child;
	bool good = true;
	char *array;

	if (!list_fits(load, row, node))
		return false;
	/* One more: lists of texts end with NULL. */
	array = in_place
		    ? value_field(row, base)
		    : arena_new_array(load->arena, node->n_children + 1, size);
	for (child = node->first; child != NULL; child = child->next)
		if (!read_element(
			load, row, child, base, array + child->index * size))
			good = false;
	if (!in_place)
		memcpy(value_field(row, base), &array, sizeof(array));
	if (row->second != 0)
		memcpy((char *)base + row->second, &node->n_children,
		    sizeof(node->n_children));
	return good;
}

static bool
read_reserved(struct load *load, const struct schema_row *row,
    struct node *node, void *base)
{
	(void)base;
	finding_error(load->findings, node,
	    "%s is reserved for a later version", row->name);
	findings_at_key(load->findings);
	return false;
}

const struct value_type value_mapping = { "a mapping", read_mapping, 0,
	"object", NULL };
const struct value_type value_optional_mapping = { "a mapping",
	read_optional_mapping, 0, "object", NULL };
const struct value_type value_list = { "a list", read_list, 0, "array", NULL };
const struct value_type value_reserved = { "nothing yet", read_reserved, 0,
	NULL, NULL };
