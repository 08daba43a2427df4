/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sasl - the client side of a login (RFC 4422) as POP3's AUTH (RFC 5034) and
 * IMAP's AUTHENTICATE (RFC 9051 6.2.2) carry it.
 *
 * Pure: no socket, no clock.  What the server says goes in without "+ " and
 * line end, what it must be told comes out in base64, added to the caller's
 * buffer, again without line end.  That is secret: send it so, and wipe the
 * buffer.
 *
 * PLAIN: RFC 4616; LOGIN: draft-murchison-sasl-login; SCRAM-SHA-256: RFC 7677
 * without channel binding; XOAUTH2: Google and Microsoft; OAUTHBEARER: RFC
 * 7628; EXTERNAL: RFC 4422 A.  Never APOP, CRAM-MD5, DIGEST-MD5 and NTLM: they
 * need the password in clear on the server, show whoever listens enough to
 * guess it, and protect nothing inside TLS.
 *
 * Names and passwords go out as they are, which should be UTF-8: no SASLprep
 * (RFC 4013), which changes only some characters beyond ASCII.
 *
 * A refused login must never be tried another way: providers lock accounts.
 */
#ifndef FETCHER_SASL_H
#define FETCHER_SASL_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/error.h"
#include "config/config.h"

enum {
	/* A token of 8 KiB in base64, and what goes with it; the buffer that
	 * a command is put together in must hold this and its own words. */
	SASL_RESPONSE_MAX = 12 * 1024,
	/* RFC 5034 4: all of AUTH with its response but CRLF; what is longer
	 * goes into a line of its own, for which there is no limit. */
	SASL_POP3_COMMAND_MAX = 253,
	SASL_CHALLENGE_MAX = 2048, /* of base64, decoded or not */
	SASL_NONCE_SIZE = 25,
	SASL_ITERATIONS_MIN = 4096, /* RFC 7677 4 */
	/* They hold up the whole loop: 40 ms (measured) to 200 ms. */
	SASL_ITERATIONS_MAX = 200000,
};

enum sasl_mechanism {
	SASL_PLAIN,
	SASL_LOGIN,
	SASL_SCRAM_SHA_256,
	SASL_XOAUTH2,
	SASL_OAUTHBEARER,
	SASL_EXTERNAL,
	/* Not SASL: USER and PASS in POP3, LOGIN in IMAP.  The caller does it,
	 * and says itself whether the server takes it: SASL_OFFER_USER. */
	SASL_USER,
	SASL_MECHANISMS
};

enum { SASL_OFFER_USER = 1 << SASL_USER };

/* The bit of a mechanism that a server offers, by its name in either case; the
 * bits of all that is offered are put together with |.  Names that are not
 * spoken here have bits, too, for the message that says so. */
unsigned sasl_offer(struct slice name);
/* "SCRAM-SHA-256", as in AUTH; SASL_USER is "USER". */
const char *sasl_name(enum sasl_mechanism);

/* Adds the names of all that is offered, and "others". */
void sasl_list(unsigned offered, const char *between, struct buf *out);

/*
 * What to log in with.  `auth` auto: with a token OAUTHBEARER, else XOAUTH2;
 * with a password SCRAM-SHA-256, PLAIN, LOGIN, USER.  A mechanism named by
 * `auth` is taken, or nothing.  ERROR_CONFIG, with what is offered, when the
 * server does not offer it.
 *
 * A server that offers no mechanism at all (no CAPA, no AUTH=): the SASL
 * mechanism that `auth` names is taken all the same, since some do not tell.
 */
bool sasl_choose(enum auth auth, bool token, unsigned offered,
    enum sasl_mechanism *, struct error *);
/* Of a refused login: names the way out where the server offers SCRAM also to
 * users whose passwords it cannot check that way (Mailutils with PAM, Dovecot
 * with crypted passwords). */
void sasl_hint(enum auth auth, bool token, unsigned offered, struct error *);

/* Borrowed from sasl_start() to sasl_clear(). */
struct sasl_credentials {
	const char *user;
	struct slice secret; /* password or token; empty for EXTERNAL */
	const char *host;    /* as configured */
	uint16_t port;
};

struct sasl {
	const struct sasl_credentials *credentials;
	enum sasl_mechanism mechanism;
	int step;
	bool repeated;
	char nonce[SASL_NONCE_SIZE]; /* a test may set it after sasl_start() */
	uint8_t server_signature[DIGEST_SIZE];
	char reason[128];
};

/* Any mechanism but SASL_USER. */
void
sasl_start(struct sasl *, enum sasl_mechanism, const struct sasl_credentials *);

/*
 * Adds what follows "AUTH " or "AUTHENTICATE ": the mechanism's name, and the
 * initial response if the mechanism begins with one and `out` stays within
 * `max` bytes.  max is SASL_POP3_COMMAND_MAX in POP3; in IMAP SIZE_MAX with
 * SASL-IR (RFC 4959), else 0; and 0 for XOAUTH2 in POP3, where Microsoft knows
 * only the long way: AUTH XOAUTH2, "+", response.
 *
 * False: user or secret cannot be sent so (ERROR_CONFIG); nothing was said.
 */
bool sasl_command(struct sasl *, size_t max, struct buf *out, struct error *);

/*
 * The answer to "+ CHALLENGE"; it may be empty, which is an empty line.  Servers
 * that overlook the initial response and ask for it again get it again, once.
 *
 * A token that was refused is a challenge, too (sasl_reason() has its text);
 * the server refuses the login after the answer to it.
 *
 * False: end the connection; "*" (RFC 5034 4, RFC 9051 6.2.2) need not be
 * sent.  ERROR_LOGIN: name or password were refused.  ERROR_TLS: the server
 * does not know the password (SCRAM), so it is not what it pretends to be.
 */
bool sasl_respond(
    struct sasl *, struct slice challenge, struct buf *out, struct error *);

/* When the server says that we are logged in: whether that may be believed.
 * It may not before all was said, nor (ERROR_TLS) if a SCRAM server has not
 * proved that it knows the password. */
bool sasl_accept(const struct sasl *, struct error *);

/* What the server said of a token before it refused it ({"status":"401",…}),
 * cut; "" if nothing.  Foreign bytes: only for error_set() and logs. */
const char *sasl_reason(const struct sasl *);

/* Wipes it; also fine on one that is all zero. */
void sasl_clear(struct sasl *);

#endif
