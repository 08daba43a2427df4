/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scratch.h"

#include "config/config.h"

#include "config/providers.h"
#include "config/recipients_yaml.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static char folder[SCRATCH_SIZE];
static char path[PATH_MAX];

static int
make_folder(void **state)
{
	*state = folder;
	scratch_make(folder);
	snprintf(path, sizeof(path), "%s/mailhaul.yaml", folder);
	scratch_put(folder, "users.txt", SLICE(""), 0644);
	scratch_put(folder, "secret", SLICE("hunter2\n"), 0600);
	return 0;
}

static struct config *
load(const char *text)
{
	struct config *config;

	scratch_put(folder, "mailhaul.yaml", slice_of(text), 0644);
	config = config_load(path, stderr);
	assert_non_null(config);
	return config;
}

#define TOP                                                                    \
	"postmaster: postmaster@example.org\n"                                 \
	"accepted_domains: [example.org]\n"                                    \
	"directory: [{file: users.txt}]\n"
#define OFFICE                                                                 \
	"name: office, host: pop.isp.example, user: u, "                       \
	"password: {file: secret}"

static void
assert_text(const struct address *address, const char *expected)
{
	char text[ADDRESS_TEXT_SIZE];

	assert_string_equal(address_write(address, text), expected);
}

static void
test_defaults(void **state)
{
	struct config *c = load(TOP "accounts: [{" OFFICE "}]\n");
	const struct account *a = &c->accounts[0];

	(void)state;
	assert_string_equal(c->path, path);
	assert_string_equal(c->recipient_delimiter, "");
	assert_string_equal(
	    c->directory[0].file, scratch_path(folder, "users.txt"));
	assert_int_equal(c->cache.found_ms, 300000);
	assert_int_equal(c->cache.absent_ms, 30000);
	assert_int_equal(c->cache.stale_ms, 3600000);
	assert_string_equal(c->inject.sendmail, "/usr/sbin/sendmail");
	assert_string_equal(c->inject.postconf, "/usr/sbin/postconf");
	assert_int_equal(c->inject.parallel, 4);
	assert_int_equal(c->inject.timeout_ms, 600000);
	assert_int_equal(c->inject.retry_ms, 60000);
	assert_int_equal(c->inject.max_tries, 10);
	assert_true(c->inject.require_milter);
	assert_string_equal(
	    c->milter.socket, "unix:/var/spool/postfix/mailhaul/milter.sock");
	assert_string_equal(c->milter.control, "/run/mailhaul/milter.ctl");
	assert_int_equal(c->milter.smtp, MILTER_SMTP_OFF);
	assert_string_equal(c->state_dir, "/var/lib/mailhaul");
	assert_int_equal(c->archive.keep_ms, INT64_C(604800000));
	assert_int_equal(c->archive.max_bytes, 1 << 30);
	assert_true(a->enabled);
	assert_int_equal(a->protocol, PROTOCOL_POP3S);
	assert_int_equal(a->port, 995);
	assert_int_equal(a->tls.mode, TLS_REQUIRED);
	assert_null(a->tls.ca_file);
	assert_false(a->tls.pinned);
	assert_int_equal(a->mailbox, MAILBOX_CATCH_ALL);
	assert_text(&a->fallback, "postmaster@example.org");
	assert_null(a->unknown_recipients);
	assert_int_equal(a->n_addresses, 0);
	assert_int_equal(a->sender, SENDER_ORIGINAL);
	assert_int_equal(a->keep, KEEP_NONE);
	assert_int_equal(a->every_ms, 60000);
	assert_int_equal(a->timeout_ms, 60000);
	assert_int_equal(a->max_messages_per_pass, 200);
	config_unref(c);
}

