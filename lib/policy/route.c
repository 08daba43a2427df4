/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/route.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "mail/address_set.h"
#include "mail/extension.h"
#include "policy/target.h"

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

static void say(struct route_step *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends to the reason; what does not fit is cut. */
static void
say(struct route_step *step, const char *fmt, ...)
{
	char raw[sizeof(step->text)];
	size_t len = strlen(step->text);
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0)
		raw[0] = '\0';
	va_end(ap);
	log_safe(step->text + len, sizeof(step->text) - len, slice_of(raw));
}

/* The only place where an accepted_rcpt is made. */
static bool
accept_address(const struct config *config, const struct address *address,
    struct accepted_rcpt *out)
{
	if (address_is_null(address) || target_is_unsafe(address) ||
	    config_domain(config, address->domain) == NULL)
		return false;
	out->address = *address;
	return true;
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
	bool accepted = accept_address(d->config, address, &recipient);

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
	say(step, "; to %s, %s", whose, address_write(&step->to, text));
}

/* Asks the directory; what it says becomes part of the step's reason. */
static enum existence
ask(const struct decision *d, const struct address *address,
    struct route_step *step, struct directory_answer *answer)
{
	char text[ADDRESS_TEXT_SIZE];

	*answer = (struct directory_answer){ .existence = UNKNOWN };
	d->asked->lookup(d->asked->context, address, answer);
	say(step, "%s%s: %s (%s)", step->text[0] == '\0' ? "" : "; ",
	    address_write(address, text), existence_name(answer->existence),
	    answer->reason);
	return answer->existence;
}

/* The directory's answer about an address or, when that is absent, about the
 * same without its extension. */
struct inquired {
	struct address address; /* the one of the two */
	struct directory_answer answer;
};

static enum existence
ask_with_and_without_extension(const struct decision *d,
    const struct address *address, struct route_step *step,
    struct inquired *out)
{
	out->address = *address;
	if (ask(d, address, step, &out->answer) != ABSENT ||
	    !extension_remove(
		address, d->config->recipient_delimiter, &out->address))
		return out->answer.existence;
	return ask(d, &out->address, step, &out->answer);
}

/* What `address` is delivered to, now that it was found: the address that the
 * directory names instead, with the extension; or as it is.  With its
 * extension: local(8) and virtual(8) take that off themselves and may use
 * it. */
static struct address
final_address(const struct decision *d, const struct address *address,
    const struct inquired *found, struct route_step *step)
{
	const struct address *canonical = &found->answer.canonical;
	char text[ADDRESS_TEXT_SIZE];
	struct address made;
	struct target t;

	if (address_is_null(canonical) ||
	    address_equal(canonical, &found->address))
		return *address;
	if (extension_copy(canonical, address, &found->address, &made)) {
		t = target_of(d->config, &made);
		if (t.domain != NULL && t.usable) {
			say(step, "; rewrite_to makes it %s",
			    address_write(&t.address, text));
			return t.address;
		}
	}
	say(step, "; not rewritten to %s, to which nothing may be sent",
	    address_write(canonical, text));
	return *address;
}

