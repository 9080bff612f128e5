import { describe, expect, it } from "vitest"
import { fieldsOf, inputOf, kindOf, readField, type FormField } from "./fields"

const needed = (name: string) => ({ name, is_required: true, default: null })
const given = (name: string, value: unknown) => ({ name, is_required: false, default: value })
const field = (over: Partial<FormField>): FormField => ({
  name: "x",
  kind: "any",
  isRequired: false,
  text: "",
  default: undefined,
  ...over,
})

describe("the start form", () => {
  it("guesses kinds from defaults", () => {
    expect(
      [needed("a"), given("a", 1), given("a", true), given("a", "t"), given("a", [1]), given("a", null)].map(kindOf),
    ).toEqual(["any", "number", "boolean", "text", "json", "any"])
  })

  it("sends only what was needed or changed", () => {
    const fields = fieldsOf([needed("who"), given("n", 3), given("list", [1])])
    expect(inputOf(fields)).toBeNull()
    fields[0]!.text = "ann"
    expect(inputOf(fields)).toEqual({ who: "ann" })
    fields[1]!.text = "4"
    expect(inputOf(fields)).toEqual({ who: "ann", n: 4 })
  })

  it("begins with the input of an earlier execution", () => {
    const fields = fieldsOf([needed("who"), given("n", 3)], { who: "12", n: "many", extra: { a: 1 } })
    expect(fields.map((f) => [f.name, f.kind, f.text])).toEqual([
      ["who", "any", '"12"'],
      ["n", "any", "many"],
      ["extra", "any", '{"a":1}'],
    ])
    expect(inputOf(fields)).toEqual({ who: "12", n: "many", extra: { a: 1 } })
  })

  it("reads anything: JSON where it is JSON, else text", () => {
    expect(readField(field({ text: "12" })).value).toBe(12)
    expect(readField(field({ text: "ann" })).value).toBe("ann")
    expect(readField(field({ text: '["a"]' })).value).toEqual(["a"])
    expect(readField(field({ text: "{broken" })).error).toContain("not JSON")
  })

  it("tells what is wrong", () => {
    expect(readField(field({ isRequired: true })).error).toBe("x is needed.")
    expect(readField(field({ kind: "number", text: "four" })).error).toBe("A number is needed.")
    expect(readField(field({ kind: "json", text: "text" })).error).toContain("not JSON")
  })
})