static void
test_recipient_defaults(void **state)
{
	struct config *c = load(TOP "accounts: [{" OFFICE "}]\n");
	const struct recipient_settings *r = &c->accounts[0].recipients;

	(void)state;
	assert_int_equal(r->n_tiers, 3);
	assert_int_equal(r->tiers[0], TIER_ENVELOPE);
	assert_int_equal(r->tiers[1], TIER_RECEIVED);
	assert_int_equal(r->tiers[2], TIER_HEADERS);
	assert_null(r->envelope_headers);
	assert_int_equal(r->occurrence, 1);
	assert_false(r->position_bottom);
	assert_string_equal(r->strip_prefix, "");
	assert_string_equal(r->strip_suffix, "");
	assert_non_null(r->trusted_hosts);
	assert_null(r->trusted_hosts[0]);
	assert_string_equal(r->headers[0], "To");
	assert_string_equal(r->headers[1], "Cc");
	assert_string_equal(r->headers[2], "Bcc");
	assert_null(r->headers[3]);
	config_unref(c);
}

static void
test_every_type(void **state)
{
	struct config *c = load(TOP
	    "recipient_delimiter: '+-'\n"
	    "archive: {max_size: 20M, keep: 2h}\n"
	    "state_dir: ../state\n"
	    "accounts:\n"
	    "  - {" OFFICE ", protocol: pop3, keep: 90m, timeout: 1500ms,\n"
	    "     tls: {fingerprint_sha256: '00:11223344556677"
	    "8899aabbccddeeff00112233445566778899AABBCCDDEEFF'},\n"
	    "     unknown_recipients: Office@Example.ORG, sender: null,\n"
	    "     recipients: {from: [headers], occurrence: last,\n"
	    "       position: bottom, trusted_hosts: [.Isp.EXAMPLE],\n"
	    "       envelope_headers: [X-Rcpt]}}\n"
	    "  - {name: b, host: 2001:db8::1, user: box@isp.example,\n"
	    "     password: {command: [/bin/echo, x]}, keep: forever,\n"
	    "     recipients: {occurrence: all}}\n"
	    "  - {name: c, host: h.example, user: box@example.org,\n"
	    "     password: {credential: cred}, mailbox: single,\n"
	    "     deliver_to: anna@example.org, addresses: [a@isp.example]}\n"
	    "  - {name: d, host: h.example, user: anna@example.org,\n"
	    "     password: {file: secret}}\n");
	const struct account *a = c->accounts;

	(void)state;
	assert_string_equal(c->recipient_delimiter, "+-");
	assert_int_equal(c->archive.max_bytes, 20 * 1024 * 1024);
	assert_int_equal(c->archive.keep_ms, 7200000);
	assert_string_equal(c->state_dir, scratch_path(folder, "../state"));
	assert_int_equal(a[0].port, 110);
	assert_int_equal(a[0].keep, KEEP_TIME);
	assert_int_equal(a[0].keep_ms, 5400000);
	assert_int_equal(a[0].timeout_ms, 1500);
	assert_true(a[0].tls.pinned);
	assert_int_equal(a[0].tls.fingerprint_sha256[1], 0x11);
	assert_int_equal(a[0].tls.fingerprint_sha256[31], 0xff);
	assert_text(a[0].unknown_recipients, "Office@example.org");
	assert_int_equal(a[0].sender, SENDER_NULL);
	assert_int_equal(a[0].recipients.n_tiers, 1);
	assert_int_equal(a[0].recipients.tiers[0], TIER_HEADERS);
	assert_int_equal(a[0].recipients.occurrence, OCCURRENCE_LAST);
	assert_true(a[0].recipients.position_bottom);
	assert_string_equal(a[0].recipients.trusted_hosts[0], ".isp.example");
	assert_string_equal(a[0].recipients.envelope_headers[0], "X-Rcpt");
	assert_null(a[0].recipients.envelope_headers[1]);
	assert_int_equal(a[1].keep, KEEP_FOREVER);
	assert_string_equal(a[1].host, "2001:db8::1");
	assert_int_equal(a[1].password.kind, SECRET_COMMAND);
	assert_string_equal(a[1].password.argv[0], "/bin/echo");
	assert_null(a[1].password.argv[2]);
	assert_int_equal(a[1].recipients.occurrence, OCCURRENCE_ALL);
	/* The login is the mailbox's own address, unless it is one of ours. */
	assert_int_equal(a[1].n_addresses, 1);
	assert_text(&a[1].addresses[0], "box@isp.example");
	assert_int_equal(a[2].password.kind, SECRET_CREDENTIAL);
	assert_text(&a[2].deliver_to, "anna@example.org");
	assert_text(&a[2].addresses[0], "a@isp.example");
	assert_int_equal(a[3].n_addresses, 0);
	config_unref(c);
}

