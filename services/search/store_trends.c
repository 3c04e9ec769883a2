/* Owns the SQL of trends. */
#include "services/search/store_trends.h"

#include "services/cleanup.h"

/* Only for public notes, and without reactions of their authors. */
DB_STATEMENT(INSERT_REACTIONS, "search_service", NULL,
             "insert into search_uses (topic, hour, user_id) select distinct ':note:' || r.note_id,"
             " date_trunc('hour', to_timestamp(r.at / 1000.0)), r.user_id from unnest($1::uuid[], $2::uuid[],"
             " $3::bigint[]) as r (note_id, user_id, at) join search_index i on i.note_id = r.note_id"
             " where i.owner_id is null and i.author_id <> r.user_id"
             " and to_timestamp(r.at / 1000.0) > now() - interval '8 days' order by 1, 2, 3 on conflict do nothing");

sn_status store_reactions(struct db_tx *tx, char **note_ids, char **user_ids, const int64_t *at_ms, size_t n)
{
        return n > 0 ? db_exec(tx, &INSERT_REACTIONS,
                               DB_BINDS(bind_uuids(note_ids, n), bind_uuids(user_ids, n), bind_i64s(at_ms, n)), NULL)
                     : SN_OK;
}

/* Each person counts once, however active, and half as much after twelve hours. People who are hidden or do not want to
 * be found do not count, nor do accounts in their first day: five new ones are soon made, also by a single person.
 * Their ids tell when they registered. Keeps the best hundred of each kind. */
DB_STATEMENT(MAKE_TRENDS, "search_service", NULL,
             "with each as (select topic, user_id, max(hour) as last from search_uses t"
             " where hour > now() - interval '24 hours' and search_note_time(t.user_id) < now() - interval '1 day'"
             " and not exists (select from search_unlisted u"
             " where u.user_id = t.user_id) group by topic, user_id),"
             " recent as (select topic, count(*) as people,"
             " sum(power(0.5, extract(epoch from now() - last) / 43200)) as heat from each group by topic"
             " having count(*) >= $1),"
             " past as (select topic, count(*) / 7.0 as usual from (select distinct topic, user_id,"
             " date_trunc('day', hour) from search_uses where topic in (select topic from recent)"
             " and hour <= now() - interval '24 hours' and hour > now() - interval '8 days') d group by topic),"
             " scored as (select r.topic, r.people, coalesce(p.usual, 0)::double precision as usual,"
             " (r.heat * r.heat / (coalesce(p.usual, 0) + 1))::double precision as score"
             " from recent r left join past p on p.topic = r.topic),"
             " best as (select * from (select *, row_number() over (partition by left(topic, 1) order by score desc,"
             " topic) as place from scored) s where place <= 100),"
             " gone as (delete from search_trends where topic not in (select topic from best))"
             " insert into search_trends (topic, people, usual, score) select topic, people, usual, score from best"
             " on conflict (topic) do update set people = excluded.people, usual = excluded.usual,"
             " score = excluded.score");

sn_status store_make_trends(struct db_tx *tx, int64_t people)
{
        return db_exec(tx, &MAKE_TRENDS, DB_BINDS(bind_i64(people)), NULL);
}

DB_STATEMENT(CLEANUP_USES, "search_service", NULL,
             "with gone as (delete from search_uses where ctid = any(array(select ctid from search_uses"
             " where hour < now() - interval '8 days' order by hour limit $1 for update skip locked)) returning 1)"
             " select count(*) as most from gone");

sn_status store_cleanup_uses(struct rpc_call *c, bool *more)
{
        return cleanup_portion(c, &CLEANUP_USES, more);
}

DB_STATEMENT(SELECT_TRENDS, "search_service", &search_rows__trend__message,
             "select topic, people, round(usual)::bigint as usual, coalesce((select open from search_words"
             " where word = topic), 0) as notes from search_trends t where left(topic, 1) = $1"
             " and not exists (select from search_hidden_trends h where h.topic = t.topic) order by score desc, topic");

sn_status store_trends(struct db_tx *tx, const char *sign, size_t *n, SearchRows__Trend ***rows)
{
        return db_list(tx, &SELECT_TRENDS, DB_BINDS(bind_text(sign)), n, rows);
}

DB_STATEMENT(HIDE_TREND, "search_service", NULL,
             "insert into search_hidden_trends (topic) values ($1) on conflict do nothing");
DB_STATEMENT(SHOW_TREND, "search_service", NULL, "delete from search_hidden_trends where topic = $1");

sn_status store_hide_trend(struct db_tx *tx, const char *topic)
{
        return db_exec(tx, &HIDE_TREND, DB_BINDS(bind_text(topic)), NULL);
}

sn_status store_show_trend(struct db_tx *tx, const char *topic)
{
        return db_exec(tx, &SHOW_TREND, DB_BINDS(bind_text(topic)), NULL);
}

DB_STATEMENT(ERASE_USES, "search_service", NULL, "delete from search_uses where user_id = $1");

sn_status store_erase_uses(struct db_tx *tx, const char *user_id)
{
        return db_exec(tx, &ERASE_USES, DB_BINDS(bind_uuid(user_id)), NULL);
}
