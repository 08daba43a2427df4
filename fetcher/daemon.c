/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/notify.h"
#include "fetcher/conn.h"
#include "fetcher/delivery.h"
#include "fetcher/descriptors.h"
#include "fetcher/mailbox.h"
#include "fetcher/operator.h"
#include "fetcher/pass_log.h"
#include "fetcher/probe.h"
#include "fetcher/readiness.h"
#include "fetcher/session.h"
#include "fetcher/storage.h"
#include "state/lock.h"
#include "state/ticket_key.h"

enum {
	/* Those in Postfix's hands are waited for this long at the end. */
	STOP_MS = 30 * 1000,
	EXPIRE_EVERY_MS = 10 * 60 * 1000,
	IN_USE_PAUSE_MS = 100,
	PROGRESS_EVERY_MS = 5 * 1000,
};

struct daemon {
	const struct daemon_settings *settings;
	struct config *config;
	struct loop *loop;
	struct storage *storage;
	struct readiness *readiness;
	struct delivery *delivery;
	struct ticket_keys keys;
	struct mailbox *mailboxes;
	struct turnstile *turnstile;
	struct operator* operator;
	struct timer *stop_deadline, *expire, *progress, *watchdog;
	bool stopping;
	int status;
};

static void start_pass(void *arg);

/* Takes out the mailboxes that are gone and idle; ends when none is left. */
static void
sweep(struct daemon *d)
{
	for (struct mailbox **at = &d->mailboxes; *at != NULL;) {
		struct mailbox *m = *at;

		if (!m->gone || m->session != NULL || m->probe != NULL) {
			at = &m->next;
			continue;
		}
		*at = m->next;
		mailbox_free(m);
	}
	if (d->mailboxes == NULL &&
	    (d->stopping || d->settings->mode != DAEMON_FOREVER))
		loop_stop(d->loop);
}

/* --once: is this account finished? */
static void
judge_single_run(struct mailbox *m, const struct pass_result *r)
{
	struct daemon *d = m->daemon;
	bool failed = r->end == PASS_FAILED || r->end == PASS_HELD;

	if (!failed && (r->end == PASS_MORE || r->injected > 0))
		return;
	m->gone = true;
	if (failed || r->waiting > 0)
		d->status = EX_TEMPFAIL;
}

/* Without descriptors many sessions fail at once, each at another place and as
 * if something else were wrong: readiness tells of it once, and holds all of
 * them up. */
static void
look_for_descriptors(struct daemon *d, struct pass_result *r)
{
	if (r->end != PASS_FAILED || descriptors_left())
		return;
	r->end = PASS_HELD;
	error_set(&r->error, ERROR_LOCAL, "no file descriptors are left");
	readiness_fault(d->readiness, &r->error);
}

/* The session is gone: when is there to be another one? */
static void
plan_next(struct mailbox *m, const struct pass_result *r)
{
	struct daemon *d = m->daemon;
	const struct account *account = config_account(d->config, m->name);
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
		sweep(d);
		return;
	}
	digest_random(&pass.random, sizeof(pass.random));
	pass.every_ms = account->every_ms;
	pause = schedule_next(&m->schedule, &pass);
	if (m->poll_again || d->settings->mode == DAEMON_ONCE)
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
	if (m->account != config_account(m->daemon->config, m->name)) {
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
	struct daemon *d = m->daemon;
	struct pass_result r = *told;

	if (!idling)
		m->session = NULL;
	if (d->stopping && r.end == PASS_HELD)
		r.end = PASS_DONE;
	look_for_descriptors(d, &r);
	progress_end(&m->backlog, &r, clock_monotonic_ms());
	pass_log_result(m, &r);
	status_add(&m->status, &r);
	m->status.listening = idling;
	awaiting_done(&m->awaiting, &r);
	if (d->settings->mode != DAEMON_FOREVER)
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
	struct daemon *d = m->daemon;

	m->probe = NULL;
	m->gone = true;
	probe_print(report, err, d->settings->probe);
	if (err != NULL)
		log_warning("account=%s: %s", m->name, err->text);
	d->status = probe_status(err);
	sweep(d);
}

/* An account that was renamed: until the old name's session has deleted what it
 * injected, all of that would be new under the new name. */
static bool
is_in_use(const struct daemon *d, const struct account *account)
{
	for (const struct mailbox *m = d->mailboxes; m != NULL; m = m->next)
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
	struct daemon *d = m->daemon;

	m->account = config_account(d->config, m->name);
	if (d->settings->mode == DAEMON_PROBE) {
		m->probe = probe_start(&(struct probe_settings){
		    .loop = d->loop,
		    .account = m->account,
		    .survey = d->settings->probe != PROBE_BRIEF,
		    .messages = d->settings->probe == PROBE_HEADERS
				    ? SURVEY_MESSAGES
				    : PROBE_MESSAGES,
		    .done = on_probed,
		    .arg = m,
		});
		return;
	}
	m->session = session_start(&(struct session_settings){
	    .loop = d->loop,
	    .config = d->config,
	    .account = m->account,
	    .storage = d->storage,
	    .readiness = d->readiness,
	    .delivery = d->delivery,
	    .keys = &d->keys,
	    .turn = m->turn,
	    .may_idle =
		d->settings->mode == DAEMON_FOREVER && m->account->every_ms > 0,
	    .last_folder = &m->last_folder,
	    .without_capa = &m->without_capa,
	    .progress = &m->progress,
	    .done = on_pass_done,
	    .arg = m,
	});
}

