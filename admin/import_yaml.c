/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/import_output.h"

#include <inttypes.h>
#include <string.h>

static bool
is_plain(uint8_t byte)
{
	return byte_is_alnum(byte) ||
	       slice_find(SLICE("._/@+-"), byte) < sizeof("._/@+-") - 1;
}

/* import_read() let nothing through that needs more than these escapes. */
static void
put_scalar(FILE *out, const char *text)
{
	struct slice s = slice_of(text);

	if (s.len > 0 && slice_all(s, is_plain) &&
	    (byte_is_alnum(s.data[0]) || s.data[0] == '/')) {
		fputs(text, out);
		return;
	}
	putc('"', out);
	for (const char *c = text; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			putc('\\', out);
		putc(*c, out);
	}
	putc('"', out);
}

static void
put_text(FILE *out, const char *key, const char *value)
{
	if (value == NULL)
		return;
	fprintf(out, "    %s: ", key);
	put_scalar(out, value);
	putc('\n', out);
}

static void
put_number(FILE *out, const char *key, uint64_t value, const char *unit)
{
	if (value > 0)
		fprintf(out, "    %s: %" PRIu64 "%s\n", key, value, unit);
}

static void
put_items(FILE *out, const struct import_list *list)
{
	putc('[', out);
	for (size_t i = 0; i < list->n; i++) {
		if (i > 0)
			fputs(", ", out);
		put_scalar(out, list->items[i]);
	}
	putc(']', out);
}

static void
put_list(FILE *out, const char *key, const struct import_list *list)
{
	if (list->n == 0)
		return;
	fprintf(out, "    %s: ", key);
	put_items(out, list);
	putc('\n', out);
}

static void
put_secret(FILE *out, const struct import_account *a)
{
	if (a->auth != NULL && strcmp(a->auth, "external") == 0)
		return;
	fprintf(out, "    %s: {", a->token ? "token" : "password");
	if (a->command.n > 0) {
		fputs("command: ", out);
		put_items(out, &a->command);
	} else {
		fputs("file: ", out);
		put_scalar(out, a->password_file);
	}
	fputs("}\n", out);
}

struct member {
	const char *key, *value;
};

/* A mapping in one line, of what is set. */
static void
put_mapping(FILE *out, const char *key, const struct member *members, size_t n)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (members[i].value == NULL)
			continue;
		if (!any)
			fprintf(out, "    %s: {", key);
		fprintf(out, "%s%s: ", any ? ", " : "", members[i].key);
		put_scalar(out, members[i].value);
		any = true;
	}
	if (any)
		fputs("}\n", out);
}

static void
put_tls(FILE *out, const struct import_account *a)
{
	const struct member members[] = {
		{ "mode", a->clear_text ? "never" : NULL },
		{ "ca_file", a->ca_file },
		{ "server_name", a->server_name },
		{ "fingerprint_sha256", a->fingerprint },
		{ "client_certificate", a->client_certificate },
		{ "client_key", a->client_key },
	};

	put_mapping(out, "tls", members, sizeof(members) / sizeof(members[0]));
}

static void
put_recipients(FILE *out, const struct import_account *a)
{
	if (a->from == NULL && a->envelope_headers.n == 0 &&
	    a->trusted_hosts.n == 0 && a->occurrence <= 1 &&
	    a->strip_prefix == NULL)
		return;
	fputs("    recipients:\n", out);
	if (a->from != NULL)
		fprintf(out, "      from: %s\n", a->from);
	if (a->envelope_headers.n > 0) {
		fputs("      envelope_headers: ", out);
		put_items(out, &a->envelope_headers);
		putc('\n', out);
	}
	if (a->occurrence > 1)
		fprintf(out, "      occurrence: %u\n", a->occurrence);
	if (a->strip_prefix != NULL) {
		fputs("      strip_prefix: ", out);
		put_scalar(out, a->strip_prefix);
		putc('\n', out);
	}
	if (a->trusted_hosts.n > 0) {
		fputs("      trusted_hosts: ", out);
		put_items(out, &a->trusted_hosts);
		putc('\n', out);
	}
}

