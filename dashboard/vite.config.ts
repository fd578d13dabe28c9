import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const BUILT = path.resolve(import.meta.dirname, '../src/gaugeway/dashboard/static');

/** Beside each file its compressed forms, so that the server compresses nothing while it serves. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    async closeBundle() {
      const names = await readdir(BUILT, { recursive: true });
      for (const name of names.filter((one) => /\.(js|css|svg)$/.test(one))) {
        const file = path.join(BUILT, name);
        const plain = await readFile(file);
        if (plain.length < 512) continue;
        await writeFile(`${file}.gz`, gzipSync(plain, { level: 9 }));
        const quality = { [constants.BROTLI_PARAM_QUALITY]: 11 };
        await writeFile(`${file}.br`, brotliCompressSync(plain, { params: quality }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), precompress()],
  build: {
    outDir: BUILT,
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/client': 'http://127.0.0.1:8787', '/v1': 'http://127.0.0.1:8787' } },
});
