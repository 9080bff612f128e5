import { useEffect } from "react"
import { useBlocker } from "react-router"
import { Button, Dialog } from "~/ui"

/** Asks before changes that are not saved are lost. */
export function LeaveGuard({ isActive }: { isActive: boolean }) {
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) => isActive && currentLocation.pathname !== nextLocation.pathname,
  )
  useEffect(() => {
    if (!isActive) return
    const ask = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener("beforeunload", ask)
    return () => removeEventListener("beforeunload", ask)
  }, [isActive])
  if (blocker.state !== "blocked") return null
  return (
    <Dialog
      title="Leave without saving?"
      onClose={() => blocker.reset()}
      footer={
        <>
          <Button onClick={() => blocker.reset()}>Stay</Button>
          <Button kind="danger" onClick={() => blocker.proceed()}>
            Leave
          </Button>
        </>
      }
    >
      <p>What you changed in this text is lost then.</p>
    </Dialog>
  )
}
