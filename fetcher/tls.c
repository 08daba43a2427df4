/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/tls.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "fetcher/certificate.h"
#include "fetcher/tls_context.h"
#include "fetcher/tls_sessions.h"

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

/* A day at most, then the chain is looked at again. */
enum { RESUMED_FOR_S = 24 * 60 * 60, KEY_TEXT_MAX = 4096 };

/* What all connections of a loop share. */
struct shared {
	struct tls_contexts *contexts;
	struct tls_sessions *sessions;
};

struct tls {
	SSL *ssl; /* the bufferevent's */
	struct bufferevent *stream;
	struct tls_peer peer;
	struct shared *shared;
	struct tls_session_key key;
	time_t good_until; /* of the session that was offered */
	bool offered;      /* a session */
	bool verified;
	bool kept;    /* a session, for the next connection */
	bool refused; /* by the check of the chain; err says why */
	bool asked;   /* by the server, for a certificate that we lack */
	uint64_t handshake_size; /* what came until it was done */
	struct error err;
};

/* In TLS 1.3 sessions come after the handshake, in any number.  One is enough:
 * each connection leaves one for the one that follows it. */
static int
on_new_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *tls = SSL_get_app_data(ssl);

	if (tls == NULL || !tls->verified || tls->kept)
		return 0;
	tls->kept = true;
	tls_sessions_put(
	    tls->shared->sessions, &tls->key, session, tls->good_until);
	return 0;
}

static int
on_certificate_wanted(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
	struct tls *tls = SSL_get_app_data(ssl);

	(void)certificate;
	(void)key;
	tls->asked = true;
	return 0;
}

static void
prepare_context(SSL_CTX *ctx)
{
	SSL_CTX_set_client_cert_cb(ctx, on_certificate_wanted);
	SSL_CTX_set_session_cache_mode(
	    ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_new_session);
}

static void *
make_shared(struct loop *loop)
{
	struct shared *shared = mem_new(sizeof(*shared));

	(void)loop;
	shared->contexts = tls_contexts_new(prepare_context);
	shared->sessions = tls_sessions_new();
	return shared;
}

static void
drop_shared(void *object)
{
	struct shared *shared = object;

	tls_contexts_free(shared->contexts);
	tls_sessions_free(shared->sessions);
	free(shared);
}

static struct shared *
shared_of(struct loop *loop)
{
	static const struct loop_kind kind = { make_shared, drop_shared };

	return loop_shared(loop, &kind);
}

bool
tls_ready(struct loop *loop, const struct tls_peer *peer, struct error *err)
{
	return tls_contexts_find(
		   shared_of(loop)->contexts, peer->settings, err) != NULL;
}

void
tls_forget(struct loop *loop)
{
	struct shared *shared = shared_of(loop);

	tls_contexts_forget(shared->contexts);
	tls_sessions_forget(shared->sessions, NULL);
}

