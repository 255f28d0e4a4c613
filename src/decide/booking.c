/* booking.c - see booking.h. Of every line of the notes one tally is kept:
 *
 *     known   sources of it that were ever met, booked or refused
 *     booked  those of them that are booked
 *     stands  the lines that should stand: booked, less those gone, plus those come back
 *
 *     book    item - max(known, base)           the person wrote them
 *     gone    min(base, stands) - item          the person took them out
 *     back    min(item, booked) - max(stands, base)
 *
 * A stale copy has no more lines than its base and so books nothing. A line that is known counts
 * only without its mark: who copies a marked one copies what is booked. */
#include "config.h"

#include "decide/booking.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "model/effort.h"

#define NAMED_MAX 3   /* lines that a message names */
#define NAME_CHARS 80 /* of each */

struct tally {
	const char *line; /* canonical */
	int64_t minutes;  /* 0: not read from a line yet */
	size_t known, booked, gone, back, base, item, marked;
	size_t book, book_marked; /* still to be booked: of the lines without a mark, with one */
	size_t mark;              /* still to be marked */
};

struct work {
	const struct booking_input *in;
	struct booking_plan *out;
	TALLOC_CTX *tmp;
	struct tally *tallies; /* sorted by line */
	size_t count;
	struct booking_ask over; /* lines over BOOKING_LINES_MAX, as one */
	size_t over_lines;
};

/* ---- keys ---- */

/* "PREFIX:WORD#N" or "PREFIX:WORD": WORD; NULL: another kind of key. */
static char *key_word(TALLOC_CTX *mem, const char *key, const char *prefix)
{
	size_t len = strlen(prefix);
	const char *mark;

	if (strncmp(key, prefix, len) != 0 || key[len] != ':')
		return NULL;
	key += len + 1;
	mark = strrchr(key, '#');
	return mem_strndup(mem, key, mark ? (size_t)(mark - key) : strlen(key));
}

static bool is_known(const struct booking_input *in, const char *key)
{
	for (size_t i = 0; i < in->known_count; i++)
		if (!strcmp(in->known[i].key, key))
			return true;
	return false;
}

const char *booking_kind(const char *key)
{
	static const struct {
		const char *prefix, *kind;
	} kinds[] = {
		{ "note:", "note" },  { "title:", "title" },       { "elapsed:", "timer" },
		{ "child:", "task" }, { "import:", "import" },     { "set:", "set" },
		{ "rule:", "rule" },  { "revision:", "revision" },
	};

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (text_starts(key, kinds[i].prefix))
			return kinds[i].kind;
	return "other";
}

/* ---- what comes out ---- */

static void add_booking(struct booking_plan *out, const struct booking *booking)
{
	out->bookings = MEM_GROW(out, out->bookings, struct booking, out->count + 1);
	out->bookings[out->count++] = *booking;
	out->minutes += booking->minutes;
}

static void add_ask(struct booking_plan *out, enum booking_why why, int64_t minutes,
		    const char *key, const char *text)
{
	out->asks = MEM_GROW(out, out->asks, struct booking_ask, out->ask_count + 1);
	out->asks[out->ask_count++] = (struct booking_ask){
		.why = why, .minutes = minutes, .key = key, .text = mem_strdup(out, text)
	};
}

/* ---- lines ---- */

static int by_line(const void *a, const void *b)
{
	return strcmp(((const struct tally *)a)->line, ((const struct tally *)b)->line);
}

static struct tally *tally_add(struct work *work, const char *line)
{
	size_t room = talloc_array_length(work->tallies);

	if (work->count == room)
		work->tallies = MEM_GROW(work->tmp, work->tallies, struct tally, room * 2);
	work->tallies[work->count] = (struct tally){ .line = line };
	return &work->tallies[work->count++];
}

static struct tally *tally_find(const struct work *work, const char *line)
{
	struct tally wanted = { .line = line };

	return bsearch(&wanted, work->tallies, work->count, sizeof wanted, by_line);
}

/* Calls ONE with every line of NOTES, and with what it says if it is about work. */
static void each_line(struct work *work, const char *notes, void *arg,
		      void (*one)(struct work *, const char *, size_t, const struct booking_line *,
				  void *))
{
	for (const char *line = notes; line;) {
		const char *end = strchr(line, '\n');
		size_t len = end ? (size_t)(end - line) : strlen(line);
		struct booking_line read;

		one(work, line, len, booking_line_read(line, len, &read) ? &read : NULL, arg);
		line = end ? end + 1 : NULL;
	}
}

