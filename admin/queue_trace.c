/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/queue_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/log_files.h"
#include "admin/log_search.h"
#include "admin/mail_trace.h"
#include "admin/postconf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/readable.h"
#include "mail/header.h"

enum {
	POSTCAT_MS = 30 * 1000,
	JOURNAL_MS = 60 * 1000,
	LOGS_MS = 60 * 1000,
	/* Postfix's limit of a header is 100 KiB by default. */
	QUEUED_HEADER_MAX = 8 * 1024 * 1024,
	NEEDLE_SIZE = QUEUE_ID_MAX + 8,
};

bool
queue_id_parse(const char *text, char out[static QUEUE_ID_MAX])
{
	size_t len = strlen(text);

	if (len > 1 && strchr("*!:", text[len - 1]) != NULL)
		len--;
	/* The short form is at least of 6 digits, the long one of more. */
	if (len < 6 || len >= QUEUE_ID_MAX ||
	    !slice_all(slice_first(slice_of(text), len), byte_is_alnum))
		return false;
	snprintf(out, QUEUE_ID_MAX, "%.*s", (int)len, text);
	return true;
}

static bool
set_id(struct queue_trace *t, struct slice id)
{
	if (id.len == 0 || id.len >= sizeof(t->id) ||
	    !slice_all(id, byte_is_alnum))
		return false;
	snprintf(t->id, sizeof(t->id), "%.*s", SLICE_ARG(id));
	return true;
}

/* Cleanup tells it before our milter tells its line: what was known is of another
 * message, since short queue ids are used again. */
static void
set_message_id(struct queue_trace *t, struct slice text)
{
	if (text.len == 0 || memchr(text.data, '\0', text.len) != NULL)
		return;
	free(t->message_id);
	t->id[0] = '\0';
	t->message_id = mem_string_len(text.data, text.len);
}

/* "mailhaul-milter[7]: ", "postfix/cleanup[7]: " with whatever is before: up to
 * the first such end, since what follows may be of a stranger. */
static struct slice
cut_program(struct slice *line)
{
	static const struct slice end = { (const uint8_t *)"]: ", 3 };
	size_t at = slice_search_nocase(*line, end);
	struct slice head = slice_first(*line, at), word = { NULL, 0 };

	*line = slice_from(*line, at + end.len);
	while (slice_cut_word(&head, &word))
		;
	return slice_first(word, slice_find(word, '['));
}

void
queue_trace_take(
    struct queue_trace *t, const char *queue_id, struct slice line, bool alone)
{
	struct slice program =
	    alone ? SLICE("mailhaul-milter") : cut_program(&line);
	struct slice word;

	if (!slice_cut_prefix(&line, slice_of(queue_id)) ||
	    !slice_cut_prefix(&line, SLICE(": ")) ||
	    !slice_cut_word(&line, &word))
		return;
	if (slice_equal(program, SLICE("mailhaul-milter")) &&
	    slice_cut_prefix(&word, SLICE("id=")))
		set_id(t, word);
	else if (slice_ends_nocase(program, SLICE("/cleanup")) &&
		 slice_cut_prefix(&word, SLICE("message-id=")))
		set_message_id(t, word);
}

static bool
is_known(const struct queue_trace *t)
{
	return t->id[0] != '\0' || t->message_id != NULL;
}

/* A search under way. */
struct hunt {
	struct queue_trace *out;
	const char *queue_id;
	char needle[NEEDLE_SIZE];
	bool alone;
};

static bool
on_line(void *arg, struct slice line)
{
	struct hunt *hunt = arg;

	queue_trace_take(hunt->out, hunt->queue_id, line, hunt->alone);
	/* The journal comes newest first; in a file the last line counts, as
	 * a short id is used again. */
	return hunt->alone && hunt->out->id[0] != '\0';
}

static struct log_search
search_of(struct hunt *hunt, int64_t limit_ms)
{
	return (struct log_search){
		.needle = slice_of(hunt->needle),
		.line = on_line,
		.arg = hunt,
		.deadline_ms = clock_monotonic_ms() + limit_ms,
	};
}

