-- Mails that the server refused for their recipient, until the service that wrote them has taken notice.
-- Serves programs from: 0003
alter table mail_queue add column bounced boolean not null default false;
create index mail_queue_bounced on mail_queue (id) where bounced;
