/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "mail/address_set.h"
#include "policy/judgement.h"

/* One decision under way. */
struct decision {
	const struct route_question *asked;
	const struct config *config;
	struct accepted_rcpt fallback;
	struct address_set *added; /* what is in out->recipients */
	struct route *out;
};

const char *
route_result_name(enum route_result result)
{
	static const char *const names[] = {
		[ROUTE_FOUND] = "found",
		[ROUTE_ABSENT] = "absent",
		[ROUTE_UNKNOWN] = "unknown",
		[ROUTE_FOREIGN] = "foreign",
	};

	return names[result];
}

static void
add_recipient(const struct decision *d, const struct accepted_rcpt *recipient)
{
	struct route *out = d->out;

	/* Postfix delivers a recipient that is added twice, twice. */
	if (!address_set_add(d->added, &recipient->address))
		return;
	out->recipients = mem_resize(
	    out->recipients, out->n_recipients + 1, sizeof(*out->recipients));
	out->recipients[out->n_recipients++] = *recipient;
}

/* The fallback when the address is none that may be delivered to; then
 * false. */
static bool
deliver_to(
    const struct decision *d, const struct address *address, struct address *to)
{
	struct accepted_rcpt recipient;
	bool accepted = judgement_accept(d->config, address, &recipient);

	if (!accepted)
		recipient = d->fallback;
	add_recipient(d, &recipient);
	*to = recipient.address;
	return accepted;
}

static void
deliver_unknown(const struct decision *d, const struct accepted_domain *domain,
    struct route_step *step)
{
	const struct address *address = &d->fallback.address;
	const char *whose = "the fallback";
	char text[ADDRESS_TEXT_SIZE];

	if (domain != NULL && domain->catch_all != NULL) {
		address = domain->catch_all;
		whose = "the domain's catch_all";
	} else if (domain != NULL && d->asked->account != NULL &&
		   d->asked->account->unknown_recipients != NULL) {
		address = d->asked->account->unknown_recipients;
		whose = "the account's unknown_recipients";
	}
	if (!deliver_to(d, address, &step->to))
		whose = "the fallback";
	judgement_say(
	    step, "; to %s, %s", whose, address_write(&step->to, text));
}

static void
judge_accepted(
    const struct decision *d, const struct target *t, struct route_step *step)
{
	struct inquired inquired;
	char text[ADDRESS_TEXT_SIZE], reason[1024];
	struct address to;

	switch (judgement_ask(d->asked, &t->address, step, &inquired)) {
	case EXISTS:
		step->result = ROUTE_FOUND;
		to = judgement_final(d->asked, &t->address, &inquired, step);
		deliver_to(d, &to, &step->to);
		return;
	case ABSENT:
		step->result = ROUTE_ABSENT;
		deliver_unknown(d, t->domain, step);
		return;
	case UNKNOWN:
		break;
	}
	step->result = ROUTE_UNKNOWN;
	snprintf(reason, sizeof(reason), "%s: %s",
	    address_write(&t->address, text), inquired.answer.reason);
	if (!d->out->defer)
		log_safe(d->out->defer_reason, sizeof(d->out->defer_reason),
		    slice_of(reason));
	d->out->defer = true;
}

static void
judge(const struct decision *d, const struct target *t, struct route_step *step)
{
	if (config_domain(d->config, step->candidate.domain) == NULL) {
		step->result = ROUTE_FOREIGN;
		judgement_say(step, "%s is no accepted domain: dropped",
		    step->candidate.domain);
		return;
	}
	judgement_say_target(t, step);
	if (t->usable) {
		judge_accepted(d, t, step);
		return;
	}
	step->result = ROUTE_ABSENT;
	if (!t->too_many)
		judgement_say(step,
		    "its local part could be relayed elsewhere or is "
		    "discarded by Postfix, or it is too long");
	deliver_unknown(d, NULL, step);
}

/* The fallback of the account, or of the ticket when the account is gone;
 * the postmaster when that lies in no accepted domain (any more). */
