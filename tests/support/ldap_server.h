/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_server - a server that says what the test wants (RFC 4511, BER written
 * by hand): what no real server can be made to say when it is needed.
 * Include <cmocka.h> before.
 */
#ifndef SUPPORT_LDAP_SERVER_H
#define SUPPORT_LDAP_SERVER_H

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BIND = 0x60, SEARCH = 0x63, CLIENTS_MAX = 256 };
/* RFC 4511 appendix A */
enum {
	SUCCESS = 0,
	TIME_LIMIT = 3,
	SIZE_LIMIT = 4,
	REFERRAL = 10,
	NO_SUCH_OBJECT = 32,
	BAD_LOGIN = 49,
	NO_RIGHTS = 50,
	BUSY = 51,
	UNAVAILABLE = 52,
};

struct ldap_server {
	int listener;
	char uri[64];
	pthread_t thread;
	size_t n_clients; /* the accepting thread's, until it has ended */
	int clients[CLIENTS_MAX];
	pthread_t threads[CLIENTS_MAX];
	/* What it says. */
	atomic_int bind_code, search_code, entries, references;
	atomic_bool silent;         /* never answers a search */
	atomic_bool half;           /* stops in the middle of the answer */
	atomic_int searches_before; /* hangs up after so many; 0: never */
	/* Instead of `entries`: one with this `mail` for each of these whose
	 * address is in the search; NULL at the end. */
	const char *const *people;
	atomic_bool secretive; /* such entries come without their attribute */
	/* What it saw. */
	atomic_int connections, binds, searches;
};

struct ldap_request {
	uint16_t id;
	uint8_t operation;
	uint8_t body[65536];
	size_t len;
};

static inline bool
read_exactly(int fd, uint8_t *out, size_t len)
{
	for (ssize_t n; len > 0; out += n, len -= (size_t)n)
		if ((n = read(fd, out, len)) <= 0)
			return false;
	return true;
}

/* One message: its id and the tag of its operation. */
static inline bool
read_request(int fd, struct ldap_request *r)
{
	uint8_t head[2];
	size_t len = 0;

	if (!read_exactly(fd, head, 2))
		return false;
	len = head[1];
	if (len & 0x80) {
		uint8_t digits[2];
		size_t n = len & 0x7f;

		if (n > 2 || !read_exactly(fd, digits, n))
			return false;
		len = n == 1 ? digits[0] : (size_t)(digits[0] << 8 | digits[1]);
	}
	if (!read_exactly(fd, r->body, len))
		return false;
	r->len = len;
	/* One byte up to 127, then two. */
	r->id = r->body[2];
	if (r->body[1] > 1)
		r->id = (uint16_t)(r->body[2] << 8 | r->body[3]);
	r->operation = r->body[2 + r->body[1]];
	return true;
}

static inline void
send_bytes(int fd, const uint8_t *bytes, size_t len)
{
	/* A client that is gone sees nothing; that is the test's matter. */
	if (send(fd, bytes, len, MSG_NOSIGNAL) < 0)
		return;
}

#define ID_BYTES(id) (uint8_t)((id) >> 8), (uint8_t)((id)&0xff)

static inline void
send_result(int fd, uint16_t id, uint8_t tag, int code)
{
	const uint8_t bytes[] = { 0x30, 13, 2, 2, ID_BYTES(id), tag, 7, 10, 1,
		(uint8_t)code, 4, 0, 4, 0 };

	send_bytes(fd, bytes, sizeof(bytes));
}

static inline void
send_person(int fd, uint16_t id, const char *mail)
{
	uint8_t n = (uint8_t)strlen(mail);
	const uint8_t head[] = { 0x30, (uint8_t)(25 + n), 2, 2, ID_BYTES(id),
		0x64, (uint8_t)(19 + n), 4, 3, 'o', '=', 'x', 0x30,
		(uint8_t)(12 + n), 0x30, (uint8_t)(10 + n), 4, 4, 'm', 'a', 'i',
		'l', 0x31, (uint8_t)(2 + n), 4, n };

	send_bytes(fd, head, sizeof(head));
	send_bytes(fd, (const uint8_t *)mail, n);
}

