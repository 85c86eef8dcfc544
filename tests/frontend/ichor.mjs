// Starts the real server as a child process, on a free port of the loopback interface.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CACHE = process.env.ICHOR_CACHE ?? join(homedir(), '.cache', 'ichor');
export const BINARY = process.env.ICHOR_BIN ?? join(CACHE, 'target', 'release', 'ichor');
const READY = /^Ichor is ready at (http:\/\/\S+)$/m;
const START_MS = 60_000;

/** Starts `ichor serve`; resolves to {origin, stop} once it reports that it is ready. */
export async function startIchor(port = 0) {
  const server = spawn(BINARY, ['serve', '--port', String(port), '--frontend', 'frontend'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const origin = await new Promise((resolve, reject) => {
    const late = setTimeout(() => { server.kill(); reject(new Error(`not ready in ${START_MS} ms: ${said}`)); }, START_MS);
    const listen = (bytes) => {
      said += bytes;
      const ready = READY.exec(said);
      if (ready) { clearTimeout(late); resolve(ready[1]); }
    };
    server.stdout.on('data', listen);
    server.stderr.on('data', listen);
    server.on('error', reject);
    server.on('exit', (code) => { clearTimeout(late); reject(new Error(`${BINARY} ended with ${code}: ${said}`)); });
  });
  return {
    origin,
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      server.kill('SIGTERM');
      await once(server, 'exit');
    },
  };
}
