import type { ButtonHTMLAttributes, ReactNode } from "react"
import { Link } from "react-router"
import { Icon, type IconName } from "./Icon"
import { useMay } from "./permission"

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "type"> {
  icon?: IconName
  /** `quiet` has no frame, `danger` is for what cannot be taken back. */
  kind?: "primary" | "plain" | "quiet" | "danger"
  small?: boolean
  isBusy?: boolean
  submit?: boolean
  /** `resource.verb`: what it does, for tests and for docs/reference/page-and-cli.md. */
  action?: string
  children?: ReactNode
}

/** A button; one for what the caller may not do is not there. Without children give `aria-label`: it shows only its icon, and the label as a tooltip. */
export function Button({
  icon,
  kind = "plain",
  small = false,
  isBusy = false,
  submit = false,
  action,
  children,
  disabled,
  className = "",
  ...rest
}: ButtonProps) {
  const may = useMay()
  if (!may(action)) return null
  const isIconOnly = children === undefined || children === null
  return (
    <button
      type={submit ? "submit" : "button"}
      className={`button ${kind} ${small ? "small-button" : ""} ${isIconOnly ? "icon-only" : ""} ${className}`}
      disabled={disabled === true || isBusy}
      aria-busy={isBusy || undefined}
      title={isIconOnly ? rest["aria-label"] : undefined}
      {...(action ? { "data-action": action } : {})}
      {...rest}
    >
      {isBusy ? (
        <span className="spinner" aria-hidden="true" />
      ) : icon ? (
        <Icon name={icon} size={small ? 14 : 16} />
      ) : null}
      {isIconOnly ? null : <span>{children}</span>}
    </button>
  )
}

/** A link that looks like a button. `action`: what it leads to; not there for who may not do that. */
export function ButtonLink({
  to,
  icon,
  kind = "plain",
  small = false,
  action,
  children,
}: {
  to: string
  icon?: IconName
  kind?: "primary" | "plain" | "quiet"
  small?: boolean
  action?: string
  children: ReactNode
}) {
  const may = useMay()
  if (!may(action)) return null
  return (
    <Link
      to={to}
      className={`button ${kind} ${small ? "small-button" : ""}`}
      {...(action ? { "data-action": action } : {})}
    >
      {icon ? <Icon name={icon} size={small ? 14 : 16} /> : null}
      <span>{children}</span>
    </Link>
  )
}
