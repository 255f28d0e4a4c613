/* sql.h - every SQL statement of the program, in the subset that SQLite 3.40 and PostgreSQL 15 share.
 *
 * Keys are BIGINT made by the program (sequence), times BIGINT microseconds, parameters $1, $2 ... . Not used, because
 * one of the two lacks it: FOR UPDATE, greatest(), now(), string_agg, JSON operators, identity columns.
 */
#ifndef TASKFERRY_SQL_H
#define TASKFERRY_SQL_H

/* clang-format off */

/* The jobs that a caller means: of account $1 (0: any), of people with a task in project $2 (0: any). */
#define SQL_JOB_MEANT "($1 = 0 OR j.account_id = $1) AND ($2 = 0 OR EXISTS (SELECT 1 FROM account x JOIN assignment s " \
  "ON s.project_id = $2 AND s.resource_id = x.resource_id WHERE x.id = j.account_id))"

/* Those on server $3 that nobody is at work on, nor on another one of the same account. Ten thousand may be due, and most of
 * them on servers that have their share of the workers already: so they are found server by server, by an index. */
#define SQL_JOB_OPEN "j.server = $3 AND j.state IN ('ready', 'waiting') AND NOT EXISTS (SELECT 1 FROM job o WHERE " \
  "o.account_id = j.account_id AND o.state = 'leased' AND o.id <> j.id) AND " SQL_JOB_MEANT

#define SQL_REVISION_COLUMNS "id, assignment_id, state, rule, message, fields, created_at, author, comment, decided_at, decided_by, " \
  "origin, writer, against"

#define SQL_TABLE(X) \
X(META_GET, "SELECT value FROM meta WHERE name = $1") \
X(META_PUT, "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value") \
X(SEQUENCE_TAKE, "UPDATE sequence SET next = next + $2 WHERE name = $1 RETURNING next") \
X(SEQUENCE_SET, "UPDATE sequence SET next = $2 WHERE name = $1") \
X(SEQUENCE_GET, "SELECT next FROM sequence WHERE name = $1") \
/* projects */ \
X(PROJECT_BY_CODE, "SELECT id, code, source_key, name, state FROM project WHERE code = $1") \
X(PROJECT_BY_SOURCE, "SELECT id, code, source_key, name, state FROM project WHERE source_key = $1") \
X(PROJECT_BY_ID, "SELECT id, code, source_key, name, state FROM project WHERE id = $1") \
X(PROJECT_ALL, "SELECT id, code, source_key, name, state FROM project ORDER BY code") \
X(PROJECT_OF_PERSON, "SELECT p.id, p.code, p.source_key, p.name, p.state FROM project p WHERE p.state = 'published' AND EXISTS " \
  "(SELECT 1 FROM assignment a WHERE a.project_id = p.id AND a.resource_id = $1) ORDER BY p.code") \
X(PROJECT_ADD, "INSERT INTO project (id, code, source_key, name, state, created_at) VALUES ($1, $2, $3, $4, $5, $6)") \
X(PROJECT_NAME, "UPDATE project SET name = $2 WHERE id = $1") \
X(PROJECT_STATE, "UPDATE project SET state = $2 WHERE id = $1") \
X(PROJECT_COUNT, "SELECT (SELECT COUNT(*) FROM task t WHERE t.project_id = $1 AND t.active), " \
  "(SELECT COUNT(*) FROM assignment a WHERE a.project_id = $1 AND a.state <> 'withdrawn')") \
/* tasks */ \
X(TASK_OF_PROJECT, "SELECT id, source_key, active, position FROM task WHERE project_id = $1 ORDER BY position, id") \
X(TASK_BY_ID, "SELECT id, source_key, active, position FROM task WHERE id = $1") \
X(TASK_BY_KEY, "SELECT id, source_key, active, position FROM task WHERE project_id = $1 AND source_key = $2") \
X(TASK_ADD, "INSERT INTO task (id, project_id, source_key, active, position) VALUES ($1, $2, $3, TRUE, $4)") \
X(TASK_OPEN, "SELECT COUNT(*) FROM assignment a WHERE a.task_id = $1 AND a.state = 'active' AND NOT EXISTS (SELECT 1 FROM " \
  "field_value v WHERE v.owner = a.id AND v.field = 'status' AND v.text IN ('completed', 'cancelled'))") \
X(TASK_PLACE, "UPDATE task SET active = $2, position = $3 WHERE id = $1") \
/* resources */ \
X(RESOURCE_BY_KEY, "SELECT id, key, name, email FROM resource WHERE key = $1") \
X(RESOURCE_BY_ID, "SELECT id, key, name, email FROM resource WHERE id = $1") \
X(RESOURCE_ALL, "SELECT id, key, name, email FROM resource WHERE key NOT LIKE '@%' ORDER BY key") \
X(RESOURCE_OF_PROJECT, "SELECT DISTINCT r.id, r.key, r.name, r.email FROM resource r JOIN assignment a ON a.resource_id = r.id " \
  "WHERE a.project_id = $1 ORDER BY r.key") \
X(RESOURCE_PUBLISHED, "SELECT r.id, r.key, r.name, r.email FROM resource r WHERE EXISTS (SELECT 1 FROM project p " \
  "WHERE p.state = 'published' AND EXISTS (SELECT 1 FROM assignment a WHERE a.project_id = p.id AND a.resource_id = r.id)) ORDER BY r.key") \
X(RESOURCE_ADD, "INSERT INTO resource (id, key, name, email, created_at) VALUES ($1, $2, $3, $4, $5)") \
X(RESOURCE_SET, "UPDATE resource SET key = $2, name = $3, email = $4 WHERE id = $1") \
X(ALIAS_GET, "SELECT resource_id FROM resource_alias WHERE project_id = $1 AND source_key = $2") \
X(ALIAS_PUT, "INSERT INTO resource_alias (project_id, source_key, resource_id) VALUES ($1, $2, $3) " \
  "ON CONFLICT (project_id, source_key) DO UPDATE SET resource_id = excluded.resource_id") \
/* assignments */ \
X(ASSIGNMENT_BY_ID, "SELECT id, project_id, task_id, resource_id, source_key, uid, state FROM assignment WHERE id = $1") \
X(ASSIGNMENT_BY_UID, "SELECT id, project_id, task_id, resource_id, source_key, uid, state FROM assignment WHERE uid = $1") \
X(ASSIGNMENT_BY_ALIAS, "SELECT a.id, a.project_id, a.task_id, a.resource_id, a.source_key, a.uid, a.state FROM uid_alias u " \
  "JOIN assignment a ON a.id = u.assignment_id WHERE u.uid = $1") \
X(UID_ALIAS_PUT, "INSERT INTO uid_alias (uid, assignment_id) VALUES ($1, $2) ON CONFLICT (uid) DO UPDATE SET " \
  "assignment_id = excluded.assignment_id") \
X(ASSIGNMENT_OF_PROJECT, "SELECT a.id, a.project_id, a.task_id, a.resource_id, a.source_key, a.uid, a.state FROM assignment a " \
  "JOIN task t ON t.id = a.task_id WHERE a.project_id = $1 ORDER BY t.position, a.id") \
X(ASSIGNMENT_OF_PERSON, "SELECT a.id, a.project_id, a.task_id, a.resource_id, a.source_key, a.uid, a.state FROM assignment a " \
  "JOIN task t ON t.id = a.task_id WHERE a.project_id = $1 AND a.resource_id = $2 ORDER BY t.position, a.id") \
X(ASSIGNMENT_OF_TASK, "SELECT id, project_id, task_id, resource_id, source_key, uid, state FROM assignment " \
  "WHERE task_id = $1 AND resource_id = $2 ORDER BY id") \
X(ASSIGNMENT_IDS, "SELECT id FROM assignment WHERE project_id = $1 AND resource_id = $2 ORDER BY id") \
X(SHEET_ROWS, "SELECT a.id, a.project_id, a.task_id, a.resource_id, a.source_key, a.uid, a.state, t.source_key, t.active, t.position, " \
  "l.id FROM assignment a JOIN task t ON t.id = a.task_id LEFT JOIN link l ON l.folder_id = $5 AND l.assignment_id = a.id " \
  "WHERE a.project_id = $1 AND a.resource_id = $2 AND a.id >= $3 AND a.id <= $4 ORDER BY a.id") \
