#include "config.h"

#define IMAP_KIT_FIRST CYRUS
#define IMAP_KIT_KINDS 2
#include "imap_kit.h"

/* The endpoint contract over a real Cyrus and a real Courier: with everything that they have, without
 * each extension that reading or writing makes use of, and without any. One test takes one extension
 * away and goes through the whole contract in one account. */

#define WITHOUT_CYRUS(X)                                                                           \
	X(COMPRESS)                                                                                \
	X(CONDSTORE)                                                                               \
	X(ESEARCH)                                                                                 \
	X(LITERAL_PLUS)                                                                            \
	X(METADATA)                                                                                \
	X(MOVE)                                                                                    \
	X(MULTIAPPEND)                                                                             \
	X(NAMESPACE)                                                                               \
	X(OBJECTID)                                                                                \
	X(QRESYNC)                                                                                 \
	X(SAVEDATE)                                                                                \
	X(UIDPLUS)
#define X(id)                                                                                      \
	Test(imap_cyrus_without, id)                                                               \
	{                                                                                          \
		contract_without(CYRUS, IMAP_CAP_##id);                                            \
	}
WITHOUT_CYRUS(X)
#undef X

#define WITHOUT_COURIER(X)                                                                         \
	X(NAMESPACE)                                                                               \
	X(UIDPLUS)
#define X(id)                                                                                      \
	Test(imap_courier_without, id)                                                             \
	{                                                                                          \
		contract_without(COURIER, IMAP_CAP_##id);                                          \
	}
WITHOUT_COURIER(X)
#undef X

Test(imap_cyrus, with_all)
{
	contract(CYRUS, 0, "with all");
}

Test(imap_cyrus, without_any)
{
	contract(CYRUS, UINT64_MAX, "without any");
}

Test(imap_courier, with_all)
{
	contract(COURIER, 0, "with all");
}

Test(imap_courier, without_any)
{
	contract(COURIER, UINT64_MAX, "without any");
}
