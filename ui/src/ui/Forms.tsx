import { useState, type FormEvent, type ReactNode } from "react"
import { Button } from "./Button"
import { CommandLines, type Commands } from "./CommandLines"
import { Dialog } from "./Dialog"
import { ErrorNote } from "./notes"
import type { IconName } from "./Icon"

/** A form in a dialog: what it does, the same for a shell, errors of the server in place. */
export function FormDialog({
  title,
  submit,
  icon,
  action,
  commands,
  isReady = true,
  isDanger = false,
  wide = false,
  onSubmit,
  onClose,
  children,
}: {
  title: string
  submit: string
  icon?: IconName
  /** `resource.verb` of the button. */
  action: string
  commands?: Commands
  isReady?: boolean
  isDanger?: boolean
  wide?: boolean
  /** Closes the dialog if it succeeds; what it throws is shown. */
  onSubmit: () => Promise<unknown>
  onClose: () => void
  children: ReactNode
}) {
  const [error, setError] = useState<unknown>(null)
  const [isBusy, setBusy] = useState(false)
  const run = async (event: FormEvent) => {
    event.preventDefault()
    if (!isReady || isBusy) return
    setBusy(true)
    setError(null)
    try {
      await onSubmit()
      onClose()
    } catch (problem) {
      setError(problem)
      setBusy(false)
    }
  }
  return (
    <Dialog title={title} onClose={onClose} wide={wide}>
      <form className="form" onSubmit={(event) => void run(event)}>
        {children}
        {error ? <ErrorNote error={error} /> : null}
        {commands ? <CommandLines {...commands} /> : null}
        <div className="form-buttons">
          <Button onClick={onClose}>Back</Button>
          <Button
            kind={isDanger ? "danger" : "primary"}
            {...(icon ? { icon } : {})}
            submit
            isBusy={isBusy}
            disabled={!isReady}
            action={action}
          >
            {submit}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
