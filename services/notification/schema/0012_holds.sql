-- What a delivery waited for before it was attempted.
-- Serves programs from: 0011

alter table notification_delivery_logs add column hold smallint not null default 0; -- decide.h, enum hold
