/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/tls.h"

#include "base/digest.h"
#include "base/mem.h"
#include "fetcher/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct tls {
	SSL *ssl; /* the bufferevent's */
	struct bufferevent *stream;
	const struct tls_settings *settings;
	const char *host;
	bool refused; /* by the check of the chain; err says why */
	struct error err;
};

/* Reading a store takes tens of milliseconds: one context for each file. */
struct context {
	char *ca_file; /* NULL: the system's */
	struct timespec changed;
	SSL_CTX *ssl_ctx;
	struct context *next;
};

struct contexts {
	struct context *first;
};

static SSL_CTX *
new_context(const char *ca_file, struct error *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	bool loaded;

	if (ctx == NULL)
		abort();
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(
	    ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (ca_file == NULL)
		loaded = SSL_CTX_set_default_verify_paths(ctx) == 1;
	else
		loaded = SSL_CTX_load_verify_file(ctx, ca_file) == 1;
	if (loaded)
		return ctx;
	error_set(err, ERROR_CONFIG,
	    "tls.ca_file: cannot read certificates (PEM) from %s",
	    ca_file == NULL ? "the system's store" : ca_file);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return NULL;
}

static void *
make_contexts(struct loop *loop)
{
	(void)loop;
	return mem_new(sizeof(struct contexts));
}

static void
drop_contexts(void *object)
{
	struct contexts *all = object;

	while (all->first != NULL) {
		struct context *context = all->first;

		all->first = context->next;
		SSL_CTX_free(context->ssl_ctx);
		free(context->ca_file);
		free(context);
	}
	free(all);
}

static struct context *
find_context(struct contexts *all, const char *ca_file)
{
	struct context *at;

	for (at = all->first; at != NULL; at = at->next) {
		if (ca_file == NULL ? at->ca_file == NULL
				    : at->ca_file != NULL &&
					  strcmp(at->ca_file, ca_file) == 0)
			return at;
	}
	at = mem_new(sizeof(*at));
	at->ca_file = ca_file == NULL ? NULL : mem_string(ca_file);
	at->next = all->first;
	all->first = at;
	return at;
}

/* The context for a store, read again when the file has changed. */
static SSL_CTX *
context_of(struct loop *loop, const char *ca_file, struct error *err)
{
	static const struct loop_kind kind = { make_contexts, drop_contexts };
	struct context *context =
	    find_context(loop_shared(loop, &kind), ca_file);
	struct stat file = { 0 };

	if (ca_file != NULL && stat(ca_file, &file) != 0) {
		error_errno(
		    err, ERROR_CONFIG, errno, "tls.ca_file: %s", ca_file);
		return NULL;
	}
	if (context->ssl_ctx != NULL &&
	    context->changed.tv_sec == file.st_mtim.tv_sec &&
	    context->changed.tv_nsec == file.st_mtim.tv_nsec)
		return context->ssl_ctx;
	SSL_CTX_free(context->ssl_ctx);
	context->ssl_ctx = new_context(ca_file, err);
	context->changed = file.st_mtim;
	return context->ssl_ctx;
}

static const char *
wanted_name(const struct tls *tls)
{
	return tls->settings->server_name != NULL ? tls->settings->server_name
						  : tls->host;
}

static int
on_chain(int ok, X509_STORE_CTX *chain)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(
	    chain, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *tls = SSL_get_app_data(ssl);

	if (!ok && !tls->refused) {
		tls->refused = true;
		certificate_explain(
		    chain, tls->host, wanted_name(tls), &tls->err);
	}
	return ok;
}

static bool
is_address(const char *name)
{
	struct in6_addr address;

	return inet_pton(AF_INET, name, &address) == 1 ||
	       inet_pton(AF_INET6, name, &address) == 1;
}

/* OpenSSL's macro takes the name without const, and copies it. */
static bool
send_name(SSL *ssl, const char *name)
{
	char *copy = mem_string(name);
	bool taken = SSL_set_tlsext_host_name(ssl, copy) == 1;

	free(copy);
	return taken;
}

/* What is asked of the peer. */
static bool
set_expectations(struct tls *tls)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);
	const char *name = wanted_name(tls);
	bool by_address = is_address(name);

	SSL_set_app_data(tls->ssl, tls);
	if (!by_address && !send_name(tls->ssl, name))
		return false;
	if (tls->settings->pinned) {
		SSL_set_verify(tls->ssl, SSL_VERIFY_NONE, NULL);
		return true;
	}
	SSL_set_verify(tls->ssl, SSL_VERIFY_PEER, on_chain);
	X509_VERIFY_PARAM_set_hostflags(
	    param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (by_address)
		return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	return SSL_set1_host(tls->ssl, name) == 1;
}

