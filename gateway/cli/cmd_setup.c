#include "config.h"

#include "gateway/cli/cli.h"

#include "base/text.h"

struct fault *cmd_init(struct cli *cli)
{
	bool created = false;

	FAULT_TRY(store_init(cli->mem, cli->conf->dsn, cli->clock, cli->points, &created));
	if (created)
		fprintf(cli->out, "The database is ready. Next: taskferry import FILE\n");
	else
		fprintf(cli->out, "The database is there already and up to date.\n");
	return NULL;
}

struct fault *cmd_check(struct cli *cli)
{
	struct conf_report *report = NULL;
	struct rules *rules = NULL;
	struct conf *conf = NULL;
	bool wrong;

	FAULT_TRY(conf_read(cli->mem, cli->conf_path, &conf, &report));
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
