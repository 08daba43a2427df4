/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/watchdog.h"

#include <poll.h>
#include <pthread.h>

#include "base/control_socket.h"
#include "base/mem.h"
#include "base/notify.h"

/* systemd's patience counts, not ours. */
enum { PATIENCE_MS = 24 * 60 * 60 * 1000, ANSWER_KEPT = 1024 };

static bool
is_answered(const char *control)
{
	struct buf answer;
	struct error err;
	bool answered;

	buf_init(&answer, ANSWER_KEPT);
	answered =
	    control_socket_ask(control, "READY", PATIENCE_MS, &answer, &err);
	buf_clear(&answer);
	return answered;
}

static void *
watch(void *control)
{
	int pause_ms = (int)notify_watchdog_ms();

	for (;;) {
		if (is_answered(control))
			notify_send("WATCHDOG=1");
		poll(NULL, 0, pause_ms);
	}
	return NULL;
}

bool
watchdog_start(const char *control)
{
	pthread_t thread;

	if (notify_watchdog_ms() == 0)
		return true;
	/* The configuration that names it may go with a reload. */
	return pthread_create(&thread, NULL, watch, mem_string(control)) == 0 &&
	       pthread_detach(thread) == 0;
}