X(SHEET_TASK_VALUES, "SELECT a.id, v.field, v.text, v.seq, v.changed_at, v.author FROM assignment a JOIN field_value v " \
  "ON v.owner = a.task_id WHERE a.project_id = $1 AND a.resource_id = $2 AND a.id >= $3 AND a.id <= $4 ORDER BY a.id") \
X(SHEET_OWN_VALUES, "SELECT a.id, v.field, v.text, v.seq, v.changed_at, v.author FROM assignment a JOIN field_value v " \
  "ON v.owner = a.id WHERE a.project_id = $1 AND a.resource_id = $2 AND a.id >= $3 AND a.id <= $4 ORDER BY a.id") \
X(ASSIGNMENT_ADD, "INSERT INTO assignment (id, project_id, task_id, resource_id, source_key, uid, state) " \
  "VALUES ($1, $2, $3, $4, $5, $6, 'active')") \
X(ASSIGNMENT_STATE, "UPDATE assignment SET state = $2 WHERE id = $1") \
/* values, changes, bookings */ \
X(VALUE_OF, "SELECT field, text, seq, changed_at, author FROM field_value WHERE owner = $1") \
X(VALUE_PUT, "INSERT INTO field_value (owner, field, text, seq, changed_at, author) VALUES ($1, $2, $3, $4, $5, $6) " \
  "ON CONFLICT (owner, field) DO UPDATE SET text = excluded.text, seq = excluded.seq, changed_at = excluded.changed_at, " \
  "author = excluded.author") \
X(VALUES_OF_PROJECT, "SELECT v.owner, v.field, v.text, v.seq, v.changed_at, v.author FROM field_value v " \
  "WHERE v.owner IN (SELECT id FROM task WHERE project_id = $1 UNION ALL SELECT id FROM assignment WHERE project_id = $1) " \
  "ORDER BY v.owner") \
X(CHANGE_ADD, "INSERT INTO change (seq, project_id, task_id, assignment_id, field, old_text, new_text, changed_at, author, cause) " \
  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)") \
X(CHANGE_HISTORY, "SELECT seq, field, old_text, new_text, changed_at, author, cause FROM change " \
  "WHERE assignment_id = $1 OR (task_id = $2 AND assignment_id = 0) ORDER BY seq") \
X(CHANGE_TOUCHED, "SELECT DISTINCT a.id FROM change c JOIN assignment a ON (a.id = c.assignment_id OR " \
  "(c.assignment_id = 0 AND a.task_id = c.task_id)) WHERE c.project_id = $1 AND c.seq > $2 AND a.resource_id = $3 ORDER BY a.id") \
X(CHANGE_TOUCHED_LONG, "SELECT a.id FROM assignment a WHERE a.project_id = $1 AND a.resource_id = $3 AND " \
  "(EXISTS (SELECT 1 FROM change c WHERE c.assignment_id = a.id AND c.seq > $2) OR " \
  "EXISTS (SELECT 1 FROM change t WHERE t.task_id = a.task_id AND t.assignment_id = 0 AND t.seq > $2)) ORDER BY a.id") \
X(CHANGE_LAST, "SELECT MAX(seq) FROM change WHERE project_id = $1") \
X(BOOKING_ADD, "INSERT INTO booking (id, assignment_id, day, minutes, text, source_key, created_at, author) " \
  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (assignment_id, source_key) DO NOTHING") \
X(BOOKING_SOURCES, "SELECT source_key, minutes, id FROM booking WHERE assignment_id = $1 " \
  "UNION ALL SELECT source_key, 0, id FROM unbooked WHERE assignment_id = $1 ORDER BY 3") \
X(UNBOOKED_ADD, "INSERT INTO unbooked (id, assignment_id, source_key) VALUES ($1, $2, $3) ON CONFLICT (assignment_id, source_key) DO NOTHING") \
X(BOOKING_SUM, "SELECT CAST(SUM(minutes) AS BIGINT) FROM booking WHERE assignment_id = $1") \
X(BOOKING_OF, "SELECT id, day, minutes, text, source_key, created_at, author FROM booking WHERE assignment_id = $1 ORDER BY day, id") \
/* imports */ \
X(BASE_OF_PROJECT, "SELECT owner_key, vector FROM import_base WHERE project_id = $1") \
X(BASE_PUT, "INSERT INTO import_base (project_id, owner_key, vector) VALUES ($1, $2, $3) " \
  "ON CONFLICT (project_id, owner_key) DO UPDATE SET vector = excluded.vector") \
