/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/mem.h"
#include "fetcher/dialogue.h"
#include "fetcher/folders.h"

struct probe {
	const struct account *account;
	struct dialogue *dialogue;
	unsigned listed;
	uint64_t total_size;
	probe_handler *done;
	void *arg;
};

static void
report(const struct probe *p)
{
	const struct account *account = p->account;

	printf("%s: %s:%u: %s, logged in as %s: %u messages, %llu octets\n",
	    account->name, account->host, account->port,
	    dialogue_cipher(p->dialogue), account->user, p->listed,
	    (unsigned long long)p->total_size);
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
on_said(
    void *arg, const struct protocol_action *action, const struct error *err)
{
	struct probe *p = arg;

	(void)err;
	switch (action->todo) {
	case DO_LOGGED_IN:
		dialogue_enter(p->dialogue, folder_of(p->account));
		break;
	case DO_LISTED:
		p->listed++;
		p->total_size += action->size;
		break;
	case DO_SIZED:
		p->total_size += action->size;
		break;
	case DO_READY:
		report(p);
		dialogue_quit(p->dialogue);
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
	struct probe *p = arg;

	p->done(p->arg, err);
	dialogue_free(p->dialogue);
	free(p);
}

struct probe *
probe_start(struct loop *loop, const struct account *account,
    probe_handler *done, void *arg)
{
	static const struct dialogue_handlers handlers = { on_said, on_piece,
		on_complete, on_ended };
	struct probe *p = mem_new(sizeof(*p));

	p->account = account;
	p->done = done;
	p->arg = arg;
	p->dialogue = dialogue_open(&(struct dialogue_settings){
	    .loop = loop,
	    .account = account,
	    .handlers = &handlers,
	    .arg = p,
	});
	return p;
}

int
probe_status(enum error_kind kind)
{
	static const int statuses[] = {
		[ERROR_RETRY] = EX_UNAVAILABLE,
		[ERROR_REFUSED] = EX_UNAVAILABLE,
		[ERROR_LOGIN] = EX_NOPERM,
		[ERROR_TLS] = EX_PROTOCOL,
		[ERROR_PROTOCOL] = EX_PROTOCOL,
		[ERROR_CONFIG] = EX_CONFIG,
		[ERROR_LOCAL] = EX_TEMPFAIL,
	};

	return statuses[kind];
}
