import { useEffect, type ReactNode } from "react"
import { Link } from "react-router"
import { Icon } from "./Icon"

/** Title and actions of a view, and its content. Sets the title of the window. */
export function Page({
  title,
  heading,
  note,
  back,
  actions,
  children,
  wide = false,
}: {
  title: string
  /** In place of the title, if it needs more than text. */
  heading?: ReactNode
  note?: ReactNode
  back?: { to: string; label: string }
  actions?: ReactNode
  children: ReactNode
  /** Takes the whole width and height: lists and graphs. */
  wide?: boolean
}) {
  useEffect(() => {
    document.title = title === "Ostro" ? title : `${title} · Ostro`
  }, [title])
  return (
    <div className={`page ${wide ? "wide" : ""}`}>
      <header className="page-head">
        <div className="grow">
          {back ? (
            <Link className="back" to={back.to}>
              <Icon name="left" size={13} /> {back.label}
            </Link>
          ) : null}
          <h1>{heading ?? title}</h1>
          {note ? <p className="page-note">{note}</p> : null}
        </div>
        {actions ? <div className="page-actions">{actions}</div> : null}
      </header>
      {children}
    </div>
  )
}

export function Card({
  title,
  actions,
  children,
  flush = false,
}: {
  title?: ReactNode
  actions?: ReactNode
  children: ReactNode
  flush?: boolean
}) {
  return (
    <section className={`card ${flush ? "flush" : ""}`}>
      {title ? (
        <header className="card-head">
          <h2>{title}</h2>
          {actions}
        </header>
      ) : null}
      {children}
    </section>
  )
}

/** Names and values, one pair a line. */
export function Facts({ facts }: { facts: (readonly [name: string, value: ReactNode] | null | false)[] }) {
  return (
    <dl className="facts">
      {facts.map((fact) =>
        fact ? (
          <div key={fact[0]} className="fact">
            <dt>{fact[0]}</dt>
            <dd>{fact[1]}</dd>
          </div>
        ) : null,
      )}
    </dl>
  )
}
