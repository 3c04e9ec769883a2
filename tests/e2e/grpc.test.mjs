// The services as called by other programs: with @grpc/grpc-js and only SoNet's .proto files.
import assert from 'node:assert/strict';
import { createECDH, createHmac, randomUUID } from 'node:crypto';
import { before, test } from 'node:test';
import { Authenticator } from './authenticator.mjs';
import { keyOf, sharedDir } from './database.mjs';
import { called, fails, ok, Status, wire } from './grpccalls.mjs';
import { admin, registerWithRole } from './operator.mjs';
import { png, processed } from './pictures.mjs';
import { methods } from './protos.mjs';
import { PASSWORD, assertTokenIsRefused, eventually, ids, randomName, registerMany } from './shared.mjs';
import { totp } from './totp.mjs';

let alice;
let bob;

before(async () => {
        [alice, bob] = await registerMany(2);
});

test('members: register, log in, refresh, profile, search, sessions, log out', async () => {
        const username = randomName('g');
        const login = await ok('Register', { username, email: `${username}@example.org`, password: PASSWORD, display_name: 'G' });
        assert.equal(login.user.username, username);
        const me = { token: login.access_token };
        const again = await ok('LogIn', { login: username, password: PASSWORD });
        const fresh = await ok('Refresh', { refresh_token: again.refresh_token });
        assert.equal(fresh.session_id, again.session_id);
        assert.equal((await ok('GetMe', {}, me)).email, `${username}@example.org`);
        assert.equal((await ok('UpdateMe', { bio: 'by gRPC' }, me)).bio, 'by gRPC');
        assert.equal((await ok('UpdateMe', { display_name: 'GG' }, me)).bio, 'by gRPC', 'what is not given stays');
        assert.equal((await ok('GetUser', { id: username })).display_name, 'GG');
        assert.equal((await ok('FindUsers', { query: username })).items[0].id, login.user.id);
        assert.equal((await ok('GetEmail', {}, me)).email, `${username}@example.org`);
        assert.equal((await ok('ResendVerification', {}, me)).verified_at, null);
        assert.equal((await ok('ChangeEmail', { email: `${username}@example.net` }, me)).pending, `${username}@example.net`);
        assert.equal((await fails('VerifyEmail', { code: 'never' }, Status.UNAUTHENTICATED, me)).problem.code, 'code_wrong');
        called.add('VerifyEmail'); // its code is mailed: email.test.mjs
        await ok('ForgotPassword', { email: `${username}@example.org` });
        assert.equal((await fails('ResetPassword', { token: 'none', new_password: PASSWORD }, Status.UNAUTHENTICATED)).problem.code, 'link_invalid');
        called.add('ResetPassword'); // its link is mailed: passwords.test.mjs
        assert.equal((await ok('StepUp', { password: PASSWORD }, me)).expires_in, 900);
        assert.equal((await ok('GetSettings', {}, me)).appearance.theme, 'THEME_SYSTEM');
        assert.equal((await ok('UpdateSettings', { notifications: { likes: false } }, me)).notifications.likes, false);
        assert.ok((await ok('GetSettingsSchema', {})).items.some((s) => s.key === 'notifications.likes' && s.default === 'true'));
        assert.equal((await ok('ListLogIns', {}, me)).items.length, 2);
        const archive = await ok('CreateExport', {}, me);
        assert.equal((await ok('GetExport', { id: archive.id }, me)).id, archive.id);
        assert.equal((await wire.callStream('DownloadExport', [{ id: archive.id }], { token: me.token })).error.code, Status.NOT_FOUND);
        called.add('DownloadExport'); // its link: accounts.test.mjs
        await ok('DeleteExport', { id: archive.id }, me);
        const sessions = await ok('ListSessions', {}, me);
        assert.deepEqual(ids(sessions.items), [again.session_id, login.session_id]);
        await ok('EndSession', { id: again.session_id }, me);
        await ok('EndOtherSessions', {}, me);
        await ok('LogOut', {}, me);
        await assertTokenIsRefused(me.token);
        const last = await ok('LogIn', { login: username, password: PASSWORD });
        await ok('DeleteMe', { password: PASSWORD }, { token: last.access_token });
        await assertTokenIsRefused(last.access_token);
        await fails('GetMe', {}, Status.UNAUTHENTICATED, me);
});

