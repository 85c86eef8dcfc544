// Texts of the page: both languages complete, every code of the server translated, plain words only.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './ichor.mjs';

const load = async (code) => (await import(join(ROOT, 'frontend', 'js', 'strings', `${code}.js`))).default;
const [english, german] = await Promise.all([load('en'), load('de')]);

// Sent by the command line or with a DICOM or NIfTI file, never in a report that the page reads.
const NEVER_SENT = ['dicom_text_left_empty', 'format_not_written', 'nifti_geometry_inexact', 'nifti_position_unknown', 'numbered_pictures', 'results_left_out'];
// Problems of a request that the page does not send. Should one come, the server's English text is shown.
const SHOWN_IN_ENGLISH = ['engine_failed', 'invalid_json', 'invalid_multipart', 'invalid_parameter', 'method_not_allowed', 'not_acceptable', 'not_found', 'too_many_records'];

/** Every text of a table as [key, text]; functions are called with the names of their parameters as placeholders. */
function flatten(value, key = '') {
  if (typeof value === 'string') return [[key, value]];
  if (typeof value === 'function') return [[key, String(value(...placeholders(value)))]];
  return Object.entries(value).flatMap(([name, part]) => flatten(part, key ? `${key}.${name}` : name));
}

/** Names of the parameters of a text, in braces. */
function placeholders(text) {
  const [, list] = /^\(([^)]*)\)/.exec(String(text)) ?? [null, ''];
  return list.split(',').map((name) => name.trim()).filter(Boolean).map((name) => `{${name}}`);
}

test('both languages have the same keys', () => {
  const keys = ({ warnings, subtypes, ...table }) => flatten(table).map(([key]) => key);
  assert.deepEqual(keys(german), keys(english));
  // The API has these in English; the German table translates them by code.
  assert.deepEqual([english.warnings, english.subtypes], [{}, {}]);
  assert.equal(Object.keys(german.subtypes).length, 5);
});

test('both languages insert the same values', () => {
  const translated = new Map(flatten(german));
  let inserted = 0;
  for (const [key, text] of flatten(english)) {
    const names = (sentence) => (sentence.match(/\{\w+\}/g) ?? []).sort();
    assert.deepEqual(names(translated.get(key)), names(text), key);
    inserted += names(text).length;
  }
  assert.ok(inserted > 60, `${inserted} values`);
});

/** Paths of the files under src/ and crates/ that `matches`. */
async function sources(matches) {
  const folders = await Promise.all(['src', 'crates'].map((folder) => readdir(join(ROOT, folder), { recursive: true }).then((list) => list.map((file) => join(folder, file)), () => [])));
  return folders.flat().filter(matches).map((file) => join(ROOT, file));
}

