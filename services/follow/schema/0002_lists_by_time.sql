-- Followers and followed members are listed by the time of the follow, in whole milliseconds, as cursors hold it.
alter table user_relationships alter column created_at type timestamptz(3);
create index user_relationships_newest_followers on user_relationships (followee_id, created_at desc, follower_id desc);
create index user_relationships_newest_followed on user_relationships (follower_id, created_at desc, followee_id desc);
drop index user_relationships_followers;