/* revisions */ \
X(REVISION_ADD, "INSERT INTO revision (id, assignment_id, state, rule, message, fields, created_at, author, writer, against, origin) " \
  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $3)") \
X(REVISION_ALL, "SELECT " SQL_REVISION_COLUMNS " FROM revision ORDER BY id") \
X(REVISION_IN, "SELECT " SQL_REVISION_COLUMNS " FROM revision WHERE state = $1 ORDER BY id") \
X(REVISION_GET, "SELECT " SQL_REVISION_COLUMNS " FROM revision WHERE id = $1") \
X(REVISION_OF, "SELECT " SQL_REVISION_COLUMNS " FROM revision WHERE assignment_id = $1 ORDER BY id") \
X(REVISION_NEWEST, "SELECT " SQL_REVISION_COLUMNS " FROM revision WHERE assignment_id = $1 AND writer LIKE 'mailbox:%' " \
  "ORDER BY COALESCE(decided_at, created_at) DESC, id DESC LIMIT $2") \
X(REVISION_ANY, "SELECT 1 FROM revision WHERE assignment_id = $1 LIMIT 1") \
X(REVISION_DECIDE, "UPDATE revision SET state = $2, comment = $3, decided_at = $4, decided_by = $5 WHERE id = $1") \
X(REVISION_SAME, "SELECT COUNT(*) FROM revision WHERE assignment_id = $1 AND state = $2 AND fields = $3") \
/* accounts, folders */ \
X(ACCOUNT_GET, "SELECT id, server, resource_id, state, error, last_seen_at, login_failures, login_since, full_since FROM account " \
  "WHERE server = $1 AND resource_id = $2") \
X(ACCOUNT_BY_ID, "SELECT id, server, resource_id, state, error, last_seen_at, login_failures, login_since, full_since FROM account WHERE id = $1") \
X(ACCOUNT_ALL, "SELECT a.id, a.server, a.resource_id, a.state, a.error, a.last_seen_at, a.login_failures, a.login_since, a.full_since " \
  "FROM account a JOIN resource r ON r.id = a.resource_id ORDER BY a.server, r.key") \
X(ACCOUNT_ADD, "INSERT INTO account (id, server, resource_id, state, login_failures, login_since) VALUES ($1, $2, $3, 'new', 0, 0)") \
X(ACCOUNT_SET, "UPDATE account SET state = $2, error = $3, last_seen_at = $4, login_failures = $5, login_since = $6, full_since = $7 WHERE id = $1") \
X(ACCOUNT_UNREACHABLE, "UPDATE account SET state = 'unreachable', error = $2 WHERE server = $1 AND state IN ('new', 'ok') AND EXISTS " \
  "(SELECT 1 FROM job j WHERE j.account_id = account.id AND j.state <> 'done' AND j.state IN ('ready', 'waiting') AND j.due_at <= $3)") \
X(ACCOUNT_WAITS, "SELECT l.id FROM link l JOIN folder f ON f.id = l.folder_id WHERE f.account_id = $1 AND l.dirty AND l.error = $2 LIMIT 1") \
X(ACCOUNT_RELEASE, "UPDATE account SET login_failures = 0 WHERE login_failures > 0 AND ($1 = 0 OR id = $1)") \
X(PLACE_GET, "SELECT account_id, asked, origin, home, principal, how, found_at FROM account_place WHERE account_id = $1") \
X(PLACE_SET, "INSERT INTO account_place (account_id, asked, origin, home, principal, how, found_at) VALUES ($1, $2, $3, $4, $5, $6, $7) " \
  "ON CONFLICT (account_id) DO UPDATE SET asked = excluded.asked, origin = excluded.origin, home = excluded.home, " \
  "principal = excluded.principal, how = excluded.how, found_at = excluded.found_at") \
X(PLACE_SAME, "SELECT account_id, asked, origin, home, principal, how, found_at FROM account_place WHERE origin = $1 AND home = $2 " \
  "AND account_id <> $3 ORDER BY account_id") \
X(FOLDER_GET, "SELECT id, account_id, project_id, address, token, project_seq, state, error, last_round_at, reconciled_at, object_id, beside FROM folder " \
  "WHERE account_id = $1 AND project_id = $2") \
X(FOLDER_OF_ACCOUNT, "SELECT id, account_id, project_id, address, token, project_seq, state, error, last_round_at, reconciled_at, object_id, beside FROM folder " \
  "WHERE account_id = $1 ORDER BY id") \
X(FOLDER_RESTING, "SELECT f.id, f.account_id, f.project_id, f.address, f.token, f.project_seq, f.state, f.error, f.last_round_at, " \
  "f.reconciled_at, f.object_id, f.beside FROM folder f JOIN account a ON a.id = f.account_id WHERE f.account_id = $1 AND f.state = 'ok' " \
  "AND f.address IS NOT NULL AND f.token IS NOT NULL AND f.project_seq > 0 " \
  "AND NOT EXISTS (SELECT 1 FROM pending p WHERE p.folder_id = f.id) " \
  "AND NOT EXISTS (SELECT 1 FROM link l WHERE l.folder_id = f.id AND l.dirty AND l.state IN ('new', 'ok', 'withdrawing')) " \
  "AND NOT EXISTS (SELECT 1 FROM link l WHERE l.folder_id = f.id AND l.project_ids IS NULL AND l.state IN ('new', 'ok')) " \
  "AND NOT EXISTS (SELECT 1 FROM leftover o WHERE o.folder_id = f.id) " \
  "AND NOT EXISTS (SELECT 1 FROM link_file u CROSS JOIN link l WHERE u.how = 'upload' AND l.id = u.link_id AND l.state = 'ok' " \
  "AND l.folder_id = f.id) " \
  "AND NOT EXISTS (SELECT 1 FROM folder y JOIN link l ON l.folder_id = y.id WHERE y.account_id = $1 AND l.state = 'missing' " \
  "AND l.state <> 'ok' AND l.state <> 'new') " \
  "AND NOT EXISTS (SELECT 1 FROM change c JOIN assignment x ON (x.id = c.assignment_id OR (c.assignment_id = 0 AND x.task_id = c.task_id)) " \
  "WHERE c.project_id = f.project_id AND c.seq > f.project_seq AND x.resource_id = a.resource_id) ORDER BY f.id") \
X(FOLDER_SEEN, "UPDATE folder SET last_round_at = $2 WHERE id = $1") \
X(ACCOUNT_SEEN, "UPDATE account SET last_seen_at = $2 WHERE id = $1 AND state = 'ok' AND last_seen_at < $2") \
X(FOLDERS_SEEN, "UPDATE folder SET last_round_at = $2 WHERE account_id = $1 AND state = 'ok' AND last_round_at > 0 AND last_round_at < $2 " \
  "AND EXISTS (SELECT 1 FROM project p WHERE p.id = folder.project_id AND p.state = 'published')") \
X(FOLDER_BEHIND, "SELECT f.account_id FROM folder f JOIN account a ON a.id = f.account_id WHERE f.project_id = $1 AND f.account_id <> $2 " \
  "AND EXISTS (SELECT 1 FROM change c JOIN assignment x ON (x.id = c.assignment_id OR (c.assignment_id = 0 AND x.task_id = c.task_id)) " \
  "WHERE c.project_id = f.project_id AND c.seq > f.project_seq AND x.resource_id = a.resource_id) " \
  "AND NOT (a.state = 'held' AND EXISTS (SELECT 1 FROM job j WHERE j.account_id = a.id AND j.state <> 'done' AND j.state = 'held' " \
  "AND j.project_id IN (0, f.project_id))) ORDER BY f.account_id") \
X(LINK_ELSEWHERE, "SELECT f.account_id FROM link l JOIN folder f ON f.id = l.folder_id JOIN account a ON a.id = f.account_id " \
  "WHERE l.assignment_id = $1 AND l.address = $2 AND f.account_id <> $3 AND l.seen_version IS NOT NULL " \
  "AND (a.resource_id <> $4 OR f.object_id = $5) ORDER BY f.account_id") \
X(FOLDER_RENAMED, "UPDATE folder SET state = 'new' WHERE project_id = $1 AND state = 'ok'") \
X(FOLDER_ADD, "INSERT INTO folder (id, account_id, project_id, project_seq, state, last_round_at, reconciled_at) VALUES ($1, $2, $3, 0, 'new', 0, $4)") \
X(FOLDER_SET, "UPDATE folder SET address = $2, token = $3, project_seq = $4, state = $5, error = $6, last_round_at = $7, reconciled_at = $8, " \
  "object_id = $9, beside = $10 WHERE id = $1") \
X(FOLDER_TOKEN, "UPDATE folder SET token = $2 WHERE id = $1") \
/* links */ \
X(LINK_GET, "SELECT id, folder_id, assignment_id, address, state, seen_text, seen_vector, seen_version, seen_at, decoder, want_vector, " \
  "edition, dirty, correction, corrections, corrections_since, attempts, due_at, error, own_percent, seen_ids, project_ids, marks, quiet, starred FROM link WHERE id = $1") \
X(LINK_OF_ASSIGNMENT, "SELECT id, folder_id, assignment_id, address, state, seen_text, seen_vector, seen_version, seen_at, decoder, " \
  "want_vector, edition, dirty, correction, corrections, corrections_since, attempts, due_at, error, own_percent, seen_ids, project_ids, marks, quiet, starred FROM link " \
  "WHERE folder_id = $1 AND assignment_id = $2") \
X(LINK_OF_ADDRESS, "SELECT id, folder_id, assignment_id, address, state, seen_text, seen_vector, seen_version, seen_at, decoder, " \
  "want_vector, edition, dirty, correction, corrections, corrections_since, attempts, due_at, error, own_percent, seen_ids, project_ids, marks, quiet, starred FROM link " \
  "WHERE folder_id = $1 AND address = $2") \
X(LINK_DIRTY, "SELECT id, folder_id, assignment_id, address, state, seen_text, seen_vector, seen_version, seen_at, decoder, " \
  "want_vector, edition, dirty, correction, corrections, corrections_since, attempts, due_at, error, own_percent, seen_ids, project_ids, marks, quiet, starred FROM link " \
  "WHERE folder_id = $1 AND dirty AND id > $2 AND id < $3 AND state IN ('new', 'ok', 'withdrawing') ORDER BY id LIMIT $4") \
X(LINK_UNMARKED, "UPDATE link SET marks = '' WHERE folder_id = $1 AND marks IS NULL AND seen_version NOT LIKE '% %'") \
X(LINK_AT_REST, "SELECT id FROM link WHERE folder_id = $1 AND state = 'ok' AND NOT dirty AND id > $2 ORDER BY id LIMIT $3") \
X(LINK_DIRTY_COUNT, "SELECT COUNT(*) FROM link WHERE folder_id = $1 AND dirty AND state IN ('new', 'ok', 'withdrawing')") \
X(LINK_VERSIONS, "SELECT id, address, seen_version, state FROM link WHERE folder_id = $1 AND address IS NOT NULL") \
X(LINK_BETWEEN, "SELECT address FROM link WHERE folder_id = $1 AND address >= $2 AND address <= $3 AND seen_version IS NOT NULL " \
  "AND state NOT IN ('removed', 'declined', 'ignored') ORDER BY address") \
X(LINK_MISSING_OF_ACCOUNT, "SELECT l.id FROM link l JOIN folder f ON f.id = l.folder_id WHERE f.account_id = $1 AND l.state = 'missing' " \
  "AND l.state <> 'ok' AND l.state <> 'new' " \
  "ORDER BY l.id") \
X(LINK_FORGET_ALL, "UPDATE link SET seen_version = NULL, seen_text = NULL, seen_vector = NULL, seen_ids = NULL, state = 'new', dirty = TRUE, due_at = 0, " \
  "attempts = 0, error = NULL WHERE state IN ('ok', 'held', 'missing', 'new')") \
X(LINK_FORGET_ENDED, "UPDATE link SET seen_version = NULL, seen_text = NULL, seen_vector = NULL, seen_ids = NULL, " \
  "state = CASE WHEN state = 'withdrawing' THEN 'removed' ELSE state END, dirty = FALSE WHERE state NOT IN ('ok', 'held', 'missing', 'new')") \
X(FOLDER_FORGET_ALL, "UPDATE folder SET token = NULL") \
X(LEFTOVER_FORGET_ALL, "DELETE FROM leftover") \
X(PENDING_FORGET_ALL, "DELETE FROM pending") \
X(STRAY_FORGET_ALL, "DELETE FROM stray") \
X(LINK_AMISS, "SELECT l.id, l.assignment_id, CASE WHEN l.dirty AND l.want_vector IS NULL THEN 'it is to be written, and nothing says what' " \
  "ELSE 'it is known what its item holds, but not in which version' END FROM link l WHERE l.folder_id = $1 AND l.state = 'ok' " \
  "AND ((l.dirty AND l.want_vector IS NULL) OR (l.seen_vector IS NOT NULL AND l.seen_version IS NULL)) " \
  "AND NOT EXISTS (SELECT 1 FROM pending p WHERE p.folder_id = l.folder_id AND p.address = l.address) ORDER BY l.id") \
X(LINK_DOUBLE, "SELECT MIN(l.id), MIN(l.assignment_id), l.address FROM link l WHERE l.folder_id = $1 AND l.seen_version IS NOT NULL " \
  "AND l.state IN ('ok', 'held', 'withdrawing') GROUP BY l.address HAVING COUNT(*) > 1 ORDER BY l.address") \
X(LINK_MISSING, "SELECT l.id FROM link l WHERE l.folder_id = $1 AND l.state = 'missing' AND l.state <> 'ok' AND l.state <> 'new'") \
X(LINK_COUNT, "SELECT COUNT(*) FROM (SELECT l.id FROM link l WHERE l.folder_id = $1 AND l.seen_version IS NOT NULL " \
  "AND l.state IN ('ok', 'held', 'missing') LIMIT $2) AS few") \
X(LINK_UNLINKED, "SELECT a.id FROM assignment a WHERE a.project_id = $2 AND a.resource_id = $3 AND a.state = 'active' " \
  "AND NOT EXISTS (SELECT 1 FROM link l WHERE l.folder_id = $1 AND l.assignment_id = a.id " \
  "AND l.state NOT IN ('removed', 'withdrawing', 'declined')) ORDER BY a.id") \
X(LINK_WITHDRAWN, "SELECT l.id FROM assignment a JOIN link l ON l.assignment_id = a.id AND l.folder_id = $1 WHERE a.project_id = $2 " \
  "AND a.resource_id = $3 AND a.state = 'withdrawn' AND l.state IN ('new', 'ok', 'missing')") \
X(LINK_UNSETTLED, "SELECT l.assignment_id FROM link l WHERE l.folder_id = $1 AND l.project_ids IS NULL AND l.state IN ('new', 'ok')") \
X(LINK_ADD, "INSERT INTO link (id, folder_id, assignment_id, state, seen_at, decoder, edition, dirty, corrections, corrections_since, " \
  "attempts, due_at, own_percent) VALUES ($1, $2, $3, 'new', 0, 0, 0, FALSE, 0, 0, 0, 0, 0)") \
X(LINK_SET, "UPDATE link SET address = $2, state = $3, seen_text = $4, seen_vector = $5, seen_version = $6, seen_at = $7, decoder = $8, " \
  "want_vector = $9, edition = $10, dirty = $11, correction = $12, corrections = $13, corrections_since = $14, attempts = $15, " \
  "due_at = $16, error = $17, own_percent = $18, seen_ids = $19, project_ids = $20, marks = $21, quiet = $22, starred = $23 WHERE id = $1") \
X(LINK_INSERT, "INSERT INTO link (id, folder_id, assignment_id, address, state, seen_at, decoder, want_vector, edition, dirty, corrections, " \
  "corrections_since, attempts, due_at, own_percent, project_ids) VALUES ($1, $2, $3, $4, 'new', 0, 0, $5, $6, $7, 0, 0, 0, 0, $8, $9)") \
X(LINK_CONFIRM, "UPDATE link SET address = $2, state = 'ok', seen_text = $3, seen_vector = $4, seen_version = $5, seen_at = $6, decoder = $7, " \
  "dirty = FALSE, attempts = 0, error = $8, seen_ids = $9, marks = $10, quiet = FALSE, starred = $11 WHERE id = $1") \
X(LINK_ITEMS, "SELECT ac.server, r.key, l.state, l.error, l.dirty FROM link l JOIN folder f ON f.id = l.folder_id " \
  "JOIN account ac ON ac.id = f.account_id JOIN resource r ON r.id = ac.resource_id WHERE l.assignment_id = $1 ORDER BY ac.server") \
X(FOLDER_WAITING, "SELECT ac.server, r.key, p.code, f.error FROM folder f JOIN account ac ON ac.id = f.account_id " \
  "JOIN resource r ON r.id = ac.resource_id JOIN project p ON p.id = f.project_id WHERE f.error IS NOT NULL AND p.state = 'published' " \
  "ORDER BY f.id") \
X(LINK_HELD_COUNT, "SELECT COUNT(*) FROM link WHERE state = 'held' AND state <> 'ok' AND state <> 'new'") \
X(LINK_HELD, "SELECT l.id, l.assignment_id, l.error FROM link l WHERE l.state = 'held' AND l.state <> 'ok' AND l.state <> 'new' ORDER BY l.id") \
X(LINK_RELEASE, "UPDATE link SET state = 'ok', error = NULL, attempts = 0, corrections = 0 WHERE state = 'held' AND state <> 'ok' AND state <> 'new' AND folder_id = $1") \
X(LINK_HASTEN, "UPDATE link SET due_at = 0, attempts = 0 WHERE folder_id = $1 AND dirty AND attempts > 0 AND state IN ('new', 'ok', 'withdrawing')") \
X(LINK_RESTORE, "UPDATE link SET state = 'new', seen_text = NULL, seen_vector = NULL, seen_version = NULL, seen_ids = NULL, dirty = TRUE, " \
  "due_at = 0, attempts = 0, error = NULL WHERE state = 'missing' AND state <> 'ok' AND state <> 'new' AND folder_id = $1") \
X(PENDING_RELEASE, "UPDATE pending SET due_at = 0 WHERE folder_id = $1 AND reason = 'held'") \
X(PENDING_MISMATCHED, "INSERT INTO pending (folder_id, address, reason, first_seen_at, due_at) SELECT folder_id, address, 'held', seen_at, 0 FROM stray " \
  "WHERE folder_id = $1 AND state = 'mismatch' ON CONFLICT (folder_id, address) DO NOTHING") \
X(STRAY_MISMATCHED_DROP, "DELETE FROM stray WHERE folder_id = $1 AND state = 'mismatch'") \
X(LINK_FORGET, "UPDATE link SET address = NULL, project_ids = NULL, seen_version = NULL, seen_text = NULL, seen_vector = NULL, seen_ids = NULL, state = 'new', dirty = TRUE, due_at = 0, " \
  "attempts = 0, error = NULL WHERE folder_id = $1 AND state IN ('ok', 'held', 'missing', 'new')") \
X(HISTORY_ADD, "INSERT INTO history (link_id, step, edition, pushed, vector, agreed_at) VALUES ($1, " \
  "(SELECT COALESCE(MAX(h.step), 0) + 1 FROM history h WHERE h.link_id = $1), $2, $3, $4, $5)") \
X(HISTORY_FIRST, "INSERT INTO history (link_id, step, edition, pushed, vector, agreed_at) SELECT id, 1, edition, TRUE, want_vector, $2 " \
  "FROM link WHERE id >= $1 AND edition > 0 ON CONFLICT (link_id, step) DO NOTHING") \
X(HISTORY_TRIM, "DELETE FROM history WHERE link_id = $1 AND step <= (SELECT MAX(h.step) FROM history h WHERE h.link_id = $1) - $2") \
X(HISTORY_OF, "SELECT edition, pushed, vector, agreed_at FROM history WHERE link_id = $1 ORDER BY step") \
X(HISTORY_OF_EDITION, "SELECT h.edition, h.pushed, h.vector, h.agreed_at FROM history h JOIN link l ON l.id = h.link_id " \
  "JOIN folder f ON f.id = l.folder_id JOIN account a ON a.id = f.account_id WHERE h.edition = $2 AND a.resource_id = " \
  "(SELECT x.resource_id FROM account x WHERE x.id = $1) ORDER BY h.link_id, h.step") \
X(PENDING_PUT, "INSERT INTO pending (folder_id, address, reason, first_seen_at, due_at) VALUES ($1, $2, $3, $4, $5) " \
  "ON CONFLICT (folder_id, address) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at") \
X(PENDING_ALL, "SELECT address, reason, first_seen_at, due_at FROM pending WHERE folder_id = $1 ORDER BY address") \
X(PENDING_DROP, "DELETE FROM pending WHERE folder_id = $1 AND address = $2") \
X(PENDING_NEXT, "SELECT MIN(due_at) FROM pending WHERE folder_id = $1") \
X(STRAY_GET, "SELECT version, state, summary FROM stray WHERE folder_id = $1 AND address = $2") \
X(STRAY_PUT, "INSERT INTO stray (folder_id, address, version, state, summary, text, seen_at, uid, edition, edition_hash) " \
  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) " \
  "ON CONFLICT (folder_id, address) DO UPDATE SET version = excluded.version, state = excluded.state, summary = excluded.summary, " \
  "text = excluded.text, uid = excluded.uid, edition = excluded.edition, edition_hash = excluded.edition_hash") \
