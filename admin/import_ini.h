/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_ini - a file as Python's RawConfigParser reads it, and the literals of
 * Python that getmail has in it.
 *
 * [sections]; "key = value" or "key: value"; an indented line continues the
 * value above; # and ; comment whole lines; keys in small letters.
 */
#ifndef ADMIN_IMPORT_INI_H
#define ADMIN_IMPORT_INI_H

#include "admin/import.h"

struct ini_entry {
	const char *section, *key;
	const char *value; /* trimmed; LF between its lines */
	size_t line;
	bool used;
};

struct ini {
	struct ini_entry *entries;
	size_t n, room;
};

/* What is no such line is refused and reported, without its text. */
void ini_parse(struct import *, struct slice source, struct ini *);
/* The last entry of that name, or NULL. */
struct ini_entry *
ini_find(const struct ini *, const char *section, const char *key);

/* The strings of a string, a tuple or a list, nested or not, in their order;
 * false for anything else. */
bool python_strings(struct import *, struct slice, struct import_list *);
/* 1, yes, true, on; 0, no, false, off. */
bool python_boolean(struct slice, bool *);

#endif
