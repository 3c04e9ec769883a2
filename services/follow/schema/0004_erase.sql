-- The other side of blocks and mutes, for erasing members.
create index user_blocks_of on user_blocks (blocked_id, blocker_id);
create index user_mutes_of on user_mutes (muted_id, muter_id);
