// Experiments: assignments, results, plans, and who takes part.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, test } from 'node:test';
import { query, sharedDir } from './database.mjs';
import { event, send } from './events.mjs';
import { admin, registerWithRole } from './operator.mjs';
import { eventually, must, problem, registerMany } from './shared.mjs';

let analyst;
before(async () => {
        analyst = await registerWithRole('administrator');
});

const experiment = (rest = {}) => ({ name: `e-${randomUUID()}`, layer: `l-${randomUUID()}`, from_percent: 0, to_percent: 100, variants: ['control', 'new'], metric: 'page_leave', ...rest });
const plan = async (rest) => must(await analyst.post('/v1/admin/experiments', experiment(rest)), 201);
const notShown = (e) => ({ id: e.id, sample_ratio_p: null, variants: e.variants.map((name) => ({ name, people: null, mean: null, share: null })), as_of: null });
const act = (e, what) => analyst.post(`/v1/admin/experiments/${e.id}/${what}`, {});

test('assignments are stable, and results come from what members saw and did', async () => {
        const e = await plan();
        must(await act(e, 'start'));
        const people = await registerMany(24);
        const variants = [];
        for (const member of people) {
                const mine = async () => must(await member.get('/v1/experiments/assignments')).items.find((a) => a.experiment_id === e.id).variant;
                variants.push(await mine());
                assert.equal(await mine(), variants.at(-1));
        }
        const [control, changed] = ['control', 'new'].map((name) => variants.filter((v) => v === name).length);
        assert.equal(control + changed, 24);
        // The first six are assigned and see nothing: they do not count. Each of the others with "new" leaves a page twice.
        const seen = people.map((member, i) => [member, variants[i]]).slice(6);
        for (const [member, variant] of seen) {
                const events = [event('experiment_seen', { experiment_id: e.id }), ...(variant === 'new' ? [event('page_leave'), event('page_leave')] : [])];
                must(await send(events, { token: member.token }), 202);
        }
        const count = (name) => seen.filter(([, v]) => v === name).length;
        const results = async () => must(await analyst.get(`/v1/admin/experiments/${e.id}/results`));
        const few = count('control') < 5 || count('new') < 5; // possible by chance; then nothing is shown
        const exposures = () => Number(query(sharedDir(), 'analytics', `select count(*) from user_events where object_id = '${e.id}'`));
        await eventually('all are stored', () => exposures() === seen.length);
        const { variants: [a, b], sample_ratio_p: ratio, as_of: moment } = await results();
        const told = (n) => n - n % 5;
        assert.deepEqual([a.people, b.people], few ? [null, null] : [told(count('control')), told(count('new'))]);
        if (!few) {
                assert.deepEqual([a.mean, b.mean, a.share, b.share, a.effect, b.effect.difference], [0, 2, 0, 1, undefined, 2]);
                assert.ok(ratio > 0 && ratio <= 1);
                assert.ok(Date.parse(moment) > Date.parse(e.created_at) && Date.parse(moment) <= Date.now());
        }
        must(await act(e, 'stop'));
        const before = await results();
        must(await send([event('page_leave')], { token: seen[0][0].token }), 202);
        assert.deepEqual(await results(), before);
        assert.ok(!must(await people[0].get('/v1/experiments/assignments')).items.some((a) => a.experiment_id === e.id));
});

test('who claims to have seen an experiment that is not theirs is told so, and the rest of the batch is taken', async () => {
        const layer = `l-${randomUUID()}`, [first, second, draft, over] = [await plan({ layer, to_percent: 50 }), await plan({ layer, from_percent: 50 }), await plan(), await plan()];
        for (const e of [first, second, over]) {
                must(await act(e, 'start'));
        }
        must(await act(over, 'stop'));
        const [member, stranger] = await registerMany(2);
        const ids = must(await member.get('/v1/experiments/assignments')).items.map((a) => a.experiment_id);
        const [mine, anothers] = ids.includes(first.id) ? [first, second] : [second, first];
        const seen = (id, rest) => event('experiment_seen', { experiment_id: id }, rest);
        const late = { at: new Date(Date.now() - 3_600_000).toISOString() }; // before it was started
        const answer = must(await send([seen(anothers.id), seen(mine.id), seen(draft.id), event('page_leave', { visible_ms: -1 }), seen(randomUUID()), seen(mine.id, late), event('page_leave')], { token: member.token }), 202);
        assert.equal(answer.accepted, 2);
        assert.deepEqual(answer.problems.map((p) => [p.index, p.field]), [[0, 'properties.experiment_id'], [2, 'properties.experiment_id'], [3, 'properties.visible_ms'],
                [4, 'properties.experiment_id'], [5, 'properties.experiment_id']]);
        assert.match(answer.problems[0].detail, /experiments\/assignments/);
        assert.equal(must(await send([seen(over.id)], { token: member.token }), 202).accepted, 1); // stopped a moment ago
        assert.equal(must(await send([seen(mine.id)], { token: stranger.token }), 202).accepted, 0); // who was never assigned to any
        assert.equal(must(await send([seen(mine.id)]), 202).accepted, 0); // without an account
        for (const e of [first, second]) {
                must(await act(e, 'stop'));
        }
});

