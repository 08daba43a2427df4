/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul explain: who would get this message, and why.
 */
#include "admin/commands.h"
#include "admin/explanation.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/buf.h"
#include "base/error.h"
#include "mail/header.h"

struct options {
	const char *config, *account, *message;
	bool json;
};

static bool
read_options(int argc, char **argv, struct options *out)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "account", required_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	*out = (struct options){ .config = CONFIG_DEFAULT_PATH };
	while ((option = getopt_long(argc, argv, "c:a:", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			out->config = optarg;
			break;
		case 'a':
			out->account = optarg;
			break;
		case 'j':
			out->json = true;
			break;
		default:
			return false;
		}
	}
	if (out->account == NULL || optind != argc - 1)
		return false;
	out->message = argv[optind];
	return true;
}

/* The message, which is read twice: once for its size.  What a pipe has goes to
 * a file without a name first.  NULL: errno says why. */
static FILE *
open_message(const char *path)
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

	if (file == NULL)
		return error_errno(err, ERROR_LOCAL, errno, "%s", path);
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
    const struct account *account)
{
	struct explained_message message = { .size = 0 };
	struct explanation explanation;
	struct directory *directory;
	struct buf header;
	struct error err;
	int status = EX_OK;
	FILE *file = open_message(options->message);

	buf_init(&header, HEADER_HELD_MAX);
	if (!read_message(file, options, &header, &message.size, &err)) {
		fprintf(stderr, "mailhaul explain: %s\n", err.text);
		status = EX_DATAERR;
		goto out;
	}
	directory = directory_new(config);
	message.header = buf_slice(&header);
	explanation_make(config, account, &message, directory, &explanation);
	explanation_find_original(&explanation, config, message.header, file);
	if (explanation.verdict == EXPLAIN_DEFER)
		status = EX_TEMPFAIL;
	if (!(options->json ? explanation_print_json(&explanation)
			    : explanation_print_text(&explanation)))
		status = EX_IOERR;
	explanation_clear(&explanation);
	directory_free(directory);
out:
	if (file != NULL && file != stdin)
		fclose(file);
	buf_clear(&header);
	return status;
}

int
cmd_explain(int argc, char **argv)
{
	const struct account *account;
	struct options options;
	struct config *config;
	int status;

	if (!read_options(argc, argv, &options))
		return EX_USAGE;
	config = config_load(options.config, stderr);
	if (config == NULL)
		return EX_CONFIG;
	account = config_account(config, options.account);
	if (account == NULL) {
		fprintf(stderr, "mailhaul explain: no account %s in %s\n",
		    options.account, options.config);
		status = EX_USAGE;
	} else {
		status = explain(&options, config, account);
	}
	config_unref(config);
	return status;
}
