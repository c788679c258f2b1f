// watch.js: what goes wrong beneath the page: console errors, exceptions, failed requests, requests to other hosts.
'use strict';

// Hosts that this frontend asks whatever the server is, each with what for. Nothing is reached: run.js lets the browser
// find no host but the server's.
const BENIGN_HOSTS = {
    'img.shields.io': 'badges on the administrator\'s general settings',
};

class Watch {
    constructor(origin) {
        this.saving = new Set();     // requests under way that a page must not cut off
        this.origin = origin;
        this.faults = [];
        this.friends = [];      // other origins that a scenario goes to
        this.refusals = [];     // what the scenario expects to be refused: { method, path, status, seen }
        this.leaving = 0;       // pages being left: their open requests end with ERR_ABORTED
    }

    // One answer of `status` to METHOD /path is part of the scenario. `path` may be a regular expression.
    expect(method, path, status) {
        this.refusals.push({ method, path, status, seen: 0 });
    }

    // Requests to this origin are part of the scenarios from now on.
    friend(origin) {
        if (!this.friends.includes(origin))
            this.friends.push(origin);
    }

    // What page does until `act` has ended may cut requests off.
    async leave(act) {
        // A page that is left cuts off what it saves: that is the person's doing, so saves are waited for, as a person would.
        for (let i = 0; i < 100 && this.saving.size; i++)
            await new Promise((done) => setTimeout(done, 50));
        this.leaving++;
        try {
            return await act();
        } finally {
            this.leaving--;
        }
    }

    // The faults since the last call. An expected refusal that did not come is one of them.
    take() {
        const missing = this.refusals.filter((e) => !e.seen)
            .map((e) => `expected ${e.status} for ${e.method} ${e.path}, which did not come`);
        const out = this.faults.concat(missing);
        this.faults = [];
        this.refusals = [];
        return out;
    }

    attach(context) {
        context.on('console', (m) => this.console(m));
        context.on('weberror', (e) => this.faults.push(`exception: ${firstLine(e.error())}`));
        context.on('request', (r) => this.request(r));
        context.on('request', (r) => { if (!mayBeCut(r)) this.saving.add(r); });
        for (const end of ['requestfinished', 'requestfailed'])
            context.on(end, (r) => this.saving.delete(r));
        context.on('requestfailed', (r) => this.failed(r));
        context.on('response', (r) => this.response(r));
    }

    console(message) {
        if (message.type() !== 'error')
            return;
        const text = message.text();
        const url = message.location().url || '';
        // Chromium writes a line for each response of 400 and more: response() judges these.
        if (/^Failed to load resource: the server responded with a status of/.test(text))
            return;
        if (/ERR_NAME_NOT_RESOLVED/.test(text) && isBenignHost(url))
            return;
        this.faults.push(`console: ${text.slice(0, 300)} (${url})`);
    }

    request(request) {
        const url = request.url();
        if (/^(data|blob|about):/.test(url) || new URL(url).origin === this.origin || this.friends.includes(new URL(url).origin) || isBenignHost(url))
            return;
        this.faults.push(`request to another host: ${url}`);
    }

    failed(request) {
        const why = request.failure() ? request.failure().errorText : 'unknown';
        if (why === 'net::ERR_ABORTED' && this.leaving > 0 && (mayBeCut(request) || isSave(request)))
            return;
        if (why === 'net::ERR_NAME_NOT_RESOLVED' && isBenignHost(request.url()))
            return;
        this.faults.push(`failed: ${request.method()} ${request.url()}: ${why}`);
    }

    response(response) {
        if (response.status() < 400)
            return;
        const method = response.request().method();
        const path = new URL(response.url()).pathname;
        const want = this.refusals.find((e) => e.status === response.status() && e.method === method &&
            (e.path instanceof RegExp ? e.path.test(path) : e.path === path));
        if (want)
            want.seen++;
        else
            this.faults.push(`status ${response.status()}: ${method} ${path}`);
    }
}

// A page may be left while it reads, but not while it saves something.
// A chat's own save that began in the moment in which the page was left.
function isSave(request) {
    return request.method() === 'POST' && /^\/api\/v1\/chats\/[0-9a-f-]{36}$/.test(new URL(request.url()).pathname);
}

function mayBeCut(request) {
    return request.method() === 'GET' || new URL(request.url()).pathname.startsWith('/ws/');
}

function isBenignHost(url) {
    return URL.canParse(url) && new URL(url).hostname in BENIGN_HOSTS;
}

function firstLine(error) {
    return String((error && error.message) || error).split('\n')[0];
}

module.exports = { Watch, firstLine };
