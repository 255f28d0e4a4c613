#include "config.h"

/* pipe2(), and posix_spawn's closefrom, which closes what some library forgot to mark CLOEXEC */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/buf.h"
#include "base/secret_private.h"
#include "base/text.h"

/* A command is run in these steps, each of which leaves nothing behind when it fails:
 *
 *   split    the template becomes words, by blanks and quotes alone
 *   expand   names are put into each word but the first; a value can no longer make a new word, and
 *            no imported value chooses the program
 *   spawn    posix_spawn (vfork semantics: safe in a process with threads and gigabytes), own
 *            process group, default signals, stdin and stderr /dev/null, stdout our pipe, nothing
 *            else open
 *   listen   until the process has ended and its output was read, or a limit is passed
 *   end      SIGKILL to the whole group while its leader is still a zombie, so that the number
 *            cannot have become another's; then reap. What cannot be killed (sudo) is not
 *            waited for.
 *
 * Output lives in one array on the stack that is wiped on every way out; no fault holds any of it.
 * All faults reach the account and no further.
 */

#define WORDS_MAX 64 /* of a command */
#define TICK_MS 50 /* how often we look whether the process has ended while its pipe is open */
#define TICK_CLOSED_MS 2 /* the same once the pipe is closed: the end is near */
#define REAP_MS 500 /* a killed process ends within that, or is not ours to kill */
#define VALUE_MAX 254 /* bytes of a name: DESIGN section 11, an address */
#define FIRST_FREE_FD 3
#define MASK "***"

struct secret {
	char *bytes;
	size_t len;
};

static int secret_wipe(struct secret *secret)
{
	OPENSSL_cleanse(secret->bytes, secret->len);
	return 0;
}

struct secret *secret_new(TALLOC_CTX *mem, const char *bytes, size_t n)
{
	struct secret *secret = MEM_NEW(mem, struct secret);

	secret->bytes = mem_bytes(secret, bytes, n);
	secret->len = n;
	talloc_set_destructor(secret, secret_wipe);
	return secret;
}

const char *secret_reveal(const struct secret *secret)
{
	return secret->bytes;
}

char *secret_mask_all(TALLOC_CTX *mem, const struct secret *const *secrets, size_t n,
		      const char *text)
{
	size_t len = strlen(text);
	bool *covered = MEM_ARRAY(mem, bool, len);
	struct buf *buf = buf_new(mem);

	for (size_t i = 0; i < n; i++) {
		const char *word = secrets[i]->bytes, *at = text;
		size_t word_len = strlen(word);

		for (; word_len && (at = strstr(at, word)); at++)
			memset(covered + (at - text), true, word_len);
	}
	for (size_t i = 0; i < len; i++) {
		if (!covered[i])
			buf_putc(buf, text[i]);
		else if (!i || !covered[i - 1])
			buf_puts(buf, MASK);
	}
	talloc_free(covered);
	return buf_steal(&buf, mem, NULL);
}

char *secret_mask(TALLOC_CTX *mem, const struct secret *secret, const char *text)
{
	return secret_mask_all(mem, &secret, secret ? 1 : 0, text);
}

/* The account waits for a person: nothing changes by itself. */
#define HELD(mem, kind, ...)                                                                       \
	fault_reaches(fault_new(mem, kind, __VA_ARGS__), FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD)

/* The account is tried again: a key ring may be open by then. */
#define LATER(mem, kind, ...)                                                                      \
	fault_reaches(fault_new(mem, kind, __VA_ARGS__), FAULT_SCOPE_ACCOUNT, FAULT_NEXT_RETRY)

static bool is_email(TALLOC_CTX *mem, const char *value)
{
	(void)mem;
	return text_is_address(value);
}

static bool is_local(TALLOC_CTX *mem, const char *value)
{
	char *address = mem_printf(mem, "%s@x", value);
	bool good = !strchr(value, '@') && text_is_address(address);

	talloc_free(address);
	return good;
}

static bool is_plain(TALLOC_CTX *mem, const char *value)
{
	size_t n = strlen(value);
	char *clean = text_to_utf8(mem, value, n); /* differs when there is a control character */
	bool good = n && n <= VALUE_MAX && *value != '-' && !strpbrk(value, "/*\t\r\n") &&
		    !strstr(value, "..") && !strcmp(clean, value);

	talloc_free(clean);
	return good;
}

static const struct {
	const char *name;
	size_t offset; /* in struct secret_names */
	bool (*is_good)(TALLOC_CTX *mem, const char *value);
} name_rows[] = {
	{ "email", offsetof(struct secret_names, email), is_email },
	{ "local", offsetof(struct secret_names, local), is_local },
	{ "name", offsetof(struct secret_names, name), is_plain },
	{ "key", offsetof(struct secret_names, key), is_plain },
};
_Static_assert(COUNT_OF(name_rows) * sizeof(char *) == sizeof(struct secret_names),
	       "one row per name");

