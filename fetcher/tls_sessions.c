/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/tls_sessions.h"

#include "base/mem.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct tls_session_key key;
	time_t good_until;
	struct entry *next;
	int len;
	uint8_t bytes[];
};

struct tls_sessions {
	struct entry *newest;
	size_t n;
};

struct tls_sessions *
tls_sessions_new(void)
{
	return mem_new(sizeof(struct tls_sessions));
}

/* Its secret must not stay behind. */
static void
drop(struct tls_sessions *sessions, struct entry **at)
{
	struct entry *entry = *at;

	*at = entry->next;
	sessions->n--;
	explicit_bzero(entry->bytes, (size_t)entry->len);
	free(entry);
}

static bool
is_for(const struct entry *entry, const struct tls_session_key *key)
{
	return key == NULL || memcmp(&entry->key, key, sizeof(*key)) == 0;
}

void
tls_sessions_forget(
    struct tls_sessions *sessions, const struct tls_session_key *key)
{
	struct entry **at = &sessions->newest;

	while (*at != NULL) {
		if (is_for(*at, key))
			drop(sessions, at);
		else
			at = &(*at)->next;
	}
}

void
tls_sessions_free(struct tls_sessions *sessions)
{
	tls_sessions_forget(sessions, NULL);
	free(sessions);
}

static void
drop_oldest(struct tls_sessions *sessions)
{
	struct entry **at = &sessions->newest;

	while ((*at)->next != NULL)
		at = &(*at)->next;
	drop(sessions, at);
}

void
tls_sessions_put(struct tls_sessions *sessions,
    const struct tls_session_key *key, SSL_SESSION *session, time_t good_until)
{
	int len = i2d_SSL_SESSION(session, NULL);
	struct entry *entry;
	uint8_t *end;

	if (!SSL_SESSION_is_resumable(session) || len <= 0 ||
	    len > TLS_SESSION_SIZE_MAX)
		return;
	if (sessions->n == TLS_SESSIONS_MAX)
		drop_oldest(sessions);
	entry = mem_new(sizeof(*entry) + (size_t)len);
	entry->key = *key;
	entry->good_until = good_until;
	entry->len = len;
	end = entry->bytes;
	i2d_SSL_SESSION(session, &end);
	entry->next = sessions->newest;
	sessions->newest = entry;
	sessions->n++;
}

SSL_SESSION *
tls_sessions_take(struct tls_sessions *sessions,
    const struct tls_session_key *key, time_t *good_until)
{
	struct entry **at = &sessions->newest;
	time_t now = time(NULL);

	while (*at != NULL) {
		const uint8_t *bytes = (*at)->bytes;
		SSL_SESSION *session;

		if ((*at)->good_until <= now) {
			drop(sessions, at);
			continue;
		}
		if (!is_for(*at, key)) {
			at = &(*at)->next;
			continue;
		}
		*good_until = (*at)->good_until;
		session = d2i_SSL_SESSION(NULL, &bytes, (*at)->len);
		drop(sessions, at);
		return session;
	}
	return NULL;
}
