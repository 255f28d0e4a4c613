#include "config.h"

#include "liar.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

/* Items are kept by malloc and under a lock: each connection of the scripted server is a thread. */

#define ITEMS_MAX 256
#define DAV                                                                                        \
	"xmlns=\"DAV:\" xmlns:c=\"urn:ietf:params:xml:ns:caldav\" "                                \
	"xmlns:s=\"http://calendarserver.org/ns/\""
#define OK "<status>HTTP/1.1 200 OK</status>"

struct item {
	char *name;
	char *text;  /* NULL: it has gone */
	int changed; /* the calendar's number then */
};

struct liar {
	pthread_mutex_t lock;
	struct item items[ITEMS_MAX];
	size_t count;
	int changes;
	int asked[CALDAV_OPS + 1];
	bool there, named, tags;
	struct liar_lie lie;
	bool lies;
	int met; /* requests that the lie is about */
	size_t last;
};

static char *copy(const char *text)
{
	size_t n = strlen(text) + 1;

	return memcpy(mem_must(malloc(n)), text, n);
}

static int liar_close(struct liar *liar)
{
	for (size_t i = 0; i < liar->count; i++) {
		free(liar->items[i].name);
		free(liar->items[i].text);
	}
	pthread_mutex_destroy(&liar->lock);
	return 0;
}

struct liar *liar_new(TALLOC_CTX *mem)
{
	struct liar *liar = MEM_NEW(mem, struct liar);

	pthread_mutex_init(&liar->lock, NULL);
	liar->there = liar->named = true;
	talloc_set_destructor(liar, liar_close);
	return liar;
}

static struct item *find(struct liar *liar, const char *name)
{
	for (size_t i = 0; i < liar->count; i++)
		if (!strcmp(liar->items[i].name, name))
			return &liar->items[i];
	return NULL;
}

static void set(struct liar *liar, const char *name, const char *text)
{
	struct item *item = find(liar, name);

	if (!item) {
		if (liar->count == ITEMS_MAX)
			abort();
		item = &liar->items[liar->count++];
		*item = (struct item){ .name = copy(name) };
	}
	free(item->text);
	item->text = text ? copy(text) : NULL;
	item->changed = ++liar->changes;
}

/* ---- answers ---- */

char *liar_answer(TALLOC_CTX *mem, const char *status_line, const char *body)
{
	return mem_printf(mem, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status_line,
			  strlen(body), body);
}

static void add_escaped(struct buf *out, const char *text)
{
	for (; *text; text++)
		if (*text == '&')
			buf_puts(out, "&amp;");
		else if (*text == '<')
			buf_puts(out, "&lt;");
		else if (*text == '\r')
			buf_puts(out, "&#13;");
		else
			buf_putc(out, *text);
}

static void add_item(struct buf *out, const struct item *item, bool data)
{
	buf_printf(out, "<response><href>" LIAR_FOLDER "%s</href>", item->name);
	if (!item->text) {
		buf_puts(out, "<status>HTTP/1.1 404 Not Found</status></response>");
		return;
	}
	buf_printf(out, "<propstat><prop><getetag>\"%d\"</getetag>", item->changed);
	if (data) {
		buf_puts(out, "<getlastmodified>Sat, 21 Nov 2026 09:00:00 GMT</getlastmodified>"
			      "<c:calendar-data>");
		add_escaped(out, item->text);
		buf_puts(out, "</c:calendar-data>");
	}
	buf_puts(out, "</prop>" OK "</propstat></response>\n");
}

static char *multi(TALLOC_CTX *mem, struct buf *lines, const char *after)
{
	return liar_answer(
		mem, "207 Multi-Status",
		mem_printf(mem, "<multistatus " DAV ">\n%s%s</multistatus>\n", lines->data, after));
}

static void add_folder(const struct liar *liar, struct buf *out)
{
	buf_printf(out,
		   "<response><href>" LIAR_FOLDER "</href><propstat><prop><resourcetype>"
		   "<collection/><c:calendar/></resourcetype><displayname>%s</displayname>"
		   "<s:getctag>%d</s:getctag></prop>" OK "</propstat></response>\n",
		   liar->named ? "P" : "Q", liar->changes);
}

