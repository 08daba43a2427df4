/* SPDX-License-Identifier: Apache-2.0 */
#include "postfix/endpoint.h"

enum { PATH_KEPT = 4096 };

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

bool
endpoint_of_postfix(struct slice s, struct endpoint *e)
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

void
endpoint_of_libmilter(struct slice s, struct endpoint *e)
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

bool
endpoint_same(const struct endpoint *theirs, const struct endpoint *ours,
    struct slice queue_directory)
{
	if (theirs->is_inet != ours->is_inet)
		return false;
	if (theirs->is_inet)
		return slice_equal_nocase(theirs->port, ours->port) &&
		       same_host(theirs->host, ours->host);
	/* Relative to the queue directory; so is an absolute path too where
	 * cleanup(8) is chrooted (Debian), which postconf -x does not tell. */
	return same_path(queue_directory, theirs->path, ours->path) ||
	       (slice_starts(theirs->path, SLICE("/")) &&
		   same_path(SLICE(""), theirs->path, ours->path));
}

bool
endpoint_below(
    const struct endpoint *ours, struct slice queue_directory, struct buf *out)
{
	struct slice path, folder;
	struct buf a, b;
	bool below;

	buf_init(&a, PATH_KEPT);
	buf_init(&b, PATH_KEPT);
	add_path(&a, ours->path);
	add_path(&b, queue_directory);
	buf_add_byte(&b, '/');
	path = buf_slice(&a);
	folder = buf_slice(&b);
	below = !ours->is_inet && !buf_overflowed(&a) && !buf_overflowed(&b) &&
		slice_starts(path, folder);
	if (below)
		buf_add(out, slice_from(path, folder.len));
	buf_clear(&a);
	buf_clear(&b);
	return below;
}

static void
write_inet(const struct endpoint *ours, struct buf *out)
{
	static const char *const everywhere[] = { "", "0.0.0.0", NULL };
	bool numeric6 = slice_find(ours->host, ':') < ours->host.len;

	buf_add_string(out, "inet:");
	if (is_one_of(ours->host, everywhere))
		buf_add_string(out, "127.0.0.1");
	else if (slice_equal(ours->host, SLICE("::")))
		buf_add_string(out, "[::1]");
	else if (numeric6)
		buf_printf(out, "[%.*s]", SLICE_ARG(ours->host));
	else
		buf_add(out, ours->host);
	buf_add_byte(out, ':');
	buf_add(out, ours->port);
}

void
endpoint_write(
    const struct endpoint *ours, struct slice queue_directory, struct buf *out)
{
	if (ours->is_inet) {
		write_inet(ours, out);
		return;
	}
	buf_add_string(out, "unix:");
	if (!endpoint_below(ours, queue_directory, out))
		buf_add(out, ours->path);
}
