/* SPDX-License-Identifier: Apache-2.0 */
#include "recipients/subject.h"

#include "base/buf.h"
#include "mail/encoded_text.h"

struct taker {
	void (*take)(void *context, struct slice word);
	void *context;
};

static bool
is_separator(uint8_t byte)
{
	return byte_is_space(byte) || byte == ',' || byte == ';' ||
	       byte == '<' || byte == '>';
}

static void
take_words(const struct taker *taker, struct slice text)
{
	struct slice word;
	size_t end;

	while (text.len > 0) {
		for (end = 0; end < text.len; end++)
			if (is_separator(text.data[end]))
				break;
		word = slice_first(text, end);
		text = slice_from(text, end + 1);
		if (slice_find(word, '@') < word.len)
			taker->take(taker->context, word);
	}
}

/* The innermost pair comes first and leaves a blank, so that what is around it
 * does not have its words once more, and no byte is looked at once more for each
 * pair around it. */
static void
take_pairs(const struct taker *taker, uint8_t *text, size_t len)
{
	size_t kept = 0, open = 0, begin;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != ')' || open == 0) {
			open += text[i] == '(';
			text[kept++] = text[i];
			continue;
		}
		open--;
		begin = slice_find_last((struct slice){ text, kept }, '(');
		take_words(taker,
		    (struct slice){ text + begin + 1, kept - begin - 1 });
		text[begin] = ' ';
		kept = begin + 1;
	}
}

void
subject_words(struct slice body, void (*take)(void *context, struct slice word),
    void *context)
{
	const struct taker taker = { take, context };
	struct buf decoded;

	buf_init(&decoded, SUBJECT_TEXT_MAX);
	encoded_text_read(body, &decoded);
	take_pairs(&taker, decoded.data, decoded.len);
	buf_clear(&decoded);
}
