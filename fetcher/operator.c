/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/operator.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetcher/command.h"
#include "fetcher/storage.h"
#include "recipients/candidates.h"

struct operator
{
	struct operator_view view;
	struct control *control;
};

/* A change of the state that was asked for. */
struct revising {
	struct operator* operator;
	struct control_client *client;
	char *account, *message;
	char key[ACCOUNT_KEY_SIZE];
	struct seen_revision revision;
	uint64_t changed;
};

struct importing {
	struct operator* operator;
	struct control_client *client;
	char *path;
	struct seen_import import;
};

__attribute__((format(printf, 2, 3))) static void
answer(struct control_client *client, const char *fmt, ...)
{
	char line[2 * ERROR_TEXT_MAX];
	va_list args;
	size_t len;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line) - 1, fmt, args);
	va_end(args);
	len = strlen(line);
	line[len] = '\n';
	control_answer(
	    client, (struct slice){ (const uint8_t *)line, len + 1 });
}

static void
tell_account(const struct mailbox *m, struct buf *report)
{
	int64_t next_ms = m->due_ms - clock_monotonic_ms();

	/* A pass that is due and has not begun yet is no reason for a
	 * number below 0. */
	if (next_ms < 0)
		next_ms = 0;
	status_write_account(
	    &(struct status_account){ .name = m->name,
		.status = &m->status,
		.progress = m->session == NULL || session_idles(m->session)
				? NULL
				: m->progress,
		.backlog = &m->backlog,
		.queued = mailbox_is_queued(m),
		.next_ms = m->due_ms == SCHEDULE_NEVER ? -1 : next_ms },
	    report);
}

static void
tell_status(struct operator* o, const struct command *command,
    struct control_client *client)
{
	struct buf report;

	(void)command;
	buf_init(&report, CONTROL_ANSWER_MAX);
	status_write_head(&(struct status_head){ .begun_ms = o->view.begun_ms,
			      .config = *o->view.config,
			      .in_flight = room_messages(o->view.room),
			      .spooled = room_spooled(o->view.room),
			      .spool_full = room_is_full(o->view.room) },
	    &report);
	for (struct mailbox *m = *o->view.mailboxes; m != NULL; m = m->next)
		tell_account(m, &report);
	buf_add_byte(&report, '\n');
	control_answer(client, buf_slice(&report));
	buf_clear(&report);
}

static void
fetch(struct operator* o, const struct command *command,
    struct control_client *client)
{
	struct mailbox *m = mailbox_find(*o->view.mailboxes, command->account);
	int64_t pause;
	bool late;

	if (m == NULL || m->gone) {
		answer(client,
		    "ERROR not collected: it is disabled, or newer than the "
		    "last reload of mailhaul-fetcher");
		return;
	}
	late = m->session != NULL && !session_idles(m->session);
	pause = mailbox_poll_now(m);
	if (pause > 0)
		answer(client, "WAIT tried in %lld s, not before: %s",
		    (long long)(pause + 999) / 1000,
		    m->status.last.end == PASS_FAILED
			? m->status.last.error.text
			: "the server wants this between two logins");
	else if (command->wait_ms == 0)
		answer(client, "OK");
	else
		awaiting_add(&m->awaiting,
		    &(struct awaiting_question){ .loop = o->view.loop,
			.client = client,
			.wait_ms = command->wait_ms,
			.late = late });
}

static void
log_revised(const struct revising *r)
{
	static const char *const done[] = {
		[REVISE_RETRY] = "are tried again",
		[REVISE_DROP] = "are given up",
		[REVISE_FORGET] = "are forgotten",
	};

	if (r->revision.action == REVISE_BASELINE)
		log_info("account=%s: its next listing is taken as collected",
		    r->account);
	else if (r->revision.action == REVISE_ADOPT)
		log_info("account=%s: its next listing is adopted", r->account);
	else
		log_info("account=%s: %llu messages %s", r->account,
		    (unsigned long long)r->changed, done[r->revision.action]);
}

