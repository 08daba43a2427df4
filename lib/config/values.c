/* SPDX-License-Identifier: Apache-2.0 */
#include "config/values.h"

#include "config/providers.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_MAX = 1024 };

void *
value_field(const struct schema_row *row, void *base)
{
	return (char *)base + row->offset;
}

bool
value_scalar(struct load *load, const struct node *node, const char *expected,
    struct slice *text)
{
	if (node->kind == NODE_REFUSED)
		return false;
	if (node->kind != NODE_SCALAR) {
		finding_error(load->findings, node, "expected %s, found a %s",
		    expected, node->kind == NODE_LIST ? "list" : "mapping");
		return false;
	}
	*text = slice_of(node->text);
	return true;
}

/* Quoting what stands there helps; secrets never get here, since a secret is
 * never a scalar. */
static bool
unexpected(
    struct load *load, const struct schema_row *row, const struct node *node)
{
	if (node->text[0] == '\0')
		finding_error(load->findings, node,
		    "expected %s, found nothing", row->type->words);
	else
		finding_error(load->findings, node, "expected %s, found \"%s\"",
		    row->type->words, node->text);
	return false;
}

static bool
is_control(uint8_t byte)
{
	return byte < 0x20 || byte == 0x7f;
}

static bool
is_printable(uint8_t byte)
{
	return !is_control(byte);
}

/* Text that may go into a protocol line or an argv. */
static bool
scalar_text(struct load *load, const struct schema_row *row,
    const struct node *node, struct slice *text)
{
	if (!value_scalar(load, node, row->type->words, text))
		return false;
	if (text->len == 0 && (row->flags & ROW_MAY_EMPTY) == 0) {
		finding_error(load->findings, node, "must not be empty");
		return false;
	}
	if (!slice_all(*text, is_printable)) {
		finding_error(load->findings, node, "holds control characters");
		return false;
	}
	if (text->len > TEXT_MAX) {
		finding_error(
		    load->findings, node, "longer than %d bytes", TEXT_MAX);
		return false;
	}
	return true;
}

static void
store_text(struct load *load, const struct schema_row *row, struct slice text,
    void *base)
{
	const char *copy = arena_string(load->arena, text);

	memcpy(value_field(row, base), &copy, sizeof(copy));
}

static bool
read_text(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	struct slice text;

	if (!scalar_text(load, row, node, &text))
		return false;
	if (row->max > 0 && text.len > (uint64_t)row->max) {
		finding_error(load->findings, node,
		    "longer than %" PRId64 " characters", row->max);
		return false;
	}
	store_text(load, row, text, base);
	return true;
}

static bool
is_name_byte(uint8_t byte)
{
	return byte_is_alnum(byte) ||
	       slice_find(SLICE("._-@+"), byte) < sizeof("._-@+") - 1;
}

static bool
read_name(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	struct slice text;

	if (!scalar_text(load, row, node, &text))
		return false;
	if (!slice_all(text, is_name_byte) || !byte_is_alnum(text.data[0]) ||
	    text.len > (uint64_t)row->max) {
		finding_error(load->findings, node,
		    "expected %s, at most %" PRId64 " characters",
		    row->type->words, row->max);
		return false;
	}
	store_text(load, row, text, base);
	return true;
}

static bool
read_path(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	struct slice text;
	const char *path;

	if (!scalar_text(load, row, node, &text))
		return false;
	if (text.data[0] == '/')
		path = arena_string(load->arena, text);
	else
		path = arena_printf(
		    load->arena, "%s/%.*s", load->folder, SLICE_ARG(text));
	memcpy(value_field(row, base), &path, sizeof(path));
	return true;
}

static bool
read_boolean(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	struct slice text;
	bool value;

	if (!value_scalar(load, node, row->type->words, &text))
		return false;
	value = slice_equal(text, SLICE("true"));
	if (!value && !slice_equal(text, SLICE("false")))
		return unexpected(load, row, node);
	memcpy(value_field(row, base), &value, sizeof(value));
	return true;
}

struct unit {
	const char *name;
	int64_t factor;
};
static const struct unit duration_units[] = { { "d", 86400000 },
	{ "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
	{ NULL, 0 } };
static const struct unit size_units[] = { { "G", 1 << 30 }, { "M", 1 << 20 },
	{ "K", 1 << 10 }, { "", 1 }, { NULL, 0 } };
static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };

static char *
write_units(const struct unit *unit, int64_t value, char out[static 32])
{
	while (
	    unit[1].name != NULL && (value % unit->factor != 0 || value == 0))
		unit++;
	snprintf(out, 32, "%" PRId64 "%s", value / unit->factor, unit->name);
	return out;
}

