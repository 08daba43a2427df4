/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/session_stage.h"

#include <stdlib.h>

#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetcher/descriptors.h"
#include "state/ticket_key.h"

enum {
	/* While Postfix has our messages the server must not close on us:
	 * RFC 1939 lets it after ten silent minutes. */
	NOOP_AFTER_MS = 60 * 1000,
};

static void log_in(struct session *);

static void
session_free(struct session *s)
{
	lookouts_free(s->lookouts);
	pass_clear(&s->pass);
	dialogue_free(s->dialogue);
	folders_clear(&s->folders);
	timer_free(s->soon);
	timer_free(s->noop);
	timer_free(s->again);
	config_unref(s->settings.config);
	free(s);
}

static void
later(struct session *s)
{
	timer_start(s->soon, 0);
}

/* Without connection, and nothing of this pass in anybody's hands: gone. */
static void
end_if_idle(struct session *s)
{
	struct session_settings settings = s->settings;
	struct pass_result result;

	if (s->asking || !pass_idle(&s->pass))
		return;
	if (account_is_imap(s->settings.account))
		pass_confirmed(&s->pass);
	result = s->pass.result;
	session_free(s);
	settings.done(settings.arg, &result, false);
}

static void
end(struct session *s)
{
	lookouts_free(s->lookouts);
	s->lookouts = NULL;
	dialogue_free(s->dialogue);
	s->dialogue = NULL;
	s->stage = STAGE_OVER;
	if (turn_waits(s->settings.turn))
		s->asking = false; /* on_turn() will not ask */
	timer_stop(s->noop);
	timer_stop(s->again);
	later(s);
}

void
session_fail(struct session *s, const struct error *err)
{
	pass_lost(&s->pass, err);
	pass_stop(&s->pass, PASS_FAILED, err);
	end(s);
}

void
session_refresh_keys(struct session *s)
{
	struct ticket_keys keys;
	struct error err;

	if (!descriptors_left())
		return;
	if (ticket_keys_load(s->settings.config->state_dir, &keys, &err))
		*s->settings.keys = keys;
	else
		log_warning(
		    "%s; the ticket key of before stays in use", err.text);
}

static void
on_readiness(void *arg, bool ready, const struct error *reason)
{
	struct session *s = arg;

	s->asking = false;
	if (!ready)
		pass_stop(&s->pass, PASS_HELD, reason);
	if (s->stage == STAGE_OVER)
		later(s);
	else if (!ready)
		end(s);
	else
		log_in(s);
}

void
session_quit(struct session *s)
{
	s->stage = STAGE_QUIT;
	*s->settings.last_folder = s->folders.at;
	CRASH_POINT("before-quit");
	dialogue_quit(s->dialogue);
}

/* Gives commands while the server takes them. */
static void
take_steps(struct session *s)
{
	uint32_t number;

	while (s->stage == STAGE_WORKING && dialogue_room(s->dialogue) > 0) {
		switch (pass_next(&s->pass, &number)) {
		case STEP_RETRIEVE:
			dialogue_retrieve(s->dialogue, number);
			break;
		case STEP_DISPOSE:
			CRASH_POINT("before-delete");
			dialogue_dispose(s->dialogue, number);
			break;
		case STEP_WAIT:
			timer_start(s->noop, NOOP_AFTER_MS);
			return;
		case STEP_QUIT:
			if (!dialogue_busy(s->dialogue))
				session_end_folder(s);
			return;
		}
	}
}

static void
on_soon(void *arg)
{
	struct session *s = arg;

	if (s->stage == STAGE_OVER)
		end_if_idle(s);
	else
		take_steps(s);
}

static void
on_noop(void *arg)
{
	struct session *s = arg;

	if (s->stage != STAGE_WORKING)
		return;
	if (dialogue_room(s->dialogue) > 0 && !dialogue_busy(s->dialogue))
		dialogue_noop(s->dialogue);
	else
		timer_start(s->noop, NOOP_AFTER_MS);
}

static void
on_ready(struct session *s)
{
	switch (s->stage) {
	case STAGE_LISTING:
		s->stage = STAGE_WORKING;
		s->opened = true;
		pass_compare(&s->pass);
		later(s);
		break;
	case STAGE_ROUSED:
		session_go_round(s);
		break;
	case STAGE_WORKING:
		later(s);
		break;
	case STAGE_IDLE:
		session_idle_ended(s);
		break;
	default:
		break;
	}
}

static void
on_listed(struct session *s, const struct protocol_action *action)
{
	struct error err;

	if (listing_add(&s->pass.listing, action->number, action->text, &err)) {
		listing_size(&s->pass.listing, action->number, action->size);
		return;
	}
	error_prefix(&err, "%s", s->settings.account->host);
	session_fail(s, &err);
}

