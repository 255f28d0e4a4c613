/* caldav_sweep.c - one PROPFIND on what several folders stand in tells which of them have moved.
 *
 * What is compared is the folder's mark (caldav_token.h), never the sync-token of a notice: that a
 * PROPFIND and a REPORT give the same one is not so everywhere, and working one out is dear on some.
 *
 * 1. A mark is remembered before the notice that follows, so that a change in between is seen again
 * rather than lost.
 * 2. It is forgotten when we have written ourselves (caldav_advance()), and not kept beyond the
 * first record of a round (caldav_doubt()): a mark that is made from what the folder holds returns
 * when a person takes our write back, or a change that we have read.
 * 3. Whoever refuses such a request, or tells nothing by it, is not asked again by this endpoint; and
 * where all of the folders have moved each time, it is asked seldom. */
#include "config.h"

#include "gateway/caldav/caldav_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define VAIN_MAX 4  /* sweeps one after the other that saved nothing */
#define VAIN_REST 8 /* then as many are left out */

static const char ask_ctags[] =
	CALDAV_XML "<D:propfind " CALDAV_NS "><D:prop><S:getctag/></D:prop></D:propfind>\n";
static const char ask_tokens[] =
	CALDAV_XML "<D:propfind " CALDAV_NS "><D:prop><D:sync-token/></D:prop></D:propfind>\n";

struct sweep {
	TALLOC_CTX *mem;
	struct caldav *caldav;
	char *parent;
	char kind; /* of the marks that are asked for */
	struct endpoint_sweep *folders;
	size_t count;
	struct caldav_mark *marks; /* as they are told, one per folder */
	char **parents;            /* likewise; NULL: it has been dealt with */
	bool listed, told;         /* any of the folders; and its mark */
};

/* ---- what is remembered of a folder, until the next notice ---- */

static struct caldav_kept *find_kept(struct caldav *caldav, const char *folder)
{
	for (size_t i = 0; i < caldav->kept_count; i++)
		if (!strcmp(caldav->kept[i].folder, folder))
			return &caldav->kept[i];
	return NULL;
}

static void keep(struct caldav *caldav, const char *folder, const struct caldav_mark *mark)
{
	struct caldav_kept *kept = find_kept(caldav, folder);

	if (!kept) {
		caldav->kept =
			MEM_GROW(caldav, caldav->kept, struct caldav_kept, caldav->kept_count + 1);
		kept = &caldav->kept[caldav->kept_count++];
		*kept = (struct caldav_kept){ .folder = mem_strdup(caldav, folder) };
	}
	talloc_free((char *)kept->mark.text);
	kept->mark = *mark;
	kept->mark.text = mem_strdup(caldav, mark->text);
}

static void forget(struct caldav *caldav, const char *folder)
{
	if (find_kept(caldav, folder))
		keep(caldav, folder, &(struct caldav_mark){ .kind = 0 });
}

struct caldav_mark caldav_sweep_mark(struct caldav *caldav, TALLOC_CTX *mem, const char *folder,
				     bool empty)
{
	const struct caldav_kept *kept = find_kept(caldav, folder);
	struct caldav_mark mark = { .kind = 0 };

	if (!kept)
		return mark;
	mark = kept->mark;
	mark.text = mem_strdup(mem, mark.text);
	if (!empty)
		mark.since_s = clock_now_us(caldav->clock) / CLOCK_SECOND_US;
	forget(caldav, folder);
	return mark;
}

/* ---- asking ---- */

/* The collection that ADDRESS, a collection, stands in; NULL: it is the root. */
static char *parent_of(TALLOC_CTX *mem, const char *address)
{
	size_t len = strlen(address);

	while (len && address[len - 1] == '/')
		len--;
	while (len && address[len - 1] != '/')
		len--;
	return len ? mem_strndup(mem, address, len) : NULL;
}

static struct fault *take_mark(void *context, const struct multistatus_response *response)
{
	struct sweep *sweep = context;
	const char *text = sweep->kind == CALDAV_MARK_CTAG ? response->ctag : response->sync_token;
	char *address =
		href_normalise(sweep->mem, sweep->parent, sweep->caldav->host, response->href);

	if (!address || response->status == 404 || response->status == 410)
		return NULL;
	address = href_collection(sweep->mem, address);
	for (size_t i = 0; i < sweep->count; i++) {
		if (strcmp(sweep->folders[i].folder, address))
			continue;
		sweep->marks[i].kind = sweep->kind;
		sweep->marks[i].text = mem_strdup(sweep->mem, text);
		sweep->listed = true;
		sweep->told = sweep->told || text;
	}
	return NULL;
}

/* What did not answer may be this request only. */
static bool is_wide(struct sweep *sweep, struct http_request *request, const struct fault *fault)
{
	struct caldav_verdict verdict = caldav_judge(sweep->mem, request);

	if (!caldav_is_wide(fault))
		return false;
	return verdict.outcome != CALDAV_OUTCOME_UNANSWERED ||
	       !caldav_answers(sweep->caldav, sweep->folders[0].folder);
}

