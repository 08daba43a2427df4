/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn - one byte stream to a provider, or to our own MTA: names, connect, TLS,
 * back-pressure and the silence clock.  Never blocks.
 *
 * Promises: no secret leaves before the peer is verified (conn_send_secret);
 * nothing that was received before the handshake is read after it
 * (conn_start_tls); the end of the stream without TLS's close_notify is an
 * error like any other end.
 */
#ifndef FETCHER_CONN_H
#define FETCHER_CONN_H

#include "base/error.h"
#include "base/slice.h"
#include "config/config.h"
#include "fetcher/loop.h"

struct conn;
struct certificate_facts;

enum conn_event {
	CONN_READY,   /* connected; implicit TLS: verified too */
	CONN_SECURED, /* conn_start_tls() is done, the peer verified */
	CONN_DATA,    /* new bytes to look at; what is left unread is not told
		       * again, and 64 KiB of it stop the reading */
	CONN_SENT,    /* all that was queued is on its way: as asked for by
		      * conn_await_sent() */
	CONN_CLOSED, /* ended by the peer, a fault or a clock; conn_error() says
		       * why (an orderly close too); call conn_free() */
};
/* May call any function below, conn_free() included. */
typedef void conn_handler(enum conn_event, void *arg);

struct conn_settings {    /* borrowed until conn_free() */
	const char *path; /* of a unix socket; NULL: host and port */
	const char *host; /* name or address literal; with path: for errors */
	uint16_t port;
	bool implicit_tls;
	const struct tls_settings *tls;
	int64_t timeout_ms; /* silence: restarts with every byte received while
			     * a reply is awaited; also the limit for each
			     * address of the name, the handshake */
};

/* Starts to connect; all addresses of the name are tried in turn, until one is
 * connected and, with implicit TLS, verified.  A file of the TLS settings that
 * is missing or wrong is a fault before anything is sent.  Always returns a conn;
 * faults come as CONN_CLOSED, never before this returns. */
struct conn *conn_open(
    struct loop *, const struct conn_settings *, conn_handler *, void *arg);
/* After a reload: certificates and keys are read again, and no server is
 * believed by a session from before. */
void conn_forget_servers(struct loop *);
/* As conn_free(), after these last bytes, if the socket takes them at once,
 * nothing is queued before them and there is no TLS: a QUIT whose answer nobody
 * awaits. */
void conn_close(struct conn *, struct slice last_words);
/* No event after it; the socket closes in the loop's next round, or with the
 * loop, whatever waits to be sent.  Takes NULL. */
void conn_free(struct conn *);
const struct error *conn_error(const struct conn *);

/* True when the peer's identity was checked (chain and name, or pin). */
bool conn_verified(const struct conn *);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384", or "clear text". */
const char *conn_cipher(const struct conn *);

/* Of a verified peer; false without TLS. */
bool conn_certificate(const struct conn *, struct certificate_facts *);

/* Queues bytes; not before CONN_READY, nor between conn_start_tls() and
 * CONN_SECURED.  conn_send_secret() refuses (ERROR_TLS) unless verified or the
 * account says tls.mode never; its bytes are wiped after sending. */
void conn_send(struct conn *, struct slice);
bool conn_send_secret(struct conn *, struct slice, struct error *);
/* CONN_SENT follows once, when nothing that was queued is left. */
void conn_await_sent(struct conn *);
/* ERROR_PROTOCOL when bytes are waiting unread (CVE-2020-15953 and its like);
 * else the handshake begins and CONN_SECURED follows. */
bool conn_start_tls(struct conn *, struct error *);

/* The bytes received and not yet consumed: a contiguous piece at the front,
 * valid until the next call; empty when there are none. */
struct slice conn_peek(struct conn *);
void conn_consume(struct conn *, size_t);
enum conn_line { CONN_LINE, CONN_LINE_NONE, CONN_LINE_TOO_LONG };
/* Takes one line, without its LF or CRLF, off the front; valid until the next
 * call.  `max` (below 64 KiB) bytes without LF: CONN_LINE_TOO_LONG. */
enum conn_line conn_take_line(struct conn *, size_t max, struct slice *);

/* Back-pressure: no reading, no event, no silence clock, until resumed.  When
 * bytes are waiting unread then, CONN_DATA follows. */
void conn_pause(struct conn *);
void conn_resume(struct conn *);
/* The silence clock runs only while something is awaited.  On at first. */
void conn_await(struct conn *, bool awaiting);

#endif
