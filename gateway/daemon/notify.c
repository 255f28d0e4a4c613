/* notify.c - the protocol of sd_notify(3): one datagram of NAME=VALUE lines to the socket that
 * $NOTIFY_SOCKET names ("@..." is an abstract one). Spoken here and not by libsystemd, because that
 * library and the five that come with it are a tenth of the time that every command takes to start. */
#include "config.h"

#include "gateway/daemon/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define STATUS_MAX 200 /* bytes: a line */

/* False: started by nobody who listens, or the name fits into no address. */
static bool find_socket(struct sockaddr_un *address_r, socklen_t *len_r)
{
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len = name ? strlen(name) : 0;

	if (len < 2 || len >= sizeof address_r->sun_path || (*name != '/' && *name != '@'))
		return false;
	*address_r = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(address_r->sun_path, name, len);
	if (*name == '@')
		address_r->sun_path[0] = '\0';
	*len_r = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

/* Nobody can be told when it fails, and nothing follows from it. */
static void tell(const char *lines)
{
	struct sockaddr_un address;
	socklen_t len;
	int fd;

	if (!find_socket(&address, &len))
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		     len);
	close(fd);
}

void notify_ready(void)
{
	tell("READY=1");
}

void notify_reloading(void)
{
	char lines[STATUS_MAX];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%lld%06ld",
		 (long long)now.tv_sec, now.tv_nsec / 1000);
	tell(lines);
}

void notify_stopping(void)
{
	tell("STOPPING=1");
}

void notify_status(const char *fmt, ...)
{
	char line[STATUS_MAX] = "STATUS=";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + strlen(line), sizeof line - strlen(line), fmt, ap);
	va_end(ap);
	tell(line);
}

uint64_t notify_watchdog_ms(void)
{
	const char *us_text = getenv("WATCHDOG_USEC"), *pid_text = getenv("WATCHDOG_PID");
	int64_t us = 0, pid = 0;

	if (!us_text || !text_to_int(us_text, &us) || us <= 0)
		return 0;
	if (pid_text && (!text_to_int(pid_text, &pid) || pid != getpid()))
		return 0; /* meant for another process of the unit */
	return (uint64_t)us / 2000;
}

void notify_alive(void)
{
	tell("WATCHDOG=1");
}
