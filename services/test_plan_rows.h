/* The contents of tables for test_plans.c: for each database the statements that fill them, in order. */
#ifndef SERVICES_TEST_PLAN_ROWS_H
#define SERVICES_TEST_PLAN_ROWS_H

static const struct {
        const char *database, *sql;
} rows[] = {
    {"user_service", "insert into users (id, username, username_key, email, email_key, password_hash, display_name)"
                     " select id(n), 'u' || n, 'u' || n, n || '@example.org', n || '@example.org', 'x', 'U'"
                     " from generate_series(1, 5000) n"},
    {"user_service", "update users set avatar_id = id, header_id = id where id < id(4000)"},
    {"user_service", "update users set role = 'moderator' where id < id(20)"},
    {"user_service", "update users set suspended_at = now() where id > id(4900)"},
    {"user_service", "update users set waiting_since = now() where id > id(4800)"},
    {"user_service", "update users set email_verified_at = now()"},
    {"user_service", "insert into former_usernames (username_key, user_id, kept_until)"
                     " select 'f' || n, id(n), now() + interval '1 minute' * n from generate_series(1, 5000) n"},
    {"user_service", "insert into user_profiles (user_id, location, website, pronouns, field_names, field_values)"
                     " select id(n), '', '', '', '{}', '{}' from generate_series(1, 5000) n"},
    {"user_service", "insert into invites (id, inviter_id, token_hash, uses, uses_left, expires_at)"
                     " select id(n), id(n % 500 + 1), int4send(n), 1, 1, now() + interval '1 minute' * n"
                     " from generate_series(1, 5000) n"},
    {"user_service", "insert into user_stats (user_id) select id from users"},
    {"user_service", "insert into user_names (key, user_id) select md5(n::text), id(n % 5000 + 1)"
                     " from generate_series(1, 20000) n"},
    {"user_service", "insert into user_settings (user_id, key, value)"
                     " select id(n % 5000 + 1), 'key' || n % 7, 'v' from generate_series(1, 20000) n"},
    {"user_service", "insert into user_sessions (id, user_id, refresh_salt, user_agent, ended_at)"
                     " select id(n), id(n % 5000 + 1), '', '', case when n % 2 = 0 then now() - interval '1 day' * "
                     "(n % 30) end from generate_series(1, 20000) n"},
    {"user_service",
     "insert into user_login_history (id, user_id, succeeded, address, user_agent, created_at, login_hash)"
     " select id(n), id(n % 5000 + 1), n % 3 > 0, '', '', now() - interval '1 minute' * n,"
     " int4send((n % 5000)::integer)"
     " from generate_series(1, 20000) n"},
    {"user_service",
     "insert into mail_queue (id, key, owner_id, kind, content, due_at, expires_at, state, settled_at, recipient_hash)"
     " select id(n), n::text, id(n % 5000 + 1), 'verify_email', case when n % 100 = 0 then ''::bytea end,"
     " now() - interval '1 minute' * n, now() + interval '1 minute' * (n - 10000),"
     " case when n % 100 > 0 then 'sent' else 'waiting' end, case when n % 100 > 0 then now() end, int4send((n % "
     "5000)::integer)"
     " from generate_series(1, 20000) n"},
    {"follow_service", "insert into user_relationships (follower_id, followee_id)"
                       " select id(n % 2000), id(2000 + n / 20) from generate_series(1, 30000) n"},
    {"follow_service", "insert into user_blocks (blocker_id, blocked_id)"
                       " select id(n % 2000), id(n) from generate_series(1, 6000) n"},
    {"follow_service", "insert into follow_requests (requester_id, target_id, privacy_version)"
                       " select id(n % 2000), id(2000 + n / 20), n % 3 from generate_series(1, 30000) n"},
    {"follow_service",
     "insert into account_openings (user_id, version) select id(n), 1 from generate_series(1, 5000) n"},
    {"follow_service", "insert into user_mutes (muter_id, muted_id)"
                       " select id(n % 2000), id(n) from generate_series(1, 6000) n"},
    {"note_service", "insert into notes (id, author_id, text, visibility, parent_id)"
                     " select id(n), id(n % 500), 'text', 1, case when n % 4 = 0 then id(n / 2) end"
                     " from generate_series(1, 20000) n"},
    {"note_service", "insert into note_visibility (note_id, audience, owner_id)"
                     " select id(n * 3), 2, id(n) from generate_series(1, 6000) n"},
    {"note_service", "insert into note_comments (note_id, parent_id, root_id)"
                     " select id(n * 4), id(n * 2), id(n % 300) from generate_series(1, 5000) n"},
    {"note_service", "insert into note_likes (user_id, note_id)"
                     " select id(n % 500), id(n) from generate_series(1, 20000) n"},
    {"note_service", "insert into note_renotes (user_id, note_id, renote_id)"
                     " select id(n % 500), id(n), id(100000 + n) from generate_series(1, 6000) n"},
    {"note_service", "insert into note_bookmarks (user_id, note_id, created_at)"
                     " select id(n % 500), id(n), now() - interval '1 minute' * n from generate_series(1, 20000) n"},
    {"note_service", "insert into note_hashtags (tag_key, note_id, tag, position, author_id, public)"
                     " select 'tag' || n % 50, notes.id, 'tag', 1, author_id, visibility = 1"
                     " from generate_series(1, 10000) n join notes on notes.id = id(n)"},
    {"note_service", "insert into note_mentions (note_id, user_id, username, position)"
                     " select id(n), id(n % 500), 'u', 1 from generate_series(1, 10000) n"},
    {"note_service", "insert into note_media (note_id, position, media_id)"
                     " select id(n), 1, id(n) from generate_series(1, 6000) n"},
    {"note_service", "insert into note_stats (note_id, slot)"
                     " select id(n), s from generate_series(1, 5000) n, generate_series(1, 4) s"},
    /* Rows for the bounds in test_plans.c: the newest, many of them, and all to be skipped. One author, one hashtag:
       100,000 private notes above 30 public ones; one conversation: 100,000 answers below a comment, after 20,000
       deleted ones. */
    {"note_service", "insert into notes (id, author_id, text, visibility) select id(n), id(9000), '', case when n > "
                     "1000030 then 3 else 1 end from generate_series(1000001, 1100030) n"},
    {"note_service", "insert into note_hashtags (tag_key, note_id, tag, position, author_id, public)"
                     " select 'hidden', notes.id, '', 1, author_id, visibility = 1"
                     " from generate_series(1000001, 1100030) n join notes on notes.id = id(n)"},
    {"note_service", "insert into notes (id, author_id, text, visibility, parent_id)"
                     " select id(n), id(9001), '', 1, id(case when n = 2000001 then 2000000 else 2000001 end)"
                     " from generate_series(2000001, 2120001) n"},
    {"note_service", "insert into note_comments (note_id, parent_id, root_id)"
                     " select id, parent_id, id(2000000) from notes where author_id = id(9001) order by notes.id"},
    {"note_service", "update notes set deleted_at = now() where author_id = id(9001) and id > id(2000001)"
                     " and id <= id(2020001)"},
    {"media_service", "insert into media_files (id, owner_id, kind, status, mime_type, file_name, size_bytes,"
                      " upload_sha256, content_sha256) select id(n), id(n % 500), 1, 2, 'image/png', '', 1,"
                      " int4send(n), int4send(n) from generate_series(1, 20000) n"},
    {"media_service", "insert into user_storage_quotas (user_id, is_hidden)"
                      " select id(n), n % 100 = 0 from generate_series(1, 5000) n"},
    {"media_service", "insert into media_variants (media_id, name, mime_type, width, height, size_bytes, sha256)"
                      " select id(n), 'small', 'image/webp', 1, 1, 1, int4send(-n) from generate_series(1, 20000) n"},
    {"media_service", "insert into media_uses (media_id, object_id, is_public)"
                      " select id(n), id(n + 50000), n % 2 = 0 from generate_series(1, 20000) n"},
    {"media_service",
     "insert into media_processing_jobs (media_id, owner_id, due_at)"
     " select id(n), id(n % 500), now() + interval '1 minute' * (n - 100) from generate_series(1, 5000) n"},
    {"media_service", "insert into media_tags (media_id, owner_id, tag)"
                      " select id(n), id(n % 500), 'tag' from generate_series(1, 20000) n"},
    {"media_service", "insert into media_collections (id, owner_id, parent_id, name, name_key)"
                      " select id(n), id(n % 500), case when n > 2500 then id(n - 2500) end, '', n::text"
                      " from generate_series(1, 5000) n"},
    {"media_service", "insert into media_collection_items (collection_id, media_id)"
                      " select id(n % 5000 + 1), id(n) from generate_series(1, 20000) n"},
    {"media_service", "insert into upload_sessions (id, owner_id, expires_at)"
                      " select id(n), id(n % 500), now() + interval '1 minute' * n from generate_series(1, 5000) n"},
    {"media_service", "insert into upload_chunks (id, session_id, position, size_bytes)"
                      " select id(n), id(n % 5000 + 1), n, 1 from generate_series(1, 20000) n"},
    {"media_service", "insert into media_access_logs (id, media_id, owner_id, viewer_id, variant, is_granted, times,"
                      " created_at) select id(n), id(n % 2000), id(n % 500), id(n % 700), 'small', true, 1,"
                      " now() - interval '1 minute' * n from generate_series(1, 50000) n"},
    {"media_service", "insert into media_blocks (id, content_sha256, reason, is_applied)"
                      " select id(n), int4send(n), '', n > 10 from generate_series(1, 5000) n"},
    {"timeline_service", "insert into timeline_cache (owner_id) select id(n) from generate_series(1, 5000) n"},
    {"timeline_service", "insert into timeline_famous (author_id) select id(n) from generate_series(1, 5000) n"},
    {"timeline_service", "insert into timeline_grown select id(n) from generate_series(1, 5000) n"},
    {"timeline_service", "insert into timeline_entries (owner_id, note_id, author_id)"
                         " select id(n % 500 + 1), id(n), id(n % 50) from generate_series(1, 50000) n"},
    {"messaging_service", "select create_message_months('2026-01-01', 24)"},
    {"messaging_service",
     "insert into chats (id, kind, creator_id) select id(n), 2, id(n) from generate_series(1, 5000) n"},
    {"messaging_service", "insert into chats (id, kind, creator_id, peer_low, peer_high)"
                          " select id(10000 + n), 1, id(n), id(n), id(n + 1) from generate_series(1, 5000) n"},
    {"messaging_service", "insert into chat_participants (chat_id, user_id, role, state, visible)"
                          " select id(n % 5000 + 1), id(n / 500), 3, 1, '{[1,)}' from generate_series(1, 50000) n"},
    {"messaging_service", "insert into message_client_ids (sender_id, client_id, chat_id, message_id)"
                          " select id(n % 500), id(n), id(n), id(n) from generate_series(1, 20000) n"},
    {"messaging_service", "insert into message_attachments (message_id, position, media_id)"
                          " select id(n), 1, id(n) from generate_series(1, 20000) n"},
    {"messaging_service", "insert into typing_indicators (chat_id, user_id, until_at)"
                          " select id(n % 5000), id(n), now() + interval '1 s' * n from generate_series(1, 20000) n"},
    {"messaging_service", "insert into message_reactions (message_id, user_id, emoji)"
                          " select id(n), id(n % 500), 'x' from generate_series(1, 20000) n"},
    {"messaging_service", "insert into message_reaction_counts (message_id, emoji, count)"
                          " select id(n), 'x', 1 from generate_series(1, 20000) n"},
    {"messaging_service", "insert into message_hides (user_id, message_id, chat_id)"
                          " select id(n % 500), id(n), id(n % 5000) from generate_series(1, 20000) n"},
    {"messaging_service", "insert into message_edits (message_id, seq, text, created_at)"
                          " select id(n), n, '', now() from generate_series(1, 20000) n"},
    {"messaging_service", "insert into chat_pins (chat_id, message_id, seq)"
                          " select id(n % 500), id(n), n from generate_series(1, 20000) n"},
    {"messaging_service", "insert into chat_links (id, chat_id, creator_id, token_hash, uses, uses_left, expires_at)"
                          " select id(n), id(n % 5000), id(n), n::text::bytea, 1, 1, now() + interval '1 s' * n from "
                          "generate_series(1, 20000) n"},
    {"messaging_service",
     "insert into message_words (message_id, chat_id, seq, words)"
     " select id(n), id(n % 5000 + 1), n, array_to_tsvector(array[p || 'a', p || 'b' || n % 100]) from"
     " generate_series(1, 50000) n, chat_word_prefix(id(n % 5000 + 1), chat_portion(n)) p"},
    {"messaging_service", "insert into message_mentions (message_id, user_id, chat_id, seq)"
                          " select id(n), id(n % 500), id(n % 5000 + 1), n from generate_series(1, 50000) n"},
    {"messaging_service",
     "insert into chat_applicants (chat_id, user_id) select id(n % 500), id(n / 500) from generate_series(1, 20000) n"},
    {"messaging_service", "insert into presence (user_id, seen_at, until_at)"
                          " select id(n), now(), now() from generate_series(1, 20000) n"},
    {"messaging_service", "insert into read_receipts (chat_id, user_id, read_seq)"
                          " select id(n % 5000 + 1), id(n / 500), 1 from generate_series(1, 50000) n"},
    {"messaging_service",
     "insert into chat_months (chat_id, first_seq, first_n, from_id, before_id)"
     " select id(c), 1 + m * 100, 1 + m * 100, first_id_of(a), first_id_of(month_after(a)) from generate_series(1, 20) "
     "c,"
     " generate_series(0, 23) m, lateral (select timestamptz '2026-01-01 00:00Z' + m * interval '1 month' as a) t"},
    {"messaging_service", "insert into messages (id, chat_id, seq, n, kind, sender_id)"
                          " select overlay(gen_random_uuid()::text placing left(from_id::text, 13) from 1 for "
                          "13)::uuid, chat_id, first_seq + i,"
                          " first_n + i, 1, chat_id from chat_months, generate_series(0, 99) i"},
    {"messaging_service", "insert into messages (id, chat_id, seq, n, kind, sender_id, target_id)"
                          " select overlay(gen_random_uuid()::text placing left(from_id::text, 13) from 1 for "
                          "13)::uuid, id(100 + i), first_seq, first_n, 2, chat_id, id(i)"
                          " from chat_months, generate_series(0, 99) i where chat_id = id(1)"},
    {"notification_service",
     "insert into notifications (id, user_id, type, group_key, note_id, open, latest_at, read_at)"
     " select id(n), id(n % 500), 'like', 'like:' || n, id(n), n % 3 = 0, now() - interval '1"
     " minute' * n, case when n % 3 > 0 then now() end from generate_series(1, 20000) n"},
    {"notification_service", "update notifications set archived_at = now() where id < id(300)"},
    {"notification_service", "insert into notification_actors (notification_id, actor_id, created_at)"
                             " select id(n), id(a), now() from generate_series(1, 10000) n, generate_series(1, 3) a"},
    {"notification_service", "update notifications set box = 2 where id > id(19000)"},
    {"notification_service", "insert into notification_preferences (user_id, type, in_app, push, email, sms)"
                             " select id(n), 'like', 0, 0, 0, 0 from generate_series(1, 10000) n"},
    {"notification_service",
     "insert into notification_choices (user_id) select id(n) from generate_series(1, 10000) n"},
    {"notification_service", "insert into muted_threads (user_id, root_id) select id(n), id(n)"
                             " from generate_series(1, 10000) n"},
    {"notification_service", "insert into watched_members (author_id, user_id) select id(n % 100), id(n)"
                             " from generate_series(1, 20000) n"},
    {"notification_service",
     "insert into push_subscriptions (id, user_id, session_id, endpoint, endpoint_hash, p256dh, auth)"
     " select id(n), id(n), id(n), n::text, int4send(n), '', '' from generate_series(1, 10000) n"},
    {"notification_service", "insert into phone_numbers (user_id, number, verified_at) select id(n), n::text, now()"
                             " from generate_series(1, 10000) n"},
    {"notification_service", "insert into phone_codes (id, user_id, recipient, due_at) select id(n), id(n % 5000),"
                             " int4send(n), case when n % 500 = 0 then now() end from generate_series(1, 10000) n"},
    {"notification_service", "insert into notification_queue (id, notification_id, user_id, channel, hold, due_at)"
                             " select id(n), id(n), id(n % 500), 1 + n % 2, n % 3, now() + interval '1 minute' * n"
                             " from generate_series(1, 20000) n"},
    {"notification_service", "insert into notification_delivery_logs (id, notification_id, user_id, channel, provider,"
                             " outcome, status, took_ms, created_at) select id(n), id(n), id(n), 1, '', '', 0, 0,"
                             " now() - interval '1 minute' * n from generate_series(1, 20000) n"},
    {"notification_service", "insert into notification_effects (effect, created_at, notification_id)"
                             " select sha256(int4send(n)), now() - interval '1 minute' * n,"
                             " case when n % 100 = 0 then id(n) end"
                             " from generate_series(1, 20000) n"},
    {"notification_service", "insert into notification_budgets (user_id, channel, day, spent)"
                             " select id(n), 1 + n % 2, 1, 1 from generate_series(1, 10000) n"},
    {"notification_service", "insert into mail_suppressions (user_id, recipient, status)"
                             " select id(n), n, '' from generate_series(1, 10000) n"},
    {"*", "insert into outbox (position, event_id, type, aggregate_id, occurred_at)"
          " select n, id(n), 'note.created', id(n), now() from generate_series(1, 10000) n"},
    {"analytics_service", "insert into analytics_people (visitor, user_id, first_day)"
                          " select id(n), id(n), now() from generate_series(1, 5000) n"},
    {"analytics_service",
     "insert into user_events (id, at, name, visitor, member) select id(n),"
     /* spread over four months, so that no partition has so few rows that reading all of them is cheaper */
     " date_trunc('month', now()) - interval '1 month' + n * interval '5 min',"
     " 'e' || n % 20, id(n % 5000 + 1), true from generate_series(1, 30000) n"},
    {"analytics_service",
     "insert into user_sessions (day, visitor, member, first_at, last_at, events)"
     " select (at at time zone 'UTC')::date, visitor, true, min(at), max(at), count(*) from user_events group by 1, 2"},
    {"analytics_service", "insert into new_members (day, people) select current_date - n, 1 from"
                          " generate_series(1, 8000) n"},
    {"analytics_service",
     "insert into first_notes (visitor, at, first_at) select visitor, last_at, last_at from (select visitor,"
     " max(at) as last_at from user_events group by visitor) v"},
    {"analytics_service", "insert into active_changes (member, days, day, change) select n % 2 = 0, d,"
                          " current_date - n / 2, 1 from generate_series(1, 8000) n, unnest(array[1, 7, 28]) d"},
    {"analytics_service", "insert into content_performance (note_id, author) select id(n), id(n % 500 + 1) from "
                          "generate_series(1, 20000) n"},
    {"analytics_service",
     "update user_events set object_id = id(('x' || right(id::text, 5))::bit(20)::integer % 20000),"
     " name = case right(id::text, 1) when '0' then 'note_view' when '1' then 'follow.created'"
     " when '2' then 'follow.deleted' else name end"},
    {"analytics_service",
     "insert into analytics_exports (id, kind, format, grain, names, from_at, to_at, portions, tried_at, ready_at,"
     " expires_at) select id(n), 1, 1, 1, '{}', now(), now(), 1, now() - n * interval '1 minute', case when n % 500 > 0"
     " then now() end, now() + (n - 100) * interval '1 minute' from generate_series(1, 10000) n"},
    {"analytics_service", "insert into cohort_visits (first_day, day, gap, visits) select current_date - n,"
                          " current_date - n + d, g, 1 from generate_series(1, 400) n, generate_series(0, 30) d,"
                          " generate_series(1, 5) g"},
    {"analytics_service", "insert into analytics_export_parts (export_id, position, data)"
                          " select id(n), p, '' from generate_series(1, 3000) n, generate_series(0, 2) p"},
    {"analytics_service", "insert into content_analytics (note_id, from_at, source, to_at, views, engagements)"
                          " select id(n % 2000 + 1), now() - n * interval '1 hour', '', now(), 5, 0"
                          " from generate_series(1, 20000) n"},
    {"analytics_service",
     "insert into analytics_sketches (name, property, day, events, n_people, people, digest, counted_to)"
     " select 'e' || n % 20, '', current_date - n / 20, 1, 1, '', '', now() from generate_series(1, 8000) n"},
    {"analytics_service", "insert into user_engagement_profiles (visitor, author, reads, likes, renotes, answers)"
                          " select id(n % 500 + 1), id(n / 500 + 1), 1, 1, 1, 1 from generate_series(1, 20000) n"},
    {"analytics_service", "insert into business_metrics (name, grain, bucket, value, people, published)"
                          " select 'e' || n % 20, 'hour', date_trunc('hour', now() - n / 20 * interval '1 h'), 1, 1, 1"
                          " from generate_series(1, 20000) n"},
    /* A thousand people wait in each hour of two days, for one of twenty names. */
    {"analytics_service",
     "insert into unpublished_people (name, grain, bucket, visitor, hours) select 'e' || n, 'hour',"
     " date_trunc('day', now()) - h * interval '1 h', id(v), 1 from generate_series(1, 20) n,"
     " generate_series(1, 48) h, generate_series(1, 999) v where n = 1 or v < 100"},
    {"analytics_service", "insert into unpublished_people (name, grain, bucket, visitor, hours) select name, 'day',"
                          " date_trunc('day', bucket), visitor, 24 from unpublished_people group by 1, 3, 4"},
    {"analytics_service", "insert into unpublished_counts (name, grain, bucket, value, people) select name, grain,"
                          " bucket, 5000, 999 from unpublished_people group by 1, 2, 3"},
    {"analytics_service", "insert into first_note_medians (day, people, median_s) select current_date - n, 5, 1 from"
                          " generate_series(1, 8000) n"},
    {"*", "insert into idempotency_keys (actor_id, method, key, body_hash, answer)"
          " select id(n), 'm', n::text, '', '' from generate_series(1, 10000) n"},
    {"*", "vacuum analyze"},
};

#endif
