/* A model of messages, for Spin: two members concurrently send to two chats, the service's outbox gets its positions, and a device follows by stream, is disconnected, resumes, and starts over if the log does not reach back. Processes crash wherever the code could be interrupted: before a commit, between the commit and its response, with a stream open. It checks the three invariants of docs/messaging.md.
 *
 *   claims, numbers, events    services/messaging/send.c, log.c       one transaction, under the lock of the chat's row
 *   positions                  bus/ (the relay)                       never past a row whose transaction is still running
 *   streams                    gateway/stream*.c                      resume from a position, or start over
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
#define BREAKS  1 /* of the device's stream */
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
byte relayed;         /* rows before it have been processed */
byte positions[ROWS]; /* the row at each position of the log */
byte n_positions, trimmed; /* positions before `trimmed` are no longer stored */

byte deaths, breaks, trims;
byte n_done; /* senders that have all responses */

/* A client that sends until it gets a response, always with the same client_id. */
proctype sender(byte me)
{
        byte k, row, seq, answer;
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
                atomic {
                        if
                        :: deaths < DEATHS -> /* before the commit */
                                deaths++;
                                row_state[row] = ABORTED
                        :: true ->
                                assert(ENTRY(CHAT, seq) == 0); /* a number is assigned once */
                                ENTRY(CHAT, seq) = CLAIM + 1;
                                last_seq[CHAT] = seq;
                                claimed[CLAIM] = seq;
                                row_state[row] = COMMITTED;
                                row_chat[row] = CHAT;
                                row_seq[row] = seq;
                                if
                                :: deaths < DEATHS -> deaths++ /* committed, without a response */
                                :: true -> answer = seq
                                fi
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

/* Assigns positions to committed rows. It may crash at any time: its progress is in the database together with its effect. */
proctype relay()
{
        byte end;

        do
        :: atomic {
                relayed < next_row ->
                end = relayed;
#ifdef WITHOUT_HIGH_WATER
                end = next_row;
#else
                do
                :: end < next_row && row_state[end] != RUNNING -> end++
                :: else -> break
                od;
#endif
                do
                :: relayed < end ->
                        if
                        :: row_state[relayed] == COMMITTED -> positions[n_positions] = relayed; n_positions++
                        :: else
                        fi;
                        relayed++
                :: else -> break
                od;
                end = 0
           }
        :: atomic { n_done == SENDERS && relayed == next_row -> break }
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
        :: connected && at < n_positions && at >= trimmed ->
                d_step {
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
        :: connected && n_done == SENDERS && relayed == next_row && at == n_positions -> break
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
