-- Mails on their way out (mail/). content: the recipient and the message, sealed with a key from outside of the database, and gone as soon
-- as it is not needed: when the mail was sent, or is no more worth sending. A row is kept seven days beyond that, like events: so long the
-- same key writes no second mail.
create table mail_queue (
        id         uuid        primary key, -- of the Message-ID
        key        text        not null unique, -- of the event that caused it
        owner_id   uuid        not null,
        kind       text        not null, -- its template
        content    bytea,
        attempts   integer     not null default 0,
        due_at     timestamptz not null default now(), -- while somebody sends it: when others may
        expires_at timestamptz not null,
        state      text        not null default 'waiting' check (state in ('waiting', 'sent', 'failed')),
        settled_at timestamptz, -- since when it is sent or failed
        error      text        not null default '',
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create index mail_queue_due on mail_queue (due_at) where settled_at is null;
create index mail_queue_expiry on mail_queue (expires_at) where content is not null;
create index mail_queue_settled on mail_queue (settled_at) where settled_at is not null;
create index mail_queue_owner on mail_queue (owner_id, kind, created_at);

create trigger mail_queue_updated before update on mail_queue for each row execute function update_updated_at_column();
