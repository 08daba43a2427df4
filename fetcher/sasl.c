/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/sasl.h"

#include "fetcher/sasl_scram.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
	RAW_MAX = SASL_RESPONSE_MAX / 4 * 3,
	NONCE_BYTES = (SASL_NONCE_SIZE - 1) / 4 * 3,
};

/* How far it is: what has been said. */
enum step {
	NOTHING,
	FIRST,   /* the initial response, or LOGIN's user */
	PROOF,   /* SCRAM's proof; the server's is awaited */
	ALL,     /* nothing is left to be said, or heard */
	REFUSED, /* and the server turned the token down */
};

typedef void response_writer(const struct sasl *, struct buf *);
/* Answers a decoded challenge, in bytes that are not yet base64. */
typedef bool challenge_handler(
    struct sasl *, struct slice challenge, struct buf *, struct error *);

static void
write_plain(const struct sasl *s, struct buf *out)
{
	buf_add_byte(out, '\0');
	buf_add_string(out, s->credentials->user);
	buf_add_byte(out, '\0');
	buf_add(out, s->credentials->secret);
}

/* LOGIN's first answer, and who we want to be with EXTERNAL. */
static void
write_user(const struct sasl *s, struct buf *out)
{
	buf_add_string(out, s->credentials->user);
}

static void
write_xoauth2(const struct sasl *s, struct buf *out)
{
	buf_printf(out, "user=%s\001auth=Bearer ", s->credentials->user);
	buf_add(out, s->credentials->secret);
	buf_add(out, SLICE("\001\001"));
}

static void
write_oauthbearer(const struct sasl *s, struct buf *out)
{
	buf_add(out, SLICE("n,a="));
	sasl_add_name(out, s->credentials->user);
	buf_printf(out, ",\001host=%s\001port=%u\001auth=Bearer ",
	    s->credentials->host, (unsigned)s->credentials->port);
	buf_add(out, s->credentials->secret);
	buf_add(out, SLICE("\001\001"));
}

/* There is nothing that the server could still want to know. */
static bool
on_surplus(
    struct sasl *s, struct slice challenge, struct buf *out, struct error *err)
{
	(void)out;
	return error_set(err, ERROR_PROTOCOL,
	    "%s: the server asks for more than there is: \"%.*s\"",
	    sasl_name(s->mechanism), SLICE_ARG(challenge));
}

/* Whatever it calls it: the first is always the name, the second the password.
 */
static bool
on_login(
    struct sasl *s, struct slice challenge, struct buf *out, struct error *err)
{
	if (s->step != FIRST)
		return on_surplus(s, challenge, out, err);
	buf_add(out, s->credentials->secret);
	s->step = ALL;
	return true;
}

static bool
on_scram(
    struct sasl *s, struct slice challenge, struct buf *out, struct error *err)
{
	switch (s->step) {
	case FIRST:
		s->step = PROOF;
		return sasl_scram_final(s, challenge, out, err);
	case PROOF:
		if (!sasl_scram_verify(s, challenge, err))
			return false;
		s->step = ALL;
		return true;
	default:
		return on_surplus(s, challenge, out, err);
	}
}

/* Why it refuses the token; the answer does not matter to it. */
static bool
keep_reason(
    struct sasl *s, struct slice challenge, struct buf *out, struct error *err)
{
	if (s->step == REFUSED)
		return on_surplus(s, challenge, out, err);
	s->step = REFUSED;
	snprintf(s->reason, sizeof(s->reason), "%.*s", SLICE_ARG(challenge));
	return true;
}

static bool
on_oauthbearer(
    struct sasl *s, struct slice challenge, struct buf *out, struct error *err)
{
	if (!keep_reason(s, challenge, out, err))
		return false;
	buf_add_byte(out, '\001');
	return true;
}

static const struct {
	bool begins;    /* the client, not the server */
	bool token;     /* the secret is one */
	enum step last; /* the step at which success may come */
	response_writer *write_first;
	challenge_handler *on_challenge;
} mechanisms[] = {
	[SASL_PLAIN] = { true, false, FIRST, write_plain, on_surplus },
	[SASL_LOGIN] = { false, false, ALL, write_user, on_login },
	[SASL_SCRAM_SHA_256] = { true, false, ALL, sasl_scram_first, on_scram },
	[SASL_XOAUTH2] = { true, true, FIRST, write_xoauth2, keep_reason },
	[SASL_OAUTHBEARER] = { true, true, FIRST, write_oauthbearer,
	    on_oauthbearer },
	[SASL_EXTERNAL] = { true, false, FIRST, write_user, on_surplus },
};

