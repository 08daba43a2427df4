/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/postconf.h"

#include "base/mem.h"
#include "base/proc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 30000, OUTPUT_MAX = 1024 * 1024, ARGUMENTS_MAX = 64 };

static bool
run(const char *program, const char *const *arguments, struct buf *out,
    struct error *err)
{
	const char *argv[ARGUMENTS_MAX + 2] = { program };
	size_t n = 0;

	while (n < ARGUMENTS_MAX && arguments[n] != NULL) {
		argv[1 + n] = arguments[n];
		n++;
	}
	buf_init(out, OUTPUT_MAX);
	return proc_run(argv, TIMEOUT_MS, out, err);
}

static void
read_line(struct slice line, struct postconf_value *values, size_t n)
{
	struct slice name;

	if (!slice_cut_until(&line, '=', &name))
		return;
	line = slice_trim(line);
	for (size_t i = 0; i < n; i++)
		if (slice_equal(slice_trim(name), slice_of(values[i].name)) &&
		    values[i].text == NULL)
			values[i].text = mem_string_len(line.data, line.len);
}

bool
postconf_read(const char *program, const char *how,
    struct postconf_value *values, size_t n, struct error *err)
{
	const char *arguments[ARGUMENTS_MAX + 1] = { NULL };
	struct slice rest, line;
	struct buf out;
	size_t used = 0;
	bool ok;

	if (how != NULL)
		arguments[used++] = how;
	for (size_t i = 0; i < n && used < ARGUMENTS_MAX; i++) {
		values[i].text = NULL;
		arguments[used++] = values[i].name;
	}
	ok = run(program, arguments, &out, err);
	rest = buf_slice(&out);
	while (ok && slice_cut_line(&rest, &line))
		if (slice_find(line, 0) == line.len)
			read_line(line, values, n);
	buf_clear(&out);
	return ok;
}

void
postconf_values_clear(struct postconf_value *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(values[i].text);
		values[i].text = NULL;
	}
}

const char *
postconf_text(const struct postconf_value *values, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(values[i].name, name) == 0 && values[i].text != NULL)
			return values[i].text;
	return "";
}

bool
postconf_service(
    const char *program, const char *service, char **line, struct error *err)
{
	const char *const arguments[] = { "-M", service, NULL };
	struct slice rest, word;
	struct buf out, neat;
	bool ok = run(program, arguments, &out, err);

	*line = NULL;
	buf_init(&neat, OUTPUT_MAX);
	rest = buf_slice(&out);
	while (slice_cut_word(&rest, &word))
		buf_printf(
		    &neat, "%s%.*s", neat.len > 0 ? " " : "", SLICE_ARG(word));
	if (ok && neat.len > 0)
		*line = mem_string(buf_string(&neat));
	buf_clear(&neat);
	buf_clear(&out);
	return ok;
}

bool
postconf_column(const char *program, const char *column, char value[static 16],
    struct error *err)
{
	const char *const arguments[] = { "-h", "-F", column, NULL };
	struct slice rest, word;
	struct buf out;
	bool ok = run(program, arguments, &out, err);

	rest = buf_slice(&out);
	if (!slice_cut_word(&rest, &word))
		word = SLICE("");
	snprintf(value, 16, "%.*s", SLICE_ARG(word));
	buf_clear(&out);
	return ok;
}

bool
postconf_override(
    const char *program, const char *option, char **value, struct error *err)
{
	const char *const arguments[] = { "-Px", option, NULL };
	struct slice rest, name;
	struct buf out;
	bool ok = run(program, arguments, &out, err);

	*value = NULL;
	rest = buf_slice(&out);
	if (ok && slice_cut_until(&rest, '=', &name) &&
	    slice_find(rest, 0) == rest.len) {
		rest = slice_trim(rest);
		*value = mem_string_len(rest.data, rest.len);
	}
	buf_clear(&out);
	return ok;
}

bool
postmap_query(
    const char *program, const char *map, const char *key, struct buf *value)
{
	const char *const argv[] = { program, "-q", key, map, NULL };
	struct error err;

	return proc_run(argv, TIMEOUT_MS, value, &err) && value->len > 0;
}

bool
postconf_change(
    const char *program, const char *const *arguments, struct error *err)
{
	struct buf out;
	bool ok = run(program, arguments, &out, err);

	buf_clear(&out);
	return ok;
}