static void
test_accounts_inherit(void **state)
{
	struct config *c = load(
	    TOP "accounts:\n"
		"  - {name: a, user: u, password: {file: secret}}\n"
		"  - {name: b, user: u, password: {file: secret}, every: 5s,\n"
		"     host: other.example, recipients: {occurrence: 3}}\n"
		"account_defaults: {host: pop.isp.example, every: 2m,\n"
		"  fallback: office@example.org,\n"
		"  recipients: {from: [headers], occurrence: 2}}\n");
	const struct account *a = c->accounts;

	(void)state;
	assert_string_equal(a[0].host, "pop.isp.example");
	assert_int_equal(a[0].every_ms, 120000);
	assert_int_equal(a[0].recipients.occurrence, 2);
	assert_text(&a[0].fallback, "office@example.org");
	assert_string_equal(a[1].host, "other.example");
	assert_int_equal(a[1].every_ms, 5000);
	assert_int_equal(a[1].recipients.occurrence, 3);
	assert_int_equal(a[1].recipients.n_tiers, 1);
	config_unref(c);
}

static void
assert_list(const char *const *list, const char *const *expected)
{
	for (; *expected != NULL; list++, expected++)
		assert_string_equal(*list, *expected);
	assert_null(*list);
}

#define LOGIN "user: u, password: {file: secret}"

static void
test_providers(void **state)
{
	struct config *c = load(TOP
	    "accounts:\n"
	    "- {name: a, provider: ionos, " LOGIN "}\n"
	    "- {name: b, provider: ionos, protocol: imaps, " LOGIN ", host: "
	    "imap.ionos.com, recipients: {position: top, occurrence: 2}}\n"
	    "- {name: c, " LOGIN ", recipients: {from: [headers]}, provider: "
	    "google, protocol: imap}\n");
	const struct account *a = c->accounts;

	(void)state;
	assert_string_equal(a[0].provider->title, "IONOS (1&1)");
	assert_string_equal(a[0].host, "pop.1und1.de");
	assert_int_equal(a[0].port, 995);
	assert_true(a[0].recipients.position_bottom);
	assert_list(a[0].recipients.envelope_headers,
	    (const char *[]){ "Envelope-To", NULL });
	assert_list(a[0].recipients.trusted_hosts,
	    (const char *[]){ ".kundenserver.de", NULL });
	assert_list(a[0].recipients.headers,
	    (const char *[]){ "To", "Cc", "Bcc", NULL });
	assert_string_equal(a[1].host, "imap.ionos.com");
	assert_false(a[1].recipients.position_bottom);
	assert_int_equal(a[1].recipients.occurrence, 2);
	assert_string_equal(a[1].recipients.envelope_headers[0], "Envelope-To");
	assert_string_equal(a[2].host, "imap.gmail.com");
	assert_int_equal(a[2].recipients.n_tiers, 1);
	assert_int_equal(a[2].recipients.occurrence, OCCURRENCE_LAST);
	config_unref(c);
}

/* An account's own provider goes before what all have, whole. */
static void
test_provider_of_all(void **state)
{
	struct config *c =
	    load(TOP "account_defaults: {provider: ionos, every: 15m, "
		     "recipients: {headers: [To]}}\n"
		     "accounts:\n"
		     "- {name: a, " LOGIN "}\n"
		     "- {name: b, " LOGIN ", provider: web_de}\n");
	const struct account *a = c->accounts;

	(void)state;
	assert_true(a[0].recipients.position_bottom);
	assert_string_equal(a[0].host, "pop.1und1.de");
	assert_string_equal(a[1].host, "pop3.web.de");
	assert_false(a[1].recipients.position_bottom);
	assert_null(a[1].recipients.envelope_headers);
	assert_int_equal(a[1].recipients.n_tiers, 2);
	assert_string_equal(a[1].recipients.headers[0], "To");
	assert_null(a[1].recipients.headers[1]);
	config_unref(c);
}

