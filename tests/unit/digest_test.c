#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/digest.h"
#include "base/digest_private.h"
#include "base/mem.h"

/* FIPS 180-2 appendix B and the empty message. */
Test(digest, sha256)
{
	void *mem = talloc_new(NULL);
	char *million = talloc_size(mem, 1000000);

	cr_expect_str_eq(digest_sha256(mem, "abc", 3),
			 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	cr_expect_str_eq(digest_sha256(mem, NULL, 0),
			 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	cr_expect_str_eq(
		digest_sha256(mem, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56),
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', 1000000);
	cr_expect_str_eq(digest_sha256(mem, million, 1000000),
			 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	talloc_free(mem);
}

Test(digest, short_is_a_prefix)
{
	void *mem = talloc_new(NULL);

	cr_expect_str_eq(digest_short(mem, "abc", 3, 0), "");
	cr_expect_str_eq(digest_short(mem, "abc", 3, 1), "b");
	cr_expect_str_eq(digest_short(mem, "abc", 3, 8), "ba7816bf");
	cr_expect_str_eq(digest_short(mem, "abc", 3, 64), digest_sha256(mem, "abc", 3));
	talloc_free(mem);
}

Test(digest, is_put_behind_what_stands_there)
{
	void *mem = talloc_new(NULL);
	struct buf out = buf_of(mem, 0);

	buf_puts(&out, "id-");
	digest_put(&out, "abc", 3, 8);
	digest_put(&out, out.data, 0, 0);
	digest_put(&out, "abc", 3, DIGEST_HEX);
	cr_expect_str_eq(out.data,
			 mem_join(mem, "id-ba7816bf", digest_sha256(mem, "abc", 3), NULL));
	cr_expect_eq(out.len, strlen(out.data));
	cr_expect_eq(talloc_parent(out.data), mem);
	talloc_free(mem);
}

static const unsigned char namespace_dns[] = { 0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
					       0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8 };
static const unsigned char namespace_url[] = { 0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1,
					       0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8 };

/* The first is the vector of RFC 9562 appendix A.4; the second is Python's
 * uuid.uuid5(uuid.NAMESPACE_URL, "http://www.example.com/"). */
Test(digest, uuid5_published_vectors)
{
	void *mem = talloc_new(NULL);

	cr_expect_str_eq(digest_uuid5_name(mem, namespace_dns, "www.example.com", 15),
			 "2ed6657d-e927-568b-95e1-2665a8aea6a2");
	cr_expect_str_eq(digest_uuid5_name(mem, namespace_url, "http://www.example.com/", 23),
			 "fcde3c85-2270-590f-9e7c-ee003d65e0e2");
	talloc_free(mem);
}

/* Worked out by Python:
 *
 *     uuid.uuid5(uuid.NAMESPACE_URL, "".join("%d:%s," % (len(p.encode()), p) for p in parts))
 *
 * These may never change: UUIDs made so stand on servers. */
Test(digest, uuid5_of_parts)
{
	static const struct {
		const char *parts[3];
		size_t n;
		const char *uuid;
	} rows[] = {
		{ { "https://pm.example.com/web", "7", "ana@example.com" },
		  3,
		  "0735e1cc-8934-5699-8b02-3c119e756862" },
		{ { "ab", "c" }, 2, "1ec6f712-3a41-5794-994d-8bf216c4378b" },
		{ { "a", "bc" }, 2, "2515ab5f-c356-5189-9e5d-eca5f842d0e0" },
		{ { "abc" }, 1, "2f2c3782-14bf-5073-bc78-695c8574d6aa" },
		{ { "" }, 1, "4b92a684-5794-553d-b460-2365b8c1b6a1" },
		{ { "" }, 0, "1b4db7eb-4057-5ddf-91e0-36dec72071f5" },
		{ { "", "" }, 2, "32f4a8ee-cf6c-5a4e-88aa-19193d78aa8b" },
		{ { "Gr\xc3\xb6\xc3\x9f"
		    "e",
		    "\xe9\xa1\xb9\xe7\x9b\xae" },
		  2,
		  "d4b30e49-79d8-5aeb-b63f-2b0296e3f596" },
		{ { "1:a," },
		  1,
		  "e2869333-f745-5c0a-b49a-404390e8ce7d" }, /* a part that looks framed */
	};
	void *mem = talloc_new(NULL);

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *uuid = digest_uuid5(mem, rows[i].parts, rows[i].n);

		cr_expect(!strcmp(uuid, rows[i].uuid), "row %zu: expected %s, got %s", i,
			  rows[i].uuid, uuid);
	}
	talloc_free(mem);
}

Test(digest, uuid4_has_its_shape_and_differs)
{
	void *mem = talloc_new(NULL);

	for (int i = 0; i < 200; i++) {
		const char *uuid = digest_uuid4(mem), *other = digest_uuid4(mem);

		cr_assert(strlen(uuid) == 36 && strspn(uuid, "0123456789abcdef-") == 36, "%s",
			  uuid);
		cr_assert(uuid[8] == '-' && uuid[13] == '-' && uuid[18] == '-' && uuid[23] == '-',
			  "%s", uuid);
		cr_assert(uuid[14] == '4' && strchr("89ab", uuid[19]), "%s", uuid);
		cr_assert(strcmp(uuid, other) != 0, "%s twice", uuid);
	}
	talloc_free(mem);
}

Test(digest, random_is_below_its_bound)
{
	size_t seen[5] = { 0 };

	for (int i = 0; i < 1000; i++) {
		uint64_t number = digest_random(5);

		cr_assert(number < 5, "got %llu", (unsigned long long)number);
		seen[number]++;
	}
	for (size_t i = 0; i < COUNT_OF(seen);
	     i++) /* 200 expected, 8 standard deviations are 101 */
		cr_expect(seen[i] > 99 && seen[i] < 301, "%zu was seen %zu times", i, seen[i]);
	cr_expect(digest_random(1) == 0);
	cr_expect(digest_random(UINT64_MAX) < UINT64_MAX);
}

/* Of three quarters of all numbers a third is below one quarter; the plain rest of a division
 * would put half of them there. 333 of 1000 expected, 8 standard deviations are 119. */
Test(digest, random_is_even_for_a_bound_that_does_not_divide)
{
	size_t low = 0;

	for (int i = 0; i < 1000; i++)
		low += digest_random(UINT64_C(3) << 62) < UINT64_C(1) << 62;
	cr_expect(low > 214 && low < 452, "%zu of 1000", low);
}
