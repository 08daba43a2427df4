/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/sasl_scram.h"

#include <string.h>

enum { SALT_MAX = 768, PROOF_BASE64_SIZE = 45 };

/* What server-first-message says. */
struct offer {
	struct slice nonce; /* ours, with the server's after it */
	uint8_t salt[SALT_MAX];
	size_t salt_len;
	uint64_t iterations;
};

void
sasl_add_name(struct buf *out, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == ',')
			buf_add(out, SLICE("=2C"));
		else if (*name == '=')
			buf_add(out, SLICE("=3D"));
		else
			buf_add_byte(out, (uint8_t)*name);
	}
}

/* client-first-message-bare */
static void
add_first_bare(const struct sasl *s, struct buf *out)
{
	buf_add(out, SLICE("n="));
	sasl_add_name(out, s->credentials->user);
	buf_printf(out, ",r=%s", s->nonce);
}

void
sasl_scram_first(const struct sasl *s, struct buf *out)
{
	buf_add(out, SLICE("n,,"));
	add_first_bare(s, out);
}

/* The value of the attribute that comes next, which must be `name`. */
static bool
cut_attribute(struct slice *message, struct slice name, struct slice *value)
{
	if (!slice_cut_prefix(message, name))
		return false;
	if (slice_cut_until(message, ',', value))
		return true;
	*value = *message;
	*message = slice_from(*message, message->len);
	return true;
}

/* Extensions may follow the iterations, and are to be ignored; one that may not
 * be ignored ("m=") stands at the beginning. */
static bool
read_offer(struct slice message, struct offer *offer)
{
	struct slice salt, digits;

	return cut_attribute(&message, SLICE("r="), &offer->nonce) &&
	       cut_attribute(&message, SLICE("s="), &salt) &&
	       cut_attribute(&message, SLICE("i="), &digits) &&
	       slice_all(offer->nonce, byte_is_graphic) &&
	       base64_read(
		   salt, offer->salt, sizeof(offer->salt), &offer->salt_len) &&
	       offer->salt_len > 0 &&
	       slice_cut_number(&digits, UINT64_MAX, &offer->iterations) &&
	       digits.len == 0;
}

/* The server's nonce is ours and more; else somebody plays an old login. */
static bool
is_fresh(const struct sasl *s, const struct offer *offer)
{
	struct slice ours = slice_of(s->nonce);

	return slice_starts(offer->nonce, ours) && offer->nonce.len > ours.len;
}

static bool
is_effort_right(const struct offer *offer, struct error *err)
{
	if (offer->iterations >= SASL_ITERATIONS_MIN &&
	    offer->iterations <= SASL_ITERATIONS_MAX)
		return true;
	return error_set(err, ERROR_CONFIG,
	    "SCRAM-SHA-256: the server wants %llu iterations, and %d to %d are "
	    "done; set auth: plain",
	    (unsigned long long)offer->iterations, SASL_ITERATIONS_MIN,
	    SASL_ITERATIONS_MAX);
}

/* The proof that we know the password, and the one that the server must give;
 * `text` is AuthMessage (RFC 5802 3). */
static void
sign(struct sasl *s, const struct offer *offer, struct slice text,
    uint8_t proof[DIGEST_SIZE])
{
	uint8_t salted[DIGEST_SIZE], key[DIGEST_SIZE], stored[DIGEST_SIZE];
	const struct slice by_salted = { salted, sizeof(salted) };

	digest_pbkdf2_sha256(s->credentials->secret,
	    (struct slice){ offer->salt, offer->salt_len },
	    (uint32_t)offer->iterations, salted);
	digest_hmac_sha256(by_salted, SLICE("Server Key"), key);
	digest_hmac_sha256(
	    (struct slice){ key, sizeof(key) }, text, s->server_signature);
	digest_hmac_sha256(by_salted, SLICE("Client Key"), key);
	digest_sha256((struct slice){ key, sizeof(key) }, stored);
	digest_hmac_sha256(
	    (struct slice){ stored, sizeof(stored) }, text, proof);
	for (size_t i = 0; i < DIGEST_SIZE; i++)
		proof[i] ^= key[i];
	explicit_bzero(salted, sizeof(salted));
	explicit_bzero(key, sizeof(key));
	explicit_bzero(stored, sizeof(stored));
}

/* "biws" is the base64 of "n,,": no channel binding. */
static void
add_final(struct sasl *s, const struct offer *offer, struct slice server_first,
    struct buf *out)
{
	uint8_t proof[DIGEST_SIZE];
	char text[PROOF_BASE64_SIZE];
	struct buf signed_text;

	buf_printf(out, "c=biws,r=%.*s", SLICE_ARG(offer->nonce));
	buf_init(&signed_text, SASL_RESPONSE_MAX);
	add_first_bare(s, &signed_text);
	buf_add_byte(&signed_text, ',');
	buf_add(&signed_text, server_first);
	buf_add_byte(&signed_text, ',');
	buf_add(&signed_text, buf_slice(out));
	sign(s, offer, buf_slice(&signed_text), proof);
	buf_clear(&signed_text);
	base64_write(
	    (struct slice){ proof, sizeof(proof) }, text, sizeof(text));
	buf_printf(out, ",p=%s", text);
}

bool
sasl_scram_final(struct sasl *s, struct slice server_first, struct buf *out,
    struct error *err)
{
	struct offer offer;

	if (!read_offer(server_first, &offer))
		return error_set(err, ERROR_PROTOCOL,
		    "SCRAM-SHA-256: no nonce, salt and iterations in \"%.*s\"",
		    SLICE_ARG(server_first));
	if (!is_fresh(s, &offer))
		return error_set(err, ERROR_TLS,
		    "SCRAM-SHA-256: the server answers another login than "
		    "ours");
	if (!is_effort_right(&offer, err))
		return false;
	add_final(s, &offer, server_first, out);
	return true;
}

/* RFC 5802 7, server-error-value: what they mean for the administrator; the
 * others: wrong name or password. */
static const struct {
	struct slice word;
	enum error_kind kind;
} refusals[] = {
	{ SLICE("no-resources"), ERROR_RETRY },
	{ SLICE("other-error"), ERROR_RETRY },
	{ SLICE("channel-bindings-dont-match"), ERROR_TLS },
	{ SLICE("server-does-support-channel-binding"), ERROR_CONFIG },
	{ SLICE("channel-binding-not-supported"), ERROR_CONFIG },
	{ SLICE("unsupported-channel-binding-type"), ERROR_CONFIG },
	{ SLICE("extensions-not-supported"), ERROR_CONFIG },
};

static enum error_kind
kind_of_refusal(struct slice word)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (slice_equal(word, refusals[i].word))
			return refusals[i].kind;
	}
	return ERROR_LOGIN;
}

bool
sasl_scram_verify(
    const struct sasl *s, struct slice server_final, struct error *err)
{
	uint8_t signature[DIGEST_SIZE + 1];
	struct slice value;
	size_t len;

	if (cut_attribute(&server_final, SLICE("e="), &value))
		return error_set(err, kind_of_refusal(value),
		    "SCRAM-SHA-256: the server refuses the login: %.*s",
		    SLICE_ARG(value));
	if (cut_attribute(&server_final, SLICE("v="), &value) &&
	    base64_read(value, signature, sizeof(signature), &len) &&
	    len == DIGEST_SIZE && digest_equal(signature, s->server_signature))
		return true;
	return error_set(err, ERROR_TLS,
	    "SCRAM-SHA-256: the server does not prove that it knows the "
	    "password: is it the provider's?");
}
