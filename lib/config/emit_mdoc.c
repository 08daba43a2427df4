/* SPDX-License-Identifier: Apache-2.0 */
#include "config/emit.h"

enum { WIDTH = 78 };

void
emit_mdoc_word(FILE *out, struct slice word, bool line_begins)
{
	if (line_begins && (word.data[0] == '.' || word.data[0] == '\''))
		fputs("\\&", out);
	for (size_t i = 0; i < word.len; i++) {
		if (word.data[i] == '\\')
			fputs("\\e", out);
		else
			fputc(word.data[i], out);
	}
}

void
emit_mdoc_text(FILE *out, struct slice rest)
{
	struct slice word;
	size_t column = 0;

	while (slice_cut_word(&rest, &word)) {
		if (column > 0 && column + 1 + word.len > WIDTH) {
			fputc('\n', out);
			column = 0;
		}
		if (column > 0)
			fputc(' ', out);
		emit_mdoc_word(out, word, column == 0);
		column += word.len + 1;
		if (word.data[word.len - 1] == '.') {
			fputc('\n', out);
			column = 0;
		}
	}
	if (column > 0)
		fputc('\n', out);
}
