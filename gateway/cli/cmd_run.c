/* cmd_run.c - the service. */
#include "config.h"

#include "gateway/cli/cli.h"

#include "gateway/daemon/daemon.h"

struct fault *cmd_run(struct cli *cli)
{
	const struct daemon_options options = { .conf_path = cli->conf_path,
						.conf = cli->conf,
						.store = cli->store,
						.clock = cli->clock,
						.points = cli->points,
						.log = cli->log,
						.verbose = cli->verbose,
						.takeover = cli_has(cli, "--takeover") };

	return daemon_run(cli->mem, &options);
}
