/* SPDX-License-Identifier: Apache-2.0 */
/* Headers, parted by NUL.  What is suggested is whole and printable, and no
 * more than was there to be found. */
#include <stdlib.h>

#include "recipients/survey.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { YAML_MAX = 16 * 1024 };

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

static void
check_yaml(const struct survey *s)
{
	struct buf yaml;

	buf_init(&yaml, YAML_MAX);
	survey_write(s, 4, &yaml);
	demand(!buf_overflowed(&yaml) && yaml.len > 0);
	for (size_t i = 0; i < yaml.len; i++)
		demand(yaml.data[i] == '\n' || yaml.data[i] == ' ' ||
		       byte_is_graphic(yaml.data[i]));
	buf_clear(&yaml);
}

static void
check_field(const struct survey *s, const struct survey_field *f)
{
	demand(f->above + f->below > 0 && f->bottom <= f->below &&
	       f->above + f->below <= s->messages);
	demand(f->above > 0 || f->above_people.n == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct survey s;
	struct slice rest = { data, size }, headers[SURVEY_MESSAGES];
	struct address own;
	size_t n = 0;

	while (n < SURVEY_MESSAGES && slice_cut_until(&rest, '\0', &headers[n]))
		n++;
	if (n < SURVEY_MESSAGES)
		headers[n++] = rest;
	demand(address_parse(SLICE("box17@isp.example"), &own) == ADDRESS_OK);
	survey_run(headers, n, &own, &s);
	demand(s.messages == n && s.bounded <= n && s.with_for <= n);
	for (unsigned i = 0; i < s.n_fields; i++)
		check_field(&s, &s.fields[i]);
	demand(s.best == NULL || s.people != NULL);
	demand(s.people == NULL || s.people->n > 0);
	check_yaml(&s);
	return 0;
}