test('a second factor: the problem of a refused log-in contains the challenge', async () => {
        const username = randomName('g');
        const me = { token: (await ok('Register', { username, email: `${username}@example.org`, password: PASSWORD })).access_token };
        me.token = (await ok('ChangePassword', { current_password: PASSWORD, new_password: PASSWORD }, me)).access_token;
        const { secret } = await ok('BeginTotp', {}, me);
        const { recovery_codes: codes } = await ok('ConfirmTotp', { code: totp(secret) }, me);
        assert.equal((await ok('GetTwoFactor', {}, me)).recovery_codes_left, 10);
        const error = await fails('LogIn', { login: username, password: PASSWORD }, Status.UNAUTHENTICATED);
        const { code, challenge } = error.problem;
        assert.equal(code, 'second_factor_required');
        const [login_token] = challenge.toString('latin1').match(/[\w-]{100,}/); // field 1 of SecondFactorRequired, as bytes
        assert.equal((await ok('VerifyLogIn', { login_token, code: codes[0] })).user.username, username);
        assert.equal((await ok('NewRecoveryCodes', {}, me)).recovery_codes.length, 10);
        await ok('DeleteTotp', {}, me);
        assert.equal((await ok('GetTwoFactor', {}, me)).enabled, false);
});

test('accounts: moderators and administrators list, read, suspend and assign roles', async () => {
        const username = randomName('g');
        const { user } = await ok('Register', { username, email: `${username}@example.org`, password: PASSWORD });
        const set = await admin('user', 'role', username, 'administrator');
        assert.equal(set.code, 0, set.stderr);
        const boss = { token: (await ok('LogIn', { login: username, password: PASSWORD })).access_token };
        await eventually('the role is effective', async () => (await wire.call('GetAccount', { id: username }, { token: boss.token })).answer?.role === 'administrator');
        assert.equal((await ok('GetAccount', { id: username }, boss)).id, user.id);
        assert.equal((await ok('ListAccounts', { role: 'administrator' }, boss)).items.some((a) => a.id === user.id), true);
        const other = (await ok('Register', { username: `${username}2`, email: `${username}2@example.org`, password: PASSWORD })).user;
        assert.equal((await ok('Suspend', { id: other.id, reason: 'a test' }, boss)).suspension_reason, 'a test');
        assert.equal((await ok('Unsuspend', { id: other.id }, boss)).suspended_at, null);
        assert.deepEqual((await ok('ListMediaAccesses', { id: user.id }, boss)).items, []); // not a media ID
        assert.equal((await ok('PutProfile', { location: 'Here' }, boss)).profile.location, 'Here');
        assert.match((await ok('ChangeUsername', { username: randomName('Renamed') }, boss)).username, /^Renamed/);
        const { invite } = await ok('CreateInvite', { uses: 2 }, boss);
        assert.deepEqual(ids((await ok('ListInvites', {}, boss)).items), [invite.id]);
        await ok('RevokeInvite', { id: invite.id }, boss);
        assert.equal((await ok('Approve', { id: other.id }, boss)).id, other.id); // is not waiting for approval: nothing changes
        await fails('Decline', { id: other.id }, Status.FAILED_PRECONDITION, boss);
        called.add('Decline'); // no account is waiting here: see registration.test.mjs
        assert.equal((await ok('SetRole', { id: other.id, role: 'moderator' }, boss)).role, 'moderator');
});

test('a passkey: created, listed, used and removed', async () => {
        const username = randomName('g');
        const me = { token: (await ok('Register', { username, email: `${username}@example.org`, password: PASSWORD })).access_token };
        const authenticator = new Authenticator();
        const { passkey } = await ok('CreatePasskey', authenticator.create((await ok('BeginPasskey', {}, me)).challenge), me);
        assert.deepEqual(ids((await ok('ListPasskeys', {}, me)).items), [passkey.id]);
        const { challenge } = await ok('BeginPasskeyLogIn', {});
        assert.equal((await ok('LogInWithPasskey', { passkey: authenticator.get(challenge) })).user.username, username);
        await ok('DeletePasskey', { id: passkey.id }, me);
        assert.deepEqual((await ok('ListPasskeys', {}, me)).items, []);
});

