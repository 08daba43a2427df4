/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options - what stands behind a subcommand: options, each a row, and arguments.
 */
#ifndef ADMIN_OPTIONS_H
#define ADMIN_OPTIONS_H

#include <stdbool.h>

enum { OPTIONS_MAX = 10 };

struct command_option {
	const char *name; /* NULL after the last row */
	char letter;      /* that stands for it, too; or 0 */
	/* One of them: where its argument goes; or true when it is there. */
	const char **argument;
	bool *given;
};

/* The arguments, NULL after the last; NULL: it was said which option is not
 * known, or lacks its argument. */
char **options_read(int argc, char **argv, const struct command_option *);

#endif
