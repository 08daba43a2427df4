/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of route.h that is about ordinary mail.
 */
#include "policy/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/judgement.h"

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
	    !judgement_accept(config, address, &to))
		return false;
	out->to = mem_resize(out->to, out->n_to + 1, sizeof(*out->to));
	out->to[out->n_to++] = to;
	return true;
}

static enum route_smtp_result
judge(const struct route_question *asked, const struct target *t,
    struct route_step *step, struct route_smtp *out)
{
	struct inquired inquired;
	struct address to;

	judgement_say_target(t, step);
	if (!t->usable)
		return ROUTE_SMTP_REFUSED;
	switch (judgement_ask(asked, &t->address, step, &inquired)) {
	case EXISTS:
		to = judgement_final(asked, &t->address, &inquired, step);
		return (t->alias != NULL ||
			   !address_equal(&to, &step->candidate)) &&
			       replace(asked->config, &to, out)
			   ? ROUTE_SMTP_REPLACED
			   : ROUTE_SMTP_LEFT;
	case ABSENT:
		return replace(asked->config, t->domain->catch_all, out)
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
judge_alias(const struct route_question *asked, const struct target *targets,
    size_t n, struct route_step *step, struct route_smtp *out)
{
	bool unsure = false;

	judgement_prepare(asked, targets, n);
	for (size_t i = 0; i < n && !unsure; i++)
		unsure =
		    judge(asked, &targets[i], step, out) == ROUTE_SMTP_UNSURE;
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
		out->result = judge_alias(&asked, targets, n, &step, out);
	else
		out->result = judge(&asked, &plain, &step, out);
	memcpy(out->text, step.text, sizeof(out->text));
	free(targets);
}

void
route_smtp_clear(struct route_smtp *route)
{
	free(route->to);
	*route = (struct route_smtp){ .result = ROUTE_SMTP_LEFT };
}
