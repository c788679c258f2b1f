// talking.js: scenarios about answers: models, streaming, title and follow-ups, stop, reasoning, errors, leaving and returning.
'use strict';

const assert = require('node:assert');
const { words } = require('./ui');

async function modelChoice(t) {
    await t.ui.newChat();
    await t.page.locator('#model-selector-0-button').click();
    const menu = t.page.getByRole('menu');
    for (const name of ['stub-small', 'stub-large', 'stub-slow', 'stub-ollama:latest'])
        await menu.getByRole('button', { name, exact: true }).waitFor();
    await menu.getByPlaceholder('Search a model').fill('large');
    await menu.getByRole('button', { name: 'stub-small', exact: true }).waitFor({ state: 'detached' });
    await t.shot('menu');
    await menu.getByRole('button', { name: 'stub-large', exact: true }).click();
    await menu.waitFor({ state: 'detached' });
    await t.page.locator('#model-selector-0-button', { hasText: 'stub-large' }).waitFor();
    await t.ui.pickModel('stub-small');
    assert.equal((await t.page.locator('#model-selector-0-button').innerText()).trim(), 'stub-small');
}

// Collects the different texts that the answer shows until it is whole.
async function watchGrowth(ui) {
    const seen = [];
    const end = Date.now() + 1000 * ui.words;

    while (Date.now() < end) {
        const text = await ui.answerText.count() ? words(await ui.answerText.innerText()) : '';
        if (/^word0/.test(text) && text !== seen[seen.length - 1])
            seen.push(text);
        if (text === ui.text())
            return seen;
        await ui.page.waitForTimeout(40);
    }
    throw new Error(`the answer did not end; last seen: ${seen[seen.length - 1]}`);
}

async function streaming(t) {
    await t.ui.newChat();
    await t.ui.pickModel('stub-slow');
    await t.ui.send('Tell me slowly');
    await t.ui.stopButton.waitFor();
    await t.ui.answerText.getByText('word2').waitFor();
    await t.shot('half');
    const seen = await watchGrowth(t.ui);
    assert.ok(seen.length >= 4, `only ${seen.length} states of the answer were seen`);
    seen.reduce((before, now) => {
        assert.ok(now.startsWith(before), `"${now}" does not go on from "${before}"`);
        return now;
    });
    await t.ui.answered();
    await t.ui.newChat();
    await t.ui.pickModel('stub-small');
    await t.ui.send('Tell me fast');
    await t.ui.answered();
}

async function titleAndTags(t) {
    const id = await t.ui.chat('What is a title?');
    await t.page.waitForFunction(() => document.title.startsWith('Stub title'));
    await t.ui.answer.getByText('Follow up').waitFor();
    await t.ui.answer.getByText('What next?').waitFor();
    await t.ui.answer.getByText('Why so?').waitFor();
    await t.page.locator('#chat-context-menu-button').click();
    const menu = t.page.getByRole('menu');
    await menu.getByText('Stub', { exact: true }).waitFor();
    await menu.getByText('Testing', { exact: true }).waitFor();
    await t.shot('tags');
    await t.page.keyboard.press('Escape');
    await menu.waitFor({ state: 'detached' });
    await t.ui.reload();
    await t.ui.ready();
    await t.ui.chatLink(id).filter({ hasText: 'Stub title' }).waitFor();
    // Not so the follow-ups: the frontend may save the chat as it was before they came.
}

async function secondTurn(t) {
    await t.ui.chat('First question');
    await t.ui.send('Second question');
    await t.page.waitForFunction((n) => document.querySelectorAll('.chat-assistant').length === n, 2);
    await t.ui.answered();
    // A follow-up is a question that a click asks.
    await t.ui.answer.getByText('What next?').click();
    await t.page.waitForFunction((n) => document.querySelectorAll('.chat-assistant').length === n, 3);
    await t.ui.answered();
    await t.ui.reload();
    await t.ui.ready();
    await t.ui.answerText.waitFor();
    const shown = (await t.ui.messages.allInnerTexts()).map(words);
    assert.equal(shown.length, 6);
    ['First question', 'Second question', 'What next?'].forEach((q, i) => {
        assert.ok(shown[2 * i].includes(q), `message ${2 * i} is "${shown[2 * i]}"`);
        assert.ok(shown[2 * i + 1].includes(t.ui.text()), `message ${2 * i + 1} is "${shown[2 * i + 1]}"`);
    });
}