/** Codes of warnings and problems: literals at the place of a code, and those that reach it by a constant, a tuple or an argument. */
async function codesOfServer() {
  const places = [
    /\bWarning::\w+(?:\(|,)\s*"([a-z_]+)"/g,
    /\b(?:StatusCode|S)::[A-Z_]+,\s*"([a-z_]+)"/g,
    /\b(?:warn|unreadable)\(\s*"([a-z_]+)"/g,
    /\bconst CODE: &str = "([a-z_]+)"/g,
  ];
  const codes = new Set();
  for (const file of await sources((path) => path.endsWith('.rs') && !/\/tests?(\/|\.rs$)/.test(path))) {
    const source = (await readFile(file, 'utf8')).split(/#\[cfg\(test\)\]\s*(?:pub )?mod \w+ \{/)[0].replace(/\/\/.*/g, '');
    for (const place of places) for (const [, code] of source.matchAll(place)) codes.add(code);
    for (const [, name, code] of source.matchAll(/\bconst ([A-Z_]+): &str = "([a-z_]+)"/g)) if (code.includes('_') && name === code.toUpperCase()) codes.add(code);
    if (file.endsWith('ichor-core/src/error.rs')) for (const [, code] of source.matchAll(/=> (?:\{\s*)?"([a-z_]+)"/g)) codes.add(code);
    // In a file that makes warnings, a tuple that starts with two words in snake case starts with a code.
    if (/\bWarning::/.test(source)) for (const [, first, second] of source.matchAll(/\(\s*"([a-z]+(?:_[a-z]+)+)",\s*"([^"]*)"/g)) for (const code of [first, second]) if (/^[a-z]+(_[a-z]+)+$/.test(code)) codes.add(code);
  }
  const [description, ...others] = await sources((path) => path.endsWith('openapi.json'));
  assert.ok(description && !others.length, 'one API description');
  for (const [, code] of JSON.stringify(JSON.parse(await readFile(description, 'utf8'))).matchAll(/"status":\d+,"code":"([a-z_]+)"/g)) codes.add(code);
  return codes;
}

test('every code that the server sends has a German text', async () => {
  const codes = await codesOfServer();
  assert.ok(codes.size > 100, `${codes.size} codes`);
  for (const known of ['order_as_given', 'files_unreadable', 'padding', 'sixteen_bit', 'slices_along_fourth_axis', 'photo_of_screen', 'mixed_series', 'overloaded', 'empty_body', 'upload_expired']) assert.ok(codes.has(known), known);
  const texts = new Set([...Object.keys(german.warnings), ...Object.keys(german.error.title), ...NEVER_SENT, ...SHOWN_IN_ENGLISH]);
  assert.deepEqual([...codes].filter((code) => !texts.has(code)).sort(), [], 'codes without a German text');
  assert.deepEqual([...texts].filter((code) => !codes.has(code)).sort(), ['expired'], 'texts of codes that are not sent; a job expires as a state');
});

test('problems with a title also say what to do', () => {
  for (const table of [english, german]) assert.deepEqual(Object.keys(table.error.title).filter((code) => !table.error.advice[code]), []);
});

test('a German text of a warning with two causes differs, and that of a chosen series names it', () => {
  const { hu_shifted: shifted, hu_scaled: scaled, pages_left_out: pages, series_chosen: chosen } = german.warnings;
  assert.notEqual(shifted('below'), shifted('above'));
  assert.notEqual(scaled('0 to 255'), scaled('other'));
  assert.notEqual(pages('of the TIFF'), pages('a page beside'));
  assert.equal(chosen('Of 3 series, number 2 was segmented: kernel H40, 6 slices. Left out: 1 (9 slices). Take another with --series NUMBER.'), 'Von 3 Serien wurde Nummer 2 ausgewertet: kernel H40, 6 slices.');
});

// Words that were hard to understand, or describe the program as a person.
const UNCLEAR = {
  en: ['anew', 'as delivered', 'bare', 'by hand', 'by itself', 'by themselves', 'chance', 'hears?', 'how it was found', 'is looking', 'looked for', 'looks at', 'not there', 'says?', 'sees', 'slice before', 'tells?', 'together, ', 'understood', 'whatever', 'none of'],
  de: ['bloße', 'für sich', 'gesucht', 'ob\\b.*\\bist da', 'sagt', 'sichern', 'sieht sich', 'vertraut', 'verstanden', 'weiß mehr', 'von Hand', 'wie geliefert'],
};

for (const [code, table] of [['en', english], ['de', german]]) {
  test(`texts use plain words, ${code}`, () => {
    for (const [key, text] of flatten(table)) {
      for (const word of UNCLEAR[code]) assert.doesNotMatch(text, new RegExp(`(^|[^\\p{L}])(?:${word})(?![\\p{L}])`, 'iu'), key);
      for (const sentence of text.split(/[.!?] /)) assert.ok(sentence.split(' ').length <= 30, `${key} has a sentence of over 30 words`);
    }
  });
}

test('the page holds the English texts before its scripts run', async () => {
  const page = await readFile(join(ROOT, 'frontend', 'index.html'), 'utf8');
  const texts = new Map(flatten(english));
  const marked = [...page.matchAll(/data-text="([^"]+)"[^>]*>([^<]*)</g), ...page.matchAll(/data-label="([^"]+)"(?: data-title="[^"]+")? aria-label="([^"]*)"/g)];
  assert.ok(marked.length > 50, `${marked.length} texts`);
  // Empty where the element is hidden until a file is open.
  for (const [, key, text] of marked) assert.ok(text === '' || text === texts.get(key), `${key}: ${text}`);
});

test('every text that the page names exists, and every text is used', async () => {
  const folder = join(ROOT, 'frontend', 'js');
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.js') && !file.startsWith('strings/'));
  const source = (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))).join('\n') + await readFile(join(folder, '..', 'index.html'), 'utf8');
  for (const [, path] of source.matchAll(/\bstrings((?:\.[a-zA-Z]\w*)+)/g)) {
    if (path === '.js') continue;
    const value = path.slice(1).split('.').reduce((branch, part) => branch?.[part], english);
    assert.ok(value !== undefined, `strings${path}`);
  }
  // By code or by a name that is computed: the API decides which is used.
  const computed = /^(warnings|subtypes|error\.(title|advice)|window\.(names|unit)|findings\.(scales|timing|likelihood|verdicts|sides|imageSides|depths|regions)|viewer\.(directions|value|toolsDisabled)|about|threeD|downloads|shortcuts|page\.themes|question)\b/;
  for (const [key] of flatten(english)) {
    if (computed.test(key)) continue;
    const name = key.split('.').filter((part) => !/^\d+$/.test(part)).at(-1);
    assert.match(source, new RegExp(`\\b${name}\\b`), `${key} is used nowhere`);
  }
});