/* Adds the value of the name that stands in the LEN bytes. */
static struct fault *put_name(TALLOC_CTX *mem, struct buf *buf, const char *name, size_t len,
			      const struct secret_names *names)
{
	for (size_t i = 0; i < COUNT_OF(name_rows); i++) {
		const char *value;

		if (strlen(name_rows[i].name) != len || strncmp(name_rows[i].name, name, len) != 0)
			continue;
		memcpy(&value, (const char *)names + name_rows[i].offset, sizeof value);
		if (!value || !*value)
			return HELD(mem, FAULT_DATA, "%%{%s} has no value here", name_rows[i].name);
		if (!name_rows[i].is_good(buf, value))
			return HELD(mem, FAULT_DATA,
				    "the value of %%{%s} is not allowed here: '%s'",
				    name_rows[i].name, text_one_line(buf, value, VALUE_MAX));
		buf_puts(buf, value);
		return NULL;
	}
	return HELD(mem, FAULT_DATA,
		    "unknown name %%{%s}; there are %%{email}, %%{local}, %%{name}, %%{key}",
		    mem_strndup(buf, name, len));
}

struct fault *secret_expand(TALLOC_CTX *mem, const char *form, const struct secret_names *names,
			    char **text_r)
{
	struct buf *buf = buf_new(mem);
	struct fault *fault = NULL;

	while (*form && !fault) {
		const char *end = text_starts(form, "%{") ? strchr(form, '}') : form;

		if (!end) {
			fault = HELD(mem, FAULT_DATA, "a %%{ without its }");
		} else if (end == form) {
			buf_putc(buf, *form++);
		} else {
			fault = put_name(mem, buf, form + 2, (size_t)(end - form) - 2, names);
			form = end + 1;
		}
	}
	if (fault)
		talloc_free(buf);
	else
		*text_r = buf_steal(&buf, mem, NULL);
	return fault;
}

/* One word from *AT on, which is not a blank; *AT moves behind it. Parts that touch are one
 * word. */
static struct fault *take_word(TALLOC_CTX *mem, const char **at, char **word_r)
{
	struct buf *word = buf_new(mem);
	const char *c;

	for (c = *at; *c && !strchr(" \t", *c); c++) {
		const char *end = *c == '\'' || *c == '"' ? strchr(c + 1, *c) : c;

		if (!end)
			return HELD(mem, FAULT_CONFIG, "a quote is not closed");
		if (end == c) {
			buf_putc(word, *c);
			continue;
		}
		buf_add(word, c + 1, (size_t)(end - c) - 1);
		c = end;
	}
	*at = c;
	*word_r = buf_steal(&word, mem, NULL);
	return NULL;
}

/* The words of a command with names put in; WORDS has room for WORDS_MAX and a NULL. */
static struct fault *make_words(TALLOC_CTX *mem, const char *command,
				const struct secret_names *names, char **words)
{
	size_t n = 0;

	for (command += strspn(command, " \t"); *command; command += strspn(command, " \t")) {
		char *word = NULL;

		if (n == WORDS_MAX)
			return HELD(mem, FAULT_CONFIG, "more than %d words", WORDS_MAX);
		FAULT_TRY(take_word(mem, &command, &word));
		if (n == 0 && strstr(word, "%{"))
			return HELD(mem, FAULT_CONFIG, "the program itself must not hold a name");
		FAULT_TRY(secret_expand(mem, word, names, &words[n]));
		n++;
	}
	words[n] = NULL;
	return n && *words[0] ? NULL : HELD(mem, FAULT_CONFIG, "no program is named");
}

static char **clean_environment(TALLOC_CTX *mem)
{
	static const char *const kept[] = { "PATH",     "HOME", "LANG", "USER", "XDG_RUNTIME_DIR",
					    "GNUPGHOME" };
	char **environment = MEM_ARRAY(mem, char *, COUNT_OF(kept) + 1);
	size_t n = 0;

	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		const char *value = getenv(kept[i]);

		if (value)
			environment[n++] = mem_printf(environment, "%s=%s", kept[i], value);
	}
	return environment;
}

/* What the child has open: its output goes to OUT. The order is right for any number OUT may
 * have in a process that lacks one of the three: it is never 0, since the pipe's other end was
 * opened before. */
