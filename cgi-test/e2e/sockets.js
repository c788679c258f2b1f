#!/usr/bin/env node
// sockets.js: the JavaScript client of Socket.IO, which the frontend has in it, against a fresh server.
//
//   node sockets.js --url http://127.0.0.1:PORT
//
// Needs ./setup.sh once.
'use strict';

const assert = require('node:assert');
const { parseArgs } = require('node:util');
const { io } = require('socket.io-client');

const WAIT_MS = 8000;
const ADMIN = { name: 'Ada Admin', email: 'ada@example.org', password: 'correct horse 1' };
const { values: options } = parseArgs({ options: { url: { type: 'string' } } });
const tests = {};
let token, open = [];

async function api(path, body, method = 'POST') {
    const r = await fetch(options.url + path, { method, body: body && JSON.stringify(body),
        headers: { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) } });
    return { status: r.status, body: await r.json() };
}

function connect(transports, more = {}, namespace = '') {
    const socket = io(options.url + namespace, { path: '/ws/socket.io', transports, auth: { token }, forceNew: true, reconnection: false, ...more });
    open.push(socket);
    return socket;
}

function once(emitter, event) {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no "${event}" within ${WAIT_MS} ms`)), WAIT_MS);
        emitter.once(event, (...args) => {
            clearTimeout(timer);
            resolve(args);
        });
    });
}

async function joined(socket) {
    await once(socket, 'connect');
    const user = await socket.timeout(WAIT_MS).emitWithAck('user-join', { auth: { token } });
    assert.equal(user.name, ADMIN.name);
    return socket;
}

async function hears(socket) {
    const { body: channel } = await api('/api/v1/channels/create', { name: 'sockets' });
    const event = once(socket, 'channel-events');
    await api(`/api/v1/channels/${channel.id}/messages/post`, { content: 'grüße 😀' });
    const [said] = await event;
    assert.equal(said.data.data.content, 'grüße 😀');
    await api(`/api/v1/channels/${channel.id}/delete`, null, 'DELETE');
}

for (const [name, transports] of Object.entries({ polling: ['polling'], websocket: ['websocket'], upgrade: ['polling', 'websocket'] })) {
    tests[`${name}: joins, is answered, hears`] = async () => {
        const socket = connect(transports);
        const upgraded = name === 'upgrade' && new Promise((resolve) => socket.io.once('open', () => socket.io.engine.once('upgrade', resolve)));
        await joined(socket);
        await upgraded;
        assert.equal(socket.io.engine.transport.name, name === 'polling' ? 'polling' : 'websocket');
        await hears(socket);
        const answers = await Promise.all(Array.from({ length: 50 }, () => socket.timeout(WAIT_MS).emitWithAck('usage', { model: 'stub-small' })));
        assert.equal(answers.length, 50);
    };
    tests[`${name}: attachments`] = async () => {
        const socket = await joined(connect(transports));
        await socket.timeout(WAIT_MS).emitWithAck('usage', { model: 'stub-small', a: Buffer.from([0, 1, 255]), b: [new Uint8Array(70000).buffer] });
        await hears(socket);
    };
}

tests['ten attachments are carried, eleven end the connection'] = async () => {
    const socket = await joined(connect(['websocket']));
    const parts = (n) => Array.from({ length: n }, (_, i) => Buffer.from([i]));
    await socket.timeout(WAIT_MS).emitWithAck('usage', { model: 'm', parts: parts(10) });
    const gone = once(socket, 'disconnect');
    socket.emit('usage', { model: 'm', parts: parts(11) });
    await gone;
};

tests['other namespaces are refused, with a message'] = async () => {
    const [error] = await once(connect(['websocket'], {}, '/admin'), 'connect_error');
    assert.equal(error.message, 'Unable to connect');
};

tests['who leaves, leaves'] = async () => {
    const socket = await joined(connect(['websocket']));
    const { body: before } = await api('/api/usage', null, 'GET');
    assert.equal(before.user_ids.length, 1);
    socket.disconnect();
    for (let i = 0; ; i++) {
        const { body } = await api('/api/usage', null, 'GET');
        if (body.user_ids.length === 0)
            break;
        assert.ok(i < 50, 'still there');
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
};

tests['a socket that comes again is somebody else'] = async () => {
    const socket = await joined(connect(['websocket'], { reconnection: true, reconnectionDelay: 100 }));
    const first = socket.id;
    const again = once(socket, 'connect');
    socket.io.engine.close();
    await again;
    assert.notEqual(socket.id, first);
    await socket.timeout(WAIT_MS).emitWithAck('user-join', { auth: { token } });
    await hears(socket);
};

async function main() {
    const result = { passed: 0, failed: 0 };
    ({ body: { token } } = await api('/api/v1/auths/signup', ADMIN));
    for (const [name, run] of Object.entries(tests)) {
        try {
            await run();
            result.passed++;
        } catch (error) {
            result.failed++;
            console.log(`FAILED ${name}: ${error.message}`);
        }
        for (const socket of open.splice(0))
            socket.disconnect();
    }
    console.log(`${result.passed} passed, ${result.failed} failed`);
    process.exit(result.failed ? 1 : 0);
}

main().catch((error) => {
    console.log(`FAILED run: ${error.message}\n0 passed, 1 failed`);
    process.exit(1);
});
