/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/lookout.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetcher/dialogue.h"
#include "fetcher/schedule.h"

enum { NAME_SHOWN = 256 };

struct lookout {
	struct lookouts *all;
	size_t folder;
	struct turn *turn;         /* of this connection, or of none yet */
	struct dialogue *dialogue; /* NULL between connections */
	struct timer *again;       /* connect, or renew */
	struct schedule schedule;
	bool idling;
	bool heard; /* to be told once it idles */
	bool stale; /* until it is listed the server's news are no news */
	bool warned;
};

struct lookouts {
	struct lookout_settings settings;
	const struct folders *folders;
	struct lookout *lookout; /* of folders 1, 2, … */
	size_t n;
};

static const char *
name_of(const struct lookout *w)
{
	return w->all->folders->names[w->folder];
}

static void on_yield(void *arg);

static void
idle(struct lookout *w)
{
	w->idling = true;
	turn_rest(w->turn, on_yield, w);
	timer_start(w->again, w->all->settings.account->idle_renew_ms);
	dialogue_idle(w->dialogue);
	if (!w->heard)
		return;
	w->heard = false;
	w->all->settings.heard(w->all->settings.arg, w->folder);
}

static void
rouse(struct lookout *w)
{
	if (!w->idling)
		return;
	w->idling = false;
	dialogue_rouse(w->dialogue);
}

static void
warn(struct lookout *w, const struct error *err)
{
	char name[NAME_SHOWN];

	if (!w->warned)
		log_warning("account=%s folder=\"%s\": cannot be listened to, "
			    "and is only looked at from time to time: %s",
		    w->all->settings.account->name,
		    log_quotable(name, sizeof(name), slice_of(name_of(w))),
		    err->text);
	w->warned = true;
}

static void
give_up(struct lookout *w, const struct error *err)
{
	const struct account *account = w->all->settings.account;
	struct schedule_pass failed = { .end = PASS_FAILED,
		.error = err,
		.every_ms = account->idle_renew_ms };
	int64_t pause;

	dialogue_free(w->dialogue);
	w->dialogue = NULL;
	turn_leave(w->turn);
	w->turn = NULL;
	w->idling = false;
	warn(w, err);
	digest_random(&failed.random, sizeof(failed.random));
	pause = schedule_next(&w->schedule, &failed).ms;
	timer_start(w->again,
	    pause > account->idle_renew_ms ? pause : account->idle_renew_ms);
}

static void
name_limit(struct error *err)
{
	error_set(err, ERROR_RETRY,
	    "fetcher.connections or connections_per_host allows no more "
	    "connections");
}

/* Somebody else needs the connection. */
static void
on_yield(void *arg)
{
	struct error err;

	name_limit(&err);
	give_up(arg, &err);
}

static void
go_on(struct lookout *w)
{
	/* The server has ended IDLE by itself: saying it again at once could
	 * go round and round. */
	if (w->idling)
		return;
	if (!w->stale) {
		idle(w);
		return;
	}
	w->stale = false;
	dialogue_refresh(w->dialogue);
}

static void
on_said(
    void *arg, const struct protocol_action *action, const struct error *err)
{
	struct lookout *w = arg;

	switch (action->todo) {
	case DO_LOGGED_IN:
		w->heard = true;
		w->stale = false;
		w->schedule = (struct schedule){ .failures = { 0 } };
		dialogue_enter(w->dialogue, name_of(w));
		break;
	case DO_READY:
		w->warned = false;
		go_on(w);
		break;
	case DO_ARRIVED:
		w->heard = w->stale = true;
		rouse(w);
		break;
	case DO_REFUSED:
		give_up(w, err);
		break;
	default:
		break;
	}
}

static bool
on_piece(void *arg, struct slice bytes, struct error *err)
{
	(void)arg;
	(void)bytes;
	return error_set(err, ERROR_PROTOCOL, "a message came unasked");
}

static bool
on_complete(void *arg, struct error *err)
{
	return on_piece(arg, SLICE(""), err);
}

static void
on_ended(void *arg, const struct error *err)
{
	struct lookout *w = arg;
	struct error closed;

	error_set(&closed, ERROR_RETRY, "the server ended the connection");
	give_up(w, err != NULL ? err : &closed);
}

static void
on_turn(void *arg)
{
	static const struct dialogue_handlers handlers = { on_said, on_piece,
		on_complete, on_ended };
	struct lookout *w = arg;

	timer_stop(w->again);
	w->dialogue = dialogue_open(&(struct dialogue_settings){
	    .loop = w->all->settings.loop,
	    .account = w->all->settings.account,
	    .alerts = w->all->settings.alerts,
	    .handlers = &handlers,
	    .arg = w,
	});
}

static void
on_again(void *arg)
{
	struct lookout *w = arg;
	struct error err;

	if (w->dialogue != NULL) {
		rouse(w);
		return;
	}
	if (w->turn != NULL) {
		name_limit(&err);
		warn(w, &err);
		return;
	}
	w->turn = turn_another(w->all->settings.turn, on_turn, w);
	timer_start(w->again, w->all->settings.account->idle_renew_ms);
}

struct lookouts *
lookouts_start(
    const struct lookout_settings *settings, const struct folders *folders)
{
	struct lookouts *all = mem_new(sizeof(*all));

	all->settings = *settings;
	all->folders = folders;
	all->n = folders->n - 1;
	all->lookout = mem_new_array(all->n, sizeof(*all->lookout));
	for (size_t i = 0; i < all->n; i++) {
		struct lookout *w = &all->lookout[i];

		*w = (struct lookout){ .all = all, .folder = i + 1 };
		w->again = timer_new(settings->loop, on_again, w);
		timer_start(w->again, 0);
	}
	return all;
}

void
lookouts_free(struct lookouts *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < all->n; i++) {
		dialogue_free(all->lookout[i].dialogue);
		turn_leave(all->lookout[i].turn);
		timer_free(all->lookout[i].again);
	}
	free(all->lookout);
	free(all);
}
