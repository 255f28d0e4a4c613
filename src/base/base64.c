#include "config.h"

#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *out, const char *bytes, size_t len)
{
	const unsigned char *in = (const unsigned char *)bytes;

	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)in[i] << 16 | (n > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
				(n > 2 ? in[i + 2] : 0);
		char four[4] = { alphabet[bits >> 18], alphabet[bits >> 12 & 63],
				 n > 1 ? alphabet[bits >> 6 & 63] : '=',
				 n > 2 ? alphabet[bits & 63] : '=' };

		buf_add(out, four, sizeof four);
	}
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(TALLOC_CTX *mem, const char *text, size_t len, char **bytes_r, size_t *len_r)
{
	char *bytes = MEM_ARRAY(mem, char, len / 4 * 3 + 4);
	size_t out = 0, count = 0, padding = 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < len; i++) {
		int value = value_of(text[i]);

		if (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n')
			continue;
		if (text[i] == '=' && ++padding <= 2)
			continue;
		if (value < 0 || padding) {
			talloc_free(bytes);
			return false;
		}
		bits = bits << 6 | (uint32_t)value;
		if (++count % 4 == 0) {
			bytes[out++] = (char)(bits >> 16);
			bytes[out++] = (char)(bits >> 8);
			bytes[out++] = (char)bits;
		}
	}
	if (count % 4 == 1) {
		talloc_free(bytes);
		return false;
	}
	if (count % 4 > 1)
		bytes[out++] = (char)(bits >> (count % 4 == 2 ? 4 : 10));
	if (count % 4 == 3)
		bytes[out++] = (char)(bits >> 2);
	bytes[out] = '\0';
	*bytes_r = bytes;
	*len_r = out;
	return true;
}
