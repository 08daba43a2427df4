/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/smtp.h"

enum { ANYWHERE = -1 };

/* Codes by which a server says that it does not want to talk with us so: never
 * the fault of a message. */
static const unsigned unavailable_codes[] = { 421, 500, 502, 503, 504, 530,
	555 };

/* How replies begin that are no fault of the message.  The recipient is always
 * the account's fallback: what is wrong with it is wrong for all. */
static const struct {
	int stage;
	struct slice words;
} unavailable_words[] = {
	{ ANYWHERE, SLICE("4.3.1") }, /* no space left */
	{ ANYWHERE, SLICE("4.3.2") }, /* not accepting, shutting down */
	/* Postfix, when a milter is away. */
	{ ANYWHERE, SLICE("4.7.1 Service unavailable") },
	/* Postfix, when cleanup(8) cannot write. */
	{ ANYWHERE, SLICE("4.3.0 Error:") },
	{ SMTP_AT_RCPT, SLICE("4.3.") },
	{ SMTP_AT_RCPT, SLICE("5.1.") },
};
/* Postfix and Sendmail, when the fallback's domain is none of theirs; it shares
 * its enhanced status with what a policy server says of the client. */
static const struct slice relaying[] = { SLICE("Relay access denied"),
	SLICE("Relaying denied") };

static bool
is_unavailable(const struct smtp_refusal *r)
{
	for (size_t i = 0;
	     i < sizeof(unavailable_codes) / sizeof(*unavailable_codes); i++)
		if (r->code == unavailable_codes[i])
			return true;
	for (size_t i = 0;
	     i < sizeof(unavailable_words) / sizeof(*unavailable_words); i++)
		if ((unavailable_words[i].stage == ANYWHERE ||
			unavailable_words[i].stage == (int)r->stage) &&
		    slice_starts_nocase(r->words, unavailable_words[i].words))
			return true;
	for (size_t i = 0; i < sizeof(relaying) / sizeof(*relaying); i++)
		if (r->stage == SMTP_AT_RCPT &&
		    slice_search_nocase(r->words, relaying[i]) < r->words.len)
			return true;
	return false;
}

/* 552 is "mailbox full" too (RFC 5321 4.2.2, RFC 3463 5.2.2). */
static bool
is_oversize(const struct smtp_refusal *r)
{
	return slice_starts(r->words, SLICE("5.3.4")) ||
	       slice_starts(r->words, SLICE("5.2.3")) ||
	       (r->code == 552 && !slice_starts(r->words, SLICE("5.2.2")));
}

enum smtp_verdict
smtp_judge(const struct smtp_refusal *r)
{
	if (is_unavailable(r))
		return SMTP_UNAVAILABLE;
	if (is_oversize(r))
		return SMTP_OVERSIZE;
	return r->code < 500 ? SMTP_DEFERRED : SMTP_REFUSED;
}
