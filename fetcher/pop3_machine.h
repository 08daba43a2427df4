/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pop3_machine - what the halves of the POP3 client share: the states and the
 * steps between them.  pop3_login speaks until the login is done, pop3_mailbox
 * after it; only they and pop3 use this.
 */
#ifndef FETCHER_POP3_MACHINE_H
#define FETCHER_POP3_MACHINE_H

#include "fetcher/pop3.h"

/* Each state is named after the reply it waits for. */
enum pop3_state {
	GREETING,
	CAPA,
	CAPA_LIST,
	STLS,
	HANDSHAKE,
	AUTH,
	AUTH_RESPONSE,
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
};

typedef struct protocol_action
pop3_handler(struct pop3 *, struct slice line, struct error *);

/* In pop3_login.c */
pop3_handler pop3_on_greeting, pop3_on_capa, pop3_on_capa_list, pop3_on_stls,
    pop3_on_auth, pop3_on_user, pop3_on_login;
/* In pop3_mailbox.c */
pop3_handler pop3_on_stat, pop3_on_uidl, pop3_on_uidl_list, pop3_on_list,
    pop3_on_list_list, pop3_on_retr, pop3_on_dele, pop3_on_noop, pop3_on_quit;

/* Of pop3_protocol; in pop3.c, the login in pop3_login.c, and the rest in pop3_mailbox.c */
const char *pop3_state_name(const void *m);
struct protocol_action pop3_secured(void *m, struct error *);
struct protocol_action pop3_open(void *m, const char *folder, struct error *);
struct protocol_action pop3_retrieve(void *m, uint32_t number, struct error *);
struct protocol_action pop3_dispose(void *m, uint32_t number, struct error *);
struct protocol_action pop3_noop(void *m, struct error *);
struct protocol_action pop3_quit(void *m, struct error *);
struct protocol_action pop3_body_done(void *m, struct error *);

extern const struct protocol_action pop3_failed;

bool pop3_is_ok(struct slice line);
bool pop3_is_refusal(struct slice line);
bool pop3_is_list_end(struct slice line);

struct protocol_action pop3_enter(struct pop3 *, int state, enum protocol_do);
/* Sends a command and awaits its reply; it must fit and be one line. */
struct protocol_action pop3_command(struct pop3 *, int next, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
/* The reply is not what the protocol allows here: DO_FAIL. */
struct protocol_action pop3_broken(struct pop3 *, struct slice, struct error *);
/* The server said no, in its own words: DO_FAIL, with `kind` unless a
 * response code knows better. */
struct protocol_action
pop3_refused(struct pop3 *, enum error_kind, struct slice, struct error *);

#endif