/* A fault that is of the request only has ended here: such a server is not asked that way. */
static struct fault *ask(struct sweep *sweep)
{
	struct caldav *caldav = sweep->caldav;
	struct http_request request;
	struct fault *fault;

	sweep->kind = caldav->no_ctag ? CALDAV_MARK_TOKEN : CALDAV_MARK_CTAG;
	sweep->listed = sweep->told = false;
	request = caldav_request(sweep->mem, "PROPFIND", sweep->parent, "1",
				 caldav->no_ctag ? ask_tokens : ask_ctags);
	fault = caldav_ask(caldav, sweep->mem, &request, take_mark, sweep, NULL);
	if (fault && is_wide(sweep, &request, fault))
		return fault;
	talloc_free(request.answer);
	if (fault || (sweep->listed && !sweep->told && caldav->no_ctag))
		caldav->no_sweep = true;
	else if (sweep->listed && !sweep->told)
		caldav->no_ctag = true;
	return NULL;
}

/* ---- what the answer means ---- */

/* True when the folder has not moved. */
static bool judge(struct sweep *sweep, size_t i, int64_t now_s)
{
	struct endpoint_sweep *folder = &sweep->folders[i];
	struct caldav_token token = { .sync = NULL };
	struct caldav_mark next;

	folder->asked = true;
	if (!sweep->marks[i].text)
		return false;
	if (folder->token)
		(void)caldav_token_read(sweep->mem, folder->token, &token);
	next = caldav_mark_next(&token.mark, &sweep->marks[i], false, now_s);
	keep(sweep->caldav, folder->folder, &next);
	folder->moved = !caldav_mark_stands(&token.mark, &sweep->marks[i]);
	return !folder->moved;
}

static size_t judge_all(struct sweep *sweep)
{
	int64_t now_s = clock_now_us(sweep->caldav->clock) / CLOCK_SECOND_US;
	size_t still = 0;

	for (size_t i = 0; i < sweep->count; i++)
		if (sweep->parents[i] && !strcmp(sweep->parents[i], sweep->parent)) {
			still += judge(sweep, i, now_s);
			sweep->parents[i] = NULL;
		}
	return still;
}

static size_t count_beside(const struct sweep *sweep, size_t from)
{
	size_t count = 0;

	for (size_t i = from; i < sweep->count; i++)
		count += sweep->parents[i] && !strcmp(sweep->parents[i], sweep->parents[from]);
	return count;
}

static struct fault *sweep_all(struct sweep *sweep)
{
	struct caldav *caldav = sweep->caldav;
	size_t asked = 0, still = 0;

	for (size_t i = 0; i < sweep->count && !caldav->no_sweep; i++) {
		if (!sweep->parents[i] || count_beside(sweep, i) < 2)
			continue;
		sweep->parent = sweep->parents[i];
		FAULT_TRY(ask(sweep));
		if (caldav->no_sweep)
			break;
		still += judge_all(sweep);
		asked++;
	}
	caldav->vain = still || !asked ? 0 : caldav->vain + 1;
	return NULL;
}

struct fault *caldav_sweep(struct endpoint *endpoint, TALLOC_CTX *mem,
			   struct endpoint_sweep *folders, size_t count)
{
	struct caldav *caldav = (struct caldav *)endpoint;
	struct sweep sweep = {
		.mem = MEM_CONTEXT(mem), .caldav = caldav, .folders = folders, .count = count
	};
	struct fault *fault;

	caldav->vain = caldav->vain >= VAIN_MAX + VAIN_REST ? VAIN_MAX - 1 : caldav->vain;
	if (caldav->vain >= VAIN_MAX) {
		caldav->vain++;
		talloc_free(sweep.mem);
		return NULL;
	}
	sweep.marks = MEM_ARRAY(sweep.mem, struct caldav_mark, count);
	sweep.parents = MEM_ARRAY(sweep.mem, char *, count);
	for (size_t i = 0; i < count; i++)
		sweep.parents[i] = parent_of(sweep.mem, folders[i].folder);
	fault = sweep_all(&sweep);
	if (fault)
		caldav_widen(talloc_steal(mem, fault), FAULT_SCOPE_ACCOUNT);
	talloc_free(sweep.mem);
	return fault;
}

char *caldav_doubt(struct endpoint *endpoint, TALLOC_CTX *mem, const char *text)
{
	struct caldav *caldav = (struct caldav *)endpoint;
	struct caldav_token token;

	if (!caldav_token_read(mem, text, &token))
		return mem_strdup(mem, text);
	if (token.sync)
		token.mark.text = NULL;
	token.written = token.sync && caldav_token_is_content(token.sync);
	token.mark.since_s = clock_now_us(caldav->clock) / CLOCK_SECOND_US;
	return caldav_token_text(mem, &token);
}

/* (2) */
struct fault *caldav_advance(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			     const char *text, char **token_r)
{
	forget((struct caldav *)endpoint, folder);
	*token_r = caldav_doubt(endpoint, mem, text);
	return NULL;
}
