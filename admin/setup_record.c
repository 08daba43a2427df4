/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/setup_record.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_MAX = 4 * 1024 * 1024, RECORD_VERSION = 1 };

static struct setup_change *
find(struct setup_changes *made, enum setup_setting setting)
{
	for (size_t i = 0; i < made->n; i++)
		if (made->list[i].setting == setting)
			return &made->list[i];
	return NULL;
}

static char *
text_of(const json_t *entry, const char *key)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return text == NULL ? NULL : mem_string(text);
}

static void
read_entry(const json_t *entry, struct setup_changes *made)
{
	const char *name = json_string_value(json_object_get(entry, "setting"));

	for (int i = 0; i < N_SETUP_SETTINGS && name != NULL; i++)
		if (strcmp(name, setup_setting_name((enum setup_setting)i)) ==
			0 &&
		    find(made, (enum setup_setting)i) == NULL)
			made->list[made->n++] =
			    (struct setup_change){ (enum setup_setting)i,
				    text_of(entry, "before"),
				    text_of(entry, "after") };
}

bool
setup_record_read(
    const char *path, struct setup_changes *made, struct error *err)
{
	struct buf text;
	json_t *root = NULL, *changes;
	bool ok = true;

	made->n = 0;
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return true;
	buf_init(&text, RECORD_MAX);
	ok = file_read(path, &text, err);
	if (ok)
		root = json_loadb((const char *)text.data, text.len, 0, NULL);
	changes = json_object_get(root, "changes");
	if (ok && !json_is_array(changes))
		ok = error_set(err, ERROR_CONFIG,
		    "%s is not a record of mailhaul setup", path);
	for (size_t i = 0; i < json_array_size(changes); i++)
		read_entry(json_array_get(changes, i), made);
	json_decref(root);
	buf_clear(&text);
	return ok;
}

static json_t *
entry_of(const struct setup_change *change)
{
	return json_pack("{s:s, s:s?, s:s?}", "setting",
	    setup_setting_name(change->setting), "before", change->before,
	    "after", change->after);
}

bool
setup_record_write(
    const char *path, const struct setup_changes *made, struct error *err)
{
	json_t *changes = json_array(), *root;
	char *text;
	bool ok;

	for (size_t i = 0; i < made->n; i++)
		json_array_append_new(changes, entry_of(&made->list[i]));
	root = json_pack(
	    "{s:i, s:o}", "version", RECORD_VERSION, "changes", changes);
	text = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	if (text == NULL)
		return error_set(err, ERROR_LOCAL,
		    "%s: main.cf holds other bytes than UTF-8", path);
	ok = file_replace(path, slice_of(text), 0644, err);
	free(text);
	return ok;
}

static void
add(struct setup_changes *made, const struct setup_change *now,
    const struct setup_facts *facts)
{
	struct setup_change *known = find(made, now->setting), undone;

	if (known == NULL) {
		known = &made->list[made->n++];
		*known = (struct setup_change){ now->setting, NULL, NULL };
		if (now->before != NULL)
			known->before = mem_string(now->before);
	} else if (setup_plan_undo(facts, known, &undone)) {
		free(known->before);
		known->before = undone.after;
		undone.after = NULL;
		setup_change_clear(&undone);
	} else {
		/* Nothing of ours is left in it. */
		free(known->before);
		known->before =
		    now->before == NULL ? NULL : mem_string(now->before);
	}
	free(known->after);
	known->after = now->after == NULL ? NULL : mem_string(now->after);
}

void
setup_record_add(struct setup_changes *made, const struct setup_changes *now,
    const struct setup_facts *facts)
{
	for (size_t i = 0; i < now->n; i++)
		add(made, &now->list[i], facts);
}
