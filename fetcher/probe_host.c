/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/probe_host.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sysexits.h>

#include "config/schema.h"
#include "fetcher/probe.h"
#include "mail/domain.h"

enum { SILENCE_MS = 10 * 1000, LOOK_MS = 30 * 1000, WAYS = 4 };

/* Best first: over IMAP mail may be heard of at once. */
static const enum account_protocol protocols[WAYS] = { PROTOCOL_IMAPS,
	PROTOCOL_POP3S, PROTOCOL_IMAP, PROTOCOL_POP3 };

struct look {
	const struct probe_host *settings;
	enum probe_format format;
	struct loop *loop;
	struct account accounts[WAYS];
	struct probe_way ways[WAYS];
	struct probe_findings findings;
	int status;
};

static bool
is_host(const char *host)
{
	struct in6_addr address;
	char name[DOMAIN_SIZE];

	return inet_pton(AF_INET, host, &address) == 1 ||
	       inet_pton(AF_INET6, host, &address) == 1 ||
	       domain_normalise(slice_of(host), name);
}

static bool
is_visible(uint8_t byte)
{
	return byte >= 0x20 && byte != 0x7f;
}

bool
probe_host_check(const struct probe_host *settings, struct error *err)
{
	bool secret = settings->password.kind != SECRET_NONE ||
		      settings->token.kind != SECRET_NONE;

	if (!is_host(settings->host))
		return error_set(err, ERROR_CONFIG,
		    "%s is no name or address of a host", settings->host);
	if (settings->user == NULL)
		return !secret ||
		       error_set(err, ERROR_CONFIG, "a password needs --user");
	if (!secret)
		return error_set(err, ERROR_CONFIG,
		    "--user needs --password-file, --password-command or "
		    "--token-command");
	return (settings->user[0] != '\0' &&
		   slice_all(slice_of(settings->user), is_visible)) ||
	       error_set(err, ERROR_CONFIG, "such a user cannot be");
}

static struct account
make_account(const struct probe_host *settings, enum account_protocol protocol)
{
	static const char *const inbox[] = { "INBOX", NULL }, *const none[] = {
		NULL
	};

	return (struct account){
		.name = settings->host,
		.protocol = protocol,
		.tls = settings->tls,
		.host = settings->host,
		.port = schema_port(protocol),
		.user = settings->user == NULL ? "" : settings->user,
		.password = settings->password,
		.token = settings->token,
		.folders = inbox,
		.exclude_folders = none,
		.timeout_ms = SILENCE_MS,
	};
}

static void
conclude(struct look *l)
{
	probe_print_findings(&l->findings, l->format);
	loop_stop(l->loop);
}

static void
on_login(void *arg, const struct probe_report *report, const struct error *err)
{
	struct look *l = arg;

	l->findings.report = report;
	l->findings.error = err;
	l->status = probe_status(err);
	conclude(l);
}

/* What says more than that nobody is there. */
static int
status_of_failure(const struct look *l)
{
	for (size_t i = 0; i < WAYS; i++)
		if (l->ways[i].error.kind != ERROR_RETRY)
			return probe_status(&l->ways[i].error);
	return EX_UNAVAILABLE;
}

static void
choose(struct look *l)
{
	for (size_t i = 0; i < WAYS && l->findings.best == NULL; i++)
		if (l->ways[i].usable)
			l->findings.best = &l->ways[i];
	if (l->findings.best == NULL) {
		l->status = status_of_failure(l);
		conclude(l);
	} else if (l->settings->user == NULL) {
		conclude(l);
	} else {
		probe_start(&(struct probe_settings){
		    .loop = l->loop,
		    .account = l->findings.best->report.account,
		    .survey = true,
		    .messages = PROBE_MESSAGES,
		    .done = on_login,
		    .arg = l,
		});
	}
}

static void
on_looked(void *arg, const struct probe_report *report, const struct error *err)
{
	struct look *l = arg;
	size_t left = 0;

	for (size_t i = 0; i < WAYS; i++) {
		struct probe_way *way = &l->ways[i];

		if (report->account == &l->accounts[i]) {
			way->report = *report;
			way->done = true;
			way->usable = err == NULL;
			if (err != NULL)
				way->error = *err;
		}
		left += !way->done;
	}
	if (left == 0)
		choose(l);
}

int
probe_host_run(const struct probe_host *settings, enum probe_format format)
{
	struct look l = { .settings = settings, .format = format };

	l.loop = loop_new();
	l.findings = (struct probe_findings){
		.host = settings->host, .ways = l.ways, .n_ways = WAYS
	};
	for (size_t i = 0; i < WAYS; i++) {
		l.accounts[i] = make_account(settings, protocols[i]);
		probe_start(&(struct probe_settings){
		    .loop = l.loop,
		    .account = &l.accounts[i],
		    .look = true,
		    .limit_ms = LOOK_MS,
		    .done = on_looked,
		    .arg = &l,
		});
	}
	loop_run(l.loop);
	return l.status;
}
