/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/inquiry.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	free(inquiry->addresses);
	free(inquiry->answers);
	*inquiry = (struct inquiry){ 0 };
}

void
inquiry_prepare(void *context, const struct address *addresses, size_t n)
{
	struct inquiry *inquiry = context;

	inquiry->addresses = mem_resize(
	    inquiry->addresses, inquiry->n + n + 1, sizeof(*addresses));
	inquiry->answers = mem_resize(
	    inquiry->answers, inquiry->n + n + 1, sizeof(*inquiry->answers));
	memcpy(
	    inquiry->addresses + inquiry->n, addresses, n * sizeof(*addresses));
	directory_lookup_many(inquiry->directory,
	    &(struct directory_question){ addresses, n, inquiry->deadline_ms },
	    inquiry->answers + inquiry->n);
	inquiry->n += n;
}

void
inquiry_lookup(void *context, const struct address *address,
    struct directory_answer *answer)
{
	struct inquiry *inquiry = context;

	for (size_t i = 0; i < inquiry->n; i++)
		if (address_equal(&inquiry->addresses[i], address)) {
			*answer = inquiry->answers[i];
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
