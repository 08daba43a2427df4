/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/inquiry.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

void
inquiry_begin(
    struct inquiry *inquiry, struct directory *directory, int64_t deadline_ms)
{
	*inquiry = (struct inquiry){ .directory = directory,
		.deadline_ms = deadline_ms };
}

void
inquiry_end(struct inquiry *inquiry)
{
	address_set_clear(&inquiry->asked);
	free(inquiry->answers);
	*inquiry = (struct inquiry){ 0 };
}

void
inquiry_prepare(void *context, const struct address *addresses, size_t n)
{
	struct inquiry *inquiry = context;
	size_t before = inquiry->asked.n, added;

	for (size_t i = 0; i < n; i++)
		address_set_add(&inquiry->asked, &addresses[i]);
	added = inquiry->asked.n - before;
	inquiry->answers = mem_resize(
	    inquiry->answers, before + added, sizeof(*inquiry->answers));
	directory_lookup_many(inquiry->directory,
	    &(struct directory_question){
		inquiry->asked.all + before, added, inquiry->deadline_ms },
	    inquiry->answers + before);
}

void
inquiry_lookup(void *context, const struct address *address,
    struct directory_answer *answer)
{
	struct inquiry *inquiry = context;
	size_t number = address_set_find(&inquiry->asked, address);

	if (number < inquiry->asked.n) {
		*answer = inquiry->answers[number];
		return;
	}
	if (clock_monotonic_ms() < inquiry->deadline_ms) {
		directory_lookup_many(inquiry->directory,
		    &(struct directory_question){
			address, 1, inquiry->deadline_ms },
		    answer);
		return;
	}
	answer->existence = UNKNOWN;
	snprintf(answer->reason, sizeof(answer->reason),
	    "not asked: the directory took more than %d s for this message",
	    INQUIRY_MS / 1000);
}