static int set_files(posix_spawn_file_actions_t *files, int out)
{
	int error = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);

	if (!error)
		error = posix_spawn_file_actions_adddup2(files, out, 1);
	if (!error)
		error = posix_spawn_file_actions_addopen(files, 2, "/dev/null", O_WRONLY, 0);
	if (!error)
		error = posix_spawn_file_actions_addclosefrom_np(files, FIRST_FREE_FD);
	return error;
}

/* Its own process group, no signal blocked or ignored. */
static int set_attributes(posix_spawnattr_t *how)
{
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	error = posix_spawnattr_setsigmask(how, &none);
	if (!error)
		error = posix_spawnattr_setsigdefault(how, &all);
	if (!error)
		error = posix_spawnattr_setpgroup(how, 0);
	if (!error)
		error = posix_spawnattr_setflags(how, POSIX_SPAWN_SETSIGMASK |
							      POSIX_SPAWN_SETSIGDEF |
							      POSIX_SPAWN_SETPGROUP);
	return error;
}

/* Starts the words with their output into OUT; 0 or an error number. */
static int spawn(TALLOC_CTX *mem, char **words, int out, pid_t *pid_r)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	int error;

	posix_spawn_file_actions_init(&files); /* neither fails in glibc */
	posix_spawnattr_init(&how);
	error = set_files(&files, out);
	if (!error)
		error = set_attributes(&how);
	if (!error)
		error = posix_spawnp(pid_r, words[0], &files, &how, words, clean_environment(mem));
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A process that was started, and what it said so far. */
struct child {
	pid_t pid;
	int out; /* -1: closed by the other side */
	int64_t deadline_ms;
	size_t len;
	char output[SECRET_OUTPUT_MAX + 1]; /* one more than allowed: its filling is the excess */
};

/* Takes what is there, waiting for it at most WAIT_MS; false when nothing was. */
static bool child_read(struct child *child, int wait_ms)
{
	struct pollfd fd = { .fd = child->out, .events = POLLIN };
	ssize_t n;

	if (poll(&fd, 1, wait_ms) <= 0 || child->out < 0)
		return false;
	n = read(child->out, child->output + child->len, sizeof child->output - child->len);
	if (n > 0) {
		child->len += (size_t)n;
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		close(child->out);
		child->out = -1;
	}
	return n > 0;
}

/* True when the process has ended; it stays a zombie. */
static bool child_ended(const struct child *child)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	       info.si_pid != 0;
}

/* Until the process ended and all was read (true), or the time or the output was used up
 * (false). */
static bool child_listen(struct child *child)
{
	while (child->len < sizeof child->output) {
		int64_t left_ms = child->deadline_ms - monotonic_ms();
		int tick_ms = child->out < 0 ? TICK_CLOSED_MS : TICK_MS;

		if (left_ms <= 0)
			return false;
		if (child_read(child, left_ms < tick_ms ? (int)left_ms : tick_ms) ||
		    !child_ended(child))
			continue;
		/* A grandchild may hold the pipe open for ever: what is there now is all. */
		while (child->len < sizeof child->output && child_read(child, 0))
			;
		return child->len < sizeof child->output;
	}
	return false;
}

/* Ends the whole group; *STATUS_R is -1 when the leader's end could not be learned. */
static void child_end(struct child *child, int *status_r)
{
	int64_t until_ms = monotonic_ms() + REAP_MS;
	pid_t got;

	kill(-child->pid, SIGKILL);
	*status_r = -1;
	while ((got = waitpid(child->pid, status_r, WNOHANG)) == 0 && monotonic_ms() < until_ms)
		poll(NULL, 0, TICK_CLOSED_MS);
	if (got != child->pid)
		*status_r = -1;
	if (child->out >= 0)
		close(child->out);
}

/* The first line of what was read; WHAT said it. */
static struct fault *take_line(TALLOC_CTX *mem, const char *what, const char *bytes, size_t n,
			       struct secret **secret_r)
{
	const char *newline = n ? memchr(bytes, '\n', n) : NULL;

	if (!newline && n > SECRET_OUTPUT_MAX)
		return HELD(mem, FAULT_DATA, "%s: more than %d bytes", what, SECRET_OUTPUT_MAX);
	if (newline)
		n = (size_t)(newline - bytes);
	if (n && bytes[n - 1] == '\r')
		n--;
	if (!n)
		return HELD(mem, FAULT_DATA, "%s: no password in the first line", what);
	if (memchr(bytes, '\0', n))
		return HELD(mem, FAULT_DATA, "%s: a NUL in the password", what);
	*secret_r = secret_new(mem, bytes, n);
	return NULL;
}

