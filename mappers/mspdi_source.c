#include "config.h"

#include "mappers/mspdi_private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The bytes of a file on their way to the parser, inside of bounds.
 *
 * libxml2 hands over a tag, and everything before the first element, only when it has seen the
 * whole of it; until then it looks at it again with every chunk, and compares each attribute with
 * all others (measured: a tag of 7 MB takes 20 to 100 s). So tags are measured here, by a scan that
 * knows just enough of XML: text, tags with quoted values, comments, CDATA, processing
 * instructions. In a document that is not well-formed the scan may go wrong; the parser has stopped
 * by then. A DOCTYPE never gets to the parser. What stands before the first element is bounded as a
 * whole.
 */

#define PROGRESS_STEP_BYTES ((int64_t)1 << 20) /* how often progress is told */

static const struct {
	const char *words;
	int64_t bound; /* bytes; 0: not about size */
} stops[] = {
	{ "", 0 },
	{ "the file is larger than", MSPDI_FILE_MAX },
	{ "one text or comment is larger than", MSPDI_NODE_MAX },
	{ "one tag is larger than", MSPDI_TAG_MAX },
	{ "not XML, or no element in the first", MSPDI_PROLOG_MAX },
	{ "a DOCTYPE is not accepted", 0 },
	{ "cannot be read", 0 },
};
_Static_assert(COUNT_OF(stops) == MSPDI_STOPS, "one row per reason");

/* How each thing begins behind its '<', what stands before the '>' that ends it, and how many
 * characters it has at least, the '>' included: "<!-->" ends no comment. Whatever begins otherwise
 * is a tag. */
static const struct {
	uint32_t first, second; /* 0: any */
	uint32_t end[2];
	int64_t least;
} ins[] = {
	{ 0, 0, { 0, 0 }, 0 },          { 0, 0, { 0, 0 }, 0 },     { '!', '-', { '-', '-' }, 6 },
	{ '!', '[', { ']', ']' }, 11 }, { '?', 0, { 0, '?' }, 4 }, { '!', 'D', { 0, 0 }, 0 },
};
_Static_assert(COUNT_OF(ins) == MSPDI_INS, "one row per thing");

/* The second or third character of "<x" decides what it is. */
static enum mspdi_in tell_in(const struct mspdi_scan *scan, uint32_t c)
{
	uint32_t first = scan->tag == 1 ? c : scan->before[1];

	for (int in = MSPDI_IN_COMMENT; in < MSPDI_INS; in++)
		if (ins[in].first == first &&
		    (!ins[in].second || (scan->tag == 2 && ins[in].second == c)))
			return (enum mspdi_in)in;
	return MSPDI_IN_TAG;
}

static void scan_tag(struct mspdi_scan *scan, uint32_t c)
{
	if (scan->tag <= 2)
		scan->in = tell_in(scan, c);
	if (scan->in != MSPDI_IN_TAG)
		return;
	if (scan->quote) {
		if (c == scan->quote)
			scan->quote = 0;
	} else if (c == '"' || c == '\'') {
		scan->quote = c;
	} else if (c == '>') {
		scan->in = MSPDI_IN_TEXT;
	}
}

static void scan_char(struct mspdi_scan *scan, uint32_t c)
{
	const uint32_t *end = ins[scan->in].end;

	scan->tag++;
	if (scan->in == MSPDI_IN_TAG) {
		scan_tag(scan, c);
	} else if (scan->in == MSPDI_IN_TEXT) {
		if (c == '<') {
			scan->in = MSPDI_IN_TAG;
			scan->tag = 0;
			scan->quote = 0;
		}
	} else if (c == '>' && scan->tag >= ins[scan->in].least && scan->before[1] == end[1] &&
		   (!end[0] || scan->before[0] == end[0])) {
		scan->in = MSPDI_IN_TEXT;
	}
	scan->before[0] = scan->before[1];
	scan->before[1] = c;
}

/* From the first two bytes: a byte order mark, or a '<' with a zero beside it, is UTF-16. */
static void find_width(struct mspdi_scan *scan, unsigned char a, unsigned char b)
{
	bool big = (a == 0xfe && b == 0xff) || (a == 0 && b == '<');
	bool little = (a == 0xff && b == 0xfe) || (a == '<' && b == 0);

	scan->big_endian = big;
	scan->width = big || little ? 2 : 1;
}

