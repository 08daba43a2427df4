/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the schema that is about rules.
 */
#include "config/schema.h"

#include "config/values.h"

#include <stddef.h>

enum { PATTERN_MAX = 256, LIST_MAX = 100 };

#define TEXT_ROW(key, text, row_flags)                                         \
	{                                                                      \
		.name = #key, .type = &value_text,                             \
		.offset = offsetof(struct text_test, key), .max = PATTERN_MAX, \
		.flags = (row_flags), .help = (text)                           \
	}
#define TEXT_ROWS(is_flags, glob_flags)                                        \
	TEXT_ROW(is,                                                           \
	    "The whole text. A text in place of the mapping means the same.",  \
	    ROW_MAY_EMPTY | (is_flags)),                                       \
	    TEXT_ROW(contains, "A part of it.", 0),                            \
	    TEXT_ROW(starts, "How it begins.", 0),                             \
	    TEXT_ROW(ends, "How it ends.", 0),                                 \
	    TEXT_ROW(glob,                                                     \
		"The whole text, where * stands for any number of bytes, and " \
		"? for one.",                                                  \
		(glob_flags))

static const struct schema_row text_rows[] = { TEXT_ROWS(0, 0),
	{ .name = NULL } };
const struct schema_table schema_text_test = {
	.rows = text_rows,
	.size = sizeof(struct text_test),
	.bare = "is",
	.section = "Texts",
};
/* As it, of an address. */
static const struct schema_row address_rows[] = {
	TEXT_ROWS(ROW_ADDRESS_TEST, ROW_ADDRESS_TEST), { .name = NULL }
};
static const struct schema_table address_test_table = {
	.rows = address_rows,
	.size = sizeof(struct text_test),
	.bare = "is",
	.section = "Texts",
};
/* As it, of the name of an account. */
static const struct schema_row account_rows[] = { TEXT_ROWS(ROW_ACCOUNT, 0),
	{ .name = NULL } };
static const struct schema_table account_test_table = {
	.rows = account_rows,
	.size = sizeof(struct text_test),
	.bare = "is",
	.section = "Texts",
};
static const struct schema_row header_rows[] = {
	{ .name = "name",
	    .type = &value_field_name,
	    .offset = offsetof(struct text_test, name),
	    .flags = ROW_REQUIRED | ROW_SEEN_BY_RULES,
	    .help = "The name of the field. With nothing else beside it: there "
		    "is such a field." },
	TEXT_ROWS(0, 0),
	{ .name = NULL },
};
static const struct schema_table header_test_table = {
	.rows = header_rows,
	.size = sizeof(struct text_test),
};

static const struct schema_row size_rows[] = {
	{ .name = "above",
	    .type = &value_size,
	    .offset = offsetof(struct size_test, above),
	    .max = 1024 * GIB,
	    .min = 1,
	    .help = "More bytes than these." },
	{ .name = "below",
	    .type = &value_size,
	    .offset = offsetof(struct size_test, below),
	    .max = 1024 * GIB,
	    .min = 1,
	    .help = "Fewer bytes than these." },
	{ .name = NULL },
};
const struct schema_table schema_size_test = {
	.rows = size_rows,
	.size = sizeof(struct size_test),
};

static const struct schema_word source_words[] = {
	{ .word = "envelope", .value = TIER_ENVELOPE },
	{ .word = "received", .value = TIER_RECEIVED },
	{ .word = "headers", .value = TIER_HEADERS },
	{ .word = "fallback", .value = TIER_FALLBACK },
	{ .word = "single", .value = TIER_SINGLE },
	{ .word = NULL },
};

#define TEST_ROW(key, of_table, text)                                          \
	{                                                                      \
		.name = #key, .type = &value_optional_mapping,                 \
		.table = &(of_table),                                          \
		.offset = offsetof(struct condition, key), .help = (text)      \
	}
