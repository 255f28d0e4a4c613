#include "config.h"

#include "gateway/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/text.h"
#include "gateway/net/http.h"
#include "gateway/net/stream.h"

/* True when there is something to go on with: the database is not new, but was migrated. */
static struct fault *has_projects(struct cli *cli, bool *has_r)
{
	struct project *projects = NULL;
	struct store *store = NULL;
	size_t count = 0;

	FAULT_TRY(store_open(cli->mem, cli->conf->dsn, cli->clock, cli->points, &store));
	FAULT_TRY(project_list(store, cli->mem, &projects, &count));
	talloc_free(store);
	*has_r = count > 0;
	return NULL;
}

/* The secret of the addresses that messages are answered to, in a file for nobody else; one that is there
 * stays. */
static struct fault *make_secret(struct cli *cli)
{
	const char *path = cli->conf->replies.secret_file;
	char *text;
	bool done;
	int fd;

	if (!path)
		return NULL;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 && errno == EEXIST)
		return NULL;
	if (fd < 0)
		return fault_new(cli->mem, FAULT_CANNOT_CREATE, "[replies] secret_file %s: %s", path,
				 strerror(errno));
	text = mem_printf(cli->mem, "%s-%s\n", digest_uuid4(cli->mem), digest_uuid4(cli->mem));
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !fsync(fd);
	memset(text, 0, strlen(text));
	if (close(fd) || !done) {
		(void)unlink(path); /* half a secret is none */
		return fault_new(cli->mem, FAULT_IO, "[replies] secret_file %s: %s", path,
				 strerror(errno));
	}
	fprintf(cli->out, "The secret of the addresses for replies was made: %s\n", path);
	return NULL;
}

struct fault *cmd_init(struct cli *cli)
{
	bool created = false, has = false;

	FAULT_TRY(make_secret(cli));
	FAULT_TRY(store_init(cli->mem, cli->conf->dsn, cli->clock, cli->points, &created));
	if (created)
		FAULT_TRY(has_projects(cli, &has));
	if (has)
		fprintf(cli->out, "The database was brought to this version. Next: taskferry sync, "
				  "or start the service again\n");
	else if (created)
		fprintf(cli->out, "The database is ready. Next: taskferry import FILE\n");
	else
		fprintf(cli->out, "The database is there already and up to date.\n");
	return NULL;
}

/* A path with a name in it is a person's, and looked at when that person is served. */
static void check_file(const char *section, long line, const char *key, const char *path,
		       struct conf_report *report)
{
	if (path && !strstr(path, "%{") && access(path, R_OK))
		conf_report_warning(report, line, "[%s]: %s %s: %s", section, key, path,
				    strerror(errno));
}

static void check_secret_files(const char *section, long line, const struct conf_password *password,
			       struct conf_report *report)
{
	check_file(section, line, "password_file", password->file, report);
	check_file(section, line, "token_file", password->token_file, report);
}

static void check_ca(const char *section, const struct conf_server *server, struct trusts *trusts,
		     struct conf_report *report)
{
	struct fault *fault = server->tls_ca ? trusts_look(report, trusts, server->tls_ca) : NULL;

	if (fault)
		conf_report_warning(report, server->line, "[%s]: %s", section, fault->text);
}

static void check_files(const struct conf *conf, struct conf_report *report)
{
	struct trusts *trusts = trusts_new(report);

	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *server = &conf->servers[i];
		const char *section = mem_printf(report, "server %s", server->name);

		check_ca(section, server, trusts, report);
		check_file(section, server->line, "tls_cert", server->tls_cert, report);
		check_file(section, server->line, "tls_key", server->tls_key, report);
		check_secret_files(section, server->line, &server->password, report);
	}
	for (size_t i = 0; i < conf->account_count; i++) {
		const struct conf_account *account = &conf->accounts[i];
		const char *section =
			mem_printf(report, "account %s %s", account->server, account->resource);

		check_secret_files(section, account->line, &account->password, report);
	}
	talloc_free(trusts);
}

/* What this machine, or this program, cannot do. */
static void check_machine(const struct conf *conf, struct conf_report *report)
{
	struct fault *unknown = db_known(report, conf->dsn);

	if (unknown)
		conf_report_error(report, 0, "%s", unknown->text);
	if (conf->web_listen)
		conf_report_warning(report, 0,
				    "[web] listen: this version has no web pages yet, nothing is "
				    "served there");
	for (size_t i = 0; i < conf->server_count; i++)
		if (conf->servers[i].auth == CONF_AUTH_NEGOTIATE && !http_has_negotiate())
			conf_report_error(report, conf->servers[i].line,
					  "[server %s]: the libcurl of this machine cannot speak "
					  "Negotiate; choose another auth",
					  conf->servers[i].name);
}

struct fault *cmd_check(struct cli *cli)
{
	struct conf_report *report = NULL;
	struct rules *rules = NULL;
	struct conf *conf = NULL;
	bool wrong;

	FAULT_TRY(conf_read(cli->mem, cli->conf_path, &conf, &report));
	if (conf)
		check_machine(conf, report);
	if (conf)
		check_files(conf, report);
	if (conf)
		rules = rules_new(cli->mem, conf, report);
	conf_report_print(report, cli->out);
	wrong = !conf || !rules || report->errors;
	if (wrong)
		return fault_new(cli->mem, FAULT_CONFIG, "%s: %zu %s", cli->conf_path,
				 report->errors, report->errors == 1 ? "error" : "errors");
	if (report->count)
		fprintf(cli->out, "%s: no error, %zu %s.\n", cli->conf_path, report->count,
			report->count == 1 ? "warning" : "warnings");
	else
		fprintf(cli->out, "%s: all is well.\n", cli->conf_path);
	if (!conf->server_count)
		fprintf(cli->out, "There is no [server] section yet: import and lists work, "
				  "publishing does not.\n");
	return NULL;
}
