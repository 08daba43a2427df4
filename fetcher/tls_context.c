/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/tls_context.h"

#include "base/file.h"
#include "base/mem.h"
#include "fetcher/certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CA_FILE, CERTIFICATE, KEY, N_FILES };
enum { KEY_FILE_MAX = 256 * 1024 };

static const char *const settings_names[N_FILES] = {
	"tls.ca_file",
	"tls.client_certificate",
	"tls.client_key",
};

struct entry {
	struct tls_context context; /* ssl_ctx NULL: to be read */
	char *paths[N_FILES];       /* NULL: not configured */
	struct stat seen[N_FILES];
	struct entry *next;
};

struct tls_contexts {
	struct entry *first;
	uint64_t last_number;
	tls_context_handler *handler;
};

struct tls_contexts *
tls_contexts_new(tls_context_handler *handler)
{
	struct tls_contexts *all = mem_new(sizeof(*all));

	all->handler = handler;
	return all;
}

void
tls_contexts_forget(struct tls_contexts *all)
{
	while (all->first != NULL) {
		struct entry *entry = all->first;

		all->first = entry->next;
		SSL_CTX_free(entry->context.ssl_ctx);
		for (int i = 0; i < N_FILES; i++)
			free(entry->paths[i]);
		free(entry);
	}
}

void
tls_contexts_free(struct tls_contexts *all)
{
	tls_contexts_forget(all);
	free(all);
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static struct entry *
find_entry(struct tls_contexts *all, const char *const paths[N_FILES])
{
	struct entry *at;

	for (at = all->first; at != NULL; at = at->next) {
		int same = 0;

		while (same < N_FILES && is_same(at->paths[same], paths[same]))
			same++;
		if (same == N_FILES)
			return at;
	}
	at = mem_new(sizeof(*at));
	for (int i = 0; i < N_FILES; i++)
		at->paths[i] = paths[i] == NULL ? NULL : mem_string(paths[i]);
	at->next = all->first;
	all->first = at;
	return at;
}

/* Sets *changed when some file is another than at the last call. */
static bool
look_at_files(struct entry *entry, bool *changed, struct error *err)
{
	*changed = false;
	for (int i = 0; i < N_FILES; i++) {
		struct stat now, *seen = &entry->seen[i];

		if (entry->paths[i] == NULL)
			continue;
		if (stat(entry->paths[i], &now) != 0)
			return error_errno(err, ERROR_CONFIG, errno, "%s: %s",
			    settings_names[i], entry->paths[i]);
		if (now.st_ino != seen->st_ino ||
		    now.st_size != seen->st_size ||
		    now.st_mtim.tv_sec != seen->st_mtim.tv_sec ||
		    now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec)
			*changed = true;
		*seen = now;
	}
	return true;
}

static bool
refuse_file(
    const struct entry *entry, int which, const char *what, struct error *err)
{
	ERR_clear_error();
	return error_set(err, ERROR_CONFIG, "%s: %s %s", settings_names[which],
	    what,
	    entry->paths[which] == NULL ? "the system's store"
					: entry->paths[which]);
}

static bool
load_authorities(SSL_CTX *ctx, const struct entry *entry, struct error *err)
{
	const char *path = entry->paths[CA_FILE];
	bool loaded = path == NULL ? SSL_CTX_set_default_verify_paths(ctx) == 1
				   : SSL_CTX_load_verify_file(ctx, path) == 1;

	return loaded || refuse_file(entry, CA_FILE,
			     "cannot read certificates (PEM) from", err);
}

/* In place of OpenSSL's own, which asks the terminal. */
static int
on_passphrase(char *out, int size, int writing, void *asked)
{
	(void)out;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static EVP_PKEY *
read_key(const struct entry *entry, struct error *err)
{
	EVP_PKEY *key = NULL;
	bool asked = false;
	struct buf text;

	buf_init(&text, KEY_FILE_MAX);
	if (file_read_secret(entry->paths[KEY], &text, err)) {
		BIO *bio = BIO_new_mem_buf(buf_string(&text), (int)text.len);

		key = PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &asked);
		BIO_free(bio);
		if (key == NULL)
			refuse_file(entry, KEY,
			    asked
				? "only a key without passphrase can be used, "
				  "not that of"
				: "cannot read a private key (PEM) from",
			    err);
	} else {
		error_prefix(err, "%s", settings_names[KEY]);
	}
	buf_wipe(&text);
	return key;
}

/* Who we are, if the server asks. */
static bool
load_identity(SSL_CTX *ctx, const struct entry *entry, struct error *err)
{
	EVP_PKEY *key;
	bool fits;

	if (SSL_CTX_use_certificate_chain_file(
		ctx, entry->paths[CERTIFICATE]) != 1)
		return refuse_file(entry, CERTIFICATE,
		    "cannot use the certificate (PEM) in", err);
	key = read_key(entry, err);
	if (key == NULL)
		return false;
	fits = X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) == 1;
	if (!fits)
		refuse_file(entry, KEY,
		    "tls.client_certificate belongs to another key than that "
		    "in",
		    err);
	else if (SSL_CTX_use_PrivateKey(ctx, key) != 1)
		abort();
	EVP_PKEY_free(key);
	return fits;
}

static SSL_CTX *
read_context(const struct entry *entry, struct error *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL)
		abort();
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(
	    ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	if (load_authorities(ctx, entry, err) &&
	    (entry->paths[CERTIFICATE] == NULL ||
		load_identity(ctx, entry, err)))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

const struct tls_context *
tls_contexts_find(struct tls_contexts *all, const struct tls_settings *settings,
    struct error *err)
{
	const char *const paths[N_FILES] = {
		settings->ca_file,
		settings->client_certificate,
		settings->client_certificate == NULL ||
			settings->client_key != NULL
		    ? settings->client_key
		    : settings->client_certificate,
	};
	struct entry *entry = find_entry(all, paths);
	struct tls_context *context = &entry->context;
	bool changed;

	if (!look_at_files(entry, &changed, err)) {
		SSL_CTX_free(context->ssl_ctx);
		context->ssl_ctx = NULL;
		return NULL;
	}
	if (context->ssl_ctx == NULL || changed) {
		SSL_CTX_free(context->ssl_ctx);
		context->ssl_ctx = read_context(entry, err);
		if (context->ssl_ctx == NULL)
			return NULL;
		context->number = ++all->last_number;
		all->handler(context->ssl_ctx);
	}
	if (paths[CERTIFICATE] != NULL &&
	    !certificate_is_current(SSL_CTX_get0_certificate(context->ssl_ctx),
		settings_names[CERTIFICATE], paths[CERTIFICATE], err))
		return NULL;
	return context;
}
