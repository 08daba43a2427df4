/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of check.h that is about where an account's recipients are found.
 */
#include "config/check.h"

#include <string.h>

#define WRITTEN_BY_SENDER                                                      \
	"the sender writes it, so it is not believed; recipients.headers is "  \
	"for it"
#define WRITTEN_BY_RESENDER                                                    \
	"whoever sends mail on writes it, so it is not believed; the source "  \
	"headers reads it"
#define NAMES_AUTHOR "it names who wrote the message, not whom it is for"

static const struct {
	const char *name, *why;
} no_envelope_fields[] = {
	{ "To", WRITTEN_BY_SENDER },
	{ "Cc", WRITTEN_BY_SENDER },
	{ "Bcc", WRITTEN_BY_SENDER },
	{ "Subject", WRITTEN_BY_SENDER },
	{ "Resent-To", WRITTEN_BY_RESENDER },
	{ "Resent-Cc", WRITTEN_BY_RESENDER },
	{ "Resent-Bcc", WRITTEN_BY_RESENDER },
	{ "From", NAMES_AUTHOR },
	{ "Sender", NAMES_AUTHOR },
	{ "Reply-To", NAMES_AUTHOR },
	{ "Return-Path",
	    "it names the envelope sender, who would be taken for the "
	    "recipient" },
	{ "Received", "the source received reads it" },
};

void
check_envelope_field(struct load *load, const struct node *node)
{
	const size_t n =
	    sizeof(no_envelope_fields) / sizeof(no_envelope_fields[0]);

	for (size_t i = 0; i < n; i++)
		if (slice_equal_nocase(slice_of(node->text),
			slice_of(no_envelope_fields[i].name)))
			finding_warning(load->findings, node,
			    "%s records no envelope recipient: %s; name the "
			    "provider's own field, or leave it out",
			    node->text, no_envelope_fields[i].why);
}

static void
check_stripped(
    struct load *load, const char *const *text, const struct node *account)
{
	if (*text != NULL && strchr(*text, '@') != NULL)
		finding_error(load->findings, check_node_of(account, text),
		    "only the local part is looked at: leave out @ and what "
		    "follows it");
}

static bool
believes_received(const struct recipient_settings *r)
{
	for (size_t i = 0; i < r->n_tiers; i++)
		if (r->tiers[i] == TIER_RECEIVED)
			return r->trusted_hosts == NULL ||
			       r->trusted_hosts[0] == NULL;
	return false;
}

void
check_recipients(
    struct load *load, const struct account *a, const struct node *node)
{
	const struct node *trusted =
	    check_node_of(node, &a->recipients.trusted_hosts);

	check_stripped(load, &a->recipients.strip_prefix, node);
	check_stripped(load, &a->recipients.strip_suffix, node);
	/* An entry that is wrong has been told. */
	if (a->mailbox != MAILBOX_SINGLE &&
	    node_child(node, "provider") == NULL && a->provider == NULL &&
	    believes_received(&a->recipients) &&
	    (trusted == node || trusted->n_children == 0))
		finding_warning(load->findings, trusted,
		    "without recipients.trusted_hosts only the topmost "
		    "Received field is believed");
}
