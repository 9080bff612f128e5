import { describe, expect, it } from "vitest"
import { emptyBatch, type TaskEvent } from "./events"
import { Newest } from "./newest"

const task = (id: string, seq: number, at: string) => ({ id, seq, at, state: `${seq}` }) as TaskEvent
const ids = (newest: Newest, ...tasks: TaskEvent[]) =>
  newest.of({ ...emptyBatch(), tasks })?.tasks.map((one) => one.state) ?? null

describe("Newest", () => {
  it("passes on what is news", () => {
    const newest = new Newest()
    expect(ids(newest, task("a", 1, "t1"), task("b", 1, "t1"))).toEqual(["1", "1"])
    expect(ids(newest, task("a", 2, "t1"))).toEqual(["2"])
  })

  it("leaves out what was told before, and what was overtaken", () => {
    const newest = new Newest()
    expect(ids(newest, task("a", 5, "t5"))).toEqual(["5"])
    expect(ids(newest, task("a", 5, "t5"), task("a", 4, "t4"))).toBeNull()
    expect(ids(newest, task("a", 4, "t4"), task("b", 4, "t4"))).toEqual(["4"])
  })

  it("goes by time across engines, whose numbers begin anew", () => {
    const newest = new Newest()
    expect(ids(newest, task("a", 900, "t5"))).toEqual(["900"])
    expect(ids(newest, task("a", 1, "t6"))).toEqual(["1"])
  })

  it("keeps a reload, even an empty one", () => {
    expect(new Newest().of({ ...emptyBatch(), isReload: true })).not.toBeNull()
  })
})
