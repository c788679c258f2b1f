// knowledge.js: a scenario about the workspace's knowledge: made, filled, shared, read by somebody else, emptied, deleted.
'use strict';

const assert = require('node:assert');

const READER = { name: 'Kim Reader', email: 'kim@example.org', password: 'lamp oil 27' };
const FILES = [
    { name: 'tides.txt', mimeType: 'text/plain', buffer: Buffer.from('Amber tides rise at noon.') },
    { name: 'bells.md', mimeType: 'text/markdown', buffer: Buffer.from('# Bells\n\nCopper bells ring twice.\n') },
];

async function call(t, method, path, body) {
    return t.page.evaluate(async ([how, where, form]) => {
        const r = await fetch(where, { method: how, body: form && JSON.stringify(form),
            headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${localStorage.token}` } });
        return { status: r.status, body: await r.json() };
    }, [method, path, body]);
}

async function make(t) {
    await t.ui.goto('/workspace/knowledge');
    await t.page.getByRole('button', { name: 'Create Knowledge' }).click();
    await t.page.getByPlaceholder('Name your knowledge base').fill('Harbour');
    await t.page.getByPlaceholder('Describe your knowledge base and objectives').fill('About tides and bells');
    await t.page.getByRole('button', { name: 'Create Knowledge', exact: true }).click();
    await t.ui.toast('Knowledge created successfully.');
    await t.page.waitForURL(/\/workspace\/knowledge\/[0-9a-f-]{36}$/);
    return new URL(t.page.url()).pathname.split('/').pop();
}

function fileRow(t, name) {
    return t.page.locator('button', { hasText: name }).first();
}

async function fill(t) {
    for (const file of FILES) {
        await t.page.locator('#files-input').setInputFiles(file);
        await t.ui.toast('File added successfully.');
        await fileRow(t, file.name).waitFor();
    }
    await t.shot('filled');
    await fileRow(t, 'bells.md').click();
    await t.page.waitForFunction(() => [...document.querySelectorAll('textarea')].some((x) => x.value.includes('Copper bells ring twice.')));
    await t.shot('text');
}

// Everybody may read it, from its Access button.
async function share(t) {
    await t.page.getByRole('button', { name: 'Access', exact: true }).click();
    await t.ui.dialog.locator('select').first().selectOption('public');
    await t.ui.closeDialog();
    await t.ui.toast('Knowledge updated successfully');
}

// Somebody else finds it behind a # in his message.
async function findIt(t) {
    const other = await t.stranger();
    await other.goto('/auth');
    await other.signIn(READER);
    await other.ready();
    await other.input.click();
    await other.page.keyboard.type('#Harb', { delay: 30 });
    await other.page.getByRole('button', { name: /Harbour/ }).first().waitFor();
    await t.shot('found');
}

async function takeOut(t, name) {
    const row = fileRow(t, name);
    await row.hover();
    await row.locator('xpath=..').getByRole('button').last().click();
    await t.ui.toast('File removed successfully.');
    await row.waitFor({ state: 'detached' });
}

async function remove(t, id) {
    await t.ui.goto('/workspace/knowledge');
    await t.page.getByText('Harbour', { exact: true }).waitFor();
    const card = t.page.locator('button', { hasText: 'About tides and bells' }).first();
    await card.locator('button').last().click();
    await t.page.getByRole('menuitem', { name: 'Delete', exact: true }).click();
    await t.page.getByRole('button', { name: 'Confirm', exact: true }).click();
    await t.ui.toast('Knowledge deleted successfully.');
    // The last of a list stays on this page of the frontend until it is opened again.
    await t.ui.reload();
    await t.page.getByRole('button', { name: 'Create Knowledge' }).waitFor();
    await t.ui.quiet();
    assert.equal(await t.page.getByText('About tides and bells').count(), 0, 'it is still listed');
    assert.equal((await call(t, 'GET', '/api/v1/knowledge/')).body.some((k) => k.id === id), false, 'it is still there');
}

async function knowledge(t) {
    const added = await call(t, 'POST', '/api/v1/auths/add', { ...READER, role: 'user', profile_image_url: '/user.png' });
    assert.equal(added.status, 200, 'the reader could not be added');
    const id = await make(t);
    await fill(t);
    await share(t);
    await findIt(t);
    await takeOut(t, 'bells.md');
    const left = (await call(t, 'GET', `/api/v1/knowledge/${id}`)).body.files;
    assert.deepEqual(left.map((f) => f.meta.name), ['tides.txt']);
    await remove(t, id);
    await t.ui.goto('/');
    await t.ui.ready();
}

module.exports = { knowledge: { knowledge } };
