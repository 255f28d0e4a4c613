/* vtodo_private.h - what the files of the VTODO mapper share. Not for others. */
#ifndef TASKFERRY_VTODO_PRIVATE_H
#define TASKFERRY_VTODO_PRIVATE_H

#include "mappers/icaltext.h"
#include "mappers/vtodo.h"

extern const struct icaltext_limits vtodo_limits;

#define VTODO_EDITION "X-TASKFERRY-EDITION"
#define VTODO_PRODID "-//taskferry//taskferry " PACKAGE_VERSION "//EN" /* of items that we make */
#define VTODO_PROBLEMS_MAX 50 /* per item; what comes after is not named */
#define VTODO_SHOWN_CHARS 60  /* of a refused value in a problem */

/* A tokenised item and its one VTODO. */
struct vtodo_item {
	struct icaltext *ical;
	uint32_t todo; /* index of the component */
};

/* vtodo.c: DATA fault as vtodo_decode(). TEXT must outlive the item. */
struct fault *vtodo_open(TALLOC_CTX *mem, const char *text, size_t len,
			 struct vtodo_item *item_r) ATTR_MUST_CHECK;

/* True for a RELATED-TO that names the parent (RFC 5545 section 3.2.15: also without RELTYPE). */
bool vtodo_is_parent(TALLOC_CTX *mem, const struct icaltext_line *line);

/* vtodo.c: makes VALUES what vtodo_normal() says, but for the actual work, which is written but not
 * read. */
void vtodo_shape(struct vector *values);

/* vtodo_decode.c: what a patch must know beyond the values. */
struct vtodo_seen {
	struct vtodo *vtodo;
	struct value actual_work;   /* as it stands; output only, so not among the values */
	enum when_kind due_written; /* the type of the text */
};

/* Every core property that is not there is cleared, as a patch wants it. */
void vtodo_decode_item(TALLOC_CTX *mem, const struct vtodo_item *item, const char *last,
		       struct vtodo_seen *seen_r);

/* vtodo_writer.c: takes back what the client that wrote ITEM did not mean: what it dropped, and a
 * start that it made of the due date. */
void vtodo_writer_apply(const struct vtodo_item *item, struct vtodo *vtodo);

/* vtodo_encode.c: adds what stands behind the name of a property: parameters, if any, without a `:`
 * in them, then `:` and the value (";VALUE=DATE:20261121"). False, and nothing added: the item shall
 * not have the property. VALUE is of vtodo_shape(). */
bool vtodo_encode_field(struct buf *out, enum field field, const struct value *value);

void vtodo_encode_stamp(struct buf *out, int64_t us);

/* The instant that stands for WHEN where only one may (RFC 5545 section 3.8.2.1: UTC). */
struct when vtodo_encode_utc(const struct when *when);
void vtodo_encode_edition(struct buf *out, const struct vtodo_publish *publish);

/* The whole text of DESCRIPTION, not escaped; "" when there is none. NOTES may be NULL. */
char *vtodo_encode_description(TALLOC_CTX *mem, const char *notes, const char *trailer);

/* vtodo_files.c: an ATTACH line; false: it is none of the sorts that are understood. */
bool vtodo_files_read(TALLOC_CTX *mem, const struct icaltext_line *line, struct file *file_r);

/* All of an item, at most FILES_COUNT_MAX; NULL: none. */
struct files *vtodo_files_all(TALLOC_CTX *mem, const struct vtodo_item *item);

/* The content line of an attachment that we put. */
char *vtodo_files_line(TALLOC_CTX *mem, const struct files_content *file);

/* Takes away and adds lines as PUBLISH says. */
void vtodo_files_patch(TALLOC_CTX *mem, const struct vtodo_item *item,
		       const struct vtodo_publish *publish, struct icaltext_edit *edit);

/* vtodo_text.c: TEXT values (RFC 5545 section 3.3.11). */

/* The value as well-formed UTF-8, unescaped, quoted-printable decoded; *CLEAN_R is false when bytes
 * had to be replaced. */
char *vtodo_text_read(TALLOC_CTX *mem, const struct icaltext_line *line, bool *clean_r);

/* The names of a CATEGORIES line, unescaped, one a line, added to NAMES. */
void vtodo_text_read_list(TALLOC_CTX *mem, const struct icaltext_line *line, struct buf *names);

/* The value of a property that is no text: UTF-8, without blanks at the ends. */
char *vtodo_text_word(TALLOC_CTX *mem, const struct icaltext_line *line);

/* Adds TEXT, escaped; the second knows that it is clean (text_is_clean()). */
void vtodo_text_put(struct buf *out, const char *text);
void vtodo_text_put_clean(struct buf *out, const char *text);

/* vtodo_zone.c: local time -> UTC. Finds the zone TZID by its VTIMEZONE in ICAL, else as an IANA
 * name, also with a prefix in front. *OFFSET_R is the zone's offset from UTC in seconds at that
 * wall time (in a gap: the one before, in an overlap: the first); *NAME_R the IANA name within
 * TZID, or NULL. False when there is no such zone or its VTIMEZONE is beyond us. Any thread may
 * call it. */
bool vtodo_zone_offset(TALLOC_CTX *mem, const struct icaltext *ical, const char *tzid, int32_t day,
		       int32_t second, int32_t *offset_r, const char **name_r);

/* vtodo_time.c: dates, times, durations. */
struct vtodo_time {
	bool known;
	struct when when;
	enum when_kind written; /* the type of the text */
	const char *problem;    /* NULL, or what was odd; also when known */
	/* the wall time as written */
	int32_t day, second;
	bool utc;
	const char *tzid; /* NULL: floating or UTC */
};

void vtodo_time_read(TALLOC_CTX *mem, const struct icaltext *ical, const struct icaltext_line *line,
		     struct vtodo_time *time_r);

/* 23:59:59 becomes the date (facts: a client's way to write a whole day). */
void vtodo_time_whole_day(struct vtodo_time *time);

/* START plus the duration that LINE holds (RFC 5545 section 3.3.6: days are nominal, hours exact).
 */
void vtodo_time_add(TALLOC_CTX *mem, const struct icaltext *ical, const struct vtodo_time *start,
		    const struct icaltext_line *line, struct vtodo_time *time_r);

/* "20261121" or "20261121T080000" with an optional `Z`, fraction and lower case; false: no such
 * date or time. With EARLY a year before WHEN_YEAR_MIN counts as that year. */
bool vtodo_time_scan(const char *text, bool early, int32_t *day_r, int32_t *second_r, bool *timed_r,
		     bool *utc_r);

#endif
