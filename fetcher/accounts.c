/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/accounts.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetcher/descriptors.h"
#include "fetcher/pass_log.h"
#include "fetcher/probe.h"
#include "fetcher/session.h"

enum { IN_USE_PAUSE_MS = 100 };

struct accounts {
	struct accounts_settings settings;
	struct config *config;
	struct mailbox *mailboxes;
	struct turnstile *turnstile;
	bool stopping;
	int status;
};

/* Takes out the mailboxes that are gone and idle; ends when none is left. */
static void
sweep(struct accounts *a)
{
	for (struct mailbox **at = &a->mailboxes; *at != NULL;) {
		struct mailbox *m = *at;

		if (!m->gone || m->session != NULL || m->probe != NULL) {
			at = &m->next;
			continue;
		}
		*at = m->next;
		mailbox_free(m);
	}
	if (a->mailboxes == NULL &&
	    (a->stopping || a->settings.mode != DAEMON_FOREVER))
		loop_stop(a->settings.loop);
}

/* --once: is this account finished? */
static void
judge_single_run(struct mailbox *m, const struct pass_result *r)
{
	struct accounts *a = m->accounts;
	bool failed = r->end == PASS_FAILED || r->end == PASS_HELD;

	if (!failed && (r->end == PASS_MORE || r->injected > 0))
		return;
	m->gone = true;
	if (failed || r->waiting > 0)
		a->status = EX_TEMPFAIL;
}

/* Without descriptors many sessions fail at once, each at another place and as
 * if something else were wrong: readiness tells of it once, and holds all of
 * them up. */
static void
look_for_descriptors(struct accounts *a, struct pass_result *r)
{
	if (r->end != PASS_FAILED || descriptors_left())
		return;
	r->end = PASS_HELD;
	error_set(&r->error, ERROR_LOCAL, "no file descriptors are left");
	readiness_fault(a->settings.readiness, &r->error);
}

/* The session is gone: when is there to be another one? */
static void
plan_next(struct mailbox *m, const struct pass_result *r)
{
	struct accounts *a = m->accounts;
	const struct account *account = config_account(a->config, m->name);
	struct schedule_pause pause;
	struct schedule_pass pass = { .end = r->end,
		.error = &r->error,
		.login_delay_ms = (int64_t)r->login_delay_s * 1000 };

	turn_leave(m->turn);
	m->turn = NULL;
	if (m->listening_ms > 0)
		schedule_stayed(
		    &m->schedule, clock_monotonic_ms() - m->listening_ms);
	m->listening_ms = 0;
	if (m->gone || account == NULL) {
		m->gone = true;
		sweep(a);
		return;
	}
	digest_random(&pass.random, sizeof(pass.random));
	pass.every_ms = account->every_ms;
	pause = schedule_next(&m->schedule, &pass);
	if (m->poll_again || a->settings.mode == DAEMON_ONCE)
		pause.ms = pause.least_ms;
	m->poll_again = false;
	m->least_ms = clock_monotonic_ms() + pause.least_ms;
	mailbox_pause(m, pause.ms);
}

/* Somebody else needs its connection. */
static void
on_yield(void *arg)
{
	struct mailbox *m = arg;

	session_stop(m->session, false);
}

/* The session stays; unless the configuration was reloaded meanwhile. */
static void
listen(struct mailbox *m)
{
	if (m->listening_ms == 0)
		m->listening_ms = clock_monotonic_ms();
	turn_rest(m->turn, on_yield, m);
	m->due_ms = SCHEDULE_NEVER;
	if (m->account != config_account(m->accounts->config, m->name)) {
		m->poll_again = true;
		session_stop(m->session, false);
	} else if (m->poll_again) {
		m->poll_again = false;
		session_poll(m->session);
	}
}

static void
on_pass_done(void *arg, const struct pass_result *told, bool idling)
{
	struct mailbox *m = arg;
	struct accounts *a = m->accounts;
	struct pass_result r = *told;

	if (!idling)
		m->session = NULL;
	if (a->stopping && r.end == PASS_HELD)
		r.end = PASS_DONE;
	look_for_descriptors(a, &r);
	progress_end(&m->backlog, &r, clock_monotonic_ms());
	pass_log_result(m, &r);
	status_add(&m->status, &r);
	m->status.listening = idling;
	awaiting_done(&m->awaiting, &r);
	if (a->settings.mode != DAEMON_FOREVER)
		judge_single_run(m, &r);
	if (!idling) {
		plan_next(m, &r);
		return;
	}
	listen(m);
}

static void
on_probed(void *arg, const struct probe_report *report, const struct error *err)
{
	struct mailbox *m = arg;
	struct accounts *a = m->accounts;

	m->probe = NULL;
	m->gone = true;
	probe_print(report, err, a->settings.probe);
	if (err != NULL)
		log_warning("account=%s: %s", m->name, err->text);
	a->status = probe_status(err);
	sweep(a);
}

/* An account that was renamed: until the old name's session has deleted what it
 * injected, all of that would be new under the new name. */
static bool
is_in_use(const struct accounts *a, const struct account *account)
{
	for (const struct mailbox *m = a->mailboxes; m != NULL; m = m->next)
		if (m->gone && m->session != NULL &&
		    strcmp(m->account->host, account->host) == 0 &&
		    strcmp(m->account->user, account->user) == 0)
			return true;
	return false;
}

