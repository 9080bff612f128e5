import { lazy, Suspense, useState } from "react"
import { Button, Dialog, Loading, Note, Time } from "~/ui"
import type { Definition } from "./kinds"

const DiffView = lazy(() => import("~/editor/DiffView"))

interface Props {
  theirs: Definition
  mine: string
  onOverwrite: () => void
  onTake: () => void
  onClose: () => void
}

/** Somebody else saved first: nothing is lost, the person decides. */
export function OvertakenNote({ theirs, mine, onOverwrite, onTake, onClose }: Props) {
  const [isOpen, setOpen] = useState(false)
  const actions = (
    <>
      <Button small onClick={onClose}>
        Go on editing
      </Button>
      <Button small onClick={onTake}>
        Take theirs
      </Button>
      <Button small kind="danger" onClick={onOverwrite}>
        Save mine over it
      </Button>
    </>
  )
  return (
    <Note tone="paused" icon="warning">
      <p className="note-text">
        Somebody else has saved <strong>{theirs.name}</strong> <Time at={theirs.updatedAt} />, after you opened it.
        Yours is not saved.
      </p>
      <div className="row wrap">
        <Button small icon="data" onClick={() => setOpen(true)}>
          Compare
        </Button>
        {actions}
      </div>
      {isOpen ? (
        <Dialog title="Theirs and yours" wide onClose={() => setOpen(false)} footer={actions}>
          <Suspense fallback={<Loading />}>
            <DiffView before={theirs.text} after={mine} isUnified labels={["Theirs", "Yours"]} />
          </Suspense>
        </Dialog>
      ) : null}
    </Note>
  )
}
