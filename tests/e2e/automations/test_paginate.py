"""`paginate` with real calls."""

import pytest
from aiohttp import web

from tests.e2e.automations.local import run, site

READ = """
name: read
steps:
  - name: read
    apispec:
      url: "{{ INPUT.url }}"
      headers: {Authorization: Bearer s3cret}
      paginate: %s
    retry: {total: 3, status_forcelist: [503]}
    output: items
"""


async def linked(request: web.Request) -> web.Response:
    page = int(request.query.get("page", 1))
    headers = {"Link": f'</list?page={page + 1}>; rel="next"'} if page < 3 else {}
    return web.json_response([page * 10, page * 10 + 1], headers=headers)


async def test_link_headers_are_followed_to_the_end(tmp_path):
    async with site({"GET /list": linked}) as here:
        done = await run(tmp_path, READ % "{by: link}", {"url": f"{here.url}/list"})
    assert (done.state, done.info) == ("SUCCESS", None)
    assert done.output == {"items": [10, 11, 20, 21, 30, 31]}
    assert {headers["Authorization"] for headers in here.headers} == {"Bearer s3cret"}


async def test_page_numbers(tmp_path):
    async def numbered(request: web.Request) -> web.Response:
        return web.json_response({"rows": [[1, 2], [3], []][int(request.query["p"])]})

    async with site({"GET /list": numbered}) as here:
        rules = "{by: page, param: p, start: 0, items: rows}"
        done = await run(tmp_path, READ % rules, {"url": f"{here.url}/list?size=2"})
    assert done.output == {"items": [1, 2, 3]}
    assert [path for _, path, _ in here.calls] == [f"/list?size=2&p={number}" for number in range(3)]


async def test_a_page_that_fails_is_tried_again_with_all_before_it(tmp_path):
    failures = ["2"]

    async def shaky(request: web.Request) -> web.Response:
        if request.query.get("page") in failures:
            failures.clear()
            return web.json_response({}, status=503)
        return await linked(request)

    async with site({"GET /list": shaky}) as here:
        done = await run(tmp_path, READ % "{by: link}", {"url": f"{here.url}/list"})
    assert done.output["items"] == [10, 11, 20, 21, 30, 31]
    assert [path for _, path, _ in here.calls] == [
        "/list",
        "/list?page=2",
        "/list",
        "/list?page=2",
        "/list?page=3",
    ]


async def test_another_host_does_not_get_the_credentials(tmp_path):
    async with site({"GET /more": linked}) as there:

        async def elsewhere(request: web.Request) -> web.Response:
            return web.json_response([1], headers={"Link": f"<{there.url}/more?page=3>; rel=next"})

        async with site({"GET /list": elsewhere}) as here:
            done = await run(tmp_path, READ % "{by: link}", {"url": f"{here.url}/list"})
    assert done.output["items"] == [1, 30, 31]
    assert "Authorization" not in there.headers[0]


@pytest.mark.parametrize("limit", ["max_pages: 2", "max_items: 5", "max_bytes: 20"])
async def test_more_than_a_limit_is_an_error_without_retries(tmp_path, limit):
    async with site({"GET /list": linked}) as here:
        done = await run(tmp_path, READ % f"{{by: link, {limit}}}", {"url": f"{here.url}/list"})
    assert done.state == "ERROR"
    assert limit.partition(":")[0] in done.info
    assert len(here.calls) <= 3
