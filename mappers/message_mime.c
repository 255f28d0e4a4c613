#include "config.h"

#include "mappers/message_private.h"

#include <libetpan/libetpan.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* libetpan reads what the fields of a header mean. It is given one field at a time, unfolded, as a
 * string that ends with a NUL, with comments of bounded depth: inside of these limits it withstands
 * hostile input. What it returns is copied and freed at once.
 *
 * Transfer encodings: base64 is libetpan's; quoted-printable is ours (message_body.c), because its
 * decoder makes NULs of an `=` that begins no escape, and so loses what a person wrote into a raw
 * text.
 */

#define WORD_OVERHEAD 8 /* bytes of "=?c?Q??=", the shortest encoded word */

/* The value of a field without folds; what is no character of a header becomes a blank. */
static char *unfolded(TALLOC_CTX *mem, const char *text, const struct message_field *field)
{
	char *value = mem_bytes(mem, text + field->value, field->to - field->value), *out = value;

	for (const char *c = value, *end = value + (field->to - field->value); c < end; c++)
		if (*c == '\n' || (*c == '\r' && c + 1 < end && c[1] == '\n'))
			continue;
		else
			*out++ = (unsigned char)*c < ' ' || *c == 0x7f ? ' ' : *c;
	*out = '\0';
	return value;
}

/* Takes out comments, which libetpan does not expect everywhere that they may stand; in place. */
static void drop_comments(char *value)
{
	bool quoted = false;
	int depth = 0;
	char *out = value;

	for (const char *c = value; *c; c++) {
		bool escape = *c == '\\' && c[1] && (quoted || depth);

		if (depth) {
			depth += escape ? 0 : (*c == '(') - (*c == ')');
			c += escape;
			if (!depth)
				*out++ = ' ';
			continue;
		}
		if (escape)
			*out++ = *c++;
		else if (*c == '"')
			quoted = !quoted;
		else if (!quoted && *c == '(')
			depth = 1;
		if (!depth)
			*out++ = *c;
	}
	*out = '\0';
}

/* NULL when there is no field NAME. DATA fault: comments over the limit, on which libetpan, which
 * reads them by recursion, would spend its stack. */
static struct fault *structured(TALLOC_CTX *mem, const char *text, size_t from, size_t end,
				const char *name, char **value_r)
{
	struct message_field field;
	int depth = 0;
	char *value;

	if (!message_field_find(text, from, end, name, &field)) {
		*value_r = NULL;
		return NULL;
	}
	value = text_trim(mem, unfolded(mem, text, &field));
	for (const char *c = value; *c; c++) {
		depth += (*c == '(') - (*c == ')' && depth > 0);
		if (depth > MESSAGE_COMMENT_DEPTH_MAX)
			return message_fault(mem, "%s: comments nested more than %d deep", name,
					     MESSAGE_COMMENT_DEPTH_MAX);
	}
	drop_comments(value);
	*value_r = value;
	return NULL;
}

char *message_mime_value(TALLOC_CTX *mem, const char *text, size_t from, size_t end,
			 const char *name)
{
	char *value = NULL;
	struct fault *fault = structured(mem, text, from, end, name, &value);

	talloc_free(fault);
	return value;
}

/* Content-Type */

static const char *parameter(struct mailmime_content *content, const char *name)
{
	clistiter *at = content->ct_parameters ? clist_begin(content->ct_parameters) : NULL;

	for (; at; at = clist_next(at)) {
		const struct mailmime_parameter *parameter = clist_content(at);

		if (strcasecmp(parameter->pa_name, name) == 0)
			return parameter->pa_value;
	}
	return NULL;
}

static const char *main_type(const struct mailmime_type *type)
{
	static const char *const discrete[] = {
		[MAILMIME_DISCRETE_TYPE_TEXT] = "text",
		[MAILMIME_DISCRETE_TYPE_IMAGE] = "image",
		[MAILMIME_DISCRETE_TYPE_AUDIO] = "audio",
		[MAILMIME_DISCRETE_TYPE_VIDEO] = "video",
		[MAILMIME_DISCRETE_TYPE_APPLICATION] = "application",
	};

	if (type->tp_type == MAILMIME_TYPE_COMPOSITE_TYPE)
		switch (type->tp_data.tp_composite_type->ct_type) {
		case MAILMIME_COMPOSITE_TYPE_MULTIPART:
			return "multipart";
		case MAILMIME_COMPOSITE_TYPE_MESSAGE:
			return "message";
		default:
			return "x-unknown";
		}
	switch (type->tp_data.tp_discrete_type->dt_type) {
	case MAILMIME_DISCRETE_TYPE_TEXT:
	case MAILMIME_DISCRETE_TYPE_IMAGE:
	case MAILMIME_DISCRETE_TYPE_AUDIO:
	case MAILMIME_DISCRETE_TYPE_VIDEO:
	case MAILMIME_DISCRETE_TYPE_APPLICATION:
		return discrete[type->tp_data.tp_discrete_type->dt_type];
	default:
		return "x-unknown";
	}
}

