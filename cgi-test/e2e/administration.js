// administration.js: scenarios about the administrator's pages: users, groups, functions, evaluations, settings.
'use strict';

const assert = require('node:assert');
const { asked, button, confirm, open, rowMenu, rowOf, setValve, typeCode } = require('./workspace');

const THIRD = { name: 'Cleo Third', email: 'cleo@example.org', password: 'staple battery 3' };

// The plus beside a page's search field.
const plus = (t) => t.page.getByPlaceholder('Search', { exact: true }).locator('xpath=../../..').getByRole('button').last();
const row = (t, text) => t.page.getByRole('row', { name: new RegExp(text) });

// Whatever a switch is called by the text in front of it.
const toggle = (place, text) => place.getByText(text, { exact: true }).locator('xpath=..').getByRole('switch').first();

async function usersAndGroups(t) {
    await open(t, '/admin/users/overview');
    await plus(t).click();
    await t.ui.dialog.getByPlaceholder('Enter Your Full Name').fill(THIRD.name);
    await t.ui.dialog.getByPlaceholder('Enter Your Email').fill(THIRD.email);
    await t.ui.dialog.getByPlaceholder('Enter Your Password').fill(THIRD.password);
    await t.shot('add');
    await asked(t, 'POST', '/api/v1/auths/add', () => t.ui.dialog.getByRole('button', { name: 'Save', exact: true }).click());
    await row(t, THIRD.name).getByRole('button', { name: 'user', exact: true }).click();
    await t.ui.dialog.getByText('Edit User').waitFor();
    await t.ui.dialog.locator('select').selectOption('pending');
    await asked(t, 'POST', /^\/api\/v1\/users\/[^/]+\/update$/, () => t.ui.dialog.getByRole('button', { name: 'Save', exact: true }).click());
    await row(t, THIRD.name).getByRole('button', { name: 'pending', exact: true }).waitFor();
    await t.shot('users');

    await group(t);

    await open(t, '/admin/users/overview');
    await row(t, THIRD.name).getByRole('button').last().click();
    await t.page.getByText('Confirm your action').waitFor();
    await asked(t, 'DELETE', /^\/api\/v1\/users\/[^/]+$/, () => confirm(t));
    await row(t, THIRD.name).waitFor({ state: 'detached' });
    await t.ui.quiet();
}

async function group(t) {
    const entry = t.page.getByRole('button', { name: /^Pilots/ });
    const tab = (name) => t.ui.dialog.getByRole('button', { name }).click();

    await open(t, '/admin/users/groups');
    await button(t, 'Create Group').or(plus(t)).first().click();
    await t.ui.dialog.getByPlaceholder('Group Name').fill('Pilots');
    await t.ui.dialog.getByPlaceholder('Group Description').fill('They steer');
    await asked(t, 'POST', '/api/v1/groups/create', () => t.ui.dialog.getByRole('button', { name: 'Save', exact: true }).click());
    await t.ui.toast('Group created successfully');
    await entry.click();
    await tab('Permissions');
    await toggle(t.ui.dialog, 'Tools Access').click();
    await t.shot('permissions');
    await tab(/^Users/);
    await t.ui.dialog.getByText(THIRD.name).locator('xpath=ancestor::div[.//button][1]').getByRole('button').first().click();
    await t.ui.dialog.getByRole('button', { name: 'Users (1)' }).waitFor();
    await t.shot('members');
    await asked(t, 'POST', /^\/api\/v1\/groups\/id\/[^/]+\/update$/, () => t.ui.dialog.getByRole('button', { name: 'Save', exact: true }).click());
    await t.ui.toast('Group updated successfully');
    await open(t, '/admin/users/groups');
    await t.page.getByRole('button', { name: /^Pilots 1/ }).click();
    await tab('Permissions');
    assert.equal(await toggle(t.ui.dialog, 'Tools Access').getAttribute('aria-checked'), 'true', 'the permission was not kept');
    await tab(/^Users/);
    await t.ui.dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await asked(t, 'DELETE', /^\/api\/v1\/groups\/id\/[^/]+\/delete$/, () => confirm(t));
    await t.ui.toast('Group deleted successfully');
    await entry.waitFor({ state: 'detached' });
}

