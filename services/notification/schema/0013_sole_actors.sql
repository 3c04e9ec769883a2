-- Most notifications have one actor, which a page of a list need not look up elsewhere.
-- Serves programs from: 0013

alter table notifications add column sole_actor_id uuid; -- the actor in the only row of notification_actors; null: there are several, or it is unknown
