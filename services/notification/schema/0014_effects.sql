-- What was undone after it was sent: doing it again within a day causes no second push, mail or SMS.
-- Serves programs from: 0012

create table notification_effects (
        effect     bytea       primary key,           -- SHA-256 of the recipient, the collapse key, the actor and the channel
        created_at timestamptz not null               -- when the actor did what was notified of
);
create index notification_effects_by_age on notification_effects (created_at);