/* Its turn has come. */
static void
on_turn(void *arg)
{
	struct mailbox *m = arg;
	struct accounts *a = m->accounts;

	m->account = config_account(a->config, m->name);
	if (a->settings.mode == DAEMON_PROBE) {
		m->probe = probe_start(&(struct probe_settings){
		    .loop = a->settings.loop,
		    .account = m->account,
		    .survey = a->settings.probe != PROBE_BRIEF,
		    .messages = a->settings.probe == PROBE_HEADERS
				    ? SURVEY_MESSAGES
				    : PROBE_MESSAGES,
		    .done = on_probed,
		    .arg = m,
		});
		return;
	}
	m->session = session_start(&(struct session_settings){
	    .loop = a->settings.loop,
	    .config = a->config,
	    .account = m->account,
	    .storage = a->settings.storage,
	    .readiness = a->settings.readiness,
	    .delivery = a->settings.delivery,
	    .keys = a->settings.keys,
	    .turn = m->turn,
	    .may_idle =
		a->settings.mode == DAEMON_FOREVER && m->account->every_ms > 0,
	    .last_folder = &m->last_folder,
	    .without_capa = &m->without_capa,
	    .alerts = &m->alerts,
	    .progress = &m->progress,
	    .done = on_pass_done,
	    .arg = m,
	});
}

static void
start_pass(void *arg)
{
	struct mailbox *m = arg;
	struct accounts *a = m->accounts;
	const struct account *account = config_account(a->config, m->name);

	if (is_in_use(a, account))
		mailbox_pause(m, IN_USE_PAUSE_MS);
	else
		m->turn =
		    turnstile_enter(a->turnstile, account->host, on_turn, m);
}

static bool
is_wanted(const struct accounts *a, const struct account *account)
{
	if (a->settings.only != NULL)
		return strcmp(a->settings.only, account->name) == 0;
	return account->enabled;
}

static void
apply_limits(struct accounts *a)
{
	if (a->settings.mode == DAEMON_PROBE)
		turnstile_limit(a->turnstile, 1, 1);
	else
		turnstile_limit(a->turnstile,
		    descriptors_allow(a->config->fetcher.connections,
			a->config->inject.parallel),
		    a->config->fetcher.connections_per_host);
}

/* Polls an account that was not polled before, or has other settings now. */
static void
begin(struct mailbox *m, size_t index)
{
	struct accounts *a = m->accounts;
	const struct account *account = config_account(a->config, m->name);
	bool on_demand = account->every_ms == 0 &&
			 a->settings.mode == DAEMON_FOREVER &&
			 m->awaiting.first == NULL;
	int64_t least = m->least_ms - clock_monotonic_ms();
	int64_t pause = on_demand ? SCHEDULE_NEVER
				  : schedule_first(index, account->every_ms);

	mailbox_pause(m, !on_demand && pause < least ? least : pause);
}

/* Makes the mailboxes those of the configuration. */
static void
apply_mailboxes(struct accounts *a)
{
	size_t due = 0;

	for (struct mailbox *m = a->mailboxes; m != NULL; m = m->next) {
		const struct account *account =
		    config_account(a->config, m->name);

		m->gone = account == NULL || !is_wanted(a, account);
		mailbox_forgive(m);
		if (m->gone && m->session != NULL)
			session_stop(m->session, false);
	}
	for (size_t i = 0; i < a->config->n_accounts; i++) {
		const struct account *account = &a->config->accounts[i];
		struct mailbox *m =
		    mailbox_find(a->mailboxes, slice_of(account->name));

		if (!is_wanted(a, account))
			continue;
		if (m == NULL) {
			m = mailbox_new(
			    a->settings.loop, account->name, start_pass, a);
			m->next = a->mailboxes;
			a->mailboxes = m;
		}
		if (m->session == NULL) {
			begin(m, due++);
		} else if (session_idles(m->session)) {
			/* It has the configuration of before. */
			m->poll_again = true;
			session_stop(m->session, false);
		}
	}
	sweep(a);
}

struct accounts *
accounts_new(const struct accounts_settings *settings)
{
	struct accounts *a = mem_new(sizeof(*a));

	a->settings = *settings;
	a->turnstile = turnstile_new(settings->loop);
	return a;
}

int
accounts_close(struct accounts *a)
{
	int status = a->status;

	while (a->mailboxes != NULL) {
		struct mailbox *m = a->mailboxes;

		a->mailboxes = m->next;
		mailbox_free(m);
	}
	turnstile_free(a->turnstile);
	config_unref(a->config);
	free(a);
	return status;
}

void
accounts_apply(struct accounts *a, struct config *config)
{
	config_unref(a->config);
	a->config = config_ref(config);
	apply_limits(a);
	apply_mailboxes(a);
}

void
accounts_poll_now(struct accounts *a)
{
	for (struct mailbox *m = a->mailboxes; m != NULL; m = m->next)
		mailbox_poll_now(m);
}

void
accounts_stop(struct accounts *a)
{
	a->stopping = true;
	for (struct mailbox *m = a->mailboxes; m != NULL; m = m->next) {
		m->gone = true;
		timer_stop(m->timer);
		if (m->session != NULL)
			session_stop(m->session, true);
	}
	sweep(a);
}

void
accounts_log_progress(const struct accounts *a)
{
	for (struct mailbox *m = a->mailboxes; m != NULL; m = m->next)
		pass_log_progress(m);
}

struct mailbox *const *
accounts_mailboxes(const struct accounts *a)
{
	return &a->mailboxes;
}