static void scan_byte(struct mspdi_scan *scan, unsigned char byte)
{
	if (scan->width == 1) {
		scan_char(scan, byte);
	} else if (!scan->half) {
		scan->half = true;
		scan->unit = byte;
	} else {
		scan->half = false;
		if (scan->width == 0) {
			find_width(scan, (unsigned char)scan->unit, byte);
			if (scan->width == 1) {
				scan_char(scan, scan->unit);
				scan_char(scan, byte);
				return;
			}
		}
		scan_char(scan, scan->big_endian ? scan->unit << 8 | byte
						 : (uint32_t)byte << 8 | scan->unit);
	}
}

/* How many of the next bytes change nothing but the length of the tag: a short cut for the bulk of
 * a file. */
static size_t scan_plain(struct mspdi_scan *scan, const char *bytes, size_t n)
{
	const char *found;
	size_t i = 0;

	if (scan->width != 1 || scan->quote)
		return 0;
	if (scan->in == MSPDI_IN_TEXT) {
		found = memchr(bytes, '<', n);
		return found ? (size_t)(found - bytes) : n;
	}
	if (scan->in != MSPDI_IN_TAG || scan->tag < 2)
		return 0;
	while (i < n && bytes[i] != '>' && bytes[i] != '"' && bytes[i] != '\'')
		i++;
	scan->tag += (int64_t)i;
	return i;
}

static enum mspdi_stop scan_bytes(struct mspdi_scan *scan, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		i += scan_plain(scan, bytes + i, n - i);
		if (scan->in == MSPDI_IN_TAG && scan->tag > MSPDI_TAG_MAX)
			return MSPDI_STOP_TAG;
		if (i < n)
			scan_byte(scan, (unsigned char)bytes[i]);
		if (scan->in == MSPDI_IN_DOCTYPE)
			return MSPDI_STOP_DOCTYPE;
	}
	return MSPDI_STOP_NONE;
}

static ssize_t read_bytes(struct mspdi_source *source, char *to, size_t len)
{
	size_t left;
	ssize_t n;

	if (source->fd >= 0) {
		do
			n = read(source->fd, to, len);
		while (n < 0 && errno == EINTR);
		return n;
	}
	left = (size_t)(source->total - source->done);
	if (len > left)
		len = left;
	if (len)
		memcpy(to, source->text + source->done, len);
	return (ssize_t)len;
}

static int stop(struct mspdi_source *source, enum mspdi_stop why)
{
	source->stop = why;
	return -1;
}

int mspdi_source_feed(void *data, char *to, int len)
{
	struct mspdi_source *source = data;
	ssize_t n;

	if (source->stop != MSPDI_STOP_NONE)
		return -1;
	if (source->rooted && source->done - source->node_at > MSPDI_NODE_MAX)
		return stop(source, MSPDI_STOP_NODE);
	if (!source->rooted && source->done > MSPDI_PROLOG_MAX)
		return stop(source, MSPDI_STOP_PROLOG);
	n = read_bytes(source, to, (size_t)len);
	if (n < 0) {
		source->stop_errno = errno;
		return stop(source, MSPDI_STOP_IO);
	}
	source->done += n;
	if (source->done > MSPDI_FILE_MAX)
		return stop(source, MSPDI_STOP_FILE);
	source->stop = scan_bytes(&source->scan, to, (size_t)n);
	return source->stop == MSPDI_STOP_NONE ? (int)n : -1;
}

void mspdi_source_node(struct mspdi_source *source, bool is_element)
{
	source->rooted = source->rooted || is_element;
	source->node_at = source->done;
	if (!source->progress || source->done - source->told_at < PROGRESS_STEP_BYTES)
		return;
	source->told_at = source->done;
	source->progress(source->data, source->done, source->total);
}

struct fault *mspdi_source_fault(TALLOC_CTX *mem, const struct mspdi_source *source, long line)
{
	const char *words = stops[source->stop].words;

	if (source->stop == MSPDI_STOP_IO)
		return fault_new(mem, FAULT_IO, "%s: %s: %s", source->name, words,
				 strerror(source->stop_errno));
	if (!stops[source->stop].bound)
		return fault_new(mem, FAULT_DATA, "%s:%ld: %s", source->name, line, words);
	return fault_new(mem, FAULT_DATA, "%s:%ld: %s %lld KiB", source->name, line, words,
			 (long long)(stops[source->stop].bound >> 10));
}