#define LIST_ROW(key, text)                                                    \
	{                                                                      \
		.name = #key, .type = &value_list, .element = &value_mapping,  \
		.table = &schema_condition,                                    \
		.offset = offsetof(struct condition, key),                     \
		.second = offsetof(struct condition, n_##key), .min = 1,       \
		.max = LIST_MAX, .help = (text)                                \
	}
static const struct schema_row condition_rows[] = {
	TEST_ROW(recipient, address_test_table,
	    "One of those who would get the message when the rule's turn "
	    "comes. In addresses domains are in ASCII (xn--...)."),
	TEST_ROW(candidate, address_test_table,
	    "One of the addresses that the message is for as it says itself, "
	    "before the directory was asked."),
	TEST_ROW(sender, address_test_table,
	    "The envelope sender, as Postfix is given it; \"\" is the null "
	    "sender. What people see is header: {name: From, ...}."),
	TEST_ROW(subject, schema_text_test, "The Subject, decoded."),
	TEST_ROW(header, header_test_table,
	    "A field of the header, decoded and in one line. One of several "
	    "with this name is enough. Of all fields that rules name, 64 KiB "
	    "are looked at."),
	TEST_ROW(size, schema_size_test,
	    "About how large the message is. Only with such a rule does "
	    "the milter ask Postfix for the bodies."),
	TEST_ROW(account, account_test_table,
	    "The name of the account that the message came through."),
	{ .name = "tier",
	    .type = &value_list,
	    .element = &value_word,
	    .words = source_words,
	    .offset = offsetof(struct condition, tiers),
	    .second = offsetof(struct condition, n_tiers),
	    .min = 1,
	    .max = LIST_MAX,
	    .help = "Where the candidates came from; headers is a guess, "
		    "fallback means that nobody was named." },
	LIST_ROW(all, "All of these conditions hold."),
	LIST_ROW(any, "At least one of these conditions holds."),
	{ .name = "not",
	    .type = &value_optional_mapping,
	    .table = &schema_condition,
	    .offset = offsetof(struct condition, negated),
	    .help = "This condition does not hold." },
	{ .name = NULL },
};
const struct schema_table schema_condition = {
	.rows = condition_rows,
	.size = sizeof(struct condition),
	.section = "Conditions",
};

static const struct schema_row added_rows[] = {
	{ .name = "name",
	    .type = &value_field_name,
	    .offset = offsetof(struct rule_header, name),
	    .flags = ROW_REQUIRED | ROW_SEEN_BY_RULES,
	    .help = "The name of the field." },
	{ .name = "value",
	    .type = &value_text,
	    .offset = offsetof(struct rule_header, value),
	    .max = 900,
	    .flags = ROW_REQUIRED | ROW_ASCII,
	    .help = "Its text, in ASCII." },
	{ .name = NULL },
};
static const struct schema_table added_table = {
	.rows = added_rows,
	.size = sizeof(struct rule_header),
};

#define SWITCH_ROW(key, text)                                                  \
	{                                                                      \
		.name = #key, .type = &value_boolean,                          \
		.offset = offsetof(struct rule_actions, key),                  \
		.fallback = "false", .help = (text)                            \
	}
static const struct schema_row action_rows[] = {
	SWITCH_ROW(fallback,
	    "The account's fallback takes the place of all recipients."),
	{ .name = "replace",
	    .type = &value_list,
	    .element = &value_address,
	    .offset = offsetof(struct rule_actions, replace),
	    .second = offsetof(struct rule_actions, n_replace),
	    .min = 1,
	    .max = LIST_MAX,
	    .flags = ROW_SENT_TO | ROW_AS_IS,
	    .help = "These take the place of all recipients." },
	{ .name = "drop",
	    .type = &value_list,
	    .element = &value_text,
	    .offset = offsetof(struct rule_actions, drop),
	    .min = 1,
	    .max = LIST_MAX,
	    .flags = ROW_ADDRESS_TEST,
	    .help = "These recipients get nothing. Each is an address, in "
		    "which * and ? stand for others as in a glob. When nobody "
		    "is left in the end, the fallback gets the message." },
	{ .name = "add",
	    .type = &value_list,
	    .element = &value_address,
	    .offset = offsetof(struct rule_actions, add),
	    .second = offsetof(struct rule_actions, n_add),
	    .min = 1,
	    .max = LIST_MAX,
	    .flags = ROW_SENT_TO | ROW_AS_IS,
	    .help = "These get the message, too." },
	SWITCH_ROW(hold,
	    "Postfix puts the message into its hold queue, where it stays "
	    "until postsuper -H releases it."),
	{ .name = "add_header",
	    .type = &value_list,
	    .element = &value_mapping,
	    .table = &added_table,
	    .offset = offsetof(struct rule_actions, headers),
	    .second = offsetof(struct rule_actions, n_headers),
	    .min = 1,
	    .max = 20,
	    .help = "Fields that are added to the header." },
	SWITCH_ROW(stop, "No rule after this one is looked at."),
	{ .name = NULL },
};
static const struct schema_table action_table = {
	.rows = action_rows,
	.size = sizeof(struct rule_actions),
};

static const struct schema_row rule_rows[] = {
	{ .name = "name",
	    .type = &value_name,
	    .offset = offsetof(struct rule, name),
	    .max = 40,
	    .derived = "its place in the list",
	    .help = "What the log and mailhaul explain call it." },
	{ .name = "if",
	    .type = &value_mapping,
	    .table = &schema_condition,
	    .offset = offsetof(struct rule, when),
	    .derived = "always",
	    .help = "When the rule applies: all that is asked for must hold." },
	{ .name = "then",
	    .type = &value_mapping,
	    .table = &action_table,
	    .offset = offsetof(struct rule, then),
	    .flags = ROW_REQUIRED,
	    .help = "What it does, in this order." },
	{ .name = NULL },
};
const struct schema_table schema_rule = {
	.rows = rule_rows,
	.size = sizeof(struct rule),
	.section = "Rules",
};

const struct schema_table *const schema_sections[] = { &schema_secret,
	&schema_rule, &schema_condition, &schema_text_test, NULL };
