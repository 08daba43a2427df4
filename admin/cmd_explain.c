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

/* As much of the message as the fetcher examines. */
static bool
read_header(FILE *file, const char *path, struct buf *out, struct error *err)
{
	uint8_t piece[4096];
	size_t n;
	bool ok = true;

	if (file == NULL)
		return error_errno(err, ERROR_LOCAL, errno, "%s", path);
	while (out->len < out->max &&
	       (n = fread(piece, 1, sizeof(piece), file)) > 0)
		buf_add(out, slice_first((struct slice){ piece, n },
				 out->max - out->len));
	if (ferror(file))
		ok = error_errno(err, ERROR_LOCAL, errno, "%s", path);
	else if (out->len == 0)
		ok = error_set(err, ERROR_LOCAL, "%s: empty", path);
	return ok;
}

static int
explain(const struct options *options, struct config *config,
    const struct account *account)
{
	struct explanation explanation;
	struct directory *directory;
	struct buf header;
	struct error err;
	int status = EX_OK;
	FILE *file = strcmp(options->message, "-") == 0
			 ? stdin
			 : fopen(options->message, "re");

	buf_init(&header, HEADER_HELD_MAX);
	if (!read_header(file, options->message, &header, &err)) {
		fprintf(stderr, "mailhaul explain: %s\n", err.text);
		status = EX_DATAERR;
		goto out;
	}
	directory = directory_new(config);
	explanation_make(
	    config, account, buf_slice(&header), directory, &explanation);
	explanation_find_original(
	    &explanation, config, buf_slice(&header), file);
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
