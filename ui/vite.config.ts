/// <reference types="node" />
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { gzipSync } from "node:zlib"
import react from "@vitejs/plugin-react"
import { defineConfig, type Plugin } from "vite"
import { notices } from "./scripts/notices"

const OUT = "../src/ostro/ui_dist"
const SERVER = process.env["OSTRO_URL"] ?? "http://127.0.0.1:8989"

/** Writes a `.gz` beside each text file, so that the server never compresses while it answers. */
function precompress(): Plugin {
  let root = ""
  return {
    name: "ostro-precompress",
    apply: "build",
    configResolved(config) {
      root = resolve(config.root, config.build.outDir)
    },
    closeBundle() {
      for (const name of readdirSync(root, { recursive: true }) as string[]) {
        if (!/\.(js|css|html|svg|json|txt)$/.test(name)) continue
        const content = readFileSync(join(root, name))
        if (content.length > 512) writeFileSync(join(root, `${name}.gz`), gzipSync(content, { level: 9 }))
      }
    },
  }
}

export default defineConfig({
  base: "/ui/",
  plugins: [react(), notices(), precompress()],
  resolve: { alias: { "~": join(import.meta.dirname, "src") } },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  server: {
    proxy: Object.fromEntries(["/v2", "/v3", "/automation", "/openapi.json", "/docs"].map((path) => [path, SERVER])),
  },
})
