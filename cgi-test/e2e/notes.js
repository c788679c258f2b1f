// notes.js: scenarios about notes: two people write in one at once, a third may only read it.
'use strict';

const assert = require('node:assert');

const WRITER = { name: 'Dora Writer', email: 'dora@example.org', password: 'sea chart 4' };
const READER = { name: 'Emil Reader', email: 'emil@example.org', password: 'tide table 5' };
const LINES = ['Morning watch: calm sea, light wind', 'Evening watch: two ships in sight'];

// As the frontend asks the API; for what has no page worth clicking through.
function api(page, method, path, body) {
    return page.evaluate(async ([m, p, b]) => {
        const r = await fetch(p, { method: m, body: b && JSON.stringify(b), headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${localStorage.token}` } });
        return { status: r.status, body: await r.json() };
    }, [method, path, body]);
}

async function made(page, path, body) {
    const r = await api(page, 'POST', path, body);
    assert.equal(r.status, 200, `${path}: ${JSON.stringify(r.body)}`);
    return r.body;
}

async function addGroup(page, name, user) {
    const { id: userId } = await made(page, '/api/v1/auths/add', { ...user, role: 'user', profile_image_url: '/user.png' });
    const { id } = await made(page, '/api/v1/groups/create', { name, description: '' });
    await made(page, `/api/v1/groups/id/${id}/update`, { name, description: '', user_ids: [userId] });
}

// A note's page, as somebody uses it.
class Sheet {
    constructor(ui) {
        this.ui = ui;
        this.page = ui.page;
    }

    get text() { return this.page.locator('#note-content-container .ProseMirror'); }
    get title() { return this.page.locator('#note-editor input[placeholder="Title"]'); }

    async open(path) {
        await this.ui.goto(path);
        await this.text.waitFor();
    }

    async says(words) {
        await this.text.getByText(words).first().waitFor();
    }

    // The lines that are not empty. Other people's cursors stand in the text, with their names.
    async lines() {
        const lines = await this.text.evaluate((node) => [...node.children].map((line) => {
            const copy = line.cloneNode(true);
            copy.querySelectorAll('.ProseMirror-yjs-cursor').forEach((cursor) => cursor.remove());
            return copy.textContent.replace(/\u2060/g, '');
        }));
        return lines.filter(Boolean);
    }

    async until(want) {
        const end = Date.now() + 10000;
        let got;
        do {
            got = await this.lines();
            if (JSON.stringify(got) === JSON.stringify(want))
                return;
            await this.page.waitForTimeout(100);
        } while (Date.now() < end);
        assert.deepEqual(got, want);
    }

    // Behind the end of the line. The editor takes the place of the mouse a little later, and not at all when somebody else writes just then.
    async place(line) {
        const at = this.text.locator('p', { hasText: line }).first();
        const there = () => at.evaluate((p) => p.contains(getSelection().anchorNode));
        do {
            await at.click();
            await this.page.keyboard.press('End');
            await this.page.waitForTimeout(200);
        } while (!await there());
    }

    type(text) {
        return this.page.keyboard.type(text, { delay: 20 });
    }

    async write(line, text) {
        await this.place(line);
        await this.type(text);
    }
}

async function share(t, group, toWrite) {
    const row = t.ui.dialog.locator('div.flex.items-center.gap-3', { hasText: group });
    await t.ui.dialog.locator('select').last().selectOption({ label: group });
    await row.waitFor();
    if (toWrite) {
        await row.getByRole('button').first().click();
        await row.getByText('Write', { exact: true }).waitFor();
    }
}

async function enterAs(t, user) {
    const ui = await t.stranger();
    await ui.goto('/auth');
    await ui.page.locator('#password').waitFor();
    await ui.signIn(user);
    await ui.ready();
    return ui;
}

async function savedText(page, id) {
    return (await api(page, 'GET', `/api/v1/notes/${id}`)).body.data.content.md.trim();
}

async function untilSaved(page, id, test) {
    const end = Date.now() + 8000;
    while (!test(await savedText(page, id))) {
        assert.ok(Date.now() < end, `saved is only: ${await savedText(page, id)}`);
        await page.waitForTimeout(100);
    }
}

async function together(t) {
    const ada = new Sheet(t.ui);
    await addGroup(t.page, 'writers', WRITER);
    await addGroup(t.page, 'readers', READER);

    await t.ui.goto('/notes');
    await t.page.getByText('No Notes').waitFor();
    await t.page.locator('button.rounded-full:has(svg)').last().click();
    await t.page.waitForURL(/\/notes\/[0-9a-f-]{36}$/);
    const path = new URL(t.page.url()).pathname;
    const id = path.slice('/notes/'.length);
    await ada.title.fill('Logbook');
    await ada.text.click();
    await t.page.keyboard.type('Morning watch', { delay: 10 });
    await t.page.keyboard.press('Enter');
    await t.page.keyboard.type('Evening watch', { delay: 10 });
    await untilSaved(t.page, id, (text) => text.includes('Evening watch'));

    await t.page.getByRole('button', { name: 'Private', exact: true }).click();
    await t.ui.dialog.getByText('Access Control').waitFor();
    await share(t, 'writers', true);
    await share(t, 'readers', false);
    await t.shot('access');
    await t.ui.quiet();
    await t.ui.closeDialog();

    // Two browsers, both at once.
    const doraUi = await enterAs(t, WRITER);
    const dora = new Sheet(doraUi);
    await dora.open(path);
    await dora.until(['Morning watch', 'Evening watch']);
    await ada.place('Morning watch');
    await dora.place('Evening watch');
    await Promise.all([ada.type(': calm sea, light wind'), dora.type(': two ships in sight')]);
    const both = LINES;
    await ada.until(both);
    await dora.until(both);
    await t.page.screenshot({ path: `${t.options.shots}/${t.label}-ada.png`, animations: 'disabled' });
    await t.shot('dora');
    await untilSaved(t.page, id, (text) => both.every((line) => text.includes(line)));

    // What is undone is the person's own.
    await t.page.keyboard.press('Control+z');
    await dora.says('two ships in sight');
    await t.page.keyboard.press('Control+y');
    await Promise.all([ada.until(both), dora.until(both)]);
    for (const sheet of [ada, dora]) {
        await sheet.ui.reload();
        await sheet.until(both);
    }
    assert.equal(await ada.title.inputValue(), 'Logbook');
    await doraUi.goto('/notes');
    await doraUi.page.getByText('Logbook').waitFor();
}

// The note that "together" leaves; made anew when a scenario is run alone.
async function noteOf(t) {
    const { body: [note] } = await api(t.page, 'GET', '/api/v1/notes/');
    if (note)
        return note.id;
    await addGroup(t.page, 'writers', WRITER);
    await addGroup(t.page, 'readers', READER);
    const { body: groups } = await api(t.page, 'GET', '/api/v1/groups/');
    const ids = (...names) => groups.filter((g) => names.includes(g.name)).map((g) => g.id);
    const json = { type: 'doc', content: LINES.map((text) => ({ type: 'paragraph', content: [{ type: 'text', text }] })) };
    return (await made(t.page, '/api/v1/notes/create', { title: 'Logbook', data: { content: { json, html: '', md: LINES.join('\n\n') } },
        access_control: { read: { group_ids: ids('readers', 'writers'), user_ids: [] }, write: { group_ids: ids('writers'), user_ids: [] } } })).id;
}

// Emil sees it grow, and what he types stays nobody's.
async function readOnly(t) {
    await t.ui.goto('/');
    await t.ui.ready();
    const id = await noteOf(t);
    const ada = new Sheet(t.ui);
    await ada.open(`/notes/${id}`);
    const emilUi = await enterAs(t, READER);
    const emil = new Sheet(emilUi);
    await emil.open(`/notes/${id}`);
    await emil.until(LINES);
    await emil.write('two ships', ' NO');
    await emil.until(LINES);
    await ada.write('calm sea', ', no rain');
    const more = [`${LINES[0]}, no rain`, LINES[1]];
    await Promise.all([ada.until(more), emil.until(more)]);
    await t.shot('emil');
    await untilSaved(t.page, id, (text) => more.every((line) => text.includes(line)));
    assert.ok(!(await savedText(t.page, id)).includes('NO'), 'a reader has written');
    await emilUi.reload();
    await emil.until(more);
    for (let i = 0; i < ', no rain'.length; i++)
        await t.page.keyboard.press('Backspace');
    await Promise.all([ada.until(LINES), emil.until(LINES)]);
    await untilSaved(t.page, id, (text) => !text.includes('rain'));
    await emilUi.goto('/notes');
    await emilUi.page.getByText('No Notes').waitFor();      // listed is what one may write
}

// The reader is there first: the writer finds the note's text all the same, and both have it once.
async function readerFirst(t) {
    await t.ui.goto('/');
    await t.ui.ready();
    const id = await noteOf(t);
    const emil = new Sheet(await enterAs(t, READER));
    await emil.open(`/notes/${id}`);
    await emil.until(LINES);
    const ada = new Sheet(t.ui);
    await ada.open(`/notes/${id}`);
    await ada.until(LINES);
    await emil.until(LINES);
    await ada.write('calm sea', '!');
    await ada.until([`${LINES[0]}!`, LINES[1]]);
    await emil.until([`${LINES[0]}!`, LINES[1]]);
    await t.shot('emil');
    await untilSaved(t.page, id, (text) => text.includes('light wind!') && text.includes('two ships in sight'));
}

async function remove(t) {
    const ada = new Sheet(t.ui);
    await noteOf(t);
    await t.ui.goto('/notes');
    await t.page.getByText('Logbook').first().click();
    await t.page.waitForURL(/\/notes\/[0-9a-f-]{36}$/);
    await ada.text.waitFor();
    await t.page.locator('#note-editor button[data-menu-trigger]').last().click();
    await t.page.getByRole('menuitem', { name: 'Delete', exact: true }).click();
    await t.page.getByText('Delete note?').waitFor();
    await t.page.getByRole('button', { name: 'Confirm', exact: true }).click();
    await t.page.waitForURL((u) => u.pathname === '/notes');
    await t.page.getByText('No Notes').waitFor();
    await t.ui.goto('/');
    await t.ui.ready();
}

module.exports = { notes: { 'notes-together': together, 'notes-read-only': readOnly, 'notes-reader-first': readerFirst, 'notes-delete': remove } };
