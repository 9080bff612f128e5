"""Operations of OpenAPI documents become steps."""

import contextlib
import copy
import json

import pytest
import yaml

from ostro.expr.jinja import check_state_template
from ostro.lang.automation import parse_automation
from ostro.lang.automation.imports import from_openapi, operations_of
from ostro.model.errors import InvalidInput
from tests.unit.automation.rendering import rendered

USERS = """
openapi: 3.0.3
info: {title: Users, version: "1.0"}
servers:
  - url: https://{region}.api.example.com/v1
    variables: {region: {default: eu}}
security: [{bearer: []}]
paths:
  /users:
    get:
      operationId: listUsers
      parameters:
        - {$ref: '#/components/parameters/limit'}
        - {name: role, in: query, required: true, schema: {type: array, items: {type: string}}}
        - {name: sort, in: query, explode: false, schema: {type: array, items: {type: string}}}
        - {name: X-Request-Id, in: header, schema: {type: string}}
    post:
      requestBody:
        content:
          application/json: {schema: {$ref: '#/components/schemas/NewUser'}}
  /users/{user-id}:
    parameters: [{name: user-id, in: path, required: true, schema: {type: string}}]
    patch:
      operationId: changeUser
      requestBody:
        content:
          application/json: {example: {enabled: false, note: '{{ not a template }}'}}
    delete:
      operationId: removeUser
      security: [{}]
components:
  parameters:
    limit: {name: limit, in: query, schema: {type: integer}}
  securitySchemes:
    bearer: {type: http, scheme: bearer}
  schemas:
    NewUser:
      allOf:
        - type: object
          required: [name, kind, address]
          properties:
            id: {type: string, readOnly: true}
            name: {type: string}
            kind: {type: string, enum: [person]}
            nick: {type: string}
        - properties:
            address:
              type: object
              required: [city]
              properties: {city: {type: string}, zip: {type: string}}
"""


def imported(spec, operations, base_url=None, notes=None) -> dict:
    automation = from_openapi(spec, operations, base_url, notes)
    parse_automation(automation, check_state_template)
    return automation


def call(spec, operation, base_url=None) -> dict:
    return imported(spec, [operation], base_url)["steps"][0]["apispec"]


def test_the_operations_of_a_document_in_its_order():
    assert operations_of(USERS) == ["listUsers", "POST /users", "changeUser", "removeUser"]


def test_parameters_come_from_the_input_and_the_token_from_the_caller():
    automation = imported(USERS, ["listUsers"])
    assert automation["name"] == "Users"
    [step] = automation["steps"]
    assert (step["name"], step["output"]) == ("listUsers", "list_users")
    sent = rendered(step["apispec"], INPUT={"role": ["a", "b"], "limit": 5}, USER={"token": "t"})
    assert sent == {
        "url": "https://eu.api.example.com/v1/users",
        "method": "GET",
        "params": {"limit": 5, "role": ["a", "b"], "sort": None},
        "headers": {"X-Request-Id": None, "Authorization": "Bearer t"},
    }


def test_lists_that_do_not_repeat_are_joined():
    sent = rendered(call(USERS, "listUsers"), INPUT={"role": ["a"], "sort": ["x", "y"]}, USER={"token": "t"})
    assert sent["params"]["sort"] == "x,y"


def test_a_body_from_the_schema_asks_for_what_is_required():
    assert call(USERS, "POST /users")["json_body"] == {
        "name": "{{ INPUT.name }}",
        "kind": "person",
        "address": {"city": "{{ INPUT.address_city }}"},
    }


def test_a_body_from_an_example_is_literal():
    sent = rendered(call(USERS, "PATCH /users/{user-id}"), INPUT={"user_id": "7"}, USER={"token": "t"})
    assert sent["url"] == "https://eu.api.example.com/v1/users/7"
    assert sent["json_body"] == {"enabled": False, "note": "{{ not a template }}"}


def test_an_operation_without_security_sends_no_token():
    assert "headers" not in call(USERS, "removeUser")


def test_several_operations_and_what_the_run_needs():
    notes: list[str] = []
    automation = imported(USERS, ["listUsers", "changeUser", "listUsers"], notes=notes)
    assert [step["name"] for step in automation["steps"]] == ["listUsers", "changeUser", "listUsers 2"]
    assert notes[-1] == (
        "The input of a run: limit (optional), role, sort (optional), X_Request_Id (optional), user_id."
    )


def test_a_base_url_replaces_the_servers_and_may_be_a_template():
    assert call(USERS, "removeUser", "{{ SYSTEM_APIS.users }}/")["url"] == (
        "{{ SYSTEM_APIS.users }}/users/{{ INPUT.user_id }}"
    )


def test_json_text_and_plain_data_are_taken_too():
    data = {
        "openapi": "3.1.0",
        "paths": {"/ping": {"get": {"servers": [{"url": "https://a.example"}]}}},
    }
    for spec in (data, json.dumps(data)):
        assert call(spec, "GET /ping") == {"url": "https://a.example/ping", "method": "GET"}


