/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fetcher, and each account's login: by mailhaul-fetcher --probe, as its
 * user, several at a time.
 */
#include "admin/live.h"

#include "admin/credentials.h"
#include "admin/fetcher_program.h"
#include "base/control_socket.h"
#include "base/mem.h"
#include "base/proc.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum {
	AT_A_TIME = 4,
	PROBE_TIMEOUT_MS = 45000,
	OUTPUT_MAX = 4096,
	PATH_ROOM = 4096,
	STATUS_TIMEOUT_MS = 10000,
};

/* A fetcher holds the lock for as long as it runs. */
static bool
is_running(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool held;

	if (fd < 0)
		return false;
	held = flock(fd, LOCK_SH | LOCK_NB) != 0;
	close(fd);
	return held;
}

void
live_check_fetcher(struct live *live)
{
	const char *control = live->config->fetcher.control;
	char lock[PATH_ROOM];
	struct buf answer;
	struct error err;

	snprintf(lock, sizeof(lock), "%s/lock", live->config->state_dir);
	buf_init(&answer, CONTROL_ANSWER_MAX);
	if (control_socket_ask(
		control, "STATUS", STATUS_TIMEOUT_MS, &answer, &err))
		live_say(live, LIVE_OK, "fetcher", "running (%s)", control);
	else if (is_running(lock))
		live_say(live, LIVE_ERROR, "fetcher",
		    "it holds %s, but does not answer: %s; restart "
		    "mailhaul-fetcher",
		    lock, err.text);
	else
		live_say(live, LIVE_WARNING, "fetcher",
		    "not running; start mailhaul-fetcher");
	buf_clear(&answer);
}

struct probe {
	const struct account *account;
	bool well;
	char text[ERROR_TEXT_MAX];
};
struct probes {
	const char *config_path;
	char fetcher[PATH_MAX];
	struct probe *list;
	size_t n;
	atomic_size_t next;
};

/* Its last line of log says why; warnings may stand before it.  Empty: it did
 * not get so far. */
static struct slice
last_line(struct slice text)
{
	struct slice line = SLICE(""), next;

	while (slice_cut_line(&text, &next))
		if (slice_cut_prefix(&next, SLICE("mailhaul-fetcher[")))
			line = slice_from(
			    next, slice_search_nocase(next, SLICE("]: ")) +
				      SLICE("]: ").len);
	return line;
}

static const char as_fetcher[] = "--reuid=" FETCHER_USER;

static void
run_probe(const struct probes *all, struct probe *p)
{
	const char *argv[] = { "/usr/bin/setpriv", as_fetcher,
		"--regid=mailhaul", "--init-groups", all->fetcher, "-c",
		all->config_path, "--brief", "--probe", p->account->name,
		NULL };
	enum { AS_OURSELVES = 4 };
	struct slice text;
	struct buf out, said;
	struct error err;

	buf_init(&out, OUTPUT_MAX);
	buf_init(&said, OUTPUT_MAX);
	p->well = proc_run_heard(geteuid() == 0 ? argv : argv + AS_OURSELVES,
	    PROBE_TIMEOUT_MS, &out, &said, &err);
	text =
	    p->well ? slice_trim(buf_slice(&out)) : last_line(buf_slice(&said));
	if (text.len == 0)
		text = slice_of(err.text);
	snprintf(p->text, sizeof(p->text), "%.*s", SLICE_ARG(text));
	buf_clear(&said);
	buf_clear(&out);
}

static void *
work(void *arg)
{
	struct probes *all = arg;
	size_t i;

	while ((i = atomic_fetch_add(&all->next, 1)) < all->n)
		run_probe(all, &all->list[i]);
	return NULL;
}

static void
run_probes(struct probes *all)
{
	pthread_t threads[AT_A_TIME];
	size_t n = 0;

	while (n < AT_A_TIME && n < all->n &&
	       pthread_create(&threads[n], NULL, work, all) == 0)
		n++;
	if (n == 0)
		work(all);
	while (n > 0)
		pthread_join(threads[--n], NULL);
}

static void
say_probe(struct live *live, const struct probe *p)
{
	char what[ERROR_TEXT_MAX];
	struct slice text = slice_of(p->text),
		     name = slice_of(p->account->name);

	snprintf(what, sizeof(what), "account %s", p->account->name);
	slice_cut_prefix(&text, SLICE("warning: account="));
	if (slice_cut_prefix(&text, name))
		slice_cut_prefix(&text, SLICE(": "));
	if (p->well)
		live_say(live, LIVE_OK, what, "%.*s", SLICE_ARG(text));
	else
		live_say(live, LIVE_ERROR, what,
		    "%.*s; try again with: mailhaul probe %s", SLICE_ARG(text),
		    p->account->name);
}

void
live_check_accounts(struct live *live)
{
	const struct config *config = live->config;
	struct probes all = { .config_path = live->config_path };

	if (!fetcher_program_find(all.fetcher)) {
		live_say(live, LIVE_ERROR, "accounts",
		    "mailhaul-fetcher is not installed beside this program");
		return;
	}
	credentials_use_instead(FETCHER_UNIT, live->credentials);
	all.list = mem_new_array(config->n_accounts + 1, sizeof(*all.list));
	for (size_t i = 0; i < config->n_accounts; i++)
		if (config->accounts[i].enabled)
			all.list[all.n++].account = &config->accounts[i];
	run_probes(&all);
	for (size_t i = 0; i < all.n; i++)
		say_probe(live, &all.list[i]);
	free(all.list);
}
