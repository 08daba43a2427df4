/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn_stream - what the halves of conn share.  conn_opening finds an address
 * that serves and makes the handshakes, conn does all that comes after; only
 * these two use it.
 */
#ifndef FETCHER_CONN_STREAM_H
#define FETCHER_CONN_STREAM_H

#include "base/buf.h"
#include "fetcher/conn.h"
#include "fetcher/dial.h"
#include "fetcher/tls.h"

#include <event2/event_struct.h>

/* What may wait unread: a message streams through in this much memory. */
enum { UNREAD_MAX = 64 * 1024 };

struct conn {
	struct loop *loop;
	const struct conn_settings *settings;
	conn_handler *handler;
	void *arg;

	enum { DIALLING, HANDSHAKE, OPEN, BROKEN } phase;
	struct dial *dial; /* until there is an address that serves */
	struct bufferevent *stream;
	struct tls *tls;
	bool refused;   /* some address, in its handshake; err says why */
	bool upgrading; /* this handshake follows conn_start_tls() */
	bool verified;
	char cipher[TLS_CIPHER_MAX];

	struct timer *clock;
	uint64_t tls_received; /* when the clock was last started by data */
	bool awaiting, paused, reading;
	bool unseen;              /* bytes not yet told as CONN_DATA */
	bool awaiting_sent, sent; /* CONN_SENT is wanted; is to be told */
	struct event tell;        /* news for the handler */
	struct error err;
	struct buf line;
};

/* conn.c */

/* The handler hears the news from the loop. */
void conn_tell_soon(struct conn *);
/* The end; c->err is set. */
void conn_break_off(struct conn *);
void conn_restart_clock(struct conn *);
void conn_adjust_reading(struct conn *);
size_t conn_count_unread(struct conn *);
void conn_watch_stream(struct conn *);

/* conn_opening.c */

/* Looks at the settings and starts to dial. */
void conn_begin(struct conn *);
void conn_finish_handshake(struct conn *);
void conn_fail_handshake(struct conn *, const struct error *);

#endif
