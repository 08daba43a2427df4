/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_server - OpenSSL's server side for scripts of conversation.h, and
 * certificates, good and bad, made anew for each run with the openssl command.
 */
#ifndef SUPPORT_TLS_SERVER_H
#define SUPPORT_TLS_SERVER_H

#include "tests/support/conversation.h"

#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/proc.h"

static char folder[] = "/tmp/mailhaul-tls-XXXXXX";

static const char make_certificates[] =
    "cd $0 && exec 2>log && set -e\n"
    "key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
    "openssl req -x509 $key -keyout ca.key -out ca.pem -days 2 -subj /CN=CA\n"
    "sign() { # NAME DAYS ALTERNATIVE-NAMES\n"
    "	openssl req $key -keyout $1.key -out $1.csr -subj /CN=$1.example\n"
    "	echo \"subjectAltName=$3\" >$1.ext\n"
    "	openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -days $2 \\\n"
    "	    -extfile $1.ext -out $1.pem -CAcreateserial\n"
    "	cat $1.key >>$1.pem\n"
    "}\n"
    "sign good 2 DNS:localhost,DNS:pop.isp.example,IP:127.0.0.1\n"
    "sign expired -1 IP:127.0.0.1\n"
    "sign other 2 DNS:pop.other.example,IP:192.0.2.1\n"
    "openssl req -x509 $key -keyout self.key -out self.pem -days 2 \\\n"
    "    -subj /CN=self -addext subjectAltName=IP:127.0.0.1\n"
    "openssl pkey -in good.key -aes128 -passout pass:x -out locked.key\n"
    "cp good.pem open.pem && chmod 600 *.key good.pem self.pem\n"
    "openssl x509 -in self.pem -outform DER -out self.der\n"
    "cat self.key >>self.pem\n";

static inline const char *
tls_server_file(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static inline int
tls_server_set_up(void **state)
{
	const char *argv[] = { "/bin/sh", "-c", make_certificates, folder,
		NULL };
	struct error err;
	struct buf out;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(folder) == NULL)
		return -1;
	buf_init(&out, 4096);
	if (!proc_run(argv, 60000, &out, &err)) {
		print_error("%s\n", err.text);
		return -1;
	}
	buf_clear(&out);
	return 0;
}

static inline int
tls_server_tear_down(void **state)
{
	const char *argv[] = { "/bin/rm", "-r", folder, NULL };
	struct error err;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	return proc_run(argv, 10000, &out, &err) ? 0 : -1;
}

static inline void
tls_server_drop(void *ctx)
{
	SSL_CTX_free(ctx);
}

/* Made by the first connection and kept for the others. */
static inline SSL_CTX *
tls_server_context(struct talk *t)
{
	SSL_CTX *ctx = t->server_ctx;

	if (ctx != NULL)
		return ctx;
	ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate_file(ctx, t->cert, SSL_FILETYPE_PEM);
	SSL_CTX_use_PrivateKey_file(ctx, t->cert, SSL_FILETYPE_PEM);
	t->server_ctx = ctx;
	t->drop_server_ctx = tls_server_drop;
	return ctx;
}

/* The server's side of the handshake; NULL when the client refused. */
static inline SSL *
tls_server_accept(struct talk *t, int fd)
{
	SSL *ssl = SSL_new(tls_server_context(t));

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

static inline void
tls_server_read_all(struct talk *t, SSL *ssl)
{
	int n;

	while ((n = SSL_read(ssl, t->seen + t->seen_len,
		    (int)(sizeof(t->seen) - 1 - t->seen_len))) > 0)
		t->seen_len += (size_t)n;
	t->seen[t->seen_len] = '\0';
}

/* The certificate that nobody signed. */
static inline void
tls_server_pin(struct talk *t)
{
	struct error err;
	struct buf der;

	buf_init(&der, 1 << 16);
	assert_true(file_read(tls_server_file("self.der"), &der, &err));
	digest_sha256(buf_slice(&der), t->tls.fingerprint_sha256);
	t->tls.pinned = true;
	buf_clear(&der);
}

static inline struct talk
tls_server_talk(server_script *script, const char *cert)
{
	static char cert_path[256], ca_path[256];
	struct talk t = { .script = script, .settings.implicit_tls = true };

	snprintf(cert_path, sizeof(cert_path), "%s/%s", folder, cert);
	snprintf(ca_path, sizeof(ca_path), "%s/ca.pem", folder);
	t.cert = cert_path;
	t.tls.ca_file = ca_path;
	return t;
}

#endif