X(STRAY_FOREIGN, "SELECT s.folder_id, s.address, s.summary, s.uid, s.edition, s.edition_hash, s.seen_at, p.code FROM stray s " \
  "JOIN folder f ON f.id = s.folder_id JOIN project p ON p.id = f.project_id WHERE f.account_id = $1 AND s.state = 'foreign' " \
  "ORDER BY s.folder_id, s.address") \
X(STRAY_ADDRESSES, "SELECT address FROM stray WHERE folder_id = $1 ORDER BY address") \
X(STRAY_HAVE_UID, "SELECT COUNT(*) FROM stray WHERE folder_id = $1 AND state = 'foreign' AND uid IS NOT NULL") \
X(STRAY_OF_UID, "SELECT address FROM stray WHERE folder_id = $1 AND state = 'foreign' AND uid = $2 ORDER BY address") \
X(STRAY_WITH, "SELECT address FROM stray WHERE folder_id = $1 AND state = $3 AND text LIKE $2 ORDER BY address") \
X(STRAY_DROP, "DELETE FROM stray WHERE folder_id = $1 AND address = $2") \
X(LEFTOVER_PUT, "INSERT INTO leftover (folder_id, address, version, link_id, due_at) VALUES ($1, $2, $3, $4, 0) " \
  "ON CONFLICT (folder_id, address) DO NOTHING") \
