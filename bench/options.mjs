// The benches, their options, and the help. Importing it parses the command line of bench/run: `options` are those of the chosen bench.
import { commandLine, describeOptions, flag, listOf, number, oneOf, refuse, text } from '../tests/e2e/commandline.mjs';

const TOOL = 'bench/run';
const MODES = ['single', 'split'];
const PARTS = ['upload', 'memory', 'resume', 'deliver', 'variants', 'ready'];
const mode = oneOf(MODES, 'single', 'one process, or one for each service');
const seconds = (value) => number(value, 'seconds for each measurement', 'S');

// uses: the C programs that generate its load, bench/NAME*.c.
const BENCHES = {
        all: { file: 'bench', takes: '7 minutes', about: 'typical use, next to pgbench and nginx; also without a name', uses: ['load'], options: {
                mode: oneOf([...MODES, 'both'], 'both', 'one process, one for each service, or both in turn'),
                quick: flag('less precise, in 2 minutes'),
                keep: flag('keep the data folder') } },
        growth: { takes: '5 minutes', about: 'how costs grow with the network: 10,000 notes, and many', options: {
                notes: number(5_000_000, 'notes of the large network') } },
        chatgrowth: { takes: '3 minutes', about: 'how costs grow with a chat: 10,000 messages, and many', options: {
                messages: number(10_000_000, 'messages of the large chat') } },
        backlog: { takes: '2 minutes', about: 'delivering a backlog of notes, and stopping meanwhile', options: {
                notes: number(50_000, 'notes in the backlog') } },
        idle: { takes: '3 minutes', about: 'the cost of an idle server', options: {
                mode, seconds: seconds(60), each: flag('also each process alone, in split mode') } },
        logins: { takes: '1 minute', about: 'concurrent log-ins while others are served, and refreshing', uses: ['load'], options: {
                mode, seconds: seconds(10), waiting: number(500, 'concurrent log-ins') } },
        streams: { file: 'live', takes: '3 minutes', about: 'idle streams, and a note on a thousand of them, in both modes', uses: ['load'], options: {} },
        messages: { takes: '10 minutes', about: 'from a send to every stream of the chat, next to ejabberd; idle streams; sync', uses: ['load', 'fanout'], options: {
                members: number(1000, 'members of the large chat, at least 100'), seconds: seconds(5), rounds: number(5, 'rounds, in which each server has its turn'), idle: number(10_000, 'idle streams'),
                synced: number(1000, 'chats of the returning device'), long: flag('also 25,000 deliveries a second') } },
        media: { takes: '8 minutes', about: 'uploads, delivery and variants, next to nginx and vipsthumbnail', uses: ['load'], options: {
                mode, seconds: seconds(5), rounds: number(3, 'rounds of each comparison'),
                clients: listOf((v) => Number(v) > 0, Number, [1, 16], 'concurrent uploads', 'N,N'),
                only: listOf((v) => PARTS.includes(v), String, PARTS, 'parts', 'PART,PART') } },
        notifications: { takes: '3 minutes', about: 'lists, an event for many members, pushes, mails', uses: ['load'], options: {
                notifications: number(1_000_000, 'stored notifications'), watchers: number(20_000, 'members who are notified of one event'),
                mails: number(10_000, 'mails'), seconds: seconds(5) } },
        search: { takes: 'half an hour, since the notes are indexed first', about: 'searches, next to ts_rank and pg_trgm', uses: ['load'], options: {
                notes: number(2_000_000, 'indexed notes'), data: text('FOLDER', 'keep them here for the next run'), fill: flag('only fill the folder, and build the index of the reference'),
                seconds: seconds(5), plain: number(3, 'runs of each reference'), timeout: number(15, 'limit of a reference', 'S') } },
        analytics: { takes: '10 minutes', about: 'accepting events, and queries on many of them', options: {
                events: number(10_000_000, 'stored events; 0: no queries'), seconds: number(60, 'how long events are sent; 0: not at all', 'S') } },
};

function help() {
        const each = Object.entries(BENCHES).map(([name, { takes, about, options }]) => `${name.padEnd(14)} ${about}; takes about ${takes}\n${describeOptions(options)}`);
        return `Usage: ./dev bench [NAME] [OPTION]…, or bench/run [NAME] [OPTION]… with the program that is built\n\n${each.join('\n\n').replace(/\n\n\n/g, '\n\n')}\n\n`
                + 'Tables go to standard output. Times are for a quiet machine with two processors; docs/benchmarks.md has results.';
}

const args = process.argv.slice(2);
const name = args[0] === undefined || args[0].startsWith('-') ? 'all' : args.shift();
if (!Object.hasOwn(BENCHES, name) && !args.includes('--help')) {
        refuse(TOOL, `unknown bench '${name}'; there are ${Object.keys(BENCHES).join(', ')}`);
}
export const bench = { file: name, uses: [], ...(BENCHES[name] ?? BENCHES.all) };
export const { options } = commandLine(TOOL, help(), bench.options, { args });
