/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/postfix.h"

#include "base/buf.h"
#include "base/mem.h"
#include "fetcher/child.h"

#include <stdlib.h>

enum { POSTCONF_TIMEOUT_MS = 30000, PATH_KEPT = 4096 };

/* Appends the path without "//", "." and a trailing slash. */
static void
add_path(struct buf *b, struct slice path)
{
	struct slice part;

	while (path.len > 0) {
		if (!slice_cut_until(&path, '/', &part)) {
			part = path;
			path.len = 0;
		}
		if (part.len == 0 || slice_equal(part, SLICE(".")))
			continue;
		buf_add_byte(b, '/');
		buf_add(b, part);
	}
}

/* folder + path and wanted name the same file, in spelling. */
static bool
same_path(struct slice folder, struct slice path, struct slice wanted)
{
	struct buf a, b;
	bool same;

	buf_init(&a, PATH_KEPT);
	buf_init(&b, PATH_KEPT);
	add_path(&a, folder);
	add_path(&a, path);
	add_path(&b, wanted);
	same = !buf_overflowed(&a) && !buf_overflowed(&b) &&
	       slice_equal(buf_slice(&a), buf_slice(&b));
	buf_clear(&a);
	buf_clear(&b);
	return same;
}

struct endpoint {
	bool is_inet;
	struct slice path;
	struct slice host, port;
};

static bool
cut_unix_prefix(struct slice *s)
{
	return slice_cut_prefix_nocase(s, SLICE("unix:")) ||
	       slice_cut_prefix_nocase(s, SLICE("local:"));
}

static bool
cut_inet_prefix(struct slice *s)
{
	return slice_cut_prefix_nocase(s, SLICE("inet:")) ||
	       slice_cut_prefix_nocase(s, SLICE("inet6:"));
}

static struct slice
without_brackets(struct slice host)
{
	if (host.len >= 2 && host.data[0] == '[' &&
	    host.data[host.len - 1] == ']')
		return slice_first(slice_from(host, 1), host.len - 2);
	return host;
}

/* Postfix: unix:PATH, local:PATH, inet:HOST:PORT. */
static bool
read_postfix_endpoint(struct slice s, struct endpoint *e)
{
	size_t colon;

	e->is_inet = cut_inet_prefix(&s);
	if (!e->is_inet) {
		if (!cut_unix_prefix(&s))
			return false;
		e->path = s;
		return true;
	}
	colon = slice_find_last(s, ':');
	if (colon == s.len)
		return false;
	e->host = without_brackets(slice_first(s, colon));
	e->port = slice_from(s, colon + 1);
	return true;
}

/* libmilter: unix:PATH, local:PATH, PATH, inet:PORT@HOST, inet:PORT. */
static void
read_libmilter_endpoint(struct slice s, struct endpoint *e)
{
	e->is_inet = cut_inet_prefix(&s);
	if (!e->is_inet) {
		cut_unix_prefix(&s);
		e->path = s;
		return;
	}
	e->host = SLICE("");
	if (slice_cut_until(&s, '@', &e->port))
		e->host = without_brackets(s);
	else
		e->port = s;
}

static bool
is_one_of(struct slice host, const char *const *names)
{
	for (; *names != NULL; names++) {
		if (slice_equal_nocase(host, slice_of(*names)))
			return true;
	}
	return false;
}

static bool
same_host(struct slice theirs, struct slice ours)
{
	static const char *const everywhere[] = { "", "0.0.0.0", "::", NULL };
	static const char *const loopback[] = { "localhost", "127.0.0.1", "::1",
		NULL };

	return is_one_of(ours, everywhere) ||
	       slice_equal_nocase(theirs, ours) ||
	       (is_one_of(theirs, loopback) && is_one_of(ours, loopback));
}

static bool
same_endpoint(struct slice theirs, struct slice ours, struct slice queue_dir)
{
	struct endpoint a = { 0 }, b = { 0 };

	if (!read_postfix_endpoint(theirs, &a))
		return false;
	read_libmilter_endpoint(ours, &b);
	if (a.is_inet != b.is_inet)
		return false;
	if (a.is_inet)
		return slice_equal_nocase(a.port, b.port) &&
		       same_host(a.host, b.host);
	/* Relative to the queue directory; so is an absolute path too where
	 * cleanup(8) is chrooted (Debian), which postconf -x does not tell. */
	return same_path(queue_dir, a.path, b.path) ||
	       (slice_starts(a.path, SLICE("/")) &&
		   same_path(SLICE(""), a.path, b.path));
}

static bool
is_separator(uint8_t c)
{
	return byte_is_space(c) || c == ',';
}

