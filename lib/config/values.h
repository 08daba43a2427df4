/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values - the types that keys of the configuration file can have: how a
 * scalar becomes a C value, and how the type is called.
 */
#ifndef CONFIG_VALUES_H
#define CONFIG_VALUES_H

#include "config/findings.h"
#include "config/node.h"
#include "config/schema.h"

/* One loading. */
struct load {
	struct arena *arena; /* everything that the configuration points to */
	struct findings *findings;
	const char *folder; /* of the YAML file; relative paths begin here */
	bool keep_for_all;  /* `keep` stands in the file itself */
};

/* Reads the node into the struct at `base`, at row->offset.  What is wrong has
 * been told when it returns false, and then the field is as it was. */
typedef bool value_reader(
    struct load *, const struct schema_row *, struct node *, void *base);

struct value_type {
	const char *words; /* "a duration such as 90s, 5m or 7d" */
	value_reader *read;
	size_t size;         /* as element of a list */
	const char *json;    /* JSON type */
	const char *pattern; /* JSON Schema's, for strings; NULL: none */
};

/* Scalars (values.c). */
extern const struct value_type value_text, value_name, value_path,
    value_boolean, value_number, value_port, value_duration, value_size,
    value_word, value_switch, value_preset, value_provider, value_keep,
    value_interval, value_occurrence;
/* Scalars of mail, network and directory (values_mail.c). */
extern const struct value_type value_address, value_optional_address,
    value_domain, value_domain_pattern, value_host, value_field_name, value_uri,
    value_attribute, value_list_name, value_table, value_filter,
    value_fingerprint, value_socket;
/* Made of others (load.c). */
extern const struct value_type value_mapping, value_optional_mapping,
    value_list, value_reserved;

/* The text of a scalar; anything else is told as not being `expected`. */
bool value_scalar(struct load *, const struct node *, const char *expected,
    struct slice *text);
/* Where the row's field is. */
void *value_field(const struct schema_row *, void *base);
/* What a key's duration may look like; false when it is none.  One beyond every
 * range gives INT64_MAX. */
bool duration_parse(struct slice, int64_t *ms);
/* Writes a duration, size or number in its shortest form.  Returns out. */
char *duration_write(int64_t ms, char out[static 32]);
char *size_write(int64_t bytes, char out[static 32]);
char *number_write(int64_t number, char out[static 32]);

#endif
