/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/judgement.h"

#include <stdarg.h>
#include <string.h>

#include "base/log.h"
#include "mail/address_set.h"
#include "mail/extension.h"

/* The only place where an accepted_rcpt is made. */
bool
judgement_accept(const struct config *config, const struct address *address,
    struct accepted_rcpt *out)
{
	if (address_is_null(address) || target_is_unsafe(address) ||
	    config_domain(config, address->domain) == NULL)
		return false;
	out->address = *address;
	return true;
}

void
judgement_say(struct route_step *step, const char *fmt, ...)
{
	size_t len = strlen(step->text);
	va_list ap;

	va_start(ap, fmt);
	log_vsafe(step->text + len, sizeof(step->text) - len, fmt, ap);
	va_end(ap);
}

void
judgement_say_target(const struct target *t, struct route_step *step)
{
	char text[ADDRESS_TEXT_SIZE], person[ADDRESS_TEXT_SIZE];

	if (!address_is_null(&t->mapped))
		judgement_say(step, "map_to makes it %s",
		    address_write(&t->mapped, text));
	if (t->alias != NULL)
		judgement_say(step, "%sthe alias %s names %s",
		    step->text[0] == '\0' ? "" : "; ",
		    address_write(&t->alias->address, text),
		    t->too_many ? "more people than a message can have"
				: address_write(&t->address, person));
}

void
judgement_prepare(
    const struct route_question *asked, const struct target *targets, size_t n)
{
	struct address_set all = { 0 };
	struct address base;

	for (size_t i = 0; i < n; i++) {
		if (targets[i].domain == NULL || !targets[i].usable)
			continue;
		address_set_add(&all, &targets[i].address);
		if (extension_remove(&targets[i].address,
			asked->config->recipient_delimiter, &base))
			address_set_add(&all, &base);
	}
	if (all.n > 0 && asked->prepare != NULL)
		asked->prepare(asked->context, all.all, all.n);
	address_set_clear(&all);
}

/* Asks the directory; what it says becomes part of the step's reason. */
static enum existence
ask(const struct route_question *asked, const struct address *address,
    struct route_step *step, struct directory_answer *answer)
{
	char text[ADDRESS_TEXT_SIZE];

	*answer = (struct directory_answer){ .existence = UNKNOWN };
	asked->lookup(asked->context, address, answer);
	judgement_say(step, "%s%s: %s (%s)", step->text[0] == '\0' ? "" : "; ",
	    address_write(address, text), existence_name(answer->existence),
	    answer->reason);
	return answer->existence;
}

enum existence
judgement_ask(const struct route_question *asked, const struct address *address,
    struct route_step *step, struct inquired *out)
{
	out->address = *address;
	if (ask(asked, address, step, &out->answer) != ABSENT ||
	    !extension_remove(
		address, asked->config->recipient_delimiter, &out->address))
		return out->answer.existence;
	return ask(asked, &out->address, step, &out->answer);
}

struct address
judgement_final(const struct route_question *asked,
    const struct address *address, const struct inquired *found,
    struct route_step *step)
{
	const struct address *canonical = &found->answer.canonical;
	char text[ADDRESS_TEXT_SIZE];
	struct address made;
	struct target t;

	if (address_is_null(canonical) ||
	    address_equal(canonical, &found->address))
		return *address;
	if (extension_copy(canonical, address, &found->address, &made)) {
		t = target_of(asked->config, &made);
		if (t.domain != NULL && t.usable) {
			judgement_say(step, "; rewrite_to makes it %s",
			    address_write(&t.address, text));
			return t.address;
		}
	}
	judgement_say(step,
	    "; not rewritten to %s, to which nothing may be sent",
	    address_write(canonical, text));
	return *address;
}