static void
start_pass(void *arg)
{
	struct mailbox *m = arg;
	struct daemon *d = m->daemon;
	const struct account *account = config_account(d->config, m->name);

	if (is_in_use(d, account))
		mailbox_pause(m, IN_USE_PAUSE_MS);
	else
		m->turn =
		    turnstile_enter(d->turnstile, account->host, on_turn, m);
}

static bool
is_wanted(const struct daemon *d, const struct account *account)
{
	if (d->settings->only != NULL)
		return strcmp(d->settings->only, account->name) == 0;
	return account->enabled;
}

static void
apply_limits(struct daemon *d)
{
	if (d->settings->mode == DAEMON_PROBE)
		turnstile_limit(d->turnstile, 1, 1);
	else
		turnstile_limit(d->turnstile,
		    descriptors_allow(d->config->fetcher.connections,
			d->config->inject.parallel),
		    d->config->fetcher.connections_per_host);
}

/* Polls an account that was not polled before, or has other settings now. */
static void
begin(struct mailbox *m, size_t index)
{
	struct daemon *d = m->daemon;
	const struct account *account = config_account(d->config, m->name);
	bool on_demand = account->every_ms == 0 &&
			 d->settings->mode == DAEMON_FOREVER &&
			 m->awaiting.first == NULL;
	int64_t least = m->least_ms - clock_monotonic_ms();
	int64_t pause = on_demand ? SCHEDULE_NEVER
				  : schedule_first(index, account->every_ms);

	mailbox_pause(m, !on_demand && pause < least ? least : pause);
}

/* Makes the mailboxes those of the configuration. */
static void
apply_accounts(struct daemon *d)
{
	size_t due = 0;

	for (struct mailbox *m = d->mailboxes; m != NULL; m = m->next) {
		const struct account *account =
		    config_account(d->config, m->name);

		m->gone = account == NULL || !is_wanted(d, account);
		mailbox_forgive(m);
		if (m->gone && m->session != NULL)
			session_stop(m->session, false);
	}
	for (size_t i = 0; i < d->config->n_accounts; i++) {
		const struct account *account = &d->config->accounts[i];
		struct mailbox *m =
		    mailbox_find(d->mailboxes, slice_of(account->name));

		if (!is_wanted(d, account))
			continue;
		if (m == NULL) {
			m = mailbox_new(d->loop, account->name, start_pass, d);
			m->next = d->mailboxes;
			d->mailboxes = m;
		}
		if (m->session == NULL) {
			begin(m, due++);
		} else if (session_idles(m->session)) {
			/* It has the configuration of before. */
			m->poll_again = true;
			session_stop(m->session, false);
		}
	}
	sweep(d);
}

static void
on_reload(void *arg)
{
	struct daemon *d = arg;
	struct config *config;

	if (d->stopping)
		return;
	config = config_load_logged(d->settings->config_path);
	if (config == NULL) {
		log_error("%s has errors: the old configuration stays in use",
		    d->settings->config_path);
		return;
	}
	if (strcmp(config->state_dir, d->config->state_dir) != 0) {
		log_error("state_dir was changed: the old configuration stays "
			  "in use until the fetcher is restarted");
		config_unref(config);
		return;
	}
	if (strcmp(config->fetcher.control, d->config->fetcher.control) != 0)
		log_warning("fetcher.control changes only with a restart");
	config_unref(d->config);
	d->config = config;
	readiness_configure(d->readiness, config);
	delivery_configure(d->delivery, config);
	conn_forget_servers(d->loop);
	apply_accounts(d);
	log_info("configuration reloaded: %zu accounts", config->n_accounts);
}

static void
on_poll_now(void *arg)
{
	struct daemon *d = arg;

	for (struct mailbox *m = d->mailboxes; m != NULL; m = m->next)
		mailbox_poll_now(m);
}

static void
on_stop_deadline(void *arg)
{
	struct daemon *d = arg;

	if (room_messages(delivery_room(d->delivery)) > 0)
		log_warning("stopping although Postfix has not answered yet: "
			    "what is in flight may arrive twice");
	else
		log_warning("stopping although a provider has not answered "
			    "yet: deletions under way are repeated later");
	loop_stop(d->loop);
}

static void
on_stop(void *arg)
{
	struct daemon *d = arg;

	if (d->stopping)
		return;
	log_info("stopping");
	notify_send("STOPPING=1");
	d->stopping = true;
	timer_start(d->stop_deadline, STOP_MS);
	delivery_stop(d->delivery);
	for (struct mailbox *m = d->mailboxes; m != NULL; m = m->next) {
		m->gone = true;
		timer_stop(m->timer);
		if (m->session != NULL)
			session_stop(m->session, true);
	}
	sweep(d);
}

