#include "config.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/secret_private.h"

#define SHORT_MS 300 /* a limit of time that a test waits out */
#define SOON_MS 20000 /* what a slow machine may need for the rest; less than the 30 s that a child sleeps */

/* valgrind makes vfork() a fork(), so posix_spawn() cannot report that the exec failed. */
static void skip_under_valgrind(void)
{
	if (getenv("TF_VALGRIND"))
		cr_skip_test("valgrind turns vfork into fork: a failed exec is not reported");
}

static const struct secret_names ana = {
	.email = "ana@example.com", .local = "ana", .name = "Ana Silva", .key = "ana@example.com"
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static char *scratch_path(void *mem, const char *name)
{
	const char *dir = getenv("TMPDIR");

	return mem_printf(mem, "%s/taskferry-secret-test.%ld.%s", dir ? dir : "/tmp",
			  (long)getpid(), name);
}

/* Runs COMMAND and compares the password; NULL in EXPECTED stands for a fault of KIND. */
static struct fault *expect_command(void *mem, const char *command, const char *expected,
				    enum fault_kind kind)
{
	struct secret *secret = NULL;
	struct fault *fault = secret_command_within(mem, command, &ana, 5000, &secret);
	const char *got = secret ? secret_reveal(secret) : "(none)";

	if (expected)
		cr_expect(!fault && !strcmp(got, expected), "%s: expected '%s', got '%s' %s",
			  command, expected, got, fault ? fault->text : "");
	else
		cr_expect(fault && fault->kind == kind && !secret, "%s: expected %s, got %s '%s'",
			  command, fault_kind_name(kind),
			  fault ? fault_kind_name(fault->kind) : "no fault", got);
	return fault;
}

Test(secret, reveal_and_mask)
{
	static const struct {
		const char *secret, *text, *masked;
	} rows[] = {
		{ "pw", "", "" },
		{ "pw", "nothing here", "nothing here" },
		{ "pw", "pw", "***" },
		{ "pw", "a pw b pw c", "a *** b *** c" },
		{ "pw", "pwpw", "***" },
		{ "aa", "baaab", "b***b" }, /* overlapping */
		{ "p.*w", "px*w p.*w", "px*w ***" },
		{ "", "untouched", "untouched" },
	};
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct secret *secret = secret_new(mem, rows[i].secret, strlen(rows[i].secret));
		const char *masked = secret_mask(mem, secret, rows[i].text);

		cr_expect_str_eq(secret_reveal(secret), rows[i].secret);
		cr_expect(!strcmp(masked, rows[i].masked), "'%s' in '%s': expected '%s', got '%s'",
			  rows[i].secret, rows[i].text, rows[i].masked, masked);
	}
	cr_expect_str_eq(secret_mask(mem, NULL, "text"), "text");
	talloc_free(mem);
}

Test(secret, mask_all_covers_overlaps)
{
	void *mem = talloc_new(NULL);
	const struct secret *secrets[] = { secret_new(mem, "abc", 3), secret_new(mem, "abcdef", 6),
					   secret_new(mem, "efgh", 4) };

	cr_expect_str_eq(secret_mask_all(mem, secrets, 3, "xabcdefy"), "x***y");
	cr_expect_str_eq(secret_mask_all(mem, secrets, 3, "abcdefgh abc"), "*** ***");
	talloc_free(mem);
}

/* Hangs from the bytes: freed after the secret's destructor and before their memory. */
struct probe {
	const char *bytes;
	size_t *left_r;
};

static int probe_look(struct probe *probe)
{
	for (size_t i = 0; i < 15; i++)
		*probe->left_r += probe->bytes[i] != 0;
	return 0;
}

Test(secret, free_wipes)
{
	struct secret *secret = secret_new(NULL, "hunter2 hunter2", 15);
	struct probe *probe = MEM_NEW(secret_reveal(secret), struct probe);
	size_t left = 0;

	cr_assert_str_eq(secret_reveal(secret), "hunter2 hunter2");
	*probe = (struct probe){ .bytes = secret_reveal(secret), .left_r = &left };
	talloc_set_destructor(probe, probe_look);
	talloc_free(secret);
	cr_expect(left == 0, "%zu of 15 bytes were still there", left);
}

