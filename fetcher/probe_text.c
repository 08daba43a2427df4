/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/probe_report.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/readable.h"
#include "mail/header.h"

enum { FOLDERS_SHOWN = 50, PEOPLE_SHOWN = 5, NAME_MAX_LEN = 200 };

/* "heading: a, b, c" of lines. */
static void
print_list(const char *heading, const struct buf *lines)
{
	struct slice rest = buf_slice(lines), line;
	const char *between = "";

	if (rest.len == 0)
		return;
	printf("  %s: ", heading);
	while (slice_cut_line(&rest, &line)) {
		printf("%s%.*s", between, SLICE_ARG(line));
		between = ", ";
	}
	putchar('\n');
}

static void
print_each(const char *before, const struct buf *lines)
{
	struct slice rest = buf_slice(lines), line;

	while (slice_cut_line(&rest, &line))
		printf("%s%.*s\n", before, SLICE_ARG(line));
}

static void
print_certificate(const struct probe_report *r)
{
	if (r->certified)
		printf("  certificate: for %s; by %s; until %s; SHA-256 %s\n",
		    r->certificate.subject, r->certificate.issuer,
		    r->certificate.until, r->certificate.fingerprint);
}

/* Most hosts have one for all ways. */
static bool
is_same_certificate(const struct probe_report *a, const struct probe_report *b)
{
	return a->certified && b->certified &&
	       strcmp(a->certificate.fingerprint, b->certificate.fingerprint) ==
		   0;
}

static void
print_offers(const struct probe_report *r)
{
	struct buf lines;

	buf_init(&lines, PROBE_TEXT_MAX);
	probe_list_capabilities(r, &lines);
	print_list("offers", &lines);
	buf_reset(&lines);
	probe_list_mechanisms(r, &lines);
	print_list("logins", &lines);
	buf_clear(&lines);
}

static void
print_folders(const struct probe_report *r)
{
	char name[NAME_MAX_LEN];

	for (size_t i = 0; i < r->n_folders && i < FOLDERS_SHOWN; i++)
		printf("%s%s%s", i == 0 ? "  folders: " : ", ",
		    log_safe(name, sizeof(name), slice_of(r->folders[i].name)),
		    r->folders[i].special ? " (the server's)" : "");
	if (r->n_folders > FOLDERS_SHOWN)
		printf(", and %zu more", r->n_folders - FOLDERS_SHOWN);
	if (r->n_folders > 0)
		putchar('\n');
}

static void
print_advice(const struct probe_report *r)
{
	struct buf lines;

	buf_init(&lines, PROBE_TEXT_MAX);
	probe_advise(r, &lines);
	print_each("  ", &lines);
	buf_clear(&lines);
}

static void
print_people(const struct survey_people *people)
{
	char text[ADDRESS_TEXT_SIZE], safe[ADDRESS_TEXT_SIZE];

	for (unsigned i = 0; i < people->n && i < PEOPLE_SHOWN; i++)
		printf("%s%s", i == 0 ? ": " : ", ",
		    log_safe(safe, sizeof(safe),
			slice_of(address_write(&people->all[i], text))));
	if (people->n > PEOPLE_SHOWN)
		fputs(", and more", stdout);
	putchar('\n');
}

static void
print_field(const struct survey *s, const struct survey_field *f)
{
	if (f->above > 0) {
		printf("    %s: in %u of %u", f->name, f->above, s->messages);
		print_people(&f->above_people);
	} else if (f == s->best) {
		printf("    %s: in %u of %u, at the bottom", f->name, f->bottom,
		    s->messages);
		print_people(&f->bottom_people);
	} else {
		printf("    %s: in %u of %u, but only where a sender may have "
		       "written it\n",
		    f->name, f->below, s->messages);
	}
}

static void
print_survey(const struct survey *s)
{
	printf("  headers of the newest %u message%s:\n", s->messages,
	    readable_plural(s->messages));
	for (unsigned i = 0; i < s->n_fields; i++)
		print_field(s, &s->fields[i]);
	if (s->n_fields == 0)
		puts("    none of the fields in which providers record the "
		     "recipient");
	for (unsigned i = 0; i < s->n_tops; i++)
		printf("    Received by %s on top of %u\n", s->tops[i].name,
		    s->tops[i].messages);
	if (s->n_trusted > 0)
		printf("    the line with which the provider took it in: found "
		       "in %u of %u\n",
		    s->bounded, s->messages);
	printf("    \"for\" in it: in %u of %u", s->with_for, s->messages);
	print_people(&s->for_people);
	if (s->people == NULL)
		puts("    whom each is for stands nowhere but in To and Cc: "
		     "mail by Bcc and from lists goes to the fallback");
}

