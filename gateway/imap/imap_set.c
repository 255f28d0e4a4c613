#include "config.h"

#include "gateway/imap/imap_set.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#define ADDRESS_DIGITS 10 /* of 2^32 - 1 */

/* ---- addresses ---- */

void imap_set_spot_write(char address[IMAP_ADDRESS_SIZE], const struct imap_spot *spot)
{
	(void)snprintf(address, IMAP_ADDRESS_SIZE, "%s%010" PRIu32 ".%010" PRIu32,
		       spot->done ? "d" : "", spot->uidvalidity, spot->uid);
}

char *imap_set_address(TALLOC_CTX *mem, uint32_t uidvalidity, uint32_t uid)
{
	const struct imap_spot spot = { false, uidvalidity, uid };
	char address[IMAP_ADDRESS_SIZE];

	imap_set_spot_write(address, &spot);
	return mem_strdup(mem, address);
}

static bool read_digits(const char *text, size_t n, uint32_t *value_r)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
		if (value > UINT32_MAX)
			return false;
	}
	*value_r = (uint32_t)value;
	return n > 0 && value > 0;
}

static bool read_address(const char *address, size_t len, uint32_t *uidvalidity_r, uint32_t *uid_r)
{
	uint32_t uidvalidity, uid;

	if (len != 2 * ADDRESS_DIGITS + 1 || address[ADDRESS_DIGITS] != '.')
		return false;
	if (!read_digits(address, ADDRESS_DIGITS, &uidvalidity) ||
	    !read_digits(address + ADDRESS_DIGITS + 1, ADDRESS_DIGITS, &uid))
		return false;
	*uidvalidity_r = uidvalidity;
	*uid_r = uid;
	return true;
}

bool imap_set_address_read(const char *address, uint32_t *uidvalidity_r, uint32_t *uid_r)
{
	return address && read_address(address, strlen(address), uidvalidity_r, uid_r);
}

bool imap_set_spot_read(const char *version, struct imap_spot *spot_r)
{
	struct imap_spot spot = { .done = version && *version == 'd' };

	if (!imap_set_version_read(spot.done ? version + 1 : version, &spot.uidvalidity, &spot.uid))
		return false;
	*spot_r = spot;
	return true;
}

bool imap_set_version_read(const char *version, uint32_t *uidvalidity_r, uint32_t *uid_r)
{
	return version && read_address(version, strcspn(version, " "), uidvalidity_r, uid_r);
}

/* ---- lists ---- */

void imap_set_add(TALLOC_CTX *mem, struct imap_uids *uids, uint32_t uid)
{
	if (uids->count == uids->size) {
		uids->size = uids->size ? uids->size * 2 : 64;
		uids->uid = MEM_GROW(mem, uids->uid, uint32_t, uids->size);
	}
	uids->uid[uids->count++] = uid;
}

static int compare_uids(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return a < b ? -1 : a > b;
}

bool imap_set_sort(struct imap_uids *uids)
{
	if (uids->count)
		qsort(uids->uid, uids->count, sizeof *uids->uid, compare_uids);
	for (size_t i = 1; i < uids->count; i++)
		if (uids->uid[i] == uids->uid[i - 1])
			return false;
	return true;
}

bool imap_set_has(const struct imap_uids *sorted, uint32_t uid)
{
	return sorted->count && bsearch(&uid, sorted->uid, sorted->count, sizeof uid, compare_uids);
}

/* ---- sets ---- */

char *imap_set_text(TALLOC_CTX *mem, const uint32_t *uids, size_t count)
{
	struct imap_uids sorted = { MEM_ARRAY(mem, uint32_t, count), count, count };
	struct buf *out = buf_new(mem);
	size_t next;

	assert(count);
	memcpy(sorted.uid, uids, count * sizeof *uids);
	(void)imap_set_sort(&sorted);
	for (size_t i = 0; i < count; i = next) {
		uint32_t last = sorted.uid[i];

		for (next = i + 1; next < count && sorted.uid[next] - last <= 1; next++)
			last = sorted.uid[next];
		buf_printf(out, "%s%" PRIu32, i ? "," : "", sorted.uid[i]);
		if (last != sorted.uid[i])
			buf_printf(out, ":%" PRIu32, last);
	}
	talloc_free(sorted.uid);
	return buf_steal(&out, mem, NULL);
}

static bool add_range(TALLOC_CTX *mem, uint32_t from, uint32_t to, size_t max,
		      struct imap_uids *uids)
{
	uint32_t low = from < to ? from : to, n = (from < to ? to : from) - low;

	if (uids->count >= max || n > max - uids->count - 1)
		return false;
	for (uint32_t i = 0; i <= n; i++)
		imap_set_add(mem, uids, low + i);
	return true;
}

bool imap_set_read(TALLOC_CTX *mem, const char *text, size_t max, struct imap_uids *uids)
{
	for (const char *at = text;; at++) {
		size_t n = strspn(at, "0123456789");
		uint32_t from, to;

		if (!read_digits(at, n, &from))
			return false;
		at += n;
		to = from;
		if (*at == ':') {
			n = strspn(++at, "0123456789");
			if (!read_digits(at, n, &to))
				return false;
			at += n;
		}
		if (!add_range(mem, from, to, max, uids))
			return false;
		if (!*at)
			return true;
		if (*at != ',')
			return false;
	}
}

/* ---- dates ---- */

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* 1 to 12, or 0. */
static int month_of(const char *name)
{
	for (int i = 0; i < 12; i++)
		if (!strncasecmp(name, months + 3 * i, 3))
			return i + 1;
	return 0;
}

static bool has_shape(const char *text, const char *shape)
{
	for (; *shape; shape++, text++) {
		bool ok = *shape == '9'   ? isdigit((unsigned char)*text) != 0
			  : *shape == 'a' ? isalpha((unsigned char)*text) != 0
			  : *shape == '?' ? *text == ' ' || isdigit((unsigned char)*text)
			  : *shape == '+' ? *text == '+' || *text == '-'
					  : *text == *shape;

		if (!ok)
			return false;
	}
	return !*text;
}

bool imap_set_date_read(const char *text, int64_t *us_r)
{
	int month, zone_min;
	char utc[32];
	int64_t us;

	if (!has_shape(text, "?9-aaa-9999 99:99:99 +9999"))
		return false;
	month = month_of(text + 3);
	zone_min = ((text[22] - '0') * 10 + text[23] - '0') * 60 + (text[24] - '0') * 10 +
		   text[25] - '0';
	(void)snprintf(utc, sizeof utc, "%.4s-%02d-%c%cT%.8sZ", text + 7, month,
		       *text == ' ' ? '0' : *text, text[1], text + 12);
	if (!month || !clock_from_rfc3339(utc, &us))
		return false;
	*us_r = us - (text[21] == '-' ? -zone_min : zone_min) * 60 * CLOCK_SECOND_US;
	return true;
}
