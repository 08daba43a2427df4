/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay - run a fuzz target once over each file named: what a build without
 * libFuzzer, and `make check`, does with the seeds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
main(int argc, char **argv)
{
	enum { SEED_MAX = 4 * 1024 * 1024 };
	uint8_t *seed;

	if (argc < 2 || (seed = malloc(SEED_MAX)) == NULL)
		return 1;
	for (int i = 1; i < argc; i++) {
		FILE *f = fopen(argv[i], "rbe");
		size_t len, exact;
		uint8_t *copy;

		if (f == NULL) {
			perror(argv[i]);
			exit(1);
		}
		len = fread(seed, 1, SEED_MAX, f);
		fclose(f);
		/* A block of just this size, so that ASan sees one byte too
		 * many. */
		exact = len == 0 ? 1 : len;
		copy = malloc(exact);
		if (copy == NULL)
			abort();
		for (size_t n = 0; n < len; n++)
			copy[n] = seed[n];
		LLVMFuzzerTestOneInput(copy, len);
		free(copy);
	}
	free(seed);
	printf("%d seeds\n", argc - 1);
	return 0;
}
