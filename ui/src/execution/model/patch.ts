/** Puts what the stream tells of tasks among the tasks that are known. */
import type { TaskEvent } from "~/live"
import type { Task } from "../types"

type Told = Pick<
  TaskEvent,
  "id" | "name" | "type" | "state" | "state_info" | "created_at" | "started_at" | "finished_at"
> &
  Partial<Pick<TaskEvent, "items">>

/** A new list; tasks that are not told of stay the same objects. */
export function patchTasks(tasks: readonly Task[], events: readonly Told[]): Task[] {
  const told = new Map(events.map((event) => [event.id, event]))
  const patched = tasks.map((task) => {
    const event = told.get(task.id)
    if (!event) return task
    told.delete(task.id)
    return {
      ...task,
      state: event.state,
      state_info: event.state_info,
      started_at: event.started_at,
      finished_at: event.finished_at,
    }
  })
  for (const event of told.values()) patched.push(taskOf(event))
  return patched
}

function taskOf({ items, ...event }: Told): Task {
  return {
    id: event.id,
    name: event.name,
    type: event.type,
    state: event.state,
    state_info: event.state_info,
    runtime_context: items ? JSON.stringify({ with_items: items }) : "{}",
    created_at: event.created_at,
    updated_at: null,
    started_at: event.started_at,
    finished_at: event.finished_at,
  }
}
