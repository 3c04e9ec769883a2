/* A model of messages, for Spin: two members concurrently send to two chats, the service's outbox gets its positions from those who emit and from a relay, and a device follows by stream, is disconnected, resumes, and starts over if the log does not reach back. Processes crash wherever the code could be interrupted: before a commit, between the commit and its response, with a stream open; and another process takes the relay over. It checks the three invariants of docs/messaging.md.
 *
 *   claims, numbers, events    services/messaging/send.c, log.c       one transaction, under the lock of the chat's row
 *   positions                  bus/relay.c                            by one transaction at a time, to what it sees once it has the lock
 *   streams                    bus/tail.c, bus/feed.c, gateway/       only the very next position; resume from one, or start over
 *
 * tests/test_models.sh checks it, and that an error is found if any one of its precautions is left out (-DWITHOUT_…). */

#define CHATS   2
#define SENDERS 2
#define SENDS   2 /* per sender */
#define CLAIMS  4 /* SENDERS * SENDS: the client_ids */
#ifndef DEATHS
#define DEATHS  1 /* of senders' requests: before the commit, or before its response */
#endif
#define ROWS    6 /* of the outbox: one per send, and those of aborted transactions, at most two */
#define BREAKS  1 /* of the device's stream, or takeovers of the relay */
#define TRIMS   1 /* of the log, at its old end */

#define UNUSED    0
#define RUNNING   1 /* taken by a transaction that has not ended */
#define COMMITTED 2
#define ABORTED   3

#define ENTRY(chat, seq) entry_of[(chat) * (CLAIMS + 1) + (seq)]

/* The database. Sequences are not transactional: IDs commit out of order, and those of aborted transactions are gaps. */
bool locked[CHATS];
byte last_seq[CHATS];
byte entry_of[10];    /* CHATS * (CLAIMS + 1): which send created the entry with this number; 0: none */
byte claimed[CLAIMS]; /* the number of the entry with a client_id; 0: none yet */
byte next_row;
byte row_state[ROWS], row_chat[ROWS], row_seq[ROWS];
byte place[ROWS];     /* of each row, its position + 1; 0: it has none */
byte positions[ROWS]; /* the row at each position of the log */
byte n_unplaced;      /* committed rows without a position */
byte n_positions, trimmed; /* positions before `trimmed` are no longer stored */
bool head;            /* the row of outbox_head is locked */

byte tail;            /* the stream has the positions from here on: those before it came from another relay */

byte deaths, breaks, trims;
byte n_done; /* senders that have all responses */

/* Locks the head if nobody has it, and then sees which committed rows have no position: `set`, a bit for each. */
inline open_head(holds, base, set, i)
{
        holds = true;
        head = true;
        base = n_positions;
        set = 0;
        for (i : 0 .. ROWS - 1) {
                if
                :: row_state[i] == COMMITTED && place[i] == 0 -> set = set | (1 << i)
                :: else
                fi
        };
        i = 0
#ifdef WITHOUT_HEAD_LOCK
        ; head = false
#endif
}

/* With its COMMIT: the rows of the set get the next positions, in order. */
inline assign(base, set, i)
{
        for (i : 0 .. ROWS - 1) {
                if
                :: (set & (1 << i)) != 0 ->
                        assert(place[i] == 0 && base == n_positions); /* each row gets one position, and each position is given once */
                        positions[base] = i;
                        base++;
                        place[i] = base;
                        n_positions = base;
                        n_unplaced--
                :: else
                fi
        };
        i = 0;
        base = 0;
        set = 0
}

