#include "config.h"

#include "mappers/card_reply.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "mappers/card.h"
#include "mappers/card_private.h"

#define BARE_MAX 20        /* bytes of a first line that is nothing but a value */
#define ATTRIBUTION_ROWS 3 /* lines that the introduction of a quote is wrapped to */

/* ---- where it ends ---- */

/* How clients introduce what they quote, when nobody has changed it: Thunderbird, Apple Mail, Gmail, mutt
 * and others say the same in each language. */
static const struct {
	const char *begin, *end;
} attributions[] = {
	{ "on ", " wrote:" },          { "am ", " schrieb*:" },   { "le ", " \u00e9crit*:" },
	{ "el ", " escribi\u00f3*:" }, { "il ", " ha scritto:" }, { "op ", " schreef*:" },
	{ "em ", " escreveu:" },       { "den ", " skrev*:" },    { "dnia ", " napisa*:" },
	{ "w dniu ", " napisa*:" },    { "dne ", " napsal*:" },
};

static const char *const delimiters[] = {
	"-----original message-----*",
	"-----urspr\u00fcngliche nachricht-----*",
	"-----message d'origine-----*",
	"-----mensaje original-----*",
	"-----messaggio originale-----*",
	"-----oorspronkelijk bericht-----*",
	"-------- original message --------*",
	"-------- urspr\u00fcngliche nachricht --------*",
	"---------- forwarded message ---------*",
	"begin forwarded message:*",
	"________________________________*",
	"--- taskferry ---*",
	"*--- please reply above this line ---*",
};

/* The first line of the header block of Outlook; another of its lines comes soon. */
static const char *const block_first[] = { "from:*", "von:*", "de:*", "da:*",
					   "van:*",  "fra:*", "od:*" };
static const char *const block_then[] = { "sent:*",     "gesendet:*", "envoy\u00e9*:*",
					  "enviado*:*", "inviato:*",  "verzonden:*",
					  "sendt:*",    "skickat:*",  "wys\u0142ano:*",
					  "date:*",     "datum:*",    "to:*",
					  "an:*" };

/* What telephones put below what was written. */
static const char *const signatures[] = { "sent from my *",     "sent from mobile*",
					  "get outlook for *",  "von meinem * gesendet",
					  "gesendet von *",     "envoy\u00e9 de mon *",
					  "enviado desde mi *", "inviato da *",
					  "verzonden vanaf *" };

struct reading {
	TALLOC_CTX *mem;
	char *line[CARD_REPLY_LINES_MAX];
	size_t count;
	struct card_reply *reply;
	struct buf *note;
	bool begun; /* a line that says something was met */
};

static bool is_like(const char *const *patterns, size_t count, const char *line)
{
	for (size_t i = 0; i < count; i++)
		if (text_glob(patterns[i], line))
			return true;
	return false;
}

/* Over how many lines from I on a quote may be introduced in that language: a person's own sentence may
 * begin the same, so it goes on neither over a blank line nor over a line that begins so again. */
static bool introduces(const struct reading *reading, size_t i, const char *begin, const char *end)
{
	struct buf *text = buf_new(reading->mem);

	for (size_t n = i; n < i + ATTRIBUTION_ROWS && n < reading->count; n++) {
		const char *line = reading->line[n];

		if (n > i && (!*line || text_glob(mem_printf(reading->mem, "%s*", begin), line)))
			return false;
		buf_printf(text, "%s%s", n > i ? " " : "", line);
		if (text_glob(mem_printf(reading->mem, "%s*%s", begin, end), text->data))
			return true;
	}
	return false;
}

static bool is_attribution(const struct reading *reading, size_t i)
{
	for (size_t a = 0; a < COUNT_OF(attributions); a++)
		if (introduces(reading, i, attributions[a].begin, attributions[a].end))
			return true;
	return text_glob("*@*> wrote:", reading->line[i]) ||
	       text_glob("*@*> schrieb:", reading->line[i]);
}

