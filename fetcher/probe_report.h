/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_report - what a probe found out, and how an administrator is told.
 *
 * All foreign text is made printable and is cut.  Of messages nothing is told
 * but the addresses in the fields in which providers record the recipient.
 */
#ifndef FETCHER_PROBE_REPORT_H
#define FETCHER_PROBE_REPORT_H

#include "base/buf.h"
#include "config/config.h"
#include "fetcher/certificate.h"
#include "fetcher/protocol.h"
#include "recipients/survey.h"

enum { PROBE_CIPHER_MAX = 96, PROBE_TEXT_MAX = 256 * 1024 };

struct probe_folder {
	char *name;   /* UTF-8 */
	bool special; /* \All, \Drafts, \Junk, \Sent, \Trash */
};

struct probe_report {
	const struct account *account;
	bool reached; /* up to the login: these are known */
	char cipher[PROBE_CIPHER_MAX];
	bool certified;
	struct certificate_facts certificate;
	struct protocol_facts facts;
	bool without_capa; /* POP3: the server broke off at it */

	bool logged_in;
	struct probe_folder *folders;
	size_t n_folders;
	bool listed; /* these are known */
	uint32_t messages;
	uint64_t octets;
	struct survey *survey;     /* NULL: none was made */
	const struct buf *headers; /* what it was made from; borrowed */
	size_t n_headers;
};

/* PROBE_HEADERS: for `mailhaul test-catch-all`: the header blocks, the newest
 * first, each after a line with its length. */
enum probe_format { PROBE_BRIEF, PROBE_TEXT, PROBE_JSON, PROBE_HEADERS };

/* One of the ways to reach a host, and what came of it. */
struct probe_way {
	struct probe_report report; /* without login */
	struct error error;
	bool done, usable;
};

/* What --probe-host found out. */
struct probe_findings {
	const char *host;
	struct probe_way *ways;
	size_t n_ways;
	const struct probe_way *best; /* NULL: none is usable */
	/* The login there, if there was one. */
	const struct probe_report *report;
	const struct error *error; /* NULL: it was accepted */
};

bool probe_is_imap(const struct probe_report *);
/* "imaps", as in the configuration. */
const char *probe_protocol_name(const struct probe_report *);
/* The exit status (sysexits); NULL: 0. */
int probe_status(const struct error *);
/* Each adds lines. */
void probe_list_capabilities(const struct probe_report *, struct buf *);
void probe_list_mechanisms(const struct probe_report *, struct buf *);
/* What follows for the configuration. */
void probe_advise(const struct probe_report *, struct buf *);
/* A way in words: "works", or why not. */
void probe_describe_way(const struct probe_way *, struct buf *);
/* An account to paste. */
void probe_write_account(const struct probe_report *, struct buf *);

void probe_print(
    const struct probe_report *, const struct error *, enum probe_format);
void probe_print_findings(const struct probe_findings *, enum probe_format);
/* In probe_json.c */
void probe_print_json(const struct probe_report *, const struct error *);
void probe_print_findings_json(const struct probe_findings *);

void probe_report_clear(struct probe_report *);

#endif