static bool
ask_queue(const char *folder, struct hunt *hunt, struct error *err)
{
	struct queue_trace *out = hunt->out;
	char postcat[4096];
	const char *const argv[] = { postcat, "-hq", hunt->queue_id, NULL };
	struct mail_trace trace;
	struct header_field f;
	struct buf header;
	bool there;

	snprintf(postcat, sizeof(postcat), "%s/postcat", folder);
	buf_init(&header, QUEUED_HEADER_MAX);
	there = proc_run(argv, POSTCAT_MS, &header, err);
	if (there) {
		mail_trace_find(buf_slice(&header), &trace);
		if (header_find(buf_slice(&header), "Message-ID", &f))
			set_message_id(out, slice_trim(f.body));
		snprintf(out->place, sizeof(out->place), "Postfix's queue");
		if (!set_id(out, trace.id))
			error_set(err, ERROR_REFUSED,
			    "it is in Postfix's queue, but was not collected: "
			    "it has no X-Mailhaul field");
	}
	buf_clear(&header);
	return there;
}

static void
ask_journal(const struct config *config, struct hunt *hunt, struct error *fault)
{
	static const char *const programs[] = { "/usr/bin/journalctl",
		"/bin/journalctl" };
	int64_t since = (clock_wall_ms() - log_files_span(config)) / 1000;
	struct log_search search = search_of(hunt, JOURNAL_MS);
	char when[48];
	const char *argv[] = { NULL, "-q", "-r", "-o", "cat", "-t",
		"mailhaul-milter", when, NULL };

	snprintf(when, sizeof(when), "--since=@%lld", (long long)since);
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (access(programs[i], X_OK) == 0)
			argv[0] = programs[i];
	hunt->alone = true;
	/* A journal that is not kept tells nothing, which is no fault. */
	if (argv[0] != NULL && !log_search_program(&search, argv, -1, fault))
		error_prefix(fault, "; the journal");
	hunt->alone = false;
	snprintf(hunt->out->place, sizeof(hunt->out->place), "the journal");
}

static void
ask_logs(const struct config *config, const char *maillog_file,
    struct hunt *hunt, struct error *fault)
{
	struct log_search search = search_of(hunt, LOGS_MS);
	struct log_files files;

	log_files_find(maillog_file, log_files_span(config), &files);
	for (size_t i = 0; i < files.n && !is_known(hunt->out); i++) {
		snprintf(hunt->out->place, sizeof(hunt->out->place), "%s",
		    files.all[i]);
		if (!log_files_search(files.all[i], &search, fault))
			error_prefix(fault, "; %s", files.all[i]);
	}
	log_files_clear(&files);
}

static bool
search_all(const struct config *config, const struct postconf_value *values,
    struct hunt *hunt, struct error *err)
{
	struct error why, fault = { .text = "" };
	char span[READABLE_SIZE];

	if (ask_queue(
		postconf_text(values, 2, "command_directory"), hunt, &why))
		return hunt->out->id[0] != '\0' ||
		       error_set(err, ERROR_REFUSED, "%s", why.text);
	ask_journal(config, hunt, &fault);
	if (!is_known(hunt->out))
		ask_logs(config, postconf_text(values, 2, "maillog_file"), hunt,
		    &fault);
	return is_known(hunt->out) ||
	       error_set(err, ERROR_REFUSED,
		   "it is not in Postfix's queue (%s), and neither the journal "
		   "nor Postfix's log of the last %s names it%s",
		   why.text, readable_span(log_files_span(config), span),
		   fault.text);
}

bool
queue_trace_find(const struct config *config, const char *queue_id,
    struct queue_trace *out, struct error *err)
{
	struct postconf_value values[] = { { .name = "command_directory" },
		{ .name = "maillog_file" } };
	struct hunt hunt = { .out = out, .queue_id = queue_id };
	bool ok;

	*out = (struct queue_trace){ .id = "" };
	snprintf(hunt.needle, sizeof(hunt.needle), "%s: ", queue_id);
	ok = postconf_read(
		 config->inject.postconf, POSTCONF_EXPANDED, values, 2, err) &&
	     search_all(config, values, &hunt, err);
	postconf_values_clear(values, 2);
	if (!ok)
		queue_trace_clear(out);
	return ok;
}

void
queue_trace_clear(struct queue_trace *t)
{
	free(t->message_id);
	*t = (struct queue_trace){ .id = "" };
}
