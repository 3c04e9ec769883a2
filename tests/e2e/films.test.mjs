// Processing videos and sounds: they play everywhere, no metadata is published, and unreadable files do no harm.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { filmFiles, pictures, tone } from './filmfiles.mjs';
import { form, jpeg, png, processed } from './pictures.mjs';
import { api, eventually, must, problem, register } from './shared.mjs';
import { Stream } from './streams.mjs';

const SECRET = 'N52-E13-at-home';
const secrets = ['-metadata', `title=${SECRET}`, '-metadata', `comment=${SECRET}`, '-metadata', `artist=${SECRET}`, '-metadata', 'location=+52.5200+013.4050/',
        '-metadata', 'creation_time=2001-02-03T04:05:06Z', '-metadata:s:0', `title=${SECRET}`, '-metadata:s:0', `handler_name=${SECRET}`];
let owner, films;

before(async () => {
        owner = await register();
        films = filmFiles();
});
after(() => films.remove());

async function bring(file, name = 'a.bin') {
        const media = must(await api('POST', '/v1/media', { token: owner.token, ...form(file, {}, name) }), 202);
        return { first: media, ...(await processed(owner, media.id)) };
}

async function get(url, headers = {}) {
        const answer = await fetch(new URL(url, process.env.SONET_URL), { headers: { authorization: `Bearer ${owner.token}`, ...headers } });
        return { status: answer.status, type: answer.headers.get('content-type'), range: answer.headers.get('content-range'), data: Buffer.from(await answer.arrayBuffer()) };
}

// All variants by name, none of which contains the secret.
async function variants(media, ...names) {
        const found = {};
        for (const name of ['original', ...names]) {
                found[name] = await get(`/media/${media.id}/${name}`);
                assert.equal(found[name].status, 200, name);
                assert.ok(!found[name].data.includes(SECRET) && !found[name].data.includes('+52.5200'), `${name} of a ${media.mime_type} has it still`);
        }
        return found;
}

const near = (value, expected, by) => assert.ok(Math.abs(value - expected) <= by, `${value} is not ${expected}`);
const codecs = (probed) => probed.streams.map((stream) => stream.codec_name).sort();
const boxes = (mp4) => {
        const names = [];
        for (let at = 0; at + 8 <= mp4.length; at += Math.max(8, mp4.readUInt32BE(at))) {
                names.push(mp4.toString('latin1', at + 4, at + 8));
        }
        return names;
};

test('a video becomes an MP4 that plays while loading, with a poster, and loses locations, titles and times', async () => {
        const chapters = films.keep('chapters', `;FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=${SECRET}\n`);
        const film = films.make('a.mp4', ...pictures(2), ...tone(2), '-i', chapters, '-map_metadata', '-1', '-map_chapters', '2', '-c:v', 'libx264', '-c:a', 'aac', '-pix_fmt', 'yuv420p', ...secrets,
                '-movflags', 'use_metadata_tags');
        assert.ok(film.includes(SECRET) && film.includes('+52.5200'));
        const media = await bring(film);
        assert.deepEqual([media.status, media.kind, media.mime_type, media.width, media.height], ['ready', 'video', 'video/mp4', 320, 180], media.reason);
        assert.equal(media.first.kind, 'video');
        near(media.duration_ms, 2000, 100);
        assert.match(media.blurhash, /^.{28}$/);
        assert.match(media.url, /\/mp4(\?|$)/);
        assert.match(media.preview_url, /\/poster(\?|$)/);
        const { original, mp4, poster } = await variants(media, 'mp4', 'poster');
        assert.deepEqual([original.type, mp4.type, poster.type], ['video/mp4', 'video/mp4', 'image/webp']);
        assert.deepEqual(codecs(films.probe(mp4.data)), ['aac', 'h264']);
        assert.ok(boxes(mp4.data).indexOf('moov') < boxes(mp4.data).indexOf('mdat'), boxes(mp4.data).join());
        const again = films.probe(original.data);
        assert.deepEqual([again.chapters, again.format.tags.creation_time], [[], undefined]);
        assert.equal(poster.data.toString('latin1', 8, 12), 'WEBP');
        const part = await get(media.url, { range: 'bytes=100-199' });
        assert.deepEqual([part.status, part.range, part.data], [206, `bytes 100-199/${mp4.data.length}`, mp4.data.subarray(100, 200)]);
        assert.equal((await get(`/media/${media.id}/mp3`)).status, 404);
});

test('user data that cameras write into coded video is removed', async () => {
        const hidden = ['-bsf:v', `h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+${SECRET}`];
        const film = films.make('sei.mp4', ...pictures(1), '-c:v', 'libx264', ...hidden);
        assert.ok(film.includes(SECRET));
        const media = await bring(film);
        assert.equal(media.status, 'ready', media.reason);
        await variants(media, 'mp4', 'poster');
});

