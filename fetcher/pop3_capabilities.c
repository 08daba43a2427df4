/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pop3_machine.h"

#include <assert.h>

enum {
	CAPABILITIES_MAX = 256,
	/* No server means more by LOGIN-DELAY than a day, by EXPIRE than ten
	 * years: not believed. */
	LOGIN_DELAY_MAX_S = 24 * 60 * 60,
	EXPIRE_MAX_DAYS = 3660,
};

static const struct {
	struct slice name;
	size_t fact; /* its place in struct protocol_facts */
} plain_facts[] = {
	{ SLICE("STLS"), offsetof(struct protocol_facts, starttls) },
	{ SLICE("PIPELINING"), offsetof(struct protocol_facts, pipelining) },
	{ SLICE("TOP"), offsetof(struct protocol_facts, top) },
	{ SLICE("UIDL"), offsetof(struct protocol_facts, uidl) },
	{ SLICE("USER"), offsetof(struct protocol_facts, user) },
	{ SLICE("UTF8"), offsetof(struct protocol_facts, utf8) },
	{ SLICE("RESP-CODES"), offsetof(struct protocol_facts, resp_codes) },
};

typedef void words_reader(struct protocol_facts *, struct slice words);

static void
read_sasl(struct protocol_facts *facts, struct slice words)
{
	struct slice name;

	while (slice_cut_word(&words, &name))
		facts->mechanisms |= sasl_offer(name);
}

/* 0 for all that is not a number in bounds: "NEVER", above all. */
static uint32_t
first_number(struct slice words, uint32_t max)
{
	struct slice word;
	uint64_t value;

	if (!slice_cut_word(&words, &word) ||
	    !slice_cut_number(&word, max, &value) || word.len > 0)
		return 0;
	return (uint32_t)value;
}

static void
read_login_delay(struct protocol_facts *facts, struct slice words)
{
	facts->login_delay_s = first_number(words, LOGIN_DELAY_MAX_S);
}

static void
read_expire(struct protocol_facts *facts, struct slice words)
{
	facts->expire_days = first_number(words, EXPIRE_MAX_DAYS);
}

static const struct {
	struct slice name;
	words_reader *read;
} facts_with_words[] = {
	{ SLICE("SASL"), read_sasl },
	{ SLICE("LOGIN-DELAY"), read_login_delay },
	{ SLICE("EXPIRE"), read_expire },
};

static void
read_capability(struct protocol_facts *facts, struct slice line)
{
	struct slice name;

	if (!slice_cut_word(&line, &name))
		return;
	for (size_t i = 0; i < sizeof(plain_facts) / sizeof(*plain_facts);
	     i++) {
		if (slice_equal_nocase(name, plain_facts[i].name))
			*(bool *)((char *)facts + plain_facts[i].fact) = true;
	}
	for (size_t i = 0;
	     i < sizeof(facts_with_words) / sizeof(*facts_with_words); i++) {
		if (slice_equal_nocase(name, facts_with_words[i].name))
			facts_with_words[i].read(facts, line);
	}
}

static bool
is_starttls_due(const struct pop3 *s)
{
	const struct account *account = s->login->account;

	return !s->secured && account->protocol == PROTOCOL_POP3 &&
	       account->tls.mode == TLS_REQUIRED;
}

static struct protocol_action
after_capabilities(struct pop3 *s, struct error *err)
{
	s->facts.capa_due = false;
	if (is_starttls_due(s)) {
		if (s->facts.starttls)
			return pop3_ask(s, STLS, "STLS\r\n");
		error_set(err, ERROR_TLS,
		    "server does not offer STLS; use protocol: pop3s");
		return pop3_failed;
	}
	if (s->facts.utf8 && s->login->smtputf8)
		return pop3_ask(s, UTF8, "UTF8\r\n");
	return pop3_log_in(s, err);
}

/* A server that does not know CAPA may know STLS: asking tells. */
static struct protocol_action
without_capabilities(struct pop3 *s, struct error *err)
{
	s->facts.starttls = true;
	return after_capabilities(s, err);
}

static struct protocol_action
ask_capabilities(struct pop3 *s, struct error *err)
{
	s->facts = (struct protocol_facts){ 0 };
	s->listed = 0;
	if (s->login->without_capa)
		return without_capabilities(s, err);
	s->facts.capa_due = true;
	return pop3_ask(s, CAPA, "CAPA\r\n");
}

struct protocol_action
pop3_on_greeting(struct pop3 *s, struct slice line, struct error *err)
{
	if (pop3_is_ok(line))
		return ask_capabilities(s, err);
	if (!slice_starts(line, SLICE("* ")))
		return pop3_refused(s, ERROR_RETRY, line, err);
	error_set(err, ERROR_PROTOCOL,
	    "an IMAP server answers here; use protocol: imap or imaps, or "
	    "another port");
	return pop3_failed;
}

struct protocol_action
pop3_on_capa(struct pop3 *s, struct slice line, struct error *err)
{
	if (pop3_is_ok(line)) {
		s->facts.capa = true;
		return pop3_enter(s, CAPA_LIST, DO_WAIT);
	}
	if (!pop3_is_refusal(line))
		return pop3_broken(s, line, err);
	return without_capabilities(s, err);
}

struct protocol_action
pop3_on_capa_list(struct pop3 *s, struct slice line, struct error *err)
{
	if (pop3_is_list_end(line))
		return after_capabilities(s, err);
	if (++s->listed > CAPABILITIES_MAX) {
		error_set(err, ERROR_PROTOCOL, "CAPA list does not end");
		return pop3_failed;
	}
	read_capability(&s->facts, line);
	return pop3_enter(s, CAPA_LIST, DO_WAIT);
}

struct protocol_action
pop3_on_stls(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return pop3_refused(s, ERROR_TLS, line, err);
	return pop3_enter(s, HANDSHAKE, DO_START_TLS);
}

struct protocol_action
pop3_secured(void *m, struct error *err)
{
	struct pop3 *s = m;

	assert(s->state == HANDSHAKE);
	s->secured = true;
	return ask_capabilities(s, err);
}

struct protocol_action
pop3_on_utf8(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line) && !pop3_is_refusal(line))
		return pop3_broken(s, line, err);
	return pop3_log_in(s, err);
}
