/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/source.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void
source_answer(struct directory_answer *answer, enum existence existence,
    const char *fmt, ...)
{
	char raw[2 * DIRECTORY_REASON_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	*answer = (struct directory_answer){ .existence = existence };
	log_safe(answer->reason, sizeof(answer->reason), slice_of(raw));
}
