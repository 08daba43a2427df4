/* SPDX-License-Identifier: Apache-2.0 */
#include "config/emit.h"

#include "config/load.h"
#include "config/yaml.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *table_json(const struct schema_table *, bool inherits);
static json_t *definition_json(const struct schema_table *, bool inherits);
static json_t *
value_json(const struct schema_row *, const struct value_type *, bool nested);

static void
set(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, value) != 0)
		abort();
}

static void
append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		abort();
}

static json_t *
pair(const char *a, const char *b)
{
	json_t *both = json_array();

	append(both, json_string(a));
	append(both, json_string(b));
	return both;
}

static json_t *
words_json(const struct schema_word *words)
{
	json_t *object = json_object(), *list = json_array();

	for (; words->word != NULL; words++) {
		if (words->later)
			continue;
		append(list, json_string(words->word));
		/* What YAML itself makes of the word. */
		if (strcmp(words->word, "null") == 0)
			append(list, json_null());
	}
	set(object, "enum", list);
	return object;
}

static json_t *
either(json_t *a, json_t *b)
{
	json_t *object = json_object(), *both = json_array();

	append(both, a);
	append(both, b);
	set(object, "anyOf", both);
	return object;
}

static json_t *
list_json(const struct schema_row *row)
{
	json_t *object = json_object();

	/* `key:` with nothing behind it is an empty list. */
	if (row->min > 0)
		set(object, "type", json_string("array"));
	else
		set(object, "type", pair("array", "null"));
	set(object, "items",
	    row->table != NULL ? table_json(row->table, row->inherits)
			       : value_json(row, row->element, true));
	if (row->min > 0)
		set(object, "minItems", json_integer(row->min));
	if (row->max > 0)
		set(object, "maxItems", json_integer(row->max));
	if ((row->flags & ROW_IN_PLACE) != 0)
		set(object, "uniqueItems", json_true());
	return object;
}

static json_t *
scalar_json(
    const struct schema_row *row, const struct value_type *type, bool nested)
{
	json_t *object = json_object();

	/* Scalars that look like numbers are texts all the same. */
	if (strcmp(type->json, "text") == 0)
		set(object, "type", pair("string", "number"));
	else
		set(object, "type", json_string(type->json));
	if (type->pattern != NULL)
		set(object, "pattern", json_string(type->pattern));
	if (strcmp(type->json, "integer") == 0) {
		set(object, "minimum", json_integer(row->min));
		set(object, "maximum", json_integer(row->max));
	}
	if (!nested && type == &value_text && row->max > 0)
		set(object, "maxLength", json_integer(row->max));
	return object;
}

static json_t *
value_json(
    const struct schema_row *row, const struct value_type *type, bool nested)
{
	if (type == &value_list)
		return list_json(row);
	if (type == &value_mapping || type == &value_optional_mapping)
		return table_json(row->table, false);
	if (strcmp(type->json, "words") == 0)
		return words_json(row->words);
	if (type == &value_keep || type == &value_interval ||
	    type == &value_occurrence)
		return either(
		    words_json(row->words), scalar_json(row, type, nested));
	return scalar_json(row, type, nested);
}

/* A default as JSON: numbers and booleans read alike in YAML and JSON, a list
 * is one of words, all else is a text. */
static json_t *
default_json(const struct node *node)
{
	const struct node *child;
	json_t *value;

	if (node->kind == NODE_LIST) {
		value = json_array();
		for (child = node->first; child != NULL; child = child->next)
			append(value, json_string(child->text));
		return value;
	}
	value =
	    node->quoted ? NULL : json_loads(node->text, JSON_DECODE_ANY, NULL);
	return value != NULL ? value : json_string(node->text);
}

static void
set_default(json_t *object, const struct schema_row *row)
{
	struct arena arena = { 0 };
	struct findings findings;

	if (row->fallback == NULL)
		return;
	findings_init(&findings, &arena);
	set(object, "default",
	    default_json(yaml_parse(slice_of(row->fallback), &findings)));
	findings_clear(&findings);
	arena_clear(&arena);
}

static json_t *
row_json(const struct schema_row *row)
{
	json_t *object = value_json(row, row->type, false);

	set(object, "description", json_string(row->help));
	set_default(object, row);
	return object;
}

/* What an account may take from account_defaults cannot be asked for. */
static bool
is_required(const struct schema_table *table, const struct schema_row *row,
    bool inherits)
{
	return (row->flags & ROW_REQUIRED) != 0 && table->without == 0 &&
	       (!inherits || (row->flags & ROW_OWN) != 0);
}

/* Of a one_of table: each of those keys would do. */
static json_t *
one_of_json(const struct schema_table *table)
{
	json_t *list = json_array();
	const struct schema_row *row;

	for (row = table->rows; row->name != NULL; row++)
		if (row_is_one(table, row))
			append(
			    list, json_pack("{s:[s]}", "required", row->name));
	return list;
}

static json_t *
mapping_json(const struct schema_table *table, bool inherits)
{
	json_t *object = json_object(), *keys = json_object();
	json_t *required = json_array();
	const struct schema_row *row;

	for (row = table->rows; row->name != NULL; row++) {
		if (!row_is_usable(table, row))
			continue;
		set(keys, row->name, row_json(row));
		if (is_required(table, row, inherits))
			append(required, json_string(row->name));
	}
	if (json_array_size(required) > 0 || table->one_of)
		set(object, "type", json_string("object"));
	else
		set(object, "type", pair("object", "null"));
	set(object, "properties", keys);
	set(object, "additionalProperties", json_false());
	if (table->one_of)
		set(object, "oneOf", one_of_json(table));
	if (json_array_size(required) > 0)
		set(object, "required", required);
	else
		json_decref(required);
	return object;
}

static json_t *
table_json(const struct schema_table *table, bool inherits)
{
	assert(table != NULL);
	if (table->section != NULL)
		return json_pack("{s:o}", "$ref",
		    json_sprintf("#/$defs/%s", table->section));
	return definition_json(table, inherits);
}

static json_t *
definition_json(const struct schema_table *table, bool inherits)
{
	const struct schema_row *row;

	if (table->bare == NULL)
		return mapping_json(table, inherits);
	row = table->rows;
	while (strcmp(row->name, table->bare) != 0)
		row++;
	return either(row_json(row), mapping_json(table, inherits));
}

static json_t *
sections_json(void)
{
	json_t *all = json_object();

	for (size_t i = 0; schema_sections[i] != NULL; i++)
		set(all, schema_sections[i]->section,
		    definition_json(schema_sections[i], false));
	return all;
}

void
emit_json(FILE *out)
{
	json_t *root = json_object();

	set(root, "$schema",
	    json_string("https://json-schema.org/draft/2020-12/schema"));
	set(root, "title", json_string("mailhaul.yaml"));
	json_object_update_missing_new(root, table_json(&schema_root, false));
	set(root, "$defs", sections_json());
	json_dumpf(root, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(root);
}
