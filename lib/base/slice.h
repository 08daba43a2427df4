/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slice - a bounded view of bytes that belong to somebody else.
 *
 * Every byte that a server, a mail or a directory sent is looked at through a
 * slice, never through a char pointer: a slice has no terminator to be
 * missing and may hold NUL.  A slice is valid as long as the bytes it points
 * to; each function that hands one out says how long that is.
 *
 * The cut functions take the front off a slice and return true, or return
 * false and leave the slice as it was.  Letters compare as ASCII only.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
	const uint8_t *data;
	size_t len;
};

/* A slice of a string literal. */
#define SLICE(literal)                                                         \
	((struct slice){ (const uint8_t *)(literal), sizeof(literal) - 1 })
/* For printf's "%.*s"; only for bytes already known to be printable. */
#define SLICE_ARG(s) (int)(s).len, (const char *)(s).data

typedef bool slice_test(uint8_t byte);

/* The bytes of a C string without its NUL; NULL gives the empty slice. */
struct slice slice_of(const char *);
/* The part that begins at `from`; empty when `from` is beyond the end. */
struct slice slice_from(struct slice, size_t from);
/* At most the first `len` bytes. */
struct slice slice_first(struct slice, size_t len);

bool slice_equal(struct slice, struct slice);
bool slice_equal_nocase(struct slice, struct slice);
/* As memcmp: below, equal to or above zero; a prefix sorts first. */
int slice_compare(struct slice, struct slice);
bool slice_starts(struct slice, struct slice prefix);
bool slice_starts_nocase(struct slice, struct slice prefix);
bool slice_ends_nocase(struct slice, struct slice suffix);
/* True when every byte passes the test; the empty slice passes. */
bool slice_all(struct slice, slice_test *);

/* Offset of the first `byte`, or s.len when there is none. */
size_t slice_find(struct slice s, uint8_t byte);
/* Offset of the last `byte`, or s.len when there is none. */
size_t slice_find_last(struct slice s, uint8_t byte);
/* Offset of the first `needle` in ASCII-case-blind comparison, or s.len. */
size_t slice_search_nocase(struct slice s, struct slice needle);

bool slice_cut_prefix(struct slice *, struct slice prefix);
bool slice_cut_prefix_nocase(struct slice *, struct slice prefix);
/* A run of decimal digits whose value is at most `max`.  No sign, no blank;
 * more than 20 digits or a greater value: false. */
bool slice_cut_number(struct slice *, uint64_t max, uint64_t *value);
/* Everything up to `byte`, which is taken off too; false without one. */
bool slice_cut_until(struct slice *, uint8_t byte, struct slice *head);
/* The next run of non-blanks after optional blanks; false at the end. */
bool slice_cut_word(struct slice *, struct slice *word);
/* One line without its LF or CRLF; the last line may lack it.  False only at
 * the end. */
bool slice_cut_line(struct slice *, struct slice *line);
/* Without leading and trailing SP, HT, CR and LF. */
struct slice slice_trim(struct slice);

bool byte_is_digit(uint8_t);
bool byte_is_alpha(uint8_t);
bool byte_is_alnum(uint8_t);
/* SP, HT, CR or LF */
bool byte_is_space(uint8_t);
/* 0x21-0x7e */
bool byte_is_graphic(uint8_t);
/* ASCII capitals to small letters, everything else as it is. */
uint8_t byte_lower(uint8_t);

#endif
