-- What is undone while it is being sent has its effect only if that succeeds; doing it again waits for the outcome.
-- Serves programs from: 0012

alter table notification_effects
        add column pending_until   timestamptz, -- it was being sent when it was undone, at most until then; null: it was sent
        add column notification_id uuid;        -- while it is pending: of the notification that it belonged to
create index notification_effects_pending on notification_effects (notification_id) where notification_id is not null;

alter table notification_queue
        add column leased_until timestamptz, -- it is being sent, at most until then, even if more arrived meanwhile. null: it is not
        add column awaits       bytea[];     -- it is sent unless all these pending effects were sent; null: in any case

-- As before, and what arrives while a notification is being pushed does not hide that push from a retraction.
create or replace function remove_what_belongs_to_notifications() returns trigger
language plpgsql as $$
begin
        delete from notification_actors a using gone where a.notification_id = gone.id;
        update notification_queue q set id = gen_random_uuid(), retracts = gone.group_key, pushed_at = now(), hold = 0, attempts = 0,
                        due_at = greatest(q.due_at, q.leased_until), awaits = null from gone
                where q.notification_id = gone.id and gone.read_at is null and q.channel = 1 and (q.attempts > 0 or q.leased_until > now())
                and q.target_id = '00000000-0000-0000-0000-000000000000' and (q.hold = 0 or not exists (select from notification_queue o
                        where o.user_id = q.user_id and o.channel = 1 and o.hold > 0 and o.id <> q.id
                        and coalesce(o.leased_until, o.due_at) = coalesce(q.leased_until, q.due_at)));
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
