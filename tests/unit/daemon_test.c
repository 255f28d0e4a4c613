/* What the service stands on: its lock, the machine that a database knows, what the service manager
 * is told. */
#include "config.h"

#include "gateway/daemon/lock.h"
#include "gateway/daemon/machine.h"
#include "gateway/daemon/notify.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "store_world.h"

/* ---- the gateway lock ---- */

Test(daemon, one_process_has_the_lock)
{
	struct store_world world = store_world_empty();
	struct lock *lock = NULL, *second = NULL;

	STORE_OK(lock_take(world.mem, world.dsn, &lock));
	store_world_expect_fault(lock_take(world.mem, world.dsn, &second), FAULT_TRY_LATER,
				 mem_printf(world.mem, "(process %ld)", (long)getpid()));
	cr_expect_null(second);
	talloc_free(lock);
	STORE_OK(lock_take(world.mem, world.dsn, &second));
	store_world_free(&world);
}

Test(daemon, the_lock_of_a_process_that_was_killed_is_free)
{
	struct store_world world = store_world_empty();
	struct lock *lock = NULL;
	int status;
	pid_t child = fork();

	cr_assert_geq(child, 0);
	if (!child) {
		_exit(lock_take(world.mem, world.dsn, &lock) ? 1 : 0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && !WEXITSTATUS(status));
	STORE_OK(lock_take(world.mem, world.dsn, &lock));
	store_world_free(&world);
}

Test(daemon, a_lock_whose_folder_is_not_there)
{
	struct store_world world = store_world_empty();
	struct lock *lock = NULL;

	store_world_expect_fault(lock_take(world.mem, "sqlite:/nonexistent/site.db", &lock),
				 FAULT_CANNOT_CREATE, "/nonexistent/site.db.lock");
	store_world_free(&world);
}

/* ---- the machine (M10) ---- */

static char *noted(struct store_world *world)
{
	char *value = NULL;

	STORE_OK(store_meta(world->store, world->mem, "machine", &value));
	return value;
}

static void note(struct store_world *world, const char *value)
{
	STORE_OK(store_begin(world->store));
	STORE_OK(store_meta_put(world->store, "machine", value));
	STORE_OK(store_commit(world->store));
}

Test(daemon, a_database_remembers_its_machine)
{
	struct store_world world = store_world_new();
	char *first;

	cr_expect_null(noted(&world));
	STORE_OK(machine_check(world.mem, world.store, false));
	first = noted(&world);
	cr_assert_not_null(first);
	cr_expect_gt(strlen(first), 33, "a digest and a name: %s", first);
	STORE_OK(machine_check(world.mem, world.store, false));
	cr_expect_str_eq(noted(&world), first);
	store_world_free(&world);
}

Test(daemon, a_host_may_change_its_name)
{
	struct store_world world = store_world_new();

	STORE_OK(machine_check(world.mem, world.store, false));
	note(&world, mem_printf(world.mem, "%.32s other-name", noted(&world)));
	STORE_OK(machine_check(world.mem, world.store, false));
	store_world_free(&world);
}

Test(daemon, a_database_of_another_machine_is_taken_over_only_on_demand)
{
	static const char *const others[] = { "0123456789abcdef0123456789abcdef harbour-pc",
					      "0123456789abcdef0123456789abcdef", "x", "" };

	for (size_t i = 0; i < COUNT_OF(others); i++) {
		struct store_world world = store_world_new();

		note(&world, others[i]);
		store_world_expect_fault(machine_check(world.mem, world.store, false), FAULT_CONFIG,
					 i ? "run --takeover" : "'harbour-pc'");
		cr_expect_str_eq(noted(&world), others[i], "nothing is written");
		STORE_OK(machine_check(world.mem, world.store, true));
		STORE_OK(machine_check(world.mem, world.store, false));
		store_world_free(&world);
	}
}

/* ---- the service manager ---- */

struct manager {
	char folder[40];
	struct sockaddr_un address;
	int fd;
};

static void manager_open(struct manager *manager)
{
	strcpy(manager->folder, "/tmp/taskferry-notify-XXXXXX");
	cr_assert_not_null(mkdtemp(manager->folder));
	manager->address.sun_family = AF_UNIX;
	snprintf(manager->address.sun_path, sizeof manager->address.sun_path, "%s/n",
		 manager->folder);
	manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	cr_assert_eq(
		bind(manager->fd, (struct sockaddr *)&manager->address, sizeof manager->address),
		0);
	setenv("NOTIFY_SOCKET", manager->address.sun_path, 1);
}

static void expect_told(struct manager *manager, const char *words)
{
	char text[512] = "";
	ssize_t n = recv(manager->fd, text, sizeof text - 1, 0);

	cr_assert_gt(n, 0, "nothing was told, expected '%s'", words);
	cr_expect(!strncmp(text, words, strlen(words)), "expected '%s', told '%s'", words, text);
}

Test(daemon, what_the_service_manager_is_told)
{
	struct manager manager = { .fd = -1 };

	manager_open(&manager);
	notify_ready();
	expect_told(&manager, "READY=1");
	notify_status("%d accounts", 7);
	expect_told(&manager, "STATUS=7 accounts");
	notify_reloading();
	expect_told(&manager, "RELOADING=1\nMONOTONIC_USEC=");
	notify_alive();
	expect_told(&manager, "WATCHDOG=1");
	notify_stopping();
	expect_told(&manager, "STOPPING=1");
	close(manager.fd);
	(void)unlink(manager.address.sun_path);
	(void)rmdir(manager.folder);
}

Test(daemon, the_watchdog_is_fed_twice_as_often_as_it_wants)
{
	char pid[24];

	unsetenv("WATCHDOG_USEC");
	cr_expect_eq(notify_watchdog_ms(), 0);
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	setenv("WATCHDOG_USEC", "60000000", 1);
	cr_expect_eq(notify_watchdog_ms(), 30000);
	setenv("WATCHDOG_PID", "1", 1);
	cr_expect_eq(notify_watchdog_ms(), 0, "meant for another process");
}
