// sorting.js: scenarios about keeping chats in order: rename, pin, archive, share, folders, search.
'use strict';

const assert = require('node:assert');

async function rename(t) {
    const id = await t.ui.chat('Rename me');
    await (await t.ui.chatMenu(id, 'Rename')).click();
    const field = t.page.locator(`#chat-title-input-${id}`);
    await field.fill('Harbour lights');
    await field.press('Enter');
    await t.ui.chatLink(id).filter({ hasText: 'Harbour lights' }).waitFor();
    await t.ui.reload();
    await t.ui.ready();
    await t.ui.chatLink(id).filter({ hasText: 'Harbour lights' }).waitFor();
    await t.page.waitForFunction(() => document.title.startsWith('Harbour lights'));
}

async function pin(t) {
    const id = await t.ui.chat('Pin me');
    const pinned = t.ui.sidebar.getByRole('button', { name: 'Pinned', exact: true });
    const others = await pinned.count();
    await (await t.ui.chatMenu(id, 'Pin')).click();
    await pinned.waitFor();
    await t.ui.reload();
    await t.ui.ready();
    await pinned.waitFor();
    await t.ui.chatLink(id).waitFor();
    await t.shot('pinned');
    await (await t.ui.chatMenu(id, 'Unpin')).click();
    if (!others)
        await pinned.waitFor({ state: 'detached' });
    await t.ui.chatMenu(id, 'Pin');
    await t.page.keyboard.press('Escape');
}

async function archive(t) {
    const id = await t.ui.chat('Archive me');
    const row = t.ui.dialog.locator(`a[href="/c/${id}"]`);
    await (await t.ui.chatMenu(id, 'Archive')).click();
    await t.ui.chatLink(id).waitFor({ state: 'detached' });
    await t.ui.reload();
    await t.ui.ready();
    assert.equal(await t.ui.chatLink(id).count(), 0, 'the archived chat is still listed');
    await t.ui.userMenu('Archived Chats');
    await row.waitFor();
    await t.shot('archived');
    // Two buttons without a name stand in the row: unarchive, delete.
    await row.locator('xpath=..').getByRole('button').first().click();
    await row.waitFor({ state: 'detached' });
    await t.ui.closeDialog();
    await t.ui.chatLink(id).waitFor();
}

async function share(t) {
    const id = await t.ui.chat('Share me');
    await (await t.ui.chatMenu(id, 'Share')).click();
    await t.ui.dialog.locator('#copy-and-share-chat-button').click();
    await t.ui.toast('Copied shared chat URL to clipboard!');
    const link = await t.page.evaluate(() => navigator.clipboard.readText());
    assert.match(link, /\/s\/[0-9a-f-]{36}$/);
    await t.ui.goto(new URL(link).pathname);
    await t.page.getByText('Share me', { exact: true }).waitFor();
    await t.page.getByText(t.ui.text()).waitFor();
    await t.page.getByRole('button', { name: 'Clone Chat' }).waitFor();
    assert.equal(await t.ui.input.count(), 0, 'a shared chat is to be read');
    await t.shot('shared');
    await t.ui.goto(`/c/${id}`);
    await t.ui.ready();
}

async function folders(t) {
    const id = await t.ui.chat('Put me away');
    const head = t.ui.sidebar.locator('#sidebar-folder-button', { hasText: 'Folders' });
    const folder = t.ui.sidebar.locator('[id^="folder-"][id$="-button"]', { hasText: 'Lighthouses' });

    await head.hover();
    await head.getByRole('button').last().click();
    await t.ui.dialog.getByPlaceholder('Enter folder name').fill('Lighthouses');
    await t.ui.dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await folder.waitFor();
    await (await t.ui.chatMenu(id, 'Move')).hover();
    await t.page.getByRole('menuitem', { name: 'Lighthouses' }).click();
    await t.ui.toast('Chat moved successfully');
    await t.ui.chatLink(id).waitFor({ state: 'detached' });
    await t.ui.quiet();
    // That it is open is saved a moment later.
    await Promise.all([
        t.page.waitForResponse((r) => /^\/api\/v1\/folders\/[^/]+\/update\/expanded$/.test(new URL(r.url()).pathname)),
        folder.getByRole('button').first().click(),
    ]);
    await t.ui.chatLink(id).waitFor();
    await t.shot('moved');
    await t.ui.reload();
    await t.ui.ready();
    await t.ui.chatLink(id).waitFor();
    await folder.hover();
    await folder.getByRole('button').last().click();
    await t.page.getByRole('menuitem', { name: 'Delete', exact: true }).click();
    await t.page.getByText('Delete folder?').waitFor();
    await t.page.getByRole('button', { name: 'Confirm', exact: true }).click();
    await folder.waitFor({ state: 'detached' });
    await t.ui.chatLink(id).waitFor({ state: 'detached' });
    await t.ui.goto('/');
    await t.ui.ready();
    assert.equal(await folder.count(), 0, 'the folder came back');
    assert.equal(await t.ui.chatLink(id).count(), 0, 'what was in the folder came back');
}

async function search(t) {
    const id = await t.ui.chat('The periwinkle on the quay');
    const other = await t.ui.chat('Something else');
    const found = (chat) => t.ui.dialog.locator(`a[href="/c/${chat}"]`);

    await t.ui.sidebar.getByRole('button', { name: 'Search' }).click();
    await found(other).waitFor();
    await found(id).hover();
    await t.page.locator('#chat-preview').getByText('The periwinkle on the quay').waitFor();
    await t.shot('preview');
    await t.page.locator('#search-input').fill('periwinkle');
    await found(other).waitFor({ state: 'detached' });
    await found(id).waitFor();
    await t.page.locator('#search-input').fill('nothing-of-the-kind');
    await t.ui.dialog.getByText('No results found').waitFor();
    await t.page.locator('#search-input').fill('PERIWINKLE');
    await found(id).waitFor();
    await t.shot('found');
    await found(id).click();
    await t.page.waitForURL(`**/c/${id}`);
    await t.ui.dialog.waitFor({ state: 'detached' });
    await t.ui.messages.filter({ hasText: 'The periwinkle on the quay' }).waitFor();
}

module.exports = { sorting: { rename, pin, archive, share, folders, search } };
