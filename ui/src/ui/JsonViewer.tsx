import { useMemo, useState, type ReactNode } from "react"
import { isRecord } from "~/api/client"
import { CopyButton } from "./Copy"
import { Icon } from "./Icon"

const FIRST = 100
const LONG_TEXT = 400

/**
 * A JSON value as a tree: folded below `depth`, long lists and texts cut with "show more", copied whole or in part.
 * Only what is open is in the document, so large values stay fluid.
 */
export function JsonViewer({ value, depth = 2, label = "JSON" }: { value: unknown; depth?: number; label?: string }) {
  return (
    <div className="json" role="group" aria-label={label}>
      <div className="json-tools">
        <CopyButton text={() => JSON.stringify(value, null, 2) ?? ""} label={`Copy ${label}`} />
      </div>
      <Node value={value} depth={depth} isLast />
    </div>
  )
}

function Node({ name, value, depth, isLast }: { name?: string; value: unknown; depth: number; isLast: boolean }) {
  const isList = Array.isArray(value)
  if (!isList && !isRecord(value)) {
    return (
      <div className="json-line">
        <Key name={name} />
        <Leaf value={value} />
        {isLast ? "" : <span className="json-mark">,</span>}
      </div>
    )
  }
  return <Branch name={name} value={value} depth={depth} isLast={isLast} />
}

function Branch({
  name,
  value,
  depth,
  isLast,
}: {
  name: string | undefined
  value: unknown[] | Record<string, unknown>
  depth: number
  isLast: boolean
}) {
  const [isOpen, setOpen] = useState(depth > 0)
  const [shown, setShown] = useState(FIRST)
  const isList = Array.isArray(value)
  const entries = useMemo<[string, unknown][]>(
    () => (Array.isArray(value) ? value.map((one, at) => [String(at), one]) : Object.entries(value)),
    [value],
  )
  const [open, close] = isList ? ["[", "]"] : ["{", "}"]
  const end = isLast ? "" : ","
  if (entries.length === 0) {
    return (
      <div className="json-line">
        <Key name={name} />
        <span className="json-mark">{`${open}${close}${end}`}</span>
      </div>
    )
  }
  return (
    <div>
      <div className="json-line json-branch">
        <button type="button" className="json-toggle" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          <Icon name={isOpen ? "down" : "right"} size={12} />
          <Key name={name} />
          <span className="json-mark">{isOpen ? open : `${open} … ${close}${end}`}</span>
          <span className="json-count">{`${entries.length} ${isList ? "items" : entries.length === 1 ? "key" : "keys"}`}</span>
        </button>
        <CopyButton text={() => JSON.stringify(value, null, 2)} label={`Copy ${name ?? "value"}`} />
      </div>
      {isOpen ? (
        <>
          <div className="json-children">
            {entries.slice(0, shown).map(([key, one], at) => (
              <Node
                key={key}
                {...(isList ? {} : { name: key })}
                value={one}
                depth={depth - 1}
                isLast={at === entries.length - 1}
              />
            ))}
            {entries.length > shown ? (
              <button type="button" className="link-button" onClick={() => setShown(shown + 10 * FIRST)}>
                {`Show ${Math.min(10 * FIRST, entries.length - shown)} more of ${entries.length - shown}`}
              </button>
            ) : null}
          </div>
          <span className="json-mark">{`${close}${end}`}</span>
        </>
      ) : null}
    </div>
  )
}

function Key({ name }: { name: string | undefined }): ReactNode {
  return name === undefined ? null : (
    <>
      <span className="json-key">{name}</span>
      <span className="json-mark">: </span>
    </>
  )
}

function Leaf({ value }: { value: unknown }) {
  const [isWhole, setWhole] = useState(false)
  if (typeof value !== "string") {
    return (
      <span className={typeof value === "number" ? "json-number" : "json-word"}>
        {value === undefined ? "none" : String(value)}
      </span>
    )
  }
  const isLong = value.length > LONG_TEXT
  return (
    <span className="json-string">
      {`"${isLong && !isWhole ? value.slice(0, LONG_TEXT) : value}`}
      {isLong && !isWhole ? (
        <button type="button" className="link-button" onClick={() => setWhole(true)}>
          {`… ${value.length - LONG_TEXT} more characters`}
        </button>
      ) : (
        '"'
      )}
    </span>
  )
}
