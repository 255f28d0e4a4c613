#include "config.h"

#define _XOPEN_SOURCE 700 /* posix_openpt */

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/progress.h"

#define S CLOCK_SECOND_US
#define NARROW 40
#define SCREEN_MAX 65536

/* Something to draw on: a file, or a terminal with its other end. */
struct screen {
	void *mem;
	FILE *out;
	int master; /* -1: a file */
	struct clock *clock;
};

static struct screen screen_file(void)
{
	struct screen screen = { .mem = talloc_new(NULL), .out = tmpfile(), .master = -1 };

	screen.clock = clock_set(screen.mem, 1000 * S);
	cr_assert(screen.out);
	return screen;
}

static struct screen screen_terminal(unsigned short columns)
{
	struct screen screen = { .mem = talloc_new(NULL),
				 .master = posix_openpt(O_RDWR | O_NOCTTY) };
	struct winsize size = { .ws_row = 24, .ws_col = columns };
	struct termios how;
	int fd;

	screen.clock = clock_set(screen.mem, 1000 * S);
	if (screen.master < 0) { /* a container without /dev/pts */
		talloc_free(screen.mem);
		cr_skip_test("no terminal can be had here (posix_openpt)");
	}
	cr_assert(grantpt(screen.master) == 0 && unlockpt(screen.master) == 0);
	fd = open(ptsname(screen.master), O_RDWR | O_NOCTTY);
	cr_assert(fd >= 0 && ioctl(fd, TIOCSWINSZ, &size) == 0 && tcgetattr(fd, &how) == 0);
	how.c_oflag &= ~(tcflag_t)OPOST; /* bytes as they were written */
	cr_assert(tcsetattr(fd, TCSANOW, &how) == 0);
	screen.out = fdopen(fd, "w");
	return screen;
}

#define END '\x01' /* behind what was written: a terminal hands it over when it likes */

/* What comes out of the terminal before END. */
static void terminal_read(struct screen *screen, char *text, size_t size)
{
	struct pollfd fd = { .fd = screen->master, .events = POLLIN };
	size_t len = 0;

	cr_assert(fputc(END, screen->out) == END && fflush(screen->out) == 0);
	while (len == 0 || text[len - 1] != END) {
		long n;

		cr_assert(poll(&fd, 1, 60000) == 1, "the terminal keeps silent");
		n = read(screen->master, text + len, size - len);
		cr_assert(n > 0);
		len += (size_t)n;
	}
	text[len - 1] = '\0';
}

/* What was written since the last call. */
static char *screen_read(struct screen *screen)
{
	char *text = MEM_ARRAY(screen->mem, char, SCREEN_MAX);
	long n;

	if (screen->master >= 0) {
		terminal_read(screen, text, SCREEN_MAX);
		return text;
	}
	fflush(screen->out);
	n = ftell(screen->out);
	rewind(screen->out);
	cr_assert(fread(text, 1, (size_t)n, screen->out) == (size_t)n);
	rewind(screen->out);
	cr_assert(ftruncate(fileno(screen->out), 0) == 0);
	return text;
}

static void screen_expect(struct screen *screen, const char *expected)
{
	const char *got = screen_read(screen);

	cr_expect(!strcmp(got, expected), "expected:\n'%s'\ngot:\n'%s'", expected, got);
}

static void screen_close(struct screen *screen)
{
	fclose(screen->out);
	if (screen->master >= 0)
		close(screen->master);
	talloc_free(screen->mem);
}

static size_t count(const char *text, char c)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

Test(progress, short_work_is_silent)
{
	struct screen screens[] = { screen_file(), screen_terminal(80) };

	for (size_t i = 0; i < COUNT_OF(screens); i++) {
		struct progress *progress =
			progress_new(screens[i].mem, screens[i].clock, screens[i].out, "import");

		for (int done = 0; done <= 99; done++) {
			progress_step(progress, done, 100);
			clock_sleep(screens[i].clock, S / 100);
		}
		progress_end(progress);
		screen_expect(&screens[i], "");
		screen_close(&screens[i]);
	}
}

Test(progress, lines_elsewhere)
{
	struct screen screen = screen_file();
	struct progress *progress = progress_new(screen.mem, screen.clock, screen.out, "import");

	/* ten pieces a second, 200 of them: lines at 1, 6, 11, 16 seconds and the end */
	for (int done = 1; done <= 200; done++) {
		clock_sleep(screen.clock, S / 10);
		progress_step(progress, done, 200);
	}
	progress_end(progress);
	progress_end(progress); /* once */
	progress_step(progress, 1, 2);
	screen_expect(&screen, "import 10/200 5% 10/s 0:19 left\n"
			       "import 60/200 30% 10/s 0:14 left\n"
			       "import 110/200 55% 10/s 0:09 left\n"
			       "import 160/200 80% 10/s 0:04 left\n"
			       "import 200/200 in 0:20\n");
	screen_close(&screen);
}

Test(progress, long_work_without_steps_has_an_end)
{
	struct screen screen = screen_file();
	struct progress *progress = progress_new(screen.mem, screen.clock, screen.out, "migrate");

	clock_sleep(screen.clock, 3725 * S);
	progress_end(progress);
	screen_expect(&screen, "migrate 0 in 1:02:05\n");
	screen_close(&screen);
}

