#!/usr/bin/env node
// run.js: the frontend in a real Chromium against a fresh server.
//
//   node run.js --url http://127.0.0.1:PORT --shots DIR [--only NAME] [--words N] [--limit SECONDS] [--idp URL]
//
// The server has no users yet, takes sign-ups as "user", and has the stub provider behind it; N is the stub's CHUNKS (20).
// URL is the fake identity provider (cgi-test/http/fake_idp.py) that the server knows as "Fake".
// CHROMIUM names another browser than /usr/bin/chromium. Needs ./setup.sh once.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { chromium } = require('playwright-core');
const { Ui } = require('./ui');
const { Watch, firstLine } = require('./watch');
const accounts = require('./accounts');
const { talking, leaving } = require('./talking');
const { sorting } = require('./sorting');
const { workspace } = require('./workspace');
const { administration } = require('./administration');
const { channels } = require('./channels');
const { tools } = require('./tools');
const { identity } = require('./identity');
const { retrieval } = require('./retrieval');
const { notes } = require('./notes');
const { knowledge } = require('./knowledge');
const { media } = require('./media');

const SCENARIOS = { ...accounts.first, ...talking, ...sorting, ...workspace, ...administration, ...channels, ...tools, ...notes, ...knowledge, ...retrieval, ...media, ...identity,
    ...leaving, ...accounts.last };
const STEP_MS = 15000;          // the longest wait for one thing to be seen
const SCENARIO_MS = 60000;
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-quic',
    '--no-first-run', '--disable-component-update', '--disable-sync'];

class Tester {
    constructor(browser, options) {
        this.browser = browser;
        this.options = options;
        this.watch = new Watch(options.url);
        this.strangers = [];
        this.label = '';
    }

    async context() {
        const context = await this.browser.newContext({ baseURL: this.options.url, viewport: { width: 1280, height: 800 },
            locale: 'en-US', timezoneId: 'UTC', colorScheme: 'light', permissions: ['clipboard-read', 'clipboard-write'] });
        context.setDefaultTimeout(STEP_MS);
        this.watch.attach(context);
        return context;
    }

    async start() {
        this.home = await this.context();
        await this.replacePage();
    }

    // The tab is closed and another one opened; the browser stays, and with it the session.
    async replacePage() {
        const old = this.page;
        this.page = await this.home.newPage();
        this.ui = new Ui(this.page, this.watch, this.options.words);
        this.shown = this.page;
        if (old)
            await this.watch.leave(() => old.close());
    }

    // Somebody else at another computer. Screenshots show this one's page until the scenario ends.
    async stranger() {
        const context = await this.context();
        this.strangers.push(context);
        this.shown = await context.newPage();
        return new Ui(this.shown, this.watch, this.options.words);
    }

    async shot(suffix) {
        const name = suffix ? `${this.label}-${suffix}.png` : `${this.label}.png`;
        await this.shown.screenshot({ path: path.join(this.options.shots, name), animations: 'disabled' });
    }

    async endScenario() {
        for (const context of this.strangers.splice(0))
            await this.watch.leave(() => context.close());
        this.shown = this.page;
    }

    // What the earlier scenarios would have left behind: the administrator, signed in, at the first page.
    async enter() {
        await this.ui.goto('/');
        const start = this.page.getByRole('button', { name: 'Get started' });
        const form = this.page.getByRole('button', { name: 'Sign in', exact: true });
        await start.or(form).or(this.ui.input).first().waitFor();
        if (await start.isVisible()) {
            await start.click();
            await this.ui.signUp(accounts.ADMIN, 'Create Admin Account');
            await this.ui.closeChangelog();
        } else if (await form.isVisible()) {
            await this.ui.signIn(accounts.ADMIN);
        }
        await this.ui.ready();
    }
}

function readOptions() {
    const { values } = parseArgs({ options: { url: { type: 'string' }, shots: { type: 'string' }, only: { type: 'string' },
        words: { type: 'string', default: '20' }, limit: { type: 'string', default: '600' }, idp: { type: 'string' } } });
    if (!values.url || !values.shots || (values.only && !SCENARIOS[values.only])) {
        console.error('usage: node run.js --url URL --shots DIR [--only NAME] [--words N] [--limit SECONDS]');
        console.error(`scenarios: ${Object.keys(SCENARIOS).join(' ')}`);
        process.exit(2);
    }
    fs.mkdirSync(values.shots, { recursive: true });
    return { ...values, url: new URL(values.url).origin, words: Number(values.words), limit: Number(values.limit) };
}