test('experiments of one layer exclude each other; who does not want to be counted is in none', async () => {
        const layer = `l-${randomUUID()}`;
        const [first, over, beside] = [await plan({ layer, to_percent: 50 }), await plan({ layer, from_percent: 49 }), await plan({ layer, from_percent: 50 })];
        must(await act(first, 'start'));
        assert.equal(problem(await act(over, 'start'), 409).detail, `${first.name} is running in the same layer, from 0 to 50 percent`);
        must(await act(beside, 'start'));
        for (const member of await registerMany(4)) {
                const mine = must(await member.get('/v1/experiments/assignments')).items.filter((a) => [first.id, beside.id].includes(a.experiment_id));
                assert.equal(mine.length, 1);
        }
        const [other] = await registerMany(1);
        must(await other.patch('/v1/users/me/settings', { privacy: { analytics: false } }));
        assert.deepEqual(must(await other.get('/v1/experiments/assignments')).items, []);
        must(await act(first, 'stop'));
        assert.equal(problem(await act(first, 'stop'), 409).detail, 'it is not running');
        assert.equal(problem(await act(first, 'start'), 409).detail, 'it was started before');
        must(await act(beside, 'stop'));
});

test('invalid plans are rejected', async () => {
        const refused = async (rest, field) => problem(await analyst.post('/v1/admin/experiments', experiment(rest)), 422, { field });
        await refused({ variants: ['one'] }, 'variants');
        await refused({ variants: ['a', 'a'] }, 'variants');
        await refused({ from_percent: 50, to_percent: 50 }, 'to_percent');
        await refused({ to_percent: 101 }, 'to_percent');
        await refused({ metric: 'clicks' }, 'metric');
        await refused({ guardrails: ['note.created', 'dau'] }, 'guardrails[1]');
        const e = await plan();
        problem(await analyst.post('/v1/admin/experiments', experiment({ name: e.name })), 409, { field: 'name' });
        problem(await analyst.get(`/v1/admin/experiments/${randomUUID()}`), 404);
        assert.ok(must(await analyst.get('/v1/admin/experiments')).items.some((x) => x.id === e.id));
        assert.equal(must(await analyst.get(`/v1/admin/experiments/${e.id}`)).started_at, null);
});

test('a draft can be changed, a running or stopped experiment cannot; holdouts and other audiences do not take part', async () => {
        const e = await plan({ guardrails: ['note.created'] });
        assert.deepEqual([e.state, e.audience, e.holdout_percent, e.guardrails], ['draft', 'all', 0, ['note.created']]);
        const change = (body) => analyst.patch(`/v1/admin/experiments/${e.id}`, body);
        problem(await change({ from_percent: 60, to_percent: 50 }), 422, { field: 'to_percent' });
        problem(await change({ variants: ['one'] }), 422, { field: 'variants' });
        const changed = must(await change({ variants: ['a', 'b', 'c'], audience: 'established', holdout_percent: 50, metric: 'click' }));
        assert.deepEqual([changed.variants, changed.audience, changed.holdout_percent, changed.metric, changed.layer, changed.guardrails],
                [['a', 'b', 'c'], 'established', 50, 'click', e.layer, ['note.created']]);
        must(await act(e, 'start'));
        const [member] = await registerMany(1); // whose first day is today
        assert.ok(!must(await member.get('/v1/experiments/assignments')).items.some((a) => a.experiment_id === e.id));
        problem(await change({ metric: 'page_leave' }), 409, { field: 'id' });
        assert.equal(must(await act(e, 'stop')).state, 'stopped');
        problem(await change({ metric: 'page_leave' }), 409, { field: 'id' });
        assert.match((await admin('experiment', 'verify', e.id)).stdout, /^results match: 0 people$/m);
        const other = await plan();
        assert.equal((await admin('experiment', 'verify', other.id)).code, 1);
        assert.equal((await admin('experiment', 'verify', 'x')).code, 2);
        problem(await analyst.patch(`/v1/admin/experiments/${randomUUID()}`, {}), 404);
        problem(await member.patch(`/v1/admin/experiments/${e.id}`, {}), 403);
});

test('results use the requested measure; a plan shows how many people it needs', async () => {
        const e = await plan();
        must(await act(e, 'start'));
        const results = (query) => analyst.get(`/v1/admin/experiments/${e.id}/results?${query}`);
        assert.deepEqual(must(await results('')), notShown(e)); // nobody has seen it
        assert.deepEqual(must(await analyst.get(`/v1/admin/experiments/${(await plan()).id}/results`)).variants.map((v) => v.mean), [null, null]); // a draft
        problem(await results('measure=ratio'), 422, { field: 'per' });
        problem(await results('measure=ratio&per=page_views'), 422, { field: 'per' });
        problem(await results('metric=clicks'), 422, { field: 'metric' });
        for (const query of ['measure=ratio&per=page_view', 'measure=cuped', 'measure=proportion', 'measure=quantile&percent=90', 'metric=click&adjustment=benjamini_hochberg']) {
                assert.equal(must(await results(query)).variants.length, 2);
        }
        must(await act(e, 'stop'));
        const size = (query) => analyst.get(`/v1/admin/experiments/sample-size?${query}`);
        // (z.975 + z.8)² · (0.1 · 0.9 + 0.12 · 0.88) / 0.02², rounded up.
        const { people, power } = must(await size('baseline_percent=10&effect_percent=2'));
        assert.deepEqual([people, Math.round(power * 100)], [3839, 80]);
        problem(await size('baseline_percent=0&effect_percent=2'), 422, { field: 'baseline_percent' });
        problem(await size('baseline_percent=10&effect_percent=-10'), 422, { field: 'effect_percent' });
});
