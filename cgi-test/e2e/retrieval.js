// retrieval.js: scenarios about documents, the web and memories: the administrator's pages for them, and what a person wants models to know.
'use strict';

const assert = require('node:assert');

// Saves the page of the panel; what it sends must be taken.
async function save(t, path) {
    const saved = t.page.waitForResponse((r) => new URL(r.url()).pathname === path);
    await t.page.getByRole('button', { name: 'Save', exact: true }).click();
    assert.equal((await saved).status(), 200);
    await t.ui.toast('Settings saved successfully!');
}

async function documents(t) {
    const size = t.page.getByPlaceholder('Enter Chunk Size');
    const topK = t.page.getByPlaceholder('Enter Top K', { exact: true });
    await t.ui.goto('/admin/settings/documents');
    await size.waitFor();
    assert.equal(await size.inputValue(), '1000');
    await size.fill('900');
    await topK.fill('5');
    await save(t, '/api/v1/retrieval/config/update');
    await t.ui.reload();
    await size.waitFor();
    assert.equal(await size.inputValue(), '900');
    assert.equal(await topK.inputValue(), '5');
    await t.shot('saved');
    await size.fill('1000');
    await topK.fill('3');
    await save(t, '/api/v1/retrieval/config/update');
}

async function webSearch(t) {
    const engine = t.page.locator('select').filter({ hasText: 'searxng' });
    const address = t.page.getByPlaceholder('Enter Searxng Query URL');
    await t.ui.goto('/admin/settings/web');
    await engine.waitFor();
    await engine.selectOption('searxng');
    await address.fill('http://127.0.0.1:1/search');
    await save(t, '/api/v1/retrieval/config/update');
    await t.ui.reload();
    await address.waitFor();
    assert.equal(await address.inputValue(), 'http://127.0.0.1:1/search');
    await t.shot('saved');
}

async function memories(t) {
    const field = t.page.getByPlaceholder('Enter a detail about yourself for your LLMs to recall');
    const line = (text) => t.page.locator('tr', { hasText: text });     // with a button to change and one to delete

    await t.ui.goto('/');
    await t.ui.ready();
    await t.ui.userMenu('Settings');
    await t.ui.dialog.getByText('Personalization').click();
    await t.page.getByRole('button', { name: 'Manage' }).click();
    await t.page.getByRole('button', { name: 'Add Memory' }).click();
    await field.fill('Likes lighthouses');
    await t.page.getByRole('button', { name: 'Add', exact: true }).click();
    await t.ui.toast('Memory added successfully');
    await t.shot('list');
    await line('Likes lighthouses').getByRole('button').first().click();
    await field.fill('Likes windmills');
    await t.page.getByRole('button', { name: 'Update', exact: true }).click();
    await t.ui.toast('Memory updated successfully');
    await line('Likes windmills').waitFor();
    assert.equal(await line('Likes lighthouses').count(), 0);
    await line('Likes windmills').getByRole('button').last().click();
    await t.ui.toast('Memory deleted successfully');
    await line('Likes windmills').waitFor({ state: 'detached' });
    await t.ui.reload();
    await t.ui.ready();
}

module.exports = { retrieval: { documents, 'web-search-settings': webSearch, memories } };
