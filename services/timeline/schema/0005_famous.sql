-- Members with more followers than are delivered to: from then on their notes are pulled by their readers. Only grows.
create table timeline_famous (
        position  bigint generated always as identity primary key,
        author_id uuid not null unique
);
