-- What is told together: a row for each type whose rule differs from what the program does by itself.

create table notification_aggregation_rules (
        type       text        primary key,
        window_s   bigint      not null,              -- for so long others join; 0: until it is read
        fold_by    smallint    not null,              -- aggregation.h, enum fold_by
        least      bigint      not null,              -- fewer are told one by one
        languages  text[]      not null default '{}', -- of the texts: what a line says that stands for many
        texts      text[]      not null default '{}',
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
);
create trigger notification_aggregation_rules_updated before update on notification_aggregation_rules
        for each row execute function update_updated_at_column();
