-- To whom, so that many accounts together cannot fill one mailbox: a hash of the address with a key from outside of the database. NULL in rows
-- of before.
alter table mail_queue add column recipient_hash bytea;
create index mail_queue_recipient on mail_queue (recipient_hash, kind, created_at) where recipient_hash is not null;

-- For `sonet admin mails list`.
create index mail_queue_failed on mail_queue (settled_at) where state = 'failed';