PETS_2 = {
    "swagger": "2.0",
    "info": {"title": "Pets"},
    "host": "pets.example.com",
    "basePath": "/v2",
    "schemes": ["http", "https"],
    "securityDefinitions": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
    "security": [{"key": []}],
    "paths": {
        "/pets": {
            "get": {
                "operationId": "findPets",
                "parameters": [
                    {"name": "tags", "in": "query", "required": True, "type": "array", "items": {"type": "string"}},
                    {"name": "ids", "in": "query", "required": True, "type": "array", "collectionFormat": "multi"},
                ],
            },
            "post": {
                "operationId": "addPet",
                "parameters": [{"name": "pet", "in": "body", "schema": {"$ref": "#/definitions/Pet"}}],
            },
            "put": {
                "operationId": "renamePet",
                "consumes": ["application/x-www-form-urlencoded"],
                "parameters": [
                    {"name": "name", "in": "formData", "required": True, "type": "string"},
                    {"name": "nick", "in": "formData", "type": "string"},
                ],
            },
        }
    },
    "definitions": {"Pet": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
}


def test_names_that_maps_have_as_methods_are_fine():
    parameters = [
        {"name": name, "in": place, "required": place == "path", "schema": {}}
        for name, place in (("items", "path"), ("keys", "query"), ("values", "query"))
    ]
    data = {"openapi": "3.0.0", "paths": {"/{items}": {"get": {"parameters": parameters}}}}
    sent = rendered(call(data, "GET /{items}", "https://a.example"), INPUT={"items": "i", "keys": "k"})
    assert (sent["url"], sent["params"]) == ("https://a.example/i", {"keys": "k", "values": None})


def test_version_2():
    find = rendered(call(PETS_2, "findPets"), INPUT={"tags": ["a", "b"], "ids": [1, 2]}, USER={"token": "t"})
    assert find == {
        "url": "https://pets.example.com/v2/pets",
        "method": "GET",
        "params": {"tags": "a,b", "ids": [1, 2]},
        "headers": {"X-Key": "t"},
    }
    assert call(PETS_2, "addPet")["json_body"] == {"name": "{{ INPUT.name }}"}
    assert call(PETS_2, "renamePet")["data"] == {"name": "{{ INPUT.name }}", "nick": "{{ INPUT.nick | default(none) }}"}


@pytest.mark.parametrize(
    ("scheme", "place", "expected"),
    [
        ({"type": "http", "scheme": "basic"}, "headers", {"Authorization": "Basic t"}),
        ({"type": "oauth2", "flows": {}}, "headers", {"Authorization": "Bearer t"}),
        ({"type": "openIdConnect"}, "headers", {"Authorization": "Bearer t"}),
        ({"type": "apiKey", "in": "query", "name": "key"}, "params", {"key": "t"}),
        ({"type": "apiKey", "in": "cookie", "name": "sid"}, "headers", {"Cookie": "sid=t"}),
    ],
)
def test_security_schemes(scheme, place, expected):
    data = {
        "openapi": "3.1.0",
        "components": {"securitySchemes": {"s": scheme, "cert": {"type": "mutualTLS"}}},
        "security": [{"cert": []}, {"s": []}],
        "paths": {"/": {"get": {}}},
    }
    assert rendered(call(data, "GET /", "https://a.example")[place], USER={"token": "t"}) == expected


def test_a_schema_that_holds_itself_ends():
    tree = {"type": "object", "required": ["child"], "properties": {"child": {"$ref": "#/components/schemas/Tree"}}}
    data = {
        "openapi": "3.0.0",
        "components": {"schemas": {"Tree": tree}},
        "paths": {
            "/": {
                "post": {
                    "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}}
                }
            }
        },
    }
    assert call(data, "POST /", "https://a.example")["json_body"]["child"]["child"]


def _refers_to(reference) -> dict:
    return {
        "openapi": "3.0.0",
        "servers": [{"url": "https://a.example"}],
        "paths": {"/": {"get": {"parameters": [{"$ref": reference}]}}},
        "x": {"$ref": "#/x"},
    }


@pytest.mark.parametrize(
    ("spec", "operations", "reason"),
    [
        ("not: openapi", ["x"], "it has no paths"),
        ("{broken", ["x"], "no JSON"),
        ({"openapi": "4.0", "paths": {}}, ["x"], "says '4.0'"),
        (USERS, [], "Which operations"),
        (USERS, ["listUser"], "Is 'listUsers' meant"),
        ({"openapi": "3.0.0", "paths": {"/": {"get": {}}}}, ["GET /"], "no absolute URL; give a base URL"),
        ({"swagger": "2.0", "paths": {"/": {"get": {}}}}, ["GET /"], "names no host"),
        (_refers_to("other.yaml#/x"), ["GET /"], "refers to another one"),
        (_refers_to("#/x"), ["GET /"], "leads to itself"),
        (_refers_to("#/y"), ["GET /"], "leads nowhere"),
    ],
)
def test_what_cannot_be_imported_is_an_error(spec, operations, reason):
    with pytest.raises(InvalidInput, match=reason):
        from_openapi(spec, operations)


def test_a_schema_that_would_grow_without_end_is_an_error():
    wide = {"allOf": [{"$ref": "#/components/schemas/Wide"}] * 20}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Wide"}}}}
    data = {
        "openapi": "3.0.0",
        "servers": [{"url": "https://a.example"}],
        "components": {"schemas": {"Wide": wide}},
        "paths": {"/": {"post": {"requestBody": body}}},
    }
    with pytest.raises(InvalidInput, match="more than 5000 parts"):
        from_openapi(data, ["POST /"])


def places(value, path=()):
    """Where one could make a mistake."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*path, key)
        yield from places(value[key], (*path, key))


@pytest.mark.parametrize("original", [yaml.safe_load(USERS), PETS_2], ids=["version 3", "version 2"])
@pytest.mark.parametrize("mistake", [None, 7, "x", [], {}, [None], {"a": 1}, {"$ref": 5}, True], ids=str)
def test_a_document_with_a_mistake_is_imported_or_refused_with_a_sentence(original, mistake):
    for place in places(original):
        data = copy.deepcopy(original)
        inner = data
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = mistake
        with contextlib.suppress(InvalidInput):
            parse_automation(from_openapi(data, operations_of(data)))
