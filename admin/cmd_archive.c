/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul archive - the messages that were handed to Postfix: what is there,
 * what is in one, and once more into Postfix with it.
 */
#include "admin/archived_mail.h"
#include "admin/commands.h"
#include "admin/json_text.h"
#include "admin/options.h"
#include "admin/redeliver.h"
#include "admin/run_as.h"
#include "base/readable.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "mail/encoded_text.h"
#include "mail/header.h"
#include "state/archive.h"

enum { SHOWN_MAX = 200 };

struct request {
	const char *config_path;
	struct config *config;
	bool json, headers;
	size_t shown;
	const char *account, *to, *verb, *id;
	struct error err;
};

static bool
read_options(int argc, char **argv, struct request *q)
{
	const struct command_option options[] = {
		{ "config", 'c', &q->config_path, NULL },
		{ "account", 0, &q->account, NULL },
		{ "to", 0, &q->to, NULL },
		{ "json", 0, NULL, &q->json },
		{ "headers", 0, NULL, &q->headers },
		{ NULL, 0, NULL, NULL },
	};
	char **arguments = options_read(argc, argv, options);

	if (arguments == NULL || arguments[0] == NULL)
		return false;
	q->verb = arguments[0];
	q->id = arguments[1];
	return q->id == NULL || arguments[2] == NULL;
}

static void
field_text(const struct archived_mail *m, const char *name, struct buf *out)
{
	struct header_field field;

	buf_init(out, SHOWN_MAX);
	if (header_find(archived_mail_header(m), name, &field))
		encoded_text_read(field.body, out);
}

static void
show_json(json_t *list, const struct archived *file,
    const struct archived_mail *m, const char *from, const char *subject)
{
	json_array_append_new(
	    list, json_pack("{s:s, s:I, s:I, s:o, s:o, s:o, s:o}", "id",
		      file->id, "injected_ms", (json_int_t)file->taken_ms,
		      "size", (json_int_t)file->size, "account",
		      json_text_of(m->trace.account), "source",
		      json_text_of(m->trace.source), "from", json_text(from),
		      "subject", json_text(subject)));
}

static void
show_text(const struct archived *file, const struct archived_mail *m,
    const char *from, const char *subject)
{
	char time[READABLE_SIZE], size[READABLE_SIZE];
	char account[128], source[32];

	printf("%s  %s  %6s  %s  %s\n    %s: %s\n", file->id,
	    readable_time(file->taken_ms, time),
	    readable_size(file->size, size),
	    log_safe(account, sizeof(account), m->trace.account),
	    log_safe(source, sizeof(source), m->trace.source), from, subject);
}

static void
list_one(struct request *q, const struct archived *file, json_t *list)
{
	struct archived_mail mail;
	struct buf from, subject;
	struct error err;
	bool ok;
	int fd;

	/* Expired meanwhile, or not of ours. */
	if (!archive_open(q->config->state_dir, file->id, &fd, &err))
		return;
	ok = archived_mail_read(fd, &mail, &err);
	close(fd);
	if (!ok)
		return;
	if (q->account == NULL ||
	    slice_equal(mail.trace.account, slice_of(q->account))) {
		q->shown++;
		field_text(&mail, "From", &from);
		field_text(&mail, "Subject", &subject);
		if (list != NULL)
			show_json(list, file, &mail, buf_string(&from),
			    buf_string(&subject));
		else
			show_text(file, &mail, buf_string(&from),
			    buf_string(&subject));
		buf_clear(&from);
		buf_clear(&subject);
	}
	archived_mail_clear(&mail);
}

static int
list(struct request *q)
{
	json_t *messages = q->json ? json_array() : NULL;
	struct archive_list files;

	if (q->id != NULL)
		return EX_USAGE;
	if (!archive_read(q->config->state_dir, &files, &q->err))
		return EX_UNAVAILABLE;
	for (size_t i = files.n; i > 0; i--)
		list_one(q, &files.all[i - 1], messages);
	archive_list_clear(&files);
	if (q->json)
		json_print(json_pack(
		    "{s:i, s:o}", "version", 1, "messages", messages));
	else if (q->shown == 0)
		puts("nothing is in the archive");
	return EX_OK;
}

/* On a terminal a mail has no say. */
static void
print_bytes(struct slice s)
{
	bool terminal = isatty(STDOUT_FILENO) != 0;

	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];
		bool control =
		    (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;

		putchar(terminal && control ? '?' : c);
	}
}

static int
show(struct request *q)
{
	struct archived_mail mail;
	uint8_t piece[16 * 1024];
	ssize_t n;
	int fd;

	if (q->id == NULL)
		return EX_USAGE;
	if (!archive_open(q->config->state_dir, q->id, &fd, &q->err))
		return EX_NOINPUT;
	if (!archived_mail_read(fd, &mail, &q->err)) {
		close(fd);
		return EX_UNAVAILABLE;
	}
	if (q->headers) {
		print_bytes(slice_from(
		    slice_first(buf_slice(&mail.head), mail.header_end),
		    mail.trace.ticket_end));
	} else {
		print_bytes(
		    slice_from(buf_slice(&mail.head), mail.trace.ticket_end));
		while ((n = read(fd, piece, sizeof(piece))) > 0)
			print_bytes((struct slice){ piece, (size_t)n });
	}
	archived_mail_clear(&mail);
	close(fd);
	return EX_OK;
}

static int
redeliver_one(struct request *q)
{
	enum address_fault fault;
	struct address to;

	if (q->id == NULL)
		return EX_USAGE;
	fault =
	    q->to == NULL ? ADDRESS_OK : address_parse(slice_of(q->to), &to);
	if (fault != ADDRESS_OK) {
		error_set(&q->err, ERROR_REFUSED, "%s: %s", q->to,
		    address_fault_text(fault));
		return EX_DATAERR;
	}
	log_open("mailhaul", true);
	if (redeliver(q->config, q->id, q->to == NULL ? NULL : &to, &q->err))
		return EX_OK;
	return q->err.kind == ERROR_REFUSED ? EX_NOINPUT : EX_TEMPFAIL;
}

static int
run(struct request *q)
{
	static const struct {
		const char *verb;
		int (*run)(struct request *);
	} verbs[] = {
		{ "list", list },
		{ "show", show },
		{ "redeliver", redeliver_one },
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(q->verb, verbs[i].verb) == 0)
			return verbs[i].run(q);
	return EX_USAGE;
}

int
cmd_archive(int argc, char **argv)
{
	struct request q = { .config_path = CONFIG_DEFAULT_PATH };
	int status;

	if (!read_options(argc, argv, &q))
		return EX_USAGE;
	q.config = config_load_errors(q.config_path);
	if (q.config == NULL)
		return EX_CONFIG;
	status = run_as_owner(q.config->state_dir, &q.err) ? run(&q)
							   : EX_UNAVAILABLE;
	if (status != EX_OK && status != EX_USAGE)
		fprintf(stderr, "mailhaul archive: %s\n", q.err.text);
	config_unref(q.config);
	return status;
}