static char *see_home(TALLOC_CTX *mem)
{
	struct buf *lines = buf_new(mem);

	buf_puts(lines, "<response><href>/</href><propstat><prop><c:calendar-home-set><href>/home/"
			"</href></c:calendar-home-set></prop>" OK "</propstat></response>");
	return multi(mem, lines, "");
}

static char *list(struct liar *liar, TALLOC_CTX *mem, bool deep)
{
	struct buf *lines = buf_new(mem);

	add_folder(liar, lines);
	for (size_t i = 0; deep && i < liar->count; i++)
		if (liar->items[i].text)
			add_item(lines, &liar->items[i], false);
	return multi(mem, lines, "");
}

static char *changes(struct liar *liar, TALLOC_CTX *mem, const char *request)
{
	const char *token = strstr(request, "<D:sync-token>t");
	int since = token ? atoi(token + strlen("<D:sync-token>t")) : 0;
	struct buf *lines = buf_new(mem);

	for (size_t i = 0; i < liar->count; i++)
		if (liar->items[i].changed > since && (token || liar->items[i].text))
			add_item(lines, &liar->items[i], false);
	return multi(mem, lines, mem_printf(mem, "<sync-token>t%d</sync-token>", liar->changes));
}

static char *get_many(struct liar *liar, TALLOC_CTX *mem, const char *request)
{
	static const char opening[] = "<D:href>" LIAR_FOLDER;
	struct buf *lines = buf_new(mem);

	for (const char *at = strstr(request, opening); at; at = strstr(at, opening)) {
		const char *name = at + strlen(opening);
		size_t n = strcspn(name, "<");
		struct item none = { .name = mem_strndup(mem, name, n) };
		struct item *item = find(liar, none.name);

		add_item(lines, item ? item : &none, true);
		at = name + n;
	}
	return multi(mem, lines, "");
}

static char *get(struct liar *liar, TALLOC_CTX *mem, const char *name)
{
	struct item *item = find(liar, name);

	if (!item || !item->text)
		return liar_answer(mem, "404 Not Found", "");
	return liar_answer(mem,
			   mem_printf(mem,
				      "200 OK\r\nETag: \"%d\"\r\nContent-Type: text/calendar\r\n"
				      "Last-Modified: Sat, 21 Nov 2026 09:00:00 GMT",
				      item->changed),
			   item->text);
}

static bool holds(const struct item *item, TALLOC_CTX *mem, const char *request)
{
	const char *match = strstr(request, "\r\nIf-Match: ");

	if (strstr(request, "\r\nIf-None-Match: *"))
		return !item || !item->text;
	return !match || (item && item->text &&
			  text_starts(match + strlen("\r\nIf-Match: "),
				      mem_printf(mem, "\"%d\"", item->changed)));
}

static char *write_item(struct liar *liar, TALLOC_CTX *mem, const char *name, const char *request,
			bool removes, bool undone)
{
	struct item *item = find(liar, name);
	const char *body = strstr(request, "\r\n\r\n");
	bool was = item && item->text;

	if (!holds(item, mem, request))
		return liar_answer(mem, "412 Precondition Failed", "");
	if (removes && !was)
		return liar_answer(mem, "404 Not Found", "");
	if (!undone)
		set(liar, name, removes || !body ? NULL : body + 4);
	if (removes || undone || !liar->tags)
		return liar_answer(mem, was ? "204 No Content" : "201 Created", "");
	return liar_answer(mem,
			   mem_printf(mem, "%s\r\nETag: \"%d\"",
				      was ? "204 No Content" : "201 Created",
				      find(liar, name)->changed),
			   "");
}

void liar_tags(struct liar *liar)
{
	liar->tags = true;
}

