/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/explanation.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/readable.h"
#include "mail/encoded_text.h"
#include "mail/header.h"

enum { FIELD_SHOWN_MAX = 300, OTHERS_SHOWN = 20 };

static const char *const sources[] = {
	[TIER_ENVELOPE] = "the provider wrote the recipient into the header",
	[TIER_RECEIVED] = "the provider's Received line names the recipient",
	[TIER_HEADERS] = "a guess: the addresses that the sender wrote",
	[TIER_FALLBACK] = "nobody was named, so the account's fallback",
	[TIER_SINGLE] = "the mailbox of one person",
};

static const char *
printable(const struct address *address, char out[ADDRESS_TEXT_SIZE])
{
	char text[ADDRESS_TEXT_SIZE];

	return log_safe(
	    out, ADDRESS_TEXT_SIZE, slice_of(address_write(address, text)));
}

/* --- which message ------------------------------------------------------- */

static void
print_field(const char *name, struct slice header)
{
	struct header_field f;
	struct buf text;

	if (!header_find(header, name, &f))
		return;
	buf_init(&text, FIELD_SHOWN_MAX);
	encoded_text_read(f.body, &text);
	printf("%-11s %s\n", name, buf_string(&text));
	buf_clear(&text);
}

static void
print_hits(const struct archive_hits *hits)
{
	if (hits->n == 0)
		return;
	printf("Found       ");
	if (hits->n == 1)
		puts("the only one in the archive with this Message-ID");
	else
		printf("the newest of %zu in the archive with this "
		       "Message-ID; the others:\n",
		    hits->n);
	for (size_t i = 1; i < hits->n && i <= OTHERS_SHOWN; i++)
		printf("            %s\n", hits->ids[i]);
	if (hits->n > OTHERS_SHOWN + 1)
		printf(
		    "            and %zu more\n", hits->n - OTHERS_SHOWN - 1);
}

static void
print_collected(const struct named_mail *mail)
{
	char time[READABLE_SIZE];

	if (mail->queue_id[0] != '\0')
		printf("Queue id    %s, in %s\n", mail->queue_id, mail->place);
	print_hits(&mail->hits);
	if (mail->collected_ms > 0)
		printf("Collected   %s as %s\n",
		    readable_time(mail->collected_ms, time), mail->id);
	else if (mail->id[0] != '\0')
		printf("Collected   as %s, which the archive does not have\n",
		    mail->id);
}

static void
print_account(const struct account *account)
{
	char user[256];

	log_safe(user, sizeof(user), slice_of(account->user));
	printf("Account     %s (%s at %s, %s)\n", account->name, user,
	    account->host,
	    account->mailbox == MAILBOX_SINGLE
		? "the mailbox of one person"
		: "a mailbox that catches mail for many");
}

static void
print_message(const struct explanation *e,
    const struct explained_message *message, const struct named_mail *mail)
{
	static const char *const fields[] = { "From", "Subject", "Date",
		"Message-ID" };

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		print_field(fields[i], message->header);
	print_collected(mail);
	print_account(e->account);
}

/* --- what becomes of it -------------------------------------------------- */

static bool
is_to(const struct route_step *step, const char *recipient)
{
	char text[ADDRESS_TEXT_SIZE];

	return !address_is_null(&step->to) &&
	       strcmp(address_write(&step->to, text), recipient) == 0;
}

/* The candidates whose mail goes there; false: there are none. */
static bool
print_whose(const struct route *route, const char *recipient)
{
	const struct address *last = NULL; /* an alias has several steps */
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < route->n_steps; i++) {
		const struct route_step *step = &route->steps[i];

		if (!is_to(step, recipient) ||
		    (last != NULL && address_equal(&step->candidate, last)))
			continue;
		printf("%s%s", last == NULL ? ", for " : ", ",
		    printable(&step->candidate, text));
		last = &step->candidate;
	}
	return last != NULL;
}

static void
print_why(const struct explanation *e, const char *recipient)
{
	const struct route *route = &e->route;
	char text[ADDRESS_TEXT_SIZE];

	if (print_whose(route, recipient))
		return;
	if (route->rules_left_nobody)
		printf(", the fallback: the rules leave nobody");
	else if (route->used_fallback && route->rules.n_steps == 0)
		printf(", the fallback: nobody else is left");
	else if (strcmp(address_write(&e->account->deliver_to, text),
		     recipient) == 0)
		printf(", deliver_to of the account");
	else if (route->used_fallback &&
		 strcmp(address_write(&e->account->fallback, text),
		     recipient) == 0)
		printf(", the fallback: nobody else is left");
	else
		printf(", by a rule");
}

