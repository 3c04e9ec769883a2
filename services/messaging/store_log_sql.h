/* How statements find the month of a chat's log in which something lies: plans open no other partition. */
#ifndef SERVICES_MESSAGING_STORE_LOG_SQL_H
#define SERVICES_MESSAGING_STORE_LOG_SQL_H

/* The ids of the months in which a chat's log had these numbers (column first_seq), or so many messages (first_n): the
 * plan opens no other partitions. Of two plain bounds the planner would think that few ids lie between them, and read
 * all that the month has, of all chats. */
#define MONTH_OF(bound, column, chat, number)                                                                          \
        "(select " bound " from chat_months where chat_id = " chat " and " column " <= " number                        \
        " order by first_seq desc limit 1)"
#define IN_MONTHS(id, column, chat, first, last)                                                                       \
        id " >= " MONTH_OF("from_id", column, chat, first) " and " id " < any(array[" MONTH_OF("before_id", column,    \
                                                                                               chat, last) "])"

/* Numbers one by one, for the like reason: of a range the planner thinks that a large chat has thousands in it. */
#define EACH(first, last) "any(array(select generate_series(" first "::bigint, " last "::bigint)))"

#endif
