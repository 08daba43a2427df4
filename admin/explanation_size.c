/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/explanation.h"

#include <stdio.h>

#include "admin/postconf.h"
#include "base/readable.h"
#include "recipients/explain.h"

/* 0: none. */
static bool
ask_postfix(const struct config *config, uint64_t *limit, struct error *err)
{
	struct postconf_value value = { .name = "message_size_limit" };
	struct slice text;
	bool ok = postconf_read(
	    config->inject.postconf, POSTCONF_EXPANDED, &value, 1, err);

	text = slice_of(postconf_text(&value, 1, value.name));
	if (ok && (!slice_cut_number(&text, INT64_MAX, limit) || text.len > 0))
		ok = error_set(err, ERROR_CONFIG,
		    "postconf did not tell message_size_limit");
	postconf_values_clear(&value, 1);
	return ok;
}

void
explanation_judge_size(struct explanation *e, const struct config *config,
    const struct explained_message *message)
{
	char size[READABLE_SIZE], limit[READABLE_SIZE];
	const char *whose = "max_message_size";
	uint64_t max = e->account->max_message_size, postfix = 0;
	struct error err;
	bool known = ask_postfix(config, &postfix, &err);

	if (known && postfix > 0 && (max == 0 || postfix < max)) {
		max = postfix;
		whose = "Postfix's message_size_limit";
	}
	readable_size(message->size, size);
	readable_size(max, limit);
	e->size = SIZE_COLLECTED;
	if (max > 0 && message->size > max) {
		e->size = SIZE_OVERSIZE;
		snprintf(e->size_text, sizeof(e->size_text),
		    "it is larger (%s) than %s (%s): it is not collected, and "
		    "stays at the provider",
		    size, whose, limit);
		explain_warn(&e->candidates, "%s", e->size_text);
	} else if (!known) {
		e->size = SIZE_UNKNOWN;
		snprintf(e->size_text, sizeof(e->size_text),
		    "%s; whether Postfix takes so much cannot be known: %s",
		    size, err.text);
	} else if (max == 0) {
		snprintf(
		    e->size_text, sizeof(e->size_text), "%s, no limit", size);
	} else {
		snprintf(e->size_text, sizeof(e->size_text),
		    "%s, of at most %s (%s)", size, limit, whose);
	}
}

const char *
explanation_size_name(enum explanation_size size)
{
	static const char *const names[] = {
		[SIZE_COLLECTED] = "collected",
		[SIZE_OVERSIZE] = "oversize",
		[SIZE_UNKNOWN] = "unknown",
	};

	return names[size];
}
