/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that says anything.  The first byte chooses the account; then one
 * line of the input after the other goes to the machine, or as bytes to body()
 * while that wants some.  A line that begins with ">" is not the server's: its
 * second byte chooses what the driver does next, if that is allowed.
 *
 * Whatever is sent must be whole lines, no more commands may be under way than
 * room() says, and each call about a message must be answered once.
 */
#include "base/mem.h"
#include "base/slice.h"
#include "fetcher/imap.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct run {
	void *m;
	bool logged_in, folder, idling, over, in_body;
	unsigned calls; /* about messages, not answered */
	uint32_t last;  /* UID listed */
};

static void
check_sent(struct slice text)
{
	if (text.len < 2 || text.data[text.len - 1] != '\n' ||
	    text.data[text.len - 2] != '\r')
		abort();
}

static void
check_answered(struct run *r, uint32_t number)
{
	if (number == 0)
		return;
	if (r->calls == 0)
		abort();
	r->calls--;
}

static void
check_listed(struct run *r, const struct protocol_action *action)
{
	if (action->number <= r->last || action->text.len < 3 ||
	    action->text.len > PROTOCOL_UID_MAX)
		abort();
	r->last = action->number;
}

static void
act(struct run *r, struct protocol_action action)
{
	struct error err;

	switch (action.todo) {
	case DO_SEND:
		check_sent(action.text);
		break;
	case DO_START_TLS:
		act(r, imap_protocol.secured(r->m, &err));
		break;
	case DO_LOGGED_IN:
		r->logged_in = true;
		break;
	case DO_LISTED:
		check_listed(r, &action);
		break;
	case DO_READY:
		r->folder = true;
		r->idling = false;
		break;
	case DO_BODY:
		r->in_body = true;
		if (action.number != 0)
			check_answered(r, action.number);
		break;
	case DO_REFUSED:
		r->idling = false;
		check_answered(r, action.number);
		break;
	case DO_DISPOSED:
		check_answered(r, action.number);
		break;
	case DO_CLOSE:
	case DO_FAIL:
		r->over = true;
		break;
	default:
		break;
	}
}

static void
call_about_message(struct run *r, uint8_t choice)
{
	struct error err;

	if (imap_protocol.room(r->m) == 0)
		return;
	if (choice % 3 == 2) {
		act(r, imap_protocol.noop(r->m, &err));
		return;
	}
	r->calls++;
	act(r, choice % 3 == 0
		   ? imap_protocol.retrieve(r->m, 1 + choice / 3, &err)
		   : imap_protocol.dispose(r->m, 1 + choice / 3, &err));
}

static void
call_about_folder(struct run *r, uint8_t choice)
{
	struct error err;

	if (imap_protocol.busy(r->m))
		return;
	switch (choice % 5) {
	case 0:
		r->last = 0;
		r->folder = false;
		act(r, imap_protocol.open(r->m, "INBOX", &err));
		break;
	case 1:
		act(r, imap_protocol.folders(r->m, "*", &err));
		break;
	case 2:
		if (r->folder)
			act(r, imap_protocol.refresh(r->m, &err));
		break;
	case 3:
		r->idling = r->folder;
		if (r->folder)
			act(r, imap_protocol.idle(r->m, &err));
		break;
	default:
		act(r, imap_protocol.quit(r->m, &err));
		break;
	}
}

static void
driver(struct run *r, struct slice line)
{
	uint8_t choice = line.len > 1 ? line.data[1] : 0;
	struct error err;

	if (!r->logged_in)
		return;
	if (r->idling)
		act(r, imap_protocol.rouse(r->m, &err));
	else if (choice >= 'a' && choice <= 'z')
		call_about_folder(r, choice);
	else
		call_about_message(r, choice);
}

static void
take_body(struct run *r, struct slice *in)
{
	struct slice part = slice_first(*in, 7);
	uint8_t out[7 + 4];
	size_t used, len;
	struct error err;
	bool done = imap_protocol.body(r->m, part, &used, out, &len);

	if (used > part.len || len > part.len + 4 ||
	    (!done && used != part.len))
		abort();
	*in = slice_from(*in, used);
	if (!done)
		return;
	r->in_body = false;
	act(r, imap_protocol.body_done(r->m, &err));
}

static void
choose(struct account *account, uint8_t choice)
{
	static const struct disposal disposals[] = {
		{ DISPOSE_DELETE, NULL },
		{ DISPOSE_MOVE, "Done" },
		{ DISPOSE_FLAG, "$Done" },
	};

	*account = (struct account){ .user = "joe",
		.host = "localhost",
		.port = 143,
		.protocol = choice % 2 == 0 ? PROTOCOL_IMAP : PROTOCOL_IMAPS,
		.full_expunge = choice / 2 % 2 == 0,
		.dispose = disposals[choice / 4 % 3] };
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { data, size }, line;
	struct account account;
	struct protocol_login login = { .account = &account,
		.secret = SLICE("hunter\xc3\xa4") };
	struct run r = { .m = mem_new(imap_protocol.size) };
	struct error err;

	choose(&account, size > 0 ? data[0] : 0);
	in = slice_from(in, 1);
	imap_protocol.init(r.m, &login);
	while (!r.over && in.len > 0) {
		if (r.in_body)
			take_body(&r, &in);
		else if (slice_cut_line(&in, &line) &&
			 slice_starts(line, SLICE(">")))
			driver(&r, line);
		else
			act(&r, imap_protocol.line(r.m, line, &err));
	}
	imap_protocol.clear(r.m);
	free(r.m);
	return 0;
}
