/* Owns the SQL of processing: jobs, variants, and unreferenced blobs. */
#include "services/media/store.h"
#include "services/jobs.h"
#include "services/media/media_columns.h"

/* A job takes about five seconds. */
DB_STATEMENT(
    INSERT_JOB, "media_service", NULL,
    "insert into media_processing_jobs as j (media_id, owner_id, is_long, rank_at)"
    " select f.id, f.owner_id, f.kind <> 1, greatest(now(), (select max(rank_at) + interval '5 seconds'"
    " from media_processing_jobs where owner_id = f.owner_id)) from media_files f where f.id = $1 and f.status <> 3"
    " on conflict (media_id) do update set generation = j.generation + 1, attempts = 0, due_at = now()");

sn_status store_insert_job(struct db_tx *tx, const char *media_id)
{
        return db_exec(tx, &INSERT_JOB, DB_BINDS(bind_uuid(media_id)), NULL);
}

#define NEXT_JOB(which)                                                                                                \
        "select ceil(extract(epoch from min(due_at) - clock_timestamp()) * 1000)::bigint as wait_ms"                   \
        " from media_processing_jobs where " which
DB_STATEMENT(NEXT_SHORT_JOB, "media_service", NULL, NEXT_JOB("not is_long"));
DB_STATEMENT(NEXT_LONG_JOB, "media_service", NULL, NEXT_JOB("is_long"));

sn_status store_next_job(struct db_tx *tx, bool is_long, int64_t *wait_ms)
{
        return jobs_read_wait(tx, is_long ? &NEXT_LONG_JOB : &NEXT_SHORT_JOB, wait_ms);
}

DB_STATEMENT(COUNT_JOBS, "media_service", NULL, "select count(*) as n from media_processing_jobs where owner_id = $1");

sn_status store_pending_jobs(struct db_tx *tx, const char *owner_id, int64_t *n)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &COUNT_JOBS, DB_BINDS(bind_uuid(owner_id)), &rows));
        *n = db_i64(rows, 0, "n");
        return SN_OK;
}

#define TAKE_JOB(which)                                                                                                \
        "update media_processing_jobs j set attempts = j.attempts + 1, due_at = now() + interval '1 minute'"           \
        " from media_files f where j.media_id = (select media_id from media_processing_jobs where due_at <= now()"     \
        " and " which " order by rank_at limit 1 for update skip locked) and f.id = j.media_id"                        \
        " returning j.attempts, j.generation, " MEDIA_COLUMNS("stored.")
DB_STATEMENT(TAKE_SHORT_JOB, "media_service", &media_rows__due_media__message, TAKE_JOB("not is_long"));
DB_STATEMENT(TAKE_LONG_JOB, "media_service", &media_rows__due_media__message, TAKE_JOB("is_long"));

sn_status store_take_job(struct db_tx *tx, bool is_long, MediaRows__DueMedia *out, bool *found)
{
        return db_one(tx, is_long ? &TAKE_LONG_JOB : &TAKE_SHORT_JOB, DB_NO_BINDS, &out->base, found);
}

DB_STATEMENT(RENEW_JOB, "media_service", NULL,
             "update media_processing_jobs set due_at = now() + interval '1 minute'"
             " where media_id = $1 and generation = $2 returning 1 as renewed");

sn_status store_renew_job(struct db_tx *tx, const MediaRows__DueMedia *job, bool *renewed)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &RENEW_JOB, DB_BINDS(bind_uuid(job->stored->id), bind_i64(job->generation)), &rows));
        *renewed = db_rows_count(rows) > 0;
        return SN_OK;
}

DB_STATEMENT(RELEASE_JOB, "media_service", NULL,
             "update media_processing_jobs set attempts = greatest(attempts - 1, 0), due_at = now()"
             " where media_id = $1 and generation = $2");

sn_status store_release_job(struct db_tx *tx, const MediaRows__DueMedia *job)
{
        return db_exec(tx, &RELEASE_JOB, DB_BINDS(bind_uuid(job->stored->id), bind_i64(job->generation)), NULL);
}

DB_STATEMENT(POSTPONE_JOB, "media_service", NULL,
             "update media_processing_jobs set attempts = greatest(attempts - 1, 0), due_at = now() +"
             " least(greatest(now() - created_at, interval '10 seconds'), interval '1 hour')"
             " where media_id = $1 and generation = $2");

sn_status store_postpone_job(struct db_tx *tx, const MediaRows__DueMedia *job)
{
        return db_exec(tx, &POSTPONE_JOB, DB_BINDS(bind_uuid(job->stored->id), bind_i64(job->generation)), NULL);
}

DB_STATEMENT(LOCK_JOB, "media_service", NULL,
             "select generation from media_processing_jobs where media_id = $1 for update");
DB_STATEMENT(DELETE_JOB, "media_service", NULL, "delete from media_processing_jobs where media_id = $1");

sn_status store_delete_job(struct db_tx *tx, const char *media_id)
{
        return db_exec(tx, &DELETE_JOB, DB_BINDS(bind_uuid(media_id)), NULL);
}

sn_status store_finish_job(struct db_tx *tx, const MediaRows__DueMedia *job, enum job_state *state)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &LOCK_JOB, DB_BINDS(bind_uuid(job->stored->id)), &rows));
        if (db_rows_count(rows) == 0) {
                *state = JOB_GONE;
                return SN_OK;
        }
        *state = db_i64(rows, 0, "generation") == job->generation ? JOB_DONE : JOB_RENEWED;
        return *state == JOB_DONE ? store_delete_job(tx, job->stored->id) : SN_OK;
}

