/* Messages with large parts: read without them, replaced without sending them (RFC 4469, RFC 3516),
 * and by servers that can do neither.
 *
 * timeout: 300
 */
#include "config.h"

#define IMAP_KIT_KINDS 1
#include "imap_kit.h"

#include "base/base64.h"
#include "base/buf.h"
#include "mappers/message.h"
#include "mappers/message_elide.h"

#define FILE_BYTES 300000
#define LITTLE 20000 /* bytes of commands and answers; a file is far more */

static const uint64_t withouts[] = {
	0,
	UINT64_C(1) << IMAP_CAP_CATENATE,
	UINT64_C(1) << IMAP_CAP_BINARY,
	UINT64_C(1) << IMAP_CAP_CATENATE | UINT64_C(1) << IMAP_CAP_BINARY,
	UINT64_C(1) << IMAP_CAP_LITERAL_PLUS | UINT64_C(1) << IMAP_CAP_MULTIAPPEND,
};

/* One file in a nested multipart, another beside it, texts before and behind all parts. */
static char *large_message(struct lab *lab, const char *bytes)
{
	struct buf *lines = buf_new(lab), *code = buf_new(lab), *text = buf_new(lab);

	base64_encode(code, bytes, FILE_BYTES);
	for (size_t i = 0; i < code->len; i += 76)
		buf_printf(lines, "%.76s\r\n", code->data + i);
	buf_puts(text, "Subject: x\r\nMessage-ID: <large@x>\r\nContent-Type: multipart/mixed; "
		       "boundary=a\r\n\r\nA preamble.\r\n--a\r\n\r\nTask: x\r\n");
	buf_printf(text,
		   "--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
		   "image/png; name=p.png\r\nContent-Transfer-Encoding: base64\r\nX-Odd:\r\n 1\r\n"
		   "\r\n%s--b--\r\n",
		   lines->data);
	buf_printf(text,
		   "--a\r\nContent-Disposition: attachment; filename=l.txt\r\n\r\n%s\r\n--a--\r\n"
		   "An epilogue.\r\n",
		   lines->data);
	return buf_steal(&text, lab, NULL);
}

static struct endpoint_item read_there(struct lab *lab, const char *folder, const char *address)
{
	struct endpoint_item *items = NULL;

	fine(endpoint_fetch(lab->world.endpoint, lab, folder, &address, 1, &items), "fetch");
	fine(items[0].fault, "fetch");
	return items[0];
}

static char *size_there(struct lab *lab, const char *folder, const char *address)
{
	const char *size = strstr(look(lab, folder, address, "RFC822.SIZE"), "RFC822.SIZE ");

	cr_assert_not_null(size);
	size += strlen("RFC822.SIZE ");
	return mem_strndup(lab, size, strspn(size, "0123456789"));
}

static void expect_file(struct lab *lab, const char *folder, const char *text, const char *bytes)
{
	struct message *message = NULL;
	const struct file *file;
	char *got = NULL;
	size_t len = 0;

	fine(message_parse(lab, text, strlen(text), &message), "parse");
	cr_assert(message->files && message->files->count == 2, "%s", text);
	file = &message->files->list[0];
	fine(endpoint_download(lab->world.endpoint, lab, folder, file->uri, FILE_BYTES, &got, &len),
	     file->uri);
	cr_expect(len == FILE_BYTES && !memcmp(got, bytes, len), "%s: %zu bytes", file->uri, len);
	expect(endpoint_download(lab->world.endpoint, lab, folder, file->uri, 1000, &got, &len),
	       FAULT_DATA, FAULT_SCOPE_ITEM, "larger than is wanted");
}

static int64_t sent_bytes(struct lab *lab)
{
	return endpoint_stats(lab->world.endpoint).sent_bytes;
}

static void replace(uint64_t without)
{
	struct lab *lab = lab_new(IMAP_KIT_FIRST, without, "parts %llx", (unsigned long long)without);
	bool catenates = !(without & UINT64_C(1) << IMAP_CAP_CATENATE);
	char *folder = new_folder(lab), *bytes = MEM_ARRAY(lab, char, FILE_BYTES), *size;
	struct endpoint_put one = { .text = large_message(lab, bytes) };
	struct endpoint_item item;
	int64_t before;

	one.len = strlen(one.text);
	fine(endpoint_put(lab->world.endpoint, lab, folder, &one, 1), "put");
	fine(one.fault, "put");
	cr_assert(one.placed && !one.version, "it reads otherwise than it was put");
	item = read_there(lab, folder, one.placed);
	cr_expect_lt(item.len, (size_t)2000, "%s", item.text);
	expect_file(lab, folder, item.text, bytes);
	size = size_there(lab, folder, one.placed);

	one = (struct endpoint_put){ .address = one.placed,
				     .if_version = item.version,
				     .text = item.text,
				     .len = item.len };
	before = sent_bytes(lab);
	fine(endpoint_put(lab->world.endpoint, lab, folder, &one, 1), "replace");
	fine(one.fault, "replace");
	if (catenates)
		cr_expect_lt(sent_bytes(lab) - before, LITTLE);
	else
		cr_expect_gt(sent_bytes(lab) - before, 2 * FILE_BYTES);
	cr_expect_str_eq(size_there(lab, folder, one.placed), size);
	item = read_there(lab, folder, one.placed);
	expect_file(lab, folder, item.text, bytes);
	lab_end(lab);
}

Test(imap_parts, are_not_sent_again)
{
	for (size_t i = 0; i < COUNT_OF(withouts); i++)
		replace(withouts[i]);
}

/* Copied by the server or not: what is not there is no part of anything. */
Test(imap_parts, that_are_gone)
{
	for (size_t i = 0; i < 2; i++) {
		struct lab *lab = lab_new(IMAP_KIT_FIRST, withouts[i], "gone parts %zu", i);
		char *folder = new_folder(lab);
		struct endpoint_put first = put(lab, folder, "uid-1", NULL), one;
		char *got = NULL;
		size_t len = 0;

		one = (struct endpoint_put){
			.text = mem_printf(lab, "Subject: x\r\n\r\ntaskferry-part 7 100 %s",
					   first.placed)
		};
		one.len = strlen(one.text);
		if (i) { /* Dovecot copies a section that is not there as an empty one */
			fine(endpoint_put(lab->world.endpoint, lab, folder, &one, 1), "put");
			expect(one.fault, FAULT_CHANGED, FAULT_SCOPE_ITEM, "no such section");
		}
		one.text = "Subject: x\r\n\r\ntaskferry-part 1 100 elsewhere";
		one.len = strlen(one.text);
		fine(endpoint_put(lab->world.endpoint, lab, folder, &one, 1), "put");
		expect(one.fault, FAULT_CHANGED, FAULT_SCOPE_ITEM, "no such message");
		cr_assert_eq(notice(lab, folder, NULL)->count, 1);
		expect(endpoint_download(lab->world.endpoint, lab, folder,
					 mem_printf(lab, "7 %s", first.placed), 1000, &got, &len),
		       FAULT_DATA, FAULT_SCOPE_ITEM, "download");
		lab_end(lab);
	}
}
