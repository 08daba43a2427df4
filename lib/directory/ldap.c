/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap - an LDAP server (RFC 4511) as directory source.
 *
 * Exactly one reply means that somebody does not exist: success with no entry.
 * Referrals are not chased, and search continuations (Active Directory adds
 * three to each answer) are no entries.  No password and no question goes
 * over a connection whose certificate has not been verified; clear text only
 * through ldapi://, or ldap:// without a password.
 *
 * A connection ("handle") is used by one thread at a time and kept open for
 * the next look-up.  One that was closed meanwhile, as servers do with idle
 * ones, is replaced once without anybody noticing.
 */
#include "directory/source.h"

#include "base/clock.h"
#include "base/mem.h"
#include "directory/ldap_filter.h"

#include <ldap.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum {
	IDLE_MAX = 8,
	IDLE_MAX_MS = 60000, /* firewalls forget silent connections */
	PASSWORD_MAX = 4096,
	ENTRIES_WANTED = 2,
};

struct handle {
	LDAP *ld;
	size_t uri; /* index */
	int64_t deadline_ms;
	int64_t idle_since_ms;
	bool lost; /* the last failure was the connection's end */
};

struct ldap_directory {
	const struct ldap_source *settings; /* borrowed */
	size_t n_uris;
	pthread_mutex_t lock; /* guards all that follows */
	struct handle idle[IDLE_MAX];
	size_t n_idle;
	size_t preferred; /* the URI to begin with: it answered last */
};

static void *
open_ldap(const struct directory_source *source)
{
	struct ldap_directory *d = mem_new(sizeof(*d));

	d->settings = &source->ldap;
	while (d->settings->uris[d->n_uris] != NULL)
		d->n_uris++;
	pthread_mutex_init(&d->lock, NULL);
	return d;
}

static void
close_handle(struct handle *h)
{
	if (h->ld != NULL)
		ldap_unbind_ext(h->ld, NULL, NULL);
	h->ld = NULL;
}

/* A connection that has just ended: the others have most likely, too. */
static void
close_idle(struct ldap_directory *d)
{
	struct handle closing[IDLE_MAX];
	size_t n;

	pthread_mutex_lock(&d->lock);
	n = d->n_idle;
	memcpy(closing, d->idle, n * sizeof(*closing));
	d->n_idle = 0;
	pthread_mutex_unlock(&d->lock);
	while (n > 0)
		close_handle(&closing[--n]);
}