char *
duration_write(int64_t ms, char out[static 32])
{
	if (ms == 0)
		return memcpy(out, "0s", sizeof("0s"));
	return write_units(duration_units, ms, out);
}

char *
size_write(int64_t bytes, char out[static 32])
{
	return write_units(size_units, bytes, out);
}

char *
number_write(int64_t number, char out[static 32])
{
	return write_units(no_units, number, out);
}

/* A number and its unit.  False, untold, when it is anything else; a number
 * beyond every range gives INT64_MAX. */
static bool
cut_units(struct slice text, const struct unit *units, int64_t *value)
{
	struct slice digits = slice_first(text, 0);
	uint64_t number;

	while (digits.len < text.len && byte_is_digit(text.data[digits.len]))
		digits.len++;
	if (digits.len == 0)
		return false;
	text = slice_from(text, digits.len);
	while (units->name != NULL && !slice_equal(text, slice_of(units->name)))
		units++;
	if (units->name == NULL)
		return false;
	if (slice_cut_number(&digits, INT64_MAX, &number) &&
	    number <= (uint64_t)(INT64_MAX / units->factor))
		*value = (int64_t)number * units->factor;
	else
		*value = INT64_MAX;
	return true;
}

bool
duration_parse(struct slice text, int64_t *ms)
{
	return cut_units(text, duration_units, ms);
}

/* A number with units in the row's range. */
static bool
ranged(struct load *load, const struct schema_row *row, const struct node *node,
    const struct unit *units, int64_t *value)
{
	char limit[32];
	struct slice text;

	if (!value_scalar(load, node, row->type->words, &text))
		return false;
	if (!cut_units(text, units, value))
		return unexpected(load, row, node);
	if (*value >= row->min && *value <= row->max)
		return true;
	write_units(units, *value < row->min ? row->min : row->max, limit);
	finding_error(load->findings, node, "%s is %s of %s", node->text,
	    *value < row->min ? "below the minimum" : "above the maximum",
	    limit);
	return false;
}

static bool
read_number(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	int64_t value;
	uint32_t narrow;

	if (!ranged(load, row, node, no_units, &value))
		return false;
	narrow = (uint32_t)value;
	memcpy(value_field(row, base), &narrow, sizeof(narrow));
	return true;
}

static bool
read_port(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	int64_t value;
	uint16_t narrow;

	if (!ranged(load, row, node, no_units, &value))
		return false;
	narrow = (uint16_t)value;
	memcpy(value_field(row, base), &narrow, sizeof(narrow));
	return true;
}

static bool
read_duration(struct load *load, const struct schema_row *row,
    struct node *node, void *base)
{
	int64_t value;

	if (!ranged(load, row, node, duration_units, &value))
		return false;
	memcpy(value_field(row, base), &value, sizeof(value));
	return true;
}

static bool
read_size(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	int64_t value;

	if (!ranged(load, row, node, size_units, &value))
		return false;
	memcpy(value_field(row, base), &value, sizeof(value));
	return true;
}

/* "a, b or c": the words usable today. */
static void
list_words(const struct schema_word *words, struct buf *out)
{
	const struct schema_word *w, *last = NULL;

	for (w = words; w->word != NULL; w++)
		if (!w->later)
			last = w;
	for (w = words; w->word != NULL; w++) {
		if (w->later)
			continue;
		if (out->len > 0)
			buf_add_string(out, w == last ? " or " : ", ");
		buf_add_string(out, w->word);
	}
}

static const struct schema_word *
find_word(const struct schema_word *words, struct slice text)
{
	for (; words->word != NULL; words++)
		if (slice_equal(text, slice_of(words->word)))
			return words;
	return NULL;
}

static bool
cut_word(struct load *load, const struct schema_row *row,
    const struct node *node, const struct schema_word **found)
{
	const struct schema_word *word;
	struct slice text;
	struct buf known;

	buf_init(&known, TEXT_MAX);
	list_words(row->words, &known);
	word = NULL;
	if (!value_scalar(load, node, buf_string(&known), &text))
		goto out;
	word = find_word(row->words, text);
	if (word == NULL)
		finding_error(load->findings, node, "expected %s, found \"%s\"",
		    buf_string(&known), node->text);
out:
	buf_clear(&known);
	if (word == NULL)
		return false;
	if (word->later)
		finding_error(load->findings, node,
		    "%s is not in this version yet", word->word);
	else if (word->warning != NULL)
		finding_warning(load->findings, node, "%s", word->warning);
	*found = word;
	return !word->later;
}

