/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imap_machine - what the parts of the IMAP client share.  imap reads responses
 * and hands them out, imap_command keeps the commands under way, imap_verdict
 * says what a refusal means, imap_login speaks until the login is done,
 * imap_folder about folders, imap_idle hears of changes in them, imap_message
 * speaks about messages; only they use this.
 */
#ifndef FETCHER_IMAP_MACHINE_H
#define FETCHER_IMAP_MACHINE_H

#include "base/buf.h"
#include "fetcher/imap.h"
#include "fetcher/imap_name.h"
#include "fetcher/imap_parse.h"
#include "fetcher/sasl.h"

enum {
	IMAP_COMMAND_MAX = SASL_RESPONSE_MAX + 4096,
	/* No server has more to tell between two replies. */
	IMAP_UNTAGGED_MAX = PROTOCOL_MESSAGES_MAX + 10000,
	IMAP_QUOTED_MAX = 8 * IMAP_NAME_MAX, /* a folder's name on the wire */
	/* Two for each message; CREATE for them; LIST. */
	IMAP_QUEUE = 2 * IMAP_WINDOW + 2,
};

enum imap_phase {
	GREETING,
	HANDSHAKE,
	LOGGING_IN,
	NO_FOLDER,
	LISTING,
	READY,
	IDLING,
	LEAVING,
};

/* The commands whose replies are told apart. */
enum imap_kind {
	CAPABILITY,
	STARTTLS,
	LOGIN,
	AUTHENTICATE,
	ID,
	LIST,
	SELECT,
	FETCH_ALL,
	NEWS,
	FETCH_NEW,
	NOOP,
	IDLE,
	FETCH,
	MARK,
	EXPUNGE,
	EXPUNGE_NOTHING, /* MARK was refused */
	FLAG,
	COPY,
	MOVE,
	EXPUNGE_MARKED,
	IGNORED, /* its reply has nothing to tell */
	LOGOUT,
};

struct imap_command {
	uint32_t tag, number;
	enum imap_kind kind;
	bool answered; /* FETCH: the message has come */
	bool again;    /* COPY, MOVE: for the second time */
};

enum imap_reading { LINES, LITERAL, MESSAGE, MESSAGE_TAIL };

struct imap {
	const struct protocol_login *login;
	struct protocol_facts facts;
	enum imap_phase phase;
	bool secured, preauth, logged_in;
	bool capabilities; /* are known, as of now */
	bool utf8_names;   /* RFC 9051 without 3501 */
	bool literal_minus, special_use, list_extended;
	bool identified;
	uint32_t folders;

	struct imap_command queue[IMAP_QUEUE];
	unsigned queued;
	unsigned calls; /* about messages, whose last reply is due */
	uint32_t tag;
	struct buf command; /* what is being sent */
	size_t sent;        /* of it */
	size_t stops[2];    /* where the server must first say "+" */
	unsigned n_stops;
	bool secret_sent; /* from here in `command`: */
	size_t secret_at;
	struct sasl_credentials credentials;
	struct sasl sasl;

	enum imap_reading reading;
	struct buf response; /* one with literals, or a message's tail */
	bool dispatched;     /* and it is no longer needed */
	uint32_t untagged;   /* responses since the last tagged one */
	uint64_t literal;    /* bytes that are still to come */
	bool cr;             /* one is held back */
	struct imap_fetch fetch;
	uint32_t message; /* the UID of the one that is coming */

	bool exists_known, uids_stay, keyword_lost;
	uint32_t exists;
	uint64_t uidvalidity; /* 32 bits, in theory */
	uint32_t next, due;   /* FETCH_ALL: sequence numbers */
	uint32_t last_uid;    /* the highest one listed */
	bool marked;          /* something awaits EXPUNGE */
	bool created;         /* the folder of `dispose`, or it was tried */
	bool idle_taken, roused, arrived;
	struct buf name; /* of DO_FOLDER */
	char uid[32];    /* of DO_LISTED */
};

typedef struct protocol_action imap_reply(struct imap *,
    const struct imap_command *, const struct imap_status *, struct error *);
typedef struct protocol_action
imap_continuation(struct imap *, struct slice, struct error *);
/* Untagged data: `number` in front of its name, `rest` after it. */
typedef struct protocol_action
imap_data(struct imap *, uint32_t number, struct slice rest, struct error *);

/* Functions that take the machine as void * are as in protocol.h. */

