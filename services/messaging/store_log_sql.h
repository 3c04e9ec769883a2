/* SQL to find the month of a chat's log that contains something, so that plans open no other partition. */
#ifndef SERVICES_MESSAGING_STORE_LOG_SQL_H
#define SERVICES_MESSAGING_STORE_LOG_SQL_H

/* A range of ids covering the months in which a chat's log had these entry numbers (column first_seq) or message counts
 * (first_n), so that the plan opens no other partitions. With two plain bounds the planner would expect few ids between
 * them, and read everything of all chats in that month. */
#define MONTH_OF(bound, column, chat, number)                                                                          \
        "(select " bound " from chat_months where chat_id = " chat " and " column " <= " number                        \
        " order by first_seq desc limit 1)"
#define IN_MONTHS(id, column, chat, first, last)                                                                       \
        id " >= " MONTH_OF("from_id", column, chat, first) " and " id " < any(array[" MONTH_OF("before_id", column,    \
                                                                                               chat, last) "])"

/* Individual numbers, for a similar reason: with a range the planner expects thousands of rows in large chats. */
#define EACH(first, last) "any(array(select generate_series(" first "::bigint, " last "::bigint)))"

#endif