static void
on_expire(void *arg)
{
	struct daemon *d = arg;

	if (d->config->archive.keep_ms > 0)
		storage_expire(d->storage, d->config->archive.keep_ms,
		    d->config->archive.max_bytes);
	timer_start(d->expire, EXPIRE_EVERY_MS);
}

static void
on_progress(void *arg)
{
	struct daemon *d = arg;

	for (struct mailbox *m = d->mailboxes; m != NULL; m = m->next)
		pass_log_progress(m);
	timer_start(d->progress, PROGRESS_EVERY_MS);
}

/* Comes from the loop's own timer: a loop that hangs is silent. */
static void
on_watchdog(void *arg)
{
	struct daemon *d = arg;

	notify_send("WATCHDOG=1");
	timer_start(d->watchdog, notify_watchdog_ms());
}

static void
announce(struct daemon *d)
{
	log_info("started: %zu account%s", d->config->n_accounts,
	    d->config->n_accounts == 1 ? "" : "s");
	notify_send("READY=1");
	if (notify_watchdog_ms() > 0)
		on_watchdog(d);
}

/* What a probe does without. */
static bool
open_state(struct daemon *d, struct error *err)
{
	const char *state_dir = d->config->state_dir;

	if (!lock_take(state_dir, err) ||
	    !ticket_keys_load(state_dir, &d->keys, err))
		return false;
	d->storage = storage_start(d->loop, state_dir, err);
	if (d->storage == NULL)
		return false;
	d->readiness = readiness_new(d->loop, d->config);
	d->delivery =
	    delivery_new(d->loop, d->config, d->storage, d->readiness);
	if (d->settings->mode != DAEMON_FOREVER)
		return true;
	d->operator= operator_start(&(struct operator_view){ .loop = d->loop,
					.storage = d->storage,
					.room = delivery_room(d->delivery),
					.config = &d->config,
					.mailboxes = &d->mailboxes,
					.begun_ms = clock_monotonic_ms() },
	    err);
	return d->operator!= NULL;
}

static void
close_state(struct daemon *d)
{
	if (d->storage == NULL)
		return;
	operator_stop(d->operator);
	storage_stop(d->storage);
	/* What still waits for Postfix after STOP_MS is left to its fate, and
	 * so is the memory that belongs to it. */
	if (room_messages(delivery_room(d->delivery)) > 0)
		return;
	delivery_free(d->delivery);
	readiness_free(d->readiness);
	loop_free(d->loop);
}

static void
change_mask(int how)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGHUP);
	sigaddset(&held, SIGUSR1);
	sigprocmask(how, &held, NULL);
}

void
daemon_hold_signals(void)
{
	change_mask(SIG_BLOCK);
}

static void
catch_signals(struct daemon *d)
{
	static const struct {
		int signo;
		loop_handler *handler;
	} signals[] = {
		{ SIGHUP, on_reload },
		{ SIGUSR1, on_poll_now },
		{ SIGTERM, on_stop },
		{ SIGINT, on_stop },
	};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		loop_on_signal(
		    d->loop, signals[i].signo, signals[i].handler, d);
	change_mask(SIG_UNBLOCK);
}

static void
run(struct daemon *d)
{
	d->stop_deadline = timer_new(d->loop, on_stop_deadline, d);
	d->expire = timer_new(d->loop, on_expire, d);
	d->progress = timer_new(d->loop, on_progress, d);
	d->watchdog = timer_new(d->loop, on_watchdog, d);
	d->turnstile = turnstile_new(d->loop);
	if (d->settings->mode != DAEMON_PROBE) {
		catch_signals(d);
		on_expire(d);
		on_progress(d);
	}
	apply_limits(d);
	apply_accounts(d);
	if (d->settings->mode == DAEMON_FOREVER)
		announce(d);
	loop_run(d->loop);
	timer_free(d->watchdog);
	timer_free(d->progress);
	timer_free(d->expire);
	timer_free(d->stop_deadline);
	while (d->mailboxes != NULL) {
		struct mailbox *m = d->mailboxes;

		d->mailboxes = m->next;
		mailbox_free(m);
	}
	turnstile_free(d->turnstile);
}

/* What may pass by itself is tried again by systemd, a wrong configuration
 * (78) is not. */
static int
state_status(enum error_kind kind)
{
	if (kind == ERROR_RETRY)
		return EX_TEMPFAIL;
	return kind == ERROR_LOCAL ? EX_OSERR : EX_CONFIG;
}

int
daemon_run(const struct daemon_settings *settings)
{
	struct daemon d = { .settings = settings, .config = settings->config };
	struct error err;

	d.loop = loop_new();
	if (settings->mode != DAEMON_PROBE && !open_state(&d, &err)) {
		log_error("%s", err.text);
		config_unref(d.config);
		return state_status(err.kind);
	}
	run(&d);
	close_state(&d);
	config_unref(d.config);
	if (settings->mode == DAEMON_FOREVER)
		log_info("stopped");
	return d.status;
}
