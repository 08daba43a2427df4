/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/folders.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum { NAME_SHOWN = 256 };

bool
folder_is_pattern(const char *name)
{
	return strpbrk(name, "*%") != NULL;
}

static bool
is_inbox(struct slice name)
{
	return slice_equal_nocase(name, SLICE("INBOX"));
}

static bool
is_separator(uint8_t byte)
{
	return byte == '/' || byte == '.';
}

/* A wildcard that may take one more byte of the name. */
struct wildcard {
	size_t pattern; /* where the pattern goes on behind it */
	size_t name;    /* what it has not taken yet */
	bool set;
};

static void
extend(struct wildcard *w, size_t *pattern, size_t *name)
{
	*name = ++w->name;
	*pattern = w->pattern;
}

/* Only the last wildcard of each kind is ever come back to: so no pattern and
 * name take longer than the product of their lengths. */
bool
folder_matches(const char *pattern, struct slice name)
{
	struct slice p = slice_of(pattern);
	struct wildcard any = { .set = false }, level = { .set = false };
	size_t i = 0, j = 0;

	if (is_inbox(p) && is_inbox(name))
		return true;
	while (i < name.len) {
		if (j < p.len && p.data[j] == '*') {
			any = (struct wildcard){ ++j, i, true };
			level.set = false;
		} else if (j < p.len && p.data[j] == '%') {
			level = (struct wildcard){ ++j, i, true };
		} else if (j < p.len && p.data[j] == name.data[i]) {
			i++;
			j++;
		} else if (level.set && !is_separator(name.data[level.name])) {
			extend(&level, &j, &i);
		} else if (any.set) {
			level.set = false;
			extend(&any, &j, &i);
		} else {
			return false;
		}
	}
	while (j < p.len && (p.data[j] == '*' || p.data[j] == '%'))
		j++;
	return j == p.len;
}

/* The folder that takes what was collected: its messages would come again. */
static bool
is_move_target(const struct account *account, struct slice name)
{
	struct slice target = slice_of(account->dispose.text);

	return account->dispose.kind == DISPOSE_MOVE &&
	       (slice_equal(target, name) ||
		   (is_inbox(target) && is_inbox(name)));
}

static bool
is_excluded(const struct account *account, struct slice name)
{
	const char *const *pattern = account->exclude_folders;

	if (is_move_target(account, name))
		return true;
	for (; pattern != NULL && *pattern != NULL; pattern++)
		if (folder_matches(*pattern, name))
			return true;
	return false;
}

static bool
is_there(const struct folders *f, struct slice name)
{
	for (size_t i = 0; i < f->n; i++)
		if (slice_equal(slice_of(f->names[i]), name) ||
		    (is_inbox(name) && is_inbox(slice_of(f->names[i]))))
			return true;
	return false;
}

static bool
is_text(uint8_t byte)
{
	return byte >= 0x20 && byte != 0x7f;
}

bool
folders_add(struct folders *f, const struct account *account, struct slice name,
    struct error *err)
{
	char shown[NAME_SHOWN];

	if (is_there(f, name) || is_excluded(account, name))
		return true;
	if (!slice_all(name, is_text))
		return error_set(err, ERROR_PROTOCOL,
		    "folder \"%s\" has control characters in its name, and is "
		    "left alone",
		    log_quotable(shown, sizeof(shown), name));
	if (f->n == FOLDERS_MAX)
		return error_set(err, ERROR_CONFIG,
		    "more than %d folders match: name them, or exclude some",
		    FOLDERS_MAX);
	f->names = mem_resize(f->names, f->n + 1, sizeof(*f->names));
	f->due = mem_resize(f->due, f->n + 1, sizeof(*f->due));
	f->due[f->n] = true;
	f->names[f->n++] = mem_string_len(name.data, name.len);
	return true;
}

bool
folders_find(struct folders *f, const struct account *account,
    const char **pattern, struct error *err)
{
	while ((*pattern = account->folders[f->asked]) != NULL) {
		f->asked++;
		if (folder_is_pattern(*pattern))
			return true;
		if (!folders_add(f, account, slice_of(*pattern), err))
			return false;
	}
	return f->n > 0 ||
	       error_set(err, ERROR_CONFIG,
		   "no folder at the server is one of those in folders");
}

void
folders_clear(struct folders *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->names[i]);
	free(f->names);
	free(f->due);
	*f = (struct folders){ .n = 0 };
}

void
folders_begin(struct folders *f)
{
	f->at = f->n;
}

void
folders_resume(struct folders *f, size_t at)
{
	f->at = at > 0 && at <= f->n ? at : f->n;
}

bool
folders_next(struct folders *f)
{
	while (f->at > 0)
		if (f->due[--f->at])
			return true;
	return false;
}

void
folders_all_due(struct folders *f)
{
	for (size_t i = 0; i < f->n; i++)
		f->due[i] = true;
}

bool
folders_others_due(const struct folders *f)
{
	for (size_t i = 1; i < f->n; i++)
		if (f->due[i])
			return true;
	return false;
}
