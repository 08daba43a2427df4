/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/sasl.h"

/* What is only known by name, to be able to say so. */
enum {
	CRAM_MD5 = SASL_MECHANISMS,
	DIGEST_MD5,
	NTLM,
	APOP,
	SCRAM_SHA_1,
	GSSAPI,
	OTHERS, /* not in the table */
	NAMES
};
enum {
	TOKENS = 1 << SASL_XOAUTH2 | 1 << SASL_OAUTHBEARER,
	OFFERED_TEXT_MAX = 256,
};

static const char *const names[NAMES] = {
	[SASL_PLAIN] = "PLAIN",
	[SASL_LOGIN] = "LOGIN",
	[SASL_SCRAM_SHA_256] = "SCRAM-SHA-256",
	[SASL_XOAUTH2] = "XOAUTH2",
	[SASL_OAUTHBEARER] = "OAUTHBEARER",
	[SASL_EXTERNAL] = "EXTERNAL",
	[SASL_USER] = "USER",
	[CRAM_MD5] = "CRAM-MD5",
	[DIGEST_MD5] = "DIGEST-MD5",
	[NTLM] = "NTLM",
	[APOP] = "APOP",
	[SCRAM_SHA_1] = "SCRAM-SHA-1",
	[GSSAPI] = "GSSAPI",
	[OTHERS] = "others",
};

static const enum sasl_mechanism by_setting[] = {
	[AUTH_PLAIN] = SASL_PLAIN,
	[AUTH_LOGIN] = SASL_LOGIN,
	[AUTH_USER] = SASL_USER,
	[AUTH_SCRAM_SHA_256] = SASL_SCRAM_SHA_256,
	[AUTH_XOAUTH2] = SASL_XOAUTH2,
	[AUTH_OAUTHBEARER] = SASL_OAUTHBEARER,
	[AUTH_EXTERNAL] = SASL_EXTERNAL,
};

/* Best first. */
static const enum sasl_mechanism for_token[] = { SASL_OAUTHBEARER,
	SASL_XOAUTH2 };
static const enum sasl_mechanism for_password[] = { SASL_SCRAM_SHA_256,
	SASL_PLAIN, SASL_LOGIN, SASL_USER };

unsigned
sasl_offer(struct slice name)
{
	for (unsigned i = 0; i < OTHERS; i++) {
		if (i != SASL_USER &&
		    slice_equal_nocase(name, slice_of(names[i])))
			return 1U << i;
	}
	return 1U << OTHERS;
}

const char *
sasl_name(enum sasl_mechanism mechanism)
{
	return names[mechanism];
}

void
sasl_list(unsigned offered, const char *between, struct buf *out)
{
	bool first = true;

	for (unsigned i = 0; i < NAMES; i++) {
		if ((offered & 1U << i) == 0)
			continue;
		buf_printf(out, "%s%s", first ? "" : between, names[i]);
		first = false;
	}
}

static bool
refuse_named(enum sasl_mechanism named, const char *offers, struct error *err)
{
	return error_set(err, ERROR_CONFIG,
	    "auth wants %s, but the server offers %s", names[named], offers);
}

/* Why none of what is offered will do. */
static const char *
reason_against(bool token, unsigned offered)
{
	if (token)
		return "none of these takes a token: set password instead";
	if (offered & TOKENS)
		return "it wants a token: set token instead of password";
	if (offered & 1U << SASL_EXTERNAL)
		return "it wants a certificate: set tls.client_certificate "
		       "and auth: external";
	if (offered == 0)
		return "it may do so over TLS only";
	return "none of these is used; the manual says why (auth in "
	       "mailhaul.yaml(5))";
}

static bool
refuse_all(bool token, unsigned offered, const char *offers, struct error *err)
{
	return error_set(err, ERROR_CONFIG,
	    "no way to log in: the server offers %s; %s", offers,
	    reason_against(token, offered));
}

static bool
choose_best(bool token, unsigned offered, enum sasl_mechanism *mechanism)
{
	const enum sasl_mechanism *wanted = token ? for_token : for_password;
	size_t n = token ? sizeof(for_token) : sizeof(for_password);

	for (size_t i = 0; i < n / sizeof(wanted[0]); i++) {
		if (offered & 1U << wanted[i]) {
			*mechanism = wanted[i];
			return true;
		}
	}
	return false;
}

bool
sasl_choose(enum auth auth, bool token, unsigned offered,
    enum sasl_mechanism *mechanism, struct error *err)
{
	struct buf offers;

	if (auth == AUTH_AUTO) {
		if (choose_best(token, offered, mechanism))
			return true;
	} else {
		*mechanism = by_setting[auth];
		/* Some servers tell of none and know them all the same. */
		if (offered & 1U << *mechanism ||
		    ((offered & ~SASL_OFFER_USER) == 0 &&
			*mechanism != SASL_USER))
			return true;
	}
	buf_init(&offers, OFFERED_TEXT_MAX);
	if (offered == 0)
		buf_add(&offers, SLICE("nothing"));
	sasl_list(offered, ", ", &offers);
	if (auth == AUTH_AUTO)
		refuse_all(token, offered, buf_string(&offers), err);
	else
		refuse_named(*mechanism, buf_string(&offers), err);
	buf_clear(&offers);
	return false;
}

void
sasl_hint(enum auth wanted, bool token, unsigned offered, struct error *err)
{
	const unsigned both = 1U << SASL_SCRAM_SHA_256 | 1U << SASL_PLAIN;
	struct error refusal = *err;

	if (err->kind == ERROR_LOGIN && wanted == AUTH_AUTO && !token &&
	    (offered & both) == both)
		error_set(err, ERROR_LOGIN,
		    "%s; if the password is right, try auth: plain",
		    refusal.text);
}
