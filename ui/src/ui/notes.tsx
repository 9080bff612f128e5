import type { ReactNode } from "react"
import { Link } from "react-router"
import { ApiError } from "~/api/client"
import { Button } from "./Button"
import { Icon, type IconName } from "./Icon"

/** What a place shows that has nothing to show, and what one can do about it. */
export function Empty({ icon = "dot", title, children }: { icon?: IconName; title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <Icon name={icon} size={26} />
      <p className="strong">{title}</p>
      {children ? <div className="empty-text">{children}</div> : null}
    </div>
  )
}

/** An error in words, with a way to try again unless the answer would be the same. */
export function ErrorNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const message = error instanceof Error ? error.message : String(error)
  const hint = error instanceof ApiError && typeof error.details["hint"] === "string" ? error.details["hint"] : null
  return (
    <div className="note error" role="alert">
      <Icon name="error" />
      <div className="grow">
        <p className="note-text">{message}</p>
        {hint ? <p className="soft">{hint}</p> : null}
      </div>
      {onRetry && !isFinal(error) ? (
        <Button small icon="rerun" onClick={onRetry}>
          Try again
        </Button>
      ) : null}
    </div>
  )
}

/** Nothing that waiting could change: 404, 403, 400. */
export function isFinal(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false
  return error.status >= 400 && error.status < 500 && ![401, 408, 429].includes(error.status)
}

export function isMissing(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404
}

/** In place of a view of something that is not there. */
export function Missing({ what, list }: { what: string; list: { to: string; label: string } }) {
  return (
    <div role="alert">
      <Empty icon="search" title={`This ${what} does not exist`}>
        It was deleted, or belongs to another project. <Link to={list.to}>{`To the list: ${list.label}`}</Link>
      </Empty>
    </div>
  )
}

export function Note({
  tone = "idle",
  icon,
  children,
}: {
  tone?: "idle" | "paused" | "error" | "success" | "running"
  icon?: IconName
  children: ReactNode
}) {
  return (
    <div className={`note ${tone}`}>
      {icon ? <Icon name={icon} /> : null}
      <div className="grow">{children}</div>
    </div>
  )
}

/** A line in place of content that is on its way. */
export function Loading({ label = "Loading" }: { label?: string }) {
  return (
    <div className="loading" role="status">
      <span className="spinner" aria-hidden="true" />
      <span>{label} …</span>
    </div>
  )
}
