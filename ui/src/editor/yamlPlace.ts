/**
 * Where a position stands in a YAML text: the keys above it, by indentation. Good enough while somebody types, when the
 * text cannot be parsed; never wrong about a text in block style.
 */

export interface Place {
  /** Keys from the top to what the position is inside of; `-` for an entry of a list. */
  path: string[]
  /** A key is being written; otherwise the value of `key`. */
  isKey: boolean
  key: string | null
  /** What is written of it so far. */
  prefix: string
  /** Keys beside it. */
  siblings: string[]
}

interface Line {
  indent: number
  key: string | null
  isEntry: boolean
  rest: string
}

const KEY = /^(?:"([^"]*)"|'([^']*)'|([^\s#:'"[\]{},&*!|>%@`-][^:#]*?|[^\s#:'"[\]{},&*!|>%@`-]))\s*:(?:\s+(.*)|$)/

/** `- ` before a key counts as indentation: what it holds is inside of the entry. */
function read(line: string): Line | null {
  if (/^\s*(#|$)/.test(line)) return null
  let indent = /^\s*/.exec(line)![0].length
  let rest = line.slice(indent)
  let isEntry = false
  for (let dash = /^-(\s+|$)/.exec(rest); dash; dash = /^-(\s+|$)/.exec(rest)) {
    isEntry = true
    indent += dash[0].length
    rest = rest.slice(dash[0].length)
  }
  const found = KEY.exec(rest)
  return {
    indent,
    isEntry,
    key: found ? (found[1] ?? found[2] ?? found[3]!).trim() : null,
    rest: found ? (found[4] ?? "") : rest,
  }
}

export function placeAt(text: string, position: number): Place {
  const before = text.slice(0, position).split("\n")
  const current = before.pop()!
  const line = read(current)
  const blank = /^\s*/.exec(current)![0].length
  const indent = line?.indent ?? blank
  const isEntry = line?.isEntry ?? false
  const path = pathOf(before, indent, isEntry)
  if (line?.key !== null && line?.key !== undefined) {
    return { path, isKey: false, key: line.key, prefix: line.rest.trimStart(), siblings: [] }
  }
  const prefix = line?.rest ?? ""
  return { path, isKey: true, key: null, prefix, siblings: siblingsOf(text, before.length, indent, isEntry) }
}

/** Keys of the lines above that hold what stands at `indent`. */
function pathOf(lines: readonly string[], indent: number, isEntry: boolean): string[] {
  const path: string[] = []
  let limit = indent
  let wasEntry = isEntry
  if (isEntry) path.unshift("-")
  for (let i = lines.length - 1; i >= 0 && limit > 0; i--) {
    const line = read(lines[i]!)
    if (!line) continue
    if (line.indent < limit && line.key !== null) {
      // A list may stand at the indentation of its key: "on-success:\n- a".
      path.unshift(line.key)
      limit = line.indent
      if (line.isEntry) path.unshift("-")
      wasEntry = line.isEntry
    } else if (line.isEntry && !wasEntry && line.indent === limit && line.key !== null) {
      path.unshift("-")
      wasEntry = true
    }
  }
  return path
}

function siblingsOf(text: string, at: number, indent: number, isEntry: boolean): string[] {
  const lines = text.split("\n")
  const keys: string[] = []
  const look = (from: number, by: number): void => {
    for (let i = from; i >= 0 && i < lines.length; i += by) {
      const line = read(lines[i]!)
      if (!line) continue
      if (line.indent < indent) return
      if (by > 0 && line.indent === indent && line.isEntry) return
      if (line.indent === indent && line.key !== null) keys.push(line.key)
      if (by < 0 && line.indent === indent && line.isEntry) return
    }
  }
  if (!isEntry) look(at - 1, -1)
  look(at + 1, 1)
  return keys
}

/** Names of the tasks of the workflow that the position is in: keys right below the nearest `tasks:` around it. */
export function tasksAround(text: string, position: number): string[] {
  const lines = text.split("\n")
  let at = text.slice(0, position).split("\n").length - 1
  for (; at >= 0; at--) if (/^\s*tasks:\s*$/.test(lines[at]!)) break
  if (at < 0) return []
  const outer = read(lines[at]!)!.indent
  const names: string[] = []
  let depth: number | null = null
  for (const text of lines.slice(at + 1)) {
    const line = read(text)
    if (!line) continue
    if (line.indent <= outer) break
    depth ??= line.indent
    if (line.indent === depth && line.key !== null) names.push(line.key)
  }
  return names
}
