-- Most notifications have one actor, which a page of a list need not look up elsewhere.
-- Serves programs from: 0012

alter table notifications add column sole_actor_id uuid; -- the actor in the only row of notification_actors; null: there are several, or it is unknown

-- The previous release adds and removes actors without writing this column.
create function forget_sole_actors() returns trigger
language plpgsql as $$
begin
        update notifications n set sole_actor_id = null from changed c
                where n.id = c.notification_id and (n.sole_actor_id = c.actor_id) = (tg_op = 'DELETE');
        return null;
end
$$;
create trigger notification_actors_added after insert on notification_actors referencing new table as changed
        for each statement execute function forget_sole_actors();
create trigger notification_actors_gone after delete on notification_actors referencing old table as changed
        for each statement execute function forget_sole_actors();
