/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema tables themselves, and the documents in the tree that are made
 * from them.
 */
#include "tests/support/scratch.h"

#include "base/file.h"
#include "config/emit.h"
#include "config/load.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static char folder[SCRATCH_SIZE];

static const char *const files[] = { "users.txt", "office.password",
	"ldap.password", "corp-ca.pem", "provider-ca.pem" };
enum { N_FILES = sizeof(files) / sizeof(files[0]) };

static int
make_folder(void **state)
{
	*state = folder;
	scratch_make(folder);
	for (size_t i = 0; i < N_FILES; i++)
		scratch_put(folder, files[i], SLICE("x\n"), 0600);
	return 0;
}

static void
check_rows(const struct schema_table *table)
{
	const struct schema_row *row;

	for (row = table->rows; row->name != NULL; row++) {
		if (row->help == NULL || row->help[0] == '\0' ||
		    row->help[strlen(row->help) - 1] != '.')
			fail_msg("%s: help is no sentence", row->name);
		if (row->type == NULL)
			fail_msg("%s: no type", row->name);
		if (row->type == &value_list &&
		    (row->element == NULL ||
			(row->table == NULL && row->element->size == 0)))
			fail_msg("%s: no element", row->name);
		if (row->table != NULL && row->table->section == NULL)
			check_rows(row->table);
	}
}

static void
test_every_row_is_complete(void **state)
{
	(void)state;
	check_rows(&schema_root);
	for (size_t i = 0; schema_sections[i] != NULL; i++)
		check_rows(schema_sections[i]);
}

static void
test_defaults_pass_their_own_checks(void **state)
{
	struct settings settings = { .references = 1 };
	struct arena scratch = { 0 };
	struct findings findings;
	struct load load = {
		.arena = &settings.arena, .findings = &findings, .folder = "/"
	};

	(void)state;
	findings_init(&findings, &scratch);
	table_defaults(&load, &schema_root, &settings);
	findings_write(&findings, "default", stderr);
	assert_int_equal(findings.len, 0);
	findings_clear(&findings);
	arena_clear(&scratch);
	arena_clear(&settings.arena);
}

static void
read_tree_file(const char *path, struct buf *out)
{
	struct error err;

	buf_init(out, 1024 * 1024);
	assert_true(file_read(path, out, &err));
}

static void
check_fresh(const char *path, void (*emit)(FILE *))
{
	struct buf stored;
	char *now = NULL;
	size_t len;
	FILE *sink = open_memstream(&now, &len);

	emit(sink);
	fclose(sink);
	read_tree_file(path, &stored);
	if (strcmp(now, buf_string(&stored)) != 0)
		fail_msg("%s is stale; run: make docs", path);
	buf_clear(&stored);
	free(now);
}

static void
test_documents_are_fresh(void **state)
{
	(void)state;
	check_fresh("conf/mailhaul.full.yaml", emit_sample);
	check_fresh("conf/mailhaul.schema.json", emit_json);
	check_fresh("man/mailhaul.yaml.5", emit_man);
}

/* Loads the text beside the files that the samples name. */
static void
assert_loads(struct slice yaml)
{
	struct config *config;

	scratch_put(folder, "mailhaul.yaml", yaml, 0644);
	config = config_load(scratch_path(folder, "mailhaul.yaml"), stderr);
	assert_non_null(config);
	config_unref(config);
}

static void
test_samples_load(void **state)
{
	struct buf yaml;

	(void)state;
	read_tree_file("conf/mailhaul.yaml", &yaml);
	assert_loads(buf_slice(&yaml));
	buf_clear(&yaml);
	read_tree_file("conf/mailhaul.full.yaml", &yaml);
	assert_loads(buf_slice(&yaml));
	buf_clear(&yaml);
}

static bool
is_key_byte(uint8_t byte)
{
	return byte_is_alpha(byte) || byte == '-';
}

/* Keys that need other neighbours than the sample has. */
static bool
goes_alone(struct slice line)
{
	static const char *const keys[] = { "#map_to:", "#deliver_to:",
		"#token:", "#client_certificate:", "#client_key:" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (slice_search_nocase(line, slice_of(keys[i])) < line.len)
			return true;
	return false;
}

/* "    #key: value" to "    key: value"; help has a blank after the #. */
static void
add_uncommented(struct buf *out, struct slice line)
{
	size_t mark = slice_find(line, '#');

	if (mark + 1 < line.len && is_key_byte(line.data[mark + 1]) &&
	    slice_all(slice_trim(slice_first(line, mark)), byte_is_space) &&
	    !goes_alone(line)) {
		buf_add(out, slice_first(line, mark));
		line = slice_from(line, mark + 1);
	}
	buf_add(out, line);
	buf_add_byte(out, '\n');
}

static void
test_full_sample_loads_uncommented(void **state)
{
	struct slice rest, line;
	struct buf yaml, all;

	(void)state;
	read_tree_file("conf/mailhaul.full.yaml", &yaml);
	buf_init(&all, 1024 * 1024);
	rest = buf_slice(&yaml);
	while (slice_cut_line(&rest, &line))
		add_uncommented(&all, line);
	assert_true(slice_search_nocase(buf_slice(&all),
			SLICE("\n      timeout: 5s")) < all.len);
	assert_loads(buf_slice(&all));
	buf_clear(&all);
	buf_clear(&yaml);
}

static void
test_json_schema_is_json(void **state)
{
	json_t *root = json_load_file("conf/mailhaul.schema.json", 0, NULL);

	(void)state;
	assert_non_null(root);
	assert_true(
	    json_is_false(json_object_get(root, "additionalProperties")));
	json_decref(root);
}

static void
test_nearest_name(void **state)
{
	(void)state;
	assert_string_equal(table_nearest(&schema_root, "acounts"), "accounts");
	assert_string_equal(
	    table_nearest(&schema_root, "post_master"), "postmaster");
	assert_null(table_nearest(&schema_root, "xyz"));
	/* What cannot be used is not suggested. */
	assert_null(table_nearest(&schema_root, "prxy"));
	assert_null(table_nearest(
	    &schema_root, "a_name_that_is_longer_than_every_name_that_exists"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row_is_complete),
		cmocka_unit_test(test_defaults_pass_their_own_checks),
		cmocka_unit_test(test_documents_are_fresh),
		cmocka_unit_test(test_samples_load),
		cmocka_unit_test(test_full_sample_loads_uncommented),
		cmocka_unit_test(test_json_schema_is_json),
		cmocka_unit_test(test_nearest_name),
	};

	return cmocka_run_group_tests(tests, make_folder, scratch_tear_down);
}
