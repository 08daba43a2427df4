/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From names to sockets.  getaddrinfo() is this file's own: names under .test
 * do what the tests need, all others are the C library's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fetcher/dial.h"
#include "fetcher/resolve.h"

typedef int resolver_function(
    const char *, const char *, const struct addrinfo *, struct addrinfo **);

/* hang.test answers when the tests let it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool answering;
static int hanging, most_hanging, answered;

static void
hang(void)
{
	pthread_mutex_lock(&lock);
	if (++hanging > most_hanging)
		most_hanging = hanging;
	pthread_cond_broadcast(&changed);
	while (!answering)
		pthread_cond_wait(&changed, &lock);
	hanging--;
	answered++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void
wait_for_answer(void)
{
	pthread_mutex_lock(&lock);
	while (answered == 0)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void
wait_for_hanging(int wanted)
{
	pthread_mutex_lock(&lock);
	while (hanging != wanted)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void
set_answering(bool now)
{
	pthread_mutex_lock(&lock);
	answering = now;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

int
getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
    struct addrinfo **found)
{
	resolver_function *real =
	    (resolver_function *)dlsym(RTLD_NEXT, "getaddrinfo");
	int status;

	if (strstr(host, ".test") == NULL || hints->ai_flags & AI_NUMERICHOST)
		return real(host, port, hints, found);
	if (strcmp(host, "nowhere.test") == 0)
		return EAI_NONAME;
	if (strcmp(host, "hang.test") == 0) {
		hang();
		return real("127.0.0.1", port, hints, found);
	}
	/* two.test: where nobody listens first. */
	status = real("127.0.0.2", port, hints, found);
	if (status == 0)
		status = real("127.0.0.1", port, hints, &(*found)->ai_next);
	return status;
}

struct attempt {
	struct loop *loop;
	struct timer *guard;
	int listener;
	struct dial_target target;
	struct dial *dial;
	int fd, calls;
	struct error err;
};

static void
on_dialled(void *arg, int fd, const struct error *err)
{
	struct attempt *a = arg;

	a->fd = fd;
	a->err = *err;
	a->calls++;
	loop_stop(a->loop);
}

static void
on_guard(void *arg)
{
	struct attempt *a = arg;

	loop_stop(a->loop);
}