static bool
read_word(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	const struct schema_word *word;

	if (!cut_word(load, row, node, &word))
		return false;
	if (row->offset != NO_FIELD)
		memcpy(
		    value_field(row, base), &word->value, sizeof(word->value));
	return true;
}

/* A word that is stored as yes or no. */
static bool
read_switch(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	const struct schema_word *word;
	bool on;

	if (!cut_word(load, row, node, &word))
		return false;
	on = word->value != 0;
	memcpy(value_field(row, base), &on, sizeof(on));
	return true;
}

/* A word that is stored as the text that it stands for. */
static bool
read_preset(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	const struct schema_word *word;

	if (!cut_word(load, row, node, &word))
		return false;
	memcpy(value_field(row, base), &word->text, sizeof(word->text));
	return true;
}

/* In an account: a word that sets many of its fields. */
static bool
read_provider(struct load *load, const struct schema_row *row,
    struct node *node, void *base)
{
	const struct schema_word *word;

	if (!cut_word(load, row, node, &word))
		return false;
	provider_apply(word->provider, base);
	return true;
}

/* A word, or a duration that goes to the second field. */
static bool
read_keep(struct load *load, const struct schema_row *row, struct node *node,
    void *base)
{
	const struct schema_word *word;
	int kind = KEEP_TIME;
	int64_t ms = 0;

	word = node->kind == NODE_SCALAR
		   ? find_word(row->words, slice_of(node->text))
		   : NULL;
	if (word != NULL)
		kind = word->value;
	else if (!ranged(load, row, node, duration_units, &ms))
		return false;
	memcpy(value_field(row, base), &kind, sizeof(kind));
	memcpy((char *)base + row->second, &ms, sizeof(ms));
	return true;
}

/* A duration; a word is none. */
static bool
read_interval(struct load *load, const struct schema_row *row,
    struct node *node, void *base)
{
	int64_t ms = 0;

	if ((node->kind != NODE_SCALAR ||
		find_word(row->words, slice_of(node->text)) == NULL) &&
	    !ranged(load, row, node, duration_units, &ms))
		return false;
	memcpy(value_field(row, base), &ms, sizeof(ms));
	return true;
}

static bool
read_occurrence(struct load *load, const struct schema_row *row,
    struct node *node, void *base)
{
	const struct schema_word *word;
	int64_t number;
	int value;

	word = node->kind == NODE_SCALAR
		   ? find_word(row->words, slice_of(node->text))
		   : NULL;
	if (word == NULL && !ranged(load, row, node, no_units, &number))
		return false;
	value = word != NULL ? word->value : (int)number;
	memcpy(value_field(row, base), &value, sizeof(value));
	return true;
}

#define DURATION_PATTERN "^[0-9]+(ms|s|m|h|d)$"

const struct value_type value_text = { "a text", read_text,
	sizeof(const char *), "text", NULL };
const struct value_type value_name = {
	"a name of letters, digits and . _ - @ +", read_name,
	sizeof(const char *), "text", "^[A-Za-z0-9][A-Za-z0-9._@+-]*$"
};
const struct value_type value_path = { "a path", read_path,
	sizeof(const char *), "string", NULL };
const struct value_type value_boolean = { "true or false", read_boolean,
	sizeof(bool), "boolean", NULL };
const struct value_type value_number = { "a number", read_number,
	sizeof(uint32_t), "integer", NULL };
const struct value_type value_port = { "a port number", read_port,
	sizeof(uint16_t), "integer", NULL };
const struct value_type value_duration = {
	"a duration such as 500ms, 30s, 5m, 2h or 7d", read_duration,
	sizeof(int64_t), "string", DURATION_PATTERN
};
const struct value_type value_size = { "a size such as 800K, 20M or 1G",
	read_size, sizeof(uint64_t), "text", "^[0-9]+[KMG]?$" };
const struct value_type value_word = { "a word", read_word, sizeof(int),
	"words", NULL };
const struct value_type value_switch = { "a word", read_switch, sizeof(bool),
	"words", NULL };
const struct value_type value_preset = { "a word", read_preset, 0, "words",
	NULL };
const struct value_type value_provider = { "a word", read_provider, 0, "words",
	NULL };
const struct value_type value_keep = { "none, forever or a duration such as 7d",
	read_keep, 0, "string", DURATION_PATTERN };
const struct value_type value_interval = {
	"a duration such as 30s, 5m or 1h, or on_demand", read_interval,
	sizeof(int64_t), "string", DURATION_PATTERN
};
const struct value_type value_occurrence = { "a number from 1, or last, or all",
	read_occurrence, 0, "integer", NULL };
