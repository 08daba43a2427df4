/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/daemon.h"

#include <signal.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/readable.h"
#include "fetcher/accounts.h"
#include "fetcher/conn.h"
#include "fetcher/delivery.h"
#include "fetcher/operator.h"
#include "fetcher/readiness.h"
#include "fetcher/storage.h"
#include "state/lock.h"
#include "state/ticket_key.h"

enum {
	/* Those in Postfix's hands are waited for this long at the end. */
	STOP_MS = 30 * 1000,
	EXPIRE_EVERY_MS = 10 * 60 * 1000,
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
	struct accounts *accounts;
	struct operator* operator;
	struct timer *stop_deadline, *expire, *progress, *watchdog;
	bool stopping;
};

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
	accounts_apply(d->accounts, d->config);
	log_info("configuration reloaded: %zu account%s", config->n_accounts,
	    readable_plural(config->n_accounts));
}

static void
on_poll_now(void *arg)
{
	struct daemon *d = arg;

	accounts_poll_now(d->accounts);
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
	accounts_stop(d->accounts);
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

	accounts_log_progress(d->accounts);
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
	    readable_plural(d->config->n_accounts));
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
	return true;
}

static bool
open_control(struct daemon *d, struct error *err)
{
	d->operator=
	    operator_start(&(struct operator_view){ .loop = d->loop,
			       .storage = d->storage,
			       .room = delivery_room(d->delivery),
			       .config = &d->config,
			       .mailboxes = accounts_mailboxes(d->accounts),
			       .begun_ms = clock_monotonic_ms() },
		err);
	return d->operator!= NULL;
}

static bool
open_accounts(struct daemon *d, struct error *err)
{
	if (d->settings->mode != DAEMON_PROBE && !open_state(d, err))
		return false;
	d->accounts =
	    accounts_new(&(struct accounts_settings){ .mode = d->settings->mode,
		.only = d->settings->only,
		.probe = d->settings->probe,
		.loop = d->loop,
		.storage = d->storage,
		.readiness = d->readiness,
		.delivery = d->delivery,
		.keys = &d->keys });
	return d->settings->mode != DAEMON_FOREVER || open_control(d, err);
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
	if (d->settings->mode != DAEMON_PROBE) {
		catch_signals(d);
		on_expire(d);
		on_progress(d);
	}
	accounts_apply(d->accounts, d->config);
	if (d->settings->mode == DAEMON_FOREVER)
		announce(d);
	loop_run(d->loop);
	timer_free(d->watchdog);
	timer_free(d->progress);
	timer_free(d->expire);
	timer_free(d->stop_deadline);
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
	int status;

	d.loop = loop_new();
	if (!open_accounts(&d, &err)) {
		log_error("%s", err.text);
		config_unref(d.config);
		return state_status(err.kind);
	}
	run(&d);
	status = accounts_close(d.accounts);
	close_state(&d);
	config_unref(d.config);
	if (settings->mode == DAEMON_FOREVER)
		log_info("stopped");
	return status;
}