static enum caldav_op op_of(const char *method, const char *request)
{
	static const struct {
		const char *method, *has;
		enum caldav_op op;
	} ops[] = {
		{ "PROPFIND", "\r\nDepth: 1", CALDAV_OP_LIST },
		{ "PROPFIND", NULL, CALDAV_OP_LOOK },
		{ "REPORT", "<C:calendar-multiget", CALDAV_OP_MULTIGET },
		{ "REPORT", "<D:sync-token></D:sync-token>", CALDAV_OP_START },
		{ "REPORT", "<D:sync-token>", CALDAV_OP_CHANGES },
		{ "GET", NULL, CALDAV_OP_GET },
		{ "PUT", "\r\nIf-None-Match: *", CALDAV_OP_CREATE },
		{ "PUT", "\r\nIf-Match: ", CALDAV_OP_REPLACE },
		{ "DELETE", NULL, CALDAV_OP_REMOVE },
		{ "MKCALENDAR", NULL, CALDAV_OP_MKCALENDAR },
		{ "MKCOL", NULL, CALDAV_OP_MKCOL },
		{ "PROPPATCH", NULL, CALDAV_OP_NAME },
		{ "OPTIONS", NULL, CALDAV_OP_OPTIONS },
		{ "POST", NULL, CALDAV_OP_ATTACH },
	};

	for (size_t i = 0; i < COUNT_OF(ops); i++)
		if (!strcmp(method, ops[i].method) && (!ops[i].has || strstr(request, ops[i].has)))
			return ops[i].op;
	return CALDAV_OP_OTHER;
}

static char *make(struct liar *liar, TALLOC_CTX *mem, bool undone)
{
	if (liar->there)
		return liar_answer(mem, "405 Method Not Allowed", "");
	liar->there = !undone;
	return liar_answer(mem, "201 Created", "");
}

static char *truth(struct liar *liar, TALLOC_CTX *mem, enum caldav_op op, const char *name,
		   const char *request, bool undone)
{
	if (op == CALDAV_OP_MKCALENDAR && liar->lies && liar->lie.op == CALDAV_OP_MKCOL)
		return liar_answer(mem, "501 Not Implemented", ""); /* so that it is tried at all */
	if (op == CALDAV_OP_MKCALENDAR || op == CALDAV_OP_MKCOL)
		return make(liar, mem, undone);
	if (!liar->there)
		return liar_answer(mem, op == CALDAV_OP_CREATE ? "409 Conflict" : "404 Not Found",
				   "");
	switch (op) {
	case CALDAV_OP_LOOK:
	case CALDAV_OP_LIST:
		return list(liar, mem, op == CALDAV_OP_LIST);
	case CALDAV_OP_START:
	case CALDAV_OP_CHANGES:
		return changes(liar, mem, request);
	case CALDAV_OP_MULTIGET:
		return get_many(liar, mem, request);
	case CALDAV_OP_GET:
		return get(liar, mem, name);
	case CALDAV_OP_CREATE:
	case CALDAV_OP_REPLACE:
	case CALDAV_OP_REMOVE:
		return write_item(liar, mem, name, request, op == CALDAV_OP_REMOVE, undone);
	case CALDAV_OP_NAME:
		liar->named = liar->named || !undone;
		return liar_answer(mem, "207 Multi-Status", "<multistatus xmlns=\"DAV:\"/>");
	case CALDAV_OP_OPTIONS:
		return liar_answer(mem, "200 OK\r\nDAV: 1, calendar-access", "");
	default:
		return liar_answer(mem, "501 Not Implemented", "");
	}
}

static bool is_lied_to(struct liar *liar, enum caldav_op op, const char *name)
{
	const struct liar_lie *lie = &liar->lie;

	if (!liar->lies || (lie->op != CALDAV_OPS && lie->op != op) ||
	    (lie->item && strcmp(lie->item, name)))
		return false;
	liar->met++;
	return liar->met > lie->skip && (!lie->times || liar->met <= lie->skip + lie->times);
}

