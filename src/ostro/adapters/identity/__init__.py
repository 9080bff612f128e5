"""Ways to tell who a caller is: API tokens of our own, OpenID Connect, Keystone."""
