// ui.js: the frontend as a person uses it: where things are, and how they are done. Every wait is for what is visible.
'use strict';

const assert = require('node:assert');

const STOP_ICON = 'path[d^="M2.25 12c0-5.385"]';

class Ui {
    constructor(page, watch, words) {
        this.page = page;
        this.watch = watch;
        this.words = words;
    }

    get sidebar() { return this.page.locator('#sidebar'); }
    get input() { return this.page.locator('#chat-input'); }
    get stopButton() { return this.page.locator(`#message-input-container button:has(${STOP_ICON})`); }
    get dialog() { return this.page.locator('.modal[role="dialog"]'); }
    // Messages in the order shown; the input field's id begins alike.
    get messages() { return this.page.locator('div[id^="message-"]:not(#message-input-container)'); }
    get answer() { return this.messages.last(); }
    get answerText() { return this.answer.locator('#response-content-container'); }

    // The words of the stub's answer, `to` and `from` included.
    text(from = 0, to = this.words - 1) {
        return Array.from({ length: to - from + 1 }, (_, i) => `word${from + i}`).join(' ');
    }

    async goto(path) {
        await this.watch.leave(() => this.page.goto(path));
    }

    async reload() {
        await this.watch.leave(() => this.page.reload());
    }

    // The frontend reads its lists several times after a change, and closes folders that were opened meanwhile.
    async quiet() {
        let last = Date.now();
        const note = () => { last = Date.now(); };
        this.page.on('request', note);
        while (Date.now() - last < 300)
            await this.page.waitForTimeout(50);
        this.page.off('request', note);
    }

    // The chat page is ready when the input can be used and the models are known.
    async ready() {
        await this.input.waitFor();
        await this.page.locator('#model-selector-0-button').waitFor();
        await this.openSidebar();
    }

    // A narrow bar shows until the sidebar is opened; the browser remembers it. Both are called #sidebar.
    async openSidebar() {
        const close = this.sidebar.getByRole('button', { name: 'Close Sidebar' });
        const open = this.page.getByRole('button', { name: 'Open Sidebar', exact: true });
        await close.or(open).first().waitFor();
        if (!await close.isVisible())
            await open.click();
        await close.waitFor();
    }

    async newChat() {
        await this.sidebar.locator('#sidebar-new-chat-button').click();
        await this.page.waitForURL((u) => u.pathname === '/');
        await this.page.getByText('Suggested', { exact: true }).waitFor();
        await this.ready();
    }

    async pickModel(name) {
        const selector = this.page.locator('#model-selector-0-button');
        if ((await selector.innerText()).trim() === name)
            return;
        await selector.click();
        const menu = this.page.getByRole('menu');
        await menu.getByRole('button', { name, exact: true }).click();
        await menu.waitFor({ state: 'detached' });
        await this.page.locator('#model-selector-0-button', { hasText: name }).waitFor();
    }

    async type(text) {
        await this.input.click();
        await this.page.keyboard.type(text);
        await this.page.locator('#send-message-button:enabled').waitFor();
    }

    // Sends text and waits until it is shown as a message of the user.
    async send(text) {
        await this.type(text);
        await this.page.locator('#send-message-button').click();
        await this.messages.filter({ hasText: text }).last().waitFor();
    }

    // The answer is whole, and the input is free for the next message.
    async answered() {
        await this.answerText.getByText(`word${this.words - 1}`).waitFor();
        await this.answer.getByRole('button', { name: 'Regenerate' }).waitFor();
        await this.stopButton.waitFor({ state: 'detached' });
        assert.equal(words(await this.answerText.innerText()), this.text(), 'the answer is not what the model said');
    }

    // A new chat with one question and its answer, titled; its id.
    async chat(question, model = 'stub-small') {
        await this.newChat();
        await this.pickModel(model);
        await this.send(question);
        await this.answered();
        const id = await this.chatId();
        await this.chatLink(id).filter({ hasText: 'Stub title' }).waitFor();
        return id;
    }

    async chatId() {
        await this.page.waitForURL(/\/c\/[0-9a-f-]{36}$/);
        return new URL(this.page.url()).pathname.slice(3);
    }

    chatLink(id) { return this.sidebar.locator(`a[href="/c/${id}"]`); }

    async chatMenu(id, item) {
        const row = this.sidebar.locator('#sidebar-chat-group', { has: this.page.locator(`a[href="/c/${id}"]`) });
        await row.hover();
        await row.getByRole('button', { name: 'Chat Menu' }).first().click();
        const entry = this.page.getByRole('menuitem', { name: item, exact: true });
        await entry.waitFor();
        return entry;
    }

    async userMenu(item) {
        await this.sidebar.getByRole('button', { name: 'Open User Profile Menu' }).click();
        await this.page.getByRole('menuitem', { name: item, exact: true }).click();
    }

    async toast(text) {
        await this.page.locator('[data-sonner-toast]', { hasText: text }).first().waitFor();
    }

    async closeDialog() {
        await this.page.keyboard.press('Escape');
        await this.dialog.waitFor({ state: 'detached' });
    }

    async signIn(user) {
        await this.page.locator('#email').fill(user.email);
        await this.page.locator('#password').fill(user.password);
        await this.page.getByRole('button', { name: 'Sign in', exact: true }).click();
    }

    async signUp(user, button) {
        await this.page.locator('#name').fill(user.name);
        await this.page.locator('#email').fill(user.email);
        await this.page.locator('#password').fill(user.password);
        await this.page.getByRole('button', { name: button, exact: true }).click();
    }

    async closeChangelog() {
        await this.page.getByRole('button', { name: "Okay, Let's Go!" }).click();
        await this.dialog.waitFor({ state: 'detached' });
    }
}

function words(text) {
    return text.trim().split(/\s+/).join(' ');
}

module.exports = { Ui, words };