test('relationships: follow, block, mute, their opposites and the lists', async () => {
        const to = { user_id: bob.id };
        assert.equal((await ok('FollowUser', to, alice)).following, true);
        assert.equal((await ok('ListRelationships', { user_ids: [bob.id] }, alice)).items[0].following, true);
        assert.deepEqual(ids((await ok('ListFollowers', to)).items), [alice.id]);
        assert.deepEqual(ids((await ok('ListFollowing', { user_id: alice.id })).items), [bob.id]);
        assert.equal((await ok('MuteUser', to, alice)).muting, true);
        assert.equal((await ok('UnmuteUser', to, alice)).muting, false);
        assert.equal((await ok('BlockUser', to, alice)).blocking, true);
        assert.equal((await ok('UnblockUser', to, alice)).blocking, false);
        assert.equal((await ok('FollowUser', to, alice)).following, true);
        assert.equal((await ok('UnfollowUser', to, alice)).following, false);
        const [from, shy] = [{ user_id: alice.id }, (value) => ok('UpdateSettings', { privacy: { private: value } }, bob)];
        await shy(true);
        assert.equal((await ok('FollowUser', to, alice)).requested, true);
        assert.deepEqual(ids((await ok('ListFollowRequests', {}, bob)).items), [alice.id]);
        assert.equal((await ok('DeclineFollowRequest', from, bob)).requested_by, false);
        await ok('FollowUser', to, alice);
        assert.equal((await ok('AcceptFollowRequest', from, bob)).followed_by, true);
        await ok('UnfollowUser', to, alice);
        await shy(false);
});

test('notes and timelines', async () => {
        const tag = randomName('t').replace('_', '');
        await ok('FollowUser', { user_id: bob.id }, alice);
        const note = await ok('CreateNote', { text: `over the wire #${tag}` }, bob);
        assert.equal(note.visibility, 'VISIBILITY_PUBLIC');
        assert.equal((await ok('GetNote', { id: note.id })).text, note.text);
        assert.equal((await ok('EditNote', { id: note.id, text: `edited #${tag}` }, bob)).text, `edited #${tag}`);
        assert.equal((await ok('LikeNote', { id: note.id }, alice)).counts.likes, 1);
        assert.equal((await ok('UnlikeNote', { id: note.id }, alice)).counts.likes, 0);
        assert.equal((await ok('BookmarkNote', { id: note.id }, alice)).viewer.bookmarked, true);
        assert.deepEqual(ids((await ok('ListBookmarks', {}, alice)).items), [note.id]);
        assert.equal((await ok('UnbookmarkNote', { id: note.id }, alice)).viewer.bookmarked, false);
        assert.equal((await ok('RenoteNote', { id: note.id }, alice)).counts.renotes, 1);
        assert.equal((await ok('UnrenoteNote', { id: note.id }, alice)).counts.renotes, 0);
        const comment = await ok('CreateComment', { id: note.id, text: 'so it is' }, alice);
        assert.equal(comment.parent_id, note.id);
        assert.deepEqual(ids((await ok('ListComments', { id: note.id })).items), [comment.id]);
        assert.equal((await ok('SubscribeNote', { id: note.id })).key, `note:${note.id}`);
        assert.equal((await ok('SubscribeHashtag', { tag: 'Cats' })).key, 'hashtag:cats');
        assert.equal((await ok('SubscribeHome', {}, alice)).personal, true);
        assert.equal((await ok('SubscribeUser', { user_id: alice.username })).key, `user:${alice.id}`); // called by GET /v1/stream
        assert.deepEqual(ids((await ok('GetThread', { id: comment.id })).ancestors), [note.id]);
        await ok('RemoveComment', { id: note.id, comment_id: comment.id }, bob);
        assert.deepEqual(ids((await ok('ListComments', { id: note.id })).items), []);
        assert.deepEqual(ids((await ok('ListComments', { id: note.id }, alice)).items), [comment.id]);
        await eventually('arrival', async () => ids((await ok('GetHome', { limit: 5 }, alice)).items).includes(note.id));
        assert.deepEqual(ids((await ok('GetUserTimeline', { user_id: bob.id, limit: 1 })).items), [note.id]);
        assert.deepEqual(ids((await ok('GetHashtagTimeline', { tag })).items), [note.id]);
        await eventually('searched', async () => (await ok('Search', { query: `tag:${tag}`, type: 'SEARCH_TYPE_NOTES' })).items[0]?.note.id === note.id);
        await ok('LikeNote', { id: note.id }, alice);
        await ok('DeleteNote', { id: note.id }, bob);
        await fails('GetNote', { id: note.id }, Status.NOT_FOUND);
        assert.deepEqual(await ok('UnlikeNote', { id: note.id }, alice), await ok('UnlikeNote', { id: note.id }, alice), 'the empty note');
        assert.equal((await ok('UnlikeNote', { id: note.id }, alice)).id, '');
});