/* RFC 2046 section 5.1.1: a boundary does not end with a blank. One of nothing, or longer than a
 * line, delimits nothing. */
static const char *usable_boundary(TALLOC_CTX *mem, const char *boundary)
{
	size_t len = boundary ? strlen(boundary) : 0;

	while (len && (boundary[len - 1] == ' ' || boundary[len - 1] == '\t'))
		len--;
	return len && len <= MESSAGE_BODY_LINE ? mem_strndup(mem, boundary, len) : NULL;
}

static bool says(struct mailmime_content *content, const char *name, const char *what)
{
	const char *value = parameter(content, name);

	return value && text_equal_nocase(value, what);
}

static void read_type(TALLOC_CTX *mem, const char *value, struct message_kind *kind)
{
	struct mailmime_content *content;
	size_t at = 0;
	char *type;

	kind->type = "";
	if (mailmime_content_parse(value, strlen(value), &at, &content) != MAILIMF_NO_ERROR)
		return;
	type = mem_printf(mem, "%s/%s", main_type(content->ct_type), content->ct_subtype);
	kind->type = text_lower(mem, type);
	talloc_free(type);
	kind->charset = mem_strdup(mem, parameter(content, "charset"));
	kind->flowed = says(content, "format", "flowed");
	kind->delsp = says(content, "delsp", "yes");
	if (text_starts(kind->type, "multipart/"))
		kind->boundary = usable_boundary(mem, parameter(content, "boundary"));
	kind->file = parameter(content, "name") || parameter(content, "name*") ||
		     parameter(content, "name*0") || parameter(content, "name*0*");
	mailmime_content_free(content);
}

/* Content-Transfer-Encoding */

static enum message_encoding read_encoding(const char *value)
{
	enum message_encoding encoding = MESSAGE_OPAQUE;
	struct mailmime_mechanism *mechanism;
	size_t at = 0;

	if (mailmime_encoding_parse(value, strlen(value), &at, &mechanism) != MAILIMF_NO_ERROR)
		return MESSAGE_OPAQUE;
	switch (mechanism->enc_type) {
	case MAILMIME_MECHANISM_7BIT:
	case MAILMIME_MECHANISM_8BIT:
	case MAILMIME_MECHANISM_BINARY:
		encoding = MESSAGE_IDENTITY;
		break;
	case MAILMIME_MECHANISM_QUOTED_PRINTABLE:
		encoding = MESSAGE_QUOTED_PRINTABLE;
		break;
	case MAILMIME_MECHANISM_BASE64:
		encoding = MESSAGE_BASE64;
		break;
	default:
		break;
	}
	mailmime_mechanism_free(mechanism);
	return encoding;
}

/* Content-Disposition */

static bool names_file(const struct mailmime_disposition_parm *parameter)
{
	if (parameter->pa_type == MAILMIME_DISPOSITION_PARM_FILENAME)
		return true;
	return parameter->pa_type == MAILMIME_DISPOSITION_PARM_PARAMETER &&
	       strncasecmp(parameter->pa_data.pa_parameter->pa_name, "filename*", 9) == 0;
}

static bool is_file(const char *value)
{
	struct mailmime_disposition *disposition;
	size_t at = 0;
	bool file;

	if (mailmime_disposition_parse(value, strlen(value), &at, &disposition) != MAILIMF_NO_ERROR)
		return false;
	file = disposition->dsp_type->dsp_type == MAILMIME_DISPOSITION_TYPE_ATTACHMENT;
	for (clistiter *i = clist_begin(disposition->dsp_parms); i; i = clist_next(i))
		file = file || names_file(clist_content(i));
	mailmime_disposition_free(disposition);
	return file;
}

struct fault *message_mime_kind(TALLOC_CTX *mem, const char *text, size_t from, size_t end,
				const char *type, struct message_kind *kind_r)
{
	struct message_kind kind = { .type = type };
	char *value;

	FAULT_TRY(structured(mem, text, from, end, "Content-Type", &value));
	if (value)
		read_type(mem, value, &kind);
	FAULT_TRY(structured(mem, text, from, end, "Content-Transfer-Encoding", &value));
	if (value)
		kind.encoding = read_encoding(value);
	FAULT_TRY(structured(mem, text, from, end, "Content-Disposition", &value));
	if (value)
		kind.file = is_file(value) || kind.file;
	*kind_r = kind;
	return NULL;
}

