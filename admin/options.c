/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/options.h"

#include <getopt.h>
#include <stdio.h>

enum { LONG_ONLY = 256 }; /* and the row's number; below: a letter */

static int
value_of(const struct command_option *rows, size_t i)
{
	return rows[i].letter != 0 ? rows[i].letter : LONG_ONLY + (int)i;
}

static bool
take(const struct command_option *rows, int value)
{
	for (size_t i = 0; rows[i].name != NULL; i++) {
		if (value_of(rows, i) != value)
			continue;
		if (rows[i].argument != NULL)
			*rows[i].argument = optarg;
		else
			*rows[i].given = true;
		return true;
	}
	return false;
}

char **
options_read(int argc, char **argv, const struct command_option *rows)
{
	struct option known[OPTIONS_MAX + 1] = { { .name = NULL } };
	char letters[2 * OPTIONS_MAX + 1] = "", *letter = letters;
	char *command = argv[0], spoken[40]; /* in what getopt says */
	int value;

	for (size_t i = 0; rows[i].name != NULL; i++) {
		bool argument = rows[i].argument != NULL;

		known[i] = (struct option){ .name = rows[i].name,
			.has_arg = argument ? required_argument : no_argument,
			.val = value_of(rows, i) };
		if (rows[i].letter != 0)
			*letter++ = rows[i].letter;
		if (rows[i].letter != 0 && argument)
			*letter++ = ':';
	}
	snprintf(spoken, sizeof(spoken), "mailhaul %s", command);
	argv[0] = spoken;
	do
		value = getopt_long(argc, argv, letters, known, NULL);
	while (value != -1 && take(rows, value));
	argv[0] = command;
	return value == -1 ? argv + optind : NULL;
}
