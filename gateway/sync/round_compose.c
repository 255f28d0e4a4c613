/* round_compose.c - the text of an item as it is to be sent. */
#include "config.h"

#include "gateway/sync/round_private.h"

#include <string.h>

#include "base/buf.h"
#include "decide/hint.h"
#include "decide/told.h"
#include "model/reply_token.h"
#include "store/revisions.h"

#define PREDECESSORS_SHOWN 20 /* titles in a trailer; people read a few */

static struct fault *predecessor_titles(struct round *round, TALLOC_CTX *mem,
					const struct assignment_view *view, const char **titles_r)
{
	char *keys = mem_strdup(mem, vector_str(view->stamped->values, FIELD_predecessors)),
	     *save = NULL;
	struct buf *titles;
	int shown = 0;

	if (!keys)
		return NULL;
	titles = buf_new(mem);
	for (char *key = strtok_r(keys, "\n", &save); key && shown < PREDECESSORS_SHOWN;
	     key = strtok_r(NULL, "\n", &save), shown++) {
		struct stamped *stamped = NULL;
		struct task *task = NULL;

		FAULT_TRY(project_task_by_key(round->env->store, mem, round->project->id, key,
					      &task));
		if (task)
			FAULT_TRY(project_task_values(round->env->store, mem, task->id, &stamped));
		if (stamped && vector_str(stamped->values, FIELD_subject))
			buf_printf(titles, "%s\n", vector_str(stamped->values, FIELD_subject));
	}
	*titles_r = titles->len ? titles->data : NULL;
	return NULL;
}

/* "pm.example.com" of "https://pm.example.com:8443/web". */
static const char *site_host(struct round *round)
{
	const char *url = round->env->conf->site.url ? round->env->conf->site.url : "localhost";
	const char *bare = strstr(url, "://") ? strstr(url, "://") + 3 : url;

	if (!round->host)
		round->host = mem_strndup(round->mem, bare, strcspn(bare, ":/"));
	return round->host;
}

static const char *hint(struct round *round)
{
	if (round_form(round) != ENDPOINT_MESSAGE)
		return TRAILER_HINT_WORK;
	if (!round->hint)
		round->hint = mem_join(round->mem, hint_message(round->mem, round->env->conf),
				       " " TRAILER_HINT_WORK, NULL);
	return round->hint;
}

/* With a token of its own, that is good for as long as the configuration says from now on. */
static const char *reply_to(struct round *round, TALLOC_CTX *mem,
			    const struct assignment_view *view)
{
	const struct conf *conf = round->env->conf;
	struct when last = when_instant(view->context.now_us + conf->replies.expires_us, "UTC");
	struct reply_token_secret secret;
	char *token;

	if (!round->env->reply_secret || !conf->replies.address)
		return NULL;
	secret.bytes = secret_reveal(round->env->reply_secret);
	secret.len = strlen(secret.bytes);
	token = reply_token_make(mem, &secret, view->assignment->uid, view->context.resource_key,
				 when_local_day(&last));
	return token ? reply_token_address(mem, conf->replies.address, token) : NULL;
}

struct fault *round_compose(struct round *round, TALLOC_CTX *mem, TALLOC_CTX *keep,
			    const struct link *link, struct composed *composed_r)
{
	const struct assignment_view *kept = round_views_find(round, link->assignment_id);
	struct assignment_view view;
	struct trailer trailer = { .project = round->project->name, .remark = link->correction };
	struct revision *newest = NULL;
	size_t count = 0;
	struct codec_publish publish = { .values = link->want,
					 .edition = link->edition,
					 .now_us = clock_now_us(round->env->clock),
					 .site_host = site_host(round),
					 .project = round->project->name,
					 .thread = round->project->code,
					 .to_name = round->resource->name,
					 .to_email = round->resource->email };

	if (kept)
		view = *kept;
	else
		FAULT_TRY(round_view(round, mem, link->assignment_id, &view));
	FAULT_TRY(predecessor_titles(round, mem, &view, &trailer.predecessors));
	FAULT_TRY(revisions_newest(round->env->store, mem, link->assignment_id, &newest, &count));
	trailer.outcomes =
		told_text(mem, newest, count, view.stamped->at_us, round->env->conf->site.dates);
	trailer.values = view.stamped->values;
	FAULT_TRY(round_files_told(round, mem, link, view.stamped->values, &trailer.files));
	FAULT_TRY(round_files_compose(round, mem, link, &publish));
	trailer.hint = hint(round);
	publish.uid = view.assignment->uid;
	publish.reply_to = reply_to(round, mem, &view);
	publish.edition_hash = codec_hash(mem, link->want);
	publish.trailer = trailer_text(mem, &trailer);
	composed_r->decoded = NULL;
	if (link->seen_version && link->seen_text)
		return codec_encode(mem, round_form(round), link->seen_text, &publish,
				    &composed_r->text, &composed_r->len);
	return codec_encode_new(mem, keep, round_form(round), &publish, &composed_r->text,
				&composed_r->len, &composed_r->decoded);
}
