/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/service.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "state/ticket_key.h"

struct service {
	int64_t begun_ms;     /* clock_monotonic_ms() */
	pthread_mutex_t lock; /* guards all below and every reference count */
	struct snapshot *present;
	uint64_t messages[VERDICT_PASSED + 1];
};

static struct snapshot *
snapshot_new(struct config *config)
{
	struct snapshot *snapshot = mem_new(sizeof(*snapshot));

	snapshot->config = config;
	snapshot->directory = directory_new(config);
	snapshot->references = 1;
	return snapshot;
}

struct service *
service_new(struct config *config)
{
	struct service *service = mem_new(sizeof(*service));

	service->begun_ms = clock_monotonic_ms();
	pthread_mutex_init(&service->lock, NULL);
	service->present = snapshot_new(config);
	return service;
}

void
service_free(struct service *service)
{
	service_leave(service, service->present);
	pthread_mutex_destroy(&service->lock);
	free(service);
}

struct snapshot *
service_enter(struct service *service)
{
	struct snapshot *snapshot;

	pthread_mutex_lock(&service->lock);
	snapshot = service->present;
	snapshot->references++;
	pthread_mutex_unlock(&service->lock);
	return snapshot;
}

void
service_leave(struct service *service, struct snapshot *snapshot)
{
	bool last;

	pthread_mutex_lock(&service->lock);
	last = --snapshot->references == 0;
	pthread_mutex_unlock(&service->lock);
	if (!last)
		return;
	directory_free(snapshot->directory);
	config_unref(snapshot->config);
	free(snapshot);
}

/* What libmilter and the control socket hold since the start. */
static void
warn_of_fixed(const struct config *before, const struct config *after)
{
	if (strcmp(before->milter.socket, after->milter.socket) != 0 ||
	    strcmp(before->milter.control, after->milter.control) != 0)
		log_warning("milter.socket and milter.control change only with "
			    "a restart");
}

bool
service_reload(struct service *service)
{
	struct snapshot *before = service_enter(service), *after;
	struct config *config = config_load_logged(before->config->path);

	if (config == NULL) {
		log_error("%s has errors; the configuration stays as it was",
		    before->config->path);
		service_leave(service, before);
		return false;
	}
	warn_of_fixed(before->config, config);
	after = snapshot_new(config);
	pthread_mutex_lock(&service->lock);
	service->present = after;
	before->references--; /* as the present one; ours is left */
	pthread_mutex_unlock(&service->lock);
	service_leave(service, before);
	log_info("reloaded %s", config->path);
	return true;
}

bool
service_ready(struct service *service, char reason[ERROR_TEXT_MAX])
{
	struct snapshot *snapshot = service_enter(service);
	char words[DIRECTORY_REASON_SIZE] = "";
	struct ticket_keys keys;
	struct error err;
	bool ready = ticket_keys_load(snapshot->config->state_dir, &keys, &err);

	explicit_bzero(&keys, sizeof(keys));
	if (!ready) {
		memcpy(reason, err.text, sizeof(err.text));
	} else if (!directory_ready(snapshot->directory, words)) {
		snprintf(reason, ERROR_TEXT_MAX, "%s", words);
		ready = false;
	}
	service_leave(service, snapshot);
	return ready;
}

void
service_count(struct service *service, enum verdict_status status)
{
	pthread_mutex_lock(&service->lock);
	service->messages[status]++;
	pthread_mutex_unlock(&service->lock);
}

struct service_counts
service_counts(struct service *service)
{
	struct service_counts counts;

	counts.uptime_s = (clock_monotonic_ms() - service->begun_ms) / 1000;
	pthread_mutex_lock(&service->lock);
	memcpy(counts.messages, service->messages, sizeof(counts.messages));
	pthread_mutex_unlock(&service->lock);
	return counts;
}
