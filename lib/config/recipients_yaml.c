/* SPDX-License-Identifier: Apache-2.0 */
#include "config/recipients_yaml.h"

static void
write_names(
    const char *key, const char *const *names, int indent, struct buf *out)
{
	if (names == NULL || names[0] == NULL)
		return;
	buf_printf(out, "%*s%s: [", indent, "", key);
	for (size_t i = 0; names[i] != NULL; i++)
		buf_printf(out, "%s%s", i > 0 ? ", " : "", names[i]);
	buf_add_string(out, "]\n");
}

static void
write_tiers(const struct recipient_settings *r, int indent, struct buf *out)
{
	if (r->n_tiers == sizeof(r->tiers) / sizeof(r->tiers[0]))
		return;
	buf_printf(out, "%*sfrom: [", indent, "");
	for (size_t i = 0; i < r->n_tiers; i++)
		buf_printf(
		    out, "%s%s", i > 0 ? ", " : "", tier_name(r->tiers[i]));
	buf_add_string(out, "]\n");
}

static void
write_occurrence(int occurrence, int indent, struct buf *out)
{
	if (occurrence == OCCURRENCE_LAST)
		buf_printf(out, "%*soccurrence: last\n", indent, "");
	else if (occurrence == OCCURRENCE_ALL)
		buf_printf(out, "%*soccurrence: all\n", indent, "");
	else if (occurrence != 1)
		buf_printf(out, "%*soccurrence: %d\n", indent, "", occurrence);
}

static void
write_text(const char *key, const char *text, int indent, struct buf *out)
{
	if (text == NULL || text[0] == '\0')
		return;
	buf_printf(out, "%*s%s: ", indent, "", key);
	buf_add_quoted(out, slice_of(text));
	buf_add_string(out, "\n");
}

void
addresses_write_yaml(
    const struct address *addresses, size_t n, int indent, struct buf *out)
{
	char text[ADDRESS_TEXT_SIZE];

	buf_printf(out, "%*saddresses: [", indent, "");
	for (size_t i = 0; i < n; i++) {
		buf_add_string(out, i > 0 ? ", " : "");
		buf_add_quoted(
		    out, slice_of(address_write(&addresses[i], text)));
	}
	buf_add_string(out, "]\n");
}

void
recipients_write_yaml(
    const struct recipient_settings *r, int indent, struct buf *out)
{
	struct buf lines;

	buf_init(&lines, out->max);
	write_tiers(r, indent + 2, &lines);
	write_names(
	    "envelope_headers", r->envelope_headers, indent + 2, &lines);
	write_occurrence(r->occurrence, indent + 2, &lines);
	if (r->position_bottom)
		buf_printf(&lines, "%*sposition: bottom\n", indent + 2, "");
	write_text("strip_prefix", r->strip_prefix, indent + 2, &lines);
	write_text("strip_suffix", r->strip_suffix, indent + 2, &lines);
	write_names("trusted_hosts", r->trusted_hosts, indent + 2, &lines);
	if (lines.len > 0) {
		buf_printf(out, "%*srecipients:\n", indent, "");
		buf_add(out, buf_slice(&lines));
	}
	buf_clear(&lines);
}
