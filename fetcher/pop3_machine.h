/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pop3_machine - what the parts of the POP3 client share: the states and the
 * steps between them.  pop3_capabilities speaks first, then pop3_login, and
 * pop3_mailbox when the login is done; only they and pop3 use this.
 */
#ifndef FETCHER_POP3_MACHINE_H
#define FETCHER_POP3_MACHINE_H

#include "fetcher/pop3.h"
#include "fetcher/sasl.h"

/* Each state is named after the reply it waits for. */
enum pop3_state {
	GREETING,
	CAPA,
	CAPA_LIST,
	STLS,
	HANDSHAKE,
	UTF8,
	AUTH,
	USER,
	PASS,
	LOGGED_IN,
	STAT,
	UIDL,
	UIDL_LIST,
	LIST,
	LIST_LIST,
	READY,
	RETR,
	BODY,
	DELE,
	NOOP,
	QUIT,
	CLOSED,
};

/* What is said to log in. */
struct pop3_exchange {
	struct sasl_credentials credentials;
	struct sasl sasl;
	struct buf out; /* the line just sent */
};

typedef struct protocol_action
pop3_handler(struct pop3 *, struct slice line, struct error *);

/* Functions that take the machine as void * are as in protocol.h. */

/* In pop3_capabilities.c */
pop3_handler pop3_on_greeting, pop3_on_capa, pop3_on_capa_list, pop3_on_stls,
    pop3_on_utf8;
struct protocol_action pop3_secured(void *m, struct error *);

/* In pop3_login.c */
/* With what was chosen of what the server offers; ERROR_CONFIG: nothing fits. */
struct protocol_action pop3_log_in(struct pop3 *, struct error *);
pop3_handler pop3_on_auth, pop3_on_user, pop3_on_pass;
/* Wipes and frees what the login needed. */
void pop3_end_login(struct pop3 *);
/* Whether the line repeats what must not be told. */
bool pop3_quotes_secret(const struct pop3 *, struct slice line);

/* In pop3_mailbox.c */
pop3_handler pop3_on_stat, pop3_on_uidl, pop3_on_uidl_list, pop3_on_list,
    pop3_on_list_list, pop3_on_retr, pop3_on_dele, pop3_on_noop, pop3_on_quit;
struct protocol_action pop3_open(void *m, const char *folder, struct error *);
struct protocol_action pop3_retrieve(void *m, uint32_t number, struct error *);
struct protocol_action pop3_dispose(void *m, uint32_t number, struct error *);
struct protocol_action pop3_noop(void *m, struct error *);
struct protocol_action pop3_quit(void *m, struct error *);
struct protocol_action pop3_body_done(void *m, struct error *);

/* In pop3.c */
extern const struct protocol_action pop3_failed;

const char *pop3_state_name(const void *m);
unsigned pop3_room(const void *m);

bool pop3_is_ok(struct slice line);
bool pop3_is_refusal(struct slice line);
bool pop3_is_list_end(struct slice line);

struct protocol_action pop3_enter(struct pop3 *, int state, enum protocol_do);
/* Sends a command of the login; its reply is the next thing to come. */
struct protocol_action pop3_ask(struct pop3 *, int next, const char *command);
/* The reply to a command that is sent now will be due, after the others. */
void pop3_expect(struct pop3 *, int state, uint32_t number);
/* The reply that was due came, all of it: on to the next. */
struct protocol_action pop3_answered(struct pop3 *, enum protocol_do);
/* The reply is not what the protocol allows here: DO_FAIL. */
struct protocol_action pop3_broken(struct pop3 *, struct slice, struct error *);
/* The server said no, in its own words: DO_FAIL, with `kind` unless a
 * response code, or else the words, know better. */
struct protocol_action
pop3_refused(struct pop3 *, enum error_kind, struct slice, struct error *);

#endif
