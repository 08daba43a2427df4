/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protocol - what the machine of a mailbox protocol (pop3, imap) and its driver
 * (dialogue) say to each other.
 *
 * A machine is pure: no socket, no clock, no allocation beyond what its header
 * says.  The driver feeds it one line of the server at a time and does what the
 * returned action says.  Which messages to fetch, and when one is safe enough
 * to be disposed of, is never the machine's decision.
 *
 * Order: greeting, capabilities, [TLS, capabilities], login, DO_LOGGED_IN; then
 * the driver opens a folder and is told what is in it, up to DO_READY.  From
 * then on it may give a command whenever room() is not 0: the machine holds the
 * commands whose replies are due, in their order, so several may be under way.
 *
 * TLS that is refused or not offered where the account requires it ends the
 * session: there is no falling back to clear text.  A refused login is never
 * tried another way, since providers lock accounts.
 */
#ifndef FETCHER_PROTOCOL_H
#define FETCHER_PROTOCOL_H

#include "base/error.h"
#include "base/slice.h"
#include "config/config.h"

enum {
	PROTOCOL_LINE_MAX = 16 * 1024, /* RFC 9051 4: 8,192; POP3: 512; some
					* servers talk more */
	PROTOCOL_MESSAGES_MAX = 1000000,
	PROTOCOL_UID_MAX = 255, /* RFC 1939: 70; Exchange sends more */
	PROTOCOL_FOLDER_MAX = 1000,
};

enum protocol_do {
	DO_WAIT,      /* feed the next line */
	DO_SEND,      /* send .text (it ends with CRLF), then feed on */
	DO_START_TLS, /* conn_start_tls(), then secured() */
	DO_LOGGED_IN, /* the login is done: folders(), open() or quit() */
	DO_FOLDER,    /* the account has the folder .text (UTF-8); feed on;
		       * .size is 1 when it serves a purpose of the server's
		       * (RFC 6154: \All, \Drafts, \Flagged, \Junk, \Sent,
		       * \Trash; RFC 8457: \Important) */
	DO_FOLDERS,   /* these were all: open() or quit() */
	DO_LISTED,    /* message .number has UID .text, and .size octets where
		       * that is known (else 0); feed on */
	DO_SIZED,     /* message .number has .size octets; feed on */
	DO_READY,     /* the folder is listed, or a reply came: give commands
		       * while there is room(), and feed on while any is under
		       * way */
	DO_BODY,      /* message .number follows as raw bytes: give them to
		       * body() until it says that they are complete, then call
		       * body_done(), and do what that says.  Only unless it is
		       * DO_FAIL or DO_REFUSED is the message what it should be.
		       * .number 0 (IMAP): bytes that are not of a message;
		       * nothing comes out of body() */
	DO_REFUSED,   /* the command about message .number was refused; *err
		       * says why; then as DO_READY */
	DO_DISPOSED,  /* the server took the disposal of .number, which .stays
		       * in the folder if it is only flagged; then as
		       * DO_READY */
	DO_ARRIVED,   /* idling: the folder has changed; feed on */
	DO_CLOSE,     /* quit() was answered: all that was disposed of is */
	DO_FAIL,      /* close the connection; *err says why */
};

struct protocol_action {
	enum protocol_do todo;
	uint32_t number; /* POP3: of the session; IMAP: the UID */
	uint64_t size;
	struct slice text; /* borrowed: valid until the next call */
	bool secret;       /* .text holds a password: conn_send_secret() */
	bool stays;
};

/* Borrowed until the machine is cleared; `secret` until DO_LOGGED_IN. */
struct protocol_login {
	const struct account *account; /* host, user, auth, tls, dispose, … */
	struct slice secret;           /* a password, or a token if: */
	bool token;
	bool smtputf8; /* Postfix takes internationalised mail */
	bool look;     /* only that: DO_LOGGED_IN comes where the login would
			* begin, and quit() is all that may follow */
	bool without_capa; /* POP3: the server cannot bear CAPA */
};

/* What the server said of itself so far. */
struct protocol_facts {
	bool starttls, pipelining, utf8;
	unsigned mechanisms; /* sasl.h */
	/* POP3 */
	bool capa, top, uidl, resp_codes, user;
	bool capa_due; /* asked for, and not answered so far */
	uint32_t login_delay_s, expire_days; /* 0: did not say */
	/* IMAP */
	bool idle, uidplus, move, literal_plus, sasl_ir, id, login_disabled;
	bool read_only; /* the folder that is open */
	bool news;      /* and it has got mail since it was listed */
	/* What people must be told (RFC 9051 7.1), in the line that was given
	 * last; lasts as long as that; empty: nothing. */
	struct slice alert;
};

/* `m` is a machine of .size bytes, all zero at first; init() may be called again
 * for another connection. */
struct protocol {
	const char *name; /* "POP3" */
	size_t size;
	void (*init)(void *m, const struct protocol_login *);
	/* The name of the reply awaited ("greeting", "PASS", …), for
	 * errors. */
	const char *(*state_name)(const void *m);
	const struct protocol_facts *(*facts)(const void *m);
	struct protocol_action (*line)(void *m, struct slice, struct error *);
	/* After the handshake; what was offered before it is forgotten. */
	struct protocol_action (*secured)(void *m, struct error *);
	/* How many further commands may be given now.  0 before the first
	 * DO_READY, after quit() and while idling. */
	unsigned (*room)(const void *m);
	/* Replies are due. */
	bool (*busy)(const void *m);

	/* IMAP; NULL with POP3: names the folders that match the pattern. */
	struct protocol_action (*folders)(
	    void *m, const char *pattern, struct error *);
	/* Opens the folder (POP3 has but one) and lists all of it.  Nothing may
	 * be under way.  The UID of a message in an IMAP folder is
	 * "UIDVALIDITY.UID".  DO_REFUSED with .number 0 before DO_READY: it
	 * cannot be opened, and is not listed; open() another, or quit(). */
	struct protocol_action (*open)(
	    void *m, const char *folder, struct error *);
	/* IMAP; NULL with POP3: lists what came into the open folder since.
	 * Nothing may be under way. */
	struct protocol_action (*refresh)(void *m, struct error *);
	/* DO_BODY or DO_REFUSED follows for each. */
	struct protocol_action (*retrieve)(
	    void *m, uint32_t number, struct error *);
	/* DO_DISPOSED or DO_REFUSED follows for each. */
	struct protocol_action (*dispose)(
	    void *m, uint32_t number, struct error *);
	struct protocol_action (*noop)(void *m, struct error *);
	/* IMAP; NULL with POP3: hear of changes; DO_ARRIVED, until rouse(),
	 * after which DO_READY follows.  DO_REFUSED with .number 0: the server
	 * does not want to.  Nothing may be under way. */
	struct protocol_action (*idle)(void *m, struct error *);
	struct protocol_action (*rouse)(void *m, struct error *);
	/* Nothing may be under way. */
	struct protocol_action (*quit)(void *m, struct error *);

	/* Consumes *used bytes of `in`, writes *out_len bytes of the message
	 * (line ends are LF) to `out`, which holds in.len + 4.  True at its
	 * end; bytes after it are not used. */
	bool (*body)(void *m, struct slice in, size_t *used, uint8_t *out,
	    size_t *out_len);
	struct protocol_action (*body_done)(void *m, struct error *);
	/* Wipes what may hold secrets. */
	void (*clear)(void *m);
};

extern const struct protocol pop3_protocol, imap_protocol;

#endif
