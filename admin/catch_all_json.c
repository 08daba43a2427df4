/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/catch_all.h"
#include "admin/json_text.h"

enum { LINES_MAX = 64 * 1024 };

static json_t *
fields_of(const struct catch_all *t, const struct catch_all_message *m)
{
	json_t *all = json_array();
	struct slice rest, line;
	struct buf lines;

	buf_init(&lines, LINES_MAX);
	catch_all_list_fields(t, m, &lines);
	rest = buf_slice(&lines);
	while (slice_cut_line(&rest, &line))
		json_array_append_new(all, json_text_of(line));
	buf_clear(&lines);
	return all;
}

static json_t *
outcome_of(const struct explanation *e)
{
	json_t *recipients = json_array();

	for (size_t i = 0; i < e->n_recipients; i++)
		json_array_append_new(recipients, json_text(e->recipients[i]));
	return json_pack("{s:s, s:s, s:o, s:o}", "verdict",
	    explanation_verdict_name(e->verdict), "source",
	    tier_name(e->candidates.tier), "recipients", recipients, "reason",
	    json_text(e->reason));
}

static json_t *
message_of(const struct catch_all *t, const struct catch_all_message *m)
{
	return json_pack("{s:o, s:o, s:o, s:b, s:b, s:o, s:o}", "message_id",
	    json_text_of(m->id), "date", json_text_of(m->date), "fields",
	    fields_of(t, m), "recorded", m->proven, "hidden", m->hidden,
	    "present", outcome_of(&m->present), "suggested",
	    outcome_of(&m->suggested));
}

static json_t *
examples_of(const struct catch_all *t)
{
	json_t *all = json_array();

	for (size_t i = 0; i < 2 && t->examples[i] != NULL; i++)
		json_array_append_new(all,
		    json_integer((json_int_t)(t->examples[i] - t->messages)));
	return all;
}

static json_t *
yaml_of(const struct catch_all *t)
{
	json_t *text;
	struct buf yaml;

	if (t->n == 0)
		return json_null();
	buf_init(&yaml, LINES_MAX);
	catch_all_write(t, 0, &yaml);
	text = json_text(buf_string(&yaml));
	buf_clear(&yaml);
	return text;
}

bool
catch_all_print_json(const struct catch_all *t)
{
	json_t *messages = json_array();

	for (size_t i = 0; i < t->n; i++)
		json_array_append_new(messages, message_of(t, &t->messages[i]));
	return json_print(json_pack(
	    "{s:i, s:s, s:i, s:i, s:s, s:o, s:s, s:i, s:o, s:b, s:o, s:s}",
	    "version", 1, "account", t->account->name, "messages", (int)t->n,
	    "recorded", (int)t->n_proven, "copies",
	    catch_all_copies_name(t->copies), "examples", examples_of(t), "bcc",
	    catch_all_bcc_name(t->bcc), "hidden", (int)t->n_hidden, "looked_at",
	    messages, "fits", t->fits, "suggestion", yaml_of(t), "mailbox",
	    t->survey.mailbox == MAILBOX_SINGLE ? "single" : "catch_all"));
}
