-- When an event was assigned its position, by the database's clock: a reader that begins with what is recent asks by it. occurred_at is the
-- clock of whoever wrote the event, and older than it when the event was committed late. Null for what an earlier release assigned.
alter table outbox add column assigned_at timestamptz;
