/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit_man_examples - the section EXAMPLES of mailhaul.yaml(5), as plain text.
 */
#ifndef CONFIG_EMIT_MAN_EXAMPLES_H
#define CONFIG_EMIT_MAN_EXAMPLES_H

struct man_example {
	const char *title, *text;
};

/* The last one has no title. */
extern const struct man_example man_examples[];

#endif
