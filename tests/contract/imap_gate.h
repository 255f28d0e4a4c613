/* imap_gate.h - another client that does something between two commands of an IMAP endpoint. */
#ifndef TASKFERRY_TESTS_IMAP_GATE_H
#define TASKFERRY_TESTS_IMAP_GATE_H

#include "imap_kit.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The log of the fault points is a pipe with room for one report: the endpoint reports that it is
 * about to write, and waits at its next report until the pipe is emptied. Meanwhile another client
 * sets flags. */
struct gate {
	int fds[2], size;
	struct lab *theirs;
	const char *folder, *address, *flags; /* what the other client stores there */
};

#define GATE_REPORT "IMAP_SENDING\n"

static inline void gate_new(struct gate *gate, struct lab *lab)
{
	char blank = ' ';

	cr_assert_eq(pipe(gate->fds), 0);
	cr_assert_eq(fcntl(gate->fds[1], F_SETFL, O_NONBLOCK), 0);
	for (gate->size = 0; write(gate->fds[1], &blank, 1) == 1; gate->size++)
		;
	for (int i = 0; i < gate->size; i++)
		cr_assert_eq(read(gate->fds[0], &blank, 1), 1);
	for (int i = 0; i < gate->size - (int)strlen(GATE_REPORT); i++)
		cr_assert_eq(write(gate->fds[1], &blank, 1), 1);
	lab->points = points_new(lab, NULL, mem_printf(lab, "/proc/self/fd/%d", gate->fds[1]));
}

static inline int gate_fill(const struct gate *gate)
{
	int n = -1;

	cr_assert_eq(ioctl(gate->fds[0], FIONREAD, &n), 0);
	return n;
}

static inline void *gate_pass(void *context)
{
	struct gate *gate = context;
	char bytes[4096];

	for (int ms = 0; ms < WAIT_MS && gate_fill(gate) < gate->size; ms++)
		(void)poll(NULL, 0, 1);
	store(gate->theirs, gate->folder, gate->address, gate->flags);
	while (gate_fill(gate) > 0)
		cr_assert_gt(read(gate->fds[0], bytes, sizeof bytes), 0);
	return NULL;
}

static inline void gate_end(const struct gate *gate)
{
	close(gate->fds[0]);
	close(gate->fds[1]);
}

#endif