/* What a row says must be what the loader would take. */
static void
test_every_provider_as_its_example(void **state)
{
	const struct schema_word *w;
	struct buf yaml;

	(void)state;
	for (w = provider_words; w->word != NULL; w++) {
		const struct account *a;
		struct config *c;

		buf_init(&yaml, 4096);
		buf_printf(&yaml,
		    TOP "accounts:\n- {name: a, host: h.example, provider: "
			"%s, " LOGIN "}\n"
			"- name: b\n  host: h.example\n  user: u\n"
			"  password: {file: secret}\n",
		    w->word);
		recipients_write_yaml(&w->provider->recipients, 2, &yaml);
		c = load(buf_string(&yaml));
		a = c->accounts;
		assert_string_equal(provider_name(a->provider), w->word);
		assert_int_equal(
		    a[0].recipients.n_tiers, a[1].recipients.n_tiers);
		assert_memory_equal(a[0].recipients.tiers,
		    a[1].recipients.tiers,
		    a[0].recipients.n_tiers * sizeof(enum tier));
		assert_int_equal(
		    a[0].recipients.occurrence, a[1].recipients.occurrence);
		assert_int_equal(a[0].recipients.position_bottom,
		    a[1].recipients.position_bottom);
		if (a[0].recipients.trusted_hosts != NULL)
			assert_list(a[0].recipients.trusted_hosts,
			    a[1].recipients.trusted_hosts);
		if (a[0].recipients.envelope_headers != NULL)
			assert_list(a[0].recipients.envelope_headers,
			    a[1].recipients.envelope_headers);
		assert_true(strlen(w->provider->source) > 20);
		config_unref(c);
		buf_clear(&yaml);
	}
}

static void
test_ldap(void **state)
{
	struct config *c =
	    load("postmaster: p@example.org\n"
		 "accepted_domains: [example.org]\n"
		 "directory:\n"
		 "  - ldap: {uri: [ldaps://a, ldaps://b], base: o=x}\n"
		 "  - ldap: {uri: [ldap://a], base: o=x, start_tls: required,\n"
		 "      schema: active_directory, timeout: 2s, bind_dn: cn=m,\n"
		 "      password: {file: secret}}\n"
		 "  - ldap: {uri: [ldapi://], base: o=x, schema: freeipa,\n"
		 "      filter: '(uid={local})'}\n"
		 "accounts: []\n");
	const struct directory_source *d = c->directory;

	(void)state;
	assert_int_equal(c->n_directory, 3);
	assert_int_equal(d[0].kind, DIRECTORY_LDAP);
	assert_string_equal(d[0].ldap.uris[1], "ldaps://b");
	assert_null(d[0].ldap.uris[2]);
	assert_string_equal(d[0].ldap.filter,
	    "(|(mail={address})(mailAlternateAddress={address}))");
	assert_int_equal(d[0].ldap.timeout_ms, 5000);
	assert_int_equal(d[0].ldap.password.kind, SECRET_NONE);
	assert_false(d[0].ldap.start_tls);
	assert_non_null(strstr(d[1].ldap.filter,
	    "(|(!(userAccountControl:1.2.840.113556.1.4.803:=2))"
	    "(msExchRecipientTypeDetails=2)"));
	assert_true(d[1].ldap.start_tls);
	assert_int_equal(d[1].ldap.timeout_ms, 2000);
	assert_int_equal(d[1].ldap.password.kind, SECRET_FILE);
	assert_string_equal(d[2].ldap.filter, "(uid={local})");
	config_unref(c);
}