static inline int
answer_people(const struct ldap_server *s, int fd, const struct ldap_request *r)
{
	const uint8_t bare[] = { 0x30, 13, 2, 2, ID_BYTES(r->id), 0x64, 7, 4, 3,
		'o', '=', 'x', 0x30, 0 };

	for (const char *const *mail = s->people; *mail != NULL; mail++) {
		if (memmem(r->body, r->len, *mail, strlen(*mail)) == NULL)
			continue;
		if (s->secretive)
			send_bytes(fd, bare, sizeof(bare));
		else
			send_person(fd, r->id, *mail);
	}
	return s->search_code;
}

static inline void
answer_search(const struct ldap_server *s, int fd, const struct ldap_request *r)
{
	uint16_t id = r->id;
	const uint8_t entry[] = { 0x30, 13, 2, 2, ID_BYTES(id), 0x64, 7, 4, 3,
		'o', '=', 'x', 0x30, 0 };
	const uint8_t reference[] = { 0x30, 17, 2, 2, ID_BYTES(id), 0x73, 11, 4,
		9, 'l', 'd', 'a', 'p', ':', '/', '/', 'x', '/' };

	if (s->people != NULL) {
		send_result(fd, id, 0x65, answer_people(s, fd, r));
		return;
	}
	if (s->half) {
		send_bytes(fd, entry, sizeof(entry) / 2);
		return;
	}
	for (int i = 0; i < s->references; i++)
		send_bytes(fd, reference, sizeof(reference));
	for (int i = 0; i < s->entries; i++)
		send_bytes(fd, entry, sizeof(entry));
	send_result(fd, id, 0x65, s->search_code);
}

struct ldap_client {
	struct ldap_server *server;
	int fd;
};

static inline void
serve_client(struct ldap_server *s, int fd)
{
	int left = s->searches_before, one = 1;
	struct ldap_request *r = malloc(sizeof(*r));

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (read_request(fd, r)) {
		if (r->operation == BIND) {
			s->binds++;
			send_result(fd, r->id, 0x61, s->bind_code);
		}
		if (r->operation != SEARCH)
			continue;
		s->searches++;
		if (!s->silent)
			answer_search(s, fd, r);
		if (--left == 0)
			break;
	}
	free(r);
}

static inline void *
run_client(void *argument)
{
	struct ldap_client client = *(struct ldap_client *)argument;

	free(argument);
	serve_client(client.server, client.fd);
	shutdown(client.fd, SHUT_RDWR);
	return NULL;
}

static inline void *
run_ldap_server(void *argument)
{
	struct ldap_server *s = argument;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		struct ldap_client *client = malloc(sizeof(*client));

		assert_in_range(s->n_clients, 0, CLIENTS_MAX - 1);
		*client = (struct ldap_client){ s, fd };
		s->connections++;
		s->clients[s->n_clients] = fd;
		pthread_create(
		    &s->threads[s->n_clients], NULL, run_client, client);
		s->n_clients++;
	}
	return NULL;
}

static inline struct ldap_server *
ldap_server_start(void)
{
	struct ldap_server *s = calloc(1, sizeof(*s));
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
	    bind(s->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(s->listener, 64), 0);
	getsockname(s->listener, (struct sockaddr *)&address, &len);
	snprintf(s->uri, sizeof(s->uri), "ldap://127.0.0.1:%d",
	    ntohs(address.sin_port));
	pthread_create(&s->thread, NULL, run_ldap_server, s);
	return s;
}

/* Hangs up on everybody. */
static inline void
ldap_server_stop(struct ldap_server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
	for (size_t i = 0; i < s->n_clients; i++) {
		shutdown(s->clients[i], SHUT_RDWR);
		pthread_join(s->threads[i], NULL);
		close(s->clients[i]);
	}
	s->n_clients = 0;
}

#endif
