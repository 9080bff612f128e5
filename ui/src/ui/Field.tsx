import {
  useId,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
} from "react"
import { Icon } from "./Icon"

interface Labelled {
  label: string
  hint?: ReactNode
  error?: string | null
  hideLabel?: boolean
}

function Frame({ id, label, hint, error, hideLabel, children }: Labelled & { id: string; children: ReactNode }) {
  return (
    <div className="field">
      <label htmlFor={id} className={hideLabel ? "visually-hidden" : "field-label"}>
        {label}
      </label>
      {children}
      {error ? (
        <p className="field-error" id={`${id}-note`} role="alert">
          <Icon name="error" size={13} /> {error}
        </p>
      ) : hint ? (
        <p className="field-hint" id={`${id}-note`}>
          {hint}
        </p>
      ) : null}
    </div>
  )
}

function described(id: string, { hint, error }: Labelled) {
  return {
    id,
    ...(hint || error ? { "aria-describedby": `${id}-note` } : {}),
    "aria-invalid": error ? true : undefined,
  }
}

export function TextField({
  label,
  hint,
  error,
  hideLabel,
  ...rest
}: Labelled & InputHTMLAttributes<HTMLInputElement>) {
  const labelled = { label, hint, error: error ?? null, hideLabel: hideLabel ?? false }
  const id = useId()
  return (
    <Frame id={id} {...labelled}>
      <input
        className="input"
        type="text"
        autoComplete="off"
        spellCheck={false}
        {...described(id, labelled)}
        {...rest}
      />
    </Frame>
  )
}

export function TextArea({
  label,
  hint,
  error,
  hideLabel,
  ...rest
}: Labelled & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const labelled = { label, hint, error: error ?? null, hideLabel: hideLabel ?? false }
  const id = useId()
  return (
    <Frame id={id} {...labelled}>
      <textarea className="input mono" rows={5} spellCheck={false} {...described(id, labelled)} {...rest} />
    </Frame>
  )
}

export function SelectField({
  label,
  hint,
  error,
  hideLabel,
  options,
  ...rest
}: Labelled &
  SelectHTMLAttributes<HTMLSelectElement> & { options: readonly (string | readonly [value: string, text: string])[] }) {
  const labelled = { label, hint, error: error ?? null, hideLabel: hideLabel ?? false }
  const id = useId()
  return (
    <Frame id={id} {...labelled}>
      <select className="input" {...described(id, labelled)} {...rest}>
        {options.map((option) => {
          const [value, text] = typeof option === "string" ? [option, option] : option
          return (
            <option key={value} value={value}>
              {text}
            </option>
          )
        })}
      </select>
    </Frame>
  )
}

export function Checkbox({
  label,
  hideLabel,
  ...rest
}: { label: string; hideLabel?: boolean } & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <label className="checkbox">
      <input type="checkbox" {...rest} />
      <span className={hideLabel ? "visually-hidden" : ""}>{label}</span>
    </label>
  )
}

/** The object that a text holds, or what is wrong with it: JSON, for inputs and environments. */
export function readObject(
  text: string,
): { value: Record<string, unknown>; error: null } | { value: null; error: string } {
  if (!text.trim()) return { value: {}, error: null }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return { value: value as Record<string, unknown>, error: null }
    }
    return { value: null, error: 'An object is needed, such as {"name": "value"}.' }
  } catch (error) {
    return { value: null, error: `This is not JSON: ${(error as Error).message}` }
  }
}