static void
put_mailbox(FILE *out, struct import *import, const struct import_account *a)
{
	if (a->deliver_to != NULL) {
		put_text(out, "mailbox", "single");
		put_text(
		    out, "deliver_to", import_address(import, a->deliver_to));
	}
	if (a->fallback != NULL)
		put_text(out, "fallback", import_address(import, a->fallback));
	if (a->deliver_to == NULL)
		put_recipients(out, a);
}

static void
put_account(FILE *out, struct import *import, const struct import_account *a)
{
	fputs("  - name: ", out);
	put_scalar(out, a->name);
	putc('\n', out);
	if (a->disabled)
		fputs("    enabled: false\n", out);
	put_text(out, "protocol", import_protocol_name(a->protocol));
	put_tls(out, a);
	put_text(out, "host", a->host);
	if (a->port != import_port(a->protocol))
		put_number(out, "port", a->port, "");
	put_text(out, "user", a->user);
	put_text(out, "auth", a->auth);
	put_secret(out, a);
	put_mailbox(out, import, a);
	put_list(out, "folders", &a->folders);
	if (a->no_idle)
		fputs("    idle: false\n", out);
	put_text(out, "keep", a->keep);
	if (a->move_to != NULL)
		put_mapping(
		    out, "dispose", &(struct member){ "move", a->move_to }, 1);
	if (a->on_demand)
		put_text(out, "every", "on_demand");
	else
		put_number(out, "every", a->every_s, "s");
	put_number(out, "timeout", a->timeout_s, "s");
	put_number(out, "max_messages_per_pass", a->max_messages, "");
	put_number(out, "max_bytes_per_pass", a->max_bytes, "");
	put_number(out, "max_message_size", a->max_message_size, "");
}

static void
put_domains(FILE *out, const struct import *import)
{
	if (import->domain == NULL && import->domains.n == 0) {
		fputs("accepted_domains:\n  - \"" IMPORT_NO_DOMAIN
		      "\"  # fill in, everywhere in this file\n",
		    out);
		return;
	}
	fputs("accepted_domains:\n", out);
	if (import->domain != NULL)
		fprintf(out, "  - %s\n", import->domain);
	for (size_t i = 0; i < import->domains.n; i++)
		if (import->domain == NULL ||
		    !slice_equal_nocase(slice_of(import->domain),
			slice_of(import->domains.items[i])))
			fprintf(out, "  - %s\n", import->domains.items[i]);
}

static void
put_aliases(FILE *out, struct import *import)
{
	if (import->aliases_of == NULL || import->aliases_of->refused)
		return;
	fputs("aliases:\n", out);
	for (size_t i = 0; i < import->aliases.n; i++) {
		fputs("  - {address: ", out);
		put_scalar(
		    out, import_address(import, import->aliases.items[i]));
		fputs(", to: [", out);
		put_scalar(
		    out, import_address(import, import->people.items[i]));
		fputs("]}\n", out);
	}
}

static void
put_directory(FILE *out, struct import *import)
{
	if (import->users.n == 0) {
		fputs("# Who exists.  Without it everybody in accepted_domains "
		      "does.\n# directory:\n#   - file: users.txt\n",
		    out);
		return;
	}
	fputs("directory:\n  - file: users.txt  # mail waits until it is "
	      "there\n# What belongs into users.txt:\n",
	    out);
	for (size_t i = 0; i < import->users.n; i++)
		fprintf(out, "# %s\n",
		    import_address(import, import->users.items[i]));
}

void
import_write_yaml(struct import *import, FILE *out)
{
	const char *postmaster =
	    import->postmaster == NULL ? "postmaster" : import->postmaster;
	bool any = false;

	fputs("# Made by mailhaul import.  Next: mailhaul check\npostmaster: ",
	    out);
	put_scalar(out, import_address(import, postmaster));
	putc('\n', out);
	put_domains(out, import);
	put_aliases(out, import);
	put_directory(out, import);
	for (size_t i = 0; i < import->n_accounts; i++) {
		if (import->accounts[i]->refused)
			continue;
		fputs(any ? "" : "accounts:\n", out);
		put_account(out, import, import->accounts[i]);
		any = true;
	}
}
