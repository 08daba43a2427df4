/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/* Of the recipients in one log line: the line itself ends at 4 KiB. */
enum { TO_MAX = 3072, RULES_MAX = 400 };

/* Which of the envelope's recipients stands for the fallback: the one that
 * equals it, else the only one there is (canonical mapping may have changed
 * it).  NULL: cannot be told. */
static const char *
shown_fallback(const struct session *session, const struct address *fallback)
{
	struct address shown;

	for (size_t i = 0; i < session->n_rcpts && i < SESSION_RCPTS_MAX; i++)
		if (address_parse(slice_of(session->rcpts[i]), &shown) ==
			ADDRESS_OK &&
		    address_equal(&shown, fallback))
			return session->rcpts[i];
	return session->n_rcpts == 1 ? session->rcpts[0] : NULL;
}

/* To Postfix, deleting an address that was added as well means that nobody
 * gets the mail: such a member stays as it is. */
static bool
is_fallback(const struct address *member, const struct address *fallback,
    const struct address *shown)
{
	return address_equal(member, fallback) ||
	       (shown != NULL && address_equal(member, shown));
}

static void
note_recipient(struct verdict *out, const char *address)
{
	buf_printf(&out->to, "%s%s", out->to.len > 0 ? "," : "", address);
}

static void
plan_edits(const struct session *session, const struct ticket *ticket,
    const struct route *route, struct verdict *out)
{
	const char *shown = shown_fallback(session, &ticket->fallback);
	struct address address;
	bool parsed = shown != NULL &&
		      address_parse(slice_of(shown), &address) == ADDRESS_OK;
	bool stays = false;

	out->add = mem_new_array(route->n_recipients, sizeof(*out->add));
	for (size_t i = 0; i < route->n_recipients; i++) {
		const struct address *member = &route->recipients[i].address;
		char *text = address_path(member);

		note_recipient(out, text);
		if (is_fallback(
			member, &ticket->fallback, parsed ? &address : NULL)) {
			stays = true;
			free(text);
		} else {
			out->add[out->n_add++] = text;
		}
	}
	if (stays)
		return;
	if (session->from_sendmail)
		out->remove = address_path(&ticket->fallback);
	else if (shown != NULL)
		out->remove = mem_string(shown);
	else
		snprintf(out->reason, sizeof(out->reason),
		    "none of %zu envelope recipients is the fallback; all of "
		    "them stay",
		    session->n_rcpts);
}

static void
plan_rules(struct route *route, struct verdict *out)
{
	struct rules_outcome *rules = &route->rules;

	for (size_t i = 0; i < rules->n_steps; i++)
		if (rules->steps[i].result == RULE_APPLIED)
			buf_printf(&out->rules, "%s%s",
			    out->rules.len > 0 ? "," : "",
			    rules->steps[i].rule);
	if (rules->held_by != NULL)
		memcpy(out->hold, rules->held_by->rule, sizeof(out->hold));
	out->headers = rules->headers;
	out->n_headers = rules->n_headers;
	rules->headers = NULL;
}

/* The name of an account of the configuration, or NULL. */
static const char *
account_name(const struct ticket *ticket)
{
	struct slice space = SLICE("yaml:");

	return slice_starts(slice_of(ticket->account), space)
		   ? ticket->account + space.len
		   : NULL;
}

static void
note_ticket(const struct ticket *ticket, struct verdict *out)
{
	const char *name = account_name(ticket);

	log_quotable(out->account, sizeof(out->account),
	    slice_of(name != NULL ? name : ticket->account));
	log_quotable(out->id, sizeof(out->id), slice_of(ticket->id));
	out->source = tier_name(ticket->tier);
}

/* As rules see it. */
static struct slice
sender_of(const struct session *session, char text[ADDRESS_TEXT_SIZE])
{
	struct slice given = slice_of(session->sender);
	struct address sender;

	if (address_parse_sender(given, &sender) == ADDRESS_OK)
		return slice_of(address_write(&sender, text));
	return given;
}

static void
judge_valid(const struct verdict_question *q, const struct ticket *ticket,
    struct verdict *out)
{
	const char *name = account_name(ticket);
	struct route_question asked = { .config = q->config,
		.ticket = ticket,
		.prepare = q->prepare,
		.lookup = q->lookup,
		.context = q->context };
	char sender[ADDRESS_TEXT_SIZE];
	const struct rule_message message = { .fields = &q->session->fields,
		.sender = sender_of(q->session, sender),
		.size = q->session->size };
	struct route route;