test('searches: suggestions, history, saved ones, trends, synonyms', async () => {
        const tag = randomName('t').replace('_', '');
        await ok('Suggest', { query: '' }, alice);
        let asked;
        await eventually('the search is recorded', async () => {
                await ok('Search', { query: tag }, alice);
                asked = (await ok('ListSearchHistory', {}, alice)).items.find((item) => item.query === tag);
                return asked !== undefined;
        });
        await ok('DeleteSearchHistoryItem', { id: asked.id }, alice);
        await ok('ClearSearchHistory', {}, alice);
        const kept = await ok('SaveSearch', { query: tag, type: 'SEARCH_TYPE_NOTES' }, alice);
        assert.deepEqual(ids((await ok('ListSavedSearches', {}, alice)).items), [kept.id]);
        await ok('DeleteSavedSearch', { id: kept.id }, alice);
        await ok('ListTrends', {});
        await ok('RecordSearchClick', { search_id: randomUUID(), position: 1 });
        await fails('GetSearchAnalytics', {}, Status.PERMISSION_DENIED, alice);
        await fails('SetSynonyms', { items: [] }, Status.PERMISSION_DENIED, alice);
        const administrator = await registerWithRole('administrator');
        assert.ok(Array.isArray((await ok('GetSearchAnalytics', {}, administrator)).items));
        await ok('ListSynonyms', {}, administrator);
        assert.deepEqual((await ok('SetSynonyms', { items: [] }, administrator)).items, []);
        await ok('DeleteSynonyms', {}, administrator);
        const moderator = await registerWithRole('moderator');
        await ok('HideTrend', { trend: tag }, moderator);
        await ok('UnhideTrend', { trend: tag }, moderator);
        await fails('HideTrend', { trend: tag }, Status.PERMISSION_DENIED, alice);
});

test('administrators change rules and templates of notifications', async () => {
        const administrator = await registerWithRole('administrator');
        await fails('ListAggregationRules', {}, Status.PERMISSION_DENIED, alice);
        assert.ok((await ok('ListAggregationRules', {}, administrator)).items.length > 5);
        const rule = { type: 'new_note', fold_by: 'FOLD_BY_OBJECT' };
        assert.equal((await ok('SetAggregationRule', rule, administrator)).least, 2);
        assert.equal((await ok('DryRunAggregationRule', rule, administrator)).more, false);
        await ok('DeleteAggregationRule', { type: 'new_note' }, administrator);
        await fails('ListNotificationTemplates', { type: 'like' }, Status.PERMISSION_DENIED, alice);
        assert.equal((await ok('ListNotificationTemplates', { type: 'like' }, administrator)).items.length, 6);
        const template = { type: 'like', channel: 'push', language: 'xx' };
        assert.ok(Number((await ok('SaveNotificationTemplate', { ...template, source: '{1}!' }, administrator)).version) > 0);
        assert.ok((await ok('PreviewNotificationTemplate', template, administrator)).title.endsWith('!'));
        await ok('DeleteNotificationTemplate', template, administrator);
});