async function regenerate(t) {
    await t.ui.chat('Say it again');
    await t.ui.answer.getByRole('button', { name: 'Regenerate' }).click();
    await t.page.getByRole('menuitem', { name: 'Try Again' }).click();
    await t.ui.answer.getByText('2/2', { exact: true }).waitFor();
    await t.ui.answered();
    // Both answers are kept, the new one is shown.
    await t.ui.reload();
    await t.ui.ready();
    await t.ui.answer.getByText('2/2', { exact: true }).waitFor();
    await t.ui.answered();
    await t.ui.answer.getByRole('button', { name: 'Previous message' }).click();
    await t.ui.answer.getByText('1/2', { exact: true }).waitFor();
    await t.ui.answered();
}

async function stop(t) {
    await t.ui.newChat();
    await t.ui.pickModel('stub-slow');
    await t.ui.send('Tell me until I stop you');
    await t.ui.answerText.getByText('word3').waitFor();
    await t.ui.stopButton.click();
    await t.ui.stopButton.waitFor({ state: 'detached' });
    await t.ui.answer.getByRole('button', { name: 'Regenerate' }).waitFor();
    // Longer than the model waits between two words: nothing may come any more.
    const partial = words(await t.ui.answerText.innerText());
    await t.page.waitForTimeout(600);
    assert.equal(words(await t.ui.answerText.innerText()), partial, 'the answer went on');
    assert.match(partial, /^word0 word1 word2 word3/);
    assert.ok(!partial.includes(`word${t.ui.words - 1}`), 'the answer was whole before it was stopped');
    await t.shot('stopped');
    await t.ui.reload();
    await t.ui.ready();
    await t.ui.answerText.getByText('word3').waitFor();
    assert.equal(words(await t.ui.answerText.innerText()), partial, 'another text after the reload');
}

async function thought(t, model) {
    await t.ui.newChat();
    await t.ui.pickModel(model);
    await t.ui.send('Think first');
    await t.ui.answer.getByRole('button', { name: 'Regenerate' }).waitFor();
    const head = t.ui.answerText.getByText(/^Thought for/);
    await head.waitFor();
    assert.equal(await t.ui.answerText.getByText('Let me think.').count(), 0, 'the thought is open');
    await head.click();
    await t.ui.answerText.getByText('Let me think.').waitFor();
    const text = words(await t.ui.answerText.innerText());
    assert.match(text, new RegExp(`^Thought for .* Let me think\\. ${t.ui.text()}$`));
    await t.shot(model);
    await head.click();
    await t.ui.answerText.getByText('Let me think.').waitFor({ state: 'detached' });
    await t.ui.reload();
    await t.ui.ready();
    await t.ui.answerText.getByText(/^Thought for/).click();
    await t.ui.answerText.getByText('Let me think.').waitFor();
    assert.equal(words(await t.ui.answerText.innerText()), text, 'another text after the reload');
}

async function reasoning(t) {
    await thought(t, 'stub-reason');
    await thought(t, 'stub-tags');
}

async function providerError(t) {
    await t.ui.newChat();
    await t.ui.pickModel('stub-error');
    await t.ui.send('This will fail');
    await t.ui.answerText.getByText('The stub failed as told.').waitFor();
    await t.ui.reload();
    await t.ui.ready();
    await t.ui.answerText.getByText('The stub failed as told.').waitFor();
    await t.shot('shown');
    // The next chat works.
    await t.ui.chat('And this will not');
}

async function reloadMidAnswer(t) {
    await t.ui.newChat();
    await t.ui.pickModel('stub-slow');
    await t.ui.send('I will reload');
    await t.ui.answerText.getByText('word2').waitFor();
    await t.ui.reload();
    await t.ui.ready();
    await t.ui.messages.filter({ hasText: 'I will reload' }).waitFor();
    await t.shot('reloaded');
    await t.ui.answered();
    await t.ui.reload();
    await t.ui.ready();
    await t.ui.answered();
}

async function closeMidAnswer(t) {
    await t.ui.newChat();
    await t.ui.pickModel('stub-slow');
    await t.ui.send('I will go away');
    await t.ui.answerText.getByText('word2').waitFor();
    const id = await t.ui.chatId();
    await t.replacePage();
    // Nobody looks while the rest comes: 100 ms a word.
    await t.page.waitForTimeout(100 * t.ui.words);
    await t.ui.goto('/');
    await t.ui.ready();
    await t.ui.chatLink(id).filter({ hasText: 'Stub title' }).click();
    await t.ui.messages.filter({ hasText: 'I will go away' }).waitFor();
    await t.ui.answered();
}

module.exports = {
    talking: {
        'model-choice': modelChoice, streaming, 'title-tags': titleAndTags, 'second-turn': secondTurn, regenerate, stop,
        reasoning, 'provider-error': providerError,
    },
    leaving: { 'reload-mid-answer': reloadMidAnswer, 'close-mid-answer': closeMidAnswer },
};
