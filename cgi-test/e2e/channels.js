// channels.js: scenarios about channels: two people talk; a model is asked.
'use strict';

const assert = require('node:assert');

const MEMBER = { name: 'Cleo Member', email: 'cleo@example.org', password: 'paper boat 3' };

// The buttons at a message, in their order; the first opens the emojis and has another one in it.
const EMOJI = 0, REPLY = 2, THREAD = 3, EDIT = 4, DELETE = 5;

// A channel's page, as somebody uses it.
class Room {
    constructor(ui) {
        this.ui = ui;
        this.page = ui.page;
    }

    // A message and the buttons that show when the mouse is over it. Both the frame and what is in it are called message-….
    message(text, where = this.page) { return where.locator('div.group[id^="message-"]', { hasText: text }); }

    async button(text, index, where) {
        const message = this.message(text, where).last();
        await message.hover();
        await message.locator('div.absolute').first().getByRole('button').nth(index).click();
    }

    get input() { return this.page.locator('#messages-container').locator('xpath=../..').locator('#chat-input').first(); }
    get thread() { return this.page.getByText('Thread', { exact: true }).locator('xpath=../..'); }

    async type(text, input = this.input) {
        await input.click();
        await this.page.keyboard.type(text, { delay: 5 });
    }

    async say(text) {
        await this.type(text);
        await this.page.keyboard.press('Enter');
        await this.message(text).waitFor();
    }
}

async function addMember(t) {
    const status = await t.page.evaluate(async (user) => {
        const r = await fetch('/api/v1/auths/add', { method: 'POST', body: JSON.stringify({ ...user, role: 'user', profile_image_url: '/user.png' }),
            headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${localStorage.token}` } });
        return r.status;
    }, MEMBER);
    assert.equal(status, 200, 'the member could not be added');
}

async function makeChannel(t, name) {
    const head = t.ui.sidebar.locator('#sidebar-folder-button', { hasText: 'Channels' });
    await head.hover();
    await head.getByRole('button').last().click();
    await t.ui.dialog.getByPlaceholder('new-channel').fill(name);
    await t.ui.dialog.locator('select#models').selectOption('public');
    await t.ui.dialog.getByRole('button', { name: 'Create', exact: true }).click();
    await t.ui.dialog.waitFor({ state: 'detached' });
    const link = t.ui.sidebar.locator('a[href^="/channels/"]', { hasText: name });
    await link.waitFor();
    await link.click();
    await t.page.waitForURL(/\/channels\/[0-9a-f-]{36}$/);
    await t.page.locator('#messages-container').waitFor();
}

async function deleteChannel(t, name) {
    const item = t.ui.sidebar.locator('.group', { has: t.page.locator('a[href^="/channels/"]', { hasText: name }) }).last();
    await item.hover();
    await item.getByRole('button').first().click();
    await t.ui.dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await t.page.getByText('Are you sure you want to delete this channel?').waitFor();
    await t.page.getByRole('button', { name: 'Delete', exact: true }).last().click();
    await t.ui.toast('Channel deleted successfully');
    await t.page.waitForURL((u) => u.pathname === '/');
    await t.ui.ready();
    assert.equal(await t.ui.sidebar.locator('a[href^="/channels/"]', { hasText: name }).count(), 0, 'the channel is still listed');
}

async function react(room, text, emoji) {
    await room.button(text, EMOJI);
    await room.page.getByPlaceholder('Search all emojis').fill(emoji);
    await room.page.locator(`img[alt="${emoji}"], img[src*="/emojis/"]`).last().waitFor();
    await room.page.locator('button:has(img[src*="/emojis/"])').last().click();
}

async function together(t) {
    await addMember(t);
    await makeChannel(t, 'harbour');
    const address = new URL(t.page.url()).pathname;
    const ada = new Room(t.ui);
    const cleoUi = await t.stranger();
    const cleo = new Room(cleoUi);

    await cleoUi.goto('/auth');
    await cleoUi.page.locator('#password').waitFor();
    await cleoUi.signIn(MEMBER);
    await cleoUi.ready();
    await cleoUi.sidebar.locator(`a[href="${address}"]`).click();
    await cleoUi.page.locator('#messages-container').waitFor();

    await ada.say('Ahoy, Cleo');
    await cleo.message('Ahoy, Cleo').waitFor();
    await cleo.type('Ahoy');
    await ada.page.getByText('is typing...').waitFor();
    await t.page.screenshot({ path: `${t.options.shots}/${t.label}-typing.png`, animations: 'disabled' });
    await cleo.page.keyboard.type(', Ada');
    await cleo.page.keyboard.press('Enter');
    await ada.message('Ahoy, Ada').waitFor();
    await ada.page.getByText('is typing...').waitFor({ state: 'detached' });

    await react(cleo, 'Ahoy, Cleo', 'anchor');
    await ada.message('Ahoy, Cleo').getByRole('button').filter({ hasText: '1' }).waitFor();
    await t.shot('reaction');
    await cleo.message('Ahoy, Cleo').getByRole('button').filter({ hasText: '1' }).click();
    await ada.message('Ahoy, Cleo').getByRole('button').filter({ hasText: '1' }).waitFor({ state: 'detached' });

    await cleo.button('Ahoy, Cleo', THREAD);
    await cleo.thread.waitFor();
    await cleo.type('A word in the thread', cleo.page.locator('#chat-input').last());
    await cleo.page.keyboard.press('Enter');
    await cleo.message('A word in the thread').waitFor();
    await ada.message('Ahoy, Cleo').getByText('1 Replies').waitFor();
    await ada.message('Ahoy, Cleo').getByText('1 Replies').click();
    await ada.message('A word in the thread').waitFor();
    await t.shot('thread');

    await ada.button('Ahoy, Ada', REPLY);
    await ada.say('What I answer');
    await cleo.message('What I answer').waitFor();

    await ada.button('What I answer', EDIT);
    const field = ada.page.locator('textarea').last();
    await field.fill('What I meant');
    await ada.page.locator('#confirm-edit-message-button').click();
    await cleo.message('What I meant').getByText('(edited)').waitFor();
    await ada.button('What I meant', DELETE);
    await ada.page.getByText('Are you sure you want to delete this message?').waitFor();
    await ada.page.getByRole('button', { name: 'Confirm', exact: true }).click();
    await cleo.message('What I meant').waitFor({ state: 'detached' });
    await ada.message('What I meant').waitFor({ state: 'detached' });

    // What was said is still there for who comes later.
    await cleoUi.reload();
    await cleo.message('Ahoy, Ada').waitFor();
    await cleo.message('Ahoy, Cleo').getByText('1 Replies').waitFor();
    await t.shot('later');
    await cleoUi.goto('/');
    await cleoUi.ready();
    await deleteChannel(t, 'harbour');
}

async function askModel(t) {
    await makeChannel(t, 'bots');
    const room = new Room(t.ui);

    await room.type('Hello @stub-sm');
    await t.page.locator('#suggestions-container').getByText('stub-small').first().waitFor();
    await t.page.keyboard.press('Enter');
    await room.type('what now?');
    await t.page.keyboard.press('Enter');
    await room.message('what now?').getByText('1 Replies').waitFor();
    await room.message('what now?').getByText('1 Replies').click();
    await room.message(t.ui.text()).waitFor();
    await room.message(t.ui.text()).getByText('stub-small', { exact: true }).waitFor();
    await t.shot('answered');
    await t.ui.goto('/');
    await t.ui.ready();
    await deleteChannel(t, 'bots');
}

module.exports = { channels: { 'channel': together, 'channel-model': askModel } };
