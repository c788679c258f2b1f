// tools.js: scenarios about what happens around an answer: a tool that the model calls, Python that the browser runs, two models at once.
'use strict';

const assert = require('node:assert');
const { words } = require('./ui');

// A request with the session of the page.
function api(t, method, path, body) {
    return t.page.evaluate(async ([m, p, b]) => {
        const r = await fetch(p, { method: m, body: b && JSON.stringify(b),
            headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${localStorage.token}` } });
        return { status: r.status, body: await r.json().catch(() => null) };
    }, [method, path, body]);
}

async function expect(t, method, path, body) {
    const r = await api(t, method, path, body);
    assert.equal(r.status, 200, `${method} ${path}: ${r.status} ${JSON.stringify(r.body)}`);
    return r.body;
}

async function override(t, id, meta, params = {}) {
    await expect(t, 'POST', '/api/v1/models/create', { id, name: id, base_model_id: null, params, access_control: null,
        meta: { description: '', capabilities: { code_interpreter: true }, ...meta } });
    await t.ui.reload();
    await t.ui.ready();
}

async function undo(t, id) {
    await t.ui.quiet();
    await expect(t, 'DELETE', `/api/v1/models/model/delete?id=${encodeURIComponent(id)}`);
    await t.ui.reload();
    await t.ui.ready();
}

async function toolCall(t) {
    const stub = (await expect(t, 'GET', '/openai/config')).OPENAI_API_BASE_URLS[0].replace(/\/v1$/, '');
    await expect(t, 'POST', '/api/v1/configs/tool_servers', { TOOL_SERVER_CONNECTIONS: [{ url: `${stub}/tool`, path: 'openapi.json',
        type: 'openapi', auth_type: 'none', key: '', config: { enable: true, access_control: null }, info: { id: 'weather', name: 'Weather', description: '' } }] });
    await override(t, 'stub-tools', { toolIds: ['server:weather'] }, { function_calling: 'native' });
    await t.ui.newChat();
    await t.ui.pickModel('stub-tools');
    await t.ui.send('What is the weather?');
    const head = t.ui.answerText.getByText('View Result from get_weather');
    await head.waitFor();
    await t.ui.answerText.getByText(`word${t.ui.words - 1}`).waitFor();
    await head.click();
    await t.ui.answerText.getByText('sunny').waitFor();
    await t.shot('result');
    await t.ui.quiet();
    await t.ui.reload();
    await t.ui.ready();
    await t.ui.answerText.getByText('View Result from get_weather').click();
    await t.ui.answerText.getByText('sunny').waitFor();
    await undo(t, 'stub-tools');
    await expect(t, 'POST', '/api/v1/configs/tool_servers', { TOOL_SERVER_CONNECTIONS: [] });
}

async function browserPython(t) {
    await override(t, 'stub-code', { defaultFeatureIds: ['code_interpreter'] });
    await t.ui.newChat();
    await t.ui.pickModel('stub-code');
    await t.ui.send('Compute it');
    const head = t.ui.answerText.getByText('Analyzed');
    await head.waitFor();
    await t.ui.answerText.getByText(`word${t.ui.words - 1}`).waitFor();
    await head.click();
    await t.ui.answerText.getByText('print(6 * 7)').first().waitFor();
    await t.ui.answerText.getByText('42').first().waitFor();
    await t.shot('output');
    await undo(t, 'stub-code');
}

async function twoModels(t) {
    await t.ui.newChat();
    await t.ui.pickModel('stub-small');
    await t.page.getByRole('button', { name: 'Add Model' }).click();
    await t.page.locator('#model-selector-1-button').click();
    const menu = t.page.getByRole('menu');
    await menu.getByRole('button', { name: 'stub-large', exact: true }).click();
    await menu.waitFor({ state: 'detached' });
    await t.ui.send('Both of you');
    const answers = t.page.locator('[id^="response-content-container"]');
    await t.page.waitForFunction(([n, last]) => [...document.querySelectorAll('#response-content-container')].filter((e) => e.innerText.includes(last)).length === n,
        [2, `word${t.ui.words - 1}`]);
    for (const text of await answers.allInnerTexts())
        assert.equal(words(text), t.ui.text());
    await t.page.getByText('stub-small', { exact: true }).first().waitFor();
    await t.page.getByText('stub-large', { exact: true }).first().waitFor();
    await t.shot('both');
    await t.ui.quiet();     // each answer has its title, tags and saves behind it
    await t.ui.reload();
    await t.ui.ready();
    await t.page.waitForFunction(([n, last]) => [...document.querySelectorAll('#response-content-container')].filter((e) => e.innerText.includes(last)).length === n,
        [2, `word${t.ui.words - 1}`]);
    await t.ui.quiet();
}

async function attachedFile(t) {
    await t.ui.newChat();
    await t.ui.pickModel('stub-small');
    await t.page.locator('input[type="file"]').first().setInputFiles({ name: 'light.txt', mimeType: 'text/plain',
        buffer: Buffer.from('The lighthouse keeper counts seven ships.') });
    const row = t.page.locator('#message-input-container').getByText('light.txt').first();
    await row.waitFor();
    await t.page.waitForFunction(() => !document.querySelector('#message-input-container [class*="spinner"], #message-input-container .animate-spin'));
    await t.ui.send('How many ships does the keeper count?');
    await t.ui.answer.getByText('Retrieved 1 source').waitFor();
    await t.ui.answerText.getByText(`word${t.ui.words - 1}`).waitFor();
    await t.ui.answer.getByRole('button', { name: 'Regenerate' }).waitFor();
    await t.ui.messages.filter({ hasText: 'light.txt' }).first().waitFor();
    const sources = t.ui.answer.getByRole('button', { name: /1 Source/ });
    await sources.click();
    await t.ui.answer.getByText('light.txt').first().click();
    await t.ui.dialog.getByText('The lighthouse keeper counts seven ships.').waitFor();
    await t.shot('source');
    await t.ui.closeDialog();
    await t.ui.quiet();
    await t.ui.reload();
    await t.ui.ready();
    await t.ui.answer.getByRole('button', { name: /1 Source/ }).waitFor();
}

module.exports = { tools: { 'tool-call': toolCall, 'browser-python': browserPython, 'two-models': twoModels, 'attached-file': attachedFile } };
