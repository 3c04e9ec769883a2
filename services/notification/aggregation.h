/* Aggregation: what is told together. A rule for each type of notification: a row, or what holds without one. Pure.
 *
 * In the list, others who do the same to the same object join a notification for the rule's window after it began. Of
 * those who join, from the least number on, pushes and mails wait for the end of the window and are one. In a digest,
 * notifications of the type are one line when there are at least so many: of each actor, or all together. */
#ifndef SERVICES_NOTIFICATION_AGGREGATION_H
#define SERVICES_NOTIFICATION_AGGREGATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "services/notification/types.h"

/* A notification takes at most so many actors: the next one begins a new notification. */
#define GROUP_FULL 500

/* As notification.v1.FoldBy has them. */
enum fold_by {
        FOLD_NOTHING = 1, /* each actor is told alone */
        FOLD_OBJECT,      /* who do the same to the same are told together */
        FOLD_ACTOR,       /* and in digests what one actor did is one line, */
        FOLD_TYPE         /* or all that is of the type */
};

struct aggregation_rule {
        enum fold_by fold_by;
        int64_t window_s; /* 0: until it is read */
        int64_t least;    /* two or more */
        char **languages; /* of the texts, English among them; none when nothing becomes a line */
        char **texts;
        size_t n_texts;
};

struct aggregation {
        struct aggregation_rule of[TYPE_COUNT];
};

extern const struct aggregation_rule aggregation_default;
/* NULL: no rows were read, and all is as by default. */
const struct aggregation_rule *aggregation_rule_of(const struct aggregation *aggregation, enum notification_type type);
/* What a line says that stands for many, in a language, or English; NULL: the rule makes none. */
const char *aggregation_text(const struct aggregation_rule *rule, const char *language);
/* Whether who joins as this actor's number is told of at the end of the window only. */
bool aggregation_waits(const struct aggregation_rule *rule, int64_t actors);

/* A notification of a digest: the type, and who did it last, by a number. */
struct aggregation_item {
        enum notification_type type;
        int64_t actor;
        bool first; /* out: it begins a line, */
        size_t n;   /* which stands for so many, 1 of those that begin none */
};
/* Makes lines of items. */
void aggregation_fold(const struct aggregation *aggregation, struct aggregation_item *items, size_t n);

/* Something that a member was told of: numbers stand for members and objects. */
struct aggregation_event {
        int64_t user, object, actor, at_ms;
};
struct aggregation_outcome {
        int64_t notifications;
        int64_t deliveries; /* on a channel on which each is told at once */
        int64_t lines;      /* in a digest of all of it, for each member */
};
/* What a rule makes of events that are ordered by member, object and time. */
struct aggregation_outcome aggregation_simulate(struct arena *arena, const struct aggregation_rule *rule,
                                                const struct aggregation_event *events, size_t n);

#endif
