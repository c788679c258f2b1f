// identity.js: scenarios about identity providers: signing in at one, being refused, signing out there; the administrator's page of users and of LDAP.
'use strict';

const assert = require('node:assert');
const { ADMIN } = require('./accounts');

const PERSON = { sub: 'e2e-1', name: 'Pat Provider', email: 'pat@idp.test', email_verified: true };

// What the provider says of whoever signs in next.
async function says(t, claims) {
    assert.ok(t.options.idp, 'run.js needs --idp');
    t.watch.friend(t.options.idp);
    const answer = await fetch(`${t.options.idp}/claims`, { method: 'POST', body: JSON.stringify(claims) });
    assert.equal(answer.status, 200);
}

async function atProvider(person) {
    await person.goto('/auth');
    await person.watch.leave(() => person.page.getByRole('button', { name: 'Continue with Fake' }).click());
}

async function signIn(t) {
    await says(t, PERSON);
    const other = await t.stranger();
    await atProvider(other);
    await other.page.waitForURL((u) => u.pathname === '/');
    await other.ready();
    await other.sidebar.getByText(PERSON.name).waitFor();
    // Scripts see no token any more: the session has made its cookie HttpOnly.
    assert.ok(!/\btoken=/.test(await other.page.evaluate(() => document.cookie)), 'the cookie can be read');
    await other.reload();
    await other.ready();
    await t.shot('signed-in');
    await t.watch.leave(async () => {
        await other.userMenu('Sign Out');
        await other.page.waitForURL(`${t.options.idp}/logout?**`);
    });
    await other.page.getByText('Signed out at the provider').waitFor();
}

async function refused(t) {
    await says(t, { ...PERSON, sub: 'e2e-2', email: ADMIN.email });
    const other = await t.stranger();
    await atProvider(other);
    await other.toast('Uh-oh! This email is already registered.');
    assert.match(other.page.url(), /\/auth/);
    assert.equal(await other.page.evaluate(() => localStorage.token), undefined);
}

async function users(t) {
    await says(t, PERSON);
    const other = await t.stranger();
    await atProvider(other);
    await other.page.waitForURL((u) => u.pathname === '/');
    await other.ready();
    await t.endScenario();
    await t.ui.goto('/admin/users/overview');
    const row = t.page.getByRole('row', { name: PERSON.email });
    await row.waitFor();
    await row.getByRole('button').nth(-2).click();
    await t.ui.dialog.getByText(`oidc@${PERSON.sub}`).waitFor();
    await t.shot('person');
    await t.ui.closeDialog();
    await t.page.getByText('Groups', { exact: true }).first().click();
    await t.page.waitForURL(/\/admin\/users\/groups/);
    await t.shot('groups');
}

async function ldap(t) {
    const toggle = () => t.page.getByText('LDAP', { exact: true }).first().locator('xpath=..').getByRole('switch');
    const label = () => t.page.getByPlaceholder('Enter server label');
    const fields = { 'Enter server label': 'Directory', 'Enter server host': 'ldap.example.org', 'Enter server port': '1389',
        'Enter Application DN': 'cn=app,dc=example,dc=org', 'Enter Application DN Password': 'app secret',
        'Example: ou=users,dc=foo,dc=example': 'ou=people,dc=example,dc=org' };
    const save = async () => {
        const answers = ['/api/v1/auths/admin/config', '/api/v1/auths/admin/config/ldap'].map((path) =>
            t.page.waitForResponse((r) => r.request().method() === 'POST' && new URL(r.url()).pathname === path));
        await t.page.getByRole('button', { name: 'Save', exact: true }).click();
        await Promise.all(answers);
        await t.ui.quiet();
    };

    await t.ui.goto('/admin/settings/general');
    await toggle().waitFor();
    if (await toggle().getAttribute('aria-checked') !== 'true')
        await toggle().click();
    await label().waitFor();
    for (const [placeholder, value] of Object.entries(fields))
        await t.page.getByPlaceholder(placeholder, { exact: true }).fill(value);
    await save();
    await t.ui.reload();
    await label().waitFor();
    for (const [placeholder, value] of Object.entries(fields))
        assert.equal(await t.page.getByPlaceholder(placeholder, { exact: true }).inputValue(), value, placeholder);
    await t.shot('kept');
    await toggle().click();
    await save();
    await t.ui.reload();
    await toggle().waitFor();
    assert.equal(await toggle().getAttribute('aria-checked'), 'false');
    await t.ui.goto('/');
    await t.ui.ready();
}

module.exports = {
    identity: { 'identity-provider': signIn, 'identity-refused': refused, 'admin-users': users, 'admin-ldap': ldap },
};