/* DESIGN section 9: the strict grammar. */
Test(secret, expand)
{
	static const struct {
		const char *template;
		struct secret_names names;
		const char *text; /* NULL: a DATA fault */
	} rows[] = {
		{ "", { 0 }, "" },
		{ "plain % {x} 100%", { 0 }, "plain % {x} 100%" },
		{ "%{email}", { .email = "ana@example.com" }, "ana@example.com" },
		{ "dav/%{local}/x", { .local = "ana.silva+x" }, "dav/ana.silva+x/x" },
		{ "%{name}+%{key}", { .name = "Ana Silva", .key = "ana" }, "Ana Silva+ana" },
		{ "%{name}", { .name = "%{key}", .key = "x" }, "%{key}" }, /* put in once */
		{ "%{name}",
		  { .name = "; rm -rf $(HOME) `id` & | > <" },
		  "; rm -rf $(HOME) `id` & | > <" },
		{ "%{name}", { .name = "M\xc3\xbcller" }, "M\xc3\xbcller" },
		{ "%{phone}", { .name = "x" }, NULL },
		{ "%{Email}", { .email = "ana@example.com" }, NULL },
		{ "%{e}", { .email = "ana@example.com" }, NULL },
		{ "%{}", { 0 }, NULL },
		{ "a %{email", { .email = "ana@example.com" }, NULL },
		{ "%{email}", { 0 }, NULL },
		{ "%{email}", { .email = "" }, NULL },
		{ "%{email}", { .email = "-ana@example.com" }, NULL },
		{ "%{email}", { .email = "../ana@example.com" }, NULL },
		{ "%{email}", { .email = "a b@example.com" }, NULL },
		{ "%{email}", { .email = "ana" }, NULL },
		{ "%{local}", { .local = "-ana" }, NULL },
		{ "%{local}", { .local = "a@b" }, NULL },
		{ "%{local}", { .local = "a/b" }, NULL },
		{ "%{local}", { .local = ".." }, NULL },
		{ "%{local}", { .local = "a*" }, NULL },
		{ "%{key}", { .key = "-rf" }, NULL },
		{ "%{key}", { .key = "a/b" }, NULL },
		{ "%{key}", { .key = ".." }, NULL },
		{ "%{key}", { .key = "a..b" }, NULL },
		{ "%{name}", { .name = "*" }, NULL },
		{ "%{name}", { .name = "a\nb" }, NULL },
		{ "%{name}", { .name = "a\tb" }, NULL },
		{ "%{name}",
		  { .name = "a\x7f"
			    "b" },
		  NULL },
		{ "%{name}",
		  { .name = "a\xc2\x9b"
			    "b" },
		  NULL },
		{ "%{name}",
		  { .name = "a\xff"
			    "b" },
		  NULL },
	};
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *text = (char *)(uintptr_t) "untouched";
		struct fault *fault = secret_expand(mem, rows[i].template, &rows[i].names, &text);

		if (rows[i].text)
			cr_expect(!fault && !strcmp(text, rows[i].text),
				  "row %zu '%s': expected '%s', got '%s' %s", i, rows[i].template,
				  rows[i].text, text, fault ? fault->text : "");
		else
			cr_expect(fault && fault->kind == FAULT_DATA &&
					  fault->scope == FAULT_SCOPE_ACCOUNT &&
					  fault->next == FAULT_NEXT_HOLD &&
					  !strcmp(text, "untouched"),
				  "row %zu '%s': expected a DATA fault, got '%s' %s", i,
				  rows[i].template, text, fault ? fault->text : "");
	}
	talloc_free(mem);
}

Test(secret, expand_refuses_a_long_value)
{
	void *mem = talloc_new(NULL);
	char value[256];
	struct secret_names names = { .name = value };
	char *text = NULL;
	struct fault *fault;

	memset(value, 'x', sizeof value);
	value[254] = '\0';
	fault = secret_expand(mem, "%{name}", &names, &text);
	cr_expect(!fault && strlen(text) == 254);
	value[254] = 'x';
	value[255] = '\0';
	fault = secret_expand(mem, "%{name}", &names, &text);
	cr_expect(fault && fault->kind == FAULT_DATA);
	talloc_free(mem);
}

Test(secret, command_takes_the_first_line)
{
	void *mem = talloc_new(NULL);

	expect_command(mem, "printf hunter2", "hunter2", 0);
	expect_command(mem, "printf 'hunter2\\n'", "hunter2", 0);
	expect_command(mem, "printf 'hunter2\\r\\nlogin: ana\\n'", "hunter2", 0);
	expect_command(mem, "printf ' blanks stay '", " blanks stay ", 0);
	expect_command(mem, "sh -c 'printf hun; sleep 0.1; echo ter2'", "hunter2", 0);
	expect_command(mem, "sh -c 'echo hunter2; exec >&-; sleep 0.1'", "hunter2", 0);
	talloc_free(mem);
}

