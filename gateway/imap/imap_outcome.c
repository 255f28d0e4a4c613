#include "config.h"

#include "gateway/imap/imap_outcome.h"

#include <assert.h>
#include <string.h>

/* The order of the table: what is true for every command, then from the special to the general. Why a
 * row is as it is stands beside it where the RFCs do not say it. */

#define ALL ((1u << IMAP_COMMANDS) - 1)
#define ON(name) (1u << IMAP_COMMAND_##name)
#define FOLDERS (ON(SELECT) | ON(LIST) | ON(STATUS) | ON(APPEND) | ON(COPY) | ON(MOVE))

#define NO(commands, code, outcome)                                                                \
	{                                                                                          \
		commands, IMAP_NO, code, IMAP_OUTCOME_##outcome                                    \
	}

static const struct imap_outcome_row rows[] = {
	{ ALL, IMAP_OK, NULL, IMAP_OUTCOME_DONE },
	{ ALL, IMAP_BAD, NULL, IMAP_OUTCOME_NONSENSE },
	NO(ALL, "OVERQUOTA", FULL),
	NO(ALL, "NOPERM", HOLD_FOLDER), /* rights are of a folder (RFC 4314) */
	NO(ALL, "READ-ONLY", HOLD_FOLDER),
	NO(ALL, "CONTACTADMIN", HOLD_FOLDER),
	NO(FOLDERS, "NONEXISTENT", NO_FOLDER),
	NO(FOLDERS, "TRYCREATE", NO_FOLDER),
	NO(ALL, "NONEXISTENT", GONE),
	NO(ALL, "TRYCREATE", GONE),
	NO(ALL, "ALREADYEXISTS", CHANGED),
	NO(ALL, "EXPUNGEISSUED", CHANGED),
	NO(ON(STORE), "MODIFIED", CHANGED),
	NO(ALL, "CANNOT", HOLD),
	NO(ALL, "TOOBIG", HOLD),
	NO(ALL, "INUSE", RETRY),
	NO(ALL, "UNAVAILABLE", RETRY),
	NO(ALL, "LIMIT", RETRY),
	NO(ALL, "SERVERBUG", RETRY), /* Dovecot says so of whatever went wrong inside of it */
	NO(ALL, "CORRUPTION", RETRY),
	NO(ALL, "AUTHENTICATIONFAILED", LOGIN),
	NO(ALL, "AUTHORIZATIONFAILED", LOGIN),
	NO(ALL, "EXPIRED", LOGIN),
	NO(ALL, "PRIVACYREQUIRED", LOGIN),
	NO(ALL, NULL, HOLD),
};

static const struct {
	enum fault_kind kind;
	enum fault_scope scope;
	enum fault_next next;
	const char *words, *meaning;
} outcomes[] = {
#define X(name, kind, scope, next, words, meaning)                                                 \
	{ FAULT_##kind, FAULT_SCOPE_##scope, FAULT_NEXT_##next, words, meaning },
#define FAULT_SCOPE_SCOPES FAULT_SCOPES
	IMAP_OUTCOME_TABLE(X)
#undef FAULT_SCOPE_SCOPES
#undef X
};

static const char *const command_words[] = {
#define X(name, words) words,
	IMAP_COMMAND_TABLE(X)
#undef X
};

_Static_assert(COUNT_OF(outcomes) == IMAP_OUTCOMES, "each outcome has its row");
_Static_assert(COUNT_OF(command_words) == IMAP_COMMANDS, "each command has its words");

const struct imap_outcome_row *imap_outcome_of(enum imap_command command, enum imap_result status,
					       const char *code)
{
	size_t i = 0;

	while (i + 1 < COUNT_OF(rows) &&
	       !((rows[i].commands >> command & 1) && rows[i].status == status &&
		 (!rows[i].code || (code && !strcmp(rows[i].code, code)))))
		i++;
	return &rows[i];
}

const struct imap_outcome_row *imap_outcome_rows(size_t *count_r)
{
	*count_r = COUNT_OF(rows);
	return rows;
}

struct fault *imap_outcome_shape(struct fault *fault, enum imap_outcome outcome,
				 enum fault_scope scope)
{
	assert(outcome != IMAP_OUTCOME_DONE);
	fault->kind = outcomes[outcome].kind;
	if (outcomes[outcome].scope != FAULT_SCOPES && outcomes[outcome].scope > scope)
		scope = outcomes[outcome].scope;
	return fault_reaches(fault, scope, outcomes[outcome].next);
}

enum imap_command imap_command_of(const char *words)
{
	int command = 0;

	while (command < IMAP_COMMAND_OTHER && strcmp(command_words[command], words) != 0)
		command++;
	return (enum imap_command)command;
}

const char *imap_command_words(enum imap_command command)
{
	return command_words[command];
}

const char *imap_outcome_words(enum imap_outcome outcome)
{
	return outcomes[outcome].words;
}

const char *imap_outcome_meaning(enum imap_outcome outcome)
{
	return outcomes[outcome].meaning;
}