	note_ticket(ticket, out);
	if (q->config->rule_size && !q->session->sized) {
		verdict_defer(out,
		    "a rule asks for the size, which the MTA does not tell on "
		    "a connection that is older than this configuration");
		return;
	}
	asked.message = &message;
	if (name != NULL)
		asked.account = config_account(q->config, name);
	route_decide(&asked, &route);
	if (route.defer) {
		verdict_defer(out, route.defer_reason);
	} else {
		out->status = VERDICT_ROUTED;
		plan_edits(q->session, ticket, &route, out);
		plan_rules(&route, out);
	}
	route_clear(&route);
}

static void
pass(struct verdict *out)
{
	out->status = VERDICT_PASSED;
	snprintf(out->reason, sizeof(out->reason),
	    "the ticket is not ours; removed, the envelope stays");
}

/* Is it our fault that the key is not there?  The fetcher hands over to the
 * fallback alone.  Other mail with such a ticket was written by somebody who
 * would have it wait in maildrop for ever and hold up the rest: a Sieve redirect
 * or a .forward gives a stranger's mail to sendmail(1). */
static bool
is_from_fetcher(const struct verdict_question *q, const struct ticket *ticket)
{
	struct address to;

	return q->keys->n == 0 ||
	       (q->session->n_rcpts == 1 &&
		   address_parse(slice_of(q->session->rcpts[0]), &to) ==
		       ADDRESS_OK &&
		   address_equal(&to, &ticket->fallback));
}

static void
judge_unknown(const struct verdict_question *q, const struct ticket *ticket,
    struct verdict *out)
{
	if (!is_from_fetcher(q, ticket)) {
		pass(out);
		return;
	}
	out->key_missing = true;
	verdict_defer(out,
	    "the ticket's key is not in state_dir: do fetcher and milter use "
	    "the same state_dir?");
}

void
verdict_make(const struct verdict_question *q, struct verdict *out)
{
	struct ticket ticket = { .candidates = NULL };

	*out = (struct verdict){ .source = "-", .id = "-", .account = "-" };
	buf_init(&out->to, TO_MAX);
	buf_init(&out->rules, RULES_MAX);
	switch (ticket_read(
	    slice_of(q->session->ticket), q->keys->key, q->keys->n, &ticket)) {
	case TICKET_VALID:
		judge_valid(q, &ticket, out);
		break;
	case TICKET_UNKNOWN_KEY:
		judge_unknown(q, &ticket, out);
		break;
	case TICKET_FORGED:
		pass(out);
		break;
	}
	ticket_clear(&ticket);
}

void
verdict_defer(struct verdict *verdict, const char *reason)
{
	verdict->status = VERDICT_DEFERRED;
	log_quotable(
	    verdict->reason, sizeof(verdict->reason), slice_of(reason));
}

void
verdict_write(const struct verdict *verdict, const struct session *session,
    struct buf *out)
{
	static const char *const status[] = {
		[VERDICT_ROUTED] = "routed",
		[VERDICT_DEFERRED] = "deferred",
		[VERDICT_PASSED] = "passed",
	};
	const char *id = session->queue_id;

	buf_printf(out, "%s: id=%s account=%s source=%s to=%s%s status=%s",
	    id[0] == '\0' ? "-" : id, verdict->id, verdict->account,
	    verdict->source, buf_string(&verdict->to),
	    buf_overflowed(&verdict->to) ? ",..." : "",
	    status[verdict->status]);
	if (verdict->rules.len > 0)
		buf_printf(out, " rules=\"%s\"%s", buf_string(&verdict->rules),
		    verdict->hold[0] != '\0' ? " hold=yes" : "");
	if (verdict->reason[0] != '\0')
		buf_printf(out, " reason=\"%s\"", verdict->reason);
}

void
verdict_clear(struct verdict *verdict)
{
	for (size_t i = 0; i < verdict->n_add; i++)
		free(verdict->add[i]);
	free(verdict->add);
	free(verdict->remove);
	free((void *)verdict->headers);
	buf_clear(&verdict->rules);
	buf_clear(&verdict->to);
	*verdict = (struct verdict){ 0 };
}
