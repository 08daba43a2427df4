/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file - a text file as directory source: one address per line, "#" begins a
 * comment.
 *
 * The file is read again as soon as it is another one than that in memory.
 * Who cannot be found in a file that is missing, unreadable, still being
 * written, or cut to nothing is UNKNOWN, whatever an earlier version said.
 */
#include "directory/source.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/readable.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Windows editors begin a file of UTF-8 so. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

enum {
	FILE_MAX = 64 * 1024 * 1024,
	/* An editor or script that rewrites the file in place leaves it
	 * empty or half full for a moment: wait until nothing has changed for
	 * SETTLED_MS, but no longer than SETTLE_MAX_MS. */
	SETTLED_MS = 100,
	SETTLE_MAX_MS = 2000,
	SETTLE_STEP_MS = 20,
};

/* What tells one version of a file from another. */
struct version {
	dev_t device;
	ino_t inode;
	off_t size;
	/* Not the modification time, which `cp -p` sets back. */
	struct timespec changed;
};

struct file {
	const char *path;     /* borrowed */
	pthread_mutex_t lock; /* guards all that follows */
	bool loaded;
	struct version version;
	struct buf text;    /* the addresses, each with a NUL */
	const char **lines; /* into text, sorted */
	size_t n_lines;
};

static void *
open_file(const struct config *config, const struct directory_source *settings)
{
	struct file *f = mem_new(sizeof(*f));

	(void)config;
	f->path = settings->file;
	buf_init(&f->text, 2 * FILE_MAX);
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

static void
forget(struct file *f)
{
	f->loaded = false;
	free(f->lines);
	f->lines = NULL;
	f->n_lines = 0;
	buf_clear(&f->text);
}

static void
close_file(void *state)
{
	struct file *f = state;

	forget(f);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static bool
read_version(const struct file *f, struct version *v, struct error *err)
{
	struct stat st;

	if (stat(f->path, &st) != 0)
		return error_errno(err, ERROR_CONFIG, errno, "%s", f->path);
	*v = (struct version){ st.st_dev, st.st_ino, st.st_size, st.st_ctim };
	return true;
}

static bool
same_version(const struct version *a, const struct version *b)
{
	return a->device == b->device && a->inode == b->inode &&
	       a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool
is_settled(const struct version *v)
{
	int64_t changed_ms =
	    (int64_t)v->changed.tv_sec * 1000 + v->changed.tv_nsec / 1000000;
	int64_t now_ms = clock_wall_ms();

	/* A change in the future: the clock was set, it tells nothing. */
	return changed_ms > now_ms + SETTLED_MS ||
	       now_ms - changed_ms > SETTLED_MS;
}

static bool
wait_settled(const struct file *f, struct version *v, struct error *err)
{
	int64_t end_ms = clock_monotonic_ms() + SETTLE_MAX_MS;

	while (!is_settled(v)) {
		if (clock_monotonic_ms() >= end_ms)
			return error_set(
			    err, ERROR_RETRY, "%s: being written", f->path);
		poll(NULL, 0, SETTLE_STEP_MS);
		if (!read_version(f, v, err))
			return false;
	}
	return true;
}

/* The form in which addresses are kept and compared. */
static void
write_key(const struct address *address, char out[static ADDRESS_TEXT_SIZE])
{
	address_write(address, out);
	for (char *c = out; *c != '\0'; c++)
		*c = (char)byte_lower((uint8_t)*c);
}

/* "#" is a letter of the local part too: only a word that begins with it is a
 * comment. */
static struct slice
without_comment(struct slice line)
{
	for (size_t i = 0; i < line.len; i++)
		if (line.data[i] == '#' &&
		    (i == 0 || byte_is_space(line.data[i - 1])))
			return slice_trim(slice_first(line, i));
	return slice_trim(line);
}

struct bad_lines {
	size_t first, count;
	enum address_fault fault;
};

static void
add_line(
    struct file *f, struct slice line, size_t number, struct bad_lines *bad)
{
	struct address address;
	char key[ADDRESS_TEXT_SIZE];
	enum address_fault fault;

	line = without_comment(line);
	if (line.len == 0)
		return;
	fault = address_parse(line, &address);
	if (fault != ADDRESS_OK) {
		if (bad->count++ == 0) {
			bad->first = number;
			bad->fault = fault;
		}
		return;
	}
	write_key(&address, key);
	if (buf_add(&f->text,
		(struct slice){ (const uint8_t *)key, strlen(key) + 1 }))
		f->n_lines++;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
sort_lines(struct file *f)
{
	const char *next = buf_string(&f->text);

	f->lines = mem_new_array(f->n_lines + 1, sizeof(*f->lines));
	for (size_t i = 0; i < f->n_lines; i++) {
		f->lines[i] = next;
		next += strlen(next) + 1;
	}
	qsort(f->lines, f->n_lines, sizeof(*f->lines), compare);
}

static bool
parse(struct file *f, struct slice text, struct error *err)
{
	struct bad_lines bad = { 0 };
	struct slice line;
	bool says_nothing;

	slice_cut_prefix_nocase(&text, SLICE(BYTE_ORDER_MARK));
	says_nothing = slice_trim(text).len == 0;
	for (size_t number = 1; slice_cut_line(&text, &line); number++)
		add_line(f, line, number, &bad);
	sort_lines(f);
	if (bad.count > 0)
		log_warning("%s:%zu: not an address (%s), line ignored; "
			    "%zu such line%s in the file",
		    f->path, bad.first, address_fault_text(bad.fault),
		    bad.count, readable_plural(bad.count));
	if (f->n_lines == 0 && (says_nothing || bad.count > 0))
		return error_set(err, ERROR_CONFIG,
		    "%s: no address in it; if that is meant, write a comment "
		    "(#) and nothing else",
		    f->path);
	if (buf_overflowed(&f->text))
		return error_set(err, ERROR_CONFIG, "%s: too large", f->path);
	return true;
}

static bool
load(struct file *f, const struct version *v, struct error *err)
{
	struct buf text;
	struct version after;
	bool done;

	buf_init(&text, FILE_MAX);
	done = file_read(f->path, &text, err) && read_version(f, &after, err);
	if (done && !same_version(v, &after))
		done =
		    error_set(err, ERROR_RETRY, "%s: being written", f->path);
	done = done && parse(f, buf_slice(&text), err);
	buf_clear(&text);
	f->version = *v;
	f->loaded = done;
	return done;
}

/* Called with the lock held: who comes while the file is being read waits for
 * the new content. */
static bool
refresh(struct file *f, struct error *err)
{
	struct version v;

	if (!read_version(f, &v, err)) {
		forget(f);
		return false;
	}
	if (f->loaded && same_version(&f->version, &v))
		return true;
	forget(f);
	return wait_settled(f, &v, err) && load(f, &v, err);
}

static void
look_up(const struct file *f, const struct address *address,
    struct directory_answer *answer)
{
	char text[ADDRESS_TEXT_SIZE];
	const char *key = text;
	bool found;

	write_key(address, text);
	found = bsearch(&key, f->lines, f->n_lines, sizeof(*f->lines),
		    compare) != NULL;
	source_answer(answer, found ? EXISTS : ABSENT, "%s: %s", f->path,
	    found ? "listed" : "no such address");
}

static void
lookup(void *state, const struct directory_question *q,
    struct directory_answer *answers)
{
	struct file *f = state;
	struct error err;
	bool known;

	pthread_mutex_lock(&f->lock);
	known = refresh(f, &err);
	for (size_t i = 0; i < q->n; i++)
		if (known)
			look_up(f, &q->addresses[i], &answers[i]);
		else
			source_answer(&answers[i], UNKNOWN, "%s", err.text);
	pthread_mutex_unlock(&f->lock);
}

const struct source_kind source_file = {
	.name = "file",
	.open = open_file,
	.lookup = lookup,
	.close = close_file,
};
