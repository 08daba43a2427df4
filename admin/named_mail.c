/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/named_mail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/archived_mail.h"
#include "admin/run_as.h"
#include "base/mem.h"
#include "base/readable.h"
#include "mail/header.h"
#include "recipients/trace.h"
#include "state/archive.h"
#include "state/ticket_key.h"

/* Eleven digits of the time and ten of chance (fetcher/spool). */
enum { ARCHIVE_ID_LENGTH = 21 };

struct opening {
	const struct config *config;
	const char *name;
	bool account_given;
	struct named_mail *out;
};

/* --- what a trace tells ------------------------------------------------- */

static void
note_trace(const struct mail_trace *trace, struct named_mail *out)
{
	if (trace->id.len < sizeof(out->id) &&
	    slice_all(trace->id, byte_is_alnum))
		snprintf(
		    out->id, sizeof(out->id), "%.*s", SLICE_ARG(trace->id));
	if (trace->account.len > 0 &&
	    slice_find(trace->account, '\0') == trace->account.len)
		out->account =
		    mem_string_len(trace->account.data, trace->account.len);
}

/* What was found in the message then; without the key nobody vouches for it. */
static void
note_ticket(const struct opening *o, const struct mail_trace *trace)
{
	struct named_mail *out = o->out;
	struct ticket_keys keys;
	struct error err;

	if (trace->ticket.len == 0 ||
	    !ticket_keys_load(o->config->state_dir, &keys, &err))
		return;
	switch (ticket_read(trace->ticket, keys.key, keys.n, &out->ticket)) {
	case TICKET_VALID:
		out->has_ticket = true;
		break;
	case TICKET_UNKNOWN_KEY:
		ticket_clear(&out->ticket);
		break;
	case TICKET_FORGED:
		break;
	}
	explicit_bzero(&keys, sizeof(keys));
}

/* The restored beginning and what follows it, in a file without a name. */
static bool
make_original(int fd, const struct archived_mail *mail,
    const struct mail_trace *trace, struct named_mail *out, struct error *err)
{
	uint8_t piece[64 * 1024];
	struct buf start;
	ssize_t n = 0;
	bool ok;

	buf_init(&start, mail->head.max);
	mail_trace_restore(buf_slice(&mail->head), trace, &start);
	out->file = tmpfile();
	ok = out->file != NULL &&
	     fwrite(start.data, 1, start.len, out->file) == start.len;
	while (ok && (n = read(fd, piece, sizeof(piece))) > 0)
		ok = fwrite(piece, 1, (size_t)n, out->file) == (size_t)n;
	ok = ok && n == 0 && fflush(out->file) == 0;
	buf_clear(&start);
	if (!ok)
		return error_errno(
		    err, ERROR_LOCAL, errno, "a copy of the message");
	rewind(out->file);
	return true;
}

/* --- the archive ---------------------------------------------------------- */

/* What leads to a file of the archive, and must not lead to another one: a trace
 * that anybody can write.  Postfix may have added a Message-ID. */
struct claim {
	const char *id;
	const struct slice *message_id; /* NULL: is not known */
};

static bool
is_claimed(const struct archived_mail *mail, const struct claim *claim)
{
	struct header_field f;

	return claim->message_id == NULL ||
	       !header_find(archived_mail_header(mail), "Message-ID", &f) ||
	       slice_equal(message_id_bare(f.body),
		   message_id_bare(*claim->message_id));
}

static bool
read_archived(const struct opening *o, const struct claim *claim,
    struct archived_mail *mail, int *fd, struct error *err)
{
	const char *id = claim->id;
	struct stat st;