struct tls *
tls_start(struct loop *loop, int fd, const struct tls_settings *settings,
    const char *host, struct error *err)
{
	SSL_CTX *ctx = context_of(loop, settings->ca_file, err);
	struct tls *tls;

	if (ctx == NULL)
		return NULL;
	tls = mem_new(sizeof(*tls));
	tls->settings = settings;
	tls->host = host;
	tls->ssl = SSL_new(ctx);
	if (tls->ssl == NULL)
		abort();
	if (!set_expectations(tls)) {
		error_set(err, ERROR_CONFIG,
		    "%s cannot be the name in a "
		    "certificate",
		    wanted_name(tls));
		SSL_free(tls->ssl);
		free(tls);
		return NULL;
	}
	tls->stream = bufferevent_openssl_socket_new(loop_base(loop), fd,
	    tls->ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	if (tls->stream == NULL)
		abort();
	bufferevent_openssl_set_allow_dirty_shutdown(tls->stream, 0);
	return tls;
}

struct bufferevent *
tls_stream(const struct tls *tls)
{
	return tls->stream;
}

bool
tls_verify(struct tls *tls, struct error *err)
{
	X509 *leaf = SSL_get1_peer_certificate(tls->ssl);
	bool good;

	if (leaf == NULL)
		return error_set(
		    err, ERROR_TLS, "%s shows no certificate", tls->host);
	if (tls->settings->pinned)
		good = certificate_is_pinned(
		    leaf, tls->settings->fingerprint_sha256, tls->host, err);
	else
		good = SSL_get_verify_result(tls->ssl) == X509_V_OK ||
		       error_set(err, ERROR_TLS, "certificate of %s: %s",
			   tls->host,
			   X509_verify_cert_error_string(
			       SSL_get_verify_result(tls->ssl)));
	X509_free(leaf);
	return good;
}

static const struct {
	int reason;
	enum error_kind kind;
	const char *words;
} reasons[] = {
	{ SSL_R_WRONG_VERSION_NUMBER, ERROR_TLS,
	    "does not speak TLS on this port" },
	{ SSL_R_PACKET_LENGTH_TOO_LONG, ERROR_TLS,
	    "does not speak TLS on this port" },
	{ SSL_R_UNSUPPORTED_PROTOCOL, ERROR_TLS, "has no TLS 1.2 or newer" },
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, ERROR_TLS,
	    "has no TLS 1.2 or newer" },
	{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, ERROR_TLS,
	    "has no TLS cipher in common with this machine" },
	{ SSL_R_UNEXPECTED_EOF_WHILE_READING, ERROR_RETRY,
	    "closed the connection without ending TLS: it was cut" },
};

static void
explain_reason(const struct tls *tls, unsigned long code, struct error *err)
{
	const char *words = ERR_reason_error_string(code);

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
		if (ERR_GET_REASON(code) != reasons[i].reason)
			continue;
		error_set(
		    err, reasons[i].kind, "%s %s", tls->host, reasons[i].words);
		return;
	}
	error_set(err, ERROR_TLS, "TLS with %s: %s", tls->host,
	    words == NULL ? "failed" : words);
}

void
tls_explain(struct tls *tls, struct error *err)
{
	int errno_value = errno;
	unsigned long code;

	if (tls->refused) {
		*err = tls->err;
		return;
	}
	/* libevent puts SSL_ERROR_* among the codes of the library. */
	while ((code = bufferevent_get_openssl_error(tls->stream)) != 0) {
		if (ERR_GET_LIB(code) == ERR_LIB_SSL) {
			explain_reason(tls, code, err);
			return;
		}
	}
	if (errno_value == 0)
		error_set(
		    err, ERROR_RETRY, "%s closed the connection", tls->host);
	else
		error_errno(err, ERROR_RETRY, errno_value,
		    "connection to %s broke", tls->host);
}

void
tls_cipher(const struct tls *tls, char out[static TLS_CIPHER_MAX])
{
	snprintf(out, TLS_CIPHER_MAX, "%s %s", SSL_get_version(tls->ssl),
	    SSL_get_cipher_name(tls->ssl));
}

uint64_t
tls_received(const struct tls *tls)
{
	return BIO_number_read(SSL_get_rbio(tls->ssl));
}

void
tls_say_goodbye(struct tls *tls)
{
	SSL_shutdown(tls->ssl);
	ERR_clear_error();
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_set_app_data(tls->ssl, NULL);
	free(tls);
}
