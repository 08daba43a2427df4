/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/explanation.h"
#include "admin/json_text.h"

static json_t *
address_of(const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];

	return json_text(address_write(address, text));
}

static json_t *
recipients_of(const struct explanation *e)
{
	json_t *all = json_array();

	for (size_t i = 0; i < e->n_recipients; i++)
		json_array_append_new(all, json_text(e->recipients[i]));
	return all;
}

/* Where a candidate, or the people of the alias that it is, went. */
static json_t *
went_to(const struct explanation *e, const struct candidate *c)
{
	json_t *all = json_array();

	for (size_t i = 0; i < e->route.n_steps; i++) {
		const struct route_step *step = &e->route.steps[i];

		if (address_equal(&step->candidate, &c->address) &&
		    !address_is_null(&step->to))
			json_array_append_new(all, address_of(&step->to));
	}
	return all;
}

static json_t *
candidates_of(const struct explanation *e)
{
	json_t *all = json_array();

	for (size_t i = 0; i < e->candidates.n; i++) {
		const struct candidate *c = &e->candidates.all[i];
		const char *result = explanation_result(e, c);
		bool invalid = c->kind == CANDIDATE_INVALID;

		json_array_append_new(all,
		    json_pack("{s:o, s:s, s:o}", "address",
			invalid ? json_text(c->text) : address_of(&c->address),
			"result", result == NULL ? "unknown" : result, "to",
			invalid ? json_array() : went_to(e, c)));
	}
	return all;
}

static void
add_step(json_t *all, const char *step, json_t *subject, const char *result,
    const char *text)
{
	json_array_append_new(
	    all, json_pack("{s:s, s:o, s:s, s:o}", "step", step, "subject",
		     subject, "result", result, "text", json_text(text)));
}

static json_t *
steps_of(const struct explanation *e)
{
	json_t *all = json_array();

	for (size_t i = 0; i < e->candidates.n_findings; i++) {
		const struct finding *f = &e->candidates.findings[i];

		add_step(
		    all, f->step, json_text(f->subject), f->result, f->text);
	}
	for (size_t i = 0; i < e->route.n_steps; i++) {
		const struct route_step *s = &e->route.steps[i];

		add_step(all, "policy", address_of(&s->candidate),
		    route_result_name(s->result), s->text);
	}
	if (e->route.used_fallback)
		add_step(all, "policy", address_of(&e->account->fallback),
		    "fallback", "nobody else is left to get the message");
	for (size_t i = 0; i < e->route.rules.n_steps; i++) {
		const struct rule_step *s = &e->route.rules.steps[i];

		add_step(all, "rule", json_text(s->rule),
		    rule_result_name(s->result), s->text);
	}
	if (e->route.rules_left_nobody)
		add_step(all, "rule", address_of(&e->account->fallback),
		    "fallback", "the rules leave nobody");
	add_step(all, "verdict", json_text(e->account->name),
	    explanation_verdict_name(e->verdict), e->reason);
	return all;
}

static json_t *
warnings_of(const struct explanation *e)
{
	json_t *all = json_array();

	for (size_t i = 0; i < e->candidates.n_warnings; i++)
		json_array_append_new(
		    all, json_text(e->candidates.warnings[i]));
	return all;
}

bool
explanation_print_json(const struct explanation *e)
{
	json_t *root =
	    json_pack("{s:i, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}",
		"version", 1, "verdict", explanation_verdict_name(e->verdict),
		"source", tier_name(e->candidates.tier), "account",
		json_text(e->account->name), "sender", address_of(&e->sender),
		"recipients", recipients_of(e), "candidates", candidates_of(e),
		"steps", steps_of(e), "warnings", warnings_of(e));

	return json_print(root);
}
