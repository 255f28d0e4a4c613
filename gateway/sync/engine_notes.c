/* engine_notes.c - what was said of an account: the same is not said by the next job, but again when it
 * is over and comes back. */
#include "config.h"

#include "gateway/sync/engine_private.h"

#define NOTES_MAX 64 /* of one account that are remembered; more are said again */

/* FNV-1a */
static uint64_t hash(const char *text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return h;
}

bool engine_notes_said(struct engine *engine, int64_t id, const char *note)
{
	const struct engine_account *account;
	uint64_t h = hash(note);
	bool said = false;

	pthread_mutex_lock(&engine->lock);
	account = engine_account(engine, id);
	for (size_t i = 0; i < account->note_count; i++)
		said |= account->notes[i] == h;
	pthread_mutex_unlock(&engine->lock);
	return said;
}

void engine_notes_keep(struct engine *engine, int64_t id, const struct round_report *report,
		       bool partly)
{
	struct engine_account *account;
	size_t kept;

	pthread_mutex_lock(&engine->lock);
	account = engine_account(engine, id);
	kept = partly ? account->note_count : 0;
	if (kept + report->note_count) {
		account->notes = MEM_GROW(engine->mem, account->notes, uint64_t, NOTES_MAX);
		for (size_t i = 0; i < report->note_count; i++)
			account->notes[kept++ % NOTES_MAX] = hash(report->notes[i]);
	}
	account->note_count = kept < NOTES_MAX ? kept : NOTES_MAX;
	pthread_mutex_unlock(&engine->lock);
}