static bool is_block(const struct reading *reading, size_t i)
{
	if (!is_like(block_first, COUNT_OF(block_first), reading->line[i]))
		return false;
	for (size_t n = i + 1; n <= i + ATTRIBUTION_ROWS && n < reading->count; n++)
		if (is_like(block_then, COUNT_OF(block_then), reading->line[n]))
			return true;
	return false;
}

/* LINE has no blanks at its ends. */
static bool is_end(const struct reading *reading, size_t i)
{
	const char *line = reading->line[i];

	return *line == '>' || !strcmp(line, "--") || text_glob("task:*", line) ||
	       is_like(delimiters, COUNT_OF(delimiters), line) ||
	       is_like(signatures, COUNT_OF(signatures), line) || is_block(reading, i) ||
	       is_attribution(reading, i);
}

/* ---- lines ---- */

static void add_problems(struct reading *reading, const struct card *card)
{
	struct card_reply *reply = reading->reply;

	for (size_t i = 0; i < card->problem_count; i++) {
		reply->problems =
			MEM_GROW(reply, reply->problems, const char *, reply->problem_count + 1);
		reply->problems[reply->problem_count++] = mem_strdup(reply, card->problems[i]);
	}
}

/* A line of the card; false: it is none, or is not understood. The last of two lines of one key counts. */
static bool take_key(struct reading *reading, const char *line)
{
	struct card *card = card_read(reading->mem, line, NULL);
	bool any = false;

	for (int f = 0; f < FIELDS; f++) {
		if (f == FIELD_notes || card->values->value[f].presence == ABSENT)
			continue;
		vector_put(reading->reply->values, (enum field)f, &card->values->value[f]);
		any = true;
	}
	add_problems(reading, card);
	return any;
}

/* "done", "60 %": the whole first line. */
static bool take_bare(struct reading *reading, const char *line)
{
	char *word = mem_strndup(reading->mem, line, BARE_MAX + 1);
	size_t len = strlen(word);
	struct value value;
	enum field field;

	if (len > BARE_MAX)
		return false;
	while (len && strchr(".!", word[len - 1]))
		word[--len] = '\0';
	if (!len || card_is_nothing(word))
		return false;
	field = word[len - 1] == '%' ? FIELD_percent : FIELD_status;
	if (!card_value(reading->mem, field, card_squeeze(reading->mem, word, len), &value))
		return false;
	vector_put(reading->reply->values, field, &value);
	return true;
}

static void take_line(struct reading *reading, const char *line)
{
	bool first = !reading->begun && *line;

	reading->begun = reading->begun || *line;
	if ((first && take_bare(reading, line)) || (strchr(line, ':') && take_key(reading, line))) {
		reading->reply->any = true;
		return;
	}
	if (text_glob("notes:*", line))
		line += strcspn(line, ":") + 1 + strspn(line + strcspn(line, ":") + 1, " ");
	if (reading->note->len + strlen(line) < CARD_REPLY_NOTE_MAX)
		buf_printf(reading->note, "%s\n", line);
}

static void split(struct reading *reading, const char *text)
{
	char *plain = text_to_utf8(reading->mem, text, strlen(text)), *save = plain;

	while (save && reading->count < CARD_REPLY_LINES_MAX) {
		char *end = strchr(save, '\n');
		size_t len = end ? (size_t)(end - save) : strlen(save);

		reading->line[reading->count++] = card_squeeze(
			reading->mem, save, len && save[len - 1] == '\r' ? len - 1 : len);
		save = end ? end + 1 : NULL;
	}
}

struct card_reply *card_reply_read(TALLOC_CTX *mem, const char *text)
{
	struct card_reply *reply = MEM_NEW(mem, struct card_reply);
	struct reading reading = { .mem = MEM_CONTEXT(mem), .reply = reply };

	reply->values = vector_new(reply);
	reading.note = buf_new(reading.mem);
	split(&reading, text);
	for (size_t i = 0; i < reading.count && !is_end(&reading, i); i++)
		take_line(&reading, reading.line[i]);
	reply->note = text_trim(reply, reading.note->data);
	reply->any = reply->any || *reply->note;
	talloc_free(reading.mem);
	return reply;
}