	if (!archive_open(o->config->state_dir, id, fd, err))
		return false;
	if (fstat(*fd, &st) != 0 || !archived_mail_read(*fd, mail, err)) {
		close(*fd);
		return error_set(
		    err, ERROR_CONFIG, "%s in the archive cannot be read", id);
	}
	if (!is_claimed(mail, claim)) {
		archived_mail_clear(mail);
		close(*fd);
		return error_set(err, ERROR_REFUSED,
		    "%s in the archive is another message", id);
	}
	o->out->collected_ms =
	    (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	note_trace(&mail->trace, o->out);
	note_ticket(o, &mail->trace);
	snprintf(o->out->id, sizeof(o->out->id), "%s", id);
	o->out->archived = true;
	return true;
}

static bool
open_claimed(
    const struct opening *o, const struct claim *claim, struct error *err)
{
	struct archived_mail mail;
	struct run_as before;
	bool ok;
	int fd;

	if (!run_as_owner_meanwhile(o->config->state_dir, &before, err))
		return false;
	ok = read_archived(o, claim, &mail, &fd, err);
	run_as_before(&before);
	if (!ok)
		return false;
	ok = make_original(fd, &mail, &mail.trace, o->out, err);
	archived_mail_clear(&mail);
	close(fd);
	return ok;
}

static bool
open_archived(const struct opening *o, const char *id, struct error *err)
{
	return open_claimed(o, &(struct claim){ .id = id }, err);
}

static bool
search_archive(
    const struct opening *o, struct slice message_id, struct error *err)
{
	struct run_as before;
	bool ok;

	if (!run_as_owner_meanwhile(o->config->state_dir, &before, err))
		return false;
	ok = archive_search(
	    o->config->state_dir, message_id, &o->out->hits, err);
	run_as_before(&before);
	if (!ok) {
		error_prefix(err, "the archive cannot be read");
		err->kind = ERROR_CONFIG;
	}
	return ok;
}

static bool
open_message_id(
    const struct opening *o, struct slice message_id, struct error *err)
{
	const struct archive_hits *hits = &o->out->hits;
	char keep[READABLE_SIZE];

	if (!search_archive(o, message_id, err))
		return false;
	if (hits->n == 0)
		return error_set(err, ERROR_REFUSED,
		    "no message with the Message-ID <%.*s> among the %zu of "
		    "the archive, which keeps them for %s (archive.keep)",
		    SLICE_ARG(slice_first(message_id_bare(message_id), 200)),
		    hits->searched,
		    readable_span(o->config->archive.keep_ms, keep));
	return open_archived(o, hits->ids[0], err);
}

/* --- files ---------------------------------------------------------------- */

/* What a pipe has goes to a file without a name first: a message is read
 * twice. */
static FILE *
open_file(const char *path)
{
	FILE *given = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	uint8_t piece[4096];
	FILE *copy;
	size_t n;

	if (given == NULL || fseeko(given, 0, SEEK_CUR) == 0)
		return given;
	copy = tmpfile();
	while (copy != NULL && (n = fread(piece, 1, sizeof(piece), given)) > 0)
		if (fwrite(piece, 1, n, copy) != n) {
			fclose(copy);
			copy = NULL;
		}
	if (copy != NULL)
		rewind(copy);
	if (given != stdin)
		fclose(given);
	return copy;
}

/* A message that we collected: a file of the spool or the archive, or a copy
 * that was delivered.  The archive has it with all its fields, if it still has
 * it. */
static bool
take_ours(const struct opening *o, int fd, const struct archived_mail *mail,
    const struct mail_trace *trace, struct error *err)
{
	struct slice header = buf_slice(&mail->head), message_id = SLICE("");
	struct named_mail *out = o->out;
	char id[TICKET_ID_MAX + 1];
	struct header_field f;

	snprintf(id, sizeof(id), "%.*s",
	    SLICE_ARG(slice_first(trace->id, TICKET_ID_MAX)));
	if (header_find(header, "Message-ID", &f))
		message_id = f.body;
	if (open_claimed(o, &(struct claim){ id, &message_id }, err))
		return true;
	named_mail_close(out);
	note_trace(trace, out);
	out->delivered = trace->ticket_end == 0;
	return make_original(fd, mail, trace, out, err);
}

static bool
take_file(const struct opening *o, FILE *file, const struct archived_mail *mail,
    off_t begin, struct error *err)
{
	struct mail_trace trace;
	bool ok;

	mail_trace_find(buf_slice(&mail->head), &trace);
	if (trace.ticket_end == 0 && (o->account_given || trace.id.len == 0 ||
					 !trace_is_ours(o->config, trace.at))) {
		o->out->file = file;
		return fseeko(file, begin, SEEK_SET) == 0 ||
		       error_errno(err, ERROR_LOCAL, errno, "%s", o->name);
	}
	ok = take_ours(o, fileno(file), mail, &trace, err);
	if (file != stdin)
		fclose(file);
	return ok;
}

static bool
open_path(const struct opening *o, struct error *err)
{
	FILE *file = open_file(o->name);
	struct archived_mail mail;
	off_t begin;
	bool ok;

	if (file == NULL)
		return error_errno(err, ERROR_LOCAL, errno, "%s", o->name);
	begin = ftello(file);
	/* Nothing was read through the stream so far but by open_file(), which
	 * rewinds. */
	if (lseek(fileno(file), begin, SEEK_SET) < 0 ||
	    !archived_mail_read(fileno(file), &mail, err)) {
		error_errno(err, ERROR_LOCAL, errno, "%s", o->name);
		if (file != stdin)
			fclose(file);
		return false;
	}
	ok = take_file(o, file, &mail, begin, err);
	archived_mail_clear(&mail);
	return ok;
}

/* --- names ---------------------------------------------------------------- */

static bool
open_queue_id(const struct opening *o, struct error *err)
{
	struct named_mail *out = o->out;
	struct slice message_id;
	struct queue_trace trace;
	bool ok;

	if (!queue_trace_find(o->config, out->queue_id, &trace, err))
		return false;
	memcpy(out->place, trace.place, sizeof(out->place));
	if (trace.id[0] == '\0') {
		ok = open_message_id(o, slice_of(trace.message_id), err) ||
		     error_prefix(err, "according to %s", trace.place);
	} else {
		message_id = slice_of(trace.message_id);
		ok = open_claimed(o,
			 &(struct claim){ trace.id,
			     trace.message_id == NULL ? NULL : &message_id },
			 err) ||
		     error_prefix(err, "according to %s it was collected as %s",
			 trace.place, trace.id);
	}
	queue_trace_clear(&trace);
	return ok;
}

static bool
is_hex_digit(uint8_t byte)
{
	return byte_is_digit(byte) || (byte >= 'a' && byte <= 'f');
}

static bool
open_id(const struct opening *o, struct error *err)
{
	struct slice name = slice_of(o->name);
	struct error why;

	if (slice_all(name, byte_is_alnum)) {
		if (open_archived(o, o->name, err))
			return true;
		if (err->kind != ERROR_REFUSED ||
		    (name.len == ARCHIVE_ID_LENGTH &&
			slice_all(name, is_hex_digit)))
			return false;
	}
	if (!queue_id_parse(o->name, o->out->queue_id))
		return error_set(err, ERROR_LOCAL,
		    "%s: no such file, and no id of the archive, queue id or "
		    "Message-ID looks so",
		    o->name);
	if (open_queue_id(o, &why))
		return true;
	return error_set(err, why.kind,
	    "%s: no such file, and no id of the archive (mailhaul archive "
	    "list); as a queue id: %s",
	    o->name, why.text);
}

bool
named_mail_open(const struct config *config, const char *name,
    bool account_given, struct named_mail *out, struct error *err)
{
	const struct opening o = { config, name, account_given, out };
	bool ok;

	*out = (struct named_mail){ .file = NULL };
	if (strcmp(name, "-") == 0 || access(name, F_OK) == 0 ||
	    strchr(name, '/') != NULL)
		ok = open_path(&o, err);
	else if (name[0] == '<' || strchr(name, '@') != NULL)
		ok = open_message_id(&o, slice_of(name), err);
	else
		ok = open_id(&o, err);
	if (!ok)
		named_mail_close(out);
	return ok;
}

void
named_mail_close(struct named_mail *mail)
{
	if (mail->file != NULL && mail->file != stdin)
		fclose(mail->file);
	if (mail->has_ticket)
		ticket_clear(&mail->ticket);
	archive_hits_clear(&mail->hits);
	free(mail->account);
	*mail = (struct named_mail){ .file = NULL };
}
