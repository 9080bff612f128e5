import { Page } from "~/ui"

export function CronPage() {
  return <Page title="Cron">{null}</Page>
}
