/* Owns the SQL of trends. */
#include "services/search/store_trends.h"

#include "services/cleanup.h"

/* Each person counts once, however much they write; who is hidden, or does not want to be found, not at all. */
DB_STATEMENT(MAKE_TRENDS, "search_service", NULL,
             "with recent as (select tag, count(distinct author_id) as people from search_tag_uses t"
             " where hour > now() - interval '24 hours' and not exists (select from search_unlisted u"
             " where u.user_id = t.author_id) group by tag having count(distinct author_id) >= $1),"
             " past as (select tag, count(*) / 7.0 as usual from (select distinct tag, author_id,"
             " date_trunc('day', hour) from search_tag_uses where tag in (select tag from recent)"
             " and hour <= now() - interval '24 hours' and hour > now() - interval '8 days') d group by tag),"
             " best as (select r.tag, r.people, coalesce(p.usual, 0)::double precision as usual,"
             " (r.people * r.people / (coalesce(p.usual, 0) + 1))::double precision as score"
             " from recent r left join past p on p.tag = r.tag order by score desc, r.tag limit 100),"
             " gone as (delete from search_trends where tag not in (select tag from best))"
             " insert into search_trends (tag, people, usual, score) select tag, people, usual, score from best"
             " on conflict (tag) do update set people = excluded.people, usual = excluded.usual,"
             " score = excluded.score");

sn_status store_make_trends(struct db_tx *tx, int64_t people)
{
        return db_exec(tx, &MAKE_TRENDS, DB_BINDS(bind_i64(people)), NULL);
}

DB_STATEMENT(CLEANUP_TAG_USES, "search_service", NULL,
             "with gone as (delete from search_tag_uses where ctid = any(array(select ctid from search_tag_uses"
             " where hour < now() - interval '8 days' order by hour limit $1 for update skip locked)) returning 1)"
             " select count(*) as most from gone");

sn_status store_cleanup_tag_uses(struct rpc_call *c, bool *more)
{
        return cleanup_portion(c, &CLEANUP_TAG_USES, more);
}

DB_STATEMENT(SELECT_TRENDS, "search_service", &search__trend__message,
             "select tag as hashtag, people, round(usual)::bigint as usual from search_trends t"
             " where not exists (select from search_hidden_trends h where h.tag = t.tag) order by score desc, tag");

sn_status store_trends(struct db_tx *tx, size_t *n, Search__Trend ***rows)
{
        return db_list(tx, &SELECT_TRENDS, DB_NO_BINDS, n, rows);
}

DB_STATEMENT(HIDE_TREND, "search_service", NULL,
             "insert into search_hidden_trends (tag) values ($1) on conflict do nothing");
DB_STATEMENT(SHOW_TREND, "search_service", NULL, "delete from search_hidden_trends where tag = $1");

sn_status store_hide_trend(struct db_tx *tx, const char *tag)
{
        return db_exec(tx, &HIDE_TREND, DB_BINDS(bind_text(tag)), NULL);
}

sn_status store_show_trend(struct db_tx *tx, const char *tag)
{
        return db_exec(tx, &SHOW_TREND, DB_BINDS(bind_text(tag)), NULL);
}

DB_STATEMENT(ERASE_TAG_USES, "search_service", NULL, "delete from search_tag_uses where author_id = $1");

sn_status store_erase_tag_uses(struct db_tx *tx, const char *user_id)
{
        return db_exec(tx, &ERASE_TAG_USES, DB_BINDS(bind_uuid(user_id)), NULL);
}
