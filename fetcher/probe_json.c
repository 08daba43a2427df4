/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/probe_report.h"

#include <jansson.h>
#include <stdio.h>

#include "base/log.h"

enum { TEXT_MAX_LEN = 2048 };

/* JSON has UTF-8 only: of other text, and of what a terminal would obey, the
 * bytes become \xNN. */
static json_t *
text_of(struct slice text)
{
	json_t *value = text.len == 0
			    ? json_string("")
			    : json_stringn((const char *)text.data, text.len);
	char safe[TEXT_MAX_LEN];

	return value != NULL ? value
			     : json_string(log_safe(safe, sizeof(safe), text));
}

static json_t *
text(const char *string)
{
	return text_of(slice_of(string));
}

static json_t *
lines_of(void (*list)(const struct probe_report *, struct buf *),
    const struct probe_report *r)
{
	json_t *array = json_array();
	struct slice rest, line;
	struct buf lines;

	buf_init(&lines, PROBE_TEXT_MAX);
	list(r, &lines);
	rest = buf_slice(&lines);
	while (slice_cut_line(&rest, &line))
		json_array_append_new(array, text_of(line));
	buf_clear(&lines);
	return array;
}

static json_t *
certificate_of(const struct probe_report *r)
{
	if (!r->certified)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:s}", "subject",
	    r->certificate.subject, "issuer", r->certificate.issuer, "until",
	    r->certificate.until, "fingerprint_sha256",
	    r->certificate.fingerprint);
}

static json_t *
folders_of(const struct probe_report *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->n_folders; i++)
		json_array_append_new(array,
		    json_pack("{s:o, s:b}", "name", text(r->folders[i].name),
			"special", r->folders[i].special));
	return array;
}

static json_t *
people_of(const struct survey_people *people)
{
	char address[ADDRESS_TEXT_SIZE];
	json_t *array = json_array();

	for (unsigned i = 0; i < people->n; i++)
		json_array_append_new(
		    array, text(address_write(&people->all[i], address)));
	return array;
}

static json_t *
field_of(const struct survey *s, const struct survey_field *f)
{
	return json_pack("{s:s, s:i, s:i, s:i, s:o, s:b}", "name", f->name,
	    "above", (int)f->above, "below", (int)f->below, "bottom",
	    (int)f->bottom, "addresses",
	    people_of(f->above > 0 ? &f->above_people : &f->bottom_people),
	    "chosen", f == s->best);
}

static json_t *
survey_of(const struct survey *s)
{
	json_t *fields = json_array(), *tops = json_array(),
	       *trusted = json_array();

	for (unsigned i = 0; i < s->n_fields; i++)
		json_array_append_new(fields, field_of(s, &s->fields[i]));
	for (unsigned i = 0; i < s->n_tops; i++)
		json_array_append_new(
		    tops, json_pack("{s:s, s:i}", "host", s->tops[i].name,
			      "messages", (int)s->tops[i].messages));
	for (unsigned i = 0; i < s->n_trusted; i++)
		json_array_append_new(trusted, json_string(s->trusted[i]));
	return json_pack("{s:i, s:o, s:o, s:o, s:i, s:i, s:o, s:s}", "messages",
	    (int)s->messages, "fields", fields, "received_by", tops,
	    "trusted_hosts", trusted, "boundaries", (int)s->bounded, "with_for",
	    (int)s->with_for, "for_addresses", people_of(&s->for_people),
	    "mailbox", s->mailbox == MAILBOX_SINGLE ? "single" : "catch_all");
}

static json_t *
error_of(const struct error *err)
{
	return err == NULL ? json_null() : text(err->text);
}

static json_t *
yaml_of(const struct probe_report *r)
{
	struct buf yaml;
	json_t *value;

	buf_init(&yaml, PROBE_TEXT_MAX);
	survey_write(r->survey, 0, &yaml);
	value = text(buf_string(&yaml));
	buf_clear(&yaml);
	return value;
}

static json_t *
report_of(const struct probe_report *r, const struct error *err)
{
	const struct account *account = r->account;
	json_t *root = json_pack("{s:s, s:o, s:i, s:o, s:b, s:o, s:o, s:o}",
	    "protocol", probe_protocol_name(r), "host", text(account->host),
	    "port", (int)account->port, "error", error_of(err), "reached",
	    r->reached, "certificate", certificate_of(r), "capabilities",
	    lines_of(probe_list_capabilities, r), "mechanisms",
	    lines_of(probe_list_mechanisms, r));

	json_object_set_new(
	    root, "tls", r->reached ? text(r->cipher) : json_null());
	if (!r->logged_in)
		return root;
	json_object_set_new(root, "folders", folders_of(r));
	json_object_set_new(
	    root, "messages", json_integer((json_int_t)r->messages));
	json_object_set_new(
	    root, "octets", json_integer((json_int_t)r->octets));
	json_object_set_new(root, "advice", lines_of(probe_advise, r));
	if (r->survey != NULL) {
		json_object_set_new(root, "survey", survey_of(r->survey));
		json_object_set_new(root, "suggestion", yaml_of(r));
	}
	return root;
}

static void
print(json_t *root)
{
	json_dumpf(root, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(root);
}

void
probe_print_json(const struct probe_report *r, const struct error *err)
{
	json_t *root = report_of(r, err);

	json_object_set_new(root, "version", json_integer(1));
	json_object_set_new(root, "account", text(r->account->name));
	print(root);
}

static json_t *
account_of(const struct probe_findings *f)
{
	struct buf yaml;
	json_t *value;

	if (f->best == NULL)
		return json_null();
	buf_init(&yaml, PROBE_TEXT_MAX);
	probe_write_account(
	    f->report != NULL ? f->report : &f->best->report, &yaml);
	value = text(buf_string(&yaml));
	buf_clear(&yaml);
	return value;
}

void
probe_print_findings_json(const struct probe_findings *f)
{
	json_t *ways = json_array();

	for (size_t i = 0; i < f->n_ways; i++)
		json_array_append_new(
		    ways, report_of(&f->ways[i].report,
			      f->ways[i].usable ? NULL : &f->ways[i].error));
	print(json_pack("{s:i, s:o, s:o, s:o, s:o}", "version", 1, "host",
	    text(f->host), "ways", ways, "login",
	    f->report == NULL ? json_null() : report_of(f->report, f->error),
	    "yaml", account_of(f)));
}
