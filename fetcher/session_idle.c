/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/session_stage.h"

#include "base/clock.h"
#include "fetcher/readiness.h"
#include "fetcher/trim.h"

bool
session_wants_to_idle(const struct session *s)
{
	return s->settings.may_idle && s->settings.account->idle &&
	       !s->stopped && !s->refused && s->stage == STAGE_WORKING &&
	       s->pass.result.end != PASS_FAILED &&
	       dialogue_facts(s->dialogue)->idle &&
	       dialogue_protocol(s->dialogue)->idle != NULL;
}

/* A lookout heard of mail in its folder. */
static void
on_heard(void *arg, size_t folder)
{
	struct session *s = arg;

	s->folders.due[folder] = true;
	session_begin_pass(s);
}

static void
start_lookouts(struct session *s)
{
	if (s->lookouts == NULL && s->folders.n > 1)
		s->lookouts = lookouts_start(
		    &(struct lookout_settings){ .loop = s->settings.loop,
			.account = s->settings.account,
			.turn = s->settings.turn,
			.alerts = s->settings.alerts,
			.heard = on_heard,
			.arg = s },
		    &s->folders);
}

static void
tell(struct session *s)
{
	struct pass_result result = s->pass.result;

	pass_restart(&s->pass);
	s->settings.done(s->settings.arg, &result, true);
}

/* Passes over some folders in between do not put it off. */
static void
look_again_in(struct session *s, int64_t ms)
{
	int64_t now_ms = clock_monotonic_ms();

	if (now_ms + ms < s->again_ms)
		s->again_ms = now_ms + ms;
	timer_start(s->again, s->again_ms > now_ms ? s->again_ms - now_ms : 0);
}

void
session_idle(struct session *s)
{
	const struct account *account = s->settings.account;
	bool news;

	s->stage = STAGE_IDLE;
	s->only_new =
	    s->pass.result.end == PASS_DONE && s->pass.result.waiting == 0;
	timer_stop(s->noop);
	look_again_in(
	    s, schedule_idle(s->pass.result.end, s->pass.result.waiting > 0,
		   account->every_ms, account->idle_renew_ms));
	start_lookouts(s);
	trim_soon(s->settings.loop);
	news = dialogue_facts(s->dialogue)->news ||
	       folders_others_due(&s->folders);
	dialogue_idle(s->dialogue);
	s->folders.due[0] = true;
	tell(s);
	if (news)
		session_begin_pass(s);
}

/* Some servers do so after a while.  Saying it again at once could go round
 * and round. */
void
session_idle_ended(struct session *s)
{
	const struct account *account = s->settings.account;

	if (!s->asking)
		look_again_in(
		    s, schedule_idle(PASS_DONE, true, account->every_ms,
			   account->idle_renew_ms));
}

/* A pass that is about to begin is the last one. */
void
session_idle_refused(struct session *s, const struct error *err)
{
	s->refused = true;
	pass_notice(&s->pass, err);
	if (!s->asking)
		session_quit(s);
}

static void
on_readiness(void *arg, bool ready, const struct error *reason)
{
	struct session *s = arg;

	s->asking = false;
	if (s->stage == STAGE_OVER) {
		timer_start(s->soon, 0);
	} else if (ready) {
		session_refresh_keys(s);
		s->stage = STAGE_ROUSED;
		dialogue_rouse(s->dialogue);
	} else {
		pass_stop(&s->pass, PASS_HELD, reason);
		s->only_new = false;
		timer_start(s->again, schedule_idle(PASS_HELD, false, 0, 0));
		tell(s);
	}
}

static void
on_turn(void *arg)
{
	struct session *s = arg;

	if (s->stage != STAGE_OVER)
		readiness_ask(s->settings.readiness, on_readiness, s);
}

void
session_begin_pass(struct session *s)
{
	if (s->stage != STAGE_IDLE || s->asking)
		return;
	timer_stop(s->again);
	s->asking = true;
	turn_resume(s->settings.turn, on_turn, s);
}

void
session_on_again(void *arg)
{
	struct session *s = arg;

	s->only_new = false;
	s->again_ms = INT64_MAX;
	folders_all_due(&s->folders);
	session_begin_pass(s);
}

bool
session_idles(const struct session *s)
{
	return s->stage == STAGE_IDLE && !s->asking;
}

void
session_poll(struct session *s)
{
	if (session_idles(s))
		session_on_again(s);
}
