// back.js: a page of the frontend, signed in by a token, until some words are shown: node back.js URL TOKEN PATH WORDS PICTURE
'use strict';

const { chromium } = require('../e2e/node_modules/playwright-core');

async function main([url, token, path, words, picture]) {
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
    try {
        const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: 'en-US' });
        const wrong = [];
        page.on('pageerror', (e) => wrong.push(String(e)));
        await page.addInitScript((t) => { localStorage.token = t; localStorage.locale = 'en-US'; }, token);
        await page.goto(url + path);
        await page.locator('div[id^="message-"]', { hasText: words }).last().waitFor({ timeout: 60000 });
        // news of the release, which every new browser is shown
        const news = page.getByRole('button', { name: "Okay, Let's Go!" });
        if (await news.isVisible().catch(() => false))
            await news.click();
        await page.waitForTimeout(1000);
        await page.screenshot({ path: picture });
        if (wrong.length)
            throw new Error(wrong.join('\n'));
    } finally {
        await browser.close();
    }
}

main(process.argv.slice(2)).catch((e) => { console.error(e.message); process.exit(1); });