static struct slice
first_word(struct slice s)
{
	size_t from = 0, len = 0;

	while (from < s.len && is_separator(s.data[from]))
		from++;
	s = slice_from(s, from);
	while (len < s.len && !is_separator(s.data[len]))
		len++;
	return slice_first(s, len);
}

/* The next entry of the list, without its braces; false at the end. */
static bool
cut_entry(struct slice *list, struct slice *entry)
{
	while (list->len > 0 && is_separator(list->data[0]))
		*list = slice_from(*list, 1);
	if (list->len == 0)
		return false;
	if (slice_cut_prefix(list, SLICE("{")))
		return slice_cut_until(list, '}', entry);
	*entry = first_word(*list);
	*list = slice_from(*list, entry->len);
	return true;
}

bool
postfix_names_milter(struct slice non_smtpd_milters,
    struct slice queue_directory, const char *milter_socket)
{
	struct slice entry;

	while (cut_entry(&non_smtpd_milters, &entry)) {
		if (same_endpoint(first_word(entry), slice_of(milter_socket),
			queue_directory))
			return true;
	}
	return false;
}

enum parameter {
	MESSAGE_SIZE_LIMIT,
	HOPCOUNT_LIMIT,
	QUEUE_DIRECTORY,
	NON_SMTPD_MILTERS,
	N_PARAMETERS
};
static const char *const parameters[N_PARAMETERS] = {
	[MESSAGE_SIZE_LIMIT] = "message_size_limit",
	[HOPCOUNT_LIMIT] = "hopcount_limit",
	[QUEUE_DIRECTORY] = "queue_directory",
	[NON_SMTPD_MILTERS] = "non_smtpd_milters",
};

struct value {
	bool told; /* it may be empty */
	struct slice text;
};

static void
read_line(struct slice line, struct value *values)
{
	struct slice name;

	if (!slice_cut_until(&line, '=', &name))
		return;
	for (int i = 0; i < N_PARAMETERS; i++) {
		if (slice_equal(slice_trim(name), slice_of(parameters[i])))
			values[i] = (struct value){ true, slice_trim(line) };
	}
}

static bool
read_number(const struct value *values, enum parameter which, uint64_t max,
    uint64_t *number, struct error *err)
{
	struct slice rest = values[which].text;

	return (slice_cut_number(&rest, max, number) && rest.len == 0) ||
	       error_set(err, ERROR_CONFIG,
		   "postconf: %s = %.*s is not a number", parameters[which],
		   SLICE_ARG(values[which].text));
}

bool
postfix_read(struct slice output, const char *milter_socket,
    struct postfix_facts *facts, struct error *err)
{
	struct value values[N_PARAMETERS] = { { .told = false } };
	struct slice line;
	uint64_t hops;

	while (slice_cut_line(&output, &line))
		read_line(line, values);
	for (int i = 0; i < N_PARAMETERS; i++) {
		if (!values[i].told)
			return error_set(err, ERROR_CONFIG,
			    "postconf did not tell %s", parameters[i]);
	}
	if (!read_number(values, MESSAGE_SIZE_LIMIT, INT64_MAX,
		&facts->message_size_limit, err) ||
	    !read_number(values, HOPCOUNT_LIMIT, INT32_MAX, &hops, err))
		return false;
	facts->hopcount_limit = (uint32_t)hops;
	facts->has_milter = postfix_names_milter(values[NON_SMTPD_MILTERS].text,
	    values[QUEUE_DIRECTORY].text, milter_socket);
	return true;
}

struct query {
	char *postconf, *milter_socket;
	postfix_handler *handler;
	void *arg;
};

static void
on_child(void *arg, const struct child_result *result)
{
	struct query *query = arg;
	struct postfix_facts facts = { 0 };
	struct error err;
	bool known =
	    result->started && !result->timed_out && result->wait_status == 0;

	if (known) {
		known = postfix_read(
		    result->out, query->milter_socket, &facts, &err);
	} else {
		child_describe(result, &err);
		if (result->started)
			error_prefix(&err, "%s", query->postconf);
	}
	query->handler(query->arg, known, &facts, &err);
	free(query->postconf);
	free(query->milter_socket);
	free(query);
}

void
postfix_ask(struct loop *loop, const struct config *config,
    postfix_handler *handler, void *arg)
{
	const char *argv[N_PARAMETERS + 3] = { config->inject.postconf, "-x" };
	struct child_job child = { .argv = argv,
		.in = -1,
		.want_out = true,
		.timeout_ms = POSTCONF_TIMEOUT_MS };
	struct query *query = mem_new(sizeof(*query));

	for (int i = 0; i < N_PARAMETERS; i++)
		argv[2 + i] = parameters[i];
	query->postconf = mem_string(config->inject.postconf);
	query->milter_socket = mem_string(config->milter.socket);
	query->handler = handler;
	query->arg = arg;
	child_run(loop, &child, on_child, query);
}
