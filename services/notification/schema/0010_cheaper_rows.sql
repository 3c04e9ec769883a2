-- What one event costs that thousands are told of: no check of a foreign key for each row, one index fewer.
-- Serves programs from: 0009

-- The same is unique, found by the member; by the notification, notification_actors_newest finds it.
alter table notification_actors drop constraint notification_actors_pkey, add primary key (actor_id, notification_id);
drop index notification_actors_of_member;

-- What belongs to a notification goes with it, all at once. Rows are added in the transaction that adds the notification, or under its lock.
alter table notification_actors drop constraint notification_actors_notification_id_fkey;
alter table notification_queue drop constraint notification_queue_notification_id_fkey;
create function remove_what_belongs_to_notifications() returns trigger
language plpgsql as $$
begin
        delete from notification_actors a using gone where a.notification_id = gone.id;
        delete from notification_queue q using gone where q.notification_id = gone.id;
        return null;
end
$$;
create trigger notifications_gone after delete on notifications referencing old table as gone
        for each statement execute function remove_what_belongs_to_notifications();