test('WebM and QuickTime are accepted, keep their rotation, and are never enlarged', async () => {
        const webm = await bring(films.make('a.webm', ...pictures(2), ...tone(2), '-c:v', 'libvpx', '-c:a', 'libvorbis', ...secrets));
        assert.deepEqual([webm.status, webm.kind, webm.mime_type, webm.width, webm.height], ['ready', 'video', 'video/webm', 320, 180], webm.reason);
        assert.deepEqual(codecs(films.probe((await variants(webm, 'mp4', 'poster')).original.data)), ['vorbis', 'vp8']);
        films.make('upright.mov', ...pictures(1, '1920x1080', 5), '-c:v', 'libx264', '-pix_fmt', 'yuv420p', ...secrets);
        const turned = await bring(films.make('turned.mov', '-i', 'upright.mov', '-c', 'copy', '-metadata:s:v', 'rotate=90', '-map_metadata', '0'));
        assert.deepEqual([turned.status, turned.mime_type, turned.width, turned.height], ['ready', 'video/quicktime', 1080, 1920], turned.reason);
        const { mp4, poster } = await variants(turned, 'mp4', 'poster');
        const [stream] = films.probe(mp4.data).streams;
        assert.deepEqual([stream.width, stream.height], [1280, 720]);
        assert.equal(Math.abs(stream.side_data_list[0].rotation), 90);
        const { width, height } = films.probe(poster.data).streams[0];
        assert.deepEqual([width, height], [720, 1280]);
});

test('sounds become MP3 and Ogg with a waveform, and lose tags and cover art', async () => {
        const cover = films.keep('cover.jpg', Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xfe, 0, SECRET.length + 2]), Buffer.from(SECRET), jpeg.subarray(2)]));
        const quietThenLoud = ['-f', 'lavfi', '-i', 'aevalsrc=exprs=if(lt(t\\,2)\\,0.05\\,0.8)*sin(2*PI*440*t):duration=4:sample_rate=44100'];
        const cases = [
                ['a.mp3', 'audio/mpeg', 'mp3', ['-i', cover, '-map', '0:a', '-map', '1:v', '-c:v', 'copy', '-id3v2_version', '3', '-write_id3v1', '1']],
                ['a.ogg', 'audio/ogg', 'vorbis', ['-c:a', 'libvorbis']],
                ['b.ogg', 'audio/ogg', 'opus', ['-c:a', 'libopus']],
                ['a.m4a', 'audio/x-m4a', 'aac', ['-c:a', 'aac']],
                ['sound.webm', 'audio/webm', 'opus', ['-c:a', 'libopus']],
        ];
        for (const [name, type, codec, how] of cases) {
                const sound = films.make(name, ...quietThenLoud, ...how, ...secrets);
                assert.ok(sound.includes(SECRET), name);
                const media = await bring(sound);
                assert.deepEqual([media.status, media.kind, media.mime_type, media.width], ['ready', 'audio', type, 0], `${name}: ${media.reason}`);
                near(media.duration_ms, 4000, 100);
                assert.match(media.url, /\/mp3(\?|$)/);
                assert.equal(media.preview_url, '');
                const wave = media.waveform;
                assert.ok(wave.length >= 38 && wave.length <= 42, `${wave}`);
                wave.forEach((level, i) => i < wave.length / 2 - 2 ? near(level, 5, 3) : i > wave.length / 2 + 2 && i < wave.length - 2 && near(level, 80, 12));
                const { original, mp3, ogg } = await variants(media, 'mp3', 'ogg');
                assert.deepEqual([original.type, mp3.type, ogg.type], [type, 'audio/mpeg', 'audio/ogg']);
                assert.deepEqual([codecs(films.probe(original.data)), codecs(films.probe(mp3.data)), codecs(films.probe(ogg.data))], [[codec], ['mp3'], ['opus']], name);
        }
});

test('an MP3 keeps its sound, frame by frame', async () => {
        const clean = films.make('clean.mp3', ...tone(3), '-id3v2_version', '0', '-write_id3v1', '0', '-fflags', '+bitexact');
        const tag = Buffer.concat([Buffer.from('TAG'), Buffer.alloc(125, SECRET)]);
        const id3 = Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\x7f\0', 'latin1'), Buffer.alloc(127 * 128, `${SECRET}\xff\xfb\x90\0`, 'latin1')]); // longer than what libmagic reads
        const media = await bring(Buffer.concat([id3, clean, tag]));
        assert.equal(media.status, 'ready', media.reason);
        assert.deepEqual((await variants(media)).original.data, clean);
});

