#include "config.h"

#include "gateway/imap/imap_private.h"

#include <string.h>

/* Names of folders look alike; notes tell which project of which site a mailbox is really of, under
 * whatever name. They are private ones: in a mailbox that is shared each account has its own. Written
 * when a folder is made, taken or renamed, and only read before one is taken or made. */

#define URL_ENTRY "/private/vendor/taskferry/url"
#define TYPE_ENTRY "/private/vendor/taskferry/type"
#define COMMENT_ENTRY "/private/comment"
#define TYPE "task"

struct imap_line *imap_metadata_question(TALLOC_CTX *mem, const char *mailbox)
{
	struct imap_line *line = imap_line_new(mem, "GETMETADATA ", false);

	imap_line_mailbox(line, mailbox);
	imap_line_add(line, " (" URL_ENTRY ")");
	return line;
}

/* `* METADATA "box" (/private/vendor/taskferry/url {..})` */
const char *imap_metadata_url(const struct imap_response *response)
{
	const struct imap_node *name = response->args, *list = name ? name->next : NULL, *value;

	if (strcmp(response->name, "METADATA") != 0 || !list || list->kind != IMAP_LIST ||
	    (name->kind != IMAP_ATOM && name->kind != IMAP_STRING))
		return NULL;
	value = imap_node_after(list->first, URL_ENTRY);
	return value && value->kind == IMAP_STRING && value->len ? value->text : NULL;
}

struct asking {
	TALLOC_CTX *mem;
	const char *url;
};

static struct fault *take_url(void *context, const struct imap_response *response)
{
	struct asking *asking = context;
	const char *url = imap_metadata_url(response);

	if (url && !asking->url)
		asking->url = mem_strdup(asking->mem, url);
	return NULL;
}

struct fault *imap_metadata_get(struct imap *imap, TALLOC_CTX *mem, const char *mailbox,
				const char **url_r)
{
	struct asking asking = { .mem = mem };
	struct imap_answer answer;

	if (imap_session_can(imap->session, IMAP_CAP_METADATA))
		FAULT_TRY(imap_session_run(imap->session, mem, imap_metadata_question(mem, mailbox),
					   take_url, &asking, &answer));
	*url_r = asking.url; /* a refusal says nothing */
	return NULL;
}

struct fault *imap_metadata_set(struct imap *imap, TALLOC_CTX *mem, const char *mailbox,
				const struct endpoint_folder *folder)
{
	struct imap_line *line;
	struct imap_answer answer;

	if (!folder->url || !imap_session_can(imap->session, IMAP_CAP_METADATA))
		return NULL;
	line = imap_line_new(mem, "SETMETADATA ", true);
	imap_line_mailbox(line, mailbox);
	imap_line_add(line, " (" URL_ENTRY " ");
	imap_line_string(line, folder->url);
	imap_line_add(line, " " TYPE_ENTRY " \"" TYPE "\" " COMMENT_ENTRY " ");
	imap_line_string(line, folder->display ? folder->display : folder->url);
	imap_line_add(line, ")");
	return imap_session_run(imap->session, mem, line, NULL, NULL, &answer);
}
