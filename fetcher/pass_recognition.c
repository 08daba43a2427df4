/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pass_flight.h"

#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/digest.h"
#include "fetcher/comparison.h"
#include "fetcher/delivery_log.h"
#include "fetcher/plan.h"

/* It is one that the state knows: what is to become of it now? */
static void
decide(struct flight *f)
{
	struct pass *p = f->pass;
	struct listed *entry = pass_flight_entry(f);

	entry->row = f->message.row = f->known;
	/* Its content says that it is the same, whatever LIST says. */
	entry->row.size = entry->size;
	switch (plan_message(p->settings->account, &entry->row, entry->size,
	    pass_size_limit(p), clock_wall_ms())) {
	case PLAN_FETCH:
		pass_deliver(f);
		return;
	case PLAN_DELETE:
		delivery_log_recognised(&f->message, f->known.status);
		pass_plan_disposal(p, entry->number);
		break;
	case PLAN_WAIT:
		p->result.waiting++;
		p->asked -= entry->by_content;
		break;
	case PLAN_OVERSIZE:
	case PLAN_KEEP:
		if (!entry->by_content)
			delivery_log_recognised(&f->message, f->known.status);
		/* Else it comes with each pass and would use up its limit. */
		p->asked -= entry->by_content;
		break;
	}
	pass_land(f);
}

static void
on_recognised(void *arg, bool ok, const struct error *err)
{
	struct flight *f = arg;
	struct pass *p = f->pass;

	CRASH_POINT("recognised");
	p->recognising--;
	if (!ok) {
		readiness_fault(p->settings->readiness, err);
		pass_stop(p, PASS_HELD, err);
		pass_land(f);
	} else if (f->known.status == SEEN_NEW) {
		pass_deliver(f);
	} else {
		decide(f);
	}
}

static void
ask(struct flight *f)
{
	struct pass *p = f->pass;

	p->recognising++;
	storage_recognise(p->settings->storage,
	    &(struct storage_arrival){ .mailbox = p->mailbox,
		.uid = f->message.uid,
		.size = f->message.size,
		.content = f->message.content,
		.row = &f->known },
	    on_recognised, f);
}

/* Is a message of the same content on its way? */
static bool
has_twin(const struct flight *f)
{
	for (const struct flight *other = f->pass->flights; other != NULL;
	     other = other->next)
		if (other != f && other->message.content != NULL &&
		    memcmp(other->message.content, f->message.content,
			SEEN_CONTENT_SIZE) == 0)
			return true;
	return false;
}

/* Now that the content is here, it names the message. */
static void
identify(struct flight *f)
{
	char uid[IDENTITY_SIZE] = IDENTITY_PREFIX;
	struct pass *p = f->pass;

	hex_write((struct slice){ f->message.content, SEEN_CONTENT_SIZE },
	    uid + sizeof(IDENTITY_PREFIX) - 1);
	listing_name(&p->listing, pass_flight_entry(f), slice_of(uid));
	f->message.uid = listing_uid(&p->listing, pass_flight_entry(f));
	p->unidentified--;
}

static bool
may_be_known(const struct flight *f)
{
	const struct listed *entry = pass_flight_entry(f);

	return entry->by_content || entry->row.status == SEEN_INJECTED ||
	       entry->row.status == SEEN_DUPLICATE ||
	       listing_may_know(&f->pass->listing, f->message.content);
}

void
pass_recognise(struct flight *f)
{
	struct pass *p = f->pass;

	if (pass_flight_entry(f)->by_content)
		identify(f);
	if (pass_flight_entry(f)->by_content && has_twin(f)) {
		/* Once that is recorded, this one is known. */
		if (p->result.end == PASS_DONE)
			p->result.end = PASS_MORE;
		pass_release(f);
	} else if (may_be_known(f)) {
		ask(f);
	} else {
		pass_deliver(f);
	}
}
