// A ledger of uploads for crash tests: every byte acknowledged, by an offset or as a media, must exist whatever was
// killed.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { eventually, must } from './client.mjs';
import { sleep } from './harness.mjs';
import { Damage, untilAcknowledged } from './ledger.mjs';
import { form, png } from './pictures.mjs';

const SIDE = 90; // noise that does not compress: 24 KB
const PIECE = 8192;
const TUS = { 'tus-resumable': '1.0.0' };
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

export class UploadLedger {
        constructor(member, url, random) {
                Object.assign(this, { member, url, random });
                this.uploads = []; // {id, bytes, offset}: offset: acknowledged bytes
                this.media = [];   // {id, hash}
        }

        picture() {
                return png(SIDE, SIDE, () => [0, 0, 0].map(() => Math.floor(this.random() * 256)), []);
        }

        async send(method, where, headers, body) {
                const answer = await fetch(`${this.url}${where}`, { method, body, headers: { authorization: `Bearer ${this.member.token}`, ...headers }, signal: AbortSignal.timeout(15_000) });
                return { status: answer.status, headers: answer.headers, text: await answer.text(), request: `${method} ${where}` };
        }

        async begin() {
                const bytes = this.picture();
                const { headers } = await untilAcknowledged(() => this.send('POST', '/v1/uploads', { ...TUS, 'upload-length': String(bytes.length) }), [201]);
                this.uploads.push({ id: headers.get('location').split('/').at(-1), bytes, offset: 0 });
        }

        // Gets the server's offset, which must not be before what it has acknowledged.
        async resume(upload) {
                const { headers } = await untilAcknowledged(() => this.send('HEAD', `/v1/uploads/${upload.id}`, TUS), [200, 204]);
                const offset = Number(headers.get('upload-offset'));
                if (!(offset >= upload.offset)) {
                        throw new Damage(`upload ${upload.id}: ${upload.offset} bytes were acknowledged, ${offset} are there`);
                }
                upload.offset = offset;
        }

        async append(upload) {
                const piece = upload.bytes.subarray(upload.offset, upload.offset + PIECE);
                const headers = { ...TUS, 'upload-offset': String(upload.offset), 'content-type': 'application/offset+octet-stream' };
                const answer = await this.send('PATCH', `/v1/uploads/${upload.id}`, headers, piece).catch(() => null);
                if (answer?.status === 204) {
                        upload.offset = Number(answer.headers.get('upload-offset'));
                } else {
                        await this.resume(upload);
                }
        }

        // Forms have no idempotency key, so one whose response is lost may be stored twice.
        async bring() {
                const bytes = this.picture();
                const { raw, headers } = form(bytes);
                const answer = await untilAcknowledged(() => this.send('POST', '/v1/media', headers, raw), [202]);
                this.media.push({ id: JSON.parse(answer.text).id, hash: sha256(bytes) });
        }

        async step() {
                const open = this.uploads.filter((u) => u.offset < u.bytes.length);
                if (open.length > 0 && this.random() < 0.7) {
                        await this.append(open[Math.floor(this.random() * open.length)]);
                } else if (this.random() < 0.3) {
                        await this.bring();
                } else if (open.length < 2) {
                        await this.begin();
                }
        }

        async finish(upload) {
                await this.resume(upload);
                for (const end = Date.now() + 60_000; upload.offset < upload.bytes.length && Date.now() < end;) {
                        await this.append(upload);
                        await sleep(10);
                }
                const answer = await untilAcknowledged(() => this.send('GET', `/v1/uploads/${upload.id}`, {}), [200]);
                this.media.push({ id: JSON.parse(answer.text).media_id, hash: sha256(upload.bytes) });
        }

        // Completes every upload from the server's offset.
        async finishAll() {
                for (const upload of this.uploads.splice(0)) {
                        await this.finish(upload);
                }
                return this.media.length;
        }

        // Media whose processing was killed are processed again when the lease expires.
        async audit() {
                for (const { id, hash } of this.media) {
                        const media = await eventually(`media ${id} is processed`, async () => {
                                const now = must(await this.member.get(`/v1/media/${id}`));
                                return now.status !== 'processing' && now;
                        }, 120_000);
                        const answer = await fetch(`${this.url}/media/${id}/original`, { headers: { authorization: `Bearer ${this.member.token}` } });
                        const bytes = Buffer.from(await answer.arrayBuffer());
                        if (media.status !== 'ready' || answer.status !== 200 || sha256(bytes) !== hash) {
                                throw new Damage(`media ${id}: ${media.status} ${media.reason ?? ''}, ${answer.status}, ${bytes.length} bytes that are not those that were brought`);
                        }
                }
        }
}

// As if a day had passed: files without rows are then not in progress any more.
export function age(dir) {
        const yesterday = Date.now() / 1000 - 2 * 86400;
        for (const name of fs.readdirSync(dir, { recursive: true })) {
                try {
                        if (fs.statSync(path.join(dir, name)).isFile()) {
                                fs.utimesSync(path.join(dir, name), yesterday, yesterday);
                        }
                } catch (error) {
                        if (error.code !== 'ENOENT') { // a job may have removed it meanwhile
                                throw error;
                        }
                }
        }
}
