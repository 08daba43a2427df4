/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/mailbox_headers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/credentials.h"
#include "admin/fetcher_program.h"
#include "admin/run_as.h"
#include "base/proc.h"
#include "mail/header.h"

enum {
	LENGTH_MAX = HEADER_HELD_MAX,
	WORDS = 7, /* with the NULL at the end */
	BYTES_MAX = SURVEY_MESSAGES * (HEADER_HELD_MAX + 16),
};

static void
read_all(int fd, struct buf *out)
{
	uint8_t piece[16 * 1024];
	ssize_t n;

	for (;;) {
		n = read(fd, piece, sizeof(piece));
		if (n > 0)
			buf_add(out, (struct slice){ piece, (size_t)n });
		else if (n == 0 || errno != EINTR)
			return;
	}
}

static int
wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EX_OSERR;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}

static int
run(const char *const *argv, struct buf *out)
{
	struct error err;
	int pipe_fds[2], status;
	pid_t pid;
	bool started;

	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		return EX_OSERR;
	started = proc_start(argv,
	    (struct proc_files){ -1, pipe_fds[1], STDERR_FILENO }, &pid, &err);
	close(pipe_fds[1]);
	if (started) {
		read_all(pipe_fds[0], out);
		status = wait_for(pid);
	} else {
		fprintf(stderr, "mailhaul: %s\n", err.text);
		status = EX_OSERR;
	}
	close(pipe_fds[0]);
	return status;
}

/* What talks to the provider has no rights of root's. */
static int
run_as_fetcher(const char *state_dir, const char *const argv[static WORDS],
    struct buf *out)
{
	struct run_as_words before;
	const char *words[RUN_AS_WORDS + WORDS];
	struct error err;
	size_t n = 0;

	if (!run_as_words(state_dir, &before, &err)) {
		fprintf(stderr, "mailhaul: %s\n", err.text);
		return EX_CONFIG;
	}
	while (before.list[n] != NULL) {
		words[n] = before.list[n];
		n++;
	}
	for (size_t i = 0; i < WORDS; i++)
		words[n + i] = argv[i];
	credentials_use(FETCHER_UNIT);
	return run(words, out);
}

/* Each block after a line with its length. */
static bool
part_blocks(struct mailbox_headers *headers)
{
	struct slice rest = buf_slice(&headers->bytes), line;
	uint64_t length;

	while (headers->n < SURVEY_MESSAGES && slice_cut_line(&rest, &line)) {
		if (!slice_cut_number(&line, LENGTH_MAX, &length) ||
		    length > rest.len)
			return false;
		headers->blocks[headers->n++] =
		    slice_first(rest, (size_t)length);
		rest = slice_from(rest, (size_t)length);
	}
	return rest.len == 0;
}

int
mailbox_headers_read(const struct config *config, const char *account,
    struct mailbox_headers *headers)
{
	char path[PATH_MAX];
	const char *argv[WORDS] = { path, "-c", config->path, "--probe",
		account, "--headers", NULL };
	int status;

	headers->n = 0;
	buf_init(&headers->bytes, BYTES_MAX);
	if (!fetcher_program_find(path)) {
		fputs("mailhaul: mailhaul-fetcher is not installed beside this "
		      "program\n",
		    stderr);
		return EX_UNAVAILABLE;
	}
	status = run_as_fetcher(config->state_dir, argv, &headers->bytes);
	if (status == EX_OK && !part_blocks(headers)) {
		fprintf(stderr, "mailhaul: %s is of another version\n", path);
		return EX_SOFTWARE;
	}
	return status;
}

void
mailbox_headers_clear(struct mailbox_headers *headers)
{
	buf_clear(&headers->bytes);
}