static bool
choose_fallback(struct decision *d)
{
	const struct route_question *asked = d->asked;
	const struct address *first = asked->account != NULL
					  ? &asked->account->fallback
					  : &asked->ticket->fallback;

	return judgement_accept(d->config, first, &d->fallback) ||
	       judgement_accept(
		   d->config, &d->config->postmaster, &d->fallback);
}

static void
judge_all(const struct decision *d)
{
	const struct ticket *ticket = d->asked->ticket;
	struct route *out = d->out;
	struct target *targets = targets_of(
	    d->config, ticket->candidates, ticket->n_candidates, &out->n_steps);

	judgement_prepare(d->asked, targets, out->n_steps);
	out->steps = mem_new_array(out->n_steps, sizeof(*out->steps));
	for (size_t i = 0; i < out->n_steps; i++) {
		out->steps[i].candidate = *targets[i].candidate;
		judge(d, &targets[i], &out->steps[i]);
	}
	free(targets);
}

/* What a rule may send to. */
static bool
accept_ruled(const struct config *config, const struct address *address,
    struct accepted_rcpt *out)
{
	if (judgement_accept(config, address, out))
		return true;
	if (address_is_null(address) || target_is_unsafe(address) ||
	    !config_allows_external(config, address))
		return false;
	out->address = *address;
	return true;
}

static void
apply_rules(const struct decision *d)
{
	struct route *out = d->out;
	struct accepted_rcpt recipient;

	rules_run(&(struct rules_question){ .config = d->config,
		      .account = d->asked->account,
		      .ticket = d->asked->ticket,
		      .message = d->asked->message,
		      .fallback = &d->fallback.address,
		      .recipients = d->added->all,
		      .n_recipients = d->added->n },
	    &out->rules);
	address_set_clear(d->added);
	out->n_recipients = 0;
	for (size_t i = 0; i < out->rules.n_recipients; i++)
		if (accept_ruled(
			d->config, &out->rules.recipients[i], &recipient))
			add_recipient(d, &recipient);
	out->rules_left_nobody = out->n_recipients == 0;
	if (out->rules_left_nobody)
		add_recipient(d, &d->fallback);
}

void
route_decide(const struct route_question *asked, struct route *out)
{
	const struct account *account = asked->account;
	const struct ticket *ticket = asked->ticket;
	struct address_set added = { 0 };
	struct decision d = { .asked = asked,
		.config = asked->config,
		.added = &added,
		.out = out };
	struct address to;

	*out = (struct route){ 0 };
	if (!choose_fallback(&d)) {
		out->defer = true;
		snprintf(out->defer_reason, sizeof(out->defer_reason),
		    "neither fallback nor postmaster is in accepted_domains");
		return;
	}
	if (ticket->tier == TIER_SINGLE && account != NULL)
		out->used_fallback = !deliver_to(&d, &account->deliver_to, &to);
	else if (ticket->n_candidates > 0)
		judge_all(&d);
	if (out->defer) {
		free(out->recipients);
		out->recipients = NULL;
		out->n_recipients = 0;
	} else if (out->n_recipients == 0) {
		add_recipient(&d, &d.fallback);
		out->used_fallback = true;
	}
	if (!out->defer && asked->message != NULL)
		apply_rules(&d);
	address_set_clear(&added);
}

bool
route_result_of(const struct route *route, const struct address *candidate,
    enum route_result *result)
{
	/* Of several people the first of these says it. */
	static const enum route_result order[] = { ROUTE_UNKNOWN, ROUTE_FOUND,
		ROUTE_ABSENT, ROUTE_FOREIGN };
	enum { N = sizeof(order) / sizeof(order[0]) };

	for (size_t o = 0; o < N; o++)
		for (size_t i = 0; i < route->n_steps; i++)
			if (route->steps[i].result == order[o] &&
			    address_equal(
				&route->steps[i].candidate, candidate)) {
				*result = order[o];
				return true;
			}
	return false;
}

void
route_clear(struct route *route)
{
	free(route->recipients);
	free(route->steps);
	rules_clear(&route->rules);
	*route = (struct route){ 0 };
}
