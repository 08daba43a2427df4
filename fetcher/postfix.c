/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/postfix.h"

#include "base/buf.h"
#include "base/mem.h"
#include "fetcher/child.h"
#include "postfix/milters.h"

#include <stdlib.h>

enum { POSTCONF_TIMEOUT_MS = 30000 };

enum parameter {
	MESSAGE_SIZE_LIMIT,
	HOPCOUNT_LIMIT,
	QUEUE_DIRECTORY,
	NON_SMTPD_MILTERS,
	N_NEEDED,
	/* Postfix has these since 3.0. */
	SMTPUTF8_ENABLE = N_NEEDED,
	SMTPUTF8_AUTODETECT_CLASSES,
	N_PARAMETERS
};
static const char *const parameters[N_PARAMETERS] = {
	[MESSAGE_SIZE_LIMIT] = "message_size_limit",
	[HOPCOUNT_LIMIT] = "hopcount_limit",
	[QUEUE_DIRECTORY] = "queue_directory",
	[NON_SMTPD_MILTERS] = "non_smtpd_milters",
	[SMTPUTF8_ENABLE] = "smtputf8_enable",
	[SMTPUTF8_AUTODETECT_CLASSES] = "smtputf8_autodetect_classes",
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

/* "sendmail, verify": the kinds of mail whose headers Postfix examines. */
static bool
names_class(struct slice classes, struct slice wanted)
{
	struct slice words, word;

	while (classes.len > 0) {
		if (!slice_cut_until(&classes, ',', &words)) {
			words = classes;
			classes.len = 0;
		}
		while (slice_cut_word(&words, &word))
			if (slice_equal_nocase(word, wanted))
				return true;
	}
	return false;
}

static bool
wants_smtputf8(const struct value *values)
{
	struct slice classes = values[SMTPUTF8_AUTODETECT_CLASSES].text;

	return slice_equal_nocase(values[SMTPUTF8_ENABLE].text, SLICE("yes")) &&
	       (names_class(classes, SLICE("sendmail")) ||
		   names_class(classes, SLICE("all")));
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
	for (int i = 0; i < N_NEEDED; i++) {
		if (!values[i].told)
			return error_set(err, ERROR_CONFIG,
			    "postconf did not tell %s", parameters[i]);
	}
	if (!read_number(values, MESSAGE_SIZE_LIMIT, INT64_MAX,
		&facts->message_size_limit, err) ||
	    !read_number(values, HOPCOUNT_LIMIT, INT32_MAX, &hops, err))
		return false;
	facts->hopcount_limit = (uint32_t)hops;
	facts->has_milter = milters_name(values[NON_SMTPD_MILTERS].text,
	    &(struct milter_place){
		milter_socket, values[QUEUE_DIRECTORY].text });
	facts->wants_smtputf8 = wants_smtputf8(values);
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
