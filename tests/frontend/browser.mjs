// The browser of the tests: the system's Chromium, without a GPU and without requests of its own.

import { chromium } from 'playwright-core';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--enable-unsafe-swiftshader', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export const launchBrowser = (flags = FLAGS) => chromium.launch({ executablePath: CHROMIUM, args: flags });
