/* Owns the SQL of timeline_service. */
#include "services/timeline/store.h"

#define FIRST_ID "00000000-0000-0000-0000-000000000000"

DB_STATEMENT(SELECT_STATE, "timeline_service", &timeline_rows__state__message,
             "select relations_version, floor_id, floor_id = '" FIRST_ID "' as complete, built_at is not null as built,"
             " read_at < now() - interval '30 days' as stale from timeline_cache where owner_id = $1");

sn_status store_state(struct db_tx *tx, const char *owner, TimelineRows__State *state, bool *found)
{
        return db_one(tx, &SELECT_STATE, DB_BINDS(bind_uuid(owner)), &state->base, found);
}

/* The row's lock makes "still stale" and deleting its entries one step, however many readers come at once. */
DB_STATEMENT(START_BUILD, "timeline_service", NULL,
             "with started as (insert into timeline_cache as t (owner_id) values ($1) on conflict (owner_id) do update"
             " set relations_version = 0, floor_id = '" FIRST_ID "', built_at = null, read_at = now()"
             " where t.read_at < now() - interval '30 days' returning owner_id)"
             " delete from timeline_entries where owner_id in (select owner_id from started)");

sn_status store_start_build(struct db_tx *tx, const char *owner)
{
        return db_exec(tx, &START_BUILD, DB_BINDS(bind_uuid(owner)), NULL);
}

DB_STATEMENT(INSERT_ENTRIES, "timeline_service", NULL,
             "insert into timeline_entries (owner_id, note_id, author_id)"
             " select $1::uuid, note_id, author_id from unnest($2::uuid[], $3::uuid[]) as e (note_id, author_id)"
             " order by note_id on conflict do nothing");

sn_status store_insert_entries(struct db_tx *tx, const char *owner, Note__NoteRef *const *refs, size_t n)
{
        char **notes = ARENA_ARRAY(db_arena(tx), char *, n);
        char **authors = ARENA_ARRAY(db_arena(tx), char *, n);

        for (size_t i = 0; i < n; i++) {
                notes[i] = refs[i]->id;
                authors[i] = refs[i]->author_id;
        }
        return db_exec(tx, &INSERT_ENTRIES, DB_BINDS(bind_uuid(owner), bind_uuids(notes, n), bind_uuids(authors, n)),
                       NULL);
}

/* Concurrent builds are possible: the low-water mark (floor_id) only rises, whoever commits last. */
DB_STATEMENT(FINISH_PULL, "timeline_service", NULL,
             "with grown as (insert into timeline_grown values ($1) on conflict do nothing)"
             " update timeline_cache set relations_version = greatest(relations_version, $2),"
             " floor_id = greatest(floor_id, $3::uuid), built_at = coalesce(built_at, now()) where owner_id = $1");

sn_status store_finish_pull(struct db_tx *tx, const char *owner, int64_t version, const char *floor_id)
{
        return db_exec(tx, &FINISH_PULL, DB_BINDS(bind_uuid(owner), bind_i64(version), bind_uuid(floor_id)), NULL);
}

DB_STATEMENT(TOUCH, "timeline_service", NULL,
             "update timeline_cache set read_at = now() where owner_id = $1 and now() - read_at > interval '12 hours'");

sn_status store_touch(struct db_tx *tx, const char *owner)
{
        return db_exec(tx, &TOUCH, DB_BINDS(bind_uuid(owner)), NULL);
}

#define ENTRIES(comparison, direction)                                                                                 \
        "select note_id as id, author_id from timeline_entries where owner_id = $1 and note_id " comparison            \
        " $2 and note_id >= (select floor_id from timeline_cache where owner_id = $1) order by note_id " direction     \
        " limit $3"

DB_STATEMENT(SELECT_ENTRIES, "timeline_service", &note__note_ref__message, ENTRIES("<", "desc"));
DB_STATEMENT(SELECT_ENTRIES_AFTER, "timeline_service", &note__note_ref__message, ENTRIES(">", "asc"));

sn_status store_entries(struct db_tx *tx, const char *owner, const struct page_scan *scan, size_t *n,
                        Note__NoteRef ***refs)
{
        return db_list(tx, scan->newer ? &SELECT_ENTRIES_AFTER : &SELECT_ENTRIES,
                       DB_BINDS(bind_uuid(owner), bind_uuid(page_beyond_id(scan)), bind_i64((int64_t)scan->limit)), n,
                       refs);
}

/* In key order, like all inserts, to avoid deadlocks. One entry in 256, chosen by a hash, records that its timeline
 * has grown: a counter per timeline would need a second row write per entry. */
DB_STATEMENT(DELIVER, "timeline_service", &timeline_rows__entry__message,
             "with entries as (select f.owner_id, p.note_id, p.author_id"
             " from unnest($1::uuid[], $2::uuid[]) as f (owner_id, author_id)"
             " join timeline_cache c on c.owner_id = f.owner_id and c.read_at > now() - interval '30 days'"
             " join unnest($3::uuid[], $4::uuid[]) as p (note_id, author_id) on p.author_id = f.author_id"
             "), added as (insert into timeline_entries (owner_id, note_id, author_id)"
             " select owner_id, note_id, author_id from entries order by owner_id, note_id on conflict do nothing),"
             " grown as (insert into timeline_grown select distinct owner_id from entries"
             " where (uuid_hash(owner_id) # uuid_hash(note_id)) & 255 = 0 order by owner_id on conflict do nothing)"
             " select owner_id, note_id, author_id from entries order by owner_id");