static void
test_domains(void **state)
{
	struct config *c =
	    load("postmaster: p@example.org\n"
		 "accepted_domains:\n"
		 "  - .org\n"
		 "  - {domain: .example.org, catch_all: a@example.org}\n"
		 "  - Example.ORG\n"
		 "  - {domain: old.example.org, map_to: example.org}\n"
		 "  - b\xc3\xbc"
		 "cher.example\n"
		 "directory: [{file: users.txt}]\n"
		 "accounts: []\n");

	(void)state;
	assert_ptr_equal(config_domain(c, "example.org"), &c->domains[2]);
	assert_ptr_equal(config_domain(c, "x.example.org"), &c->domains[1]);
	assert_ptr_equal(config_domain(c, "old.example.org"), &c->domains[3]);
	assert_ptr_equal(config_domain(c, "other.org"), &c->domains[0]);
	assert_null(config_domain(c, "example.net"));
	assert_null(config_domain(c, "org"));
	assert_text(c->domains[1].catch_all, "a@example.org");
	assert_string_equal(c->domains[3].map_to, "example.org");
	assert_string_equal(c->domains[4].name, "xn--bcher-kva.example");
	config_unref(c);
}

static void
test_account_by_name(void **state)
{
	struct config *c =
	    load(TOP "accounts: [{" OFFICE ", enabled: false}]\n");

	(void)state;
	assert_ptr_equal(config_account(c, "office"), &c->accounts[0]);
	assert_false(c->accounts[0].enabled);
	assert_null(config_account(c, "offic"));
	config_unref(c);
}

static void
test_references(void **state)
{
	struct config *c = load(TOP "accounts: []\n");

	(void)state;
	assert_ptr_equal(config_ref(c), c);
	config_unref(c);
	assert_text(&c->postmaster, "postmaster@example.org");
	config_unref(c);
	config_unref(NULL);
}

static void
assert_secret(const struct secret_source *source, const char *expected)
{
	struct error err;
	struct buf secret;
	bool good;

	buf_init(&secret, 4096);
	good = secret_read(source, &secret, &err);
	if (!good && expected != NULL)
		print_error("%s\n", err.text);
	assert_int_equal(good, expected != NULL);
	if (good)
		assert_string_equal(buf_string(&secret), expected);
	buf_wipe(&secret);
}

static void
test_secret_of_file(void **state)
{
	struct secret_source s = { .kind = SECRET_FILE };

	(void)state;
	s.name = scratch_path(folder, "secret");
	assert_secret(&s, "hunter2");
	scratch_put(folder, "secret", SLICE("hunter2\n"), 0644);
	assert_secret(&s, NULL);
	scratch_put(folder, "secret", SLICE("\n"), 0600);
	assert_secret(&s, NULL);
	scratch_put(folder, "secret", SLICE("two\nlines\n"), 0600);
	assert_secret(&s, NULL);
	scratch_put(folder, "secret", SLICE("hunter2\n"), 0600);
}

static void
test_secret_of_credential(void **state)
{
	struct secret_source s = { .kind = SECRET_CREDENTIAL,
		.name = "secret" };

	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_secret(&s, NULL);
	setenv("CREDENTIALS_DIRECTORY", folder, 1);
	assert_secret(&s, "hunter2");
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void
test_secret_of_command(void **state)
{
	const char *const says[] = { "/bin/echo", "hunter2", NULL };
	const char *const fails[] = { "/bin/false", NULL };
	struct secret_source s = { .kind = SECRET_COMMAND, .argv = says };

	(void)state;
	assert_secret(&s, "hunter2");
	s.argv = fails;
	assert_secret(&s, NULL);
	s.kind = SECRET_NONE;
	assert_secret(&s, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_recipient_defaults),
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_accounts_inherit),
		cmocka_unit_test(test_providers),
		cmocka_unit_test(test_provider_of_all),
		cmocka_unit_test(test_every_provider_as_its_example),
		cmocka_unit_test(test_ldap),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_account_by_name),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_secret_of_file),
		cmocka_unit_test(test_secret_of_credential),
		cmocka_unit_test(test_secret_of_command),
	};

	return cmocka_run_group_tests(tests, make_folder, scratch_tear_down);
}
