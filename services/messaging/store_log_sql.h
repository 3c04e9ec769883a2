/* How statements find the month of a chat's log in which something lies: plans open no other partition. */
#ifndef SERVICES_MESSAGING_STORE_LOG_SQL_H
#define SERVICES_MESSAGING_STORE_LOG_SQL_H

/* Of the month in which a chat's log had this number (column first_seq), or this many messages (first_n). */
#define MONTH_OF(bound, column, chat, number)                                                                          \
        "(select " bound " from chat_months where chat_id = " chat " and " column " <= " number                        \
        " order by first_seq desc limit 1)"

#endif
