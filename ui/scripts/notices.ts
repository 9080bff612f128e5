/// <reference types="node" />
import { existsSync, readFileSync, readdirSync } from "node:fs"
import { dirname, join } from "node:path"
import type { Plugin } from "vite"

interface Package {
  name: string
  version: string
  license: string
  text: string
}

/** Writes `notices.txt`: every package of which code got into the bundle, with its licence. */
export function notices(): Plugin {
  const found = new Map<string, Package>()
  return {
    name: "ostro-notices",
    apply: "build",
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue
        for (const id of chunk.moduleIds) {
          const folder = packageOf(id)
          if (folder && !found.has(folder)) found.set(folder, read(folder))
        }
      }
      const packages = [...found.values()].sort((a, b) => a.name.localeCompare(b.name))
      const line = "=".repeat(80)
      const parts = packages.map(({ name, version, license, text }) =>
        [line, `${name} ${version}: ${license}`, line, "", text].join("\n"),
      )
      const head = "Third-party notices of Ostro's web page\n\nIt is made with the packages below."
      this.emitFile({ type: "asset", fileName: "notices.txt", source: `${[head, ...parts].join("\n\n")}\n` })
    },
  }
}

function packageOf(id: string): string | null {
  const path = id.replace(/^\0/, "").split("?")[0] ?? ""
  if (!path.includes("/node_modules/")) return null
  for (let folder = dirname(path); !folder.endsWith("/node_modules"); folder = dirname(folder)) {
    const file = join(folder, "package.json")
    if (existsSync(file) && "version" in (JSON.parse(readFileSync(file, "utf-8")) as object)) return folder
  }
  return null
}

function read(folder: string): Package {
  const data = JSON.parse(readFileSync(join(folder, "package.json"), "utf-8")) as Omit<Package, "text">
  const files = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name))
  const text = files.map((name) => readFileSync(join(folder, name), "utf-8").trim()).join("\n\n")
  return { name: data.name, version: data.version, license: data.license, text }
}