Test(secret, command_words)
{
	void *mem = talloc_new(NULL);

	expect_command(mem, "  printf\t%s-  a   b ", "a-b-", 0);
	expect_command(mem, "printf %s- 'a  b' \"c 'd\" e\"f\"'g' ''", "a  b-c 'd-efg--", 0);
	expect_command(mem, "printf %s '$HOME `id` $(id) \\ ;'", "$HOME `id` $(id) \\ ;", 0);
	expect_command(mem, "printf %s a;id", "a;id", 0);
	expect_command(mem, "printf %s- %{email} '%{name}' x%{local}x",
		       "ana@example.com-Ana Silva-xanax-", 0);
	talloc_free(mem);
}

/* What an imported file can put into a name stays one word, or is refused. */
Test(secret, command_with_hostile_names)
{
	static const struct {
		const char *name, *output; /* NULL: refused */
	} rows[] = {
		{ "a b", "a b|" },
		{ "a; echo injected", "a; echo injected|" },
		{ "$(echo injected)", "$(echo injected)|" },
		{ "`echo injected`", "`echo injected`|" },
		{ "a' 'b", "a' 'b|" },
		{ "a\" \"b", "a\" \"b|" },
		{ "a && echo b | cat > x", "a && echo b | cat > x|" },
		{ "$HOME", "$HOME|" },
		{ "%{key}", "%{key}|" },
		{ "-n", NULL },
		{ "--help", NULL },
		{ "..", NULL },
		{ "../../etc/passwd", NULL },
		{ "a/b", NULL },
		{ "*", NULL },
		{ "a\nb", NULL },
		{ "", NULL },
	};
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct secret_names names = { .name = rows[i].name };
		struct secret *secret = NULL;
		struct fault *fault =
			secret_command_within(mem, "printf %s| %{name}", &names, 5000, &secret);
		const char *got = secret ? secret_reveal(secret) : "(none)";

		if (rows[i].output)
			cr_expect(!fault && !strcmp(got, rows[i].output), "'%s': got '%s'",
				  rows[i].name, got);
		else
			cr_expect(fault && fault->kind == FAULT_DATA && !secret, "'%s': got '%s'",
				  rows[i].name, got);
	}
	talloc_free(mem);
}

Test(secret, command_that_cannot_be)
{
	skip_under_valgrind();
	void *mem = talloc_new(NULL);
	struct fault *fault;

	expect_command(mem, "", NULL, FAULT_CONFIG);
	expect_command(mem, "  ", NULL, FAULT_CONFIG);
	expect_command(mem, "'' x", NULL, FAULT_CONFIG);
	expect_command(mem, "printf 'open", NULL, FAULT_CONFIG);
	expect_command(mem, "printf \"open'", NULL, FAULT_CONFIG);
	expect_command(mem, "/nonexistent/program", NULL, FAULT_CONFIG);
	expect_command(mem, "/", NULL, FAULT_CONFIG);
	fault = expect_command(mem, "printf %{unknown}", NULL, FAULT_DATA);
	cr_expect(fault && fault->scope == FAULT_SCOPE_ACCOUNT && fault->next == FAULT_NEXT_HOLD);
	talloc_free(mem);
}

Test(secret, command_name_never_chooses_the_program)
{
	static const char *const commands[] = { "%{local} x", "'%{local}' x",
						"/usr/bin/%{local} x" };
	const struct secret_names names = { .local = "printf" };
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(commands); i++) {
		struct secret *secret = NULL;
		struct fault *fault =
			secret_command_within(mem, commands[i], &names, 5000, &secret);

		cr_expect(fault && fault->kind == FAULT_CONFIG && !secret, "%s was run",
			  commands[i]);
	}
	talloc_free(mem);
}

Test(secret, command_of_too_many_words)
{
	void *mem = talloc_new(NULL);
	char *command = mem_strdup(mem, "printf %s");

	for (int i = 0; i < 62; i++)
		command = mem_printf(mem, "%s a", command);
	expect_command(mem, command,
		       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0);
	expect_command(mem, mem_printf(mem, "%s a", command), NULL, FAULT_CONFIG);
	talloc_free(mem);
}

