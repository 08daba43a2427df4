/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "config/providers.h"
#include "mail/header.h"
#include "recipients/candidates.h"

static const struct accepted_domain domains[] = {
	{ .name = "example.org" },
	{ .name = ".example.org" },
};
static const struct address announced[] = {
	{ "anna", "example.org" },
	{ "berta", "example.org" },
};
static const struct address talkers[] = {
	{ "berta", "example.org" },
	{ "carl", "example.org" },
};
static const struct mailing_list lists[] = {
	{ "announce.lists.example.com", announced, 2 },
	{ "talk@lists.example.com", talkers, 2 },
};
static const struct config config = {
	.domains = domains,
	.n_domains = 2,
	.lists = lists,
	.n_lists = 2,
};
static const char *const to_cc_bcc[] = { "To", "Cc", "Bcc", NULL };
static const char *const with_subject[] = { "To", "Cc", "Subject", NULL };
static const char *const kundenserver[] = { ".kundenserver.de", NULL };
static const char *const google[] = { "mx.google.com", NULL };

struct fixture {
	struct address own;
	struct account account;
	struct candidates found;
};

static int
set_up(void **state)
{
	struct fixture *f = mem_new(sizeof(*f));

	address_parse(SLICE("box17@isp.example"), &f->own);
	f->account = (struct account){
		.name = "office",
		.mailbox = MAILBOX_CATCH_ALL,
		.addresses = &f->own,
		.n_addresses = 1,
		.recipients = { .tiers = { TIER_ENVELOPE, TIER_RECEIVED,
				    TIER_HEADERS },
		    .n_tiers = 3,
		    .occurrence = 1,
		    .strip_prefix = "",
		    .headers = to_cc_bcc },
	};
	address_parse(SLICE("office@example.org"), &f->account.fallback);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	candidates_clear(&f->found);
	free(f);
	return 0;
}

/* The candidates in one line: "/foreign", "/own" behind the address, or the
 * text and "/invalid"; blanks between. */
static void
write_candidates(const struct candidates *c, char *out, size_t size)
{
	static const char *const ends[] = { "", "/foreign", "/own",
		"/invalid" };
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < c->n && len < size; i++) {
		char text[ADDRESS_TEXT_SIZE];
		bool invalid = c->all[i].kind == CANDIDATE_INVALID;

		len += (size_t)snprintf(out + len, size - len, "%s%s%s",
		    i == 0 ? "" : " ",
		    invalid ? c->all[i].text
			    : address_write(&c->all[i].address, text),
		    ends[c->all[i].kind]);
	}
}

static void
assert_printable(const char *text)
{
	for (; *text != '\0'; text++)
		assert_in_range(*text, ' ', '~');
}

static void
check_explanation(const struct candidates *c)
{
	assert_true(c->n_findings > 0);
	for (size_t i = 0; i < c->n_findings; i++) {
		assert_printable(c->findings[i].subject);
		assert_printable(c->findings[i].text);
	}
	for (size_t i = 0; i < c->n_warnings; i++)
		assert_printable(c->warnings[i]);
	for (size_t i = 0; i < c->n; i++)
		assert_printable(c->all[i].text);
}

static void
find_in(struct fixture *f, const char *header)
{
	candidates_clear(&f->found);
	candidates_find(&config, &f->account, slice_of(header), &f->found);
	check_explanation(&f->found);
}

static void
find_in_file(struct fixture *f, const char *name)
{
	char path[128];
	struct error err;
	struct buf mail;

	snprintf(path, sizeof(path), "tests/data/recipients/%s.eml", name);
	buf_init(&mail, HEADER_HELD_MAX);
	if (!file_read(path, &mail, &err))
		fail_msg("%s", err.text);
	candidates_clear(&f->found);
	candidates_find(&config, &f->account, buf_slice(&mail), &f->found);
	check_explanation(&f->found);
	buf_clear(&mail);
}

/* One line of tests/data/recipients/expectations. */
struct expectation {
	char *file, *tier, *candidates;
	char *hosts[2], *fields[2]; /* NULL: as usual */
	char *strip, *suffix;
	const struct provider *provider; /* NULL: none */
	int occurrence;
	bool bottom, subject;
};

static char *
copy(struct slice s)
{
	s = slice_trim(s);
	return mem_string_len(s.data, s.len);
}

static const struct provider *
find_provider(struct slice word)
{
	const struct schema_word *w = provider_words;

	while (w->word != NULL && !slice_equal(word, slice_of(w->word)))
		w++;
	if (w->word == NULL)
		fail_msg("no provider %.*s", SLICE_ARG(word));
	return w->provider;
}

