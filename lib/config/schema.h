/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema - every key of the configuration file, once: name, type, default,
 * range, help.
 *
 * The loader, its messages, the manual page, the sample and the JSON Schema
 * are all made from these tables; nothing else knows a name, a default or a
 * range.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stdatomic.h>

#include "base/arena.h"
#include "config/config.h"

/* What the file is read into.  The configuration comes first, so that the
 * whole is found again from a struct config pointer. */
struct settings {
	struct config config;
	struct account account_defaults;
	atomic_int references;
	struct arena arena;
};

struct value_type; /* config/values.h */

/* One word that a key takes, and what it means. */
struct schema_word {
	const char *word;    /* NULL ends the list */
	const char *text;    /* of value_preset: what it stands for */
	const char *warning; /* said when the word is used, or NULL */
	const struct provider *provider; /* of value_provider */
	int value;
	bool later; /* fixed, and not in this version yet */
};

enum schema_flag {
	ROW_REQUIRED = 1 << 0,
	ROW_OWN = 1 << 1,        /* of one account, not for account_defaults */
	ROW_ACCEPTED = 1 << 2,   /* must lie in the accepted domains */
	ROW_MAY_EMPTY = 1 << 3,  /* "" is a value */
	ROW_MUST_EXIST = 1 << 4, /* a missing file is an error */
	ROW_SHOULD_EXIST = 1 << 5, /* a missing file is a warning */
	ROW_SECRET_FILE = 1 << 6,  /* checked for its permissions */
	ROW_IN_PLACE = 1 << 7, /* a list in the struct, at most `max` entries,
				  each once */
	ROW_SAMPLE = 1 << 9,   /* in the sample although not required */
	ROW_COMMAND = 1 << 8,  /* an argv: begins with an absolute path */
	ROW_BESIDE = 1 << 10,  /* may stand beside the one of a one_of table */
	ROW_SENT_TO = 1 << 11, /* as ROW_ACCEPTED, or in allow_external */
	ROW_ACCOUNT = 1 << 12, /* the name of an account */
	ROW_SEEN_BY_RULES = 1 << 13,  /* a field that is there when rules run */
	ROW_ASCII = 1 << 14,          /* only bytes of ASCII */
	ROW_AS_IS = 1 << 15,          /* aliases are not applied to it */
	ROW_ADDRESS_TEST = 1 << 16,   /* compared with a whole address */
	ROW_ENVELOPE_FIELD = 1 << 17, /* records an envelope recipient */
};

#define MS INT64_C(1)
#define SECONDS (1000 * MS)
#define MINUTES (60 * SECONDS)
#define HOURS (60 * MINUTES)
#define DAYS (24 * HOURS)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

enum {
	SCHEMA_RULES_MAX = 500,
	SCHEMA_ALIASES_MAX = 10000,
	SCHEMA_PEOPLE_MAX = 1000, /* of an alias or a list */
};
enum { NO_FIELD = -1 }; /* offset of a key that is only checked */

struct schema_row {
	const char *name; /* NULL ends the table */
	const struct value_type *type;
	ptrdiff_t offset; /* in the table's struct */
	ptrdiff_t second; /* of the companion: count of a list, keep_ms, … */
	const char *fallback; /* the default as YAML; NULL: none */
	const char *derived;  /* in words, where it depends on other keys */
	int64_t min, max;     /* numbers, milliseconds, bytes, list length */
	const struct schema_word *words;
	const struct value_type *element; /* of a list */
	const struct schema_table *table; /* of a mapping, or list of them */
	bool inherits; /* the elements of this list begin as the row above */
	int choice;    /* value of the table's `choice` field */
	bool private;  /* what stands below is never printed */
	unsigned flags;
	const char *example; /* for the sample, when there is no default */
	const char *help;
};

struct schema_table {
	const struct schema_row *rows;
	size_t size;      /* of the struct */
	bool one_of;      /* exactly one key must be there, ROW_BESIDE aside */
	ptrdiff_t choice; /* of one_of: where to write which */
	const char *bare; /* a scalar in place of the mapping is this key */
	const char *scalar_text; /* said of any other scalar */
	unsigned without;        /* rows with these flags are not for here */
	const char *section;     /* described once, under this name; tables that
				contain themselves must be */
};

extern const struct schema_table schema_root;
/* Parts of it. */
extern const struct schema_table schema_secret, schema_directory, schema_cache,
    schema_account, schema_account_defaults, schema_recipients, schema_dedupe,
    schema_rule, schema_condition, schema_text_test, schema_size_test,
    schema_alias, schema_list;
/* Those with a section, NULL at the end; one for each name. */
extern const struct schema_table *const schema_sections[];
extern const struct schema_word schema_keep_words[];

/* The usual port of a protocol. */
uint16_t schema_port(enum account_protocol);
#endif
