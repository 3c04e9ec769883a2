-- Sessions end with an event from now on. What ended just before, the processes that read events would not hear of.
insert into outbox (event_id, type, aggregate_id, actor_id, occurred_at)
        select gen_random_uuid(), 'session.ended', id, user_id, ended_at from user_sessions where ended_at > now() - interval '1 hour';
