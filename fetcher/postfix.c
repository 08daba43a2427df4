/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/postfix.h"

#include "base/buf.h"
#include "base/mem.h"
#include "fetcher/child.h"
#include "postfix/milters.h"

#include <stdlib.h>

enum { POSTCONF_TIMEOUT_MS = 30000, OUTPUT_MAX = 128 * 1024 };

enum parameter {
	MESSAGE_SIZE_LIMIT,
	HOPCOUNT_LIMIT,
	QUEUE_DIRECTORY,
	NON_SMTPD_MILTERS,
	SMTPD_MILTERS,
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
	[SMTPD_MILTERS] = "smtpd_milters",
	[SMTPUTF8_ENABLE] = "smtputf8_enable",
	[SMTPUTF8_AUTODETECT_CLASSES] = "smtputf8_autodetect_classes",
};

struct value {
	bool told; /* it may be empty */
	struct slice text;
};

/* "public/mailhaul" is the service "mailhaul"; one on port 10025 may be
 * called "10025" or "127.0.0.1:10025". */
static bool
is_listener(
    const struct postfix_question *q, struct slice service, struct slice type)
{
	struct slice path = slice_of(q->listener);
	uint64_t port;
	size_t at;

	if (q->listener != NULL) {
		at = slice_find_last(path, '/');
		return slice_equal(type, SLICE("unix")) &&
		       slice_equal(service, slice_from(path, at + 1));
	}
	at = slice_find_last(service, ':');
	if (at < service.len)
		service = slice_from(service, at + 1);
	if (slice_equal(service, SLICE("smtp")))
		service = SLICE("25");
	return slice_equal(type, SLICE("inet")) &&
	       slice_cut_number(&service, UINT16_MAX, &port) &&
	       service.len == 0 && port == q->port;
}

/* A value of the listener's own replaces the one of main.cf. */
static void
read_line(
    struct slice line, const struct postfix_question *q, struct value *values)
{
	struct slice name, service, type;

	if (!slice_cut_until(&line, '=', &name))
		return;
	name = slice_trim(name);
	if (slice_cut_until(&name, '/', &service) &&
	    (!slice_cut_until(&name, '/', &type) ||
		!is_listener(q, service, type)))
		return;
	for (int i = 0; i < N_PARAMETERS; i++) {
		if (slice_equal(name, slice_of(parameters[i])))
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
has_smtputf8(const struct value *values)
{
	return slice_equal_nocase(values[SMTPUTF8_ENABLE].text, SLICE("yes"));
}

static bool
wants_smtputf8(const struct postfix_question *q, const struct value *values)
{
	struct slice classes = values[SMTPUTF8_AUTODETECT_CLASSES].text;

	return has_smtputf8(values) &&
	       (names_class(classes, SLICE("all")) ||
		   (q->method == METHOD_SENDMAIL &&
		       names_class(classes, SLICE("sendmail"))));
}

bool
postfix_read(struct slice output, const struct postfix_question *q,
    struct postfix_facts *facts, struct error *err)
{
	enum parameter milters =
	    q->method == METHOD_SMTP ? SMTPD_MILTERS : NON_SMTPD_MILTERS;
	struct value values[N_PARAMETERS] = { { .told = false } };
	struct slice line;
	uint64_t hops;

	while (slice_cut_line(&output, &line))
		read_line(line, q, values);
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
	facts->has_milter = milters_name(
	    values[milters].text, &(struct milter_place){ q->milter_socket,
				      values[QUEUE_DIRECTORY].text });
	facts->smtputf8 = has_smtputf8(values);
	facts->wants_smtputf8 = wants_smtputf8(q, values);
	return true;
}

struct query {
	struct loop *loop;
	char *postconf, *milter_socket, *listener;
	struct postfix_question question;
	struct buf output;
	bool asked_listener;
	postfix_handler *handler;
	void *arg;
};

static void
answer(struct query *query, bool known, struct error *err)
{
	struct postfix_facts facts = { 0 };

	if (known)
		known = postfix_read(
		    buf_slice(&query->output), &query->question, &facts, err);
	query->handler(query->arg, known, &facts, err);
	buf_clear(&query->output);
	free(query->postconf);
	free(query->milter_socket);
	free(query->listener);
	free(query);
}

static void run(struct query *, const char *const *arguments);

/* By SMTP, main.cf is asked first, and master.cf then. */
static void
on_child(void *arg, const struct child_result *result)
{
	static const char *const of_services[] = { "-Px", "*/*/smtpd_milters",
		NULL };
	struct query *query = arg;
	struct error err;

	if (!result->started || result->timed_out || result->wait_status != 0) {
		child_describe(result, &err);
		if (result->started)
			error_prefix(&err, "%s", query->postconf);
		answer(query, false, &err);
		return;
	}
	buf_add(&query->output, result->out);
	if (query->question.method == METHOD_SMTP && !query->asked_listener) {
		query->asked_listener = true;
		run(query, of_services);
		return;
	}
	answer(query, true, &err);
}

static void
run(struct query *query, const char *const *arguments)
{
	const char *argv[N_PARAMETERS + 3] = { query->postconf };
	struct child_job child = { .argv = argv,
		.in = -1,
		.want_out = true,
		.timeout_ms = POSTCONF_TIMEOUT_MS };

	for (int i = 0; arguments[i] != NULL; i++)
		argv[1 + i] = arguments[i];
	child_run(query->loop, &child, on_child, query);
}

void
postfix_ask(struct loop *loop, const struct config *config,
    postfix_handler *handler, void *arg)
{
	const char *of_main[N_PARAMETERS + 2] = { "-x" };
	const struct smtp_target *smtp = &config->inject.smtp;
	struct query *query = mem_new(sizeof(*query));

	for (int i = 0; i < N_PARAMETERS; i++)
		of_main[1 + i] = parameters[i];
	query->loop = loop;
	query->postconf = mem_string(config->inject.postconf);
	query->milter_socket = mem_string(config->milter.socket);
	if (smtp->socket != NULL)
		query->listener = mem_string(smtp->socket);
	query->question = (struct postfix_question){ query->milter_socket,
		config->inject.method, query->listener, smtp->port };
	buf_init(&query->output, OUTPUT_MAX);
	query->handler = handler;
	query->arg = arg;
	run(query, of_main);
}
