#include "config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/imap/imap_response.h"

/* libFuzzer target: any bytes as what an IMAP server says. Nothing may crash, leak, or break a
 * bound; what framing finds in pieces it finds in one go, and no further; every text has its NUL. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Every node: iterative over siblings, as deep as lists may nest. */
static size_t walk(const struct imap_node *node, int depth)
{
	size_t count = 0;

	must(depth <= IMAP_DEPTH_MAX);
	for (; node; node = node->next) {
		must(!node->text[node->len]);
		must(node->kind == IMAP_LIST || !node->first);
		must(node->kind <= IMAP_STRING || !node->len);
		must(node->kind == IMAP_STRING || strlen(node->text) == node->len);
		count += 1 + walk(node->first, depth + 1);
	}
	return count;
}

static void check(TALLOC_CTX *mem, const char *p, size_t n)
{
	struct imap_response *response = NULL;
	struct fault *fault = imap_response_parse(mem, p, n, &response);

	must(fault ? !response && fault->kind == FAULT_PROTOCOL : response != NULL);
	if (fault)
		return;
	must(response->name && response->text && !strpbrk(response->text, "\r\n"));
	must((response->kind == IMAP_TAGGED) == (response->tag != NULL));
	must((response->kind == IMAP_CONTINUE) == !*response->name);
	must(walk(response->args, 0) + walk(response->code_args, 0) <= IMAP_NODES_MAX);
}

/* The end of the first response, asked for again after each STEP bytes. */
static size_t frame_in_steps(TALLOC_CTX *mem, const char *p, size_t n, size_t step, bool *fault_r)
{
	struct imap_frame frame = { 0 };
	size_t len = 0;

	*fault_r = false;
	for (size_t have = step; !len && !*fault_r; have += step) {
		have = have < n ? have : n;
		*fault_r = imap_response_frame_on(mem, &frame, p, have, &len) != NULL;
		must(len <= have);
		if (have == n)
			break;
	}
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TALLOC_CTX *mem = MEM_CONTEXT(NULL);
	size_t at = 0, len = 1;

	while (at < size && len) {
		const char *p = (const char *)data + at;
		struct fault *fault = imap_response_frame(mem, p, size - at, &len);
		bool faulty;
		size_t again = frame_in_steps(mem, p, size - at, 1 + data[at] % 7, &faulty);

		must(faulty == (fault != NULL) && (faulty || again == len));
		if (fault || !len)
			break;
		check(mem, p, len);
		at += len;
	}
	check(mem, (const char *)data, size);
	talloc_free(mem);
	return 0;
}