static void
print_details(const struct probe_report *r)
{
	if (r->reached)
		print_offers(r);
	print_folders(r);
	print_advice(r);
	if (r->survey != NULL && r->survey->messages > 0)
		print_survey(r->survey);
	else if (r->survey != NULL)
		puts("  no message to look at: probe again when there is "
		     "mail");
}

static void
print_login(const struct probe_report *r)
{
	printf("%s: %s:%u: %s, logged in as %s: %u message%s, %llu octets\n",
	    r->account->name, r->account->host, r->account->port, r->cipher,
	    r->account->user, r->messages, readable_plural(r->messages),
	    (unsigned long long)r->octets);
}

static void
print_suggestion(const struct probe_report *r)
{
	struct buf text;

	if (r->survey == NULL || r->survey->messages == 0)
		return;
	buf_init(&text, PROBE_TEXT_MAX);
	survey_write(r->survey, 4, &text);
	printf("\nThis would fit the account:\n\n%s", buf_string(&text));
	buf_clear(&text);
}

/* No more of it than is looked at. */
static struct slice
header_block(struct slice message)
{
	struct slice block = slice_first(message, 0);
	struct header_field f;
	struct header h;

	header_init(&h, message);
	while (header_next(&h, &f))
		block.len = (size_t)(f.whole.data - message.data) + f.whole.len;
	return block;
}

static void
print_headers(const struct probe_report *r)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		struct slice block = header_block(buf_slice(&r->headers[i]));

		printf("%zu\n", block.len);
		fwrite(block.data, 1, block.len, stdout);
	}
}

void
probe_print(const struct probe_report *r, const struct error *err,
    enum probe_format format)
{
	if (format == PROBE_JSON) {
		probe_print_json(r, err);
		return;
	}
	if (format == PROBE_HEADERS) {
		print_headers(r);
		return;
	}
	if (err == NULL)
		print_login(r);
	if (format == PROBE_BRIEF)
		return;
	if (err != NULL && r->reached)
		printf("%s: %s:%u: %s\n", r->account->name, r->account->host,
		    r->account->port, r->cipher);
	print_certificate(r);
	print_details(r);
	if (err == NULL)
		print_suggestion(r);
}

/* --- of a host --------------------------------------------------------- */

static void
print_way(const struct probe_findings *f, const struct probe_way *way)
{
	const struct probe_way *same = f->ways;
	struct buf text;

	buf_init(&text, PROBE_TEXT_MAX);
	probe_describe_way(way, &text);
	printf("%s %u: %s\n", probe_protocol_name(&way->report),
	    way->report.account->port, buf_string(&text));
	buf_clear(&text);
	while (same < way && !is_same_certificate(&same->report, &way->report))
		same++;
	if (same < way)
		printf("  certificate: as with %s\n",
		    probe_protocol_name(&same->report));
	else
		print_certificate(&way->report);
	if (way->report.reached)
		print_offers(&way->report);
}

static void
print_account(const struct probe_report *r)
{
	struct buf text;

	buf_init(&text, PROBE_TEXT_MAX);
	probe_write_account(r, &text);
	printf("\n%s", buf_string(&text));
	buf_clear(&text);
}

void
probe_print_findings(const struct probe_findings *f, enum probe_format format)
{
	if (format == PROBE_JSON) {
		probe_print_findings_json(f);
		return;
	}
	for (size_t i = 0; i < f->n_ways; i++)
		print_way(f, &f->ways[i]);
	if (f->report != NULL)
		putchar('\n');
	if (f->report != NULL && f->error == NULL)
		print_login(f->report);
	else if (f->report != NULL)
		printf(
		    "%s: %s\n", probe_protocol_name(f->report), f->error->text);
	if (f->report != NULL && f->error == NULL)
		print_details(f->report);
	if (f->best != NULL)
		print_account(f->report != NULL ? f->report : &f->best->report);
}
