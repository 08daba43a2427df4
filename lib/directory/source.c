/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/source.h"

#include "base/log.h"

#include <stdarg.h>

void
source_answer(struct directory_answer *answer, enum existence existence,
    const char *fmt, ...)
{
	struct directory_answer made = { .existence = existence };
	va_list ap;

	va_start(ap, fmt);
	log_vsafe(made.reason, sizeof(made.reason), fmt, ap);
	va_end(ap);
	*answer = made;
}
