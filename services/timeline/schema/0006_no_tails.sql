-- Home timelines have no durable copy any more: what Redis does not have is pulled from note_service. timeline_cache says who reads, and when.
-- timeline_entries, timeline_grown and the other columns of timeline_cache belong to the previous release, whose processes may go on until they are
-- restarted. Its timelines may now lack what a process of this release delivers, so none counts as built or as complete: it pulls them anew when it needs
-- them. The next release drops all that.

truncate timeline_entries, timeline_grown;

create function timeline_is_never_built() returns trigger language plpgsql as $$
begin
        new.built_at := null;
        new.floor_id := greatest(new.floor_id, '00000000-0000-0000-0000-000000000001');
        return new;
end
$$;
create trigger timeline_cache_never_built before insert or update on timeline_cache for each row execute function timeline_is_never_built();
update timeline_cache set built_at = null;
