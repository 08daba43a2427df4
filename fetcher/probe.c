/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fetcher/dialogue.h"
#include "fetcher/folders.h"
#include "mail/header.h"

struct probe {
	struct probe_settings settings;
	struct dialogue *dialogue;
	struct timer *limit;
	struct probe_report *report;
	/* The newest messages that are small enough, the newest last. */
	uint32_t newest[SURVEY_MESSAGES];
	size_t n_newest;
	struct buf headers[SURVEY_MESSAGES];
	size_t n_headers;
	bool refused; /* the folder; error says why */
	struct error error;
};

static void
note_server(struct probe *p)
{
	struct probe_report *r = p->report;

	r->reached = true;
	r->facts = *dialogue_facts(p->dialogue);
	snprintf(
	    r->cipher, sizeof(r->cipher), "%s", dialogue_cipher(p->dialogue));
	r->certified = dialogue_certificate(p->dialogue, &r->certificate);
}

/* The first folder that has a name of its own. */
static const char *
folder_of(const struct account *account)
{
	for (size_t i = 0; account->folders[i] != NULL; i++)
		if (!folder_is_pattern(account->folders[i]))
			return account->folders[i];
	return "INBOX";
}

static void
begin(struct probe *p)
{
	note_server(p);
	if (p->settings.look) {
		dialogue_quit(p->dialogue);
		return;
	}
	p->report->logged_in = true;
	if (p->settings.survey &&
	    dialogue_protocol(p->dialogue)->folders != NULL)
		dialogue_folders(p->dialogue, "*");
	else
		dialogue_enter(p->dialogue, folder_of(p->settings.account));
}

/* The machine has limited their number. */
static void
add_folder(struct probe_report *r, const struct protocol_action *action)
{
	r->folders =
	    mem_resize(r->folders, r->n_folders + 1, sizeof(*r->folders));
	r->folders[r->n_folders++] = (struct probe_folder){
		.name = mem_string_len(action->text.data, action->text.len),
		.special = action->size != 0,
	};
}

static void
note_size(struct probe *p, const struct protocol_action *action)
{
	p->report->octets += action->size;
	if (p->settings.messages == 0 || action->size == 0 ||
	    action->size > PROBE_MESSAGE_MAX)
		return;
	if (p->n_newest == p->settings.messages) {
		p->n_newest--;
		memmove(p->newest, p->newest + 1,
		    p->n_newest * sizeof(p->newest[0]));
	}
	p->newest[p->n_newest++] = action->number;
}

static void
run_survey(struct probe *p)
{
	struct slice headers[SURVEY_MESSAGES];
	struct address own;
	bool known = address_parse(slice_of(p->settings.account->user), &own) ==
		     ADDRESS_OK;

	for (size_t i = 0; i < p->n_headers; i++)
		headers[i] = buf_slice(&p->headers[i]);
	p->report->headers = p->headers;
	p->report->n_headers = p->n_headers;
	p->report->survey = mem_new(sizeof(*p->report->survey));
	survey_run(
	    headers, p->n_headers, known ? &own : NULL, p->report->survey);
}

/* The folder is listed, or a message has been read. */
static void
go_on(struct probe *p)
{
	if (!p->report->listed) {
		p->report->listed = true;
		p->report->facts = *dialogue_facts(p->dialogue);
	}
	if (p->settings.survey && p->n_newest > 0) {
		dialogue_retrieve(p->dialogue, p->newest[--p->n_newest]);
		return;
	}
	if (p->settings.survey)
		run_survey(p);
	dialogue_quit(p->dialogue);
}

static void
on_refused(struct probe *p, const struct error *err)
{
	if (p->report->listed) {
		go_on(p);
		return;
	}
	p->refused = true;
	p->error = *err;
	dialogue_quit(p->dialogue);
}

static void
on_said(
    void *arg, const struct protocol_action *action, const struct error *err)
{
	struct probe *p = arg;

	switch (action->todo) {
	case DO_LOGGED_IN:
		begin(p);
		break;
	case DO_FOLDER:
		add_folder(p->report, action);
		break;
	case DO_FOLDERS:
		dialogue_enter(p->dialogue, folder_of(p->settings.account));
		break;
	case DO_LISTED:
		p->report->messages++;
		note_size(p, action);
		break;
	case DO_SIZED:
		note_size(p, action);
		break;
	case DO_READY:
		if (!dialogue_busy(p->dialogue))
			go_on(p);
		break;
	case DO_REFUSED:
		on_refused(p, err);
		break;
	default:
		break;
	}
}

/* One that turns out to be larger than it was said to be is cut. */
static bool
on_piece(void *arg, struct slice bytes, struct error *err)
{
	struct probe *p = arg;

	(void)err;
	buf_add(&p->headers[p->n_headers], bytes);
	return true;
}

static bool
on_complete(void *arg, struct error *err)
{
	struct probe *p = arg;

	(void)err;
	p->n_headers++;
	return true;
}

static void
finish(struct probe *p, const struct error *err)
{
	p->settings.done(p->settings.arg, p->report, err);
	dialogue_free(p->dialogue);
	timer_free(p->limit);
	for (size_t i = 0; i < SURVEY_MESSAGES; i++)
		buf_clear(&p->headers[i]);
	probe_report_clear(p->report);
	free(p->report);
	free(p);
}

static void open_dialogue(struct probe *);

/* As the fetcher does it with its next session. */
static bool
try_without_capa(struct probe *p)
{
	if (p->report->without_capa || !dialogue_facts(p->dialogue)->capa_due)
		return false;
	p->report->without_capa = true;
	dialogue_free(p->dialogue);
	open_dialogue(p);
	return true;
}

/* What was asked is known; how the server takes a farewell is no matter. */
static void
on_ended(void *arg, const struct error *err)
{
	struct probe *p = arg;

	if (err != NULL && try_without_capa(p))
		return;
	if (p->refused)
		err = &p->error;
	else if (p->settings.look && p->report->reached)
		err = NULL;
	finish(p, err);
}

static void
on_limit(void *arg)
{
	struct probe *p = arg;

	error_set(&p->error, ERROR_RETRY, "%s: no end within %lld s",
	    p->settings.account->host,
	    (long long)(p->settings.limit_ms / 1000));
	finish(p, &p->error);
}

static void
open_dialogue(struct probe *p)
{
	static const struct dialogue_handlers handlers = { on_said, on_piece,
		on_complete, on_ended };

	p->dialogue = dialogue_open(&(struct dialogue_settings){
	    .loop = p->settings.loop,
	    .account = p->settings.account,
	    .look = p->settings.look,
	    .without_capa = p->report->without_capa,
	    .handlers = &handlers,
	    .arg = p,
	});
}

struct probe *
probe_start(const struct probe_settings *settings)
{
	struct probe *p = mem_new(sizeof(*p));

	p->settings = *settings;
	if (p->settings.messages > SURVEY_MESSAGES)
		p->settings.messages = SURVEY_MESSAGES;
	p->report = mem_new(sizeof(*p->report));
	p->report->account = settings->account;
	for (size_t i = 0; i < SURVEY_MESSAGES; i++)
		buf_init(&p->headers[i], HEADER_HELD_MAX);
	p->limit = timer_new(settings->loop, on_limit, p);
	if (settings->limit_ms > 0)
		timer_start(p->limit, settings->limit_ms);
	open_dialogue(p);
	return p;
}