// Alone, a scenario begins where its predecessors would have led.
async function prepare(t, name) {
    const start = Object.keys(accounts.first);
    if (!start.includes(name))
        return t.enter();
    for (const earlier of start.slice(0, start.indexOf(name)))
        await SCENARIOS[earlier](t);
}

function within(ms, promise, what) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms / 1000} s`)), ms);
    });
    promise.catch(() => {});
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// What was waited for, and the line of the scenario that did.
function explain(error) {
    const plain = error.message.replace(/\x1b\[\d+m/g, '').split('\n').map((l) => l.trim()).filter(Boolean);
    const at = /\b(accounts|administration|talking|sorting|workspace|channels|tools|retrieval|notes|knowledge|identity|media)\.js:\d+/.exec(error.stack || '');
    return plain.slice(0, 6).join(' | ') + (at ? ` (${at[0]})` : '');
}

// The reason for the failure, or nothing.
async function runOne(t, run) {
    let reason = '';
    try {
        await within(SCENARIO_MS, run(t), 'the scenario');
    } catch (error) {
        reason = explain(error);
    }
    await t.shot(reason ? 'FAILED' : '').catch((error) => { reason = reason || `no screenshot: ${firstLine(error)}`; });
    await t.endScenario();
    const faults = t.watch.take();
    if (faults.length)
        reason = [reason, ...faults].filter(Boolean).join('; ');
    return reason;
}

// A user-data dir of its own, which goes away with the browser; only the server's name can be resolved.
function launch(options) {
    return chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', headless: true,
        handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false,
        args: [...FLAGS, `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${new URL(options.url).hostname}`] });
}

// Rejects when the run has to end early.
function interrupted(limit_s) {
    return new Promise((_, reject) => {
        setTimeout(() => reject(new Error(`the run took longer than ${limit_s} s`)), limit_s * 1000).unref();
        for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
            process.once(signal, () => reject(new Error(`ended by ${signal}`)));
    });
}

async function runAll(browser, options, result) {
    const names = Object.keys(SCENARIOS);
    const t = new Tester(browser, options);

    await t.start();
    for (const name of options.only ? [options.only] : names) {
        t.label = `${String(names.indexOf(name) + 1).padStart(2, '0')}-${name}`;
        const began = Date.now();
        const reason = await runOne(t, async () => {
            if (options.only)
                await prepare(t, name);
            await SCENARIOS[name](t);
        });
        if (result.ended)
            return;
        if (reason)
            result.failed++;
        else
            result.passed++;
        console.log(reason ? `FAIL ${name}: ${reason}` : `ok ${name}`);
        if (process.env.TIMES)
            console.error(`   ${Date.now() - began} ms`);
        if (reason && !options.only)
            await startOver(t);
    }
}

// After a failure the next scenario finds a new tab and somebody signed in, as far as that is possible.
async function startOver(t) {
    await t.replacePage();
    await within(SCENARIO_MS, t.enter(), 'starting over').catch(() => {});
    t.watch.take();
}

async function main() {
    const options = readOptions();
    const result = { passed: 0, failed: 0, ended: false };
    const early = interrupted(options.limit);
    let browser;

    early.catch(() => {});
    try {
        await fetch(`${options.url}/health`, { signal: AbortSignal.timeout(STEP_MS) }).catch((error) => {
            throw new Error(`no server at ${options.url}: ${firstLine(error.cause || error)}`);
        });
        browser = await launch(options);
        await Promise.race([runAll(browser, options, result), early]);
    } catch (error) {
        result.failed++;
        console.log(`FAIL run: ${firstLine(error)}`);
    }
    result.ended = true;
    if (browser)
        await within(10000, browser.close(), 'closing Chromium').catch(() => {});
    console.log(`${result.passed} passed, ${result.failed} failed`);
    process.exit(result.failed ? 1 : 0);
}

main();