test('notifications: listed, counted, marked, archived', async () => {
        const note = await ok('CreateNote', { text: 'for bob to like' }, alice);
        await ok('LikeNote', { id: note.id }, bob);
        let item;
        await eventually('the like', async () => (item = (await ok('ListNotifications', { types: ['like'] }, alice)).items.find((i) => i.note.id === note.id)) !== undefined);
        assert.equal(Number(item.actors_count), 1);
        assert.deepEqual(ids((await ok('ListMembers', { id: item.id }, alice)).items), [bob.id]);
        assert.ok((await ok('GetUnreadCount', {}, alice)).unread >= 1);
        await ok('MarkNotificationsSeen', {}, alice);
        await ok('MarkNotificationsRead', { ids: [item.id] }, alice);
        await ok('ArchiveNotification', { id: item.id }, alice);
        await ok('UnarchiveNotification', { id: item.id }, alice);
        await ok('SnoozeNotification', { id: item.id, until: { seconds: Math.floor(Date.now() / 1000) + 3600 } }, alice);
        assert.deepEqual(ids((await ok('ListNotifications', { snoozed: true }, alice)).items), [item.id]);
        await ok('UnsnoozeNotification', { id: item.id }, alice);
        assert.deepEqual((await ok('ListDeliveries', { id: item.id }, alice)).items, []);
        await ok('DeleteNotification', { id: item.id }, alice);
        assert.equal((await ok('SubscribeNotifications', {}, alice)).personal, true);
        assert.deepEqual((await ok('ListRequests', {}, alice)).items, []);
        assert.equal((await ok('AcceptRequests', { all: true }, alice)).unread, (await ok('GetUnreadCount', {}, alice)).unread);
        await ok('DismissRequests', { all: true }, alice);
        assert.equal((await ok('SetPreferences', { types: [{ type: 'like', email: 'DELIVERY_DAILY' }] }, alice)).types.find((t) => t.type === 'like').email, 'DELIVERY_DAILY');
        assert.equal((await ok('GetPreferences', {}, alice)).filters.new_account, 'FILTER_ACTION_ACCEPT');
        await ok('SetQuietHours', { windows: [{ from: '22:00', until: '07:00' }] }, alice);
        assert.equal((await ok('GetQuietHours', {}, alice)).windows[0].from, '22:00');
        await ok('MuteThread', { id: note.id }, alice);
        assert.equal((await ok('GetThreadMute', { id: note.id }, alice)).muted, true);
        assert.equal((await ok('GetPushKey', {})).public_key.length, 87);
        const [p256dh, auth] = [createECDH('prime256v1').generateKeys('base64url'), 'A'.repeat(22)];
        const mac = createHmac('sha256', keyOf(sharedDir(), 'unsubscribe')).update(alice.id).digest().subarray(0, 18).toString('base64url');
        await ok('Unsubscribe', { token: `${alice.id}.${mac}` });
        await fails('Unsubscribe', { token: `${alice.id}.${mac.replace(/.$/, (c) => (c === 'A' ? 'B' : 'A'))}` }, Status.NOT_FOUND);
        const subscription = await ok('CreatePushSubscription', { endpoint: 'https://push.example/x', keys: { p256dh, auth } }, alice);
        assert.equal((await ok('ListPushSubscriptions', {}, alice)).items[0].service, 'https://push.example');
        await ok('DeletePushSubscription', { id: subscription.id }, alice);
        await fails('CreatePushDevice', { provider: 'apns', token: 'x' }, Status.INVALID_ARGUMENT, alice);
        assert.deepEqual((await ok('ListPushDevices', {}, alice)).items, []);
        await fails('DeletePushDevice', { id: subscription.id }, Status.NOT_FOUND, alice);
        await fails('SetPhoneNumber', { number: '+4917012345678' }, Status.FAILED_PRECONDITION, alice);
        assert.equal((await ok('GetPhoneNumber', {}, alice)).number, '');
        await fails('VerifyPhoneNumber', { code: '123456' }, Status.FAILED_PRECONDITION, alice);
        await ok('DeletePhoneNumber', {}, alice);
        ['CreatePushDevice', 'DeletePushDevice', 'SetPhoneNumber', 'VerifyPhoneNumber'].forEach((name) => called.add(name)); // need providers: providers.test.mjs
        await ok('UnmuteThread', { id: note.id }, alice);
        await ok('WatchMember', { user_id: bob.id }, alice);
        assert.equal((await ok('GetWatch', { user_id: bob.id }, alice)).notify, true);
        await ok('UnwatchMember', { user_id: bob.id }, alice);
});