DB_STATEMENT(
    MEDIA_READY, "media_service", NULL,
    "update media_files set status = 2, reason = '', width = $2, height = $3, blurhash = $4, dominant_color = $5,"
    " content_sha256 = decode($6, 'hex'), perceptual_hash = ('x' || nullif($7, ''))::bit(64), kind = $8,"
    " mime_type = $9, duration_ms = $10, waveform = $11::bigint[]::smallint[] where id = $1");

sn_status store_media_ready(struct db_tx *tx, const char *id, const struct processed_media *m)
{
        return db_exec(tx, &MEDIA_READY,
                       DB_BINDS(bind_uuid(id), bind_i64(m->width), bind_i64(m->height), bind_text(m->blurhash),
                                bind_text(m->dominant_color), bind_text(m->content_sha256),
                                bind_text(m->perceptual_hash), bind_i64(m->kind), bind_text(m->mime_type),
                                bind_i64(m->duration_ms), bind_i64s(m->waveform, m->n_waveform)),
                       NULL);
}

DB_STATEMENT(MEDIA_FAILED, "media_service", NULL, "update media_files set status = 3, reason = $2 where id = $1");

sn_status store_media_failed(struct db_tx *tx, const char *id, const char *reason)
{
        return db_exec(tx, &MEDIA_FAILED, DB_BINDS(bind_uuid(id), bind_text(reason)), NULL);
}

DB_STATEMENT(MEDIA_BLOCKED, "media_service", NULL,
             "update media_files set status = 3, reason = $2, content_sha256 = null, blurhash = '', dominant_color = ''"
             " where id = $1");

sn_status store_media_blocked(struct db_tx *tx, const char *id, const char *reason)
{
        return db_exec(tx, &MEDIA_BLOCKED, DB_BINDS(bind_uuid(id), bind_text(reason)), NULL);
}

DB_STATEMENT(INSERT_VARIANT, "media_service", NULL,
             "insert into media_variants (media_id, name, mime_type, width, height, size_bytes, sha256)"
             " values ($1, $2, $3, $4, $5, $6, decode($7, 'hex'))");

sn_status store_insert_variant(struct db_tx *tx, const char *media_id, const struct new_variant *v)
{
        return db_exec(tx, &INSERT_VARIANT,
                       DB_BINDS(bind_uuid(media_id), bind_text(v->name), bind_text(v->mime_type), bind_i64(v->width),
                                bind_i64(v->height), bind_i64(v->size_bytes), bind_text(v->sha256)),
                       NULL);
}

DB_STATEMENT(DELETE_VARIANTS, "media_service", NULL, "delete from media_variants where media_id = $1");

sn_status store_delete_variants(struct db_tx *tx, const char *media_id)
{
        return db_exec(tx, &DELETE_VARIANTS, DB_BINDS(bind_uuid(media_id)), NULL);
}

DB_STATEMENT(SELECT_VARIANT, "media_service", &media_rows__variant__message,
             "select mime_type, encode(sha256, 'hex') as sha256 from media_variants where media_id = $1 and name = $2");

sn_status store_variant(struct db_tx *tx, const char *media_id, const char *name, MediaRows__Variant *out)
{
        return db_one(tx, &SELECT_VARIANT, DB_BINDS(bind_uuid(media_id), bind_text(name)), &out->base, NULL);
}

DB_STATEMENT(TAKE_UNREFERENCED, "media_service", NULL,
             "delete from media_unreferenced where sha256 in (select sha256 from media_unreferenced order by sha256"
             " limit $1 for update skip locked) returning encode(sha256, 'hex') as name");

sn_status store_take_unreferenced(struct db_tx *tx, size_t limit, size_t *n, char ***names)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &TAKE_UNREFERENCED, DB_BINDS(bind_i64((int64_t)limit)), &rows));
        *n = db_rows_count(rows);
        *names = ARENA_ARRAY(db_arena(tx), char *, *n + 1);
        for (size_t i = 0; i < *n; i++) {
                (*names)[i] = arena_strdup(db_arena(tx), db_text(rows, i, "name"));
        }
        return SN_OK;
}

/* An uploaded file is referred to until it was processed. */
#define IS_REFERRED(hash)                                                                                              \
        "(exists (select 1 from media_files where content_sha256 = " hash ")"                                          \
        " or exists (select 1 from media_variants where sha256 = " hash ")"                                            \
        " or exists (select 1 from media_files f join media_processing_jobs j on j.media_id = f.id"                    \
        " where f.upload_sha256 = " hash "))"

DB_STATEMENT(SELECT_REFERENCE, "media_service", NULL, "select 1 where " IS_REFERRED("decode($1, 'hex')"));

sn_status store_is_referred(struct db_tx *tx, const char *name, bool *referred)
{
        struct db_rows *rows = NULL;

        TRY(db_rows(tx, &SELECT_REFERENCE, DB_BINDS(bind_text(name)), &rows));
        *referred = db_rows_count(rows) > 0;
        return SN_OK;
}

DB_STATEMENT(INSERT_UNREFERENCED, "media_service", NULL,
             "insert into media_unreferenced (sha256) select decode(name, 'hex') from unnest($1::text[]) as m (name)"
             " where not " IS_REFERRED("decode(name, 'hex')") " on conflict do nothing");

sn_status store_unreference(struct db_tx *tx, char **names, size_t n)
{
        return db_exec(tx, &INSERT_UNREFERENCED, DB_BINDS(bind_texts(names, n)), NULL);
}
