/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dialogue - one connection to a provider: gets the password or token, connects,
 * logs in, and drives the machine of the account's protocol over it.
 *
 * Owns the clocks: the silence of the server (account.timeout) while a reply is
 * due, and what each part may take in all, however busy the line is.  What to
 * ask of the server is its owner's decision (session, lookout, probe).
 *
 * A token that the server refuses is asked for once more, and used if it is
 * another one.
 */
#ifndef FETCHER_DIALOGUE_H
#define FETCHER_DIALOGUE_H

#include "fetcher/loop.h"
#include "fetcher/protocol.h"

struct alerts;
struct dialogue;
struct certificate_facts;

/* May call any function below, dialogue_free() included. */
struct dialogue_handlers {
	/* What the machine makes of the server's words: DO_LOGGED_IN,
	 * DO_FOLDER, DO_FOLDERS, DO_LISTED, DO_SIZED, DO_READY, DO_BODY,
	 * DO_REFUSED, DO_DISPOSED or DO_ARRIVED. */
	void (*said)(
	    void *arg, const struct protocol_action *, const struct error *);
	/* After DO_BODY, the message in pieces, then its end.  False ends the
	 * dialogue with this error. */
	bool (*piece)(void *arg, struct slice, struct error *);
	bool (*complete)(void *arg, struct error *);
	/* It is over; NULL: quit was answered.  Called once, never from within
	 * dialogue_open(). */
	void (*ended)(void *arg, const struct error *);
};

struct dialogue_settings {
	struct loop *loop;
	const struct account *account; /* must outlive the dialogue */
	bool smtputf8;                 /* Postfix takes such mail */
	bool look; /* no login: DO_LOGGED_IN where it would begin, then quit */
	bool without_capa; /* POP3: the server cannot bear CAPA */
	/* What the server has people told goes to the log; NULL: to nobody. */
	struct alerts *alerts;
	unsigned hurry; /* for tests: its clocks go so many times faster */
	const struct dialogue_handlers *handlers;
	void *arg;
};

struct dialogue *dialogue_open(const struct dialogue_settings *);
/* No handler runs any more; takes NULL. */
void dialogue_free(struct dialogue *);

const struct protocol *dialogue_protocol(const struct dialogue *);
const struct protocol_facts *dialogue_facts(const struct dialogue *);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384", or "clear text"; "" when it is over. */
const char *dialogue_cipher(const struct dialogue *);
/* The server's; false without TLS. */
bool dialogue_certificate(const struct dialogue *, struct certificate_facts *);

/* As in protocol.h: how many commands may be given now, and whether replies are
 * due. */
unsigned dialogue_room(const struct dialogue *);
bool dialogue_busy(const struct dialogue *);

/* When the connection is lost these do nothing: ended() is on its way. */
void dialogue_folders(struct dialogue *, const char *pattern);
void dialogue_enter(struct dialogue *, const char *folder);
void dialogue_refresh(struct dialogue *);
void dialogue_retrieve(struct dialogue *, uint32_t number);
void dialogue_dispose(struct dialogue *, uint32_t number);
void dialogue_noop(struct dialogue *);
void dialogue_idle(struct dialogue *);
void dialogue_rouse(struct dialogue *);
void dialogue_quit(struct dialogue *);

#endif