static void count_line(struct work *work, const char *line, size_t len,
		       const struct booking_line *read, void *arg)
{
	const bool *is_base = arg;
	struct tally *tally;

	(void)line;
	(void)len;
	if (!read)
		return;
	tally = tally_add(work, booking_line_canonical(work->tmp, read));
	tally->minutes = read->minutes;
	tally->base = *is_base;
	tally->item = !*is_base;
	tally->marked = !*is_base && read->marked;
}

static void count_known(struct work *work, const struct booking_known *known)
{
	char *line = key_word(work->tmp, known->key, "note");
	char *gone = key_word(work->tmp, known->key, "note-gone");
	char *back = key_word(work->tmp, known->key, "note-back");

	if (!line && !gone && !back)
		return;
	*tally_add(work, line   ? line
			 : gone ? gone
				: back) = (struct tally){
		.line = line   ? line
			: gone ? gone
			       : back,
		.known = line != NULL,
		.booked = line && known->minutes > 0,
		.gone = gone != NULL,
		.back = back != NULL,
	};
}

/* Sorts the tallies and makes one of those of the same line. */
static void fold(struct work *work)
{
	size_t kept = 0;

	qsort(work->tallies, work->count, sizeof *work->tallies, by_line);
	for (size_t i = 0; i < work->count; i++) {
		const struct tally *from = &work->tallies[i];
		struct tally *to = kept ? &work->tallies[kept - 1] : NULL;

		if (!to || strcmp(to->line, from->line) != 0) {
			work->tallies[kept++] = *from;
			continue;
		}
		to->minutes = from->minutes ? from->minutes : to->minutes;
		to->known += from->known;
		to->booked += from->booked;
		to->gone += from->gone;
		to->back += from->back;
		to->base += from->base;
		to->item += from->item;
		to->marked += from->marked;
	}
	work->count = kept;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t less(size_t a, size_t b)
{
	return a > b ? a - b : 0;
}

/* A canonical line without its minutes: the day, if it says one, and the text. */
static char *line_words(TALLOC_CTX *mem, const char *line)
{
	const char *minutes =
		strspn(line, "0123456789") == 4 && line[4] == '-' ? strchr(line, ' ') + 1 : line;
	const char *text = strchr(minutes, ' ');

	return mem_printf(mem, "%.*s%s", (int)(minutes - line), line, text ? text + 1 : "");
}

/* One ask for each of COUNT lines. */
static void ask_lines(struct work *work, const struct tally *tally, enum booking_why why,
		      size_t count, size_t before)
{
	const char *prefix = why == BOOKING_GONE ? "note-gone" : "note-back";

	for (size_t i = 0; i < count; i++)
		add_ask(work->out, why, why == BOOKING_GONE ? -tally->minutes : tally->minutes,
			mem_printf(work->out, "%s:%s#%zu", prefix, tally->line, before + i + 1),
			line_words(work->tmp, tally->line));
}

static void judge(struct work *work, struct tally *tally)
{
	const struct booking_input *in = work->in;
	size_t stands = less(tally->booked + tally->back, tally->gone);
	bool trusts_mark = tally->known > 0 || (in->first && in->known_count > 0);
	size_t plain = tally->item - tally->marked;
	size_t fresh = less(tally->item, larger(tally->known, tally->base));

	tally->book = smaller(fresh, plain);
	tally->book_marked = trusts_mark ? 0 : less(fresh, plain);
	if (!tally->minutes) /* known, and in neither text */
		return;
	ask_lines(work, tally, BOOKING_GONE, less(smaller(tally->base, stands), tally->item),
		  tally->gone);
	ask_lines(work, tally, BOOKING_BACK,
		  less(smaller(tally->item, tally->booked), larger(stands, tally->base)),
		  tally->back);
}

static void book_line(struct work *work, const char *line, size_t len,
		      const struct booking_line *read, void *arg)
{
	struct tally *tally =
		read ? tally_find(work, booking_line_canonical(work->tmp, read)) : NULL;
	const struct booking_input *in = work->in;
	size_t *left;

	(void)line;
	(void)len;
	(void)arg;
	left = !tally ? NULL : read->marked ? &tally->book_marked : &tally->book;
	/* work of the days to come is a plan */
	if (!left || !*left || (read->has_day && read->day > in->day + 1))
		return;
	--*left;
	if (work->out->count == BOOKING_LINES_MAX) {
		work->over.minutes += read->minutes;
		work->over_lines++;
		return;
	}
	add_booking(
		work->out,
		&(struct booking){
			.day = read->has_day ? read->day : in->day,
			.minutes = read->minutes,
			.text = read->text_len ? mem_strndup(work->out, read->text, read->text_len)
					       : NULL,
			.key = mem_printf(work->out, "note:%s#%zu", tally->line, ++tally->known) });
	tally->booked++;
}

static void mark_line(struct work *work, const char *line, size_t len,
		      const struct booking_line *read, void *arg)
{
	struct tally *tally =
		read ? tally_find(work, booking_line_canonical(work->tmp, read)) : NULL;
	struct buf *notes = arg;

	if (notes->len || line != work->in->notes)
		buf_putc(notes, '\n');
	if (tally && !read->marked && tally->mark) {
		tally->mark--;
		buf_puts(notes, BOOKING_MARK " ");
	}
	buf_add(notes, line, len);
}

/* The notes with as many marks as lines are booked; NULL: as they are. */
static char *marked_notes(struct work *work)
{
	struct buf *notes = buf_new(work->tmp);
	bool any = false;

	for (size_t i = 0; i < work->count; i++) {
		struct tally *tally = &work->tallies[i];

		tally->mark = less(tally->booked, tally->marked);
		any = any || (tally->mark && tally->item > tally->marked);
	}
	if (!any || strlen(work->in->notes) > BOOKING_MARKED_MAX)
		return NULL;
	each_line(work, work->in->notes, notes, mark_line);
	return mem_strdup(work->out, notes->data);
}

static void read_notes(struct work *work)
{
	const struct booking_input *in = work->in;
	bool is_base = true;

	if (!in->notes)
		return;
	work->tallies = MEM_ARRAY(work->tmp, struct tally, 16);
	each_line(work, in->base_notes, &is_base, count_line);
	is_base = false;
	each_line(work, in->notes, &is_base, count_line);
	for (size_t i = 0; i < in->known_count; i++)
		count_known(work, &in->known[i]);
	fold(work);
	for (size_t i = 0; i < work->count; i++)
		judge(work, &work->tallies[i]);
	work->out->unmarked = marked_notes(work);
	each_line(work, in->notes, NULL, book_line);
	work->out->notes = marked_notes(work);
	if (work->over_lines)
		add_ask(work->out, BOOKING_MORE, work->over.minutes, NULL,
			mem_printf(work->tmp, "in %zu lines at once", work->over_lines));
}

/* ---- titles ---- */

/* How long TITLE is without what is work: suffixes down to the project's own title, but for those
 * that the project's own title ends in. MINUTES_R: of the suffixes, the last one first. */
static size_t title_cut(const struct booking_input *in, const char *title,
			int64_t minutes_r[BOOKING_TITLES_MAX], size_t *count_r)
{
	size_t lens[BOOKING_TITLES_MAX + 1] = { strlen(title) }, own = strlen(in->own_title), cut;
	size_t count = 0, kept = 0;
	int64_t minutes;

	while (count < BOOKING_TITLES_MAX && strcmp(title, in->own_title) != 0 &&
	       booking_line_suffix(title, lens[count], &cut, &minutes)) {
		minutes_r[count++] = minutes;
		lens[count] = cut;
		if (cut == own && !strncmp(title, in->own_title, cut)) {
			*count_r = count;
			return cut;
		}
	}
	for (size_t len = own;
	     kept < count && booking_line_suffix(in->own_title, len, &len, &minutes);)
		kept++;
	*count_r = count - kept;
	return lens[count - kept];
}

static char *title_without(TALLOC_CTX *mem, const struct booking_input *in, const char *title)
{
	int64_t minutes[BOOKING_TITLES_MAX];
	size_t count, cut = title_cut(in, title, minutes, &count);

	return count ? mem_strndup(mem, title, cut) : NULL;
}

static void read_title(struct work *work)
{
	const struct booking_input *in = work->in;
	int64_t minutes[BOOKING_TITLES_MAX];
	size_t count = 0;

	if (!in->title)
		return;
	if (in->base_title)
		work->out->base_title = title_without(work->out, in, in->base_title);
	title_cut(in, in->title, minutes, &count);
	if (!count)
		return;
	work->out->title = title_without(work->out, in, in->title);
	if (in->base_title && !strcmp(in->title, in->base_title))
		return;
	for (size_t i = count; i-- > 0;) {
		size_t same = 1;
		char *key;

		for (size_t j = count; j-- > i + 1;)
			same += minutes[j] == minutes[i];
		key = mem_printf(work->out, "title:%s.%s:+%lld#%zu", in->item, in->edition,
				 (long long)minutes[i], same);
		if (!is_known(in, key))
			add_booking(work->out, &(struct booking){ .day = in->day,
								  .minutes = minutes[i],
								  .key = key });
	}
}

/* ---- the timer ---- */

struct timer {
	int64_t last, largest; /* seconds */
	size_t downs, ups;
	bool met;
};

static struct timer timer_known(const struct work *work)
{
	static const char *const prefixes[] = { "elapsed", "elapsed-down", "elapsed-up" };
	struct timer timer = { .met = false };
	char *mine = mem_printf(work->tmp, "%s.", work->in->item);

	for (size_t i = 0; i < work->in->known_count; i++) {
		for (size_t p = 0; p < COUNT_OF(prefixes); p++) {
			char *word = key_word(work->tmp, work->in->known[i].key, prefixes[p]);
			int64_t seconds;

			if (!word || !text_starts(word, mine) ||
			    !text_to_int(word + strlen(mine), &seconds))
				continue;
			timer.met = true;
			timer.last = seconds;
			if (seconds > timer.largest)
				timer.largest = seconds;
			timer.downs += p == 1;
			timer.ups += p == 2;
		}
	}
	return timer;
}

static int64_t whole_minutes(int64_t from_s, int64_t to_s)
{
	return to_s / 60 - from_s / 60;
}

static void timer_increase(struct work *work, const struct timer *timer, int64_t seconds)
{
	const struct booking_input *in = work->in;
	int64_t minutes = whole_minutes(timer->largest, seconds);
	char *key = mem_printf(work->out, "elapsed:%s.%lld", in->item, (long long)seconds);

	if (!minutes)
		return;
	/* what is booked of it already is not known at first contact; nobody works a day in one go */
	if (minutes > BOOKING_MINUTES_MAX || (in->first && !timer->met && in->known_count))
		add_ask(work->out, BOOKING_MORE, minutes, key, "on the item's timer");
	else
		add_booking(work->out,
			    &(struct booking){ .day = in->day, .minutes = minutes, .key = key });
}

static void read_timer(struct work *work)
{
	const struct booking_input *in = work->in;
	struct timer timer;
	int64_t seconds = in->elapsed_s, up;

	if (seconds < 0 || seconds > BOOKING_ELAPSED_MAX)
		return;
	timer = timer_known(work);
	up = whole_minutes(timer.last, seconds < timer.largest ? seconds : timer.largest);
	if (up < 0 && in->latest && timer.downs < BOOKING_CHANGES_MAX)
		add_ask(work->out, BOOKING_GONE, up,
			mem_printf(work->out, "elapsed-down:%s.%lld#%zu", in->item,
				   (long long)seconds, timer.downs + 1),
			"on the item's timer");
	if (up > 0 && timer.ups < BOOKING_CHANGES_MAX)
		add_ask(work->out, BOOKING_BACK, up,
			mem_printf(work->out, "elapsed-up:%s.%lld#%zu", in->item,
				   (long long)(seconds < timer.largest ? seconds : timer.largest),
				   timer.ups + 1),
			"on the item's timer");
	if (seconds > timer.largest)
		timer_increase(work, &timer, seconds);
}

/* ---- all of it ---- */

struct booking_plan *booking_decide(TALLOC_CTX *mem, const struct booking_input *input)
{
	struct work work = { .in = input, .out = MEM_NEW(mem, struct booking_plan) };

	work.tmp = MEM_CONTEXT(work.out);
	read_notes(&work);
	read_title(&work);
	read_timer(&work);
	talloc_free(work.tmp);
	return work.out;
}

static void note_work(struct work *work, const char *line, size_t len,
		      const struct booking_line *read, void *arg)
{
	bool *any = arg;

	(void)work;
	(void)line;
	(void)len;
	*any = *any || read;
}

bool booking_concerns(const struct booking_input *input)
{
	size_t cut;
	int64_t minutes;
	bool any = input->elapsed_s >= 0;

	if (input->notes) {
		each_line(NULL, input->notes, &any, note_work);
		each_line(NULL, input->base_notes, &any, note_work);
	}
	return any ||
	       (input->title &&
		booking_line_suffix(input->title, strlen(input->title), &cut, &minutes)) ||
	       (input->base_title &&
		booking_line_suffix(input->base_title, strlen(input->base_title), &cut, &minutes));
}

/* ---- a task of its own ---- */

/* The amount that the child was met with last; false: never. */
static bool child_known(TALLOC_CTX *mem, const char *uid, const struct booking_known *known,
			size_t count, int64_t *minutes_r, size_t *changes_r)
{
	bool met = false;
	char *first = mem_printf(mem, "child:%s", uid),
	     *now = mem_printf(mem, "child-now:%s=", uid);

	*changes_r = 0;
	for (size_t i = 0; i < count; i++) {
		char *word = key_word(mem, known[i].key, "child-now");

		if (!strcmp(known[i].key, first)) {
			met = true;
			*minutes_r = known[i].minutes;
		} else if (word && text_starts(known[i].key, now)) {
			text_to_int(strrchr(word, '=') + 1, minutes_r);
			++*changes_r;
		}
	}
	return met;
}

static void ask_child(struct booking_plan *plan, const struct booking_child *child, int64_t minutes,
		      int64_t before, size_t changes)
{
	if (minutes == before || changes == BOOKING_CHANGES_MAX)
		return;
	add_ask(plan, minutes < before ? BOOKING_GONE : BOOKING_BACK, minutes - before,
		mem_printf(plan, "child-now:%s=%lld#%zu", child->uid, (long long)minutes,
			   changes + 1),
		mem_printf(plan, "by the task '%s'",
			   text_one_line(plan, child->title, NAME_CHARS)));
}

bool booking_child(TALLOC_CTX *mem, const struct booking_child *child,
		   const struct booking_known *known, size_t known_count,
		   struct booking_plan **plan_r)
{
	struct booking_plan *plan = MEM_NEW(mem, struct booking_plan);
	int64_t minutes = 0, before = 0;
	const char *text = "";
	size_t changes;
	bool met = child_known(plan, child->uid, known, known_count, &before, &changes);
	bool is_work = booking_line_title(child->title, &minutes, &text);

	if (!met && (!is_work || child->day > child->today + 1)) {
		talloc_free(plan);
		return false;
	}
	if (met)
		ask_child(plan, child, minutes, before, changes);
	else
		add_booking(plan,
			    &(struct booking){ .day = child->day,
					       .minutes = minutes,
					       .text = *text ? mem_strdup(plan, text) : NULL,
					       .key = mem_printf(plan, "child:%s", child->uid) });
	*plan_r = plan;
	return true;
}

/* ---- words ---- */

struct words {
	struct buf *text;
	size_t named, more;
};

/* KEY, or NULL, tells which one of several that say the same. */
static void add_name(struct words *words, int64_t minutes, const char *text, const char *key)
{
	const char *mark = key ? strrchr(key, '#') : NULL;

	if (words->named == NAMED_MAX) {
		words->more++;
		return;
	}
	buf_printf(words->text, "%s%s", words->named++ ? ", " : "",
		   effort_to_text(words->text, minutes < 0 ? -minutes : minutes));
	if (text && *text)
		buf_printf(words->text, " %s", text_one_line(words->text, text, NAME_CHARS));
	if (mark && strcmp(mark, "#1") != 0)
		buf_printf(words->text, " (number %s)", mark + 1);
}

static void add_more(const struct words *words)
{
	if (words->more)
		buf_printf(words->text, " and %zu more", words->more);
}

char *booking_words(TALLOC_CTX *mem, const struct booking_plan *plan, enum booking_why why)
{
	static const char *const ends[] = {
		[BOOKING_GONE] = "taken out of the item after it had been booked; to accept this "
				 "takes the time off",
		[BOOKING_BACK] = "stands in the item again after it had been taken out; to accept "
				 "this books the time again",
		[BOOKING_MORE] = "more than is booked unseen; to accept this books it",
	};
	struct words words = { .text = buf_new(mem) };

	_Static_assert(COUNT_OF(ends) == BOOKING_WHYS, "one sentence each");
	for (size_t i = 0; i < plan->ask_count; i++)
		if (plan->asks[i].why == why)
			add_name(&words, plan->asks[i].minutes, plan->asks[i].text,
				 plan->asks[i].key);
	add_more(&words);
	buf_printf(words.text, ": %s", ends[why]);
	return buf_steal(&words.text, mem, NULL);
}

char *booking_named(TALLOC_CTX *mem, const struct booking_plan *plan)
{
	struct words words = { .text = buf_new(mem) };

	for (size_t i = 0; i < plan->count; i++)
		add_name(&words, plan->bookings[i].minutes, plan->bookings[i].text, NULL);
	add_more(&words);
	return buf_steal(&words.text, mem, NULL);
}