Test(progress, odd_numbers)
{
	static const struct {
		int64_t done, total, after_us;
		const char *line;
	} rows[] = {
		{ 5, 0, 2 * S, "x 5 2.5/s\n" },
		{ -5, -7, 2 * S, "x 0 0.0/s\n" },
		{ 0, 10, 2 * S, "x 0/10 0% 0.0/s\n" },
		{ 12, 10, 2 * S, "x 10/10 100% 5.0/s\n" }, /* never more than all */
		{ 1, 1000000000, 2 * S,
		  "x 1/1000000000 0% 0.5/s\n" }, /* 63 years: nobody believes it */
		{ 1, 7200, 2 * S, "x 1/7200 0% 0.5/s 3:59:58 left\n" },
		{ INT64_MAX, INT64_MAX, S,
		  "x 9223372036854775807/9223372036854775807 100% 9223372036854775808/s\n" },
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct screen screen = screen_file();
		struct progress *progress = progress_new(screen.mem, screen.clock, screen.out, "x");

		clock_sleep(screen.clock, rows[i].after_us);
		progress_step(progress, rows[i].done, rows[i].total);
		screen_expect(&screen, rows[i].line);
		screen_close(&screen);
	}
}

Test(progress, clock_set_back)
{
	struct screen screen = screen_file();
	struct progress *progress = progress_new(screen.mem, screen.clock, screen.out, "x");

	clock_sleep(screen.clock, 10 * S);
	progress_step(progress, 10, 100);
	screen.clock->set_us -= 3600 * S;
	progress_step(progress, 20, 100);
	progress_end(progress);
	screen_expect(&screen, "x 10/100 10% 1.0/s 1:30 left\nx 20/100 in 0:00\n");
	screen_close(&screen);
}

/* From 10 s back to 2 s: the next line comes five seconds later, not when 15 s are reached
 * again. */
Test(progress, clock_set_back_a_little)
{
	struct screen screen = screen_file();
	struct progress *progress = progress_new(screen.mem, screen.clock, screen.out, "x");

	clock_sleep(screen.clock, 10 * S);
	progress_step(progress, 10, 0);
	screen.clock->set_us -= 8 * S;
	progress_step(progress, 11, 0);
	clock_sleep(screen.clock, 5 * S);
	progress_step(progress, 14, 0);
	screen_expect(&screen, "x 10 1.0/s\nx 14 2.0/s\n");
	screen_close(&screen);
}

Test(progress, bar_on_a_terminal)
{
	struct screen screen = screen_terminal(80);
	struct progress *progress = progress_new(screen.mem, screen.clock, screen.out, "import");

	clock_sleep(screen.clock, 2 * S);
	progress_step(progress, 20, 60);
	screen_expect(&screen,
		      "\rimport [##########....................] 20/60 33% 10/s 0:04 left");
	clock_sleep(screen.clock, 4 * S);
	/* 64 columns stood there, of 55 and then 20 that come: blanks cover the rest */
	progress_step(progress, 60, 60);
	screen_expect(&screen,
		      mem_printf(screen.mem, "\r%s%*s",
				 "import [##############################] 60/60 100% 10/s", 9, ""));
	progress_end(progress);
	screen_expect(&screen, mem_printf(screen.mem, "\rimport 60/60 in 0:06%*s\n", 35, ""));
	screen_close(&screen);
}

Test(progress, ten_times_a_second_on_a_terminal)
{
	struct screen screen = screen_terminal(80);
	struct progress *progress = progress_new(screen.mem, screen.clock, screen.out, "import");
	size_t drawn;

	for (int done = 1; done <= 3000; done++) { /* three seconds, of which the first is silent */
		clock_sleep(screen.clock, S / 1000);
		progress_step(progress, done, 3000);
	}
	drawn = count(screen_read(&screen), '\r');
	cr_expect(drawn == 21, "drawn %zu times", drawn);
	progress_end(progress);
	screen_close(&screen);
}

Test(progress, narrow_terminal_is_never_filled)
{
	struct screen screen = screen_terminal(NARROW);
	struct progress *progress =
		progress_new(screen.mem, screen.clock, screen.out,
			     "a name that is much longer than there is room for");
	char *got;

	clock_sleep(screen.clock, 2 * S);
	progress_step(progress, 1000, 100000);
	got = screen_read(&screen);
	cr_expect(*got == '\r' && strlen(got) > 10 && !strchr(got, '['), "'%s'", got);
	/* 29 letters, an ellipsis of three bytes in one column, and the rest */
	cr_expect(strlen(got) == 1 + NARROW - 1 + 2, "%zu bytes: '%s'", strlen(got), got);
	progress_end(progress);
	screen_close(&screen);
}

Test(progress, name_is_one_line)
{
	struct screen screen = screen_file();
	struct progress *progress =
		progress_new(screen.mem, screen.clock, screen.out, "a\nb\x1b[2J");

	clock_sleep(screen.clock, 2 * S);
	progress_end(progress);
	screen_expect(&screen, "a b [2J 0 in 0:02\n");
	screen_close(&screen);
}

Test(progress, freed_unended_completes_its_line)
{
	struct screen screen = screen_terminal(80);
	struct progress *progress = progress_new(screen.mem, screen.clock, screen.out, "import");

	clock_sleep(screen.clock, 2 * S);
	progress_step(progress, 1, 0);
	screen_expect(&screen, "\rimport 1 0.5/s");
	talloc_free(progress);
	screen_expect(&screen, "\n");
	talloc_free(progress_new(screen.mem, screen.clock, screen.out, "nothing drawn"));
	screen_expect(&screen, "");
	progress_step(NULL, 1, 2);
	progress_end(NULL);
	screen_close(&screen);
}