static void
start(struct attempt *a, const char *host)
{
	struct sockaddr_in here = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(here);

	a->loop = loop_new();
	a->guard = timer_new(a->loop, on_guard, a);
	a->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(a->listener, (struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(listen(a->listener, 4), 0);
	getsockname(a->listener, (struct sockaddr *)&here, &len);
	a->fd = -1;
	a->target.host = host;
	a->target.port = ntohs(here.sin_port);
	if (a->target.timeout_ms == 0)
		a->target.timeout_ms = 20000;
	a->dial = dial_start(a->loop, &a->target, on_dialled, a);
	assert_int_equal(a->calls, 0);
}

static void
run(struct attempt *a, int64_t ms)
{
	timer_start(a->guard, ms);
	loop_run(a->loop);
}

static void
end(struct attempt *a)
{
	dial_free(a->dial);
	if (a->fd >= 0)
		close(a->fd);
	close(a->listener);
	timer_free(a->guard);
	loop_free(a->loop);
}

static void
a_literal_connects(void **state)
{
	struct attempt a = { 0 };

	(void)state;
	start(&a, "127.0.0.1");
	run(&a, 20000);
	assert_true(a.fd >= 0);
	assert_true(fcntl(a.fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(a.fd, F_GETFL) & O_NONBLOCK);
	end(&a);
}

static void
the_second_address_is_tried(void **state)
{
	struct attempt a = { 0 };

	(void)state;
	start(&a, "two.test");
	run(&a, 20000);
	assert_true(a.fd >= 0);
	end(&a);
}

static int
option(const struct attempt *a, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(a->fd, level, name, &value, &len), 0);
	return value;
}

static void
a_dead_peer_is_found_out(void **state)
{
	struct attempt a = { 0 };

	(void)state;
	start(&a, "127.0.0.1");
	run(&a, 20000);
	assert_int_equal(option(&a, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(&a, IPPROTO_TCP, TCP_KEEPIDLE), 60);
	assert_int_equal(option(&a, IPPROTO_TCP, TCP_KEEPINTVL), 15);
	assert_int_equal(option(&a, IPPROTO_TCP, TCP_KEEPCNT), 4);
	assert_int_equal(option(&a, IPPROTO_TCP, TCP_USER_TIMEOUT), 120000);
	end(&a);
}

static void
next_goes_on_to_the_end(void **state)
{
	struct attempt a = { 0 };

	(void)state;
	start(&a, "two.test");
	run(&a, 20000);
	assert_true(a.fd >= 0);
	close(a.fd);
	dial_next(a.dial);
	assert_int_equal(a.calls, 1);
	run(&a, 20000);
	assert_int_equal(a.calls, 2);
	assert_int_equal(a.fd, -1);
	end(&a);
}

static void
again_is_the_same_address(void **state)
{
	struct attempt a = { 0 };

	(void)state;
	start(&a, "127.0.0.1");
	run(&a, 20000);
	close(a.fd);
	dial_again(a.dial);
	run(&a, 20000);
	assert_int_equal(a.calls, 2);
	assert_true(a.fd >= 0);
	close(a.fd);
	dial_next(a.dial);
	run(&a, 20000);
	assert_int_equal(a.fd, -1);
	end(&a);
}

static void
the_last_refusal_is_told(void **state)
{
	struct attempt a = { 0 };

	(void)state;
	start(&a, "two.test");
	close(a.listener);
	run(&a, 20000);
	assert_int_equal(a.calls, 1);
	assert_int_equal(a.fd, -1);
	assert_int_equal(a.err.kind, ERROR_RETRY);
	assert_non_null(
	    strstr(a.err.text, "cannot connect to two.test (127.0.0.1 port "));
	assert_non_null(strstr(a.err.text, "Connection refused"));
	end(&a);
}

static void
a_name_without_address(void **state)
{
	struct attempt a = { 0 };

	(void)state;
	start(&a, "nowhere.test");
	run(&a, 20000);
	assert_int_equal(a.fd, -1);
	assert_int_equal(a.err.kind, ERROR_RETRY);
	assert_non_null(strstr(
	    a.err.text, "cannot find the address of nowhere.test: Name"));
	end(&a);
}

static void
a_hanging_resolver_ends_by_the_clock(void **state)
{
	struct attempt a = { .target.timeout_ms = 50 };

	(void)state;
	start(&a, "hang.test");
	wait_for_hanging(1);
	run(&a, 20000);
	assert_int_equal(a.calls, 1);
	assert_int_equal(a.fd, -1);
	assert_non_null(strstr(a.err.text, "name servers do not answer"));
	/* The answer comes when nobody waits for it, loop and all gone. */
	end(&a);
	set_answering(true);
	wait_for_hanging(0);
	set_answering(false);
}

static void
a_cancelled_lookup_says_nothing(void **state)
{
	struct attempt a = { 0 };

	(void)state;
	start(&a, "hang.test");
	wait_for_hanging(1);
	dial_free(a.dial);
	a.dial = NULL;
	set_answering(true);
	wait_for_hanging(0);
	set_answering(false);
	run(&a, 20);
	assert_int_equal(a.calls, 0);
	end(&a);
}

static void
a_finished_lookup_may_be_cancelled(void **state)
{
	struct attempt a = { 0 };

	(void)state;
	set_answering(true);
	answered = 0;
	start(&a, "hang.test");
	/* Of the worker; the loop has not run. */
	wait_for_answer();
	dial_free(a.dial);
	a.dial = NULL;
	run(&a, 20);
	assert_int_equal(a.calls, 0);
	set_answering(false);
	end(&a);
}

enum { MANY = RESOLVE_WORKERS + 4 };

static void
literals_pass_while_all_workers_hang(void **state)
{
	struct attempt a = { 0 };
	struct dial_target slow = { "hang.test", 1, 20000, NULL };
	struct dial *many[MANY];

	(void)state;
	most_hanging = 0;
	start(&a, "127.0.0.1");
	for (size_t i = 0; i < MANY; i++)
		many[i] = dial_start(a.loop, &slow, on_dialled, &a);
	wait_for_hanging(RESOLVE_WORKERS);
	run(&a, 20000);
	assert_int_equal(a.calls, 1);
	assert_true(a.fd >= 0);
	/* Running and waiting ones. */
	for (size_t i = 0; i < MANY; i++)
		dial_free(many[i]);
	set_answering(true);
	wait_for_hanging(0);
	set_answering(false);
	assert_int_equal(most_hanging, RESOLVE_WORKERS);
	end(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_literal_connects),
		cmocka_unit_test(the_second_address_is_tried),
		cmocka_unit_test(a_dead_peer_is_found_out),
		cmocka_unit_test(next_goes_on_to_the_end),
		cmocka_unit_test(again_is_the_same_address),
		cmocka_unit_test(the_last_refusal_is_told),
		cmocka_unit_test(a_name_without_address),
		cmocka_unit_test(a_hanging_resolver_ends_by_the_clock),
		cmocka_unit_test(a_cancelled_lookup_says_nothing),
		cmocka_unit_test(a_finished_lookup_may_be_cancelled),
		cmocka_unit_test(literals_pass_while_all_workers_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
