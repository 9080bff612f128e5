/** A change that somebody asked for: busy while it is under way, said when done; its error is kept for the form. */
import { useQueryClient } from "@tanstack/react-query"
import { useCallback, useState } from "react"
import { toast } from "~/ui"

export function useChange() {
  const client = useQueryClient()
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const run = useCallback(
    async <T>(what: () => Promise<T>, said: string, onError?: (problem: unknown) => void): Promise<T | undefined> => {
      setBusy(true)
      setError(null)
      try {
        const result = await what()
        toast(said)
        for (const key of ["execution", "execution-waits", "task", "task-actions"])
          void client.invalidateQueries({ queryKey: [key] })
        return result
      } catch (problem) {
        setError(problem)
        onError?.(problem)
        return undefined
      } finally {
        setBusy(false)
      }
    },
    [client],
  )
  return { run, isBusy, error }
}