static void
read_setting(struct slice word, struct expectation *e)
{
	uint64_t number = 0;

	if (slice_cut_prefix(&word, SLICE("hosts=")))
		e->hosts[0] = copy(word);
	else if (slice_cut_prefix(&word, SLICE("provider=")))
		e->provider = find_provider(word);
	else if (slice_cut_prefix(&word, SLICE("field=")))
		e->fields[0] = copy(word);
	else if (slice_cut_prefix(&word, SLICE("strip=")))
		e->strip = copy(word);
	else if (slice_cut_prefix(&word, SLICE("suffix=")))
		e->suffix = copy(word);
	else if (slice_equal(word, SLICE("occurrence=last")))
		e->occurrence = OCCURRENCE_LAST;
	else if (slice_equal(word, SLICE("occurrence=all")))
		e->occurrence = OCCURRENCE_ALL;
	else if (slice_cut_prefix(&word, SLICE("occurrence=")) &&
		 slice_cut_number(&word, 9, &number))
		e->occurrence = (int)number;
	else if (slice_equal(word, SLICE("bottom")))
		e->bottom = true;
	else if (slice_equal(word, SLICE("subject")))
		e->subject = true;
	else
		fail_msg("setting %.*s", SLICE_ARG(word));
}

static void
read_expectation(struct slice line, struct expectation *e)
{
	struct slice file, settings, tier, word;

	*e = (struct expectation){ .occurrence = 1 };
	assert_true(slice_cut_until(&line, ':', &file));
	assert_true(slice_cut_until(&line, ':', &settings));
	assert_true(slice_cut_until(&line, ':', &tier));
	e->file = copy(file);
	e->tier = copy(tier);
	e->candidates = copy(line);
	while (slice_cut_word(&settings, &word))
		read_setting(word, e);
}

static void
clear_expectation(struct expectation *e)
{
	free(e->file);
	free(e->tier);
	free(e->candidates);
	free(e->hosts[0]);
	free(e->fields[0]);
	free(e->strip);
	free(e->suffix);
}

static void
check_expectation(struct fixture *f, struct expectation *e)
{
	struct recipient_settings *s = &f->account.recipients;
	char line[1024];

	s->trusted_hosts = (const char *const *)e->hosts;
	s->envelope_headers =
	    e->fields[0] == NULL ? NULL : (const char *const *)e->fields;
	s->strip_prefix = e->strip == NULL ? "" : e->strip;
	s->strip_suffix = e->suffix == NULL ? "" : e->suffix;
	s->headers = e->subject ? with_subject : to_cc_bcc;
	s->occurrence = e->occurrence;
	s->position_bottom = e->bottom;
	s->n_tiers = 0;
	for (enum tier i = TIER_ENVELOPE; i <= TIER_HEADERS; i++)
		s->tiers[s->n_tiers++] = i;
	if (e->provider != NULL) {
		provider_apply(e->provider, &f->account);
		if (e->fields[0] != NULL)
			s->envelope_headers = (const char *const *)e->fields;
	}
	find_in_file(f, e->file);
	write_candidates(&f->found, line, sizeof(line));
	assert_string_equal(line, e->candidates);
	assert_string_equal(tier_name(f->found.tier), e->tier);
}

static void
check_all_providers_are_in(struct slice lines)
{
	for (const struct schema_word *w = provider_words; w->word != NULL;
	     w++) {
		char setting[64];

		snprintf(setting, sizeof(setting), ": provider=%s:", w->word);
		if (slice_search_nocase(lines, slice_of(setting)) == lines.len)
			fail_msg("no mail of the provider %s", w->word);
	}
}

static void
ReadsMailAsProvidersDeliverIt(void **state)
{
	struct slice rest, line;
	struct error err;
	struct buf lines;
	size_t n = 0;

	buf_init(&lines, 64 * 1024);
	if (!file_read("tests/data/recipients/expectations", &lines, &err))
		fail_msg("%s", err.text);
	rest = buf_slice(&lines);
	check_all_providers_are_in(rest);
	while (slice_cut_line(&rest, &line)) {
		struct expectation e;

		if (line.len == 0 || line.data[0] == '#')
			continue;
		print_message("%.*s\n", SLICE_ARG(line));
		read_expectation(line, &e);
		check_expectation(*state, &e);
		clear_expectation(&e);
		n++;
	}
	assert_true(n > 50);
	buf_clear(&lines);
}

static const struct finding *
finding_of(const struct candidates *c, const char *step, const char *result)
{
	for (size_t i = 0; i < c->n_findings; i++)
		if (strcmp(c->findings[i].step, step) == 0 &&
		    strcmp(c->findings[i].result, result) == 0)
			return &c->findings[i];
	fail_msg("no finding %s %s", step, result);
	return NULL;
}

static void
ExplainsTheBoundaryAndWhatIsForged(void **state)
{
	struct fixture *f = *state;

	f->account.recipients.trusted_hosts = kundenserver;
	f->account.recipients.position_bottom = true;
	find_in_file(f, "ionos-mismatch");
	assert_string_equal(finding_of(&f->found, "boundary", "found")->subject,
	    "mx.kundenserver.de");
	assert_string_equal(
	    finding_of(&f->found, "field", "forged")->subject, "Envelope-To");
	assert_string_equal(
	    finding_of(&f->found, "tier", "nobody")->subject, "envelope");
	assert_string_equal(
	    finding_of(&f->found, "tier", "decides")->subject, "received");
	assert_string_equal(
	    finding_of(&f->found, "candidate", "usable")->subject,
	    "anna@example.org");
	assert_int_equal(f->found.n_warnings, 1);
	f->account.recipients.position_bottom = false;
	f->account.recipients.trusted_hosts = google;
	find_in_file(f, "ionos-mismatch");
	finding_of(&f->found, "boundary", "topmost");
	finding_of(&f->found, "field", "untrusted");
	assert_int_equal(f->found.n_warnings, 1);
}

