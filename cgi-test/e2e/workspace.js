// workspace.js: scenarios about the workspace: models, prompts and tools are made, changed, used, shared and deleted.
'use strict';

const assert = require('node:assert');
const { words } = require('./ui');

const READER = { name: 'Rita Reader', email: 'rita@example.org', password: 'reading staple 4' };

const button = (t, name) => t.page.getByRole('button', { name, exact: true });

// `act` makes the page ask, and the answer is good.
async function asked(t, method, path, act) {
    const [response] = await Promise.all([t.page.waitForResponse((r) => r.request().method() === method &&
        (path instanceof RegExp ? path.test(new URL(r.url()).pathname) : new URL(r.url()).pathname === path)), act()]);
    assert.equal(response.status(), 200, `${method} ${path}`);
    return response.json();
}

async function open(t, path) {
    await t.ui.goto(path);
    await t.ui.openSidebar();
    await t.ui.quiet();
}

// Asks the server as the page does.
function api(page, method, path, body) {
    return page.evaluate(async ([m, p, b]) => {
        const r = await fetch(p, { method: m, body: b && JSON.stringify(b),
            headers: { authorization: `Bearer ${localStorage.token}`, 'content-type': 'application/json' } });
        return r.json();
    }, [method, path, body]);
}

// A user who is no administrator, at another computer.
async function reader(t) {
    const known = await api(t.page, 'GET', '/api/v1/users/search?query=rita@');
    if (!known.users.length)
        await api(t.page, 'POST', '/api/v1/auths/add', { ...READER, role: 'user', profile_image_url: '/user.png' });
    const other = await t.stranger();
    await other.goto('/auth');
    await other.page.locator('#password').waitFor();
    await other.signIn(READER);
    await other.page.waitForURL((u) => u.pathname === '/');
    await other.ready();
    return other;
}

async function confirm(t, name = 'Confirm') {
    await t.page.getByRole('button', { name, exact: true }).click();
}

async function rowMenu(t, row, item) {
    await row.locator('button[data-menu-trigger]').click();
    await t.page.getByRole('menuitem', { name: item, exact: true }).click();
}

async function models(t) {
    const row = t.page.locator('#model-item-harbour-master');

    await open(t, '/workspace/models/create');
    await t.page.getByPlaceholder('Model Name').fill('Harbour master');
    assert.equal(await t.page.getByPlaceholder('Model ID').inputValue(), 'harbour-master');
    await t.page.locator('select', { hasText: 'Select a base model' }).selectOption('stub-echo');
    await t.page.getByPlaceholder('Add a short description').fill('Knows the tides');
    await t.page.getByPlaceholder('Write your model system prompt').fill('You keep the harbour.');
    await t.shot('made');
    await asked(t, 'POST', '/api/v1/models/create', () => button(t, 'Save & Create').click());
    await t.ui.toast('Model created successfully!');
    await row.getByText('Knows the tides').waitFor();
    await row.locator('a[href^="/workspace/models/edit"]').click();
    await t.page.waitForURL(/\/workspace\/models\/edit/);
    await t.page.getByPlaceholder('Add a short description').fill('Knows all tides');
    await t.page.locator('select', { hasText: 'Private' }).selectOption('public');
    await asked(t, 'POST', '/api/v1/models/model/update', () => button(t, 'Save & Update').click());
    await row.getByText('Knows all tides').waitFor();
    await t.shot('list');

    const other = await reader(t);
    await other.newChat();
    await other.pickModel('Harbour master');
    await other.send('Is it high water?');
    await other.answerText.getByText('Is it high water?').waitFor();
    await other.answer.getByRole('button', { name: 'Regenerate' }).waitFor();
    assert.equal(words(await other.answerText.innerText()), 'Is it high water?');
    await t.shot('shared');

    await rowMenu(t, row, 'Delete');
    await t.page.getByText('Confirm your action').waitFor();
    await asked(t, 'DELETE', '/api/v1/models/model/delete', () => confirm(t));
    await row.waitFor({ state: 'detached' });
    await t.ui.quiet();
}