test('media: uploaded in chunks, described, listed, downloaded in chunks, deleted', async () => {
        const picture = png(9, 9, undefined, []);
        const stream = async (name, requests) => {
                const { answers, error } = await wire.callStream(name, requests, { token: alice.token });
                assert.ok(!error, `${name}: ${JSON.stringify(error)}`);
                called.add(name);
                return answers;
        };
        await ok('AdmitBody', { method: 'CreateMedia', size: picture.length }, alice);
        const [media] = await stream('CreateMedia', [{ alt_text: 'a cat', file: picture.subarray(0, 50) }, { file: picture.subarray(50) }]);
        assert.deepEqual([media.alt_text, media.kind], ['a cat', 'KIND_IMAGE']);
        assert.equal((await ok('UpdateMedia', { id: media.id, alt_text: 'two cats' }, alice)).alt_text, 'two cats');
        assert.equal((await ok('GetMedia', { id: media.id }, alice)).size_bytes, picture.length);
        assert.deepEqual(ids((await ok('ListMedia', {}, alice)).items), [media.id]);
        assert.equal((await ok('GetUsage', {}, alice)).files, 1);
        await processed(alice, media.id);
        const [what, ...chunks] = await stream('DownloadMedia', [{ id: media.id, variant: 'original' }]);
        assert.equal(what.mime_type, 'image/png');
        assert.deepEqual(Buffer.concat(chunks.map((c) => c.data)), picture);
        assert.deepEqual((await ok('SetMediaTags', { id: media.id, tags: ['Cats'] }, alice)).tags, ['cats']);
        const box = await ok('CreateCollection', { name: 'box' }, alice);
        assert.equal((await ok('GetCollection', { id: box.id }, alice)).name, 'box');
        assert.equal((await ok('UpdateCollection', { id: box.id, name: 'chest' }, alice)).name, 'chest');
        assert.deepEqual(ids((await ok('ListCollections', {}, alice)).items), [box.id]);
        await ok('AddToCollection', { id: box.id, media_id: media.id }, alice);
        assert.deepEqual(ids((await ok('ListMedia', { collection_id: box.id, tag: 'cats' }, alice)).items), [media.id]);
        await ok('RemoveFromCollection', { id: box.id, media_id: media.id }, alice);
        await ok('DeleteCollection', { id: box.id }, alice);
        assert.equal((await ok('SubscribeMedia', {}, alice)).personal, true);
        assert.match((await ok('PutAvatar', { media_id: media.id }, alice)).avatar_url, new RegExp(`/media/${media.id}/`));
        assert.match((await ok('PutHeader', { media_id: media.id }, alice)).header_url, new RegExp(`/media/${media.id}/`));
        await ok('DeleteMedia', { id: media.id }, alice);
        await ok('DeleteAvatar', {}, alice);
        await ok('DeleteHeader', {}, alice);
        const [begun] = await stream('CreateUpload', [{ version: '1.0.0', length: picture.length, data: picture.subarray(0, 20) }]);
        assert.equal((await ok('StatUpload', { version: '1.0.0', id: begun.id }, alice)).offset, 20);
        await stream('AppendUpload', [{ version: '1.0.0', id: begun.id, offset: 20, data: picture.subarray(20) }]);
        const { media_id: uploaded } = await ok('GetUpload', { id: begun.id }, alice);
        assert.equal((await ok('GetMedia', { id: uploaded }, alice)).size_bytes, picture.length);
        await ok('DeleteUpload', { version: '1.0.0', id: begun.id }, alice);
        await fails('GetMedia', { id: media.id }, Status.NOT_FOUND, alice);
});

test('gRPC and REST show the same note', async () => {
        const note = await ok('CreateNote', { text: 'two doors', visibility: 'VISIBILITY_FOLLOWERS' }, alice);
        const rest = await alice.read(note.id);
        assert.equal(rest.visibility, 'followers');
        assert.deepEqual([rest.id, rest.text, rest.author.id, rest.counts], [note.id, note.text, note.author.id, note.counts]);
        assert.equal(Date.parse(rest.created_at), note.created_at.seconds * 1000 + Math.floor(note.created_at.nanos / 1e6));
        await fails('GetNote', { id: note.id }, Status.NOT_FOUND);
        await fails('GetNote', { id: note.id }, Status.NOT_FOUND, bob);
});

