import type { CronTrigger } from "~/api/types"

/** With what Ostro tells beyond Mistral. */
export interface Cron extends CronTrigger {
  time_zone?: string
  catch_up?: string
  overlap?: string
  last_execution_id?: string | null
  last_execution_time?: string | null
  last_error?: string | null
  failures?: number
}
