// Calls with @grpc/grpc-js, which must succeed or fail.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import grpc from '@grpc/grpc-js';
import { connectGrpc } from './protos.mjs';

export const { status: Status } = grpc;
if (!process.env.SONET_GRPC) {
        throw new Error('SONET_GRPC is not set: run `./run.mjs`');
}
export const wire = connectGrpc(JSON.parse(process.env.SONET_GRPC));
export const called = new Set(); // names of methods
after(() => wire.close());

// A call that must succeed, as a member or without a token.
export async function ok(name, request, member, options) {
        const { answer, error } = await wire.call(name, request, { token: member?.token, ...options });
        assert.ok(!error, `${name}: ${JSON.stringify(error)}`);
        called.add(name);
        return answer;
}
export async function fails(name, request, code, member, options) {
        const { answer, error } = await wire.call(name, request, { token: member?.token, ...options });
        assert.ok(error, `${name} answered ${JSON.stringify(answer)}`);
        assert.equal(Status[error.code], Status[code], `${name}: ${error.details}`);
        return error;
}
