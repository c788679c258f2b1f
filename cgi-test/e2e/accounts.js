// accounts.js: scenarios about people: the first visit, signing up, in and out, settings, a second user.
'use strict';

const assert = require('node:assert');

const ADMIN = { name: 'Ada Admin', email: 'ada@example.org', password: 'correct horse 1' };
const SECOND = { name: 'Ben Second', email: 'ben@example.org', password: 'battery staple 2' };

async function onboarding(t) {
    await t.ui.goto('/');
    await t.page.waitForURL(/\/auth/);
    await t.page.getByText('wherever you are').waitFor();
    await t.page.getByRole('button', { name: 'Get started' }).waitFor();
}

async function signUp(t) {
    await t.page.getByRole('button', { name: 'Get started' }).click();
    await t.page.getByText('Get started with Open WebUI').waitFor();
    await t.ui.signUp(ADMIN, 'Create Admin Account');
    await t.ui.toast("You're now logged in.");
    await t.page.waitForURL((u) => u.pathname === '/');
    await t.page.getByText("What's New in").waitFor();
}

async function changelog(t) {
    await t.ui.dialog.getByText('Release Notes').waitFor();
    await t.ui.dialog.getByText(/^v\d+\.\d+\.\d+/).first().waitFor();
    await t.shot('open');
    await t.ui.closeChangelog();
    await t.ui.ready();
    // Closed once means closed for good.
    await t.ui.reload();
    await t.ui.ready();
    await t.page.getByText('Suggested', { exact: true }).waitFor();
    assert.equal(await t.ui.dialog.count(), 0, 'the changelog came back');
    // The first user is the administrator.
    await t.ui.sidebar.getByRole('button', { name: 'Open User Profile Menu' }).click();
    await t.page.getByRole('menuitem', { name: 'Admin Panel' }).waitFor();
    await t.page.keyboard.press('Escape');
    await t.page.getByRole('menu').waitFor({ state: 'detached' });
}

async function settings(t) {
    const prompt = 'Answer like a lighthouse keeper.';
    const theme = () => t.ui.dialog.locator('select').first();
    const dark = () => t.page.evaluate(() => document.documentElement.classList.contains('dark'));

    // "Saved" is shown before it is true.
    const save = () => Promise.all([
        t.page.waitForResponse((r) => new URL(r.url()).pathname === '/api/v1/users/user/settings/update'),
        t.ui.dialog.getByRole('button', { name: 'Save', exact: true }).click(),
    ]);

    await t.ui.newChat();
    await t.ui.userMenu('Settings');
    await t.ui.dialog.getByText('WebUI Settings').waitFor();
    await theme().selectOption('dark');
    await t.ui.dialog.getByPlaceholder('Enter system prompt here').fill(prompt);
    await save();
    await t.ui.toast('Settings saved successfully!');
    await t.ui.reload();
    await t.ui.ready();
    assert.ok(await dark(), 'the dark theme was lost');
    await t.ui.userMenu('Settings');
    await t.ui.dialog.getByText('WebUI Settings').waitFor();
    assert.equal(await theme().inputValue(), 'dark');
    assert.equal(await t.ui.dialog.getByPlaceholder('Enter system prompt here').inputValue(), prompt);
    await t.shot('kept');
    await theme().selectOption('light');
    await t.ui.dialog.getByPlaceholder('Enter system prompt here').fill('');
    await save();
    await t.ui.closeDialog();
    assert.ok(!await dark(), 'the light theme does not show');
}

async function signOut(t) {
    await t.watch.leave(async () => {
        await t.ui.userMenu('Sign Out');
        await t.page.waitForURL(/\/auth/);
        await t.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    });
    // No way back without a password.
    await t.ui.goto('/');
    await t.page.waitForURL(/\/auth/);
    await t.page.locator('#password').waitFor();
    assert.equal(await t.page.evaluate(() => localStorage.token), undefined, 'the token is still in the browser');
}

async function signIn(t) {
    if (!/\/auth/.test(t.page.url())) {
        await signOut(t);
    }
    await t.ui.signIn(ADMIN);
    await t.ui.toast("You're now logged in.");
    await t.page.waitForURL((u) => u.pathname === '/');
    await t.ui.ready();
    await t.ui.sidebar.getByText(ADMIN.name).waitFor();
}

async function wrongPassword(t) {
    const other = await t.stranger();
    await other.goto('/auth');
    await other.page.locator('#password').waitFor();
    t.watch.expect('POST', '/api/v1/auths/signin', 400);
    await other.signIn({ email: ADMIN.email, password: 'wrong horse 1' });
    await other.toast('The email or password provided is incorrect. Please check for typos and try logging in again.');
    assert.match(other.page.url(), /\/auth/);
    assert.equal(await other.page.evaluate(() => localStorage.token), undefined);
}

// The first sign-up closes the door behind it.
async function allowSignUps(t) {
    const path = '/api/v1/auths/admin/config';
    const toggle = t.page.getByText('Enable New Sign Ups', { exact: true }).locator('xpath=..').getByRole('switch');

    await t.ui.goto('/admin/settings/general');
    await toggle.waitFor();
    assert.equal(await toggle.getAttribute('aria-checked'), 'false', 'anybody may sign up');
    await toggle.click();
    await Promise.all([
        t.page.waitForResponse((r) => r.request().method() === 'POST' && new URL(r.url()).pathname === path),
        t.page.getByRole('button', { name: 'Save', exact: true }).click(),
    ]);
    await t.ui.toast('Settings saved successfully!');
    await t.shot('allowed');
    await t.ui.goto('/');
    await t.ui.ready();
}

async function secondUser(t) {
    await allowSignUps(t);
    const secret = await t.ui.chat('Only Ada may read this');
    const other = await t.stranger();
    await other.goto('/auth');
    await other.page.getByRole('button', { name: 'Sign up', exact: true }).click();
    await other.signUp(SECOND, 'Create Account');
    await other.toast("You're now logged in.");
    await other.ready();
    assert.equal(await other.dialog.count(), 0, 'what is new is for administrators');
    await other.sidebar.getByText(SECOND.name).waitFor();
    await other.sidebar.getByRole('button', { name: 'Chats', exact: true }).waitFor();
    assert.equal(await other.sidebar.locator('a[href^="/c/"]').count(), 0, 'the second user sees chats');
    await other.sidebar.getByRole('button', { name: 'Search' }).click();
    await other.page.locator('#search-input').fill('Ada may read');
    await other.dialog.getByText('No results found').waitFor();
    await other.closeDialog();
    await other.sidebar.getByRole('button', { name: 'Open User Profile Menu' }).click();
    await other.page.getByRole('menuitem', { name: 'Sign Out' }).waitFor();
    assert.equal(await other.page.getByRole('menuitem', { name: 'Admin Panel' }).count(), 0, 'no administrator');
    await t.shot('menu');
    await other.page.keyboard.press('Escape');
    // Knowing the address does not help either.
    t.watch.expect('GET', `/api/v1/chats/${secret}`, 401);
    await other.goto(`/c/${secret}`);
    await other.page.waitForURL((u) => u.pathname === '/');
    await other.ready();
    assert.equal(await other.page.getByText('Only Ada may read this').count(), 0, 'the second user reads it');
}

module.exports = {
    ADMIN,
    first: { onboarding, 'sign-up': signUp, changelog },
    last: { settings, 'sign-out': signOut, 'sign-in': signIn, 'wrong-password': wrongPassword, 'second-user': secondUser },
};