static void
close_ldap(void *state)
{
	struct ldap_directory *d = state;

	close_idle(d);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static bool
take_idle(struct ldap_directory *d, struct handle *h)
{
	int64_t now_ms = clock_monotonic_ms();
	bool taken = false;

	while (!taken) {
		pthread_mutex_lock(&d->lock);
		if (d->n_idle == 0) {
			pthread_mutex_unlock(&d->lock);
			return false;
		}
		*h = d->idle[--d->n_idle];
		pthread_mutex_unlock(&d->lock);
		taken = now_ms - h->idle_since_ms < IDLE_MAX_MS;
		if (!taken)
			close_handle(h);
	}
	return true;
}

static void
give_back(struct ldap_directory *d, struct handle *h)
{
	bool kept;

	h->idle_since_ms = clock_monotonic_ms();
	pthread_mutex_lock(&d->lock);
	kept = d->n_idle < IDLE_MAX;
	if (kept)
		d->idle[d->n_idle++] = *h;
	d->preferred = h->uri;
	pthread_mutex_unlock(&d->lock);
	if (!kept)
		close_handle(h);
}

/* The next attempt begins with another server than one that failed. */
static void
prefer_other(struct ldap_directory *d, size_t uri)
{
	pthread_mutex_lock(&d->lock);
	d->preferred = (uri + 1) % d->n_uris;
	pthread_mutex_unlock(&d->lock);
}

static int64_t
remaining_ms(const struct handle *h)
{
	int64_t left_ms = h->deadline_ms - clock_monotonic_ms();

	return left_ms > 0 ? left_ms : 0;
}

static struct timeval
as_timeval(int64_t ms)
{
	return (
	    struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

static bool
fail(struct handle *h, int code, struct error *err)
{
	bool login =
	    code == LDAP_INVALID_CREDENTIALS || code == LDAP_INAPPROPRIATE_AUTH;
	char *said = NULL;

	h->lost = code == LDAP_SERVER_DOWN || code == LDAP_UNAVAILABLE;
	ldap_get_option(h->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &said);
	error_set(err, login ? ERROR_LOGIN : ERROR_RETRY, "%s%s%s%s",
	    ldap_err2string(code), said != NULL && *said != '\0' ? " (" : "",
	    said == NULL ? "" : said, said != NULL && *said != '\0' ? ")" : "");
	ldap_memfree(said);
	return false;
}

/* The next message of this operation, or of the whole of it when `all`; to be
 * freed by the caller. */
static LDAPMessage *
await(struct handle *h, int id, int all, struct error *err)
{
	struct timeval wait = as_timeval(remaining_ms(h));
	LDAPMessage *message = NULL;
	int type = ldap_result(h->ld, id, all, &wait, &message);
	int code = LDAP_OTHER;

	if (type > 0)
		return message;
	ldap_msgfree(message);
	if (type == 0) {
		ldap_abandon_ext(h->ld, id, NULL, NULL);
		error_set(err, ERROR_RETRY, "no answer in time");
		return NULL;
	}
	ldap_get_option(h->ld, LDAP_OPT_RESULT_CODE, &code);
	fail(h, code, err);
	return NULL;
}

/* Waits for the operation that was begun with `code` and is to succeed. */
static bool
await_success(struct handle *h, int code, int id, struct error *err)
{
	LDAPMessage *message;

	if (code != LDAP_SUCCESS)
		return fail(h, code, err);
	message = await(h, id, LDAP_MSG_ALL, err);
	if (message == NULL)
		return false;
	if (ldap_parse_result(h->ld, message, &code, NULL, NULL, NULL, NULL,
		1) != LDAP_SUCCESS)
		code = LDAP_DECODING_ERROR;
	return code == LDAP_SUCCESS || fail(h, code, err);
}

static bool
set_options(
    struct handle *h, const struct ldap_source *settings, struct error *err)
{
	struct timeval wait = as_timeval(remaining_ms(h));
	const int version = LDAP_VERSION3, demand = LDAP_OPT_X_TLS_DEMAND,
		  tls = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, client = 0;
	const struct {
		int name;
		const void *value;
	} options[] = {
		{ LDAP_OPT_PROTOCOL_VERSION, &version },
		{ LDAP_OPT_REFERRALS, LDAP_OPT_OFF },
		{ LDAP_OPT_RESTART, LDAP_OPT_ON },
		{ LDAP_OPT_NETWORK_TIMEOUT, &wait },
		{ LDAP_OPT_TIMEOUT, &wait },
		{ LDAP_OPT_X_TLS_REQUIRE_CERT, &demand },
		{ LDAP_OPT_X_TLS_PROTOCOL_MIN, &tls },
		{ LDAP_OPT_X_TLS_CACERTFILE, settings->ca_file },
		/* Makes the TLS options above count; must be the last. */
		{ LDAP_OPT_X_TLS_NEWCTX, &client },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (options[i].name == LDAP_OPT_X_TLS_CACERTFILE &&
		    options[i].value == NULL)
			continue;
		if (ldap_set_option(h->ld, options[i].name, options[i].value) !=
		    LDAP_OPT_SUCCESS)
			return error_set(err, ERROR_CONFIG,
			    "TLS cannot be set up; is ca_file (%s) a readable "
			    "file of certificates?",
			    settings->ca_file == NULL ? "the system's"
						      : settings->ca_file);
	}
	return true;
}

static bool
start_tls(struct handle *h, struct error *err)
{
	int id = 0, code = ldap_start_tls(h->ld, NULL, NULL, &id);

	if (!await_success(h, code, id, err))
		return error_prefix(err, "StartTLS");
	code = ldap_install_tls(h->ld);
	return code == LDAP_SUCCESS || fail(h, code, err);
}

static bool
bind_with_password(
    struct handle *h, const struct ldap_source *settings, struct error *err)
{
	struct buf password;
	struct berval credential;
	int code, id = 0;
	bool done;

	buf_init(&password, PASSWORD_MAX);
	done = secret_read(&settings->password, &password, err);
	/* RFC 4513 5.1.2: a name with an empty password is accepted by many
	 * servers, as nobody. */
	if (done && password.len == 0)
		done = error_set(err, ERROR_CONFIG, "the password is empty");
	if (done) {
		credential = (struct berval){ .bv_len = password.len,
			.bv_val = (char *)password.data };
		code = ldap_sasl_bind(h->ld, settings->bind_dn,
		    LDAP_SASL_SIMPLE, &credential, NULL, NULL, &id);
		done = await_success(h, code, id, err);
	}
	buf_wipe(&password);
	return done;
}

/* EXTERNAL (RFC 4422 appendix A): the server sees by itself who we are. */
static bool
bind_plain(struct handle *h, bool external, struct error *err)
{
	struct berval nothing = { 0 };
	int id = 0;
	int code = ldap_sasl_bind(h->ld, external ? NULL : "",
	    external ? "EXTERNAL" : LDAP_SASL_SIMPLE, &nothing, NULL, NULL,
	    &id);

	return await_success(h, code, id, err);
}

static bool
is_scheme(const char *uri, const char *scheme)
{
	return slice_starts_nocase(slice_of(uri), slice_of(scheme));
}

static bool
log_in(struct handle *h, const struct ldap_source *settings, struct error *err)
{
	const char *uri = settings->uris[h->uri];
	bool clear = is_scheme(uri, "ldap://");

	if (clear && settings->start_tls) {
		if (!start_tls(h, err))
			return false;
		clear = false;
	}
	if (settings->bind_dn == NULL)
		return bind_plain(h, is_scheme(uri, "ldapi://"), err);
	if (clear)
		return error_set(err, ERROR_CONFIG,
		    "no password is sent in clear text: use ldaps:// or "
		    "start_tls");
	return bind_with_password(h, settings, err);
}

static bool
connect_to(
    struct handle *h, const struct ldap_source *settings, struct error *err)
{
	const char *uri = settings->uris[h->uri];
	int code = ldap_initialize(&h->ld, uri);

	if (code != LDAP_SUCCESS)
		return error_set(
		    err, ERROR_CONFIG, "%s: %s", uri, ldap_err2string(code));
	if (set_options(h, settings, err) && log_in(h, settings, err))
		return true;
	close_handle(h);
	return error_prefix(err, "%s", uri);
}

/* The servers in turn; one that is silent gets only its share of the time.
 * A refused password is not tried elsewhere: it would count towards locking
 * the login. */
static bool
connect_any(struct ldap_directory *d, int64_t deadline_ms, struct handle *h,
    struct error *err)
{
	struct error all = { .text = "" };
	size_t first;

	pthread_mutex_lock(&d->lock);
	first = d->preferred;
	pthread_mutex_unlock(&d->lock);
	for (size_t i = 0; i < d->n_uris; i++) {
		int64_t now_ms = clock_monotonic_ms();
		struct error before = all;

		*h = (struct handle){
			.uri = (first + i) % d->n_uris,
			.deadline_ms = now_ms + (deadline_ms - now_ms) /
						    (int64_t)(d->n_uris - i),
		};
		if (connect_to(h, d->settings, err)) {
			h->deadline_ms = deadline_ms;
			return true;
		}
		error_set(&all, err->kind, "%s%s%s", before.text,
		    i > 0 ? "; " : "", err->text);
		if (err->kind != ERROR_RETRY)
			break;
	}
	*err = all;
	return false;
}

/* One search; *entries says how many there are, up to ENTRIES_WANTED. */
static bool
read_entries(struct handle *h, int id, int *entries, struct error *err)
{
	LDAPMessage *message;
	int code;

	for (*entries = 0;;) {
		message = await(h, id, LDAP_MSG_ONE, err);
		if (message == NULL)
			return false;
		if (ldap_msgtype(message) == LDAP_RES_SEARCH_RESULT)
			break;
		*entries += ldap_msgtype(message) == LDAP_RES_SEARCH_ENTRY;
		ldap_msgfree(message);
	}
	if (ldap_parse_result(h->ld, message, &code, NULL, NULL, NULL, NULL,
		1) != LDAP_SUCCESS)
		code = LDAP_DECODING_ERROR;
	return code == LDAP_SUCCESS ||
	       (code == LDAP_SIZELIMIT_EXCEEDED && *entries > 0) ||
	       fail(h, code, err);
}

static bool
search(struct ldap_directory *d, struct handle *h, const char *filter,
    int *entries, struct error *err)
{
	char nothing[] = LDAP_NO_ATTRS;
	char *attributes[] = { nothing, NULL };
	struct timeval limit = as_timeval(remaining_ms(h) + 999);
	int id = 0;
	int code = ldap_search_ext(h->ld, d->settings->base, LDAP_SCOPE_SUBTREE,
	    filter, attributes, 0, NULL, NULL, &limit, ENTRIES_WANTED, &id);

	if (code != LDAP_SUCCESS)
		fail(h, code, err);
	else if (read_entries(h, id, entries, err))
		return true;
	return error_prefix(err, "%s", d->settings->uris[h->uri]);
}

static bool
search_anywhere(struct ldap_directory *d, const char *filter, struct handle *h,
    int *entries, struct error *err)
{
	int64_t deadline_ms = clock_monotonic_ms() + d->settings->timeout_ms;

	if (take_idle(d, h)) {
		h->deadline_ms = deadline_ms;
		h->lost = false;
		if (search(d, h, filter, entries, err))
			return true;
		close_handle(h);
		close_idle(d);
		if (!h->lost)
			goto failed;
	}
	if (!connect_any(d, deadline_ms, h, err))
		return false;
	if (search(d, h, filter, entries, err))
		return true;
	close_handle(h);
failed:
	prefer_other(d, h->uri);
	return false;
}

static void
lookup(
    void *state, const struct address *address, struct directory_answer *answer)
{
	struct ldap_directory *d = state;
	const char *const *uris = d->settings->uris;
	struct handle h;
	struct buf filter;
	struct error err;
	int entries;

	buf_init(&filter, LDAP_FILTER_MAX);
	if (!ldap_filter_check(d->settings->filter, &err)) {
		source_answer(answer, UNKNOWN, "%s: %s", uris[0], err.text);
		return;
	}
	ldap_filter_write(d->settings->filter, address, &filter);
	if (search_anywhere(d, buf_string(&filter), &h, &entries, &err)) {
		source_answer(answer, entries > 0 ? EXISTS : ABSENT, "%s: %s",
		    uris[h.uri],
		    entries == 0   ? "no entry"
		    : entries == 1 ? "1 entry"
				   : "more than 1 entry");
		give_back(d, &h);
	} else
		source_answer(answer, UNKNOWN, "%s", err.text);
	buf_clear(&filter);
}

const struct source_kind source_ldap = {
	.name = "ldap",
	.remote = true,
	.open = open_ldap,
	.lookup = lookup,
	.close = close_ldap,
};