X(LEFTOVER_ALL, "SELECT o.address, o.version, o.due_at, l.address, l.seen_version FROM leftover o JOIN link l ON l.id = o.link_id " \
  "WHERE o.folder_id = $1 ORDER BY o.address") \
X(LEFTOVER_HAS, "SELECT COUNT(*) FROM leftover WHERE folder_id = $1 AND address = $2") \
X(LEFTOVER_DROP, "DELETE FROM leftover WHERE folder_id = $1 AND address = $2") \
X(LEFTOVER_FORGET, "DELETE FROM leftover WHERE folder_id = $1") \
X(LEFTOVER_RELEASE, "UPDATE leftover SET due_at = 0 WHERE folder_id = $1") \
X(LEFTOVER_DUE, "UPDATE leftover SET due_at = $3 WHERE folder_id = $1 AND address = $2") \
X(STRAY_ALL, "SELECT s.folder_id, s.address, s.state, s.summary, ac.server, r.key, p.code FROM stray s JOIN folder f ON f.id = s.folder_id " \
  "JOIN account ac ON ac.id = f.account_id JOIN resource r ON r.id = ac.resource_id JOIN project p ON p.id = f.project_id " \
  "ORDER BY ac.server, r.key, s.address") \
X(ACCOUNT_UNRECONCILED, "SELECT f.account_id, MIN(f.reconciled_at) FROM folder f JOIN account a ON a.id = f.account_id " \
  "JOIN project p ON p.id = f.project_id WHERE f.state = 'ok' AND a.state <> 'held' AND p.state = 'published' AND NOT EXISTS " \
  "(SELECT 1 FROM job j WHERE j.account_id = f.account_id AND j.kind = 'reconcile' " \
  "AND j.state IN ('ready', 'waiting', 'leased')) " \
  "GROUP BY f.account_id ORDER BY f.account_id") \
/* attachments: bytes once by digest; who uses them; what of a link's stands where */ \
X(FILE_PUT, "INSERT INTO file (digest, size, bytes, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (digest) DO UPDATE SET " \
  "created_at = excluded.created_at") \