/* Encoded words */

/* An encoded word "=?charset?Q?text?=" at the beginning of TEXT: its length; 0: there is none. In Q
 * every `=` must begin an escape of a character: libetpan loses what follows another. */
static size_t word_length(const char *text)
{
	size_t charset, encoding, end;

	if (!text_starts(text, "=?"))
		return 0;
	charset = 2 + strcspn(text + 2, "? ");
	if (charset == 2 || text[charset] != '?' || !text[charset + 1] ||
	    !strchr("bBqQ", text[charset + 1]) || text[charset + 2] != '?')
		return 0;
	encoding = charset + 3;
	end = encoding + strcspn(text + encoding, "?");
	if (text[end] != '?' || text[end + 1] != '=')
		return 0;
	if (text[charset + 1] == 'q' || text[charset + 1] == 'Q')
		for (const char *c = text + encoding; c < text + end; c++)
			if (*c == '=' && (strspn(c + 1, "0123456789abcdefABCDEF") < 2 ||
					  (c[1] == '0' && c[2] == '0')))
				return 0;
	return end + 2;
}

/* Words of one charset that stand side by side; some writers part a character between two. */
struct words {
	struct buf *out;
	struct buf *bytes;
	char *charset;
};

static void flush(struct words *words)
{
	char *text = NULL;
	size_t len;
	bool clean;

	if (!words->charset)
		return;
	text = message_body_convert(words->out, words->charset, words->bytes->data,
				    words->bytes->len, &len, &clean);
	buf_add(words->out, text ? text : words->bytes->data, text ? len : words->bytes->len);
	talloc_free(text);
	buf_clear(words->bytes);
	talloc_free(words->charset);
	words->charset = NULL;
}

/* Adds the word of LEN bytes; false: libetpan refuses it. */
static bool add_word(struct words *words, const char *text, size_t len)
{
	char *copy = mem_strndup(words->out, text, len);
	struct mailmime_encoded_word *word = NULL;
	int forward = 0, unquoted = 0;
	size_t at = 0;
	bool good = mailmime_encoded_word_parse(copy, len, &at, &word, &forward, &unquoted) ==
		    MAILIMF_NO_ERROR;

	talloc_free(copy);
	if (!good)
		return false;
	if (words->charset && strcasecmp(words->charset, word->wd_charset) != 0)
		flush(words);
	if (!words->charset)
		words->charset = mem_strdup(words->out, word->wd_charset);
	buf_puts(words->bytes, word->wd_text);
	mailmime_encoded_word_free(word);
	return true;
}

/* RFC 2047 section 6.2: white space between two encoded words is none of the text. */
char *message_mime_decode(TALLOC_CTX *mem, const char *text)
{
	struct words words = { .out = buf_new(mem), .bytes = buf_new(mem) };

	while (*text) {
		size_t blanks = words.charset ? strspn(text, " \t") : 0;
		size_t len = word_length(text + blanks);

		if (len && add_word(&words, text + blanks, len)) {
			text += blanks + len;
			continue;
		}
		flush(&words);
		buf_putc(words.out, *text++);
	}
	flush(&words);
	return text_to_utf8(mem, words.out->data, words.out->len);
}

char *message_mime_words(TALLOC_CTX *mem, const char *text, size_t from, size_t end,
			 const char *name)
{
	TALLOC_CTX *tmp;
	struct message_field field;
	char *line;

	if (!message_field_find(text, from, end, name, &field))
		return NULL;
	tmp = MEM_CONTEXT(mem);
	line = message_mime_decode(tmp, text_trim(tmp, unfolded(tmp, text, &field)));
	line = text_trim(mem, text_one_line(tmp, line, strlen(line)));
	talloc_free(tmp);
	return line;
}

/* Base64 */

char *message_mime_base64(TALLOC_CTX *mem, const char *text, size_t len, size_t *len_r)
{
	const char *padding = memchr(text, '=', len);
	char *bytes, *decoded = NULL;
	size_t at = 0, decoded_len = 0;

	len = padding ? (size_t)(padding - text) : len;
	if (mailmime_base64_body_parse(text, len, &at, &decoded, &decoded_len) != MAILIMF_NO_ERROR)
		decoded_len = 0;
	bytes = mem_bytes(mem, decoded ? decoded : "", decoded_len);
	if (decoded)
		mailmime_decoded_part_free(decoded);
	*len_r = decoded_len;
	return bytes;
}
