/** Asks before something that cannot be taken back, and shows the commands that do the same. */
import type { ReactNode } from "react"
import { Button, CommandLines, Dialog, ErrorNote, type Commands } from "~/ui"

interface Props {
  title: string
  verb: string
  /** `resource.verb`, for tests and docs. */
  action: string
  children: ReactNode
  commands: Commands
  isDanger?: boolean
  isBusy: boolean
  isReady?: boolean
  error: unknown
  onConfirm: () => void
  onClose: () => void
}

export function ConfirmDialog({
  title,
  verb,
  action,
  children,
  commands,
  isDanger,
  isBusy,
  isReady = true,
  error,
  onConfirm,
  onClose,
}: Props) {
  return (
    <Dialog
      title={title}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Close</Button>
          <Button
            kind={isDanger ? "danger" : "primary"}
            action={action}
            isBusy={isBusy}
            disabled={!isReady}
            onClick={onConfirm}
          >
            {verb}
          </Button>
        </>
      }
    >
      <form
        className="column"
        onSubmit={(event) => {
          event.preventDefault()
          if (isReady && !isBusy) onConfirm()
        }}
      >
        {children}
        {error ? <ErrorNote error={error} /> : null}
        <CommandLines {...commands} />
      </form>
    </Dialog>
  )
}