static struct scripted_answer say(struct liar *liar, TALLOC_CTX *mem, enum caldav_op op,
				  const char *name, const char *request)
{
	bool lies = is_lied_to(liar, op, name);
	const struct liar_lie *lie = &liar->lie;
	struct scripted_answer answer = { .manner = SCRIPTED_KEEP };

	answer.text = truth(liar, mem, op, name, request, lies && lie->undone);
	if (!lies)
		return answer;
	liar->last = strlen(answer.text);
	answer.manner = lie->manner;
	answer.cut = lie->cut;
	if (lie->answer)
		answer.text = lie->answer;
	if (lie->twist)
		answer.text = lie->twist(mem, answer.text);
	return answer;
}

struct scripted_answer liar_reply(void *context, TALLOC_CTX *mem, const char *method,
				  const char *path, const char *request)
{
	struct liar *liar = context;
	bool inside = text_starts(path, LIAR_FOLDER);
	enum caldav_op op = op_of(method, request);
	struct scripted_answer answer = { .manner = SCRIPTED_KEEP };

	pthread_mutex_lock(&liar->lock);
	liar->asked[op]++;
	if (inside || op == CALDAV_OP_OPTIONS)
		answer = say(liar, mem, op, inside ? path + strlen(LIAR_FOLDER) : "", request);
	else
		answer.text = op == CALDAV_OP_LOOK || op == CALDAV_OP_LIST
				      ? see_home(mem)
				      : liar_answer(mem, "404 Not Found", "");
	pthread_mutex_unlock(&liar->lock);
	return answer;
}

/* ---- the test's side ---- */

void liar_tell(struct liar *liar, const struct liar_lie *lie)
{
	pthread_mutex_lock(&liar->lock);
	liar->lies = lie != NULL;
	if (lie)
		liar->lie = *lie;
	liar->met = 0;
	pthread_mutex_unlock(&liar->lock);
}

void liar_set(struct liar *liar, const char *item, const char *text)
{
	pthread_mutex_lock(&liar->lock);
	set(liar, item, text);
	pthread_mutex_unlock(&liar->lock);
}

char *liar_text(struct liar *liar, TALLOC_CTX *mem, const char *name)
{
	struct item *item;
	char *text;

	pthread_mutex_lock(&liar->lock);
	item = find(liar, name);
	text = item ? mem_strdup(mem, item->text) : NULL;
	pthread_mutex_unlock(&liar->lock);
	return text;
}

char *liar_etag(struct liar *liar, TALLOC_CTX *mem, const char *name)
{
	struct item *item;
	char *etag;

	pthread_mutex_lock(&liar->lock);
	item = find(liar, name);
	etag = item && item->text ? mem_printf(mem, "\"%d\"", item->changed) : NULL;
	pthread_mutex_unlock(&liar->lock);
	return etag;
}

size_t liar_count(struct liar *liar)
{
	size_t n = 0;

	pthread_mutex_lock(&liar->lock);
	for (size_t i = 0; i < liar->count; i++)
		n += liar->items[i].text != NULL;
	pthread_mutex_unlock(&liar->lock);
	return n;
}

int liar_changes(struct liar *liar)
{
	int count;

	pthread_mutex_lock(&liar->lock);
	count = liar->changes;
	pthread_mutex_unlock(&liar->lock);
	return count;
}

int liar_asked(struct liar *liar, enum caldav_op op)
{
	int count;

	pthread_mutex_lock(&liar->lock);
	count = liar->asked[op];
	pthread_mutex_unlock(&liar->lock);
	return count;
}

size_t liar_last(struct liar *liar)
{
	size_t last;

	pthread_mutex_lock(&liar->lock);
	last = liar->last;
	pthread_mutex_unlock(&liar->lock);
	return last;
}

void liar_folder(struct liar *liar, bool there)
{
	pthread_mutex_lock(&liar->lock);
	liar->there = there;
	pthread_mutex_unlock(&liar->lock);
}

void liar_unname(struct liar *liar)
{
	pthread_mutex_lock(&liar->lock);
	liar->named = false;
	pthread_mutex_unlock(&liar->lock);
}
