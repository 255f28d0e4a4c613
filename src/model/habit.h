/* habit.h - what task clients write by themselves, and what it means here.
 *
 * The one list of it: tests/unit/habit_test.c plays every row (and fails for a row without a case),
 * doc/taskferry-sync.7 prints it, and the code that a row is about says so where it is. What only
 * single clients do stands in writer.h.
 */
#ifndef TASKFERRY_HABIT_H
#define TASKFERRY_HABIT_H

/* name, who does it, what they write, what it means here */
/* clang-format off */
#define HABIT_TABLE(X)                                                                                                 \
	/* the tick */                                                                                                 \
	X(done_in_three, "nearly everybody",                                                                           \
	  "STATUS:COMPLETED, PERCENT-COMPLETE:100 and COMPLETED.",                                                     \
	  "Done at that time.")                                                                                        \
	X(done_without_percent, "2Do",                                                                                 \
	  "STATUS:COMPLETED and COMPLETED; the percentage is missing or stays as it was.",                             \
	  "Done, at 100 per cent.")                                                                                    \
	X(done_by_status, "Vikunja, Outlook CalDav Synchronizer",                                                      \
	  "STATUS:COMPLETED and nothing else.",                                                                        \
	  "Done, at the time of the change.")                                                                          \
	X(done_without_date, "Kolab, Roundcube",                                                                       \
	  "STATUS:COMPLETED and PERCENT-COMPLETE:100, no COMPLETED.",                                                  \
	  "Done, at the time of the change.")                                                                          \
	X(done_by_date, "Super Productivity",                                                                          \
	  "COMPLETED without STATUS.",                                                                                 \
	  "Done at that time.")                                                                                        \
	X(done_by_percent, "programs that know percentages only",                                                      \
	  "PERCENT-COMPLETE:100, the status as it was.",                                                               \
	  "Done, at the time of the change.")                                                                          \
	X(done_on_a_day, "DavMail",                                                                                    \
	  "COMPLETED as a date; also where it was a time.",                                                            \
	  "Done on that day; the day of a time that is known already is no change.")                                   \
	X(done_at_zero, "Synology",                                                                                    \
	  "STATUS:COMPLETED with PERCENT-COMPLETE:0, and a PERCENT_COMPLETE of its own.",                              \
	  "Done, at 100 per cent.")                                                                                    \
	X(done_with_the_parent, "Nextcloud Tasks, Tasks.org",                                                          \
	  "The tick of a task on all open tasks below it, too.",                                                       \
	  "Each of them is done.")                                                                                     \
	/* taking the tick back */                                                                                     \
	X(unchecked_by_removal, "Thunderbird, Tasks.org",                                                              \
	  "STATUS, PERCENT-COMPLETE and COMPLETED removed.",                                                           \
	  "Open again, at the last percentage below 100 that the person reported.")                                    \
	X(unchecked_without_percent, "Nextcloud Tasks, jtx Board, Evolution",                                          \
	  "STATUS:NEEDS-ACTION, PERCENT-COMPLETE and COMPLETED removed.",                                              \
	  "Likewise.")                                                                                                 \
	X(unchecked_at_99, "Nextcloud Tasks",                                                                          \
	  "STATUS:IN-PROCESS and PERCENT-COMPLETE:99.",                                                                \
	  "Likewise: nobody measured 99.")                                                                             \
	X(unchecked_at_50, "OpenTasks",                                                                                \
	  "STATUS:IN-PROCESS and PERCENT-COMPLETE:50.",                                                                \
	  "Likewise.")                                                                                                 \
	X(unchecked_at_0, "KOrganizer, Kolab, Roundcube",                                                              \
	  "PERCENT-COMPLETE:0, COMPLETED and perhaps STATUS removed.",                                                 \
	  "Likewise.")                                                                                                 \
	X(unchecked_with_a_date, "Endeavour",                                                                          \
	  "STATUS:NEEDS-ACTION and PERCENT-COMPLETE:0, but COMPLETED set to now.",                                     \
	  "Likewise: the status counts before the date.")                                                              \
	X(below_100_when_done, "KOrganizer",                                                                           \
	  "A percentage below 100 on a task that was done; COMPLETED and STATUS removed.",                             \
	  "Open again, at that percentage.")                                                                           \
	/* progress */                                                                                                 \
	X(percent_with_status, "Thunderbird, Nextcloud Tasks, jtx Board, Evolution",                                   \
	  "The percentage with STATUS:IN-PROCESS.",                                                                    \
	  "That percentage.")                                                                                          \
	X(percent_without_status, "KOrganizer, todoman",                                                               \
	  "The percentage; STATUS is removed or as it was.",                                                           \
	  "That percentage, in process.")                                                                              \
	X(zero_by_removal, "Nextcloud Tasks, jtx Board",                                                               \
	  "0 per cent by removing PERCENT-COMPLETE.",                                                                  \
	  "0 per cent, from a client that edits percentages.")                                                         \
	X(zero_added, "Thunderbird, KOrganizer, DavMail",                                                              \
	  "PERCENT-COMPLETE:0 where there was none.",                                                                  \
	  "No change.")                                                                                                \
	X(percent_dropped, "2Do, Vikunja, Apple Reminders",                                                            \
	  "No PERCENT-COMPLETE, whatever it was.",                                                                     \
	  "No change: they do not edit percentages.")                                                                  \
	X(started_at_1, "Nextcloud Tasks, jtx Board",                                                                  \
	  "PERCENT-COMPLETE:1 when STATUS becomes IN-PROCESS.",                                                        \
	  "Begun; the percentage stays.")                                                                              \
	X(started_at_50, "Evolution",                                                                                  \
	  "PERCENT-COMPLETE:50 when STATUS becomes IN-PROCESS.",                                                       \
	  "Begun; the percentage stays, but from another client 50 is a report.")                                      \
	X(status_dropped, "KOrganizer",                                                                                \
	  "No STATUS where it was NEEDS-ACTION.",                                                                      \
	  "No change.")                                                                                                \
	X(newer_status, "programs that know RFC 10051",                                                                \
	  "STATUS:PENDING or STATUS:FAILED.",                                                                          \
	  "Not begun; cancelled.")                                                                                     \
	X(parent_averaged, "jtx Board",                                                                                \
	  "On a task with others below it, the mean of their percentages.",                                            \
	  "Nothing, on a summary task: its progress is computed here.")                                                \
	X(parent_reopened, "Nextcloud Tasks, Tasks.org",                                                               \
	  "A task opened again because one below it was.",                                                             \
	  "Nothing, on a summary task: its progress is computed here.")                                                \
	/* dates */                                                                                                    \
	X(day_at_midnight, "Thunderbird, KOrganizer",                                                                  \
	  "A date as midnight of that day, without a zone or in its own.",                                             \
	  "No change.")                                                                                                \
	X(day_elsewhere, "Thunderbird, Tasks.org",                                                                     \
	  "A date as a time of that day in the zone where the person is.",                                             \
	  "No change.")                                                                                                \
	X(day_in_utc, "jtx Board, DAVx5 before 4.5.16",                                                                \
	  "A date as midnight UTC, seen from another zone.",                                                           \
	  "No change, where that zone is named or is the site's.")                                                     \
	X(day_to_the_last_second, "Outlook CalDav Synchronizer",                                                       \
	  "DUE as 23:59:59 of the day, while DTSTART stays a date.",                                                   \
	  "No change.")                                                                                                \
	X(second_one, "Tasks.org",                                                                                     \
	  "A time of day with :01 seconds.",                                                                           \
	  "No change: times are compared by the minute.")                                                              \
	X(times_in_utc, "todoman, Nextcloud Tasks",                                                                    \
	  "A time of day in another zone's words, or in UTC.",                                                         \
	  "No change: the same instant.")                                                                              \
	X(time_lost, "iCloud",                                                                                         \
	  "A time of day as its date.",                                                                                \
	  "No change.")                                                                                                \
	X(duration_for_due, "programs of many years",                                                                  \
	  "DTSTART and DURATION instead of DUE.",                                                                      \
	  "The due date is start plus duration; where DUE stands beside it, DUE counts.")                              \
	X(start_is_due, "Apple Reminders",                                                                             \
	  "DTSTART equal to DUE, since it knows one date only.",                                                       \
	  "Nothing is said about the start.")                                                                          \
	X(start_clamped, "Tasks.org, Nextcloud Tasks",                                                                 \
	  "DTSTART moved along when DUE becomes earlier than it.",                                                     \
	  "One proposal with both dates.")                                                                             \
	X(start_dropped, "2Do, Apple Reminders",                                                                       \
	  "No DTSTART: it is kept elsewhere, or not known.",                                                           \
	  "No change.")                                                                                                \
	X(start_removed, "Thunderbird, Nextcloud Tasks",                                                               \
	  "DTSTART removed by the person.",                                                                            \
	  "A proposal to have no start date.")                                                                         \
	/* recurrence */                                                                                               \
	X(rolled_forward, "Nextcloud Tasks, Tasks.org, Evolution",                                                     \
	  "On an item that a person made recurring, a tick moves DUE to the next date.",                               \
	  "The dates of an item with RRULE are left alone; DUE did not change.")                                       \
	X(instance_done, "Thunderbird, jtx Board, eM Client",                                                          \
	  "A second VTODO with RECURRENCE-ID for a done instance.",                                                    \
	  "Left as it is; the task itself is the one without RECURRENCE-ID.")                                          \
	X(copied_when_done, "Apple Reminders, todoman",                                                                \
	  "A done copy with a UID of its own beside a recurring item that moved on.",                                  \
	  "The copy is another item; the one that recurs is as it was.")                                               \
	X(empty_left_behind, "DAVx5 4.5.12",                                                                           \
	  "Empty VTODOs behind the real one.",                                                                         \
	  "Left as they are.")                                                                                         \
	/* what gets lost or respelled */                                                                              \
	X(properties_dropped, "Outlook CalDav Synchronizer, DavMail, Vikunja",                                         \
	  "The item made anew: no X- properties, no RELATED-TO, no ESTIMATED-DURATION.",                               \
	  "No change, and no reason to write; they come back with the next write.")                                    \
	X(estimate_dropped, "KOrganizer",                                                                              \
	  "No ESTIMATED-DURATION.",                                                                                    \
	  "No change.")                                                                                                \
	X(estimate_edited, "Evolution",                                                                                \
	  "ESTIMATED-DURATION changed, or removed.",                                                                   \
	  "A proposal for the total work.")                                                                            \
	X(parent_rewritten, "KOrganizer, Apple Reminders, jtx Board",                                                  \
	  "RELATED-TO with another parent, without one, or without its parameters.",                                   \
	  "No change: the plan says what a task is part of.")                                                          \
	X(core_dropped, "programs that are not known here",                                                            \
	  "An item made anew, without notes, dates, priority or categories.",                                          \
	  "No change, unless it still bears taskferry's properties: then they were removed.")                          \
	X(notes_removed, "every client with a field for notes",                                                        \
	  "DESCRIPTION removed.",                                                                                      \
	  "The notes are gone.")                                                                                       \
	X(emptied, "anybody",                                                                                          \
	  "A property with nothing in it.",                                                                            \
	  "Cleared, whoever wrote it.")                                                                                \
	X(notes_styled, "Thunderbird, Nextcloud Tasks",                                                                \
	  "DESCRIPTION with ALTREP, or an X-ALT-DESC beside it.",                                                      \
	  "The plain text counts; the styled one goes when the notes are written.")                                    \
	X(notes_respelled, "Endeavour, Errands, Outlook CalDav Synchronizer",                                          \
	  "Other line ends, blanks at line ends, blank lines at the end.",                                             \
	  "No change.")                                                                                                \
	X(categories_joined, "KOrganizer",                                                                             \
	  "Several CATEGORIES as one, one as several, in another order.",                                              \
	  "No change: a set.")                                                                                         \
	X(priority_band, "Tasks.org, Apple Reminders, Endeavour, DavMail",                                             \
	  "1, 5, 9 or none for what was 2, 3, 6 and so on.",                                                           \
	  "No change within 1 to 4, 5, and 6 to 9.")                                                                   \
	X(stamps, "everybody",                                                                                         \
	  "LAST-MODIFIED, DTSTAMP, SEQUENCE, X-MOZ-GENERATION and the like.",                                          \
	  "No change, and no order in time: clocks of clients are not believed.")                                      \
	X(own_properties, "everybody",                                                                                 \
	  "Alarms, colours, sort orders and other properties of their own.",                                           \
	  "Kept to the byte.")                                                                                         \
	X(loose_text, "Errands, Vikunja, Apple Reminders",                                                             \
	  "Bare LF, lines that are not folded, DTEND, text that is not escaped.",                                      \
	  "Read as well as it can be.")                                                                                \
	/* whole items */                                                                                              \
	X(moved_with_new_uid, "Tasks.org, jtx Board",                                                                  \
	  "A moved item under a new UID, without the properties of others.",                                           \
	  "Another item with the same values; the old one is not edited but gone.")                                    \
	X(several_writes, "Errands, Apple Reminders, Nextcloud Tasks",                                                 \
	  "One gesture in two or three writes.",                                                                       \
	  "Looked at when it has been quiet for [server] settle; the last one counts.")
/* clang-format on */

enum habit {
#define X(name, who, writes, meaning) HABIT_##name,
	HABIT_TABLE(X)
#undef X
		HABITS
};

#endif