test('analytics: events, their schema, a metric', async () => {
        const event = { id: randomUUID(), name: 'app_open', at: new Date().toISOString() };
        const body = Buffer.from(JSON.stringify({ events: [event, { ...event, name: 'nothing' }] }));
        const taken = await ok('RecordEvents', { body }, alice);
        assert.deepEqual([taken.accepted, taken.problems.map((p) => p.index)], [1, [1]]);
        assert.equal((await ok('RecordEvents', { body, global_privacy_control: '1' }, alice)).accepted, 0);
        assert.ok((await ok('GetEventSchema', {})).items.length > 3);
        const analyst = await registerWithRole('administrator');
        assert.equal((await ok('GetMetric', { name: 'dau', from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' }, analyst)).name, 'dau');
        const days = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' };
        const { answers: [file] } = await wire.callStream('ExportMetric', [{ name: 'dau', ...days }], { token: analyst.token });
        called.add('ExportMetric');
        assert.equal(file.file_name, 'dau.csv');
        const { id: made } = await ok('CreateMetricExport', { kind: 'EXPORT_KIND_METRICS', names: ['dau'], ...days }, analyst);
        assert.ok(ids((await ok('ListMetricExports', {}, analyst)).items).includes(made));
        await eventually('the file is ready', async () => (await ok('GetMetricExport', { id: made }, analyst)).progress === 100);
        const { answers: [metrics] } = await wire.callStream('DownloadMetricExport', [{ id: made }], { token: analyst.token });
        called.add('DownloadMetricExport');
        assert.equal(metrics.file_name, 'metrics-2026-01-01-2026-01-01.csv');
        await ok('DeleteMetricExport', { id: made }, analyst);
        assert.equal((await ok('GetFunnel', { ...days, steps: ['search', 'click'] }, analyst)).steps.length, 2);
        assert.deepEqual((await ok('GetPaths', days, analyst)).items, []);
        assert.deepEqual((await ok('GetCohorts', days, analyst)).items, []);
        assert.deepEqual((await ok('GetBreakdown', { ...days, name: 'click', property: 'target' }, analyst)).items, []);
        assert.equal((await ok('GetDistribution', { ...days, name: 'search', property: 'results' }, analyst)).percentiles.length, 6);
        const name = randomName('e');
        const experiment = await ok('CreateExperiment', { name, layer: name, to_percent: 100, variants: ['a', 'b'], metric: 'search' }, analyst);
        assert.deepEqual((await ok('GetExperiment', { id: experiment.id }, analyst)).variants, ['a', 'b']);
        assert.ok(ids((await ok('ListExperiments', {}, analyst)).items).includes(experiment.id));
        assert.equal((await ok('UpdateExperiment', { id: experiment.id, metric: 'click' }, analyst)).metric, 'click');
        assert.ok(Number((await ok('GetSampleSize', { baseline_percent: 10, effect_percent: 2 }, analyst)).people) > 1000);
        await ok('StartExperiment', { id: experiment.id }, analyst);
        assert.ok((await ok('ListAssignments', {}, alice)).items.some((a) => a.experiment_id === experiment.id));
        assert.equal((await ok('GetResults', { id: experiment.id }, analyst)).variants.length, 2);
        await ok('StopExperiment', { id: experiment.id }, analyst);
        const note = await alice.note('with insights');
        assert.equal((await ok('GetNoteInsights', { id: note.id }, alice)).note_id, note.id);
        assert.deepEqual((await ok('GetMyInsights', { days: 7 }, alice)).best_notes, []);
        assert.equal((await ok('UpdateEngagement', { enabled: false }, alice)).enabled, false);
        await ok('ResetEngagement', {}, alice);
        assert.deepEqual(await ok('GetEngagement', {}, alice), { enabled: false, items: [] });
});

test('chats and messages', async () => {
        const chat = await ok('CreateChat', { kind: 'CHAT_KIND_DIRECT', user_ids: [bob.id] }, alice);
        const group = await ok('CreateChat', { kind: 'CHAT_KIND_GROUP', title: 'Both' }, alice);
        await ok('AddParticipants', { id: group.id, user_ids: [bob.id] }, alice);
        assert.equal((await ok('ListParticipants', { id: group.id }, bob)).items.length, 2);
        await ok('RemoveParticipant', { id: group.id, user_id: bob.id }, bob);
        const request = { id: chat.id, client_id: randomUUID(), text: 'Hello' };
        const message = await ok('SendMessage', request, alice);
        assert.equal((await ok('SendMessage', request, alice)).id, message.id);
        assert.deepEqual(ids((await ok('ListMessages', { id: chat.id }, bob)).items), [message.id]);
        assert.equal((await ok('GetMessage', { id: chat.id, message_id: message.id }, bob)).text, 'Hello');
        assert.equal(Number((await ok('MarkRead', { id: chat.id, seq: 1 }, bob)).unread), 0);
        assert.equal((await ok('GetChat', { id: chat.id }, bob)).peer.id, alice.id);
        assert.equal((await ok('ListChats', {}, bob)).items[0].id, chat.id);
        assert.equal((await ok('SubscribeMessages', {}, bob)).personal, true);
        assert.deepEqual(ids((await ok('ListChanges', { id: chat.id }, bob)).items), [message.id]);
        assert.equal((await ok('SubscribeChats', {}, bob)).personal, true);
        await ok('PutTyping', { id: chat.id }, alice);
        assert.deepEqual(ids((await ok('ListTyping', { id: chat.id }, bob)).items), [alice.id]);
        assert.ok((await ok('SyncChats', {}, bob)).items.some((item) => item.chat_id === chat.id));
        assert.deepEqual(ids((await ok('FindMessages', { query: 'hello', chat_id: chat.id }, bob)).items), [message.id]);
        const target = { id: chat.id, message_id: message.id };
        assert.equal((await ok('EditMessage', { ...target, text: 'Hello again' }, alice)).text, 'Hello again');
        assert.equal((await ok('GetMessageHistory', target, bob)).items.length, 2);
        for (const [name, more] of [['React', { emoji: '👍' }], ['Unreact', { emoji: '👍' }], ['PinMessage'], ['UnpinMessage']]) {
                await ok(name, { ...target, ...more }, bob);
        }
        assert.equal((await ok('ListPins', { id: chat.id }, bob)).items.length, 0);
        assert.equal((await ok('GetReplies', target, bob)).items.length, 0);
        await ok('DeleteMessage', { ...target, for: 'DELETE_FOR_ALL' }, alice);
});

test('chats: links, presence, settings, roles', async () => {
        const chat = await ok('CreateChat', { kind: 'CHAT_KIND_DIRECT', user_ids: [bob.id] }, alice);
        const group = await ok('CreateChat', { kind: 'CHAT_KIND_GROUP', title: 'Links' }, alice);
        const { link, token } = await ok('CreateChatLink', { id: group.id }, alice);
        assert.deepEqual(ids((await ok('ListChatLinks', { id: group.id }, alice)).items), [link.id]);
        assert.equal((await ok('JoinChat', { token }, bob)).chat.id, group.id);
        for (const name of ['AcceptApplicant', 'DeclineApplicant']) {
                await fails(name, { id: group.id, user_id: bob.id }, Status.NOT_FOUND, alice);
                called.add(name); // for waiting members: messaging.test.mjs
        }
        assert.deepEqual((await ok('ListApplicants', { id: group.id }, alice)).items, []);
        await ok('RevokeChatLink', { id: group.id, link_id: link.id }, alice);
        await ok('PutPresence', {}, alice);
        assert.deepEqual((await ok('ListPresence', { user_ids: [alice.id] }, alice)).items.map((p) => p.online), [true]);
        await ok('EndPresence', {}, alice);
        assert.equal((await ok('ListReceipts', { id: chat.id }, alice)).items[0].user_id, bob.id);
        for (const name of ['ArchiveChat', 'UnarchiveChat', 'PinChat', 'UnpinChat', 'MuteChat', 'UnmuteChat', 'PutDraft']) {
                await ok(name, { id: chat.id }, bob);
        }
        for (const name of ['AcceptChat', 'DeclineChat']) {
                await fails(name, { id: chat.id }, Status.FAILED_PRECONDITION, bob);
                called.add(name); // for requests: chatchanges.test.mjs
        }
        await ok('AddParticipants', { id: group.id, user_ids: [bob.id] }, alice);
        await ok('UpdateParticipant', { id: group.id, user_id: bob.id, role: 'ROLE_READER' }, alice);
        assert.equal((await ok('UpdateChat', { id: group.id, title: 'Renamed' }, alice)).title, 'Renamed');
        await ok('DeleteChat', { id: group.id }, alice);
});

test('every public method of the contract was called above', () => {
        const open = methods.filter((m) => m.access !== 'internal').map((m) => m.name);
        assert.ok(open.length >= 30);
        assert.deepEqual(open.filter((name) => !called.has(name)), []);
});