test('the live stream reports the progress of a long video to its owner', async () => {
        const film = films.make('progress.mp4', ...pictures(60, '640x360', 15), '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '40', '-pix_fmt', 'yuv420p'); // first: meanwhile no ping is answered
        const stream = new Stream(process.env.SONET_URL, { token: owner.token });
        assert.equal((await stream.next()).type, 'authenticated');
        assert.equal((await stream.subscribe('media')).type, 'subscribed');
        const { id } = await bring(film);
        await stream.find('it is ready', (m) => m.type === 'event' && m.event === 'media.ready' && m.data.id === id);
        const told = stream.events().filter((m) => m.event === 'media.progress');
        assert.ok(told.length > 0);
        assert.ok(told.every((m) => m.data.id === id));
        const percents = told.map((m) => m.data.percent);
        assert.deepEqual(percents, [...new Set(percents)].sort((a, b) => a - b));
        assert.ok(percents.every((percent) => percent > 0 && percent < 100), `${percents}`);
        await stream.close();
});

test('a note shows videos and sounds as such', async () => {
        const film = await bring(films.make('note.mp4', ...pictures(1), '-pix_fmt', 'yuv420p'));
        const sound = await bring(films.make('note.ogg', ...tone(1), '-c:a', 'libopus'));
        const { id } = must(await owner.post('/v1/notes', { text: 'listen', media_ids: [film.id, sound.id] }), 201);
        const { media } = await eventually('they are public', async () => {
                const note = must(await api('GET', `/v1/notes/${id}`));
                return note.media.every(({ url }) => !url.includes('signature')) && note;
        });
        assert.deepEqual(media.map(({ kind, url }) => [kind, url.split('/').at(-1)]), [['video', 'mp4'], ['audio', 'mp3']]);
        for (const { url } of media) {
                const answer = await fetch(new URL(url, process.env.SONET_URL));
                assert.equal(answer.status, 200);
                await answer.arrayBuffer();
        }
        assert.ok(must(await owner.get('/v1/media?kind=audio')).items.some((item) => item.id === sound.id));
});

test('changing the focus of a video does not process it again', async () => {
        const media = await bring(films.make('focus.mp4', ...pictures(1), '-pix_fmt', 'yuv420p'));
        must(await owner.patch(`/v1/media/${media.id}`, { focus_x: 0.5 }));
        const now = must(await owner.get(`/v1/media/${media.id}`));
        assert.deepEqual([now.status, now.focus_x], ['ready', 0.5]);
});

test('bombs and truncated, damaged, too long or unsupported files fail with a reason, and the next one is processed', async () => {
        const h264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p'];
        const film = films.make('whole.mp4', ...pictures(2), ...h264), fast = films.make('fast.mp4', '-i', 'whole.mp4', '-c', 'copy', '-movflags', 'faststart');
        const half = (data) => data.subarray(0, data.length >> 1);
        // Claims to be 2⁴⁰ units long, in the headers of the film and its track.
        const liar = Buffer.from(fast);
        for (const [box, at, value] of [['mvhd', 16, 0x7fffffff], ['tkhd', 20, 0x7fffffff], ['mdhd', 16, 0x7fffffff]]) {
                liar.writeUInt32BE(value, liar.indexOf(box) + 4 + at);
        }
        const noise = Buffer.from(fast);
        for (let at = noise.indexOf('mdat') + 4; at < noise.length; at++) {
                noise[at] = (at * 7919) & 255;
        }
        const cases = [
                [half(film), /truncated/],
                [half(fast), /truncated|damaged/],
                [half(films.make('half.webm', ...pictures(4), '-c:v', 'libvpx')), /truncated/],
                [half(films.make('half.mp3', ...tone(20))), /truncated/],
                [half(films.make('half.ogg', ...tone(20), '-c:a', 'libvorbis')), /truncated/],
                [films.make('almost.ogg', ...tone(3), '-c:a', 'libopus').subarray(0, -1), /truncated/],
                [liar, /too long/],
                [noise, /damaged|decoded/],
                [films.make('long.mp4', '-f', 'lavfi', '-i', 'color=size=16x16:rate=1:duration=605', ...h264), /too long/],
                [films.make('wide.mp4', '-f', 'lavfi', '-i', 'color=size=5000x16:rate=1:duration=2', '-c:v', 'mpeg4'), /width or height is too large/],
                [films.make('other.mov', ...pictures(1), '-c:v', 'mjpeg', '-pix_fmt', 'yuvj420p'), /its codec is not supported here: mjpeg/],
                [Buffer.concat([fast.subarray(0, 40), Buffer.alloc(5000, 0x41)]), /truncated|damaged|neither/],
        ];
        for (const [data, reason] of cases) {
                const media = await bring(data);
                assert.equal(media.status, 'failed', `${reason}`);
                assert.match(media.reason, reason);
                assert.equal(media.url, '');
        }
        assert.equal((await bring(films.make('next.mp4', ...pictures(1), ...h264))).status, 'ready');
        assert.equal((await bring(png(10, 10))).status, 'ready');
        problem(await api('POST', '/v1/media', { token: owner.token, ...form(Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\x7f\x00', 'latin1'), Buffer.alloc(9000, 'x')])) }), 415, { code: 'unsupported_media_type', field: 'file' });
        problem(await api('POST', '/v1/media', { token: owner.token, ...form(Buffer.concat([Buffer.from('RIFF\x24\0\0\0WAVEfmt ', 'latin1'), Buffer.alloc(100)])) }), 415, { code: 'unsupported_media_type', field: 'file' });
});
