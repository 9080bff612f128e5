/** Whether who looks at a definition can change it, and if not, why. */
import type { Session } from "~/api/types"
import { useSession } from "~/app/session"
import { useMay } from "~/ui"
import type { Definition, KindInfo } from "./kinds"

/** Of another project, which shares it: to be read and started only. Administrators change those of all. */
export function isTheirs({ auth, is_admin, project_id }: Session, { projectId }: Definition): boolean {
  return auth !== "none" && !is_admin && projectId !== "" && projectId !== project_id
}

/** Why it cannot be saved; null: it can. `definition` null: it is new. */
export function useWhyReadOnly(info: KindInfo, definition: Definition | null): string | null {
  const session = useSession()
  const may = useMay()
  if (definition && isTheirs(session, definition)) return `It belongs to the project ${definition.projectId}.`
  if (may(info.verbs[definition ? "update" : "create"].action)) return null
  return `Your roles do not let you ${definition ? "change" : "make"} ${info.title.toLowerCase()}.`
}
