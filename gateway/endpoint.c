#include "config.h"

#include "gateway/endpoint.h"

struct fault *endpoint_probe(struct endpoint *endpoint, TALLOC_CTX *mem,
			     struct endpoint_probe **probe_r)
{
	return endpoint->ops->probe(endpoint, mem, probe_r);
}

struct fault *endpoint_ensure(struct endpoint *endpoint, TALLOC_CTX *mem,
			      const struct endpoint_folder *folder, const char *known,
			      char **address_r, bool *created_r)
{
	return endpoint->ops->ensure(endpoint, mem, folder, known, address_r, created_r);
}

struct fault *endpoint_whole_site(struct endpoint *endpoint, TALLOC_CTX *mem,
				  const struct endpoint_folder *folder, char **address_r)
{
	if (endpoint->ops->whole_site)
		return endpoint->ops->whole_site(endpoint, mem, folder, address_r);
	*address_r = NULL;
	return NULL;
}

struct fault *endpoint_whole_make(struct endpoint *endpoint, TALLOC_CTX *mem, const char *address,
				  const struct endpoint_put *puts, size_t count, bool *made_r)
{
	if (endpoint->ops->whole_make)
		return endpoint->ops->whole_make(endpoint, mem, address, puts, count, made_r);
	*made_r = false;
	return NULL;
}

struct fault *endpoint_notice(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			      const char *token, struct endpoint_notice **notice_r)
{
	return endpoint->ops->notice(endpoint, mem, folder, token, notice_r);
}

struct fault *endpoint_fetch(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			     const char *const *addresses, size_t count,
			     struct endpoint_item **items_r)
{
	return endpoint->ops->fetch(endpoint, mem, folder, addresses, count, items_r);
}

struct fault *endpoint_read_back(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				 const char *const *addresses, size_t count,
				 struct endpoint_item **items_r)
{
	if (!endpoint->ops->read_back)
		return endpoint_fetch(endpoint, mem, folder, addresses, count, items_r);
	return endpoint->ops->read_back(endpoint, mem, folder, addresses, count, items_r);
}

struct fault *endpoint_put(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			   struct endpoint_put *puts, size_t count)
{
	return endpoint->ops->put(endpoint, mem, folder, puts, count);
}

struct fault *endpoint_put_begin(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				 struct endpoint_put *puts, size_t count,
				 struct endpoint_putting **putting_r)
{
	return endpoint->ops->put_begin(endpoint, mem, folder, puts, count, putting_r);
}

struct fault *endpoint_put_end(struct endpoint *endpoint, struct endpoint_putting *putting,
			       TALLOC_CTX *mem)
{
	return endpoint->ops->put_end(putting, mem);
}

bool endpoint_overlaps(const struct endpoint *endpoint)
{
	return endpoint->ops->put_begin != NULL;
}

struct fault *endpoint_remove(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			      struct endpoint_remove *removes, size_t count)
{
	return endpoint->ops->remove(endpoint, mem, folder, removes, count);
}

char *endpoint_address(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
		       const char *uid)
{
	return endpoint->ops->address(endpoint, mem, folder, uid);
}

struct fault *endpoint_advance(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			       const char *token, char **token_r)
{
	if (endpoint->ops->advance)
		return endpoint->ops->advance(endpoint, mem, folder, token, token_r);
	*token_r = mem_strdup(mem, token);
	return NULL;
}

char *endpoint_doubt(struct endpoint *endpoint, TALLOC_CTX *mem, const char *token)
{
	if (endpoint->ops->doubt)
		return endpoint->ops->doubt(endpoint, mem, token);
	return mem_strdup(mem, token);
}

struct fault *endpoint_locate(struct endpoint *endpoint, TALLOC_CTX *mem,
			      const struct endpoint_trace *trace, char **address_r)
{
	if (endpoint->ops->locate)
		return endpoint->ops->locate(endpoint, mem, trace, address_r);
	*address_r = NULL;
	return NULL;
}

const char *endpoint_beside(const struct endpoint *endpoint)
{
	return endpoint->ops->beside ? endpoint->ops->beside(endpoint) : NULL;
}

struct fault *endpoint_beside_make(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder)
{
	return endpoint->ops->beside_make ? endpoint->ops->beside_make(endpoint, mem, folder)
					  : NULL;
}

struct fault *endpoint_may_read(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder)
{
	return endpoint->ops->may_read ? endpoint->ops->may_read(endpoint, mem, folder) : NULL;
}

struct fault *endpoint_sweep(struct endpoint *endpoint, TALLOC_CTX *mem,
			     struct endpoint_sweep *folders, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		folders[i].moved = true;
		folders[i].asked = false;
	}
	return endpoint->ops->sweep ? endpoint->ops->sweep(endpoint, mem, folders, count) : NULL;
}

