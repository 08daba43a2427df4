/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/ldap_connection.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <ldap.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	PASSWORD_MAX = 4096,
	ENTRIES_WANTED = 2,
	ATTRIBUTES_MAX = 16,
	/* Of one message from a server: an entry with its addresses. */
	MESSAGE_MAX = 256 * 1024,
};

struct ldap_connection {
	LDAP *ld;
	const struct ldap_source *settings; /* borrowed */
	const char *uri;                    /* borrowed */
	int64_t deadline_ms;                /* of the request under way */
	bool expired;                       /* the deadline passed in it */
	bool lost; /* the last failure was the connection's end */
	struct ldap_conncb watch;
	Sockbuf_IO layer;
};

static int64_t
remaining_ms(const struct ldap_connection *c)
{
	int64_t left_ms = c->deadline_ms - clock_monotonic_ms();

	return left_ms > 0 ? left_ms : 0;
}

static struct timeval
as_timeval(int64_t ms)
{
	return (
	    struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

/*
 * libldap's own time-outs cover neither the TLS handshake nor a message that
 * stops half way (2.5.13 on GnuTLS: a server that is stopped after accept()
 * holds the caller for ever).  So a layer of ours lies between TLS and socket
 * and waits for each byte, at most until the deadline.
 */
static bool
wait_ready(Sockbuf_IO_Desc *layer, short events)
{
	struct ldap_connection *c = layer->sbiod_pvt;
	struct pollfd ready = { .fd = -1, .events = events };
	int n;

	ber_sockbuf_ctrl(layer->sbiod_sb, LBER_SB_OPT_GET_FD, &ready.fd);
	do
		n = poll(&ready, 1, (int)remaining_ms(c));
	while (n < 0 && errno == EINTR);
	if (n == 0) {
		c->expired = true;
		errno = ETIMEDOUT;
	}
	return n > 0;
}

static int
layer_setup(Sockbuf_IO_Desc *layer, void *connection)
{
	layer->sbiod_pvt = connection;
	return 0;
}

static int
layer_nothing(Sockbuf_IO_Desc *layer)
{
	(void)layer;
	return 0;
}

static int
layer_control(Sockbuf_IO_Desc *layer, int option, void *value)
{
	return LBER_SBIOD_CTRL_NEXT(layer, option, value);
}

static ber_slen_t
layer_read(Sockbuf_IO_Desc *layer, void *data, ber_len_t len)
{
	/* A layer below may have bytes that the socket has no more. */
	if (LBER_SBIOD_CTRL_NEXT(layer, LBER_SB_OPT_DATA_READY, NULL) <= 0 &&
	    !wait_ready(layer, POLLIN))
		return -1;
	return LBER_SBIOD_READ_NEXT(layer, data, len);
}

static ber_slen_t
layer_write(Sockbuf_IO_Desc *layer, void *data, ber_len_t len)
{
	if (!wait_ready(layer, POLLOUT))
		return -1;
	return LBER_SBIOD_WRITE_NEXT(layer, data, len);
}

static const Sockbuf_IO deadline_layer = {
	.sbi_setup = layer_setup,
	.sbi_remove = layer_nothing,
	.sbi_ctrl = layer_control,
	.sbi_read = layer_read,
	.sbi_write = layer_write,
	.sbi_close = layer_nothing,
};

/* Called by libldap between connect() and TLS. */
static int
on_connected(LDAP *ld, Sockbuf *socket_buffer, LDAPURLDesc *server,
    struct sockaddr *address, struct ldap_conncb *watch)
{
	struct ldap_connection *c = watch->lc_arg;
	ber_len_t max = MESSAGE_MAX;

	(void)ld;
	(void)server;
	(void)address;
	ber_sockbuf_ctrl(socket_buffer, LBER_SB_OPT_SET_MAX_INCOMING, &max);
	return ber_sockbuf_add_io(
	    socket_buffer, &c->layer, LBER_SBIOD_LEVEL_TRANSPORT - 1, c);
}

static void
on_disconnected(LDAP *ld, Sockbuf *socket_buffer, struct ldap_conncb *watch)
{
	(void)ld;
	(void)socket_buffer;
	(void)watch;
}

/* What the words of the protocol leave to be guessed. */
static const char *
advice(int code)
{
	static const struct {
		int code;
		const char *words;
	} table[] = {
		{ LDAP_NO_SUCH_OBJECT,
		    ": is base right, and may bind_dn read it?" },
		{ LDAP_INVALID_CREDENTIALS, ": look at bind_dn and password" },
		{ LDAP_INAPPROPRIATE_AUTH, ": look at bind_dn and password" },
		{ LDAP_INVALID_DN_SYNTAX, ": look at base and bind_dn" },
		{ LDAP_OPERATIONS_ERROR, ": does it want a bind_dn?" },
		{ LDAP_CONFIDENTIALITY_REQUIRED,
		    ": use ldaps:// or start_tls: required" },
		{ LDAP_STRONG_AUTH_REQUIRED,
		    ": use ldaps:// or start_tls: required" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].code == code)
			return table[i].words;
	return "";
}

static bool
fail(struct ldap_connection *c, int code, struct error *err)
{
	bool login =
	    code == LDAP_INVALID_CREDENTIALS || code == LDAP_INAPPROPRIATE_AUTH;
	char *said = NULL;

	if (c->expired)
		return error_set(err, ERROR_RETRY, "no answer in time");
	c->lost = code == LDAP_SERVER_DOWN || code == LDAP_UNAVAILABLE;
	ldap_get_option(c->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &said);
	/* What libldap with GnuTLS says of a certificate that it refuses. */
	if (said != NULL && strcmp(said, "(unknown error code)") == 0) {
		ldap_memfree(said);
		return error_set(err, ERROR_RETRY,
		    "%s (its certificate: is it from an authority in ca_file, "
		    "valid, and for this host name?)",
		    ldap_err2string(code));
	}
	error_set(err, login ? ERROR_LOGIN : ERROR_RETRY, "%s%s%s%s%s",
	    ldap_err2string(code), said != NULL && *said != '\0' ? " (" : "",
	    said == NULL ? "" : said, said != NULL && *said != '\0' ? ")" : "",
	    advice(code));
	ldap_memfree(said);
	return false;
}

/* The next message of this operation, or of the whole of it when `all`; to be
 * freed by the caller. */
static LDAPMessage *
await(struct ldap_connection *c, int id, int all, struct error *err)
{
	struct timeval wait = as_timeval(remaining_ms(c));
	LDAPMessage *message = NULL;
	int type = ldap_result(c->ld, id, all, &wait, &message);
	int code = LDAP_OTHER;

	if (type > 0)
		return message;
	ldap_msgfree(message);
	if (type == 0) {
		ldap_abandon_ext(c->ld, id, NULL, NULL);
		error_set(err, ERROR_RETRY, "no answer in time");
		return NULL;
	}
	ldap_get_option(c->ld, LDAP_OPT_RESULT_CODE, &code);
	fail(c, code, err);
	return NULL;
}

/* Waits for the operation that was begun with `code` and is to succeed. */
static bool
await_success(struct ldap_connection *c, int code, int id, struct error *err)
{
	LDAPMessage *message;

	if (code != LDAP_SUCCESS)
		return fail(c, code, err);
	message = await(c, id, LDAP_MSG_ALL, err);
	if (message == NULL)
		return false;
	if (ldap_parse_result(c->ld, message, &code, NULL, NULL, NULL, NULL,
		1) != LDAP_SUCCESS)
		code = LDAP_DECODING_ERROR;
	return code == LDAP_SUCCESS || fail(c, code, err);
}

/* Debian's libldap trusts nobody unless the package libldap-common, which is
 * only recommended, brought an ldap.conf(5) that names this file. */
static const char *
authorities(const struct ldap_connection *c)
{
	static const char bundle[] = "/etc/ssl/certs/ca-certificates.crt";
	char *file = NULL, *folder = NULL;
	bool named;

	if (c->settings->ca_file != NULL)
		return c->settings->ca_file;
	ldap_get_option(c->ld, LDAP_OPT_X_TLS_CACERTFILE, &file);
	ldap_get_option(c->ld, LDAP_OPT_X_TLS_CACERTDIR, &folder);
	named = file != NULL || folder != NULL;
	ldap_memfree(file);
	ldap_memfree(folder);
	return named || access(bundle, R_OK) != 0 ? NULL : bundle;
}

static bool
set_options(struct ldap_connection *c, struct error *err)
{
	struct timeval wait = as_timeval(remaining_ms(c));
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
		{ LDAP_OPT_CONNECT_CB, &c->watch },
		{ LDAP_OPT_X_TLS_REQUIRE_CERT, &demand },
		{ LDAP_OPT_X_TLS_PROTOCOL_MIN, &tls },
		{ LDAP_OPT_X_TLS_CACERTFILE, authorities(c) },
		/* Makes the TLS options above count; must be the last. */
		{ LDAP_OPT_X_TLS_NEWCTX, &client },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (options[i].name == LDAP_OPT_X_TLS_CACERTFILE &&
		    options[i].value == NULL)
			continue;
		if (ldap_set_option(c->ld, options[i].name, options[i].value) !=
		    LDAP_OPT_SUCCESS)
			return error_set(err, ERROR_CONFIG,
			    "TLS cannot be set up; is ca_file (%s) a readable "
			    "file of certificates?",
			    c->settings->ca_file == NULL
				? "the system's"
				: c->settings->ca_file);
	}
	return true;
}

static bool
start_tls(struct ldap_connection *c, struct error *err)
{
	int id = 0, code = ldap_start_tls(c->ld, NULL, NULL, &id);

	if (!await_success(c, code, id, err))
		return error_prefix(err, "StartTLS");
	code = ldap_install_tls(c->ld);
	return code == LDAP_SUCCESS || fail(c, code, err);
}

static bool
bind_with_password(struct ldap_connection *c, struct error *err)
{
	struct buf password;
	struct berval credential;
	int code, id = 0;
	bool done;

	buf_init(&password, PASSWORD_MAX);
	done = secret_read(&c->settings->password, &password, err);
	/* RFC 4513 5.1.2: a name with an empty password is accepted by many
	 * servers, as nobody. */
	if (done && password.len == 0)
		done = error_set(err, ERROR_CONFIG, "the password is empty");
	if (done) {
		credential = (struct berval){ .bv_len = password.len,
			.bv_val = (char *)password.data };
		code = ldap_sasl_bind(c->ld, c->settings->bind_dn,
		    LDAP_SASL_SIMPLE, &credential, NULL, NULL, &id);
		done = await_success(c, code, id, err);
	}
	buf_wipe(&password);
	return done;
}

/* EXTERNAL (RFC 4422 appendix A): the server sees by itself who we are. */
static bool
bind_plain(struct ldap_connection *c, bool external, struct error *err)
{
	/* Empty, which is not the same as none: the server would ask for it. */
	char empty[] = "";
	struct berval nothing = { .bv_val = empty };
	int id = 0;
	int code = ldap_sasl_bind(c->ld, external ? NULL : "",
	    external ? "EXTERNAL" : LDAP_SASL_SIMPLE, &nothing, NULL, NULL,
	    &id);

	return await_success(c, code, id, err);
}

static bool
is_scheme(const char *uri, const char *scheme)
{
	return slice_starts_nocase(slice_of(uri), slice_of(scheme));
}

static bool
log_in(struct ldap_connection *c, struct error *err)
{
	const char *uri = c->uri;
	bool local = is_scheme(uri, "ldapi://");
	bool clear = !local && !is_scheme(uri, "ldaps://");

	if (clear && c->settings->start_tls) {
		if (!start_tls(c, err))
			return false;
		clear = false;
	}
	if (c->settings->bind_dn == NULL)
		return bind_plain(c, local, err);
	if (clear)
		return error_set(err, ERROR_CONFIG,
		    "no password is sent in clear text: use ldaps:// or "
		    "start_tls");
	return bind_with_password(c, err);
}

static void
read_values(struct ldap_connection *c, LDAPMessage *entry,
    const struct ldap_search *search)
{
	for (size_t i = 0; search->attributes[i] != NULL; i++) {
		const char *attribute = search->attributes[i];
		struct berval **values =
		    ldap_get_values_len(c->ld, entry, attribute);

		for (size_t v = 0; values != NULL && values[v] != NULL; v++)
			search->on_value(search->context, attribute,
			    (struct slice){ (uint8_t *)values[v]->bv_val,
				values[v]->bv_len });
		ldap_value_free_len(values);
	}
}

static bool
read_entries(struct ldap_connection *c, int id, struct ldap_search *search,
    struct error *err)
{
	LDAPMessage *message;
	int code;

	for (search->entries = 0;;) {
		message = await(c, id, LDAP_MSG_ONE, err);
		if (message == NULL)
			return false;
		if (ldap_msgtype(message) == LDAP_RES_SEARCH_RESULT)
			break;
		if (ldap_msgtype(message) == LDAP_RES_SEARCH_ENTRY) {
			search->entries++;
			if (search->attributes != NULL)
				read_values(c, message, search);
			if (search->on_entry != NULL)
				search->on_entry(search->context);
		}
		ldap_msgfree(message);
	}
	if (ldap_parse_result(c->ld, message, &code, NULL, NULL, NULL, NULL,
		1) != LDAP_SUCCESS)
		code = LDAP_DECODING_ERROR;
	search->cut = code == LDAP_SIZELIMIT_EXCEEDED;
	return code == LDAP_SUCCESS || (search->cut && search->entries > 0) ||
	       fail(c, code, err);
}

void
ldap_connection_prepare(void)
{
	int ignored;

	ldap_get_option(NULL, LDAP_OPT_PROTOCOL_VERSION, &ignored);
}

struct ldap_connection *
ldap_connection_open(const struct ldap_source *settings, const char *uri,
    int64_t deadline_ms, struct error *err)
{
	struct ldap_connection *c = mem_new(sizeof(*c));
	int code;

	*c = (struct ldap_connection){
		.settings = settings,
		.uri = uri,
		.deadline_ms = deadline_ms,
		.watch = { on_connected, on_disconnected, c },
		.layer = deadline_layer,
	};
	code = ldap_initialize(&c->ld, uri);
	if (code != LDAP_SUCCESS)
		error_set(err, ERROR_CONFIG, "%s", ldap_err2string(code));
	else if (set_options(c, err) && log_in(c, err))
		return c;
	error_prefix(err, "%s", uri);
	ldap_connection_close(c);
	return NULL;
}

void
ldap_connection_close(struct ldap_connection *c)
{
	/* The farewell must not wait for a server that reads no more. */
	c->deadline_ms = 0;
	if (c->ld != NULL)
		ldap_unbind_ext(c->ld, NULL, NULL);
	free(c);
}

bool
ldap_connection_is_lost(const struct ldap_connection *c)
{
	return c->lost;
}

/* The library wants its list of attributes without const. */
static int
begin_search(
    struct ldap_connection *c, const struct ldap_search *search, int *id)
{
	char nothing[] = LDAP_NO_ATTRS;
	char *names[ATTRIBUTES_MAX + 1] = { nothing };
	struct timeval limit = as_timeval(remaining_ms(c) + 999);
	int max =
	    search->entries_max > 0 ? search->entries_max : ENTRIES_WANTED;
	int code;

	for (size_t i = 0; search->attributes != NULL && i < ATTRIBUTES_MAX &&
			   search->attributes[i] != NULL;
	     i++)
		names[i] = mem_string(search->attributes[i]);
	code = ldap_search_ext(c->ld, c->settings->base, LDAP_SCOPE_SUBTREE,
	    search->filter, names, 0, NULL, NULL, &limit, max, id);
	for (size_t i = 0; search->attributes != NULL && names[i] != NULL; i++)
		free(names[i]);
	return code;
}

bool
ldap_connection_search(
    struct ldap_connection *c, struct ldap_search *search, struct error *err)
{
	int id = 0, code;

	c->deadline_ms = search->deadline_ms;
	c->expired = false;
	c->lost = false;
	code = begin_search(c, search, &id);
	if (code != LDAP_SUCCESS)
		fail(c, code, err);
	else if (read_entries(c, id, search, err))
		return true;
	return error_prefix(err, "%s", c->uri);
}
