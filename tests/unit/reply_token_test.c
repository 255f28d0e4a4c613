#include "config.h"

#include <criterion/criterion.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "model/reply_token.h"

#define UID "3f2b8c1e-9d40-5a77-8e21-00ff12ab34cd"
#define OTHER "3f2b8c1e-9d40-5a77-8e21-00ff12ab34ce"
#define ANA "ana@example.com"
#define DAY 20000

static const struct reply_token_secret secret = { "0123456789abcdef", 16 };
static const struct reply_token_secret another = { "0123456789abcdeg", 16 };

static char *made(TALLOC_CTX *mem)
{
	return reply_token_make(mem, &secret, UID, ANA, DAY);
}

/* RFC 4231, test cases 1, 2, 6. */
Test(digest, hmac)
{
	static const struct {
		const char *key, *text, *mac;
		size_t key_len;
		char fill;
	} rows[] = {
		{ NULL, "Hi There",
		  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", 20, 0x0b },
		{ "Jefe", "what do ya want for nothing?",
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", 4, 0 },
		{ NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", 131,
		  (char)0xaa },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsigned char mac[DIGEST_HMAC_BYTES];
		char key[200], hex[2 * DIGEST_HMAC_BYTES + 1];

		memset(key, rows[i].fill, sizeof key);
		digest_hmac(rows[i].key ? rows[i].key : key, rows[i].key_len, rows[i].text,
			    strlen(rows[i].text), mac);
		for (size_t n = 0; n < sizeof mac; n++)
			sprintf(hex + 2 * n, "%02x", mac[n]);
		cr_expect_str_eq(hex, rows[i].mac, "row %zu: %s", i, hex);
	}
}

Test(reply_token, says_what_it_was_made_of)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	struct reply_token token = { NULL, 0 };
	char *text = made(mem);

	cr_assert(text);
	cr_expect_eq(strlen(text), REPLY_TOKEN_CHARS);
	cr_expect_eq(strspn(text, "abcdefghijklmnopqrstuvwxyz234567"), REPLY_TOKEN_CHARS);
	cr_assert(reply_token_read(mem, text, &token));
	cr_expect_str_eq(token.uid, UID);
	cr_expect_eq(token.last_day, DAY);
	cr_expect_eq(reply_token_check(mem, &secret, text, UID, ANA, DAY), REPLY_TOKEN_GOOD);
	cr_expect_str_eq(text, made(mem), "the same every time");
	talloc_free(mem);
}

Test(reply_token, is_good_for_one_assignment_and_person_until_its_day)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = made(mem), *longer = mem_printf(mem, "%sa", text);
	const struct {
		const char *what, *text, *uid, *key;
		const struct reply_token_secret *secret;
		int32_t today;
		enum reply_token_worth worth;
	} rows[] = {
		{ "as made", text, UID, ANA, &secret, 0, REPLY_TOKEN_GOOD },
		{ "the day after", text, UID, ANA, &secret, DAY + 1, REPLY_TOKEN_EXPIRED },
		{ "another assignment", text, OTHER, ANA, &secret, DAY, REPLY_TOKEN_FORGED },
		{ "another person", text, UID, "bob@example.com", &secret, DAY,
		  REPLY_TOKEN_FORGED },
		{ "another secret", text, UID, ANA, &another, DAY, REPLY_TOKEN_FORGED },
		{ "another secret, late", text, UID, ANA, &another, DAY + 1, REPLY_TOKEN_FORGED },
		{ "no UID", text, "ana", ANA, &secret, DAY, REPLY_TOKEN_FORGED },
		{ "cut", mem_strndup(mem, text, REPLY_TOKEN_CHARS - 1), UID, ANA, &secret, DAY,
		  REPLY_TOKEN_FORGED },
		{ "longer", longer, UID, ANA, &secret, DAY, REPLY_TOKEN_FORGED },
		{ "nothing", "", UID, ANA, &secret, DAY, REPLY_TOKEN_FORGED },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect_eq(reply_token_check(mem, rows[i].secret, rows[i].text, rows[i].uid,
					       rows[i].key, rows[i].today),
			     rows[i].worth, "%s", rows[i].what);
	talloc_free(mem);
}

Test(reply_token, no_character_can_be_another)
{
	static const char confusable[] = "0189-_=+. oO\xc3";
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = made(mem);

	for (size_t i = 0; i < REPLY_TOKEN_CHARS; i++) {
		char *other = mem_strdup(mem, text);

		other[i] = other[i] == 'a' ? 'b' : 'a';
		cr_expect_neq(reply_token_check(mem, &secret, other, UID, ANA, 0), REPLY_TOKEN_GOOD,
			      "character %zu", i);
		for (const char *c = confusable; *c; c++) {
			struct reply_token token;

			other[i] = *c;
			if (*c != 'o' && *c != 'O')
				cr_expect_not(reply_token_read(mem, other, &token), "%s", other);
		}
	}
	talloc_free(mem);
}

Test(reply_token, case_does_not_matter)
{
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = made(mem);

	for (size_t i = 0; i < REPLY_TOKEN_CHARS; i += 2)
		if (text[i] >= 'a')
			text[i] = (char)(text[i] - 'a' + 'A');
	cr_expect_eq(reply_token_check(mem, &secret, text, UID, ANA, 0), REPLY_TOKEN_GOOD);
	talloc_free(mem);
}

Test(reply_token, what_cannot_be_in_one)
{
	TALLOC_CTX *mem = talloc_new(NULL);

	cr_expect_null(reply_token_make(mem, &secret, "ana-1", ANA, DAY));
	cr_expect_null(reply_token_make(mem, &secret, UID, ANA, -1));
	cr_expect_null(reply_token_make(mem, &secret, UID, ANA, 0x10000));
	cr_expect_null(
		reply_token_make(mem, &secret, "3f2b8c1e09d40-5a77-8e21-00ff12ab34cd", ANA, 1));
	talloc_free(mem);
}

Test(reply_token, addresses)
{
	static const char plus[] = "tasks+%{token}@example.com", all[] = "%{token}@r.example.com";
	TALLOC_CTX *mem = talloc_new(NULL);
	char *text = made(mem), *address = reply_token_address(mem, plus, text);

	cr_expect(text_is_address(address), "%s", address);
	cr_expect_leq(strcspn(address, "@"), CONF_REPLY_LOCAL_MAX);
	cr_expect_str_eq(reply_token_of(mem, plus, address), text);
	cr_expect_str_eq(reply_token_of(mem, plus, mem_printf(mem, "Tasks+%s@Example.COM", text)),
			 text);
	cr_expect_str_eq(reply_token_of(mem, all, reply_token_address(mem, all, text)), text);
	cr_expect_null(reply_token_of(mem, plus, "tasks@example.com"));
	cr_expect_null(reply_token_of(mem, plus, "tasks+@example.com"));
	cr_expect_null(reply_token_of(mem, plus, reply_token_address(mem, all, text)));
	cr_expect_null(reply_token_of(mem, plus, mem_printf(mem, "%sx", address)));
	talloc_free(mem);
}
