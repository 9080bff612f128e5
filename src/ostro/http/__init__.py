"""HTTP to the world: the egress policy, requests and responses as values, the shared client.

Import what you need from the modules: `egress` and `message` are light, `client` loads aiohttp.
"""