/* In imap.c */
extern const struct protocol_action imap_failed, imap_wait, imap_ready;
/* Of the reply awaited; of a command's. */
const char *imap_state_name(const void *);
const char *imap_kind_name(enum imap_kind);
/* The response is not what the protocol allows here: DO_FAIL. */
struct protocol_action imap_broken(struct imap *, struct slice, struct error *);

/* In imap_command.c */
/* Puts a command into the queue and its tag into the text that imap_send()
 * sends; the caller adds words and CRLF. */
struct buf *imap_begin(struct imap *, enum imap_kind, uint32_t number);
/* As imap_begin(), with the words and CRLF. */
void imap_give(struct imap *, enum imap_kind, uint32_t number, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
struct protocol_action imap_send(struct imap *);
/* A line that is no command, at once. */
struct protocol_action imap_say(struct imap *, struct slice);
/* The oldest command of that kind about `number` (0: any) that is not answered,
 * or NULL. */
struct imap_command *imap_find(struct imap *, enum imap_kind, uint32_t number);
/* Takes the command with this tag out of the queue; false: none. */
bool imap_take(struct imap *, uint32_t tag, struct imap_command *);

/* In imap_verdict.c */
/* Fills *err with the server's words; the kind is the given one unless its code
 * or its words say better.  True when not only this request is concerned, but
 * the whole session. */
bool imap_explain(struct imap *, const char *at, const struct imap_status *,
    enum error_kind, struct error *);
/* As imap_explain(), and DO_FAIL. */
struct protocol_action imap_refused(struct imap *, const char *at,
    const struct imap_status *, enum error_kind, struct error *);
/* Keeps what people must be told, unless an error will say it, or anybody on the
 * way could have (RFC 9051 11.3). */
void imap_note_alert(struct imap *, const struct imap_status *, bool refused);
/* The line, or what may be shown of it: some servers quote the line that they
 * did not understand, password and all. */
struct slice imap_showable(const struct imap *, struct slice);

/* In imap_login.c */
imap_reply imap_on_capability_reply, imap_on_starttls, imap_on_login,
    imap_on_authenticate, imap_on_id;
imap_continuation imap_on_login_literal, imap_on_challenge;
struct protocol_action
imap_on_greeting(struct imap *, const struct imap_status *, struct error *);
/* The account wants STARTTLS, and that was not done yet. */
bool imap_needs_tls(const struct imap *);
struct protocol_action imap_secured(void *, struct error *);
imap_data imap_on_capability;
void imap_note_capabilities(struct imap *, struct slice);

/* In imap_folder.c */
/* Adds the name in quotes, as the server knows it; false when it is none. */
bool imap_add_folder(
    const struct imap *, struct buf *, const char *name, struct error *);
imap_reply imap_on_list_reply, imap_on_select, imap_on_fetch_all, imap_on_news,
    imap_on_fetch_new, imap_on_noop, imap_on_expunge_marked, imap_on_logout;
imap_data imap_on_list;
struct protocol_action
imap_listed(struct imap *, uint32_t sequence, struct error *);
struct protocol_action imap_folders(void *, const char *, struct error *);
struct protocol_action imap_open(void *, const char *, struct error *);
struct protocol_action imap_refresh(void *, struct error *);
struct protocol_action imap_noop(void *, struct error *);
struct protocol_action imap_quit(void *, struct error *);

/* In imap_idle.c */
imap_data imap_on_exists, imap_on_recent, imap_on_expunged;
imap_reply imap_on_idle;
imap_continuation imap_on_idle_taken;
struct protocol_action imap_idle(void *, struct error *);
struct protocol_action imap_rouse(void *, struct error *);

/* In imap_message.c */
imap_reply imap_on_fetch_reply, imap_on_mark, imap_on_disposed, imap_on_copy,
    imap_on_move, imap_on_expunge, imap_on_expunge_nothing, imap_on_ignored;
imap_data imap_on_fetch;
/* The text ends where a message begins, of `size` bytes. */
struct protocol_action
imap_begin_message(struct imap *, struct slice, uint64_t size, struct error *);
bool
imap_body(void *, struct slice in, size_t *used, uint8_t *out, size_t *out_len);
struct protocol_action imap_body_done(void *, struct error *);
struct protocol_action imap_retrieve(void *, uint32_t, struct error *);
struct protocol_action imap_dispose(void *, uint32_t, struct error *);

#endif
