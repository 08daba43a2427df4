/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the schema that is about tables of people: aliases and lists.
 */
#include "config/schema.h"

#include "config/values.h"

#include <stddef.h>

static const struct schema_row alias_rows[] = {
	{ .name = "address",
	    .type = &value_address,
	    .offset = offsetof(struct alias, address),
	    .flags = ROW_REQUIRED | ROW_ACCEPTED,
	    .help = "The address. It need not be in the directory. With "
		    "recipient_delimiter, sales+x@ is an alias if sales@ is, "
		    "unless it is one itself, and its extension goes on to "
		    "the people: anna+x@." },
	{ .name = "to",
	    .type = &value_list,
	    .element = &value_address,
	    .offset = offsetof(struct alias, to),
	    .second = offsetof(struct alias, n_to),
	    .min = 1,
	    .max = SCHEMA_PEOPLE_MAX,
	    .flags = ROW_REQUIRED | ROW_ACCEPTED,
	    .help = "The people who get what is for it. None of them may be "
		    "an alias, but the address itself may stand here: the "
		    "others get a copy." },
	{ .name = NULL },
};
const struct schema_table schema_alias = {
	.rows = alias_rows,
	.size = sizeof(struct alias),
};

static const struct schema_row list_rows[] = {
	{ .name = "list",
	    .type = &value_list_name,
	    .offset = offsetof(struct mailing_list, name),
	    .flags = ROW_REQUIRED,
	    .help =
		"The list's name in the List-Id field, or its address, "
		"which is looked for in List-Post, then in To and Cc; where "
		"only these have it, whom else they name gets the message, "
		"too." },
	{ .name = "to",
	    .type = &value_list,
	    .element = &value_address,
	    .offset = offsetof(struct mailing_list, to),
	    .second = offsetof(struct mailing_list, n_to),
	    .min = 1,
	    .max = SCHEMA_PEOPLE_MAX,
	    .flags = ROW_REQUIRED | ROW_ACCEPTED,
	    .help = "The people whom its mail is for, as if the message named "
		    "them: they may be aliases, and the directory is asked." },
	{ .name = NULL },
};
const struct schema_table schema_list = {
	.rows = list_rows,
	.size = sizeof(struct mailing_list),
};