static const char *
wanted_name(const struct tls *tls)
{
	const char *name = tls->peer.settings->server_name;

	return name != NULL ? name : tls->peer.host;
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
		    chain, tls->peer.host, wanted_name(tls), &tls->err);
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
	if (tls->peer.settings->pinned) {
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

/* Whoever is asked for something else is another server: another name or pin,
 * and other files, or the same ones with other content. */
static void
make_key(struct tls *tls, uint64_t context_number)
{
	const struct tls_settings *settings = tls->peer.settings;
	char pin[DIGEST_HEX_SIZE] = "";
	struct buf text;

	if (settings->pinned)
		hex_write(
		    (struct slice){ settings->fingerprint_sha256, DIGEST_SIZE },
		    pin);
	buf_init(&text, KEY_TEXT_MAX);
	buf_printf(&text, "%s\n%u\n%s\n%s\n%llu", tls->peer.host,
	    tls->peer.port, wanted_name(tls), pin,
	    (unsigned long long)context_number);
	digest_sha256(buf_slice(&text), tls->key.digest);
	buf_clear(&text);
}

static void
offer_session(struct tls *tls)
{
	SSL_SESSION *session = tls_sessions_take(
	    tls->shared->sessions, &tls->key, &tls->good_until);

	if (session == NULL)
		return;
	tls->offered = SSL_set_session(tls->ssl, session) == 1;
	SSL_SESSION_free(session);
}

static void
attach_stream(struct tls *tls, struct loop *loop, int fd)
{
	tls->stream = bufferevent_openssl_socket_new(loop_base(loop), fd,
	    tls->ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	if (tls->stream == NULL)
		abort();
	bufferevent_openssl_set_allow_dirty_shutdown(tls->stream, 0);
}

struct tls *
tls_start(
    struct loop *loop, int fd, const struct tls_peer *peer, struct error *err)
{
	struct shared *shared = shared_of(loop);
	const struct tls_context *context =
	    tls_contexts_find(shared->contexts, peer->settings, err);
	struct tls *tls;

	if (context == NULL)
		return NULL;
	tls = mem_new(sizeof(*tls));
	tls->peer = *peer;
	tls->shared = shared;
	tls->ssl = SSL_new(context->ssl_ctx);
	if (tls->ssl == NULL)
		abort();
	if (!set_expectations(tls)) {
		error_set(err, ERROR_CONFIG,
		    "%s cannot be the name in a certificate", wanted_name(tls));
		SSL_free(tls->ssl);
		free(tls);
		return NULL;
	}
	make_key(tls, context->number);
	offer_session(tls);
	attach_stream(tls, loop, fd);
	return tls;
}

struct bufferevent *
tls_stream(const struct tls *tls)
{
	return tls->stream;
}

static bool
is_right_peer(struct tls *tls, X509 *leaf, struct error *err)
{
	const struct tls_settings *settings = tls->peer.settings;
	long result = SSL_get_verify_result(tls->ssl);

	if (leaf == NULL)
		return error_set(
		    err, ERROR_TLS, "%s shows no certificate", tls->peer.host);
	if (settings->pinned)
		return certificate_is_pinned(
		    leaf, settings->fingerprint_sha256, tls->peer.host, err);
	return result == X509_V_OK ||
	       error_set(err, ERROR_TLS, "certificate of %s: %s",
		   tls->peer.host, X509_verify_cert_error_string(result));
}

/* When sessions that began with this chain must not be resumed any more. */
static time_t
chain_end(SSL *ssl)
{
	time_t end = time(NULL) + RESUMED_FOR_S;
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);

	for (int i = 0; i < sk_X509_num(chain); i++) {
		time_t one = certificate_end(sk_X509_value(chain, i));

		end = one < end ? one : end;
	}
	return end;
}

bool
tls_verify(struct tls *tls, struct error *err)
{
	X509 *leaf = SSL_get1_peer_certificate(tls->ssl);

	tls->handshake_size = tls_received(tls);
	tls->verified = is_right_peer(tls, leaf, err);
	X509_free(leaf);
	if (!tls->verified)
		return false;
	/* One that was resumed is no younger than that. */
	if (!SSL_session_reused(tls->ssl))
		tls->good_until = chain_end(tls->ssl);
	if (SSL_version(tls->ssl) < TLS1_3_VERSION)
		on_new_session(tls->ssl, SSL_get_session(tls->ssl));
	return true;
}

bool
tls_failed_resuming(struct tls *tls)
{
	if (!tls->offered || tls->refused)
		return false;
	tls_sessions_forget(tls->shared->sessions, &tls->key);
	return true;
}

#define WANTS_CERTIFICATE                                                      \
	"asks for a certificate of ours: set tls.client_certificate"
#define OUR_CERTIFICATE "does not accept the one in tls.client_certificate"

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
	{ SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, ERROR_TLS,
	    WANTS_CERTIFICATE },
	{ SSL_R_TLSV1_ALERT_UNKNOWN_CA, ERROR_TLS, OUR_CERTIFICATE },
	{ SSL_R_TLSV1_ALERT_ACCESS_DENIED, ERROR_TLS, OUR_CERTIFICATE },
	{ SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, ERROR_TLS, OUR_CERTIFICATE },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, ERROR_TLS, OUR_CERTIFICATE },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, ERROR_TLS, OUR_CERTIFICATE },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, ERROR_TLS, OUR_CERTIFICATE },
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
		error_set(err, reasons[i].kind, "%s %s", tls->peer.host,
		    reasons[i].words);
		return;
	}
	error_set(err, ERROR_TLS, "TLS with %s: %s", tls->peer.host,
	    words == NULL ? "failed" : words);
}

/* In TLS 1.3 our side is done before the server has seen that it gets none.  Its
 * alert is lost when what we sent meanwhile makes its kernel reset the
 * connection. */
static bool
wanted_certificate(const struct tls *tls)
{
	return tls->asked && tls->verified &&
	       tls_received(tls) == tls->handshake_size;
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
	if (wanted_certificate(tls))
		error_set(
		    err, ERROR_TLS, "%s " WANTS_CERTIFICATE, tls->peer.host);
	else if (errno_value == 0)
		error_set(err, ERROR_RETRY, "%s closed the connection",
		    tls->peer.host);
	else
		error_errno(err, ERROR_RETRY, errno_value,
		    "connection to %s broke", tls->peer.host);
}

void
tls_cipher(const struct tls *tls, char out[static TLS_CIPHER_MAX])
{
	snprintf(out, TLS_CIPHER_MAX, "%s %s", SSL_get_version(tls->ssl),
	    SSL_get_cipher_name(tls->ssl));
}

bool
tls_certificate(const struct tls *tls, struct certificate_facts *facts)
{
	X509 *leaf = SSL_get1_peer_certificate(tls->ssl);

	if (leaf == NULL)
		return false;
	certificate_describe(leaf, facts);
	X509_free(leaf);
	return true;
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
