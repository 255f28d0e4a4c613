#include "config.h"

#include "decide/hint.h"

#include <string.h>

#include "base/buf.h"

/* The ways to say that it is done, the first tag standing for all. */
static void add_done(struct buf *out, const struct conf *conf)
{
	const char *tags = conf->gestures.done, *folder = conf->gestures.done_folder;

	if (!tags && !folder)
		return;
	buf_puts(out, ", ");
	if (tags)
		buf_printf(out, "tag it %.*s", (int)strcspn(tags, " "), tags);
	if (tags && folder)
		buf_puts(out, " or ");
	if (folder)
		buf_printf(out, "move it to the folder %s", folder);
	buf_puts(out, " when it is done");
}

char *hint_message(TALLOC_CTX *mem, const struct conf *conf)
{
	struct buf *out = buf_new(mem);

	if (conf->gestures.star == STAR_STARTED)
		buf_puts(out, ", give it a star when you begin");
	if (conf->gestures.percent)
		buf_puts(out, ", tag it 40 for 40 %");
	add_done(out, conf);
	if (conf->replies.address)
		buf_puts(out, ", answer it with the line Percent: 60");
	buf_puts(out, out->len ? ", or edit" : ", edit");
	buf_puts(out, " a line at its top, such as Percent: 60, if your program can.");
	return mem_join(mem, "In a mail program:", out->data + 1, NULL);
}