X(FILE_HAS, "SELECT COUNT(*) FROM file WHERE digest = $1") \
X(FILE_ANY, "SELECT COUNT(*) FROM (SELECT 1 FROM file_use LIMIT 1) x") \
X(FILE_BYTES, "SELECT bytes FROM file WHERE digest = $1") \
X(FILE_PURGE, "DELETE FROM file WHERE created_at < $1 AND NOT EXISTS (SELECT 1 FROM file_use u WHERE u.digest = file.digest)") \
X(FILE_USE_PUT, "INSERT INTO file_use (digest, owner) VALUES ($1, $2) ON CONFLICT (digest, owner) DO NOTHING") \
X(FILE_USE_DROP, "DELETE FROM file_use WHERE owner = $1") \
X(LINK_FILE_PUT, "INSERT INTO link_file (link_id, digest, how, managed_id, size, uri, attempts, due_at, error) " \
  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (link_id, digest) DO UPDATE SET how = excluded.how, " \
  "managed_id = excluded.managed_id, size = excluded.size, uri = excluded.uri, attempts = excluded.attempts, " \
  "due_at = excluded.due_at, error = excluded.error") \
X(LINK_FILE_DROP, "DELETE FROM link_file WHERE link_id = $1 AND digest = $2") \
X(LINK_FILE_OF, "SELECT link_id, digest, how, managed_id, size, uri, attempts, due_at, error FROM link_file WHERE link_id = $1 ORDER BY digest") \
X(LINK_FILE_UPLOADS, "SELECT f.link_id, f.digest, f.how, f.managed_id, f.size, f.uri, f.attempts, f.due_at, f.error FROM link_file f " \
  "JOIN link l ON l.id = f.link_id WHERE f.how = 'upload' AND l.folder_id = $1 AND l.state = 'ok' ORDER BY f.link_id, f.digest") \
X(LINK_FILE_OUT_OF, "SELECT f.digest, ac.server, r.key, f.error FROM link_file f JOIN link l ON l.id = f.link_id JOIN folder d " \
  "ON d.id = l.folder_id JOIN account ac ON ac.id = d.account_id JOIN resource r ON r.id = ac.resource_id " \
  "WHERE l.assignment_id = $1 AND l.state = 'ok' AND f.how = 'left-out' ORDER BY ac.server, r.key, f.digest") \
X(LINK_FILE_OUT, "SELECT ac.server, COUNT(DISTINCT f.digest), COUNT(DISTINCT ac.id) FROM link_file f JOIN link l ON l.id = f.link_id JOIN folder d " \
  "ON d.id = l.folder_id JOIN account ac ON ac.id = d.account_id WHERE f.how = 'left-out' AND l.state = 'ok' GROUP BY ac.server ORDER BY ac.server") \
/* jobs */ \
X(JOB_FIND, "SELECT id FROM job WHERE kind = $1 AND account_id = $2 AND project_id = $3 AND state IN ('ready', 'waiting') LIMIT 1") \
X(JOB_FIND_ANY, "SELECT id FROM job WHERE kind = $1 AND account_id = $2 AND project_id = $3 AND state <> 'done' AND state <> 'leased' " \
  "ORDER BY CASE state WHEN 'ready' THEN 0 WHEN 'waiting' THEN 1 ELSE 2 END LIMIT 1") \
X(JOB_ADD, "INSERT INTO job (id, kind, account_id, project_id, state, attempts, due_at, lease_until, created_at, server) " \
  "VALUES ($1, $2, $3, $4, 'ready', 0, $5, 0, $6, (SELECT server FROM account WHERE id = $3))") \
X(JOB_HASTEN, "UPDATE job SET attempts = CASE WHEN state IN ('held', 'dead') THEN 0 ELSE attempts END, state = 'ready', " \
  "due_at = CASE WHEN due_at > $2 OR state IN ('held', 'dead') THEN $2 ELSE due_at END WHERE id = $1 " \
  "AND NOT (state = 'ready' AND due_at <= $2)") \
X(JOB_SERVER, "SELECT server FROM job WHERE state IN ('ready', 'waiting') AND server > $1 ORDER BY server LIMIT 1") \
X(JOB_NEXT, "SELECT j.id, j.kind, j.account_id, j.project_id, j.state, j.attempts, j.due_at, j.lease_owner, j.lease_until, j.error, " \
  "j.created_at FROM job j WHERE j.due_at <= $4 AND " SQL_JOB_OPEN " ORDER BY j.due_at, j.id LIMIT 1") \
X(JOB_ALONG, "SELECT id, kind, account_id, project_id, state, attempts, due_at, lease_owner, lease_until, error, created_at FROM job " \
  "WHERE kind = $1 AND account_id = $2 AND project_id IN (0, $3) AND due_at <= $4 AND state IN ('ready', 'waiting') " \
  "ORDER BY project_id LIMIT 1") \
X(JOB_GET, "SELECT id, kind, account_id, project_id, state, attempts, due_at, lease_owner, lease_until, error, created_at FROM job " \
  "WHERE id = $1") \
X(JOB_LEASED, "SELECT id, kind, account_id, project_id, state, attempts, due_at, lease_owner, lease_until, error, created_at FROM job " \
  "WHERE state = 'leased'") \
X(JOB_ALL, "SELECT id, kind, account_id, project_id, state, attempts, due_at, lease_owner, lease_until, error, created_at FROM job " \
  "WHERE state <> 'done' ORDER BY id") \
X(JOB_MOVE, "UPDATE job SET state = $2, attempts = $3, due_at = $4, lease_owner = $5, lease_until = $6, error = $7 WHERE id = $1") \
X(JOB_ABSORB, "UPDATE job SET state = 'done', error = NULL WHERE account_id = $1 AND id <> $2 AND state = 'waiting' AND attempts = 0 AND error = $3") \
X(JOB_REPLACED, "UPDATE job SET state = 'done', error = NULL WHERE kind = $1 AND account_id = $2 AND project_id = $3 AND id <> $4 " \
  "AND state <> 'done' AND state = 'held'") \
X(JOB_COUNTS, "SELECT j.state, COUNT(*) FROM job j WHERE " SQL_JOB_MEANT " GROUP BY j.state ORDER BY j.state") \
X(JOB_SOONEST, "SELECT j.due_at FROM job j WHERE " SQL_JOB_OPEN " ORDER BY j.due_at, j.id LIMIT 1") \
X(JOB_BUSY, "SELECT COUNT(*) FROM job j WHERE j.state = 'leased' AND " SQL_JOB_MEANT) \
X(JOB_OVERDUE, "SELECT DISTINCT a.id, r.key FROM job j JOIN account a ON a.id = j.account_id JOIN resource r ON r.id = a.resource_id " \
  "WHERE j.server = $3 AND j.due_at <= $4 AND j.state IN ('ready', 'waiting') AND " SQL_JOB_MEANT " ORDER BY r.key") \
X(JOB_RENEW, "UPDATE job SET lease_until = $2 WHERE id = $1 AND state = 'leased'") \
X(JOB_ALL_DUE, "UPDATE job SET due_at = $1 WHERE state IN ('ready', 'waiting') AND due_at > $1") \
X(JOB_PURGE, "DELETE FROM job WHERE state = 'done' AND id < $1") \
/* servers */ \
X(SERVER_TRAITS, "SELECT server, traits, earlier, changed_at, probed_at, due_at FROM server_trait WHERE server = $1") \
X(SERVER_TRAITS_PUT, "INSERT INTO server_trait (server, traits, earlier, changed_at, probed_at, due_at) VALUES ($1, $2, $3, $4, $5, $6) " \
  "ON CONFLICT (server) DO UPDATE SET traits = excluded.traits, earlier = excluded.earlier, changed_at = excluded.changed_at, " \
  "probed_at = excluded.probed_at, due_at = excluded.due_at") \
/* replies: mails that were read, answers that are still to be told */ \
X(REPLY_ADD, "INSERT INTO reply (account_id, address, message_id, assignment_id, outcome, seen_at, filed) VALUES ($1, $2, $3, $4, $5, $6, FALSE) " \
  "ON CONFLICT (account_id, address) DO NOTHING") \
X(REPLY_HAS, "SELECT COUNT(*) FROM reply WHERE account_id = $1 AND address = $2") \
X(REPLY_MET, "SELECT COUNT(*) FROM reply WHERE assignment_id = $1 AND message_id = $2 AND outcome IN ('applied', 'proposed')") \
X(REPLY_COUNT, "SELECT COUNT(*) FROM reply WHERE assignment_id = $1 AND outcome = $2 AND seen_at > $3") \
X(REPLY_ORDER, "SELECT item_sequence, stamp FROM reply_order WHERE assignment_id = $1") \
X(REPLY_ORDER_SET, "INSERT INTO reply_order (assignment_id, item_sequence, stamp) VALUES ($1, $2, $3) " \
	"ON CONFLICT (assignment_id) DO UPDATE SET item_sequence = excluded.item_sequence, stamp = excluded.stamp") \
X(REPLY_UNFILED, "SELECT address FROM reply WHERE account_id = $1 AND NOT filed ORDER BY address LIMIT $2") \
X(REPLY_FILED, "UPDATE reply SET filed = TRUE WHERE account_id = $1 AND address = $2") \
X(REPLY_PURGE, "DELETE FROM reply WHERE account_id = $1 AND filed AND seen_at < $2") \
X(REPLY_TOKEN, "SELECT token FROM reply_box WHERE account_id = $1") \
X(REPLY_TOKEN_SET, "INSERT INTO reply_box (account_id, token) VALUES ($1, $2) ON CONFLICT (account_id) DO UPDATE SET token = excluded.token") \
X(ANSWER_ADD, "INSERT INTO reply_answer (id, account_id, message_id, text, created_at, tried) VALUES ($1, $2, $3, $4, $5, FALSE)") \
X(ANSWER_COUNT, "SELECT COUNT(*) FROM reply_answer WHERE account_id = $1 AND created_at > $2") \
X(ANSWER_OPEN, "SELECT id, message_id, text, tried FROM reply_answer WHERE account_id = $1 AND text IS NOT NULL ORDER BY id") \
X(ANSWER_TRIED, "UPDATE reply_answer SET tried = TRUE WHERE id = $1") \
X(ANSWER_DONE, "UPDATE reply_answer SET text = NULL WHERE id = $1") \
X(ANSWER_PURGE, "DELETE FROM reply_answer WHERE text IS NULL AND created_at < $1")

#define SQL_MIGRATION_TABLE(X) \
X(1, "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT)") \
X(1, "CREATE TABLE sequence (name TEXT PRIMARY KEY, next BIGINT NOT NULL)") \
X(1, "INSERT INTO sequence (name, next) VALUES ('id', 1), ('change', 1)") \
X(1, "CREATE TABLE project (id BIGINT PRIMARY KEY, code TEXT NOT NULL UNIQUE, source_key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, " \
  "state TEXT NOT NULL, created_at BIGINT NOT NULL)") \
X(1, "CREATE TABLE task (id BIGINT PRIMARY KEY, project_id BIGINT NOT NULL REFERENCES project (id), source_key TEXT NOT NULL, " \
  "active BOOLEAN NOT NULL, position BIGINT NOT NULL, UNIQUE (project_id, source_key))") \
X(1, "CREATE TABLE resource (id BIGINT PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT, email TEXT, created_at BIGINT NOT NULL)") \
X(1, "CREATE TABLE resource_alias (project_id BIGINT NOT NULL REFERENCES project (id), source_key TEXT NOT NULL, " \
  "resource_id BIGINT NOT NULL REFERENCES resource (id), PRIMARY KEY (project_id, source_key))") \
X(1, "CREATE TABLE assignment (id BIGINT PRIMARY KEY, project_id BIGINT NOT NULL REFERENCES project (id), " \
  "task_id BIGINT NOT NULL REFERENCES task (id), resource_id BIGINT NOT NULL REFERENCES resource (id), source_key TEXT NOT NULL, " \
  "uid TEXT NOT NULL UNIQUE, state TEXT NOT NULL)") \
X(1, "CREATE INDEX assignment_person ON assignment (project_id, resource_id)") \
X(1, "CREATE INDEX assignment_task ON assignment (task_id, resource_id)") \
X(1, "CREATE TABLE field_value (owner BIGINT NOT NULL, field TEXT NOT NULL, text TEXT, seq BIGINT NOT NULL, " \
  "changed_at BIGINT NOT NULL, author TEXT NOT NULL, PRIMARY KEY (owner, field))") \
X(1, "CREATE TABLE change (seq BIGINT PRIMARY KEY, project_id BIGINT NOT NULL, task_id BIGINT NOT NULL, assignment_id BIGINT NOT NULL, " \
  "field TEXT NOT NULL, old_text TEXT, new_text TEXT, changed_at BIGINT NOT NULL, author TEXT NOT NULL, cause TEXT)") \
X(1, "CREATE INDEX change_project ON change (project_id, seq)") \
X(1, "CREATE INDEX change_assignment ON change (assignment_id)") \
X(1, "CREATE INDEX change_task ON change (task_id)") \
X(1, "CREATE TABLE booking (id BIGINT PRIMARY KEY, assignment_id BIGINT NOT NULL REFERENCES assignment (id), day BIGINT NOT NULL, " \
  "minutes BIGINT NOT NULL, text TEXT, source_key TEXT NOT NULL, created_at BIGINT NOT NULL, author TEXT NOT NULL, " \
  "UNIQUE (assignment_id, source_key))") \
X(1, "CREATE TABLE import_base (project_id BIGINT NOT NULL REFERENCES project (id), owner_key TEXT NOT NULL, vector TEXT NOT NULL, " \
  "PRIMARY KEY (project_id, owner_key))") \
X(1, "CREATE TABLE revision (id BIGINT PRIMARY KEY, assignment_id BIGINT NOT NULL REFERENCES assignment (id), state TEXT NOT NULL, " \
  "rule TEXT, message TEXT, fields TEXT NOT NULL, created_at BIGINT NOT NULL, author TEXT NOT NULL, comment TEXT, decided_at BIGINT)") \
X(1, "CREATE INDEX revision_assignment ON revision (assignment_id)") \
X(1, "CREATE INDEX revision_state ON revision (state, id)") \
X(1, "CREATE TABLE account (id BIGINT PRIMARY KEY, server TEXT NOT NULL, resource_id BIGINT NOT NULL REFERENCES resource (id), " \
  "state TEXT NOT NULL, error TEXT, last_seen_at BIGINT, login_failures BIGINT NOT NULL, login_since BIGINT NOT NULL, " \
  "UNIQUE (server, resource_id))") \
X(1, "CREATE TABLE folder (id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL REFERENCES account (id), " \
  "project_id BIGINT NOT NULL REFERENCES project (id), address TEXT, token TEXT, project_seq BIGINT NOT NULL, state TEXT NOT NULL, " \
  "error TEXT, last_round_at BIGINT NOT NULL, UNIQUE (account_id, project_id))") \
X(1, "CREATE TABLE link (id BIGINT PRIMARY KEY, folder_id BIGINT NOT NULL REFERENCES folder (id), " \
  "assignment_id BIGINT NOT NULL REFERENCES assignment (id), address TEXT, state TEXT NOT NULL, seen_text TEXT, seen_vector TEXT, " \
  "seen_version TEXT, seen_at BIGINT NOT NULL, decoder BIGINT NOT NULL, want_vector TEXT, edition BIGINT NOT NULL, dirty BOOLEAN NOT NULL, " \
  "correction TEXT, corrections BIGINT NOT NULL, corrections_since BIGINT NOT NULL, attempts BIGINT NOT NULL, due_at BIGINT NOT NULL, " \
  "error TEXT, own_percent BIGINT NOT NULL, UNIQUE (folder_id, assignment_id))") \
X(1, "CREATE INDEX link_address ON link (folder_id, address)") \
X(1, "CREATE INDEX link_assignment ON link (assignment_id)") \
X(1, "CREATE INDEX link_dirty ON link (folder_id) WHERE dirty") \
X(1, "CREATE INDEX link_unusual ON link (state) WHERE state <> 'ok'") \
X(1, "CREATE TABLE edition (link_id BIGINT NOT NULL REFERENCES link (id), number BIGINT NOT NULL, vector TEXT NOT NULL, " \
  "created_at BIGINT NOT NULL, PRIMARY KEY (link_id, number))") \
X(1, "CREATE TABLE pending (folder_id BIGINT NOT NULL REFERENCES folder (id), address TEXT NOT NULL, reason TEXT NOT NULL, " \
  "first_seen_at BIGINT NOT NULL, due_at BIGINT NOT NULL, PRIMARY KEY (folder_id, address))") \
X(1, "CREATE TABLE stray (folder_id BIGINT NOT NULL REFERENCES folder (id), address TEXT NOT NULL, version TEXT, state TEXT NOT NULL, " \
  "summary TEXT, text TEXT, seen_at BIGINT NOT NULL, PRIMARY KEY (folder_id, address))") \
X(1, "CREATE TABLE job (id BIGINT PRIMARY KEY, kind TEXT NOT NULL, account_id BIGINT NOT NULL REFERENCES account (id), " \
  "project_id BIGINT NOT NULL, state TEXT NOT NULL, attempts BIGINT NOT NULL, due_at BIGINT NOT NULL, lease_owner TEXT, " \
  "lease_until BIGINT NOT NULL, error TEXT, created_at BIGINT NOT NULL)") \
X(1, "CREATE UNIQUE INDEX job_merge ON job (kind, account_id, project_id) WHERE state IN ('ready', 'waiting')") \
X(1, "CREATE INDEX job_due ON job (due_at) WHERE state IN ('ready', 'waiting')") \
X(1, "CREATE INDEX job_account ON job (account_id) WHERE state = 'leased'") \
/* 2: items that are replaced by new ones (messages); jobs that know their server */ \
X(2, "CREATE TABLE leftover (folder_id BIGINT NOT NULL REFERENCES folder (id), address TEXT NOT NULL, version TEXT, " \
  "link_id BIGINT NOT NULL REFERENCES link (id), due_at BIGINT NOT NULL, PRIMARY KEY (folder_id, address))") \
X(2, "ALTER TABLE job ADD COLUMN server TEXT NOT NULL DEFAULT ''") \
X(2, "UPDATE job SET server = (SELECT a.server FROM account a WHERE a.id = job.account_id)") \
X(2, "DROP INDEX job_due") \
X(2, "CREATE INDEX job_server ON job (server, due_at, id) WHERE state IN ('ready', 'waiting')") \
X(2, "CREATE INDEX job_open ON job (account_id) WHERE state <> 'done'") \
X(2, "CREATE INDEX job_over ON job (id) WHERE state = 'done'") \
X(2, "CREATE INDEX folder_project ON folder (project_id)") \
/* 3: what both sides agreed on, step by step (M4); items under another UID; slow full comparisons */ \
X(3, "CREATE TABLE history (link_id BIGINT NOT NULL REFERENCES link (id), step BIGINT NOT NULL, edition BIGINT NOT NULL, " \
  "pushed BOOLEAN NOT NULL, vector TEXT NOT NULL, agreed_at BIGINT NOT NULL, PRIMARY KEY (link_id, step))") \
X(3, "INSERT INTO history (link_id, step, edition, pushed, vector, agreed_at) " \
  "SELECT link_id, number, number, TRUE, vector, created_at FROM edition") \
X(3, "DROP TABLE edition") \
X(3, "CREATE TABLE uid_alias (uid TEXT PRIMARY KEY, assignment_id BIGINT NOT NULL REFERENCES assignment (id))") \
X(3, "ALTER TABLE folder ADD COLUMN reconciled_at BIGINT NOT NULL DEFAULT 0") \
/* 3: what tells whose a foreign item may be (M5): those known are read anew; a mailbox that keeps its identity under another name */ \
X(3, "ALTER TABLE stray ADD COLUMN uid TEXT") \
X(3, "ALTER TABLE stray ADD COLUMN edition BIGINT NOT NULL DEFAULT 0") \
X(3, "ALTER TABLE stray ADD COLUMN edition_hash TEXT") \
X(3, "DELETE FROM stray WHERE state = 'foreign'") \
X(3, "ALTER TABLE folder ADD COLUMN object_id TEXT") \
X(3, "UPDATE folder SET token = NULL") \
X(3, "ALTER TABLE link ADD COLUMN seen_ids TEXT") \
X(3, "ALTER TABLE link ADD COLUMN project_ids TEXT") \
X(3, "CREATE INDEX link_unsettled ON link (folder_id, state) WHERE project_ids IS NULL") \
/* what a round asks for each time stands apart from the many links that are as they should be: statements say
 * `state <> 'ok'` as well, without which SQLite does not see that the index has them all */ \
X(3, "CREATE INDEX link_apart ON link (folder_id, state) WHERE state <> 'ok'") \
X(3, "CREATE INDEX assignment_withdrawn ON assignment (project_id, resource_id) WHERE state = 'withdrawn'") \
X(3, "CREATE TABLE unbooked (id BIGINT PRIMARY KEY, assignment_id BIGINT NOT NULL REFERENCES assignment (id), source_key TEXT NOT NULL, " \
  "UNIQUE (assignment_id, source_key))") \
/* a revision's life: what it was made as, who wrote its values, who decided; of losing ones that was not kept before */ \
X(3, "ALTER TABLE revision ADD COLUMN origin TEXT") \
X(3, "ALTER TABLE revision ADD COLUMN writer TEXT") \
X(3, "ALTER TABLE revision ADD COLUMN against TEXT") \
X(3, "ALTER TABLE revision ADD COLUMN decided_by TEXT") \
X(3, "UPDATE revision SET origin = state, writer = CASE WHEN state <> 'losing' THEN author END") \
/* 4: what servers have been seen to do */ \
X(4, "CREATE TABLE server_trait (server TEXT PRIMARY KEY, traits TEXT NOT NULL, earlier TEXT, changed_at BIGINT NOT NULL, " \
  "probed_at BIGINT NOT NULL, due_at BIGINT NOT NULL)") \
/* 4: attachments. BYTEA is PostgreSQL's word; SQLite keeps what it is given. An owner is an assignment or a revision, whose ids \
 * come from one sequence. Of a link only what does not follow from its text has a row. */ \
X(4, "CREATE TABLE file (digest TEXT PRIMARY KEY, size BIGINT NOT NULL, created_at BIGINT NOT NULL, bytes BYTEA NOT NULL)") \
X(4, "CREATE TABLE file_use (digest TEXT NOT NULL, owner BIGINT NOT NULL, PRIMARY KEY (digest, owner))") \
X(4, "CREATE INDEX file_use_owner ON file_use (owner)") \
X(4, "CREATE TABLE link_file (link_id BIGINT NOT NULL REFERENCES link (id), digest TEXT NOT NULL, how TEXT NOT NULL, managed_id TEXT, " \
  "size BIGINT NOT NULL, uri TEXT, attempts BIGINT NOT NULL, due_at BIGINT NOT NULL, error TEXT, PRIMARY KEY (link_id, digest))") \
X(4, "CREATE INDEX link_file_upload ON link_file (link_id) WHERE how = 'upload'") \
X(4, "CREATE INDEX link_file_out ON link_file (link_id) WHERE how = 'left-out'") \
/* where an account's folders are made; no two accounts share a home */ \
X(4, "CREATE TABLE account_place (account_id BIGINT PRIMARY KEY REFERENCES account (id), asked TEXT NOT NULL, origin TEXT NOT NULL, " \
  "home TEXT NOT NULL, principal TEXT, how TEXT, found_at BIGINT NOT NULL)") \
X(4, "CREATE INDEX account_place_home ON account_place (home, origin)") \
/* 4: what is to be written, page by page */ \
X(4, "DROP INDEX link_dirty") \
X(4, "CREATE INDEX link_dirty ON link (folder_id, id) WHERE dirty") \
/* 5: what a person has set on a message, as it was judged last, and whether what is wanted is news to them */ \
X(5, "ALTER TABLE link ADD COLUMN marks TEXT") \
X(5, "ALTER TABLE link ADD COLUMN quiet BOOLEAN NOT NULL DEFAULT FALSE") \
X(5, "ALTER TABLE link ADD COLUMN starred TEXT") \
/* 5: the mailbox with replies: up to where it is read, what came of each mail, what people are to be told */ \
X(5, "CREATE TABLE reply_box (account_id BIGINT PRIMARY KEY REFERENCES account (id), token TEXT)") \
X(5, "CREATE TABLE reply (account_id BIGINT NOT NULL REFERENCES account (id), address TEXT NOT NULL, message_id TEXT, " \
  "assignment_id BIGINT NOT NULL, outcome TEXT NOT NULL, seen_at BIGINT NOT NULL, filed BOOLEAN NOT NULL, PRIMARY KEY (account_id, address))") \
X(5, "CREATE INDEX reply_assignment ON reply (assignment_id, message_id)") \
X(5, "CREATE INDEX reply_unfiled ON reply (account_id, address) WHERE NOT filed") \
X(5, "CREATE TABLE reply_answer (id BIGINT PRIMARY KEY, account_id BIGINT NOT NULL REFERENCES account (id), message_id TEXT NOT NULL, " \
  "text TEXT, created_at BIGINT NOT NULL, tried BOOLEAN NOT NULL)") \
X(5, "CREATE TABLE reply_order (assignment_id BIGINT PRIMARY KEY REFERENCES assignment (id), item_sequence BIGINT NOT NULL, stamp BIGINT NOT NULL)") \
X(5, "CREATE INDEX reply_answer_account ON reply_answer (account_id, created_at)") \
/* 5: the mailbox for what is done that was made below a folder */ \
X(5, "ALTER TABLE folder ADD COLUMN beside TEXT") \
/* 5: since when the mailbox has no room */ \
X(5, "ALTER TABLE account ADD COLUMN full_since BIGINT NOT NULL DEFAULT 0") \
/* 5: a new item is written soon, and is in none of the indexes of what is not as it should be, from which it would be removed
 * at once (statements say `state <> 'new'` too), nor in that of addresses before it has one */ \
X(5, "DROP INDEX link_unusual") \
X(5, "CREATE INDEX link_unusual ON link (state) WHERE state <> 'ok' AND state <> 'new'") \
X(5, "DROP INDEX link_apart") \
X(5, "CREATE INDEX link_apart ON link (folder_id, state) WHERE state <> 'ok' AND state <> 'new'") \
X(5, "DROP INDEX link_address") \
X(5, "CREATE INDEX link_address ON link (folder_id, address) WHERE address IS NOT NULL")
/* clang-format on */

/* The newest migration that this program knows. */
#define SQL_SCHEMA_VERSION 5

enum sql {
#define X(name, text) SQL_##name,
	SQL_TABLE(X)
#undef X
		SQL_STATEMENTS
};

#endif
