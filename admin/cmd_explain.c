/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul explain: who would get this message, and why.
 */
#include "admin/commands.h"
#include "admin/credentials.h"
#include "admin/explanation.h"
#include "admin/named_mail.h"
#include "admin/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "mail/header.h"
#include "recipients/explain.h"

struct options {
	const char *config, *account, *message;
	bool json;
};

static bool
read_options(int argc, char **argv, struct options *out)
{
	const struct command_option options[] = {
		{ "config", 'c', &out->config, NULL },
		{ "account", 'a', &out->account, NULL },
		{ "json", 0, NULL, &out->json },
		{ NULL, 0, NULL, NULL },
	};
	char **arguments;

	*out = (struct options){ .config = CONFIG_DEFAULT_PATH };
	arguments = options_read(argc, argv, options);
	if (arguments == NULL || arguments[0] == NULL || arguments[1] != NULL)
		return false;
	out->message = arguments[0];
	return true;
}

/* Of these bytes, each line with CRLF. */
static uint64_t
size_with_crlf(struct slice piece, uint8_t *last)
{
	uint64_t size = piece.len;

	for (size_t i = 0; i < piece.len; i++) {
		size += piece.data[i] == '\n' && *last != '\r';
		*last = piece.data[i];
	}
	return size;
}

/* As much of the message as the fetcher examines, and the size of it all. */
static bool
read_message(FILE *file, const struct options *options, struct buf *out,
    uint64_t *size, struct error *err)
{
	uint8_t piece[4096], last = 0;
	const char *path = options->message;
	off_t rest = 0;
	size_t n;

	while ((n = fread(piece, 1, sizeof(piece), file)) > 0) {
		buf_add(out, slice_first((struct slice){ piece, n },
				 out->max - out->len));
		*size += size_with_crlf((struct slice){ piece, n }, &last);
		if (rest == 0 && out->len == out->max)
			rest = ftello(file);
	}
	if (ferror(file) || (rest > 0 && fseeko(file, rest, SEEK_SET) != 0))
		return error_errno(err, ERROR_LOCAL, errno, "%s", path);
	if (out->len == 0)
		return error_set(err, ERROR_LOCAL, "%s: empty", path);
	return true;
}

static int
explain(const struct options *options, struct config *config,
    const struct account *account, struct named_mail *mail)
{
	struct explained_message message = { .rest = mail->file,
		.id = mail->id,
		.collected = mail->archived || mail->delivered };
	struct explanation explanation;
	struct directory *directory;
	struct buf header;
	struct error err;
	int status = EX_OK;

	buf_init(&header, HEADER_HELD_MAX);
	if (!read_message(mail->file, options, &header, &message.size, &err)) {
		fprintf(stderr, "mailhaul explain: %s\n", err.text);
		buf_clear(&header);
		return EX_DATAERR;
	}
	credentials_use(MILTER_UNIT);
	directory = directory_new(config);
	message.header = buf_slice(&header);
	explanation_make(config, account, &message, directory, &explanation);
	explanation_judge_size(&explanation, config, &message);
	explanation_find_known(&explanation, config, &message);
	explanation_find_original(&explanation, config, &message);
	if (mail->delivered)
		explain_warn(&explanation.candidates,
		    "this is a copy that was delivered, and the archive does "
		    "not have it (any more): Postfix took Return-Path and Bcc "
		    "out of it");
	if (explanation.verdict == EXPLAIN_DEFER)
		status = EX_TEMPFAIL;
	if (!(options->json ? explanation_print_json : explanation_print_text)(
		&explanation, &message, mail))
		status = EX_IOERR;
	explanation_clear(&explanation);
	directory_free(directory);
	buf_clear(&header);
	return status;
}

/* The named one, else that of which the message tells; NULL: it was said what is
 * wrong. */
static const struct account *
choose_account(const struct options *options, const struct config *config,
    const struct named_mail *mail)
{
	const char *name =
	    options->account != NULL ? options->account : mail->account;
	const struct account *account =
	    name == NULL ? NULL : config_account(config, name);
	char printable[TICKET_ACCOUNT_MAX + 1];

	if (name == NULL)
		fprintf(stderr,
		    "mailhaul explain: %s does not say from which account it "
		    "came; add --account NAME\n",
		    options->message);
	else if (account == NULL)
		fprintf(stderr, "mailhaul explain: no account %s in %s%s\n",
		    log_safe(printable, sizeof(printable), slice_of(name)),
		    options->config,
		    options->account != NULL
			? ""
			: ", from which it was collected; name another: "
			  "--account NAME");
	return account;
}

static int
find_and_explain(const struct options *options, struct config *config)
{
	static const int statuses[ERROR_KINDS] = {
		[ERROR_REFUSED] = EX_NOINPUT,
		[ERROR_CONFIG] = EX_UNAVAILABLE,
	};
	const struct account *account;
	struct named_mail mail;
	struct error err;
	int status = EX_USAGE;

	if (!named_mail_open(config, options->message, options->account != NULL,
		&mail, &err)) {
		fprintf(stderr, "mailhaul explain: %s\n", err.text);
		return statuses[err.kind] != 0 ? statuses[err.kind]
					       : EX_DATAERR;
	}
	account = choose_account(options, config, &mail);
	if (account != NULL)
		status = explain(options, config, account, &mail);
	named_mail_close(&mail);
	return status;
}

int
cmd_explain(int argc, char **argv)
{
	struct options options;
	struct config *config;
	int status;

	if (!read_options(argc, argv, &options))
		return EX_USAGE;
	config = config_load_errors(options.config);
	if (config == NULL)
		return EX_CONFIG;
	status = find_and_explain(&options, config);
	config_unref(config);
	return status;
}
