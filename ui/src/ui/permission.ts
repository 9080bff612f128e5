/** Which buttons the page offers. Set once, above all views; a button asks by the name of its action. */
import { createContext, useContext } from "react"

export type May = (action: string | undefined) => boolean

/** Everything may be done where nobody says otherwise: tests, the log-in page. */
export const Permission = createContext<May>(() => true)

/** Whether the caller may do that: "execution.start". What may not be done is not offered. */
export function useMay(): May {
  return useContext(Permission)
}