static void
on_revised(void *arg, bool ok, const struct error *err)
{
	struct revising *r = arg;
	struct mailbox *m =
	    mailbox_find(*r->operator->view.mailboxes, slice_of(r->account));

	if (ok)
		answer(r->client, "OK %llu", (unsigned long long)r->changed);
	else
		answer(r->client, "ERROR %s", err->text);
	if (ok && r->changed > 0) {
		log_revised(r);
		if (m != NULL && !m->gone)
			mailbox_poll_now(m);
	}
	free(r->account);
	free(r->message);
	free(r);
}

static void
revise(struct operator* o, const struct command *command,
    struct control_client *client)
{
	static const enum seen_action actions[] = {
		[COMMAND_RETRY] = REVISE_RETRY,
		[COMMAND_DROP] = REVISE_DROP,
		[COMMAND_FORGET] = REVISE_FORGET,
		[COMMAND_BASELINE] = REVISE_BASELINE,
		[COMMAND_ADOPT] = REVISE_ADOPT,
	};
	struct revising *r = mem_new(sizeof(*r));

	r->operator= o;
	r->client = client;
	r->account =
	    mem_string_len(command->account.data, command->account.len);
	r->message =
	    mem_string_len(command->message.data, command->message.len);
	/* One that is no longer configured may have messages as well. */
	account_key(
	    &(struct account){ .name = r->account }, r->key, sizeof(r->key));
	r->revision = (struct seen_revision){ .account = r->key,
		.message = slice_of(r->message),
		.action = actions[command->verb] };
	storage_revise(
	    o->view.storage, &r->revision, &r->changed, on_revised, r);
}

static void
on_imported(void *arg, bool ok, const struct error *err)
{
	struct importing *i = arg;

	if (ok && !i->import.done) {
		storage_import(
		    i->operator->view.storage, &i->import, on_imported, i);
		return;
	}
	if (ok) {
		answer(i->client, "OK %llu %llu",
		    (unsigned long long)i->import.added,
		    (unsigned long long)i->import.known);
		log_info("imported %llu messages into the state, %llu were "
			 "known",
		    (unsigned long long)i->import.added,
		    (unsigned long long)i->import.known);
	} else {
		answer(i->client, "ERROR %s", err->text);
	}
	free(i->path);
	free(i);
}

static void
import(struct operator* o, const struct command *command,
    struct control_client *client)
{
	struct slice name = command->account;
	struct importing *i;

	if (!slice_starts(name, SLICE(IMPORT_PREFIX)) ||
	    slice_find(name, '/') < name.len) {
		answer(client, "ERROR not the name of a file to import");
		return;
	}
	i = mem_new(sizeof(*i));
	i->operator= o;
	i->client = client;
	if (asprintf(&i->path, "%s/%.*s", (*o->view.config)->state_dir,
		SLICE_ARG(name)) < 0)
		abort();
	i->import.path = i->path;
	storage_import(o->view.storage, &i->import, on_imported, i);
}

static void
on_line(void *arg, struct control_client *client, struct slice line)
{
	static void (*const actions[])(struct operator*, const struct command *,
	    struct control_client *) = {
		[COMMAND_STATUS] = tell_status,
		[COMMAND_FETCH] = fetch,
		[COMMAND_RETRY] = revise,
		[COMMAND_DROP] = revise,
		[COMMAND_FORGET] = revise,
		[COMMAND_BASELINE] = revise,
		[COMMAND_ADOPT] = revise,
		[COMMAND_IMPORT] = import,
	};
	struct command command;
	struct error err;

	if (command_parse(line, &command, &err))
		actions[command.verb](arg, &command, client);
	else
		answer(client, "ERROR %s", err.text);
}

struct
operator* operator_start(const struct operator_view *view, struct error *err)
{
	struct operator* o = mem_new(sizeof(*o));

	o->view = *view;
	o->control = control_new(
	    view->loop, (*view->config)->fetcher.control, on_line, o, err);
	if (o->control != NULL)
		return o;
	free(o);
	return NULL;
}

void operator_stop(struct operator* o)
{
	if (o == NULL)
		return;
	control_free(o->control);
	free(o);
}
