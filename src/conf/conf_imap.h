/* conf_imap.h - the one table of the IMAP extensions that we use: its users are the key `without`, the
 * session and its contract tests, and the doctor. A new extension is a row here. */
#ifndef TASKFERRY_CONF_IMAP_H
#define TASKFERRY_CONF_IMAP_H

/* id, word of CAPABILITY */
#define CONF_IMAP_TABLE(X)                                                                         \
	X(IDLE, "IDLE")                   /* RFC 2177 */                                           \
	X(UIDPLUS, "UIDPLUS")             /* RFC 4315 */                                           \
	X(CONDSTORE, "CONDSTORE")         /* RFC 7162 */                                           \
	X(QRESYNC, "QRESYNC")             /* RFC 7162 */                                           \
	X(LITERAL_PLUS, "LITERAL+")       /* RFC 7888: of any size without waiting */              \
	X(LITERAL_MINUS, "LITERAL-")      /* RFC 7888: up to 4096 bytes */                         \
	X(MULTIAPPEND, "MULTIAPPEND")     /* RFC 3502 */                                           \
	X(NAMESPACE, "NAMESPACE")         /* RFC 2342 */                                           \
	X(ESEARCH, "ESEARCH")             /* RFC 4731 */                                           \
	X(SAVEDATE, "SAVEDATE")           /* RFC 8514 */                                           \
	X(ID, "ID")                       /* RFC 2971 */                                           \
	X(OBJECTID, "OBJECTID")           /* RFC 8474 */                                           \
	X(MOVE, "MOVE")                   /* RFC 6851 */                                           \
	X(NOTIFY, "NOTIFY")               /* RFC 5465 */                                           \
	X(METADATA, "METADATA")           /* RFC 5464 */                                           \
	X(LIST_STATUS, "LIST-STATUS")     /* RFC 5819 */                                           \
	X(LIST_EXTENDED, "LIST-EXTENDED") /* RFC 5258 */                                           \
	X(SPECIAL_USE, "SPECIAL-USE")     /* RFC 6154 */                                           \
	X(CATENATE, "CATENATE")           /* RFC 4469 */                                           \
	X(BINARY, "BINARY")               /* RFC 3516 */                                           \
	X(COMPRESS, "COMPRESS=DEFLATE")   /* RFC 4978 */                                           \
	X(QUOTA, "QUOTA")                 /* RFC 9208 */                                           \
	X(UNSELECT, "UNSELECT")           /* RFC 3691 */                                           \
	X(REPLACE, "REPLACE")             /* RFC 8508 */                                           \
	X(ENABLE, "ENABLE")               /* RFC 5161 */                                           \
	X(UTF8_ACCEPT, "UTF8=ACCEPT")     /* RFC 6855 */                                           \
	X(ACL, "ACL")                     /* RFC 4314 */

enum conf_imap {
#define X(id, word) CONF_IMAP_##id,
	CONF_IMAP_TABLE(X)
#undef X
		CONF_IMAPS
};

#define CONF_IMAP_BIT(id) (UINT64_C(1) << CONF_IMAP_##id)

#endif