/* N8: whatever a command says before it fails is told to nobody. */
Test(secret, command_faults_never_hold_the_output)
{
	static const struct {
		const char *command;
		enum fault_kind kind;
	} rows[] = {
		{ "sh -c 'echo hunter2; exit 3'", FAULT_TRY_LATER },
		{ "sh -c 'echo hunter2; kill -TERM $$'", FAULT_TRY_LATER },
		{ "sh -c 'echo hunter2; sleep 30'", FAULT_TRY_LATER },
		{ "sh -c 'echo hunter2 >&2; exit 1'", FAULT_TRY_LATER },
		{ "sh -c 'yes hunter2'", FAULT_DATA },
		{ "sh -c 'echo; echo hunter2'", FAULT_DATA },
		{ "printf 'hunter2\\0x'", FAULT_DATA },
		{ "true", FAULT_DATA },
	};
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct secret *secret = NULL;
		struct fault *fault =
			secret_command_within(mem, rows[i].command, &ana, SHORT_MS, &secret);

		cr_assert(fault && !secret, "%s: no fault", rows[i].command);
		cr_expect(fault->kind == rows[i].kind, "%s: expected %s, got %s", rows[i].command,
			  fault_kind_name(rows[i].kind), fault_kind_name(fault->kind));
		cr_expect(fault->scope == FAULT_SCOPE_ACCOUNT, "%s: reaches %s", rows[i].command,
			  fault_scope_name(fault->scope));
		cr_expect(!strstr(fault->text, "hunter2"), "%s: the fault says '%s'",
			  rows[i].command, fault->text);
	}
	talloc_free(mem);
}

Test(secret, command_output_limit)
{
	void *mem = talloc_new(NULL);
	struct secret *secret = NULL;
	struct fault *fault =
		secret_command_within(mem, "head -c 4096 /dev/zero", &ana, 5000, &secret);

	cr_expect(fault && fault->kind == FAULT_DATA); /* NULs */
	fault = secret_command_within(mem, "printf %4096s x", &ana, 5000, &secret);
	cr_expect(!fault && strlen(secret_reveal(secret)) == 4096);
	secret = NULL;
	fault = secret_command_within(mem, "printf %4097s x", &ana, 5000, &secret);
	cr_expect(fault && fault->kind == FAULT_DATA && !secret);
	fault = secret_command_within(mem, "printf 'a\\n%5000s' x", &ana, 5000, &secret);
	cr_expect(fault && fault->kind == FAULT_DATA && !secret);
	talloc_free(mem);
}

/* The time is absolute: neither dripping nor closing the pipe lengthens it. */
Test(secret, command_time_limit)
{
	static const char *const rows[] = {
		"sleep 30",
		"sh -c 'while :; do printf a; sleep 0.05; done'",
		"sh -c 'exec >&-; sleep 30'",
		"sh -c 'trap \"\" TERM INT HUP; sleep 30; sleep 30'",
	};
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct secret *secret = NULL;
		int64_t start = now_ms(), took;
		struct fault *fault = secret_command_within(mem, rows[i], &ana, SHORT_MS, &secret);

		took = now_ms() - start;
		cr_expect(fault && fault->kind == FAULT_TRY_LATER &&
				  fault->next == FAULT_NEXT_RETRY && !secret,
			  "%s: expected TRY_LATER", rows[i]);
		cr_expect(took >= SHORT_MS && took < SHORT_MS + SOON_MS, "%s: took %lld ms",
			  rows[i], (long long)took);
	}
	talloc_free(mem);
}

