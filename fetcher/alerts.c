/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/alerts.h"

#include <string.h>

#include "base/digest.h"

bool
alerts_are_due(struct alerts *a, struct slice words, int64_t now_ms)
{
	uint8_t digest[DIGEST_SIZE];
	size_t unused = ALERTS_MAX;
	uint64_t wanted;

	digest_sha256(words, digest);
	memcpy(&wanted, digest, sizeof(wanted));
	for (size_t i = 0; i < ALERTS_MAX; i++) {
		if (a->told[i].until_ms <= now_ms)
			unused = i;
		else if (a->told[i].words == wanted)
			return false;
	}
	if (unused == ALERTS_MAX)
		return false;
	a->told[unused].words = wanted;
	a->told[unused].until_ms = now_ms + ALERTS_AGAIN_MS;
	return true;
}
