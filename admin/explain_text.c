/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/explanation.h"

#include <stdio.h>

#include "base/log.h"

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

static void
print_summary(const struct explanation *e)
{
	char text[ADDRESS_TEXT_SIZE];
	enum tier tier = e->candidates.tier;

	printf("Account:    %s\n", e->account->name);
	printf("Verdict:    %s%s%s\n", explanation_verdict_name(e->verdict),
	    e->reason[0] == '\0' ? "" : ": ", e->reason);
	for (size_t i = 0; i < e->n_recipients; i++)
		printf("%s%s\n", i == 0 ? "To:         " : "            ",
		    log_safe(text, sizeof(text), slice_of(e->recipients[i])));
	printf("Sender:     <%s>\n", printable(&e->sender, text));
	printf("Source:     %s (%s)\n", tier_name(tier), sources[tier]);
}

static void
print_findings(const struct candidates *c)
{
	if (c->n_findings > 0)
		puts("\nWhat the message says");
	for (size_t i = 0; i < c->n_findings; i++)
		printf("  %-10s %s: %s%s%s\n", c->findings[i].step,
		    c->findings[i].subject, c->findings[i].result,
		    c->findings[i].text[0] == '\0' ? "" : " - ",
		    c->findings[i].text);
}

static void
print_policy(const struct explanation *e)
{
	const struct route *route = &e->route;
	char from[ADDRESS_TEXT_SIZE], to[ADDRESS_TEXT_SIZE];

	if (route->n_steps == 0 && !route->used_fallback)
		return;
	puts("\nWho gets it");
	for (size_t i = 0; i < route->n_steps; i++) {
		const struct route_step *s = &route->steps[i];

		printf("  %s: %s%s%s\n             %s\n",
		    printable(&s->candidate, from),
		    route_result_name(s->result),
		    address_is_null(&s->to) ? "" : " -> ",
		    address_is_null(&s->to) ? "" : printable(&s->to, to),
		    s->text);
	}
	if (route->used_fallback)
		puts("  nobody else is left: the fallback");
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

bool
explanation_print_text(const struct explanation *e)
{
	print_summary(e);
	print_findings(&e->candidates);
	print_policy(e);
	print_rules(&e->route);
	if (e->candidates.n_warnings > 0)
		puts("\nWarnings");
	for (size_t i = 0; i < e->candidates.n_warnings; i++)
		printf("  %s\n", e->candidates.warnings[i]);
	return !ferror(stdout);
}
