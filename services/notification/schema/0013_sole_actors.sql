-- Most notifications have one actor: a page of a list need not look for theirs elsewhere.
-- Serves programs from: 0013

alter table notifications add column sole_actor_id uuid; -- the only row of notification_actors; null: there are several, or it is not known