/* The process whose number the file holds ends within a moment. */
static void expect_dead(const char *path)
{
	FILE *file = fopen(path, "r");
	long pid = 0;
	int64_t until = now_ms() + SOON_MS;

	cr_assert(file && fscanf(file, "%ld", &pid) == 1 && pid > 1, "no process number in %s",
		  path);
	fclose(file);
	while (kill((pid_t)pid, 0) == 0 && now_ms() < until) {
		char name[64], state = '?';
		FILE *stat;

		snprintf(name, sizeof name, "/proc/%ld/stat", pid);
		stat = fopen(name, "r");
		if (stat && fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
			state = '?';
		if (stat)
			fclose(stat);
		if (state == 'Z') /* dead; whoever adopted it has not looked yet */
			return;
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	cr_expect(kill((pid_t)pid, 0) != 0, "process %ld still lives", pid);
}

Test(secret, command_group_is_killed_with_it)
{
	void *mem = talloc_new(NULL);
	char *path = scratch_path(mem, "pid");
	struct secret *secret = NULL;
	struct fault *fault;

	fault = secret_command_within(
		mem, mem_printf(mem, "sh -c 'sleep 30 & echo $! > %s; wait'", path), &ana, SHORT_MS,
		&secret);
	cr_expect(fault && fault->kind == FAULT_TRY_LATER);
	expect_dead(path);
	unlink(path);
	talloc_free(mem);
}

/* A child left behind, with the pipe open, neither makes us wait nor lives on. */
Test(secret, command_with_a_child_that_holds_the_pipe)
{
	void *mem = talloc_new(NULL);
	char *path = scratch_path(mem, "left");
	struct secret *secret = NULL;
	int64_t start = now_ms();
	struct fault *fault;

	fault = secret_command_within(
		mem, mem_printf(mem, "sh -c 'sleep 30 & echo $! > %s; echo hunter2'", path), &ana,
		20000, &secret);
	cr_assert(!fault, "%s", fault ? fault->text : "");
	cr_expect_str_eq(secret_reveal(secret), "hunter2");
	cr_expect(now_ms() - start < SOON_MS, "took %lld ms", (long long)(now_ms() - start));
	expect_dead(path);
	unlink(path);
	talloc_free(mem);
}

Test(secret, command_environment_is_clean)
{
	void *mem = talloc_new(NULL);

	setenv("TASKFERRY_TEST_LEAK", "leaked", 1);
	setenv("LD_PRELOAD_NOT", "leaked", 1);
	setenv("HOME", "/home/test", 1);
	setenv("GNUPGHOME", "/home/test/gnupg", 1);
	setenv("USER", "test", 1);
	setenv("LANG", "C.UTF-8", 1);
	unsetenv("XDG_RUNTIME_DIR");
	setenv("PATH", "/usr/bin:/bin", 1);
	expect_command(mem,
		       "sh -c 'echo $(env | cut -d= -f1 | grep -v -x -e PWD -e _ -e SHLVL -e "
		       "OLDPWD | sort)'",
		       "GNUPGHOME HOME LANG PATH USER", 0);
	expect_command(mem, "sh -c 'echo $HOME'", "/home/test", 0);
	talloc_free(mem);
}

Test(secret, command_gets_no_descriptor)
{
	void *mem = talloc_new(NULL);
	int fd = open("/dev/null", O_RDONLY); /* without CLOEXEC, as a library might */
	int high = fcntl(fd, F_DUPFD, 200);

	cr_assert(fd > 2 && high >= 200);
	/* the directory that ls reads is the one above 2 */
	expect_command(mem, "sh -c 'echo $(ls /proc/self/fd)'", "0 1 2 3", 0);
	expect_command(mem, "sh -c 'echo $(readlink /proc/self/fd/0 /proc/self/fd/2)'",
		       "/dev/null /dev/null", 0);
	close(fd);
	close(high);
	talloc_free(mem);
}

Test(secret, command_has_default_signals)
{
	void *mem = talloc_new(NULL);
	sigset_t blocked;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	/* each of these lives on and answers when it inherits ours */
	expect_command(mem, "sh -c 'kill -PIPE $$; echo alive'", NULL, FAULT_TRY_LATER);
	expect_command(mem, "sh -c 'kill -TERM $$; echo alive'", NULL, FAULT_TRY_LATER);
	talloc_free(mem);
}

Test(secret, command_works_without_standard_descriptors)
{
	void *mem = talloc_new(NULL);
	struct secret *secret = NULL;
	struct fault *fault;

	for (int lacks = 0; lacks < 8; lacks++) { /* each set of the three */
		int kept[3];

		for (int fd = 0; fd < 3; fd++)
			kept[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
		for (int fd = 0; fd < 3; fd++)
			if (lacks & 1 << fd)
				close(fd);
		secret = NULL;
		fault = secret_command_within(mem, "printf hunter2", &ana, 5000, &secret);
		for (int fd = 0; fd < 3; fd++) {
			dup2(kept[fd], fd);
			close(kept[fd]);
		}
		cr_expect(!fault && !strcmp(secret_reveal(secret), "hunter2"), "lacking %d: %s",
			  lacks, fault ? fault->text : secret_reveal(secret));
	}
	talloc_free(mem);
}

Test(secret, command_leaves_nothing_open)
{
	skip_under_valgrind();
	void *mem = talloc_new(NULL);
	int before = dup(0), after;

	close(before);
	expect_command(mem, "printf hunter2", "hunter2", 0);
	expect_command(mem, "/nonexistent/program", NULL, FAULT_CONFIG);
	expect_command(mem, "false", NULL, FAULT_TRY_LATER);
	after = dup(0);
	cr_expect(before == after, "next descriptor: %d before, %d after", before, after);
	close(after);
	talloc_free(mem);
}

Test(secret, command_public_name)
{
	void *mem = talloc_new(NULL);
	struct secret *secret = NULL;
	struct fault *fault = secret_command(mem, "printf %{local}", &ana, &secret);

	cr_expect(!fault && !strcmp(secret_reveal(secret), "ana"));
	talloc_free(mem);
}

static char *write_file(void *mem, const char *bytes, size_t n, mode_t mode)
{
	char *path = scratch_path(mem, "file");
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	cr_assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n && fchmod(fd, mode) == 0);
	close(fd);
	return path;
}

Test(secret, file)
{
	static const struct {
		const char *bytes;
		size_t n;
		mode_t mode;
		const char *password; /* NULL: a fault of KIND */
		enum fault_kind kind;
	} rows[] = {
		{ "hunter2\n", 8, 0600, "hunter2", 0 },
		{ "hunter2", 7, 0400, "hunter2", 0 },
		{ "hunter2\r\nmore\n", 14, 0640, "hunter2", 0 },
		{ "hunter2\n", 8, 0644, NULL, FAULT_NOT_PERMITTED },
		{ "hunter2\n", 8, 0604, NULL, FAULT_NOT_PERMITTED },
		{ "hunter2\n", 8, 0602, NULL, FAULT_NOT_PERMITTED },
		{ "", 0, 0600, NULL, FAULT_DATA },
		{ "\nhunter2\n", 9, 0600, NULL, FAULT_DATA },
		{ "\r\n", 2, 0600, NULL, FAULT_DATA },
		{ "hun\0ter2\n", 9, 0600, NULL, FAULT_DATA },
	};
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *path = write_file(mem, rows[i].bytes, rows[i].n, rows[i].mode);
		struct secret *secret = NULL;
		struct fault *fault = secret_file(mem, path, &secret);

		if (rows[i].password)
			cr_expect(!fault && !strcmp(secret_reveal(secret), rows[i].password),
				  "row %zu: %s", i, fault ? fault->text : secret_reveal(secret));
		else
			cr_expect(fault && fault->kind == rows[i].kind && !secret &&
					  !strstr(fault->text, "hunter2"),
				  "row %zu: %s", i, fault ? fault->text : "no fault");
		unlink(path);
	}
	talloc_free(mem);
}

Test(secret, file_limits)
{
	void *mem = talloc_new(NULL);
	char *bytes = MEM_ARRAY(mem, char, 10000);
	struct secret *secret = NULL;
	struct fault *fault;

	memset(bytes, 'x', 10000);
	fault = secret_file(mem, write_file(mem, bytes, 4096, 0600), &secret);
	cr_expect(!fault && strlen(secret_reveal(secret)) == 4096);
	secret = NULL;
	fault = secret_file(mem, write_file(mem, bytes, 4097, 0600), &secret);
	cr_expect(fault && fault->kind == FAULT_DATA && !secret);
	bytes[7] = '\n'; /* the first line alone counts */
	fault = secret_file(mem, write_file(mem, bytes, 10000, 0600), &secret);
	cr_expect(!fault && !strcmp(secret_reveal(secret), "xxxxxxx"));
	unlink(scratch_path(mem, "file"));
	talloc_free(mem);
}

Test(secret, file_that_is_none, .timeout = 300)
{
	void *mem = talloc_new(NULL);
	char *fifo = scratch_path(mem, "fifo");
	struct secret *secret = NULL;
	struct fault *fault = secret_file(mem, "/nonexistent/file", &secret);

	cr_expect(fault && fault->kind == FAULT_NO_INPUT && fault->scope == FAULT_SCOPE_ACCOUNT);
	fault = secret_file(mem, "/", &secret);
	cr_expect(fault && fault->kind == FAULT_NO_INPUT);
	cr_assert(mkfifo(fifo, 0600) == 0);
	fault = secret_file(mem, fifo, &secret); /* and does not wait for a writer */
	cr_expect(fault && fault->kind == FAULT_NO_INPUT && !secret);
	unlink(fifo);
	talloc_free(mem);
}