void
sasl_start(struct sasl *s, enum sasl_mechanism mechanism,
    const struct sasl_credentials *credentials)
{
	uint8_t bytes[NONCE_BYTES];

	assert(mechanism < SASL_USER);
	*s =
	    (struct sasl){ .credentials = credentials, .mechanism = mechanism };
	digest_random(bytes, sizeof(bytes));
	base64_write(
	    (struct slice){ bytes, sizeof(bytes) }, s->nonce, sizeof(s->nonce));
}

static bool
is_text(uint8_t byte)
{
	return byte >= 0x20 && byte != 0x7f;
}

/* A control character in a name, or anything but RFC 6750's characters in a
 * token, could say something else to the server than is meant. */
static bool
are_credentials_usable(const struct sasl *s, struct error *err)
{
	struct slice secret = s->credentials->secret;

	if (!slice_all(slice_of(s->credentials->user), is_text))
		return error_set(
		    err, ERROR_CONFIG, "user holds a control character");
	if (mechanisms[s->mechanism].token &&
	    (secret.len == 0 || !slice_all(secret, byte_is_graphic)))
		return error_set(err, ERROR_CONFIG,
		    "the token is empty or holds characters that no token has");
	if (slice_find(secret, '\0') < secret.len)
		return error_set(err, ERROR_CONFIG, "the password holds NUL");
	return true;
}

static bool
add_base64(struct buf *out, const struct buf *raw, struct error *err)
{
	char text[SASL_RESPONSE_MAX + 1];
	bool fits = !buf_overflowed(raw);

	if (fits) {
		base64_write(buf_slice(raw), text, sizeof(text));
		fits = buf_add_string(out, text);
		explicit_bzero(text, sizeof(text));
	}
	if (!fits)
		return error_set(err, ERROR_CONFIG,
		    "user and secret are too long to log in with");
	return true;
}

static bool
add_first(struct sasl *s, struct buf *out, struct error *err)
{
	struct buf raw;
	bool ok = are_credentials_usable(s, err);

	buf_init(&raw, RAW_MAX);
	if (ok) {
		mechanisms[s->mechanism].write_first(s, &raw);
		ok = add_base64(out, &raw, err);
	}
	buf_wipe(&raw);
	return ok;
}

bool
sasl_command(struct sasl *s, size_t max, struct buf *out, struct error *err)
{
	struct buf response;
	bool ok;

	assert(s->step == NOTHING);
	buf_add_string(out, sasl_name(s->mechanism));
	buf_init(&response, SASL_RESPONSE_MAX);
	ok = add_first(s, &response, err);
	if (ok && mechanisms[s->mechanism].begins && out->len < max &&
	    response.len < max - out->len) {
		buf_add_byte(out, ' ');
		buf_add(out, buf_slice(&response));
		s->step = FIRST;
	}
	buf_wipe(&response);
	return ok;
}

static bool
answer(
    struct sasl *s, struct slice challenge, struct buf *out, struct error *err)
{
	uint8_t bytes[SASL_CHALLENGE_MAX];
	struct buf raw;
	size_t len;
	bool ok;

	if (!base64_read(challenge, bytes, sizeof(bytes), &len))
		return error_set(err, ERROR_PROTOCOL,
		    "%s: what the server says is too long or not base64: "
		    "\"%.*s\"",
		    sasl_name(s->mechanism),
		    SLICE_ARG(slice_first(challenge, ERROR_TEXT_MAX)));
	buf_init(&raw, RAW_MAX);
	ok = mechanisms[s->mechanism].on_challenge(
		 s, (struct slice){ bytes, len }, &raw, err) &&
	     add_base64(out, &raw, err);
	buf_wipe(&raw);
	return ok;
}

bool
sasl_respond(
    struct sasl *s, struct slice challenge, struct buf *out, struct error *err)
{
	bool begins = mechanisms[s->mechanism].begins;

	/* What "+" comes with does not matter then; some say "+ go on". */
	if (s->step == NOTHING) {
		s->step = FIRST;
		return add_first(s, out, err);
	}
	if (begins && s->step == FIRST && !s->repeated && challenge.len == 0) {
		s->repeated = true;
		return add_first(s, out, err);
	}
	return answer(s, challenge, out, err);
}

bool
sasl_accept(const struct sasl *s, struct error *err)
{
	if (s->step == (int)mechanisms[s->mechanism].last)
		return true;
	if (s->mechanism == SASL_SCRAM_SHA_256)
		return error_set(err, ERROR_TLS,
		    "SCRAM-SHA-256: the server accepts the login without "
		    "proof that it knows the password: is it the provider's?");
	return error_set(err, ERROR_PROTOCOL,
	    "%s: the server accepts a login that is not complete",
	    sasl_name(s->mechanism));
}

const char *
sasl_reason(const struct sasl *s)
{
	return s->reason;
}

void
sasl_clear(struct sasl *s)
{
	explicit_bzero(s, sizeof(*s));
}
