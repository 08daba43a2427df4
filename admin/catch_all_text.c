/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/catch_all.h"

#include <stdio.h>

#include "base/log.h"
#include "base/readable.h"

enum { LINES_MAX = 64 * 1024, NAME_SIZE = 200 };

/* The Message-ID, else the date. */
static void
print_name(const struct catch_all_message *m, const char *before)
{
	char safe[NAME_SIZE];

	if (m->id.len > 0)
		printf("%s%s\n", before, log_safe(safe, sizeof(safe), m->id));
	else
		printf("%sof %s\n", before,
		    m->date.len == 0 ? "no date"
				     : log_safe(safe, sizeof(safe), m->date));
}

static void
print_fields(const struct catch_all *t, const struct catch_all_message *m,
    const char *before)
{
	struct slice rest, line;
	struct buf lines;

	buf_init(&lines, LINES_MAX);
	catch_all_list_fields(t, m, &lines);
	rest = buf_slice(&lines);
	while (slice_cut_line(&rest, &line))
		printf("%s%.*s\n", before, SLICE_ARG(line));
	buf_clear(&lines);
}

static void
print_example(const struct catch_all *t, const struct catch_all_message *m)
{
	if (m == NULL)
		return;
	print_name(m, "    ");
	print_fields(t, m, "        ");
}

static void
print_outcome(const char *when, const struct explanation *e)
{
	char safe[ADDRESS_TEXT_SIZE];

	printf("      %-10s %s:", when, tier_name(e->candidates.tier));
	for (size_t i = 0; i < e->n_recipients; i++)
		printf("%s %s", i == 0 ? "" : ",",
		    log_safe(safe, sizeof(safe), slice_of(e->recipients[i])));
	if (e->verdict != EXPLAIN_DELIVER)
		printf(
		    " %s: %s", explanation_verdict_name(e->verdict), e->reason);
	putchar('\n');
}

static void
print_messages(const struct catch_all *t)
{
	puts("\nThe messages, newest first");
	for (size_t i = 0; i < t->n; i++) {
		const struct catch_all_message *m = &t->messages[i];

		print_name(m, "  ");
		print_fields(t, m, "      ");
		print_outcome("now", &m->present);
		if (!t->fits)
			print_outcome("suggested", &m->suggested);
	}
}

static void
print_setting(const struct catch_all *t)
{
	struct buf yaml;

	if (t->fits) {
		puts("\nThe account fits as it is. In other words:\n");
	} else {
		printf("\nThis would fit, in place of mailbox, %sprovider and "
		       "recipients of the account:\n\n",
		    t->has_own ? "addresses, " : "");
	}
	buf_init(&yaml, LINES_MAX);
	catch_all_write(t, 4, &yaml);
	fputs(buf_string(&yaml), stdout);
	buf_clear(&yaml);
	if (t->survey.mailbox == MAILBOX_SINGLE)
		puts("\nAll of these are for one address. If that is the "
		     "mailbox itself, name it in\naddresses; if all mail is "
		     "one person's, use mailbox: single with deliver_to.");
	if (t->provider != NULL && t->provider->remedy != NULL)
		printf("\n%s records nowhere whom a message is for. What "
		       "helps: %s.\n",
		    t->provider->title, t->provider->remedy);
	if (t->provider != NULL && t->provider->note != NULL)
		printf("\n%s: %s\n", t->provider->title, t->provider->note);
}

bool
catch_all_print_text(const struct catch_all *t)
{
	if (t->n == 0) {
		printf("%s: no message to look at: look again when there is "
		       "mail\n",
		    t->account->name);
		return !ferror(stdout);
	}
	printf("%s: the newest %zu message%s; in %zu of them the provider says "
	       "whom they are for\n\n",
	    t->account->name, t->n, readable_plural(t->n), t->n_proven);
	printf("Copies: %s\n", catch_all_copies_text(t->copies));
	print_example(t, t->examples[0]);
	print_example(t, t->examples[1]);
	printf("Bcc: %s\n", catch_all_bcc_text(t->bcc));
	if (t->n_hidden > 0) {
		printf("  in %zu of %zu message%s the recipient stands neither "
		       "in To nor in Cc, such as\n",
		    t->n_hidden, t->n, readable_plural(t->n));
		print_example(t, t->hidden);
	}
	print_messages(t);
	print_setting(t);
	return !ferror(stdout);
}