const PIPE = `"""
title: Tide pipe
version: 0.2.0
"""
from pydantic import BaseModel


class Pipe:
    class Valves(BaseModel):
        prefix: str = "tides"

    def pipe(self, body: dict) -> str:
        return "high"
`;

async function functions(t) {
    const entry = rowOf(t, 'admin/functions', 'tide_pipe');

    await open(t, '/admin/functions/create');
    await t.page.getByPlaceholder('Function Name').fill('Tide pipe');
    await t.page.getByPlaceholder('Function Description').fill('Tells the tides');
    await typeCode(t, PIPE);
    await t.shot('editor');
    await button(t, 'Save').click();
    await asked(t, 'POST', '/api/v1/functions/create', () => confirm(t));
    await entry.getByText('v0.2.0').waitFor();
    await setValve(t, 'functions', 'tide_pipe', entry.getByRole('button').first(), 'Prefix', 'ebb');
    await asked(t, 'POST', '/api/v1/functions/id/tide_pipe/toggle', () => entry.getByRole('switch').click());
    await t.ui.quiet();
    await t.shot('list');
    await asked(t, 'POST', '/api/v1/functions/id/tide_pipe/toggle', () => entry.getByRole('switch').click());
    await t.ui.quiet();
    await entry.getByText('Tide pipe').click();
    await t.page.waitForURL(/\/admin\/functions\/edit/);
    await t.page.getByPlaceholder('Function Description').fill('Tells all tides');
    await asked(t, 'POST', '/api/v1/functions/id/tide_pipe/update', () => button(t, 'Save').click());
    await t.ui.quiet();
    await open(t, '/admin/functions');
    await entry.getByText('Tells all tides').waitFor();
    await rowMenu(t, entry, 'Delete');
    await t.page.getByText('Delete function?').waitFor();
    await asked(t, 'DELETE', '/api/v1/functions/id/tide_pipe/delete', () => confirm(t));
    await entry.waitFor({ state: 'detached' });
    await t.ui.quiet();
}

// Two models side by side, one of them gets a thumb; another answer gets one with reasons: the list of feedback, and the leaderboard.
async function evaluations(t) {
    const answers = t.page.locator('#messages-container');
    const thumb = () => asked(t, 'POST', '/api/v1/evaluations/feedback', () => answers.getByRole('button', { name: 'Good Response' }).first().click());

    await t.ui.goto('/?models=stub-small,stub-echo');
    await t.ui.ready();
    await t.ui.send('Which of you is better?');
    await answers.getByText('word19').waitFor();
    await answers.getByRole('button', { name: 'Regenerate' }).nth(1).waitFor();
    await t.ui.quiet();
    await thumb();
    await t.ui.quiet();
    await t.shot('side-by-side');
    await t.ui.goto('/?models=stub-small');
    await t.ui.ready();
    await t.ui.send('Rate me');
    await t.ui.answered();
    await t.ui.quiet();
    await thumb();
    await answers.getByText('How would you rate this response?').waitFor();
    await answers.getByRole('button', { name: '9', exact: true }).click();
    await answers.getByRole('button', { name: 'Accurate information' }).click();
    await answers.getByPlaceholder('Feel free to add specific details').fill('Counts well');
    await t.shot('reasons');
    await asked(t, 'POST', /^\/api\/v1\/evaluations\/feedback\/[^/]+$/, () => answers.getByRole('button', { name: 'Save', exact: true }).click());
    await t.ui.quiet();

    await open(t, '/admin/evaluations/leaderboard');
    await row(t, '^1 stub-small').waitFor();
    await row(t, '^2 stub-echo').waitFor();
    await t.shot('leaderboard');
    await button(t, 'Feedbacks').click();
    await row(t, 'stub-small').nth(1).waitFor();
    await row(t, 'stub-small').first().click();
    await t.ui.dialog.getByText('Counts well').waitFor();
    await t.shot('feedback');
    await t.ui.dialog.getByRole('button', { name: 'Close' }).last().click();
    for (let left = 2; left > 0; left--) {
        await row(t, 'stub-small').first().getByRole('button').first().click();
        await asked(t, 'DELETE', /^\/api\/v1\/evaluations\/feedback\/[^/]+$/, () => t.page.getByRole('menuitem', { name: 'Delete' }).click());
        await row(t, 'stub-small').nth(left - 1).waitFor({ state: 'detached' });
        await t.page.getByRole('menu').waitFor({ state: 'detached' });
    }
    await t.page.getByText('No feedbacks found').waitFor();
    await t.ui.quiet();
}

