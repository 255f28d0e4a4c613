#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "gateway/net/stream_deflate.h"

/* Two ends that speak with each other, and one that is told nonsense. */

#define LARGE ((size_t)4 << 20)

/* All that TO takes of what FROM puts, in portions of CAP. */
static char *through(TALLOC_CTX *mem, struct stream_deflate *from, struct stream_deflate *to,
		     const char *bytes, size_t n, size_t cap, size_t *wire_r)
{
	struct buf *wire = buf_new(mem), *got = buf_new(mem);
	char *portion = MEM_ARRAY(mem, char, cap);
	size_t one = 1;

	stream_deflate_put(from, bytes, n, wire);
	stream_deflate_feed(to, wire->data, wire->len);
	*wire_r = wire->len;
	while (one) {
		cr_assert_null(stream_deflate_take(to, mem, portion, cap, &one));
		cr_assert_leq(one, cap);
		buf_add(got, portion, one);
	}
	cr_expect_not(stream_deflate_has_more(to));
	cr_expect_eq(got->len, n);
	return got->data;
}

Test(stream_deflate, both_ends_understand_each_other)
{
	static const char *const texts[] = { "T1 NOOP\r\n", "", "T2 NOOP\r\n", "\0\1\2",
					     "T3 UID FETCH 1:* (UID FLAGS)\r\n" };
	static const size_t caps[] = { 1, 7, 16384 };

	for (size_t i = 0; i < COUNT_OF(caps); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct stream_deflate *a = stream_deflate_new(mem), *b = stream_deflate_new(mem);
		size_t wire;

		for (size_t j = 0; j < 3 * COUNT_OF(texts); j++) {
			const char *text = texts[j % COUNT_OF(texts)];

			cr_expect_str_eq(through(mem, a, b, text, strlen(text), caps[i], &wire),
					 text);
			if (j % 2)
				stream_deflate_rest(a); /* and goes on where it was */
		}
		talloc_free(mem);
	}
}

Test(stream_deflate, what_repeats_itself_is_small)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct stream_deflate *a = stream_deflate_new(mem), *b = stream_deflate_new(mem);
	char *zeros = MEM_ARRAY(mem, char, LARGE);
	size_t wire;

	cr_expect(!memcmp(through(mem, a, b, zeros, LARGE, 16384, &wire), zeros, LARGE));
	cr_expect_lt(wire, LARGE / 100);
	talloc_free(mem);
}

/* A small input that stands for a large text is taken as it is asked for, and may be left. */
Test(stream_deflate, a_bomb_is_taken_in_portions)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct stream_deflate *a = stream_deflate_new(mem), *b = stream_deflate_new(mem);
	struct buf *wire = buf_new(mem);
	char *zeros = MEM_ARRAY(mem, char, LARGE), portion[100];
	size_t n;

	stream_deflate_put(a, zeros, LARGE, wire);
	stream_deflate_feed(b, wire->data, wire->len);
	for (int i = 0; i < 10; i++) {
		cr_assert_null(stream_deflate_take(b, mem, portion, sizeof portion, &n));
		cr_assert_eq(n, sizeof portion);
		cr_assert(stream_deflate_has_more(b));
	}
	talloc_free(mem);
}

static const struct {
	const char *what, *bytes;
	size_t n;
	enum fault_kind kind;
} wrongs[] = {
	{ "a line of IMAP", "* 3 EXISTS\r\n", 12, FAULT_PROTOCOL },
	{ "a kind of block that there is not", "\7", 1, FAULT_PROTOCOL },
	{ "a distance before the beginning", "\x03\xff\xff\xff\xff", 5, FAULT_PROTOCOL },
	{ "the end", "\3\0", 2, FAULT_UNREACHABLE },
};

Test(stream_deflate, nonsense_is_told)
{
	for (size_t i = 0; i < COUNT_OF(wrongs); i++) {
		TALLOC_CTX *mem = talloc_new(NULL);
		struct stream_deflate *deflate = stream_deflate_new(mem);
		struct fault *fault = NULL;
		char bytes[100];
		size_t n;

		stream_deflate_feed(deflate, wrongs[i].bytes, wrongs[i].n);
		for (int j = 0; j < 3 && !fault; j++)
			fault = stream_deflate_take(deflate, mem, bytes, sizeof bytes, &n);
		cr_assert_not_null(fault, "%s", wrongs[i].what);
		cr_expect_eq(fault->kind, wrongs[i].kind, "%s: %s", wrongs[i].what, fault->text);
		talloc_free(mem);
	}
}
