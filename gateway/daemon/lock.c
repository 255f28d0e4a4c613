#include "config.h"

#include "gateway/daemon/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct lock {
	int fd;
};

static int lock_close(struct lock *lock)
{
	close(lock->fd);
	return 0;
}

/* The file's content is for people: "the process 1234", or nothing when it says no number. */
static char *holder(TALLOC_CTX *mem, int fd)
{
	char text[24];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	long pid = 0;

	text[n > 0 ? n : 0] = '\0';
	if (sscanf(text, "%ld", &pid) != 1 || pid <= 0)
		return mem_strdup(mem, "");
	return mem_printf(mem, " (process %ld)", pid);
}

static void sign(int fd)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());

	/* a full disk costs the number only */
	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, text, (size_t)n, 0);
}

struct fault *lock_take(TALLOC_CTX *mem, const char *dsn, struct lock **lock_r)
{
	const char *path = mem_printf(mem, "%s.lock", strchr(dsn, ':') + 1);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct fault *fault = NULL;
	struct lock *lock;

	if (fd < 0)
		return fault_new(mem, errno == EACCES ? FAULT_NOT_PERMITTED : FAULT_CANNOT_CREATE,
				 "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		fault = fault_new(mem, FAULT_TRY_LATER,
				  "another taskferry%s is at work on this database",
				  holder(mem, fd));
		close(fd);
		return fault;
	}
	sign(fd);
	lock = MEM_NEW(mem, struct lock);
	lock->fd = fd;
	talloc_set_destructor(lock, lock_close);
	*lock_r = lock;
	return NULL;
}
