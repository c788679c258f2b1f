// media.js: scenarios about pictures, speech and code: the administrator's pages for them, a picture in a question, an answer read aloud.
'use strict';

const assert = require('node:assert');

const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

// Saves the page of the panel; every answer to what it sends must be good.
async function save(t, ...paths) {
    const saved = paths.map((path) => t.page.waitForResponse((r) => new URL(r.url()).pathname === path));
    await t.page.getByRole('button', { name: 'Save', exact: true }).click();
    for (const one of saved)
        assert.equal((await one).status(), 200);
}

async function imagesSettings(t) {
    const size = t.page.getByPlaceholder('Enter Image Size (e.g. 512x512)');
    const paths = ['/api/v1/images/config/update', '/api/v1/images/image/config/update'];

    await t.ui.goto('/admin/settings/images');
    await size.waitFor();
    assert.equal(await size.inputValue(), '512x512');
    await t.page.locator('input[list="model-list"]').fill('dall-e-2');     // the page wants one
    await size.fill('256x256');
    await save(t, ...paths);
    await t.ui.toast('Settings saved successfully!');
    await t.ui.reload();
    await size.waitFor();
    assert.equal(await size.inputValue(), '256x256');
    await t.shot('saved');
    await size.fill('512x512');
    await save(t, ...paths);
}

async function useSpeechModel(t, name) {
    const model = t.page.locator('input[list="tts-model-list"]');

    await t.ui.goto('/admin/settings/audio');
    await model.waitFor();
    await t.ui.quiet();
    await model.fill(name);
    await save(t, '/api/v1/audio/config/update');
    await t.ui.toast('Settings saved successfully!');
    await t.ui.reload();
    await model.waitFor();
    await t.ui.quiet();
    assert.equal(await model.inputValue(), name);
}

async function audioSettings(t) {
    await useSpeechModel(t, 'tts-other');
    await t.shot('saved');
    await useSpeechModel(t, 'tts-1');
}

async function codeSettings(t) {
    const engine = t.page.locator('select').filter({ hasText: 'jupyter' }).first();
    const address = t.page.getByPlaceholder('Enter Jupyter URL').first();

    await t.ui.goto('/admin/settings/code-execution');
    await engine.waitFor();
    await engine.selectOption('jupyter');
    await address.fill('http://127.0.0.1:1/');
    await save(t, '/api/v1/configs/code_execution');
    await t.ui.toast('Settings saved successfully!');
    await t.ui.reload();
    await address.waitFor();
    assert.equal(await address.inputValue(), 'http://127.0.0.1:1/');
    await t.shot('saved');
    await engine.selectOption('pyodide');
    await save(t, '/api/v1/configs/code_execution');
}

// The picture goes with the question, is shown in it, and is there again after a reload.
async function pictureInQuestion(t) {
    await t.ui.newChat();
    await t.page.locator('#message-input-container input[type="file"], input[type="file"]').first()
        .setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: PNG });
    await t.page.locator('#message-input-container img').first().waitFor();
    await t.ui.send('What is in this picture?');
    await t.ui.answered();
    const shown = t.ui.messages.first().locator('img[src^="data:image/png"], img[src*="/api/v1/files/"]').first();
    await shown.waitFor();
    await t.shot('asked');
    await t.ui.reload();
    await shown.waitFor();
    assert.ok(await shown.evaluate((img) => img.naturalWidth > 0), 'the picture is not shown');
}

// The engine is asked once a sentence, and what it says is played. (A model of the stub's whose answers a browser can play.)
async function readAloud(t) {
    await useSpeechModel(t, 'tts-sound');
    await t.ui.chat('Say something');
    const spoken = t.page.waitForResponse((r) => new URL(r.url()).pathname === '/api/v1/audio/speech');
    await t.ui.answer.locator('button[id^="speak-button-"]').click();
    const answer = await spoken;
    assert.equal(answer.status(), 200);
    assert.equal(answer.headers()['content-length'], '1644');
    await t.ui.quiet();
}

// The integrations' menu has the feature; the picture stands in the answer, and is there again after a reload.
async function pictureInAnswer(t) {
    await t.ui.newChat();
    await t.page.locator('#integration-menu-button, button[aria-label="Integrations"]').first().click();
    await t.page.getByRole('button', { name: 'Image' }).or(t.page.getByRole('menuitem', { name: 'Image' })).first().click();
    const menu = t.page.getByRole('menu');
    if (await menu.isVisible()) {
        await t.page.keyboard.press('Escape');
        await menu.waitFor({ state: 'detached' });
    }
    await t.ui.quiet();
    await t.ui.send('Draw a ship');
    await t.ui.answered();
    const shown = t.ui.answer.locator('img[src*="/api/v1/files/"]').first();
    await shown.waitFor();
    await t.shot('drawn');
    await t.ui.reload();
    await shown.waitFor();
    await t.page.waitForFunction((img) => img.naturalWidth > 0, await shown.elementHandle());
}

module.exports = {
    media: {
        'images-settings': imagesSettings, 'audio-settings': audioSettings, 'code-settings': codeSettings,
        'picture-in-question': pictureInQuestion, 'picture-in-answer': pictureInAnswer, 'read-aloud': readAloud,
    },
};