static void
on_refused(struct session *s, const struct protocol_action *action,
    const struct error *err)
{
	switch (s->stage) {
	case STAGE_LISTING:
		session_on_folder_refused(s, err);
		break;
	case STAGE_IDLE:
		session_idle_refused(s, err);
		break;
	default:
		pass_refused(&s->pass, action->number, err);
		on_ready(s);
		break;
	}
}

static void
on_said(
    void *arg, const struct protocol_action *action, const struct error *err)
{
	struct session *s = arg;
	struct error why;

	switch (action->todo) {
	case DO_LOGGED_IN:
		s->pass.result.login_delay_s =
		    dialogue_facts(s->dialogue)->login_delay_s;
		session_find_folders(s);
		break;
	case DO_FOLDERS:
		session_find_folders(s);
		break;
	case DO_FOLDER:
		session_on_folder(s, action);
		break;
	case DO_LISTED:
		on_listed(s, action);
		break;
	case DO_SIZED:
		listing_size(&s->pass.listing, action->number, action->size);
		break;
	case DO_READY:
		on_ready(s);
		break;
	case DO_BODY:
		if (!pass_body_begin(&s->pass, action->number, &why))
			session_fail(s, &why);
		break;
	case DO_REFUSED:
		on_refused(s, action, err);
		break;
	case DO_DISPOSED:
		CRASH_POINT("after-delete");
		pass_disposed(&s->pass, action->number, action->stays);
		on_ready(s);
		break;
	case DO_ARRIVED:
		session_begin_pass(s);
		break;
	default:
		break;
	}
}

static bool
on_piece(void *arg, struct slice bytes, struct error *err)
{
	struct session *s = arg;

	if (pass_body(&s->pass, bytes, err))
		return true;
	readiness_fault(s->settings.readiness, err);
	return false;
}

static bool
on_complete(void *arg, struct error *err)
{
	struct session *s = arg;

	if (pass_body_end(&s->pass, err))
		return true;
	readiness_fault(s->settings.readiness, err);
	return false;
}

/* With IMAP all disposals are answered for by now, but for the EXPUNGE of
 * full_expunge. */
static void
tell_of_bad_end(struct session *s, const struct error *err)
{
	if (account_is_imap(s->settings.account)
		? s->pass.result.deleted > 0 && err->kind == ERROR_REFUSED
		: pass_unconfirmed(&s->pass))
		pass_notice(&s->pass, err);
}

/* Some servers close or fall silent when they hear CAPA.  Where the login fails
 * without it as well, it was not CAPA's fault. */
static void
learn_of_capa(struct session *s, struct error *err)
{
	*s->settings.without_capa = dialogue_facts(s->dialogue)->capa_due;
	if (*s->settings.without_capa)
		error_prefix(
		    err, "no answer to CAPA (the next try does without it)");
}

static void
on_ended(void *arg, const struct error *err)
{
	struct session *s = arg;
	struct error why;

	if (err == NULL) {
		pass_confirmed(&s->pass);
	} else if (s->stage == STAGE_QUIT) {
		tell_of_bad_end(s, err);
	} else {
		why = *err;
		if (s->stage == STAGE_LOGIN)
			learn_of_capa(s, &why);
		session_fail(s, &why);
		return;
	}
	end(s);
}

static void
log_in(struct session *s)
{
	static const struct dialogue_handlers handlers = { on_said, on_piece,
		on_complete, on_ended };

	session_refresh_keys(s);
	s->stage = STAGE_LOGIN;
	s->dialogue = dialogue_open(&(struct dialogue_settings){
	    .loop = s->settings.loop,
	    .account = s->settings.account,
	    .smtputf8 = readiness_facts(s->settings.readiness)->smtputf8,
	    .without_capa = *s->settings.without_capa,
	    .alerts = s->settings.alerts,
	    .handlers = &handlers,
	    .arg = s,
	});
}

struct session *
session_start(const struct session_settings *settings)
{
	struct session *s = mem_new(sizeof(*s));

	s->settings = *settings;
	s->settings.config = config_ref(settings->config);
	pass_init(&s->pass, &s->settings, NULL, on_soon, s);
	s->soon = timer_new(settings->loop, on_soon, s);
	s->noop = timer_new(settings->loop, on_noop, s);
	s->again = timer_new(settings->loop, session_on_again, s);
	s->again_ms = INT64_MAX;
	s->asking = true;
	readiness_ask(settings->readiness, on_readiness, s);
	return s;
}

void
session_stop(struct session *s, bool at_once)
{
	s->stopped = true;
	pass_stop(&s->pass, PASS_DONE, NULL);
	if (at_once)
		pass_drop_disposals(&s->pass);
	if (s->stage == STAGE_OVER)
		return;
	if (at_once && pass_is_receiving(&s->pass)) {
		/* A large message would take too long; what was deleted in
		 * this session is deleted again in the next. */
		pass_lost(&s->pass, NULL);
		end(s);
	} else if (s->stage != STAGE_WORKING && s->stage != STAGE_QUIT) {
		end(s);
	} else {
		later(s);
	}
}