static void
judge_accepted(
    const struct decision *d, const struct target *t, struct route_step *step)
{
	struct inquired inquired;
	char text[ADDRESS_TEXT_SIZE], reason[1024];
	struct address to;

	switch (
	    ask_with_and_without_extension(d, &t->address, step, &inquired)) {
	case EXISTS:
		step->result = ROUTE_FOUND;
		to = final_address(d, &t->address, &inquired, step);
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

/* How the candidate became the target. */
static void
say_target(const struct target *t, struct route_step *step)
{
	char text[ADDRESS_TEXT_SIZE], person[ADDRESS_TEXT_SIZE];

	if (!address_is_null(&t->mapped))
		say(step, "map_to makes it %s",
		    address_write(&t->mapped, text));
	if (t->alias != NULL)
		say(step, "%sthe alias %s names %s",
		    step->text[0] == '\0' ? "" : "; ",
		    address_write(&t->alias->address, text),
		    t->too_many ? "more people than a message can have"
				: address_write(&t->address, person));
}

static void
judge(const struct decision *d, const struct target *t, struct route_step *step)
{
	if (config_domain(d->config, step->candidate.domain) == NULL) {
		step->result = ROUTE_FOREIGN;
		say(step, "%s is no accepted domain: dropped",
		    step->candidate.domain);
		return;
	}
	say_target(t, step);
	if (t->usable) {
		judge_accepted(d, t, step);
		return;
	}
	step->result = ROUTE_ABSENT;
	if (!t->too_many)
		say(step, "its local part could be relayed elsewhere or is "
			  "discarded by Postfix, or it is too long");
	deliver_unknown(d, NULL, step);
}

/* Tells beforehand what judge() may ask for. */
static void
prepare(const struct decision *d, const struct target *targets, size_t n)
{
	struct address_set asked = { 0 };
	struct address base;

	for (size_t i = 0; i < n; i++) {
		if (targets[i].domain == NULL || !targets[i].usable)
			continue;
		address_set_add(&asked, &targets[i].address);
		if (extension_remove(&targets[i].address,
			d->config->recipient_delimiter, &base))
			address_set_add(&asked, &base);
	}
	if (asked.n > 0)
		d->asked->prepare(d->asked->context, asked.all, asked.n);
	address_set_clear(&asked);
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

	return accept_address(d->config, first, &d->fallback) ||
	       accept_address(d->config, &d->config->postmaster, &d->fallback);
}

static void
judge_all(const struct decision *d)
{
	const struct ticket *ticket = d->asked->ticket;
	struct route *out = d->out;
	struct target *targets = targets_of(
	    d->config, ticket->candidates, ticket->n_candidates, &out->n_steps);

	if (d->asked->prepare != NULL)
		prepare(d, targets, out->n_steps);
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
	if (accept_address(config, address, out))
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

static bool
account_names(const struct account *account, const struct address *address)
{
	return address_equal(address, &account->fallback) ||
	       address_equal(address, &account->deliver_to) ||
	       (account->unknown_recipients != NULL &&
		   address_equal(address, account->unknown_recipients));
}

static bool
config_names(const struct config *config, const struct address *address)
{
	if (address_equal(address, &config->postmaster))
		return true;
	for (size_t i = 0; i < config->n_domains; i++)
		if (config->domains[i].catch_all != NULL &&
		    address_equal(address, config->domains[i].catch_all))
			return true;
	for (size_t i = 0; i < config->n_accounts; i++)
		if (account_names(&config->accounts[i], address))
			return true;
	return false;
}

/* A route_lookup; its context is the struct route_question of the real one. */
static void
look_up_unless_named(void *context, const struct address *address,
    struct directory_answer *answer)
{
	const struct route_question *real = context;

	if (!config_names(real->config, address)) {
		real->lookup(real->context, address, answer);
		return;
	}
	*answer = (struct directory_answer){ .existence = EXISTS };
	snprintf(answer->reason, sizeof(answer->reason),
	    "the configuration names it");
}

/* The route_prepare to that. */
static void
prepare_unless_named(void *context, const struct address *list, size_t n)
{
	const struct route_question *real = context;
	struct address *asked = mem_new_array(n, sizeof(*asked));
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		if (!config_names(real->config, &list[i]))
			asked[len++] = list[i];
	if (len > 0)
		real->prepare(real->context, asked, len);
	free(asked);
}

/* False where no recipient is replaced, or none by this one. */
static bool
replace(const struct config *config, const struct address *address,
    struct route_smtp *out)
{
	struct accepted_rcpt to;

	if (config->milter.smtp != MILTER_SMTP_CATCH_ALL || address == NULL ||
	    !accept_address(config, address, &to))
		return false;
	out->to = mem_resize(out->to, out->n_to + 1, sizeof(*out->to));
	out->to[out->n_to++] = to;
	return true;
}

static enum route_smtp_result
judge_smtp(const struct decision *d, const struct target *t,
    struct route_step *step, struct route_smtp *out)
{
	struct inquired inquired;
	struct address to;

	say_target(t, step);
	if (!t->usable)
		return ROUTE_SMTP_REFUSED;
	switch (
	    ask_with_and_without_extension(d, &t->address, step, &inquired)) {
	case EXISTS:
		to = final_address(d, &t->address, &inquired, step);
		return (t->alias != NULL ||
			   !address_equal(&to, &step->candidate)) &&
			       replace(d->config, &to, out)
			   ? ROUTE_SMTP_REPLACED
			   : ROUTE_SMTP_LEFT;
	case ABSENT:
		return replace(d->config, t->domain->catch_all, out)
			   ? ROUTE_SMTP_REPLACED
			   : ROUTE_SMTP_REFUSED;
	case UNKNOWN:
		break;
	}
	return ROUTE_SMTP_UNSURE;
}

/* Whoever of an alias's people exists, or has an heir, gets it; it is refused
 * when nobody does. */
static enum route_smtp_result
judge_smtp_alias(const struct decision *d, const struct target *targets,
    size_t n, struct route_step *step, struct route_smtp *out)
{
	bool unsure = false;

	if (d->asked->prepare != NULL)
		prepare(d, targets, n);
	for (size_t i = 0; i < n && !unsure; i++)
		unsure =
		    judge_smtp(d, &targets[i], step, out) == ROUTE_SMTP_UNSURE;
	if (unsure)
		return ROUTE_SMTP_UNSURE;
	return out->n_to > 0 ? ROUTE_SMTP_REPLACED : ROUTE_SMTP_REFUSED;
}

void
route_smtp_decide(const struct route_question *real,
    const struct address *address, struct route_smtp *out)
{
	struct route_question copy = *real;
	struct route_question asked = { .config = real->config,
		.prepare = real->prepare == NULL ? NULL : prepare_unless_named,
		.lookup = look_up_unless_named,
		.context = &copy };
	struct decision d = { .asked = &asked, .config = real->config };
	struct route_step step = { .candidate = *address };
	struct target *targets, plain = target_of(real->config, address);
	size_t n;

	*out = (struct route_smtp){ .ours = config_domain(real->config,
						address->domain) != NULL };
	/* Before map_to, too. */
	if (!out->ours || config_names(real->config, address))
		return;
	targets = targets_of(real->config, address, 1, &n);
	if (targets[0].alias != NULL &&
	    real->config->milter.smtp == MILTER_SMTP_CATCH_ALL)
		out->result = judge_smtp_alias(&d, targets, n, &step, out);
	else
		out->result = judge_smtp(&d, &plain, &step, out);
	memcpy(out->text, step.text, sizeof(out->text));
	free(targets);
}

void
route_smtp_clear(struct route_smtp *route)
{
	free(route->to);
	*route = (struct route_smtp){ .result = ROUTE_SMTP_LEFT };
}
