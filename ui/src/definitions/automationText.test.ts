import { describe, expect, it } from "vitest"
import { editable, readable } from "./automationText"

describe("the text of an automation", () => {
  it("is without what the server sets", () => {
    expect(editable("uid: 1\nname: a\nsteps:\n  - name: b # why\ncreated: now\n")).toBe(
      "name: a\nsteps:\n  - name: b # why\n",
    )
  })

  it("leaves out what is not set, but no null that means something", () => {
    const text =
      "name: a\ndefault_retry: null\nsteps:\n  - name: b\n    input: null\n    retry:\n      total: null\n    apispec:\n      url: u\n      data: null\n      json_body:\n        x: null\n"
    expect(editable(text)).toBe(
      "name: a\nsteps:\n  - name: b\n    retry:\n      total: null\n    apispec:\n      url: u\n      json_body:\n        x: null\n",
    )
  })

  it("stays as it is if it cannot be read", () => {
    expect(editable("a: [")).toBe("a: [")
  })

  it("is read from what is stored", () => {
    expect(readable('# automation: {"uid":"1","name":"a","steps":[{"name":"b"}]}')).toBe(
      "name: a\nsteps:\n  - name: b\n",
    )
    expect(readable("version: 2")).toBe("version: 2")
  })
})
