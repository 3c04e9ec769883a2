// The page of metrics for administrators: a login, and a chart of each metric with its table and its CSV. The access token is in memory only.
import { chart } from './chart.js';

const DAY_MS = 86_400_000;
const METRICS = [
        ['dau', 'Active members', 'on each day'],
        ['wau', 'Active in 7 days', 'members, up to each day'],
        ['mau', 'Active in 28 days', 'members, up to each day'],
        ['stickiness', 'Stickiness', 'share of those of 28 days who were there on the day'],
        ['new_members', 'New members', 'whose first day it was'],
        ['returning_members', 'Returning members', 'who had been there before'],
        ['visitors', 'Visitors', 'without an account'],
        ['deliveries', 'Deliveries', 'notifications that were pushed, mailed or sent by SMS'],
        ['time_to_first_note', 'Hours to the first note', 'median, by the day on which members were first there'],
];
const OF_SERVICES = ['note.created', 'note.deleted', 'note.liked', 'message.created', 'comment.created', 'comment.deleted', 'comment.removed', 'renote.created', 'follow.created', 'follow.deleted'];

const login = document.querySelector('#login');
const range = document.querySelector('#range');
const charts = document.querySelector('#charts');
const outcome = document.querySelector('#outcome');
let token = '';
let challenge = ''; // once the password was right and a second factor is asked for

function say(text, good) {
        outcome.textContent = text;
        outcome.className = good ? 'good' : 'bad';
        if (!good) {
                outcome.focus();
        }
}

async function ask(method, address, body) {
        const headers = { ...(token && { Authorization: `Bearer ${token}` }), ...(body && { 'Content-Type': 'application/json' }) };
        const answer = await fetch(address, { method, headers, body: body && JSON.stringify(body) });
        if (!answer.ok) {
                const problem = await answer.json().catch(() => ({}));
                throw Object.assign(new Error(problem.detail ?? 'something went wrong; please try again later'), { problem });
        }
        return answer;
}
const read = async (...request) => (await ask(...request)).json();

// ---- Numbers ----

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });
const percent = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });
const HOURS = ['time_to_first_note']; // told in seconds, shown in hours
const formatOf = (name) => (value) => (HOURS.includes(name) ? number.format(value / 3600) : (name === 'stickiness' ? percent : number).format(value));
const dayOf = (ms) => new Date(ms).toISOString().slice(0, 10);

// A day missing in the response had too few people, or none: a gap.
function byDays(points, from, to) {
        const known = new Map(points.map((p) => [p.at.slice(0, 10), p.value]));
        return Array.from({ length: (to - from) / DAY_MS }, (_, i) => dayOf(from + i * DAY_MS)).map((day) => ({ day, value: known.get(day) ?? null }));
}

// ---- A chart ----

function make(name, content, attributes = {}) {
        const made = document.createElement(name);
        Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
        made.append(...content);
        return made;
}

function tableOf(title, points, format, least) {
        const rows = points.toReversed().map((p) => make('tr', [make('td', [p.day]), make('td', [p.value === null ? `under ${least} people` : format(p.value)])]));
        const head = make('thead', [make('tr', [make('th', ['Day'], { scope: 'col' }), make('th', [title], { scope: 'col' })])]);
        return make('div', [make('table', [head, make('tbody', rows)])], { class: 'table', tabindex: '0', role: 'region', 'aria-label': `${title}: table` });
}

function summary(title, points, format) {
        const told = points.filter((p) => p.value !== null);
        if (!told.length) {
                return `${title}: too few people on every day`;
        }
        const least = told.reduce((a, b) => (b.value < a.value ? b : a)), most = told.reduce((a, b) => (b.value > a.value ? b : a));
        return `${title} from ${points[0].day} to ${points.at(-1).day}: between ${format(least.value)} on ${least.day} and ${format(most.value)} on ${most.day}, last ${format(told.at(-1).value)}`;
}

