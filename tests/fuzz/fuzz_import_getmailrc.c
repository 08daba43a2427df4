/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/import_any.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	import_any(import_getmailrc, data, size);
	return 0;
}