static void
ExplainsWhichListItIs(void **state)
{
	struct fixture *f = *state;

	find_in_file(f, "list-id");
	assert_string_equal(finding_of(&f->found, "list", "mapped")->subject,
	    "announce.lists.example.com");
	assert_string_equal(
	    finding_of(&f->found, "field", "taken")->subject, "list-ID");
	assert_int_equal(f->found.n_warnings, 0);
	find_in_file(f, "list-post-no");
	assert_string_equal(finding_of(&f->found, "list", "unknown")->subject,
	    "talk.lists.example.com");
	find_in_file(f, "list-id-twice");
	assert_string_equal(finding_of(&f->found, "list", "forged")->subject,
	    "other.lists.example.com");
	assert_int_equal(f->found.n_warnings, 1);
}

static void
check_sender(struct fixture *f, const char *file, bool has, const char *sender)
{
	char text[ADDRESS_TEXT_SIZE];

	find_in_file(f, file);
	assert_int_equal(f->found.has_sender, has);
	assert_string_equal(address_write(&f->found.sender, text), sender);
}

#define LONG "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void
TakesTheSenderFromTheTrustedZone(void **state)
{
	struct fixture *f = *state;

	check_sender(f, "postfix-pair", true, "bob@other.example");
	assert_int_equal(f->found.n_warnings, 0);
	check_sender(f, "null-sender", true, "");
	assert_int_equal(f->found.n_warnings, 0);
	check_sender(f, "sender-below", false, "");
	assert_int_equal(f->found.n_warnings, 0);
	check_sender(f, "sender-broken", false, "");
	assert_int_equal(f->found.n_warnings, 1);
	/* Each part by itself is short enough. */
	find_in(
	    f, "Return-Path: <" LONG LONG "@" LONG "." LONG "." LONG ".org>\n");
	assert_false(f->found.has_sender);
	assert_true(address_is_null(&f->found.sender));
	/* Below the topmost Received, above the boundary. */
	check_sender(f, "google-plain", false, "");
	f->account.recipients.trusted_hosts = google;
	check_sender(f, "google-plain", true, "bob@other.example");
}

static void
CountsReceivedAndSeesItsOwnTrace(void **state)
{
	struct fixture *f = *state;

	find_in_file(f, "received-46");
	assert_int_equal(f->found.received_fields, 46);
	assert_false(f->found.traces.same);
	find_in_file(f, "own-loop");
	assert_true(f->found.traces.same);
	find_in_file(f, "other-trace");
	assert_false(f->found.traces.same);
	f->account.mailbox = MAILBOX_SINGLE;
	find_in_file(f, "own-loop");
	assert_true(f->found.traces.same);
	assert_int_equal(f->found.received_fields, 1);
	assert_true(f->found.has_sender);
}

static void
LooksForNobodyInASingleMailbox(void **state)
{
	struct fixture *f = *state;

	f->account.mailbox = MAILBOX_SINGLE;
	find_in_file(f, "postfix-pair");
	assert_int_equal(f->found.tier, TIER_SINGLE);
	assert_int_equal(f->found.n, 0);
}

static void
UsesOnlyTheTiersThatAreSet(void **state)
{
	struct fixture *f = *state;
	struct recipient_settings *s = &f->account.recipients;

	s->n_tiers = 0;
	find_in_file(f, "postfix-pair");
	assert_int_equal(f->found.tier, TIER_FALLBACK);
	assert_int_equal(f->found.n, 0);
	s->n_tiers = 1;
	s->tiers[0] = TIER_HEADERS;
	find_in_file(f, "postfix-pair");
	assert_int_equal(f->found.tier, TIER_HEADERS);
}

static void
TheTicketHoldsUsableAndForeignOnes(void **state)
{
	struct fixture *f = *state;
	struct ticket ticket;

	find_in_file(f, "copies");
	candidates_ticket(&f->found, &f->account, "4711", &ticket);
	assert_string_equal(ticket.account, "yaml:office");
	assert_string_equal(ticket.id, "4711");
	assert_int_equal(ticket.tier, TIER_HEADERS);
	assert_true(address_equal(&ticket.fallback, &f->account.fallback));
	assert_int_equal(ticket.n_candidates, 2);
	assert_string_equal(ticket.candidates[0].local, "anna");
	assert_string_equal(ticket.candidates[1].local, "carl");
	ticket_clear(&ticket);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ReadsMailAsProvidersDeliverIt),
		TEST(ExplainsTheBoundaryAndWhatIsForged),
		TEST(ExplainsWhichListItIs),
		TEST(TakesTheSenderFromTheTrustedZone),
		TEST(CountsReceivedAndSeesItsOwnTrace),
		TEST(LooksForNobodyInASingleMailbox),
		TEST(UsesOnlyTheTiersThatAreSet),
		TEST(TheTicketHoldsUsableAndForeignOnes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
