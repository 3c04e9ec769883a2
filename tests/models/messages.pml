/* A model of messages, for Spin: two members send to two chats at once, the outbox of the service gets its positions, and
 * a device follows by stream, is cut off, resumes, and starts over when the log does not reach back. Processes die
 * wherever the code could be interrupted: before a commit, between the commit and its answer, with a stream open. What
 * is checked are the three invariants of docs/messaging.md.
 *
 *   claims, numbers, events    services/messaging/send.c, log.c       one transaction, under the lock of the chat's row
 *   positions                  bus/ (the relay)                       never past a row whose transaction still runs
 *   streams                    gateway/stream*.c                      resume from a position, or start over
 *
 * tests/test_models.sh checks it, and that with any one of its precautions left out (-DWITHOUT_…) an error is found. */

#define CHATS   2
#define SENDERS 2
#define SENDS   2 /* of each sender */
#define CLAIMS  4 /* SENDERS * SENDS: what a client_id stands for */
#ifndef DEATHS
#define DEATHS  1 /* of senders' requests: before the commit, or before its answer */
#endif
#define ROWS    6 /* of the outbox: one a send, and those of transactions that died, at most two */
#define BREAKS  1 /* of the device's stream */
#define TRIMS   1 /* of the log, at its end */

#define UNUSED    0
#define RUNNING   1 /* drawn by a transaction that has not ended */
#define COMMITTED 2
#define ABORTED   3

#define ENTRY(chat, seq) entry_of[(chat) * (CLAIMS + 1) + (seq)]

/* The database. Sequences are drawn outside of transactions: ids commit out of order, and those of the dead are holes. */
bool locked[CHATS];
byte last_seq[CHATS];
byte entry_of[10];    /* CHATS * (CLAIMS + 1): which send is the entry with this number; 0: none */
byte claimed[CLAIMS]; /* the number under which a client_id was stored; 0: not yet */
byte next_row;
byte row_state[ROWS], row_chat[ROWS], row_seq[ROWS];
byte relayed;         /* rows before it have been looked at */
byte positions[ROWS]; /* the row at each position of the log */
byte n_positions, trimmed; /* positions before `trimmed` are no longer kept */

byte deaths, breaks, trims;
byte n_done; /* senders that have been answered all */

/* A client that sends until it is answered, always under the same client_id. */
proctype sender(byte me)
{
        byte k, row, seq, answer;
#define CHAT  ((me + k) % CHATS) /* the two come to the chats in opposite order */
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
                                assert(ENTRY(CHAT, seq) == 0); /* a number is given once */
                                ENTRY(CHAT, seq) = CLAIM + 1;
                                last_seq[CHAT] = seq;
                                claimed[CLAIM] = seq;
                                row_state[row] = COMMITTED;
                                row_chat[row] = CHAT;
                                row_seq[row] = seq;
                                if
                                :: deaths < DEATHS -> deaths++ /* committed, and not answered */
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
                        assert(ENTRY(CHAT, answer) == CLAIM + 1); /* the answer is the message that was sent */
                        answer = 0;
                        k++
                }
        :: k == SENDS && answer == 0 -> break
        od;
        n_done++
}

/* Gives committed rows their positions. It may die at any moment: where it is stands in the database with what it did. */
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

/* Each send is one entry, and numbers have no gap. */
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

/* A device of a member of both chats: it keeps, for each chat, up to which number it has all. */
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
                        assert(seq <= have[chat] + 1); /* nothing is left out; what it has already it drops */
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
        :: !connected && (!started || at < trimmed) -> /* starts over: told so by the stream */
#ifndef WITHOUT_SUBSCRIBING_FIRST
                at = n_positions;
#endif
                for (chat : 0 .. CHATS - 1) {
                        have[chat] = last_seq[chat] /* reads the pages that it lacks */
                };
#ifdef WITHOUT_SUBSCRIBING_FIRST
                at = n_positions;
#endif
                started = true;
                connected = true
        :: connected && n_done == SENDERS && relayed == next_row && at == n_positions -> break
        od;
        assert(have[0] == last_seq[0] && have[1] == last_seq[1]); /* it has everything, and can prove it by the last number */
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
