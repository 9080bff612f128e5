import type { ButtonHTMLAttributes, ReactNode } from "react"
import { Link } from "react-router"
import { Icon, type IconName } from "./Icon"

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

/** A button; without children give `aria-label`: it shows only its icon, and the label as a tooltip. */
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

/** A link that looks like a button. */
export function ButtonLink({
  to,
  icon,
  kind = "plain",
  small = false,
  children,
}: {
  to: string
  icon?: IconName
  kind?: "primary" | "plain" | "quiet"
  small?: boolean
  children: ReactNode
}) {
  return (
    <Link to={to} className={`button ${kind} ${small ? "small-button" : ""}`}>
      {icon ? <Icon name={icon} size={small ? 14 : 16} /> : null}
      <span>{children}</span>
    </Link>
  )
}