async function save(name, query) {
        const link = make('a', [], { download: `${name}.csv`, href: URL.createObjectURL(await (await ask('GET', `/v1/admin/analytics/export?${query}`)).blob()) });
        link.click();
        URL.revokeObjectURL(link.href);
}

async function show([name, title, help], days) {
        const to = (Math.floor(Date.now() / DAY_MS) + 1) * DAY_MS, from = to - days * DAY_MS;
        const query = new URLSearchParams({ name, from: new Date(from).toISOString(), to: new Date(to).toISOString() });
        const { points: told, min_group: least } = await read('GET', `/v1/admin/analytics/metrics?${query}`), points = byDays(told, from, to);
        const button = make('button', ['CSV'], { type: 'button', 'aria-label': `${title}: save as CSV` });
        button.addEventListener('click', () => save(name, query).catch((error) => say(`${title}: ${error.message}.`, false)));
        return make('figure', [make('figcaption', [make('h2', [title]), make('span', [help]), button]),
                chart(points, summary(title, points, formatOf(name)), formatOf(name)), tableOf(title, points, formatOf(name), least)], { 'data-metric': name });
}

// ---- The forms ----

async function showAll() {
        const { days, event } = Object.fromEntries(new FormData(range));
        say('Asking the server …', true);
        try {
                const figures = [];
                for (const metric of [[event, event, 'events on each day'], ...METRICS]) {
                        figures.push(await show(metric, Number(days)));
                }
                charts.replaceChildren(...figures);
                say(`${figures.length} charts of ${days} days. Numbers of people are rounded down to a multiple of the smallest group; days with fewer people are gaps.`, true);
        } catch (error) {
                say(`${error.message}.`, false);
        }
}

// What makes this browser a known device at the next log-in; it gives no access. Some browsers store nothing.
const DEVICE = 'device_token';
function knownDevice() {
        try {
                return localStorage.getItem(DEVICE) ?? '';
        } catch {
                return '';
        }
}
function rememberDevice(value) {
        try {
                localStorage.setItem(DEVICE, value);
        } catch {
                // the next log-in is one on a new device
        }
}

// Who may not see metrics is logged out again.
async function checkAccess() {
        try {
                await ask('GET', '/v1/admin/analytics/exports');
        } catch (error) {
                if (error.problem?.code !== 'scope_missing') {
                        throw error;
                }
                await ask('POST', '/v1/auth/logout').catch(() => {});
                token = '';
                throw Object.assign(new Error('This page is for administrators. Log in with another account'), { problem: {} });
        }
}

// The password, and after it the code when the server wants one.
async function logIn() {
        const { login: name, password, code } = Object.fromEntries(new FormData(login));
        const answer = challenge ? await read('POST', '/v1/auth/login/verify', { login_token: challenge, code }) : await read('POST', '/v1/auth/login', { login: name, password, device_token: knownDevice() });
        token = answer.access_token;
        await checkAccess();
        rememberDevice(answer.device_token);
        const { items } = await read('GET', '/v1/analytics/schema');
        document.querySelector('#event').replaceChildren(...[...OF_SERVICES, ...items.map((e) => e.name)].map((e) => make('option', [e], { value: e })));
        login.reset();
        login.hidden = true;
        range.hidden = false;
        await showAll();
}

function expectCode(loginToken) {
        challenge = loginToken;
        document.querySelector('#second').hidden = challenge === '';
        document.querySelector('#code').required = challenge !== '';
}

// A code that is wrong, or did not reach the server, may be entered again; any other error leads back to the password.
function onProblem({ message, problem }) {
        if (problem && problem.code !== 'code_wrong') {
                expectCode(problem.login_token ?? '');
        }
        if (problem?.code === 'second_factor_required') {
                document.querySelector('#code').focus();
        } else {
                say(`${message}.`, false);
        }
}

login.addEventListener('submit', (event) => {
        event.preventDefault();
        logIn().catch(onProblem);
});
range.addEventListener('submit', (event) => {
        event.preventDefault();
        showAll();
});
