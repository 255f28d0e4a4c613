/* Any bytes as a configuration file: no crash, no leak, and the promises of conf.h hold for
 * whatever comes out. */
#include "config.h"

#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
	if (!holds)
		abort();
}

static void check_report(const struct conf_report *report)
{
	size_t errors = 0;

	demand(report->count <= CONF_FINDINGS_MAX + 1);
	for (size_t i = 0; i < report->count; i++) {
		const struct conf_finding *finding = &report->findings[i];

		errors += !finding->warning;
		demand(finding->line >= 0 && *finding->text && !strpbrk(finding->text, "\n\r\x1b"));
		demand(!i || report->findings[i - 1].line <= finding->line);
	}
	demand(errors <= report->errors);
}

/* What is there is whole, and is found again. */
static void check_conf(const struct conf *conf)
{
	demand(!conf->server_count || conf->site.url);
	demand(conf->dsn && conf->log_level && conf->control_socket && conf->site.timezone);
	for (size_t i = 0; i < conf->server_count; i++) {
		const struct conf_server *server = &conf->servers[i];

		demand(server->url && server->login && server->poll_us > 0 &&
		       server->settle_us >= 0);
		demand(conf_server_find(conf, server->name) == server);
		(void)conf_server_has(conf, server, "ana@example.com", NULL);
	}
	for (size_t i = 0; i < conf->account_count; i++) {
		const struct conf_account *account = &conf->accounts[i];

		demand(conf_account_find(conf, account->server, account->resource) == account);
		demand(conf_server_find(conf, account->server) != NULL);
	}
	for (size_t i = 0; i < conf->rule_count; i++) {
		demand(conf->rules[i].when || !conf->rules[i].set_count);
		demand(!conf->rules[i].set_count || conf->rules[i].action == RULE_CORRECT);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	unsigned mode = size && data[size - 1] & 1 ? 0600 : 0644;
	struct conf *conf = NULL;
	struct conf_report *report = NULL;
	struct fault *fault =
		conf_parse(mem, "fuzz", (const char *)data, size, mode, &conf, &report);

	if (fault) {
		demand(fault->kind == FAULT_CONFIG && !conf && !report);
	} else {
		demand(!conf == (report->errors > 0));
		check_report(report);
		if (conf)
			check_conf(conf);
	}
	talloc_free(mem);
	return 0;
}
