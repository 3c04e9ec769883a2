-- Pushes that say what is not so any more are replaced, or closed where they are shown.
-- Serves programs from: 0010

alter table notification_queue
        add column retracts  text,        -- the group key of a notification that is gone: its push is retracted. null: it is sent
        add column pushed_at timestamptz; -- of a retraction: browsers that subscribed later never got the push
alter table notification_delivery_logs add column notifications smallint not null default 0; -- how many the push under its tag told of; 0: it went under another's

-- A notification that goes unread takes its deliveries with it. Where its push may have reached a push service within the time that one keeps it (a day), a
-- retraction is queued instead: at once, or, while the push is being sent, for the end of the lease. What was last pushed under its tag decides: a digest
-- stays, since it tells of others too. Of what is being sent, all that is held and leased to the same moment is one digest. Where one browser's push was
-- put off, that browser has nothing to close; if just that is being sent now, it is not retracted.
create or replace function remove_what_belongs_to_notifications() returns trigger
language plpgsql as $$
begin
        delete from notification_actors a using gone where a.notification_id = gone.id;
        update notification_queue q set id = gen_random_uuid(), retracts = gone.group_key, pushed_at = now(), hold = 0, attempts = 0 from gone
                where q.notification_id = gone.id and gone.read_at is null and q.channel = 1 and q.attempts > 0
                and q.target_id = '00000000-0000-0000-0000-000000000000' and (q.hold = 0 or not exists (select from notification_queue o
                        where o.user_id = q.user_id and o.channel = 1 and o.hold > 0 and o.due_at = q.due_at and o.id <> q.id));
        delete from notification_queue q using gone where q.notification_id = gone.id and q.retracts is null;
        insert into notification_queue (id, notification_id, user_id, channel, hold, due_at, retracts, pushed_at)
                select gen_random_uuid(), gone.id, gone.user_id, 1, 0, now(), gone.group_key, l.created_at from gone
                cross join lateral (select * from notification_delivery_logs d where d.notification_id = gone.id and d.channel = 1
                        and d.outcome = 'sent' and d.notifications > 0 and d.created_at > now() - interval '1 day' order by d.id desc limit 1) l
                where gone.read_at is null and l.notifications = 1
                and exists (select from push_subscriptions s where s.user_id = gone.user_id and s.provider = '')
                on conflict (notification_id, channel, target_id) do nothing;
        return null;
end
$$;
