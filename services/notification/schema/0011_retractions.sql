-- Pushes that say what is not so any more are replaced, or closed where they are shown.
-- Serves programs from: 0010

alter table notification_queue add column retracts text; -- the group key of a notification that is gone: its push is retracted. null: it is sent
alter table notification_delivery_logs add column notifications smallint not null default 0; -- how many the push under its tag told of; 0: it went under another's

-- A notification that goes unread takes its deliveries with it. Where its push may have reached a push service within the time that one keeps it (a day), a
-- retraction is queued instead: at once, or, while the push is being sent, for the end of the lease. What was last pushed under its tag decides: a digest
-- stays, since it tells of others too.
create or replace function remove_what_belongs_to_notifications() returns trigger
language plpgsql as $$
begin
        delete from notification_actors a using gone where a.notification_id = gone.id;
        update notification_queue q set id = gen_random_uuid(), retracts = gone.group_key, attempts = 0 from gone
                where q.notification_id = gone.id and gone.read_at is null and q.channel = 1 and q.hold = 0 and q.attempts > 0;
        delete from notification_queue q using gone where q.notification_id = gone.id and q.retracts is null;
        insert into notification_queue (id, notification_id, user_id, channel, hold, due_at, retracts)
                select gen_random_uuid(), gone.id, gone.user_id, 1, 0, now(), gone.group_key from gone
                where gone.read_at is null and exists (select from push_subscriptions s where s.user_id = gone.user_id and s.provider = '')
                and (select l.notifications from notification_delivery_logs l where l.notification_id = gone.id and l.channel = 1 and l.outcome = 'sent'
                        and l.notifications > 0 and l.created_at > now() - interval '1 day' order by l.id desc limit 1) = 1
                on conflict (notification_id, channel, target_id) do nothing;
        return null;
end
$$;
