/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_mpoprc_commands - what each command of a .mpoprc does to an account.
 */
#ifndef ADMIN_IMPORT_MPOPRC_COMMANDS_H
#define ADMIN_IMPORT_MPOPRC_COMMANDS_H

#include "admin/import.h"

struct mpop_command;

struct mpop_line {
	const struct mpop_command *command;
	const char *argument;
	size_t line;
	const char *told; /* what was reported last */
};

/* One account in the making. */
struct mpop_target {
	struct import_account *account;
	bool shared; /* the line at hand is of other accounts, too */
	bool tls, tls_said, no_starttls;
	const char *delivery;
	size_t delivery_line;
};

/* NULL when there is no such command. */
const struct mpop_command *mpop_find_command(struct slice name);
const char *mpop_command_name(const struct mpop_command *);
/* Applies and reports; an inherited line is reported once, unless it means
 * another thing. */
void mpop_apply(struct mpop_target *, struct mpop_line *);
/* What follows from several of them. */
void mpop_finish(struct mpop_target *);

#endif
