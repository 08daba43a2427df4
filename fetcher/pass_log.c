/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pass_log.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static void
warn(const struct mailbox *m, const struct error *what)
{
	bool named = slice_starts(slice_of(what->text), SLICE("folder="));

	log_warning("account=%s%s%s", m->name, named ? " " : ": ", what->text);
}

static void
log_notice(struct mailbox *m, const struct error *notice)
{
	if (notice->text[0] != '\0' &&
	    strcmp(notice->text, m->notice.text) != 0)
		warn(m, notice);
	m->notice = *notice;
}

void
pass_log_result(struct mailbox *m, const struct pass_result *r)
{
	log_notice(m, &r->notice);
	if (r->end == PASS_FAILED)
		warn(m, &r->error);
	else if (r->end == PASS_HELD && !m->held)
		log_warning("account=%s: waiting: %s", m->name, r->error.text);
	else if (r->end != PASS_HELD && m->held)
		log_info("account=%s: going on", m->name);
	m->held = r->end == PASS_HELD;
	if (r->fetched + r->deleted > 0)
		log_info("account=%s: listed=%u fetched=%u injected=%u "
			 "duplicates=%u deleted=%u waiting=%u",
		    m->name, r->listed, r->fetched, r->injected, r->duplicates,
		    r->deleted, r->waiting);
}

void
pass_log_progress(struct mailbox *m)
{
	int64_t now_ms = clock_monotonic_ms();
	struct progress_figures figures;
	char text[PROGRESS_TEXT_MAX];

	if (m->session != NULL &&
	    progress_figures(&m->backlog, m->progress, now_ms, &figures) &&
	    progress_is_due(&m->backlog, now_ms))
		log_info(
		    "account=%s: %s", m->name, progress_text(&figures, text));
}