async function arena(t) {
    await open(t, '/admin/settings/evaluations');
    await t.page.getByText('Manage', { exact: true }).locator('xpath=..').getByRole('button').click();
    await t.ui.dialog.getByPlaceholder('Model Name').fill('Blind date');
    await t.ui.dialog.locator('select', { hasText: 'Private' }).selectOption('public');
    await t.ui.dialog.locator('select', { hasText: 'Select a model' }).selectOption('stub-echo');
    await t.ui.dialog.locator('select', { hasText: 'Select a model' }).locator('xpath=..').getByRole('button').click();
    await t.shot('model');
    await t.ui.dialog.getByRole('button', { name: 'Save', exact: true }).click();
    await t.page.getByText('Blind date').waitFor();
    await asked(t, 'POST', '/api/v1/evaluations/config', () => button(t, 'Save').click());
    await t.ui.goto('/');
    await t.ui.ready();
    await t.ui.pickModel('Blind date');
    await t.ui.send('Who are you?');
    await t.ui.answerText.getByText('Who are you?').waitFor();
    await t.ui.answer.getByRole('button', { name: 'Regenerate' }).waitFor();
    await t.ui.quiet();
    await t.shot('answer');
    await open(t, '/admin/settings/evaluations');
    await t.page.getByText('Blind date').locator('xpath=ancestor::div[.//button][1]').getByRole('button').last().click();
    await t.ui.dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await confirm(t);
    await t.page.getByText('Using the default arena model').waitFor();
    await asked(t, 'POST', '/api/v1/evaluations/config', () => button(t, 'Save').click());
    await t.ui.quiet();
}

// Each page of settings opens, and saves what it shows.
const PAGES = [
    ['connections', /^\/(openai|ollama|api\/v1\/configs)\//], ['tools', '/api/v1/configs/tool_servers'], ['code-execution', '/api/v1/configs/code_execution'],
    ['interface', '/api/v1/tasks/config/update'], ['evaluations', '/api/v1/evaluations/config'],
];

async function settings(t) {
    for (const [name, path] of PAGES) {
        await open(t, `/admin/settings/${name}`);
        await asked(t, 'POST', path, () => button(t, 'Save').last().click());
        await t.ui.quiet();
        await t.shot(name);
    }
    for (const path of [/^\/api\/v1\/models\/create$/, /^\/api\/v1\/models\/model\/toggle$/]) {
        await open(t, '/admin/settings/models');
        await t.page.getByPlaceholder('Search Models').fill('stub-large');
        await t.page.getByRole('button', { name: /stub-small/ }).waitFor({ state: 'detached' });
        await asked(t, 'POST', path, () => t.page.getByRole('switch').click());
        await t.ui.quiet();
        await t.shot('models');
    }
    await open(t, '/admin/settings/pipelines');
    await t.page.getByText('Pipelines Not Detected').waitFor();
    await open(t, '/admin/settings/db');
    for (const name of ['Export Config to JSON File', 'Export Users'])
        await Promise.all([t.page.waitForEvent('download'), button(t, name).click()]);
    await t.shot('database');
}

module.exports = { administration: { 'users-and-groups': usersAndGroups, functions, evaluations, arena, 'settings-pages': settings } };