static void
print_verdict(const struct explanation *e)
{
	char text[ADDRESS_TEXT_SIZE], origin[EXPLANATION_ORIGIN_SIZE];
	enum tier tier = e->candidates.tier;

	printf("\nVerdict     %s%s%s\n", explanation_verdict_name(e->verdict),
	    e->reason[0] == '\0' ? "" : ": ", e->reason);
	for (size_t i = 0; i < e->n_recipients; i++) {
		printf("%-12s%s", i == 0 ? "To" : "",
		    log_safe(text, sizeof(text), slice_of(e->recipients[i])));
		print_why(e, e->recipients[i]);
		putchar('\n');
	}
	if (e->route.rules.held_by != NULL)
		printf("Held        in Postfix's hold queue, by the rule %s; "
		       "postsuper -H lets it go\n",
		    e->route.rules.held_by->rule);
	printf("Source      %s: %s\n", tier_name(tier), sources[tier]);
	printf("Sender      <%s>\n", printable(&e->sender, text));
	if (!intake_may_be_answered(tier))
		puts("Answers     automatic ones are not wanted, since it may "
		     "be for somebody else: X-Auto-Response-Suppress: All");
	if (explanation_origin(e, origin))
		printf("Origin      %s\n", origin);
	printf("Size        %s\n", e->size_text);
	printf("Known       %s\n", e->known_text);
	printf("Copies      %s\n", e->copies_text);
}

/* --- why ------------------------------------------------------------------ */

/* A result that goes without saying. */
static bool
is_plain(const char *result)
{
	static const char *const plain[] = { "taken", "usable", "found",
		"stripped" };

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strcmp(result, plain[i]) == 0)
			return true;
	return false;
}

static void
print_findings(const struct candidates *c)
{
	if (c->n_findings > 0)
		puts("\nWhat the message says");
	for (size_t i = 0; i < c->n_findings; i++) {
		const struct finding *f = &c->findings[i];
		bool plain = is_plain(f->result) && f->text[0] != '\0';

		printf("  %-10s %s%s%s%s%s\n", f->step, f->subject,
		    f->subject[0] == '\0' ? "" : ": ", plain ? "" : f->result,
		    plain || f->text[0] == '\0' ? "" : ", ", f->text);
	}
}

/* "asked; what follows; …": each part a line. */
static void
print_parts(const char *text)
{
	const char *end;

	while ((end = strstr(text, "; ")) != NULL) {
		printf("      %.*s\n", (int)(end - text), text);
		text = end + 2;
	}
	printf("      %s\n", text);
}

/* Of one candidate: a step, or one for each of the people of its alias. */
static void
print_steps(const struct route *route, const struct address *candidate)
{
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < route->n_steps; i++) {
		const struct route_step *step = &route->steps[i];

		if (!address_equal(&step->candidate, candidate))
			continue;
		print_parts(step->text);
		if (step->result == ROUTE_FOUND)
			printf("      to %s\n", printable(&step->to, text));
	}
}

static void
print_policy(const struct explanation *e)
{
	const struct route *route = &e->route;
	enum route_result result;
	char text[ADDRESS_TEXT_SIZE];

	if (route->n_steps == 0 && !route->used_fallback)
		return;
	puts("\nWhat was asked, and what follows");
	for (size_t i = 0; i < e->candidates.n; i++) {
		const struct candidate *c = &e->candidates.all[i];
		const char *field = explanation_field(e, i);

		if (c->kind == CANDIDATE_INVALID ||
		    !route_result_of(route, &c->address, &result))
			continue;
		printf("  %s%s%s: %s\n", printable(&c->address, text),
		    field == NULL ? "" : " in ", field == NULL ? "" : field,
		    route_result_name(result));
		print_steps(route, &c->address);
	}
	if (route->used_fallback)
		puts("  nobody else is left: the fallback gets it");
}

static void
print_rules(const struct route *route)
{
	if (route->rules.n_steps > 0)
		puts("\nWhat the rules do");
	for (size_t i = 0; i < route->rules.n_steps; i++)
		printf("  %s: %s\n", route->rules.steps[i].rule,
		    route->rules.steps[i].text);
	if (route->rules_left_nobody)
		puts("  nobody is left: the fallback");
}

static void
print_then(const struct explanation *e, const struct named_mail *mail)
{
	const struct ticket *ticket = &mail->ticket;
	char text[ADDRESS_TEXT_SIZE];

	if (!mail->has_ticket)
		return;
	puts("\nWhen it was collected");
	if (explanation_agrees(e, ticket)) {
		puts("  the same recipients were found in it.");
		return;
	}
	printf("  other recipients were found in it than now (%s):\n",
	    tier_name(ticket->tier));
	for (size_t i = 0; i < ticket->n_candidates; i++)
		printf("      %s\n", printable(&ticket->candidates[i], text));
	printf("      fallback %s\n", printable(&ticket->fallback, text));
}

static void
print_warnings(const struct explanation *e)
{
	if (e->candidates.n_warnings > 0)
		puts("\nWarnings");
	for (size_t i = 0; i < e->candidates.n_warnings; i++)
		printf("  %s\n", e->candidates.warnings[i]);
}

bool
explanation_print_text(const struct explanation *e,
    const struct explained_message *message, const struct named_mail *mail)
{
	print_message(e, message, mail);
	print_verdict(e);
	print_findings(&e->candidates);
	print_policy(e);
	print_rules(&e->route);
	print_then(e, mail);
	print_warnings(e);
	return !ferror(stdout);
}
