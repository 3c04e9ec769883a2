-- How often a member's account became private or open: follow requests are made under one of these versions, and accepted when the account
-- opens under a later one.
alter table users add column privacy_version bigint not null default 0;