/* A client that sends until it gets a response, always with the same client_id. */
proctype sender(byte me)
{
        byte k, row, seq, answer, base, set, i;
        bool holds;
#define CHAT  ((me + k) % CHATS) /* the two use the chats in opposite order */
#define CLAIM (me * SENDS + k)

        do
        :: k < SENDS && answer == 0 ->
                atomic {
#ifndef WITHOUT_LOCK
                        !locked[CHAT] -> locked[CHAT] = true;
#endif
#ifndef WITHOUT_CLAIM
                        if
                        :: claimed[CLAIM] != 0 ->
                                answer = claimed[CLAIM];
                                locked[CHAT] = false;
                                goto answered
                        :: else
                        fi;
#endif
                        seq = last_seq[CHAT] + 1;
                        row = next_row;
                        next_row++;
                        row_state[row] = RUNNING
                };
                atomic { /* it does not wait for another one that assigns positions: then the relay does */
                        if
                        :: !head -> open_head(holds, base, set, i); set = set | (1 << row)
                        :: else
                        fi
                };
                atomic {
                        if
                        :: deaths < DEATHS -> /* before the commit */
                                deaths++;
                                row_state[row] = ABORTED;
                                base = 0;
                                set = 0
                        :: true ->
                                assert(ENTRY(CHAT, seq) == 0); /* a number is assigned once */
                                ENTRY(CHAT, seq) = CLAIM + 1;
                                last_seq[CHAT] = seq;
                                claimed[CLAIM] = seq;
                                row_state[row] = COMMITTED;
                                row_chat[row] = CHAT;
                                row_seq[row] = seq;
                                n_unplaced++;
                                if
                                :: holds -> assign(base, set, i)
                                :: else
                                fi;
                                if
                                :: deaths < DEATHS -> deaths++ /* committed, without a response */
                                :: true -> answer = seq
                                fi
                        fi;
                        if
                        :: holds -> head = false; holds = false
                        :: else
                        fi;
                        locked[CHAT] = false;
                        row = 0;
                        seq = 0
                }
        :: answer != 0 ->
answered:
                atomic {
                        assert(ENTRY(CHAT, answer) == CLAIM + 1); /* the response is the message that was sent */
                        answer = 0;
                        k++
                }
        :: k == SENDS && answer == 0 -> break
        od;
        n_done++
}

/* Assigns positions to committed rows that have none, and streams the log. Another process may take it over, which streams what follows the end that it finds. */
proctype relay()
{
        byte base, set, i;
        bool holds;

        do
        :: atomic { !head && n_unplaced > 0 -> open_head(holds, base, set, i); assign(base, set, i); head = false; holds = false }
        :: atomic { breaks < BREAKS && n_positions > 0 -> breaks++; tail = n_positions }
        :: atomic { n_done == SENDERS && n_unplaced == 0 -> break }
        :: atomic { trims < TRIMS && trimmed < n_positions -> trims++; trimmed = n_positions }
        od
}

/* Each send is one entry, and numbers have no gaps. */
inline audit()
{
        d_step {
                for (chat : 0 .. CHATS - 1) {
                        seq = 1;
                        do
                        :: seq <= last_seq[chat] ->
                                assert(ENTRY(chat, seq) != 0);
                                found[ENTRY(chat, seq) - 1]++;
                                seq++
                        :: else -> break
                        od
                };
                for (seq : 0 .. CLAIMS - 1) {
                        assert(found[seq] == 1)
                }
        }
}

/* A device of a member of both chats: for each chat, it stores up to which number it has everything. */
proctype device()
{
        byte at, chat, seq, have[CHATS], found[CLAIMS];
        bool connected, started;

        do
        :: connected && at < n_positions && at >= trimmed -> /* from the log, or the stream, if that has the very next position */
                d_step {
#ifdef WITHOUT_GAP_CHECK
                        if
                        :: at < tail && tail < n_positions -> at = tail
                        :: else
                        fi;
#endif
                        chat = row_chat[positions[at]];
                        seq = row_seq[positions[at]];
                        at++;
                        assert(seq <= have[chat] + 1); /* nothing is left out; duplicates are dropped */
                        if
                        :: seq == have[chat] + 1 -> have[chat] = seq
                        :: else
                        fi;
                        chat = 0;
                        seq = 0
                }
        :: connected && at < trimmed -> connected = false /* too slow: the stream ends */
        :: atomic { connected && breaks < BREAKS -> breaks++; connected = false }
        :: !connected && started && at >= trimmed -> connected = true /* resumes */
        :: !connected && (!started || at < trimmed) -> /* starts over: the stream says so */
#ifndef WITHOUT_SUBSCRIBING_FIRST
                at = n_positions;
#endif
                for (chat : 0 .. CHATS - 1) {
                        have[chat] = last_seq[chat] /* reads the pages that are missing */
                };
#ifdef WITHOUT_SUBSCRIBING_FIRST
                at = n_positions;
#endif
                started = true;
                connected = true
        :: connected && n_done == SENDERS && n_unplaced == 0 && at == n_positions -> break
        od;
        assert(have[0] == last_seq[0] && have[1] == last_seq[1]); /* it has everything, and the last number proves it */
        audit()
}

init {
        atomic {
                run sender(0);
                run sender(1);
                run relay();
                run device()
        }
}