async function prompts(t) {
    const row = t.page.locator('div', { has: t.page.locator('> div > a[href^="/workspace/prompts/edit"]'), hasText: '/tide-table' }).last();

    await open(t, '/workspace/prompts/create');
    await t.page.getByPlaceholder('Title').fill('Tide table');
    assert.equal(await t.page.getByPlaceholder('Command').inputValue(), 'tide-table');
    await t.page.getByPlaceholder('Write a summary in 50 words').fill('Tell the tides.');
    await asked(t, 'POST', '/api/v1/prompts/create', () => button(t, 'Save & Create').click());
    await t.ui.toast('Prompt created successfully');
    await row.getByText('Tide table').click();
    await t.page.waitForURL(/\/workspace\/prompts\/edit/);
    await t.page.getByPlaceholder('Write a summary in 50 words').fill('Tell the tides of Hamburg.');
    await button(t, 'Access').click();
    await t.ui.dialog.locator('select').first().selectOption('public');
    await t.shot('access');
    await t.ui.closeDialog();
    await asked(t, 'POST', '/api/v1/prompts/command/tide-table/update', () => button(t, 'Save & Create').click());
    await row.waitFor();
    await t.shot('list');

    const other = await reader(t);
    await other.newChat();
    await other.input.click();
    await other.page.keyboard.type('/tide');
    await other.page.getByText('Tide table').waitFor();
    await t.shot('command');
    await other.page.keyboard.press('Enter');
    await other.input.getByText('Tell the tides of Hamburg.').waitFor();

    await rowMenu(t, row, 'Delete');
    await t.page.getByText('Delete prompt?').waitFor();
    await asked(t, 'DELETE', '/api/v1/prompts/command/tide-table/delete', () => confirm(t));
    await row.waitFor({ state: 'detached' });
    await t.ui.quiet();
}

const TOOL = `from pydantic import BaseModel, Field

class Tools:
    class Valves(BaseModel):
        harbour: str = Field(default="Hamburg", description="Whose tides")
        loud: bool = False

    def tides(self, day: str) -> str:
        """
        Tells the tides.
        :param day: When
        """
        return day
`;

// The editor is asked for its text as a person would give it: all is selected and replaced.
async function typeCode(t, code) {
    await t.page.locator('.cm-content').click();
    await t.page.keyboard.press('Control+A');
    await t.page.keyboard.insertText(code);
}

const rowOf = (t, kind, id) => t.page.locator('div', { has: t.page.locator(`> a[href^="/${kind}/edit"]`), hasText: id }).last();

// The values of a row's valves: the text one gets a value of its own.
async function setValve(t, kind, id, gear, name, value) {
    await gear.click();
    await t.ui.dialog.getByRole('button', { name: 'Default', exact: true }).first().click();
    await t.ui.dialog.getByPlaceholder(name).fill(value);
    await t.shot('valves');
    await asked(t, 'POST', `/api/v1/${kind}/id/${id}/valves/update`, () => t.ui.dialog.getByRole('button', { name: 'Save', exact: true }).click());
    await t.ui.toast('Valves updated successfully');
    await t.ui.closeDialog();
}

async function tools(t) {
    const row = rowOf(t, 'workspace/tools', 'tide_tool');

    await open(t, '/workspace/tools/create');
    await t.page.getByPlaceholder('Tool Name').fill('Tide tool');
    assert.equal(await t.page.getByPlaceholder('Tool ID').inputValue(), 'tide_tool');
    await t.page.getByPlaceholder('Tool Description').fill('Knows the tides');
    await typeCode(t, 'class Tools:\n    def tides(self');
    t.watch.expect('POST', '/api/v1/utils/code/format', 400);
    await button(t, 'Save').click();
    await confirm(t);
    await t.page.locator('[data-sonner-toast][data-type="error"]').waitFor();
    await typeCode(t, TOOL);
    await t.shot('editor');
    await button(t, 'Save').click();
    await asked(t, 'POST', '/api/v1/tools/create', () => confirm(t));
    await row.waitFor();
    await setValve(t, 'tools', 'tide_tool', row.getByRole('button').first(), 'Harbour', 'Bremen');
    await row.getByText('Tide tool').click();
    await t.page.waitForURL(/\/workspace\/tools\/edit/);
    await t.page.locator('.cm-content').getByText('Tells the tides.').waitFor();
    await button(t, 'Access').click();
    await t.ui.dialog.locator('select').first().selectOption('public');
    await t.ui.closeDialog();
    await asked(t, 'POST', '/api/v1/tools/id/tide_tool/update', () => button(t, 'Save').click());

    const other = await reader(t);
    await other.newChat();
    await other.page.locator('#message-input-container').getByRole('button').nth(1).click();
    await other.page.getByRole('button', { name: 'Tools 1' }).click();
    await other.page.getByText('Tide tool').waitFor();
    await t.shot('shared');

    await open(t, '/workspace/tools');
    await t.shot('list');
    await rowMenu(t, row, 'Delete');
    await t.page.getByText('Delete tool?').waitFor();
    await asked(t, 'DELETE', '/api/v1/tools/id/tide_tool/delete', () => confirm(t));
    await row.waitFor({ state: 'detached' });
    await t.ui.quiet();
}

module.exports = { asked, button, confirm, open, rowMenu, rowOf, setValve, typeCode,
    workspace: { 'workspace-models': models, 'workspace-prompts': prompts, 'workspace-tools': tools } };
