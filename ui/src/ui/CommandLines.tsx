import { useState } from "react"
import { Button } from "./Button"
import { CopyButton } from "./Copy"
import { Dialog } from "./Dialog"

/** The same as a button does, for a shell. `curl` names the server by `$OSTRO`. */
export interface Commands {
  cli: string
  curl: string
}

/** Quotes for a POSIX shell where needed. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** ` -i region=eu -i full=true`: fields of an object as options; the command line reads a value as JSON, or else as text. */
export function keyValues(option: string, fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([name, value]) => ` ${option} ${quoted(`${name}=${plainValue(value)}`)}`)
    .join("")
}

function plainValue(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value)
  try {
    JSON.parse(value)
    return JSON.stringify(value) // "3" is a text and must stay one
  } catch {
    return value
  }
}

/** The curl line of a request to this server. With authentication it takes the token from `$OSTRO_TOKEN`. */
export function curlLine(method: string, path: string, json?: unknown, text?: string): string {
  const parts = ["curl", "-sS"]
  if (method !== "GET" && !(method === "POST" && json !== undefined)) parts.push("-X", method)
  if (needsToken) parts.push("-H", '"X-Auth-Token: $OSTRO_TOKEN"')
  if (json !== undefined) parts.push("--json", quoted(JSON.stringify(json)))
  if (text !== undefined) parts.push("-H", "'Content-Type: text/plain'", "--data-binary", quoted(text))
  parts.push(quoted(`${location.origin}${path}`))
  return parts.join(" ")
}

let needsToken = false

export function setNeedsToken(value: boolean): void {
  needsToken = value
}

/** The two lines, each with a copy button. */
export function CommandLines({ cli, curl }: Commands) {
  return (
    <div className="commands">
      <CommandLine name="CLI" line={cli} />
      <CommandLine name="curl" line={curl} />
    </div>
  )
}

function CommandLine({ name, line }: { name: string; line: string }) {
  return (
    <div className="command">
      <span className="command-name">{name}</span>
      <code className="command-text" tabIndex={0} role="textbox" aria-readonly="true" aria-label={`${name} command`}>
        {line}
      </code>
      <CopyButton text={line} label={`Copy the ${name} command`} />
    </div>
  )
}

/** Beside a button: shows what to type to do the same. */
export function CommandsButton({ commands, title = "Do this from a shell" }: { commands: Commands; title?: string }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <Button kind="quiet" icon="terminal" aria-label="Show as command" onClick={() => setOpen(true)} />
      {isOpen ? (
        <Dialog title={title} onClose={() => setOpen(false)}>
          <CommandLines {...commands} />
        </Dialog>
      ) : null}
    </>
  )
}
