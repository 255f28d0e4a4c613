#include "config.h"

#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 8

static int run(const char *const *words)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(words[0], (char *const *)words);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static char *first_line(TALLOC_CTX *mem, const char *path)
{
	char line[512] = "";
	FILE *file = fopen(path, "r");

	if (!file)
		return NULL;
	if (!fgets(line, sizeof line, file))
		*line = '\0';
	fclose(file);
	line[strcspn(line, "\n")] = '\0';
	return mem_strdup(mem, line);
}

struct fixture *fixture_start(TALLOC_CTX *mem, const char *name, const char *command,
			      const char *const *arguments)
{
	struct fixture *fixture = MEM_NEW(mem, struct fixture);
	const char *source = getenv("srcdir"), *tmp = getenv("TMPDIR");
	const char *words[ARGUMENTS_MAX + 5] = { "sh", NULL, command, NULL };

	fixture->script =
		mem_printf(fixture, "%s/tests/servers/%s.sh", source ? source : ".", name);
	fixture->dir = mem_printf(fixture, "%s/taskferry-test.XXXXXX", tmp ? tmp : "/tmp");
	fixture->result = -1;
	if (!mkdtemp(fixture->dir))
		return fixture;
	words[1] = fixture->script;
	words[3] = fixture->dir;
	for (size_t i = 0; arguments && arguments[i] && i < ARGUMENTS_MAX; i++)
		words[4 + i] = arguments[i];
	fixture->result = run(words);
	if (!fixture->result)
		fixture->url = first_line(fixture, mem_printf(fixture, "%s/url", fixture->dir));
	return fixture;
}

bool fixture_add_users(struct fixture *fixture, const char *lines)
{
	char *command =
		mem_printf(fixture, "exec sh '%s' add '%s'", fixture->script, fixture->dir);
	FILE *to = popen(command, "w");
	bool written;

	talloc_free(command);
	if (!to)
		return false;
	written = fputs(lines, to) >= 0;
	return pclose(to) == 0 && written;
}

void fixture_stop(struct fixture *fixture)
{
	const char *words[] = { "sh", fixture->script, "stop", fixture->dir, NULL };

	(void)run(words);
}

void fixture_end(struct fixture *fixture)
{
	const char *words[] = { "rm", "-rf", fixture->dir, NULL };

	fixture_stop(fixture);
	(void)run(words);
}

void fixture_close(struct fixture *fixture, size_t failed)
{
	const char *words[] = { "sh", "-c",
				"echo \"the last of $0:\"; tail -n 15 \"$0\" | cut -c 1-400", NULL,
				NULL };

	if (!fixture)
		return;
	words[3] = mem_printf(fixture, "%s/log", fixture->dir);
	if (failed)
		(void)run(words);
	fixture_end(fixture);
	talloc_free(fixture);
}
