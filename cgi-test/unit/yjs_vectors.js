#!/usr/bin/env node
// yjs_vectors.js: makes yjs_vectors.h, what test_yjs.c is compared with, by npm's yjs (13.6): in a folder with it, node …/yjs_vectors.js > …/yjs_vectors.h
'use strict';

const Y = require(require.resolve('yjs', { paths: [process.cwd()] }));

// The updates that editing makes, one by one. Clients' numbers are fixed, so that the bytes are.
function made(clients, edit, options = {}) {
    const updates = [];
    const docs = clients.map((id) => Object.assign(new Y.Doc(options), { clientID: id }));
    docs.forEach((doc) => doc.on('update', (update, origin) => {
        if (origin !== 'other')
            updates.push(update);
    }));
    const sync = (from, to) => Y.applyUpdate(docs[to], Y.encodeStateAsUpdate(docs[from], Y.encodeStateVector(docs[to])), 'other');
    edit(docs, sync, updates);
    return updates;
}

function paragraph(text) {
    const p = new Y.XmlElement('paragraph');
    const inside = new Y.XmlText();
    inside.insert(0, text);
    p.insert(0, [inside]);
    return p;
}

const VECTORS = {
    'one letter after the other': made([7], ([a]) => {
        for (const [i, c] of [...'héllo 漢字'].entries())
            a.getText('t').insert(i, c);
    }),
    'two people in two paragraphs': made([5, 900], ([a, b], sync) => {
        a.getXmlFragment('prosemirror').insert(0, [paragraph('one'), paragraph('two')]);
        sync(0, 1);
        a.getXmlFragment('prosemirror').get(0).get(0).insert(3, '!');
        b.getXmlFragment('prosemirror').get(1).get(0).insert(3, '?');
        a.getXmlFragment('prosemirror').get(0).get(0).insert(4, '!');
        b.getXmlFragment('prosemirror').get(1).get(0).insert(4, '?');
    }),
    'text that is deleted in part': made([3], ([a]) => {
        a.getText('t').insert(0, 'abcdefgh');
        a.getText('t').delete(2, 3);
        a.getText('t').delete(0, 1);
    }),
    'a pair of surrogates beside a deletion': made([3], ([a]) => {
        a.getText('t').insert(0, 'a😀b😀');
        a.getText('t').delete(3, 1);
    }),
    'attributes, formats, embeds': made([12], ([a]) => {
        const t = a.getText('t');
        t.insert(0, 'plain bold');
        t.format(6, 4, { bold: true });
        t.insertEmbed(3, { image: 'x.png' });
        a.getXmlFragment('f').insert(0, [paragraph('x')]);
        a.getXmlFragment('f').get(0).setAttribute('level', 2);
    }),
    'a map whose values change': made([12], ([a]) => {
        for (const value of [1, 'x', null, undefined, true, -70, 2 ** 40, 1.5, 1e300, 10n ** 17n, { a: [1, { b: 'c' }] }, new Uint8Array([1, 2, 3])])
            a.getMap('m').set('k', value);
        a.getMap('m').set('last', [1, 2, 3]);
    }),
    'an array that is cut': made([4], ([a]) => {
        a.getArray('a').insert(0, [1, 'two', { three: 3 }, [4], true]);
        a.getArray('a').delete(0, 5);
        a.getArray('a').insert(0, ['new']);
        a.getArray('a').insert(1, [new Y.Doc({ guid: 'inner' })]);
    }),
    'a type that is deleted with what lies in it': made([8], ([a]) => {
        a.getXmlFragment('f').insert(0, [paragraph('gone'), paragraph('stays')]);
        a.getXmlFragment('f').delete(0, 1);
    }),
    'a state and what came before it': made([8], ([a], sync, updates) => {
        a.getText('t').insert(0, 'abc');
        a.getText('t').insert(3, 'def');
        updates.unshift(Y.encodeStateAsUpdate(a));
        a.getText('t').insert(6, 'ghi');
        updates.push(Y.encodeStateAsUpdate(a));
    }),
    'one that is missing in the middle': made([8], ([a], sync, updates) => {
        a.getText('t').insert(0, 'abc');
        a.getText('u').insert(0, 'lost');
        updates.pop();
        a.getText('t').insert(3, 'def');
    }),
    'nothing': [new Uint8Array([0, 0]), new Uint8Array([0, 0])],
};

// A document keeps divided what was divided by an insertion or a format, drops deleted types with all that lies in them, and keeps what it cannot place apart:
// its bytes say the same as ours, but are not the same.
const OTHERWISE = ['attributes, formats, embeds', 'a map whose values change', 'a type that is deleted with what lies in it'];
// Where pieces overlap we take the longest.
const FEWER = ['a state and what came before it'];

const hex = (bytes) => Buffer.from(bytes).toString('hex');

// What a document makes of them; it keeps what has a gap before it apart, and that is in the state, too.
function state(updates) {
    const doc = new Y.Doc();
    updates.forEach((update) => Y.applyUpdate(doc, update));
    return Y.encodeStateAsUpdate(doc);
}

console.log('/* yjs_vectors.h: made by yjs_vectors.js. merged: Y.mergeUpdates; state: Y.encodeStateAsUpdate of a document that was given all. */');
console.log('static const struct {\n    const char *label, *updates, *merged, *state; /* hexadecimal; updates are separated by blanks; NULL: not to be compared */\n} vectors[] = {');
for (const [label, updates] of Object.entries(VECTORS))
    console.log(`    { "${label}",\n${[updates.map(hex).join(' '), FEWER.includes(label) ? null : hex(Y.mergeUpdates(updates)),
        OTHERWISE.includes(label) ? null : hex(state(updates))]
        .map((text) => text === null ? '      NULL' : '      ' + text.match(/.{1,110}/g).map((part) => `"${part}"`).join('\n      ')).join(',\n')} },`);
console.log('};');
