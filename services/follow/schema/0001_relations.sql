-- Who follows, blocks and mutes whom.

-- Grows in commit order for one follower, whose changes take a lock: a reader that saw a version has seen all below it.
create sequence user_relationships_version;

create table user_relationships (
        follower_id uuid        not null,
        followee_id uuid        not null,
        version     bigint      not null default nextval('user_relationships_version'),
        created_at  timestamptz not null default now(),
        primary key (follower_id, followee_id)
);
create index user_relationships_delivery on user_relationships (followee_id, follower_id);
create index user_relationships_followers on user_relationships (followee_id, version desc);
create index user_relationships_following on user_relationships (follower_id, version);

create table user_blocks (
        blocker_id uuid        not null,
        blocked_id uuid        not null,
        created_at timestamptz not null default now(),
        primary key (blocker_id, blocked_id)
);

create table user_mutes (
        muter_id   uuid        not null,
        muted_id   uuid        not null,
        created_at timestamptz not null default now(),
        primary key (muter_id, muted_id)
);