bool endpoint_can_learn(const struct endpoint *endpoint)
{
	return endpoint->ops->learn != NULL;
}

struct fault *endpoint_learn(struct endpoint *endpoint, TALLOC_CTX *mem)
{
	return endpoint->ops->learn ? endpoint->ops->learn(endpoint, mem) : NULL;
}

void endpoint_know(struct endpoint *endpoint, const char *traits)
{
	if (endpoint->ops->know)
		endpoint->ops->know(endpoint, traits);
}

char *endpoint_traits(struct endpoint *endpoint, TALLOC_CTX *mem)
{
	return endpoint->ops->traits ? endpoint->ops->traits(endpoint, mem) : NULL;
}

struct fault *endpoint_place(struct endpoint *endpoint, TALLOC_CTX *mem, bool find,
			     struct endpoint_place **place_r)
{
	if (endpoint->ops->place)
		return endpoint->ops->place(endpoint, mem, find, place_r);
	*place_r = NULL;
	return NULL;
}

bool endpoint_can_listen(const struct endpoint *endpoint)
{
	return endpoint->ops->listen != NULL;
}

struct fault *endpoint_listen(struct endpoint *endpoint, const struct endpoint_sweep *folders,
			      size_t count, struct endpoint_ear *ear_r)
{
	return endpoint->ops->listen(endpoint, folders, count, ear_r);
}

struct fault *endpoint_heard(struct endpoint *endpoint, bool *changed_r)
{
	return endpoint->ops->heard(endpoint, changed_r);
}

struct fault *endpoint_hush(struct endpoint *endpoint)
{
	return endpoint->ops->hush ? endpoint->ops->hush(endpoint) : NULL;
}

struct fault *endpoint_follow(struct endpoint *endpoint, bool heard)
{
	return endpoint->ops->follow ? endpoint->ops->follow(endpoint, heard)
				     : endpoint_hush(endpoint);
}

void endpoint_rest(struct endpoint *endpoint)
{
	if (endpoint->ops->rest)
		endpoint->ops->rest(endpoint);
}

struct endpoint_stats endpoint_stats(struct endpoint *endpoint)
{
	struct endpoint_stats stats = { .requests = 0 };

	if (endpoint->ops->stats)
		endpoint->ops->stats(endpoint, &stats);
	return stats;
}

struct fault *endpoint_attaches(struct endpoint *endpoint, TALLOC_CTX *mem, bool *attaches_r)
{
	*attaches_r = false;
	return endpoint->ops->attaches ? endpoint->ops->attaches(endpoint, mem, attaches_r) : NULL;
}

struct fault *endpoint_attach(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
			      const struct endpoint_attach *attach)
{
	if (!endpoint->ops->attach)
		return fault_new(mem, FAULT_REFUSED, "a server of this kind keeps no files");
	return endpoint->ops->attach(endpoint, mem, folder, attach);
}

struct fault *endpoint_download(struct endpoint *endpoint, TALLOC_CTX *mem, const char *folder,
				const char *uri, size_t max, char **bytes_r, size_t *len_r)
{
	if (!endpoint->ops->download)
		return fault_reaches(
			fault_new(mem, FAULT_DATA, "a server of this kind keeps no files"),
			FAULT_SCOPE_ITEM, FAULT_NEXT_HOLD);
	return endpoint->ops->download(endpoint, mem, folder, uri, max, bytes_r, len_r);
}

static struct fault *no_mailboxes(const struct endpoint *endpoint, TALLOC_CTX *mem)
{
	return fault_reaches(fault_new(mem, FAULT_REFUSED, "servers of type %s have no mailboxes",
				       endpoint->ops->kind),
			     FAULT_SCOPE_ACCOUNT, FAULT_NEXT_HOLD);
}

struct fault *endpoint_mailbox(struct endpoint *endpoint, TALLOC_CTX *mem, const char *name,
			       char **address_r)
{
	return endpoint->ops->mailbox ? endpoint->ops->mailbox(endpoint, mem, name, address_r)
				      : no_mailboxes(endpoint, mem);
}

struct fault *endpoint_shelve(struct endpoint *endpoint, TALLOC_CTX *mem, const char *mailbox,
			      const char *const *addresses, size_t count, const char *into)
{
	return endpoint->ops->shelve
		       ? endpoint->ops->shelve(endpoint, mem, mailbox, addresses, count, into)
		       : no_mailboxes(endpoint, mem);
}

bool endpoint_can_tell(const struct endpoint *endpoint)
{
	return endpoint->ops->tell != NULL;
}

struct fault *endpoint_tell(struct endpoint *endpoint, TALLOC_CTX *mem, const char *message_id,
			    const char *text, size_t len, bool again)
{
	return endpoint->ops->tell
		       ? endpoint->ops->tell(endpoint, mem, message_id, text, len, again)
		       : no_mailboxes(endpoint, mem);
}