/* What became of a process that is gone, and of what it said. */
static struct fault *judge(TALLOC_CTX *mem, const char *what, const struct child *child,
			   bool complete, int timeout_ms, int status, struct secret **secret_r)
{
	if (child->len > SECRET_OUTPUT_MAX)
		return HELD(mem, FAULT_DATA, "%s: more than %d bytes", what, SECRET_OUTPUT_MAX);
	if (!complete)
		return LATER(mem, FAULT_TRY_LATER, "%s: killed after %d ms", what, timeout_ms);
	if (status == -1)
		return LATER(mem, FAULT_TRY_LATER, "%s: its end could not be learned", what);
	if (WIFSIGNALED(status))
		return LATER(mem, FAULT_TRY_LATER, "%s: ended by signal %d", what,
			     WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return LATER(mem, FAULT_TRY_LATER, "%s: exit code %d", what, WEXITSTATUS(status));
	return take_line(mem, what, child->output, child->len, secret_r);
}

static struct fault *run(TALLOC_CTX *mem, TALLOC_CTX *scratch, char **words, int timeout_ms,
			 struct secret **secret_r)
{
	const char *what = mem_printf(scratch, "'%s'", words[0]);
	struct child child = { .out = -1, .deadline_ms = monotonic_ms() + timeout_ms };
	int ends[2], error, status;
	struct fault *fault;
	bool complete;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return LATER(mem, FAULT_TRY_LATER, "%s: %s", what, strerror(errno));
	child.out = ends[0];
	error = spawn(scratch, words, ends[1], &child.pid);
	close(ends[1]);
	if (error) {
		close(child.out);
		return error == EAGAIN || error == ENOMEM
			       ? LATER(mem, FAULT_TRY_LATER, "%s: %s", what, strerror(error))
			       : HELD(mem, FAULT_CONFIG, "%s: %s", what, strerror(error));
	}
	complete = child_listen(&child);
	child_end(&child, &status);
	fault = judge(mem, what, &child, complete, timeout_ms, status, secret_r);
	OPENSSL_cleanse(child.output, sizeof child.output);
	return fault;
}

struct fault *secret_command_within(TALLOC_CTX *mem, const char *command,
				    const struct secret_names *names, int timeout_ms,
				    struct secret **secret_r)
{
	TALLOC_CTX *scratch = MEM_CONTEXT(mem);
	char *words[WORDS_MAX + 1];
	struct fault *fault = make_words(scratch, command, names, words);

	if (fault)
		fault = talloc_steal(mem, fault);
	else
		fault = run(mem, scratch, words, timeout_ms, secret_r);
	talloc_free(scratch);
	return fault;
}

struct fault *secret_command(TALLOC_CTX *mem, const char *command, const struct secret_names *names,
			     struct secret **secret_r)
{
	return secret_command_within(mem, command, names, SECRET_COMMAND_TIMEOUT_MS, secret_r);
}

static struct fault *file_fault(TALLOC_CTX *mem, const char *path, int error)
{
	enum fault_kind kind = error == ENOENT || error == ENOTDIR ? FAULT_NO_INPUT
			       : error == EACCES || error == EPERM ? FAULT_NOT_PERMITTED
								   : FAULT_IO;

	return HELD(mem, kind, "%s: %s", path, strerror(error));
}

/* Reads at most SIZE bytes; -1 with errno. */
static ssize_t read_all(int fd, char *bytes, size_t size)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, bytes + len, size - len);
		if (n > 0)
			len += (size_t)n;
	} while ((n > 0 && len < size) || (n < 0 && errno == EINTR));
	return n < 0 ? -1 : (ssize_t)len;
}

static struct fault *read_file(TALLOC_CTX *mem, const char *path, int fd, struct secret **secret_r)
{
	char bytes[SECRET_OUTPUT_MAX + 1];
	struct fault *fault;
	struct stat stat;
	ssize_t n;

	if (fstat(fd, &stat) != 0)
		return file_fault(mem, path, errno);
	if (!S_ISREG(stat.st_mode))
		return HELD(mem, FAULT_NO_INPUT, "%s: not a file", path);
	if (stat.st_mode & (S_IROTH | S_IWOTH))
		return HELD(mem, FAULT_NOT_PERMITTED,
			    "%s: others can read or write it; use chmod o= on it", path);
	n = read_all(fd, bytes, sizeof bytes);
	fault = n < 0 ? file_fault(mem, path, errno)
		      : take_line(mem, path, bytes, (size_t)n, secret_r);
	OPENSSL_cleanse(bytes, sizeof bytes);
	return fault;
}

struct fault *secret_file(TALLOC_CTX *mem, const char *path, struct secret **secret_r)
{
	int fd = open(path,
		      O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hang us */
	struct fault *fault;

	if (fd < 0)
		return file_fault(mem, path, errno);
	fault = read_file(mem, path, fd, secret_r);
	close(fd);
	return fault;
}
