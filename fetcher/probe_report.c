/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/probe_report.h"

#include <stddef.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/log.h"
#include "fetcher/sasl.h"

bool
probe_is_imap(const struct probe_report *r)
{
	return r->account->protocol == PROTOCOL_IMAP ||
	       r->account->protocol == PROTOCOL_IMAPS;
}

const char *
probe_protocol_name(const struct probe_report *r)
{
	static const char *const names[] = {
		[PROTOCOL_POP3] = "pop3",
		[PROTOCOL_POP3S] = "pop3s",
		[PROTOCOL_IMAP] = "imap",
		[PROTOCOL_IMAPS] = "imaps",
	};

	return names[r->account->protocol];
}

int
probe_status(const struct error *err)
{
	static const int statuses[] = {
		[ERROR_RETRY] = EX_UNAVAILABLE,
		[ERROR_REFUSED] = EX_UNAVAILABLE,
		[ERROR_LOGIN] = EX_NOPERM,
		[ERROR_TLS] = EX_PROTOCOL,
		[ERROR_PROTOCOL] = EX_PROTOCOL,
		[ERROR_CONFIG] = EX_CONFIG,
		[ERROR_LOCAL] = EX_TEMPFAIL,
	};

	return err == NULL ? EX_OK : statuses[err->kind];
}

#define FACT(name) offsetof(struct protocol_facts, name)

/* What each is called, what follows if the server has it, and if not. */
static const struct capability {
	bool imap;
	size_t fact;
	const char *name, *with, *without;
} capabilities[] = {
	{ true, FACT(idle), "IDLE",
	    "IDLE works: new mail is heard of at once, whatever every says",
	    "no IDLE: new mail is noticed as often as every says" },
	{ true, FACT(uidplus), "UIDPLUS", NULL,
	    "no UIDPLUS: collected messages are only marked as deleted; see "
	    "full_expunge" },
	{ true, FACT(move), "MOVE", NULL,
	    "no MOVE: dispose: {move: FOLDER} copies, and then deletes" },
	{ true, FACT(literal_plus), "LITERAL+", NULL, NULL },
	{ true, FACT(sasl_ir), "SASL-IR", NULL, NULL },
	{ true, FACT(id), "ID", NULL, NULL },
	{ true, FACT(utf8), "UTF8=ACCEPT", NULL, NULL },
	{ true, FACT(starttls), "STARTTLS", NULL, NULL },
	{ true, FACT(login_disabled), "LOGINDISABLED", NULL, NULL },
	{ false, FACT(pipelining), "PIPELINING", NULL,
	    "no PIPELINING: one message after the other, a long way off that "
	    "takes long" },
	{ false, FACT(uidl), "UIDL", NULL, "no UIDL: only with keep: none" },
	{ false, FACT(top), "TOP", NULL, NULL },
	{ false, FACT(user), "USER", NULL, NULL },
	{ false, FACT(resp_codes), "RESP-CODES", NULL, NULL },
	{ false, FACT(utf8), "UTF8", NULL, NULL },
	{ false, FACT(starttls), "STLS", NULL, NULL },
};
enum { CAPABILITIES = sizeof(capabilities) / sizeof(capabilities[0]) };

static bool
has(const struct probe_report *r, const struct capability *c)
{
	return *(const bool *)((const char *)&r->facts + c->fact);
}

void
probe_list_capabilities(const struct probe_report *r, struct buf *out)
{
	for (size_t i = 0; i < CAPABILITIES; i++)
		if (capabilities[i].imap == probe_is_imap(r) &&
		    has(r, &capabilities[i]))
			buf_printf(out, "%s\n", capabilities[i].name);
	if (r->facts.login_delay_s > 0)
		buf_printf(out, "LOGIN-DELAY %u\n", r->facts.login_delay_s);
	if (r->facts.expire_days > 0)
		buf_printf(out, "EXPIRE %u\n", r->facts.expire_days);
}

void
probe_list_mechanisms(const struct probe_report *r, struct buf *out)
{
	sasl_list(r->facts.mechanisms, "\n", out);
	if (r->facts.mechanisms != 0)
		buf_add_byte(out, '\n');
}

static void
advise_times(const struct protocol_facts *facts, struct buf *out)
{
	uint32_t delay = facts->login_delay_s;

	if (delay > 0 && delay % 60 == 0)
		buf_printf(out, "LOGIN-DELAY %u: every: %um, not less\n", delay,
		    delay / 60);
	else if (delay > 0)
		buf_printf(out, "LOGIN-DELAY %u: every: %us, not less\n", delay,
		    delay);
	if (facts->expire_days > 0)
		buf_printf(out,
		    "EXPIRE %u: what is kept there longer (keep) the provider "
		    "removes\n",
		    facts->expire_days);
}

