/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy WHAT CANDIDATES ROUNDS - prints the median and the 99th percentile of
 * what one message costs, in microseconds.
 *
 * fetcher: who is named in a header of 22 fields, and the ticket for it.
 * milter: all that is done at the end of that message, up to the edits: the key
 * file, the ticket, the directory with a warm cache (an LDAP server of this
 * program's own answered before), the policy, three rules, the log line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "directory/inquiry.h"
#include "milter/verdict.h"
#include "recipients/candidates.h"
#include "tests/support/ldap_server.h"

enum { PEOPLE_MAX = 600, HEADER_MAX = 65536 };

struct scene {
	char folder[64];
	size_t n_people;
	struct ldap_server *server;
	struct config *config;
	struct directory *directory;
	struct buf header;
	struct session session;
};

static void
give_up(const char *what)
{
	fprintf(stderr, "policy: %s\n", what);
	exit(1);
}

/* --- before the clock starts -------------------------------------------- */

static void
start_server(struct scene *s)
{
	const char **people = mem_new_array(s->n_people + 1, sizeof(*people));
	char address[64];

	for (size_t i = 0; i < s->n_people; i++) {
		snprintf(address, sizeof(address), "person%zu@example.org", i);
		people[i] = mem_string(address);
	}
	s->server = ldap_server_start();
	s->server->people = people;
}

static void
load_config(struct scene *s)
{
	char path[128];
	FILE *out;

	snprintf(path, sizeof(path), "%s/mailhaul.yaml", s->folder);
	if ((out = fopen(path, "we")) == NULL)
		give_up("cannot write the configuration");
	fprintf(out,
	    "postmaster: postmaster@example.org\n"
	    "accepted_domains: [example.com, example.net, example.org]\n"
	    "state_dir: %s\n"
	    "directory:\n"
	    "  - ldap: {uri: [\"%s\"], base: o=x, schema: openldap}\n"
	    "cache: {found: 1h, stale: 1h}\n"
	    "rules:\n"
	    "  - {if: {subject: {contains: \"[sales]\"}},"
	    " then: {add: [sales@example.org]}}\n"
	    "  - {if: {sender: {ends: \"@spam.example\"}}, then: {hold: "
	    "true}}\n"
	    "  - {if: {recipient: {glob: \"person0@*\"}},"
	    " then: {add: [office@example.org]}}\n"
	    "accounts:\n"
	    "  - {name: office, protocol: pop3s, host: pop.isp.example,"
	    " user: box17@isp.example, password: {command: [/bin/true]},"
	    " mailbox: catch_all, fallback: office@example.org,"
	    " recipients: {trusted_hosts: [.isp.example]}}\n",
	    s->folder, s->server->uri);
	fclose(out);
	s->config = config_load(path, stderr);
	if (s->config == NULL)
		give_up("the configuration is wrong");
	unlink(path);
	s->directory = directory_new(s->config);
}

static void
warm_cache(struct scene *s)
{
	struct directory_answer answer;
	struct address address;

	for (size_t i = 0; i < s->n_people; i++) {
		if (address_parse(slice_of(s->server->people[i]), &address) !=
		    ADDRESS_OK)
			give_up("cannot make an address");
		directory_lookup(s->directory, &address, &answer);
		if (answer.existence != EXISTS)
			give_up(answer.reason);
	}
}

static void
write_header(struct scene *s)
{
	static const char above[] =
	    "Return-Path: <newsletter-bounces@sender.example>\n"
	    "Received: from lmtp.isp.example ([10.1.2.3])\n"
	    "\tby store7.isp.example with LMTP id aBcDeFgHiJkL\n"
	    "\t(envelope-from <newsletter-bounces@sender.example>);\n"
	    "\tSat, 21 Nov 2026 10:00:02 +0000\n"
	    "Received: from out3.sender.example (out3.sender.example"
	    " [192.0.2.7])\n"
	    "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256"
	    " bits))\n"
	    "\tby mx1.isp.example (Postfix) with ESMTPS id 4AB123;\n"
	    "\tSat, 21 Nov 2026 10:00:01 +0000 (UTC)\n"
	    "Received: from app.sender.example (app.sender.example"
	    " [198.51.100.3])\n"
	    "\tby out3.sender.example with ESMTP id 77; Sat, 21 Nov 2026"
	    " 10:00:00 +0000\n"
	    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;"
	    " d=sender.example;\n"
	    "\ts=mail; t=1795255200; h=from:to:subject:date:message-id;\n"
	    "\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n"
	    "\tb=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZ\n"
	    "\tVoG4ZHRNiYzR1x1Q2kqzFz7VQ0nq5lH5dWlq3Zp7aQ6h5gGd6mJ5y1\n";
	static const char below[] =
	    "From: Some One <newsletter@sender.example>\n"
	    "Reply-To: Some One <some.one@sender.example>\n"
	    "Subject: =?UTF-8?Q?Angebot_f=C3=BCr_November?=\n"
	    "Date: Sat, 21 Nov 2026 10:00:00 +0000\n"
	    "Message-ID: <20261121100000.1234@sender.example>\n"
	    "In-Reply-To: <20261120100000.99@example.org>\n"
	    "References: <20261120100000.99@example.org>\n"
	    "\t<20261119100000.98@example.org>\n"
	    "MIME-Version: 1.0\n"
	    "Content-Type: multipart/alternative; boundary=\"=_abc\"\n"
	    "List-Id: News <news.sender.example>\n"
	    "List-Unsubscribe: <https://sender.example/u?id=123456>\n"
	    "X-Mailer: Mailer 7.1\n"
	    "X-Spam-Checked: yes\n"
	    "X-Priority: 3\n"
	    "Thread-Index: AQHaHJkq0123456789abcdefghijklmnop==\n"
	    "Thread-Topic: Angebot\n"
	    "\n";

	buf_init(&s->header, HEADER_MAX);
	buf_add_string(&s->header, above);
	for (size_t i = 0; i < s->n_people; i++)
		buf_printf(&s->header,
		    "%s\"Person %zu\" <person%zu@example.org>",
		    i == 0 ? "To: " : ",\n\t", i, i);
	buf_add_string(&s->header, "\n");
	buf_add_string(&s->header, below);
}

/* --- what the fetcher does ----------------------------------------------- */

static bool
write_ticket(struct scene *s, const struct ticket_key *key, struct buf *field)
{
	const struct account *account = &s->config->accounts[0];
	struct candidates candidates;
	struct ticket ticket;
	bool written;

	candidates_find(s->config, account, buf_slice(&s->header), &candidates);
	candidates_ticket(&candidates, account, "1795255200.7", &ticket);
	written = ticket.n_candidates == s->n_people &&
		  ticket_write(&ticket, key, field);
	candidates_clear(&candidates);
	ticket_clear(&ticket);
	return written;
}

static void
collect_message(struct scene *s)
{
	static const uint8_t bytes[TICKET_KEY_SIZE] = "a key of the fetcher";
	struct ticket_key key;
	struct buf field;

	buf_init(&field, TICKET_MAX);
	ticket_key_init(&key, bytes);
	if (!write_ticket(s, &key, &field))
		give_up("the candidates are not those of the header");
	buf_clear(&field);
}

/* --- what the milter does ------------------------------------------------ */

static void
begin_session(struct scene *s)
{
	struct ticket_keys keys;
	struct error err;
	struct buf field;

	if (!ticket_keys_load(s->folder, &keys, &err))
		give_up(err.text);
	buf_init(&field, TICKET_MAX);
	if (!write_ticket(s, &keys.key[0], &field))
		give_up("the candidates are not those of the header");
	/* Without name and last line end. */
	buf_drop(&field, strlen(TICKET_FIELD) + 2);
	field.data[field.len - 1] = '\0';
	session_mail(&s->session, "<newsletter-bounces@sender.example>",
	    (struct session_mta){ "Postfix 3.7.11", "4F00A1", NULL });
	session_want(&s->session, s->config, false);
	session_rcpt(&s->session, "<office@example.org>");
	session_header(&s->session, TICKET_FIELD, (const char *)field.data);
	session_header(&s->session, "Subject", "Angebot");
	buf_clear(&field);
}

static void
judge_message(struct scene *s)
{
	struct inquiry inquiry;
	struct ticket_keys keys;
	struct verdict verdict;
	struct error err;
	struct buf line;

	if (!ticket_keys_load(s->config->state_dir, &keys, &err))
		give_up(err.text);
	inquiry_begin(
	    &inquiry, s->directory, clock_monotonic_ms() + INQUIRY_MS);
	verdict_make(&(struct verdict_question){ .session = &s->session,
			 .config = s->config,
			 .keys = &keys,
			 .prepare = inquiry_prepare,
			 .lookup = inquiry_lookup,
			 .context = &inquiry },
	    &verdict);
	inquiry_end(&inquiry);
	buf_init(&line, 4096);
	verdict_write(&verdict, &s->session, &line);
	/* Everybody but the fallback, which the rule adds. */
	if (verdict.status != VERDICT_ROUTED || verdict.n_add != s->n_people)
		give_up(buf_string(&line));
	buf_clear(&line);
	verdict_clear(&verdict);
}

/* --- the clock ----------------------------------------------------------- */

static const struct {
	const char *name;
	void (*run)(struct scene *);
} works[] = {
	{ "fetcher", collect_message },
	{ "milter", judge_message },
};

static double
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
measure(void (*run)(struct scene *), struct scene *s, size_t rounds)
{
	double *taken = mem_new_array(rounds, sizeof(*taken)), begun;

	for (size_t i = 0; i < rounds; i++) {
		begun = now_us();
		run(s);
		taken[i] = now_us() - begun;
	}
	qsort(taken, rounds, sizeof(*taken), compare);
	printf("%.1f %.1f\n", taken[rounds / 2], taken[rounds * 99 / 100]);
	free(taken);
}

static void
prepare(struct scene *s)
{
	snprintf(s->folder, sizeof(s->folder), "/tmp/policy-XXXXXX");
	if (mkdtemp(s->folder) == NULL)
		give_up("cannot make a folder in /tmp");
	start_server(s);
	load_config(s);
	write_header(s);
	begin_session(s);
	warm_cache(s);
}

static void
clean_up(struct scene *s)
{
	char key[128];

	session_clear(&s->session);
	buf_clear(&s->header);
	directory_free(s->directory);
	config_unref(s->config);
	ldap_server_stop(s->server);
	snprintf(key, sizeof(key), "%s/ticket.key", s->folder);
	unlink(key);
	rmdir(s->folder);
}

int
main(int argc, char **argv)
{
	struct scene s = { .n_people = 0 };
	size_t rounds;

	if (argc != 4)
		give_up("usage: policy fetcher|milter CANDIDATES ROUNDS");
	s.n_people = strtoul(argv[2], NULL, 10);
	rounds = strtoul(argv[3], NULL, 10);
	if (s.n_people == 0 || s.n_people > PEOPLE_MAX || rounds == 0)
		give_up("CANDIDATES from 1 to 600, ROUNDS from 1");
	prepare(&s);
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		if (strcmp(works[i].name, argv[1]) == 0)
			measure(works[i].run, &s, rounds);
	clean_up(&s);
	return 0;
}