sn_status store_deliver(struct db_tx *tx, const struct delivery *d, size_t *n, TimelineRows__Entry ***entries)
{
        return db_list(tx, &DELIVER,
                       DB_BINDS(bind_uuids(d->follower_ids, d->n_follows), bind_uuids(d->followed_ids, d->n_follows),
                                bind_uuids(d->note_ids, d->n_notes), bind_uuids(d->author_ids, d->n_notes)),
                       n, entries);
}

DB_STATEMENT(REMOVE_ENTRIES, "timeline_service", NULL,
             "delete from timeline_entries e using unnest($1::uuid[], $2::uuid[]) as f (owner_id, author_id)"
             " join unnest($3::uuid[], $4::uuid[]) as p (note_id, author_id) on p.author_id = f.author_id"
             " where e.owner_id = f.owner_id and e.note_id = p.note_id");

sn_status store_remove(struct db_tx *tx, const struct delivery *d)
{
        return db_exec(tx, &REMOVE_ENTRIES,
                       DB_BINDS(bind_uuids(d->follower_ids, d->n_follows), bind_uuids(d->followed_ids, d->n_follows),
                                bind_uuids(d->note_ids, d->n_notes), bind_uuids(d->author_ids, d->n_notes)),
                       NULL);
}

DB_STATEMENT(TAKE_GROWN, "timeline_service", &timeline_rows__owner__message,
             "delete from timeline_grown where owner_id = any(array(select owner_id from timeline_grown"
             " order by owner_id limit $1 for update skip locked)) returning owner_id");

DB_STATEMENT(CUT_TAILS, "timeline_service", NULL,
             "with long as (select o.id as owner_id, (select note_id from timeline_entries where owner_id = o.id"
             " order by note_id desc offset 799 limit 1) as last from unnest($1::uuid[]) as o (id)"
             " where exists (select from timeline_entries where owner_id = o.id order by note_id desc offset 1199)),"
             " marked as (update timeline_cache c set floor_id = greatest(c.floor_id, long.last) from long"
             " where c.owner_id = long.owner_id)"
             " delete from timeline_entries e using long where e.owner_id = long.owner_id and e.note_id < long.last");

sn_status store_cut_grown(struct db_tx *tx, size_t limit, size_t *n)
{
        TimelineRows__Owner **owners = NULL;
        char **ids;

        TRY(db_list(tx, &TAKE_GROWN, DB_BINDS(bind_i64((int64_t)limit)), n, &owners));
        ids = ARENA_ARRAY(db_arena(tx), char *, *n);
        for (size_t i = 0; i < *n; i++) {
                ids[i] = owners[i]->owner_id;
        }
        return *n > 0 ? db_exec(tx, &CUT_TAILS, DB_BINDS(bind_uuids(ids, *n)), NULL) : SN_OK;
}

DB_STATEMENT(FORGET_UNREAD, "timeline_service", &timeline_rows__owner__message,
             "with unread as (delete from timeline_cache where owner_id = any(array(select owner_id from timeline_cache"
             " where read_at < now() - interval '30 days' order by read_at limit $1 for update skip locked))"
             " returning owner_id), gone as (delete from timeline_entries"
             " where owner_id = any(array(select owner_id from unread))) select owner_id from unread");

sn_status store_forget_unread(struct db_tx *tx, size_t limit, size_t *n)
{
        TimelineRows__Owner **owners = NULL;

        return db_list(tx, &FORGET_UNREAD, DB_BINDS(bind_i64((int64_t)limit)), n, &owners);
}

/* Serialised, so that positions commit in order: a reader of one has seen all below it. */
DB_STATEMENT(LOCK_FAMOUS, "timeline_service", NULL, "lock table timeline_famous in exclusive mode");
DB_STATEMENT(INSERT_FAMOUS, "timeline_service", NULL,
             "insert into timeline_famous (author_id) values ($1) on conflict do nothing");

sn_status store_insert_famous(struct db_tx *tx, const char *author_id)
{
        TRY(db_exec(tx, &LOCK_FAMOUS, NULL, 0, NULL));
        return db_exec(tx, &INSERT_FAMOUS, DB_BINDS(bind_uuid(author_id)), NULL);
}

DB_STATEMENT(SELECT_FAMOUS, "timeline_service", &timeline_rows__famous__message,
             "select position, author_id from timeline_famous where position > $1 order by position limit $2");

sn_status store_famous(struct db_tx *tx, int64_t after, size_t limit, size_t *n, TimelineRows__Famous ***rows)
{
        return db_list(tx, &SELECT_FAMOUS, DB_BINDS(bind_i64(after), bind_i64((int64_t)limit)), n, rows);
}