/* Only after the login a server says all, and an old one says nothing. */
void
probe_advise(const struct probe_report *r, struct buf *out)
{
	bool told = r->logged_in && (probe_is_imap(r) || r->facts.capa);

	for (size_t i = 0; i < CAPABILITIES && told; i++) {
		const struct capability *c = &capabilities[i];
		const char *text = has(r, c) ? c->with : c->without;

		if (c->imap == probe_is_imap(r) && text != NULL)
			buf_printf(out, "%s\n", text);
	}
	advise_times(&r->facts, out);
	if (r->without_capa)
		buf_add_string(out, "the server cannot bear CAPA: it is asked "
				    "without it, from the second try on\n");
	if (r->facts.read_only)
		buf_add_string(out, "the folder is read-only: nothing can be "
				    "deleted there, set keep: forever\n");
	if (r->account->tls.mode == TLS_NEVER)
		buf_add_string(out, "password and mail travel in clear "
				    "text\n");
}

void
probe_describe_way(const struct probe_way *way, struct buf *out)
{
	if (way->usable)
		buf_printf(out, "works, %s", way->report.cipher);
	else
		buf_add_string(out, way->error.text);
	if (!way->usable && way->error.kind == ERROR_TLS)
		buf_add_string(out, "; no password goes there");
}

/* --- an account to paste ----------------------------------------------- */

static bool
is_plain_byte(uint8_t byte)
{
	return byte_is_alnum(byte) || byte == '.' || byte == '_' ||
	       byte == '@' || byte == '/' || byte == '-';
}

/* Control characters are kept out by whoever reads the command line. */
static void
write_text(struct slice text, struct buf *out)
{
	if (text.len > 0 &&
	    (byte_is_alpha(text.data[0]) || text.data[0] == '/') &&
	    slice_all(text, is_plain_byte)) {
		buf_add(out, text);
		return;
	}
	buf_add_quoted(out, text);
}

static void
write_line(const char *key, const char *value, struct buf *out)
{
	buf_printf(out, "    %s: ", key);
	write_text(slice_of(value), out);
	buf_add_byte(out, '\n');
}

static void
write_secret(
    const char *key, const struct secret_source *secret, struct buf *out)
{
	if (secret->kind == SECRET_FILE) {
		buf_printf(out, "    %s: {file: ", key);
		write_text(slice_of(secret->name), out);
		buf_add_string(out, "}\n");
	} else if (secret->kind == SECRET_COMMAND) {
		buf_printf(out, "    %s: {command: [", key);
		for (size_t i = 0; secret->argv[i] != NULL; i++) {
			if (i > 0)
				buf_add_string(out, ", ");
			write_text(slice_of(secret->argv[i]), out);
		}
		buf_add_string(out, "]}\n");
	}
}

static void
write_login(const struct account *account, struct buf *out)
{
	if (account->user == NULL || account->user[0] == '\0')
		buf_add_string(out, "    user:  # your login\n");
	else
		write_line("user", account->user, out);
	write_secret("password", &account->password, out);
	write_secret("token", &account->token, out);
	if (account->password.kind == SECRET_NONE &&
	    account->token.kind == SECRET_NONE)
		buf_add_string(
		    out, "    password: {file: /etc/mailhaul/PASSWORD-FILE}\n");
}

static void
write_tls(const struct tls_settings *tls, struct buf *out)
{
	char hex[DIGEST_HEX_SIZE];

	if (tls->pinned) {
		hex_write(
		    (struct slice){ tls->fingerprint_sha256, DIGEST_SIZE },
		    hex);
		buf_printf(out, "    tls: {fingerprint_sha256: \"%s\"}\n", hex);
	} else if (tls->ca_file != NULL) {
		buf_add_string(out, "    tls: {ca_file: ");
		write_text(slice_of(tls->ca_file), out);
		buf_add_string(out, "}\n");
	}
}

static void
write_name(const char *host, struct buf *out)
{
	buf_add_string(out, "  - name: ");
	for (; *host != '\0'; host++)
		buf_add_byte(
		    out, byte_is_alnum((uint8_t)*host) ? (uint8_t)*host : '-');
	buf_add_byte(out, '\n');
}

void
probe_write_account(const struct probe_report *r, struct buf *out)
{
	const struct account *account = r->account;

	buf_add_string(out, "accounts:\n");
	write_name(account->host, out);
	write_line("protocol", probe_protocol_name(r), out);
	write_line("host", account->host, out);
	write_login(account, out);
	write_tls(&account->tls, out);
	if (probe_is_imap(r) && r->logged_in && !r->facts.idle)
		buf_add_string(out, "    idle: false\n");
	if (r->facts.login_delay_s > 60)
		buf_printf(out, "    every: %us\n", r->facts.login_delay_s);
	if (r->survey != NULL)
		survey_write(r->survey, 4, out);
}

void
probe_report_clear(struct probe_report *r)
{
	for (size_t i = 0; i < r->n_folders; i++)
		free(r->folders[i].name);
	free(r->folders);
	free(r->survey);
}
