-- As before, but each notification is looked up by its id: the planner would read all of them when many were changed at once.
-- Serves programs from: 0012

create or replace function forget_sole_actors() returns trigger
language plpgsql as $$
begin
        update notifications set sole_actor_id = null where id = any(array(select c.notification_id from changed c
                cross join lateral (select n.sole_actor_id from notifications n where n.id = c.notification_id limit 1) n
                where (n.sole_actor_id = c.actor_id) = (tg_op = 'DELETE')));
        return null;
end
$$;
