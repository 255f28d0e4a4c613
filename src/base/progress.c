#include "config.h"

#include "base/progress.h"

#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

/* A line is drawn as: carriage return, text, blanks over what the last text leaves; no escape
 * sequence, so every terminal can do it. It never fills the last column, where terminals wrap.
 */

#define COLUMNS_DEFAULT 80 /* when the terminal does not tell */
#define COLUMNS_MAX 200
#define WHAT_CHARS 30
#define BAR_MIN 5 /* a shorter bar says nothing */
#define BAR_MAX 30
#define RATE_WHOLE 10 /* pieces per second from which on decimals do not matter */
#define TIME_MAX_S (INT64_C(100) * 3600) /* nobody believes a longer estimate */

struct progress {
	struct clock *clock;
	FILE *out;
	const char *what;
	bool is_terminal, ended;
	int64_t started_us;
	int64_t drawn_us; /* 0: never */
	size_t drawn_chars; /* of the line that stands on the terminal, 0: none */
	int64_t done, total;
};

static int progress_close(struct progress *progress)
{
	if (progress->drawn_chars && !progress->ended)
		(void)fputc('\n', progress->out);
	return 0;
}

struct progress *progress_new(TALLOC_CTX *mem, struct clock *clock, FILE *out, const char *what)
{
	struct progress *progress = MEM_NEW(mem, struct progress);
	int fd;

	progress->clock = clock;
	progress->out = out ? out : stderr;
	progress->what = text_one_line(progress, what, WHAT_CHARS);
	fd = fileno(progress->out);
	progress->is_terminal = fd >= 0 && isatty(fd);
	progress->started_us = clock_now_us(clock);
	talloc_set_destructor(progress, progress_close);
	return progress;
}

static size_t columns(FILE *out)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
}

static void add_time(struct buf *buf, int64_t seconds)
{
	if (seconds >= 3600)
		buf_printf(buf, "%d:", (int)(seconds / 3600));
	buf_printf(buf, seconds >= 3600 ? "%02d:%02d" : "%d:%02d", (int)(seconds / 60 % 60),
		   (int)(seconds % 60));
}

/* " 40/200 20% 8.0/s 0:20 left", as far as it is known. */
static void add_numbers(struct buf *buf, const struct progress *progress, int64_t elapsed_us)
{
	double rate = (double)progress->done * CLOCK_SECOND_US / (double)elapsed_us;
	double left_s = rate > 0 ? (double)(progress->total - progress->done) / rate : 0;

	buf_printf(buf, " %lld", (long long)progress->done);
	if (progress->total)
		buf_printf(buf, "/%lld %d%%", (long long)progress->total,
			   (int)((double)progress->done * 100 / (double)progress->total));
	buf_printf(buf, " %.*f/s", rate < RATE_WHOLE, rate);
	if (left_s >= 1 && left_s < (double)TIME_MAX_S) {
		buf_putc(buf, ' ');
		add_time(buf, (int64_t)left_s);
		buf_puts(buf, " left");
	}
}

/* " [####......]" in what the rest of the line leaves. */
static void add_bar(struct buf *buf, const struct progress *progress, size_t taken, size_t width)
{
	size_t room = width > taken + 3 ? width - taken - 3 : 0, full;

	if (!progress->total || room < BAR_MIN)
		return;
	room = room < BAR_MAX ? room : BAR_MAX;
	full = (size_t)((double)progress->done / (double)progress->total * (double)room);
	buf_puts(buf, " [");
	for (size_t i = 0; i < room; i++)
		buf_putc(buf, i < full ? '#' : '.');
	buf_putc(buf, ']');
}

/* Puts TEXT over the line that stands there. */
static void redraw(struct progress *progress, const char *text, size_t width)
{
	size_t cut = text_prefix_chars(text, width), chars = text_length(text);
	size_t old = progress->drawn_chars < width ? progress->drawn_chars : width;

	chars = chars < width ? chars : width;
	(void)fprintf(progress->out, "\r%.*s%*s", (int)cut, text,
		      (int)(old > chars ? old - chars : 0), "");
	progress->drawn_chars = chars;
}

static void draw(struct progress *progress, const char *numbers)
{
	struct buf *line = buf_new(progress);

	buf_puts(line, progress->what);
	if (progress->is_terminal) {
		size_t width = columns(progress->out) - 1;

		if (!progress->ended)
			add_bar(line, progress, text_length(line->data) + text_length(numbers),
				width);
		buf_puts(line, numbers);
		redraw(progress, line->data, width);
	} else {
		(void)fprintf(progress->out, "%s%s\n", line->data, numbers);
	}
	if (progress->is_terminal && progress->ended)
		(void)fputc('\n', progress->out);
	(void)fflush(progress->out);
	talloc_free(line);
}

void progress_step(struct progress *progress, int64_t done, int64_t total)
{
	int64_t now_us, elapsed_us;
	struct buf *numbers;

	if (!progress || progress->ended)
		return;
	progress->total = total > 0 ? total : 0;
	progress->done = done < 0 ? 0 : total > 0 && done > total ? total : done;
	now_us = clock_now_us(progress->clock);
	elapsed_us = now_us - progress->started_us;
	if (now_us < progress->drawn_us) /* the system's clock was set back */
		progress->drawn_us = now_us;
	if (elapsed_us < PROGRESS_QUIET_US ||
	    (progress->drawn_us &&
	     now_us - progress->drawn_us <
		     (progress->is_terminal ? PROGRESS_REDRAW_US : PROGRESS_LINE_US)))
		return;
	progress->drawn_us = now_us;
	numbers = buf_new(progress);
	add_numbers(numbers, progress, elapsed_us);
	draw(progress, numbers->data);
	talloc_free(numbers);
}

void progress_end(struct progress *progress)
{
	int64_t elapsed_us;
	struct buf *numbers;

	if (!progress || progress->ended)
		return;
	elapsed_us = clock_now_us(progress->clock) - progress->started_us;
	progress->ended = true;
	if (elapsed_us <= PROGRESS_QUIET_US && !progress->drawn_us)
		return;
	numbers = buf_new(progress);
	buf_printf(numbers, " %lld", (long long)progress->done);
	if (progress->total)
		buf_printf(numbers, "/%lld", (long long)progress->total);
	buf_puts(numbers, " in ");
	add_time(numbers, elapsed_us > 0 ? elapsed_us / CLOCK_SECOND_US : 0);
	draw(progress, numbers->data);
	talloc_free(numbers);
}
